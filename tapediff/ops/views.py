"""Rows of the ops that show an operand's elements in another arrangement: views, and the sums and copies that transpose them.

Attributes of a view: (shape, strides, offset) in elements of the contiguous operand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import STRUCTURAL, add_row, same_shape
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["VIEWS"]

Shape = tuple[int, ...]


def strided(array: np.ndarray[Any, Any], shape: Shape, strides: Shape, offset: int) -> np.ndarray[Any, Any]:
    """The elements of a contiguous array in another arrangement, sharing its memory."""
    item = array.itemsize
    flat = array.reshape(-1)
    if 0 in shape:
        return np.empty(shape, array.dtype)
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, [stride * item for stride in strides])


def infer_view(attributes: tuple[Shape, Shape, int], spec: Spec) -> tuple[Shape, DType]:
    return attributes[0], spec.dtype


def view_forward(attributes: tuple[Shape, Shape, int], a: Any) -> Any:
    return strided(a, *attributes)


def view_pullback(F: Any, attributes: tuple[Shape, Shape, int], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.strided_sum(y_bar, (tuple(a.shape), *attributes[1:]))


def alias_pullback(F: Any, attributes: tuple[Shape, Shape, int], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    shape = tuple(a.shape)
    return F.view(y_bar, (shape, contiguous_strides(shape), 0))


def infer_strided_sum(attributes: tuple[Shape, Shape, int], spec: Spec) -> tuple[Shape, DType]:
    return attributes[0], spec.dtype


def strided_sum_forward(attributes: tuple[Shape, Shape, int], a: Any) -> Any:
    shape, strides, offset = attributes
    out = np.zeros(shape, a.dtype)
    if a.size == 0:
        return out
    if 0 in strides:
        repeated = tuple(dim for dim, stride in enumerate(strides) if stride == 0)
        a = a.sum(axis=repeated, keepdims=True)
    if overlaps(a.shape, strides):
        places = strided(np.arange(out.size), a.shape, strides, offset)
        np.add.at(out.reshape(-1), places, a)
    else:
        target = strided(out, a.shape, strides, offset)
        target += a
    return out


def overlaps(shape: Shape, strides: Shape) -> bool:
    """Whether a view may take an element twice."""
    reach = 0
    for stride, size in sorted((abs(stride), size) for size, stride in zip(shape, strides, strict=True) if size > 1):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


def strided_sum_pullback(F: Any, attributes: tuple[Shape, Shape, int], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.as_strided(y_bar, (tuple(a.shape), *attributes[1:]))


add_row("strided_sum", infer_strided_sum, strided_sum_forward, strided_sum_pullback, grad_fn="AsStridedBackward0", saves=(frozenset(),), lanes="strided_sum",
        doc="The transpose of a view: every element of the operand is added to the place that the view takes it from. Attributes: (shape, strides, offset).")


def infer_write(attributes: tuple[Shape, Shape, int], base: Spec, value: Spec) -> tuple[Shape, DType]:
    return base.shape, base.dtype


def write_forward(attributes: tuple[Shape, Shape, int], base: Any, value: Any) -> Any:
    out = base.copy()
    strided(out, *attributes)[...] = value
    return out


def write_pullback(F: Any, attributes: tuple[Shape, Shape, int], k: int, y_bar: Any, y: Any, base: Any, value: Any) -> Any:
    if k == 1:
        return F.as_strided(y_bar, attributes)
    return F.strided_write(y_bar, F.zeros_like(value), attributes)


add_row("strided_write", infer_write, write_forward, write_pullback, grad_fn="CopySlices", saves=(frozenset(), frozenset()), lanes="moves",
        doc="The base with the elements that a view shows replaced by a value. Attributes: (shape, strides, offset).")


def view(name: str, grad_fn: str, doc: str, *, is_alias: bool = False) -> None:
    """Add one view op."""
    add_row(name, infer_view, view_forward, alias_pullback if is_alias else view_pullback, grad_fn=grad_fn, saves=(frozenset(),), is_alias=is_alias, is_view=True, kernel=None if is_alias else "strided",
            lanes="moves", doc=doc)


view("as_strided", "AsStridedBackward0", "The elements of the operand's memory in any arrangement.")
view("view", "ViewBackward0", "The same elements under another shape.", is_alias=True)
view("unsafe_view", "UnsafeViewBackward0", "The same elements under another shape, of a tensor that nobody else can name.", is_alias=True)
view("unsqueeze", "UnsqueezeBackward0", "The same elements with one more dimension of size 1.", is_alias=True)
view("squeeze", "SqueezeBackward0", "The same elements without the dimensions of size 1.", is_alias=True)
view("squeeze_dim", "SqueezeBackward1", "The same elements without one dimension of size 1.", is_alias=True)
view("squeeze_dims", "SqueezeBackward2", "The same elements without several dimensions of size 1.", is_alias=True)
view("alias", "AliasBackward0", "The operand itself.", is_alias=True)
view("expand", "ExpandBackward0", "Dimensions of size 1 repeated, without a copy.")
view("transpose", "TransposeBackward0", "Two dimensions exchanged.")
view("t", "TBackward0", "The transpose of a matrix.")
view("permute", "PermuteBackward0", "The dimensions in another order.")
view("select", "SelectBackward0", "One index of a dimension.")
view("slice", "SliceBackward0", "A range of a dimension.")
view("diagonal", "DiagonalBackward0", "The elements whose indices in two dimensions differ by an offset.")
view("unbind", "UnbindBackward0", "One of all the slices along a dimension.")
view("split", "SplitBackward0", "One of the pieces of equal size along a dimension.")
view("split_with_sizes", "SplitWithSizesBackward0", "One of the pieces of given sizes along a dimension.")
view("unfold", "UnfoldBackward0", "Windows that slide along a dimension.")


def clone_forward(attributes: None, a: Any) -> Any:
    return a


def clone_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return y_bar


add_row("clone", same_shape, clone_forward, clone_pullback, saves=(frozenset(),), lanes="moves", doc="A copy.")
view("broadcast", "ExpandBackward0", "What broadcasting repeats; PyTorch shows no node for it.")

VIEWS = tuple(name for name, row in STRUCTURAL.items() if row.infer is infer_view)
