"""Do the libraries compute the same numbers? Asked before anything is timed."""

from collections.abc import Mapping, Sequence

import numpy as np

Numbers = Sequence[np.ndarray]


def largest_difference(numbers: Numbers, others: Numbers) -> float:
    """The largest difference between two results, relative to the largest number of each array; inf for other shapes and nan.

    >>> largest_difference([np.array([1.0, 2.0])], [np.array([1.0, 2.5])])
    0.2
    """
    if len(numbers) != len(others):
        return float("inf")
    worst = 0.0
    for a, b in zip(numbers, others, strict=True):
        if a.shape != b.shape:
            return float("inf")
        if a.size:
            difference = float(np.max(np.abs(a - b))) / max(float(np.max(np.abs(b))), 1e-300)
            worst = max(worst, difference if difference == difference else float("inf"))
    return worst


def disagreements(results: Mapping[str, Numbers], tolerance: float) -> dict[str, str]:
    """Which libraries are outvoted, and by how much: all are compared with all, and the largest camp that agrees is right.

    >>> one, two = [np.array(1.0)], [np.array(2.0)]
    >>> disagreements({"a": one, "b": two, "c": two}, 1e-9)
    {'a': 'differs from b by 5.0e-01 (tolerance 1e-09)'}
    """
    names = list(results)
    camps = {name: [other for other in names if largest_difference(results[other], results[name]) <= tolerance] for name in names}
    if not names:
        return {}
    judge = max(names, key=lambda name: len(camps[name]))  # the first of those with most followers: tapediff where all agree
    return {
        name: f"differs from {judge} by {largest_difference(results[name], results[judge]):.1e} (tolerance {tolerance:.0e})"
        for name in names
        if name not in camps[judge]
    }
