"""Scaling curves: chains of 10^2 to 10^7 scalar instructions, eager and recorded; batches of 10 to 10^6 rows.

Cost per instruction and per row stays level, and nothing recurses.
"""

import numpy as np

from benchmarks import workloads
from benchmarks.measure import best_seconds

INSTRUCTIONS_PER_LINK = 3


class ChainScaling:
    params = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
    param_names = ("instructions",)
    timeout = 600

    def setup(self, instructions):
        import tapediff as td

        workloads.scalar_chain(td, length=1000).step()
        self.case = workloads.scalar_chain(td, length=instructions // INSTRUCTIONS_PER_LINK)

    def track_nanoseconds_per_instruction(self, instructions):
        return best_seconds(self.case.step, repeats=3 if instructions > 10_000 else 30) / instructions * 1e9

    track_nanoseconds_per_instruction.unit = "ns"


class ProgramScaling:
    """A recorded chain: value and gradient of the whole program, interpreted."""

    params = (100, 1_000, 10_000, 100_000, 1_000_000)
    param_names = ("instructions",)
    timeout = 600

    def setup(self, instructions):
        import tapediff as td

        def links(x):
            y = x
            for _ in range(instructions // 4):
                y = (y * x + 0.5).sin() * x
            return y

        self.program = td.record(links, 0.9).using("interpreter")
        self.program.value_and_grad(0.9)

    def track_nanoseconds_per_instruction(self, instructions):
        repeats = 3 if instructions > 10_000 else 30
        return best_seconds(lambda: self.program.value_and_grad(0.9), repeats) / instructions * 1e9

    track_nanoseconds_per_instruction.unit = "ns"


class RowScaling:
    """Value and gradient of Rosenbrock's function of two numbers, for so many rows on one thread."""

    params = ((10, 100, 1_000, 10_000, 100_000, 1_000_000), ("interpreter", "compiled"))
    param_names = ("rows", "executor")
    timeout = 300

    def setup(self, rows, executor):
        import tapediff as td

        program = td.record(lambda x, y: 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2, 0.5, 0.5)
        self.batch = program.batch(threads=1, executor=executor)
        self.points = np.linspace(-1, 1, rows), np.linspace(1, 2, rows)
        self.batch.value_and_grad(*self.points, argnums=(0, 1))

    def track_nanoseconds_per_row(self, rows, executor):
        repeats = 5 if rows > 10_000 else 50
        return best_seconds(lambda: self.batch.value_and_grad(*self.points, argnums=(0, 1)), repeats) / rows * 1e9

    track_nanoseconds_per_row.unit = "ns"
