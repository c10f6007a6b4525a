"""Sums that lose little: the results of `reduce`, added in a fixed order."""

import math

import numpy as np


class CompensatedSum:
    """The sum of arrays in double precision, with the rounding errors added in the end (Neumaier, "Rundungsfehleranalyse einiger
    Verfahren zur Summation endlicher Summen", 1974).

    >>> total = CompensatedSum(())
    >>> for x in (1.0, 1e100, 1.0, -1e100):
    ...     total.add(np.array(x))
    >>> float(total.result())
    2.0
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.sum = np.zeros(shape)
        self.lost = np.zeros(shape)

    def add(self, term: np.ndarray) -> None:
        """Add an array of the sum's shape."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self.sum + term
            first_is_larger = np.abs(self.sum) >= np.abs(term)
            self.lost = self.lost + np.where(first_is_larger, self.sum - total + term, term - total + self.sum)
        self.sum = total

    def result(self) -> np.ndarray:
        """The sum so far; inf and nan as adding gives them."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isfinite(self.sum), self.sum + self.lost, self.sum)


def sum_of(values: np.ndarray) -> float:
    """The sum of finite numbers, rounded once; inf where that is too large.

    >>> sum_of(np.array([1e100, 1.0, -1e100]))
    1.0
    """
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.sum(values.astype(np.float64)))
