"""Rows of the ops that replace some elements by numbers, more of them than a formula has operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.ops.structural import add_row, same_shape

__all__: list[str] = []


def nan_to_numbers_forward(attributes: tuple[float, float, float], a: Any) -> Any:
    nan, posinf, neginf = attributes
    return np.nan_to_num(a, nan=nan, posinf=posinf, neginf=neginf)


def nan_to_numbers_pullback(F: Any, attributes: tuple[float, float, float], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.where(F.isfinite(a), y_bar, F.zeros_like(y_bar))


add_row("nan_to_numbers", same_shape, nan_to_numbers_forward, nan_to_numbers_pullback, saves=(frozenset({0}),), lanes="nan_to_numbers", grad_fn="NanToNumBackward0",
        doc="Each nan, inf and -inf replaced by one of the attributes (nan, posinf, neginf).")
