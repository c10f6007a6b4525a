"""Rows that run in lanes as other rows: how they are composed of these, in terms of F, as derivative rules are."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

__all__ = ["COMPOSITIONS"]

Indices = tuple[int, ...]


def einsum(F: Any, attributes: tuple[tuple[Indices, ...], Indices], *operands: Any) -> Any:
    """One pair of operands after the other; an index is summed over as soon as no later operand has it."""
    indices, result = attributes
    names, value = indices[0], operands[0]
    for position in range(1, len(operands)):
        later = {index for other in indices[position + 1 :] for index in other}.union(result)
        is_last = position == len(operands) - 1
        kept = result if is_last else tuple(dict.fromkeys(index for index in names + indices[position] if index in later))
        value = F.einsum(value, operands[position], ((names, indices[position]), kept))
        names = kept
    return value


def cross(F: Any, attributes: tuple[int], a: Any, b: Any) -> Any:
    dims = (attributes[0],)
    return F.roll(a, ((-1,), dims)) * F.roll(b, ((-2,), dims)) - F.roll(a, ((-2,), dims)) * F.roll(b, ((-1,), dims))


def nan_to_numbers(F: Any, attributes: tuple[float, float, float], a: Any) -> Any:
    nan, positive, negative = attributes
    finite = F.where(F.eq(a, inf), positive, F.where(F.eq(a, -inf), negative, a))
    return F.where(F.isnan(a), nan, finite)


def trace(F: Any, attributes: None, a: Any) -> Any:
    rows, columns = a.shape
    return F.sum(F.diagonal(a, ((min(rows, columns),), (columns + 1,), 0)), ((0,), False))


COMPOSITIONS: dict[str | None, Callable[..., Any]] = {
    "einsum": einsum,
    "cross": cross,
    "nan_to_numbers": nan_to_numbers,
    "trace": trace,
}
