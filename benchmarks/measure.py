"""What `track_` benchmarks share: the best of several timings, and the memory of this process."""

import gc
import os
from collections.abc import Callable
from time import perf_counter


def best_seconds(action: Callable[[], object], repeats: int) -> float:
    """The shortest of `repeats` timings of `action`."""
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        action()
        seconds.append(perf_counter() - start)
    return min(seconds)


def resident_bytes() -> int:
    """Resident memory of this process after a garbage collection."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
