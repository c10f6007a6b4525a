"""Retired instructions of kernels and sweeps: what a change to the code does to them, without the noise of time.

Instructions of user code for each unit of work; docs/benchmarks.md tells how to read them.
"""

from benchmarks import counters
from benchmarks.counted import PIECES


class Instructions:
    """Skipped on machines where nothing counts instructions."""

    params = tuple(PIECES)
    param_names = ("work",)

    def setup_cache(self):
        return counters.instructions(list(PIECES)) if counters.counter() else None

    setup_cache.timeout = 900

    def setup(self, counts, work):
        if counts is None:
            raise NotImplementedError("nothing counts instructions on this machine")

    def track_instructions(self, counts, work):
        return counts[work] / PIECES[work].units

    track_instructions.unit = "instructions"
