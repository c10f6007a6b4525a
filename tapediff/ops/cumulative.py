"""Rows of the scans: ops whose element i depends on the elements up to i along one dimension.

Attributes: (dim, is_reversed): a reversed scan starts at the end. Rules divide by nothing, so zeros are as good as any other value: the
derivatives of products are linear recurrences, and the derivative of a recurrence is a recurrence that runs the other way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.reductions import quiet
from tapediff.ops.structural import add_row, same_shape
from tapediff.tape.spec import Spec

__all__: list[str] = []

Scan = tuple[int, bool]
NARROW = 8  # with fewer columns than this, a loop over Python floats beats a loop over NumPy rows


def scanned(a: Any, attributes: Scan, scan: Callable[[Any], Any]) -> Any:
    """`scan` of an array along its first axis, applied along `dim` from the front or the end; floats are accumulated in float64."""
    if a.ndim == 0:
        return a.copy()
    dim, is_reversed = attributes
    lined = np.moveaxis(a.astype(np.float64) if a.dtype.kind == "f" else a, dim, 0)
    made = scan(lined[::-1])[::-1] if is_reversed else scan(lined)
    return np.moveaxis(made, 0, dim).astype(a.dtype)


@quiet
def cumsum_forward(attributes: Scan, a: Any) -> Any:
    return scanned(a, attributes, lambda lined: np.cumsum(lined, axis=0, dtype=lined.dtype))


def cumsum_pullback(F: Any, attributes: Scan, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.cumsum(y_bar, (attributes[0], not attributes[1])) if a.shape else y_bar


@quiet
def cumprod_forward(attributes: Scan, a: Any) -> Any:
    return scanned(a, attributes, lambda lined: np.cumprod(lined, axis=0, dtype=lined.dtype))


@quiet
def cumprod_pullback(F: Any, attributes: Scan, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    if not a.shape:
        return y_bar
    dim, step = attributes[0], step_of(attributes)
    return adjoint_recurrence(F, attributes, a, y_bar) * F.shifted(y, (dim, step, 1.0))


@quiet
def logcumsumexp_forward(attributes: Scan, a: Any) -> Any:
    return scanned(a, attributes, lambda lined: np.logaddexp.accumulate(lined, axis=0) if len(lined) else lined)


@quiet
def logcumsumexp_pullback(F: Any, attributes: Scan, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    if not a.shape:
        return y_bar
    previous = F.shifted(y, (attributes[0], step_of(attributes), 0.0))
    return adjoint_recurrence(F, attributes, weight(F, previous, y), y_bar) * weight(F, a, y)


def weight(F: Any, part: Any, whole: Any) -> Any:
    """exp(part - whole), where two equal infinities differ by nothing."""
    return F.where(F.eq(part, whole), 1.0, F.exp(part - whole))


add_row("cumsum", same_shape, cumsum_forward, cumsum_pullback, saves=(frozenset(),), kernel="cumsum", lanes="cumsum", doc="The sums of the elements up to each one.")
add_row("cumprod", same_shape, cumprod_forward, cumprod_pullback, saves=(frozenset({0, "y"}),), lanes="cumprod", doc="The products of the elements up to each one.")
add_row("logcumsumexp", same_shape, logcumsumexp_forward, logcumsumexp_pullback, saves=(frozenset({0, "y"}),), lanes="logcumsumexp", doc="log(cumsum(exp(a))), without overflow.")


# --- recurrences ----------------------------------------------------------------------------------------------------------------------------

def step_of(attributes: Scan) -> int:
    """The way that the scan goes: 1 to the end, -1 to the front."""
    return -1 if attributes[1] else 1


def adjoint_recurrence(F: Any, attributes: Scan, factors: Any, y_bar: Any) -> Any:
    """The complete adjoints of a recurrence y[i] = factors[i] y[i-1] + ..., collected against the scan's direction: g[i] = y_bar[i] + factors[i+1] g[i+1]."""
    dim = attributes[0]
    return F.linear_recurrence(F.shifted(factors, (dim, -step_of(attributes), 0.0)), y_bar, (dim, not attributes[1]))


def infer_recurrence(attributes: Scan, factors: Spec, terms: Spec) -> tuple[tuple[int, ...], DType]:
    return terms.shape, terms.dtype


@quiet
def recurrence_forward(attributes: Scan, factors: Any, terms: Any) -> Any:
    dim, is_reversed = attributes
    lines = [np.moveaxis(x, dim, 0)[:: -1 if is_reversed else 1] for x in (factors, terms)]
    shape = lines[1].shape
    length = shape[0]
    c, b = (x.reshape(length, -1).astype(np.float64) for x in lines) if terms.size else lines
    out = b.copy()
    if terms.size and out.shape[1] < NARROW:
        for column in range(out.shape[1]):
            out[1:, column] = recurrence_of_floats(c[:, column].tolist(), b[:, column].tolist())
    else:
        for row in range(1, length):
            out[row] += c[row] * out[row - 1]
    return np.moveaxis(out.reshape(shape)[:: -1 if is_reversed else 1], 0, dim).astype(terms.dtype)


def recurrence_of_floats(factors: list[float], terms: list[float]) -> list[float]:
    """All but the first value of the recurrence."""
    out = []
    value = terms[0]
    for factor, term in zip(factors[1:], terms[1:], strict=True):
        value = term + factor * value
        out.append(value)
    return out


@quiet
def recurrence_pullback(F: Any, attributes: Scan, k: int, y_bar: Any, y: Any, factors: Any, terms: Any) -> Any:
    collected = adjoint_recurrence(F, attributes, factors, y_bar)
    return collected * F.shifted(y, (attributes[0], step_of(attributes), 0.0)) if k == 0 else collected


add_row("linear_recurrence", infer_recurrence, recurrence_forward, recurrence_pullback, saves=(frozenset({0, "y"}), frozenset({0})), lanes="linear_recurrence",
        doc="y[i] = factors[i] y[i-1] + terms[i] along a dimension; y[0] = terms[0].")


def shifted_forward(attributes: tuple[int, int, float], a: Any) -> Any:
    dim, step, fill = attributes
    out = np.full_like(a, fill)
    target, origin = (slice(1, None), slice(None, -1)) if step > 0 else (slice(None, -1), slice(1, None))
    np.moveaxis(out, dim, 0)[target] = np.moveaxis(a, dim, 0)[origin]
    return out


def shifted_pullback(F: Any, attributes: tuple[int, int, float], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    dim, step, _ = attributes
    return F.shifted(y_bar, (dim, -step, 0.0))


add_row("shifted", same_shape, shifted_forward, shifted_pullback, saves=(frozenset(),), lanes="moves",
        doc="The elements moved by one place along a dimension, with a number coming in. Attributes: (dim, 1 or -1, the number).")
