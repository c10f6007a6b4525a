"""Eager graphs: record, forward and backward of the workloads that `benchmarks.peers` times beside other libraries."""

from abc import ABC, abstractmethod

from benchmarks import workloads


class Eager(ABC):
    """A warm workload; each subclass says how to make it and times it, so that asv finds no benchmark in this class."""

    @abstractmethod
    def make(self, td, *parameters):
        """The workload, of the size that the parameters say."""

    def setup(self, *parameters):
        import tapediff as td

        self.step = self.make(td, *parameters).step
        for _ in range(3):
            self.step()


class ScalarMLP(Eager):
    def make(self, td):
        return workloads.scalar_mlp(td)

    def time_step(self):
        self.step()


class ScalarChain(Eager):
    def make(self, td):
        return workloads.scalar_chain(td)

    def time_step(self):
        self.step()


class VectorChain(Eager):
    params = (3, 100, 10_000, 1_000_000)
    param_names = ("size",)

    def make(self, td, size):
        return workloads.vector_chain(td, size)

    def time_step(self, size):
        self.step()


class MLPStep(Eager):
    def make(self, td):
        return workloads.mlp_step(td)

    def time_step(self):
        self.step()
