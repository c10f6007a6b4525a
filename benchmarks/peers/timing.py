"""Interleaved timing: every repeat runs all libraries in turn, so that a slow moment of the machine strikes them alike."""

import gc
from collections.abc import Callable, Mapping
from time import perf_counter


def seconds_of(step: Callable[[], object], calls: int) -> float:
    """Seconds per call, averaged over `calls` calls in a row."""
    start = perf_counter()
    for _ in range(calls):
        step()
    return (perf_counter() - start) / calls


def calls_for(step: Callable[[], object], seconds: float) -> int:
    """How many calls take about `seconds`; also warms the step up."""
    step()
    once = min(seconds_of(step, 1) for _ in range(3))
    return max(1, round(seconds / once))


def best_interleaved(steps: Mapping[str, Callable[[], object]], repeats: int, sample_seconds: float) -> dict[str, float]:
    """The best seconds per call of each step over `repeats` rounds; a round runs every step for about `sample_seconds`."""
    calls = {name: calls_for(step, sample_seconds) for name, step in steps.items()}
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(repeats):
        for name, step in steps.items():
            gc.collect()
            best[name] = min(best[name], seconds_of(step, calls[name]))
    return best
