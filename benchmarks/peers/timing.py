"""Interleaved timing: every repeat runs all libraries in turn, so that a slow moment of the machine strikes them alike."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

CLOCKS = {"wall": perf_counter, "cpu": process_time}  # the second one counts all threads of the process, and nobody else's
PATIENCE = 10.0  # seconds that one library may take for all its repeats; a slow one is repeated less often, three times at least


@dataclass(frozen=True)
class Seconds:
    """Seconds per call: the best and the median of `repeats`."""

    best: float
    median: float
    repeats: int


def seconds_of(step: Callable[[], object], calls: int, clock: Callable[[], float] = perf_counter) -> float:
    """Seconds per call, averaged over `calls` calls in a row."""
    start = clock()
    for _ in range(calls):
        step()
    return (clock() - start) / calls


def calls_for(step: Callable[[], object], seconds: float) -> tuple[int, float]:
    """How many calls take about `seconds`, and the seconds of one; also warms the step up."""
    once = seconds_of(step, 1)
    if once < seconds:
        once = min(seconds_of(step, 1) for _ in range(3))
    return max(1, round(seconds / once)), once


def interleaved(
    steps: Mapping[str, Callable[[], object]], repeats: int, sample_seconds: float, clock: str = "wall"
) -> dict[str, Seconds]:
    """Time every step in `repeats` rounds; a round runs each of them for about `sample_seconds`.

    The clock "cpu" is for one thread on a machine that others use as well.
    """
    plans = {name: calls_for(step, sample_seconds) for name, step in steps.items()}
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for round_number in range(repeats):
        for name, step in steps.items():
            calls, once = plans[name]
            if round_number >= max(3, PATIENCE / max(once, sample_seconds)):
                continue
            gc.collect()
            samples[name].append(seconds_of(step, calls, CLOCKS[clock]))
    return {name: Seconds(min(taken), median(taken), len(taken)) for name, taken in samples.items()}
