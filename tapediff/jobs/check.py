"""Sampled rows of a job against central finite differences in float64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tapediff.jobs.evaluate import RowEvaluator
from tapediff.jobs.function import Function

MOST_ELEMENTS = 200  # of one row's gradient; a larger one is sampled
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # balances the truncation error h^2 against the rounding error eps / h


@dataclass(frozen=True)
class Check:
    """How many rows were compared, and the largest difference found, relative to the largest element of the row's gradient."""

    rows: int
    largest_error: float

    def __str__(self) -> str:
        return f"{self.rows} rows against central finite differences: largest relative error {self.largest_error:.1e}"


@dataclass(frozen=True)
class Comparison:
    """The element of a row's gradient by one input that differs most; `error` is relative to the row's largest element."""

    row: int
    name: str
    element: tuple[int, ...]
    gradient: float
    difference: float
    error: float


def check_rows(
    f: Function,
    rows: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    count: int,
) -> Check:
    """Compare `count` rows of `gradients` with finite differences of `f`; the same rows are drawn every time.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_rows(lambda x: (x * x).sum(), {"x": x}, {}, {"x": 2 * x}, count=2).largest_error < 1e-8
    True
    """
    sample = sample_rows(len(next(iter(rows.values()))), count).tolist()
    errors = [comparison.error for comparison in compare_rows(f, rows, shared, gradients, sample)]
    return Check(len(sample), float(np.max(errors, initial=0.0)))  # nan where one is


def sample_rows(length: int, count: int, seed: int = 0) -> np.ndarray:
    """Numbers of `count` rows, or of all if there are fewer, in rising order.

    >>> sample_rows(3, 5)
    array([0, 1, 2])
    """
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(length, size=min(count, length), replace=False))


def compare_rows(
    f: Function,
    rows: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    sample: Sequence[int],
    names: Sequence[int] | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """For each row of `sample` and each of `gradients` the element that differs most from finite differences.

    names  the rows' numbers to be shown, where they are others
    """
    rng = np.random.default_rng(seed)
    found = []
    for row, shown in zip(sample, sample if names is None else names, strict=True):
        given = {name: in_double(array) for name, array in shared.items()}
        given |= {name: in_double(array[row]) for name, array in rows.items()}
        found += compare_row(f, given, {name: np.asarray(array[row]) for name, array in gradients.items()}, int(shown), rng)
    return found


def compare_row(
    f: Function,
    given: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    row: int,
    rng: np.random.Generator,
) -> list[Comparison]:
    """The comparisons of one row, whose inputs are `given`."""
    pairs = {}
    for name, gradient in gradients.items():
        flat = gradient.astype(np.float64).ravel()
        elements = rng.choice(flat.size, size=MOST_ELEMENTS, replace=False) if flat.size > MOST_ELEMENTS else np.arange(flat.size)
        pairs[name] = elements, flat[elements], finite_differences(f, given, name, elements)
    both = [np.abs(numbers) for _, *pair in pairs.values() for numbers in pair]
    scale = float(np.max(np.concatenate(both), initial=0.0))
    found = []
    for name, (elements, gradient, difference) in pairs.items():
        if not len(elements):
            continue
        gap = np.abs(gradient - difference)
        worst = int(np.argmax(gap))  # the first nan, if there is one
        index = tuple(int(place) for place in np.unravel_index(elements[worst], gradients[name].shape))
        error = float(gap[worst]) / scale if gap[worst] else 0.0
        found.append(Comparison(row, name, index, float(gradient[worst]), float(difference[worst]), error))
    return found


def finite_differences(f: Function, given: Mapping[str, np.ndarray], name: str, elements: np.ndarray) -> np.ndarray:
    """(f(x + h) - f(x - h)) / 2h in each of `elements` of the argument `name`.

    >>> finite_differences(lambda x: x * x, {"x": np.array(3.0)}, "x", np.array([0])).round(6)
    array([6.])
    """
    centre = given[name].ravel()
    steps = STEP * np.maximum(1.0, np.abs(centre[elements]))
    shifted = np.repeat(centre[None], 2 * len(elements), axis=0)
    lines = np.arange(len(elements))
    shifted[2 * lines, elements] += steps
    shifted[2 * lines + 1, elements] -= steps
    rest = {other: array for other, array in given.items() if other != name}
    evaluator = RowEvaluator(f, {name: shifted.reshape(-1, *given[name].shape)}, rest, wrt=())
    values = np.array([evaluator.value(line) for line in range(len(shifted))])
    exact_steps = shifted[2 * lines, elements] - shifted[2 * lines + 1, elements]
    return (values[0::2] - values[1::2]) / exact_steps


def in_double(array: np.ndarray) -> np.ndarray:
    """Floating-point numbers as float64; everything else as it is."""
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array
