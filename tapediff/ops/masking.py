"""Rows of the ops that a mask steers: fill, select, scatter. Operand and mask have one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import add_row, same_shape
from tapediff.tape.spec import Spec

__all__: list[str] = []

MASK = frozenset({1})


def masked_fill_forward(attributes: None, a: Any, mask: Any, value: Any) -> Any:
    return np.where(mask, value, a)


def masked_fill_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any, mask: Any, value: Any) -> Any:
    if k == 0:
        return F.where(mask, 0, y_bar)
    return F.sum(F.where(mask, y_bar, 0), (tuple(range(len(y_bar.shape))), False))


for _name, _grad_fn, _what in (("masked_fill", "MaskedFillBackward0", "a number"), ("masked_fill_tensor", "MaskedFillBackward1", "an element")):
    add_row(_name, same_shape, masked_fill_forward, masked_fill_pullback, grad_fn=_grad_fn, saves=(MASK, frozenset(), MASK), operands=(0, 2), lanes="masked_fill",
            doc=f"{_what.capitalize()} where the mask holds, else the operand. Operands: a, mask, value (no dimensions).")


def infer_masked_select(count: int, a: Spec, mask: Spec) -> tuple[tuple[int, ...], DType]:
    return (count,), a.dtype


def masked_select_forward(count: int, a: Any, mask: Any) -> Any:
    return a[mask]


def masked_select_pullback(F: Any, count: int, k: int, y_bar: Any, y: Any, a: Any, mask: Any) -> Any:
    return F.masked_scatter(F.zeros_like(a), mask, y_bar, None)


add_row("masked_select", infer_masked_select, masked_select_forward, masked_select_pullback, saves=(MASK,), operands=(0,), lanes="masked_select",
        doc="The elements where the mask holds, as a vector. Attributes: how many there are.")


def masked_scatter_forward(attributes: None, a: Any, mask: Any, source: Any) -> Any:
    out = a.copy()
    out[mask] = source
    return out


def masked_scatter_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any, mask: Any, source: Any) -> Any:
    if k == 0:
        return F.where(mask, 0, y_bar)
    return F.masked_select(y_bar, mask, source.shape[0])


add_row("masked_scatter", same_shape, masked_scatter_forward, masked_scatter_pullback, saves=(MASK, frozenset(), MASK), operands=(0, 2), lanes="masked_scatter",
        doc="The operand with the elements of a vector, one after the other, where the mask holds. Operands: a, mask, vector of as many elements.")
