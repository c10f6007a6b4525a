"""Rows of the products: sums over one index of products of two operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__: list[str] = []


def infer_mm(attributes: None, a: Spec, b: Spec) -> tuple[tuple[int, ...], DType]:
    return (a.shape[0], b.shape[1]), a.dtype


def mm_forward(attributes: None, a: Any, b: Any) -> Any:
    return np.matmul(a, b)


def transposed(F: Any, a: Any) -> Any:
    """The transpose of a matrix."""
    rows, columns = a.shape
    return F.transpose(a, ((columns, rows), (1, columns), 0))


def mm_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    return F.mm(y_bar, transposed(F, b), None) if k == 0 else F.mm(transposed(F, a), y_bar, None)


add_row("mm", infer_mm, mm_forward, mm_pullback, saves=(frozenset({1}), frozenset({0})), kernel="mm", doc="The product of two matrices.")
