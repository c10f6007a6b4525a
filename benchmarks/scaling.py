"""Chains from 10^5 to 10^7 scalar instructions: cost per instruction stays level, and nothing recurses."""

from benchmarks import workloads
from benchmarks.measure import best_seconds

INSTRUCTIONS_PER_LINK = 3


class ChainScaling:
    params = (100_000, 1_000_000, 10_000_000)
    param_names = ("instructions",)
    timeout = 600

    def setup(self, instructions):
        import tapediff as td

        workloads.scalar_chain(td, length=1000).step()
        self.case = workloads.scalar_chain(td, length=instructions // INSTRUCTIONS_PER_LINK)

    def track_nanoseconds_per_instruction(self, instructions):
        return best_seconds(self.case.step, repeats=3) / instructions * 1e9

    track_nanoseconds_per_instruction.unit = "ns"
