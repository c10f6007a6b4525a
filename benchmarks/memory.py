"""Memory: bytes of tape per scalar instruction, what a million steps or dropped evaluations leave behind, and peaks.

A peak is that of the whole process, about 150 MB of which are the interpreter with what it has loaded.
"""

import numpy as np

from benchmarks import workloads
from benchmarks.measure import resident_bytes
from benchmarks.programs import MODEL, STEPS, record_heston

MEGABYTE = 1e6


def twenty_operations(x):
    """A graph of 20 instructions on scalars."""
    y = x
    for _ in range(5):
        y = ((y * x + 0.5) * 0.5).sin()
    return y


class TapeBytes:
    """Resident bytes per instruction of one live chain; only its last tensor is alive."""

    instructions = 3_000_000

    def setup(self):
        import tapediff as td

        self.x = td.tensor(0.9, dtype=td.float64, requires_grad=True)
        twenty_operations(self.x).backward()

    def record(self):
        y = self.x
        for _ in range(self.instructions // 3):
            y = (y * self.x + 0.5).sin()
        return y

    def track_bytes_per_recorded_instruction(self):
        before = resident_bytes()
        y = self.record()
        after = resident_bytes()
        del y
        return (after - before) / self.instructions

    def track_bytes_per_evaluated_instruction(self):
        before = resident_bytes()
        y = self.record()
        y.item()
        after = resident_bytes()
        return (after - before) / self.instructions

    track_bytes_per_recorded_instruction.unit = "bytes"
    track_bytes_per_evaluated_instruction.unit = "bytes"


class Growth:
    """Megabytes of resident memory gained between step 10^4 and step 10^6."""

    timeout = 600
    warm_steps = 10_000
    steps = 1_000_000

    def setup(self):
        import tapediff as td

        self.td = td
        self.x = td.tensor(0.9, dtype=td.float64, requires_grad=True)

    def train(self, steps):
        for _ in range(steps):
            twenty_operations(self.x).backward()
            with self.td.no_grad():
                self.x -= 1e-6 * self.x.grad
            self.x.grad = None

    def evaluate(self, steps):
        for _ in range(steps):
            twenty_operations(self.x)

    def growth(self, run):
        run(self.warm_steps)
        before = resident_bytes()
        run(self.steps - self.warm_steps)
        return (resident_bytes() - before) / MEGABYTE

    def track_growth_of_training(self):
        return self.growth(self.train)

    def track_growth_of_dropped_evaluations(self):
        return self.growth(self.evaluate)

    track_growth_of_training.unit = "MB"
    track_growth_of_dropped_evaluations.unit = "MB"


class Peaks:
    """The largest resident memory of a process that does this once; `nothing` is what all have in common."""

    timeout = 300

    def setup(self):
        import tapediff as td

        self.td = td

    def peakmem_nothing(self):
        pass

    def peakmem_vector_chain(self):
        workloads.vector_chain(self.td, 1_000_000).step()

    def peakmem_scalar_chain(self):
        workloads.scalar_chain(self.td, length=333_333).step()

    def peakmem_rows(self):
        rows = record_heston().batch(in_dims=(*[None] * len(MODEL), 0), threads=1, executor="interpreter")
        rows.grad(*MODEL, np.zeros((20_000, 2, STEPS)), argnums=0, reduce="sum")
