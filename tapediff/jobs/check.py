"""Sampled rows of a job against central finite differences in float64."""

from collections.abc import Mapping
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
    rng = np.random.default_rng(0)
    length = len(next(iter(rows.values())))
    sample = np.sort(rng.choice(length, size=min(count, length), replace=False))
    errors = [row_error(f, rows, shared, gradients, int(row), rng) for row in sample]
    return Check(len(errors), max(errors, default=0.0))


def row_error(
    f: Function,
    rows: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    row: int,
    rng: np.random.Generator,
) -> float:
    """The largest difference between a row's gradients and finite differences, relative to the largest element of either."""
    given = {name: in_double(array) for name, array in shared.items()}
    given |= {name: in_double(array[row]) for name, array in rows.items()}
    found, expected = [], []
    for name, gradient in gradients.items():
        flat = np.asarray(gradient[row], dtype=np.float64).ravel()
        elements = rng.choice(flat.size, size=MOST_ELEMENTS, replace=False) if flat.size > MOST_ELEMENTS else np.arange(flat.size)
        found.append(flat[elements])
        expected.append(finite_differences(f, given, name, elements))
    return relative_difference(np.concatenate(found), np.concatenate(expected))


def relative_difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest |a - b|, relative to the largest element of either; nan if there is one.

    >>> relative_difference(np.array([1.0, 4.0]), np.array([1.0, 3.0]))
    0.25
    """
    difference = float(np.max(np.abs(a - b), initial=0.0))
    scale = float(np.max(np.abs([a, b]), initial=0.0))
    return difference / scale if difference else 0.0


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
