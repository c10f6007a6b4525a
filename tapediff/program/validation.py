"""Whether an operation that a file describes can be: shapes, dtypes and attributes as the recorder would have written them.

Compiled kernels and strided views read memory by what an operation says, so nothing of it is taken on trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.gather import ADDRESSINGS, addressing_of
from tapediff.ops.op import Elementwise
from tapediff.ops.structural import Structural
from tapediff.ops.views import VIEWS
from tapediff.shapes import broadcast, contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["check_operation"]

Shape = tuple[int, ...]
MOST_PLACES = 1 << 28
MOST_TRIED = 1 << 24  # elements of what is tried with NumPy


class Impossible(ValueError):
    """An operation that no recording gives."""


def need(condition: bool, what: str) -> None:
    """Refuse what is not so."""
    if not condition:
        raise Impossible(what)


def check_operation(row: Any, attributes: Any, operands: tuple[Spec, ...], spec: Spec, flows: int) -> None:
    """Refuse an operation that no recording gives.

    Raises
        ValueError: it is one; the message says why.
    """
    try:
        if isinstance(row, Elementwise):
            _check_elementwise(row, attributes, operands, spec)
            allowed = [partial is not None for partial in row.partials]
        else:
            _check_structural(row, attributes, operands, spec)
            allowed = [row.is_differentiable(position) for position in range(len(operands))]
    except Impossible:
        raise
    except Exception as error:  # rows raise PyTorch's errors, of many types
        raise Impossible(f"{type(error).__name__}: {error}") from None
    known = 0
    for position, (operand, is_allowed) in enumerate(zip(operands, allowed, strict=True)):
        if is_allowed and operand.dtype.is_floating_point and spec.dtype.is_floating_point:
            known |= 1 << min(position, 60)
    need(type(flows) is int and flows >= 0 and not flows & ~known, "gradients flow to an operand that has none")


def _check_elementwise(row: Elementwise, numbers: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    need(len(operands) == row.arity, f"{row.name} takes {row.arity} operands")
    need(type(numbers) is int and 0 <= numbers < 1 << row.arity, "which operands are numbers is no set of operands")
    first = 1 if row.name == "where" else 0
    dtype = operands[first].dtype
    need(all(operand.dtype is dtype for operand in operands[first:]), "operands of several dtypes")
    need(row.name != "where" or operands[0].dtype is dtypes.bool_, "the condition of where is no bool")
    kind = ("bool", "int", "float")[dtype.category]
    need(row.name == "cast" or kind in row.kinds, f"{row.name} has no meaning for {dtype.name}")
    need(row.result != "float" or dtype.is_floating_point, f"{row.name} takes floats")
    need(row.name == "cast" or spec.dtype is (dtypes.bool_ if row.result == "bool" else dtype), "the result has another dtype")
    need(all(operand.size == 1 or operand.shape == spec.shape for operand in operands), "an operand has another shape")
    shape: Shape = ()
    for operand in operands:
        shape = broadcast(shape, operand.shape)
    need(shape == spec.shape, "the result has another shape")


def _check_structural(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    check = _CHECKS.get("views" if row.name in VIEWS else row.kernel or row.lanes or "") or _CHECKS.get(row.name)
    if check is not None:
        check(row, attributes, operands, spec)
    shape, dtype = row.infer(attributes, *operands)
    need(tuple(shape) == spec.shape and dtype is spec.dtype, f"the result is {dtype.name}{list(shape)}")
    if check is None and row.lanes is not None and sum(part.size for part in (spec, *operands)) <= MOST_TRIED:
        _try_on_ones(row, attributes, operands, spec)


def _try_on_ones(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    """That NumPy can do it, which checks shapes and dimensions: kernels of rows in lanes trust them."""
    ones = [np.ones(operand.shape, operand.dtype.numpy) for operand in operands]
    with np.errstate(all="ignore"):
        try:
            found = np.asarray(row.forward(attributes, *ones))
        except (np.linalg.LinAlgError, ArithmeticError):  # ones are no good matrix, but they have its shape
            return
    need(found.shape == spec.shape, f"NumPy gives the shape {list(found.shape)}")


# --- what `infer` leaves to public functions ------------------------------------------------------------------------------------

def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, tuple) and all(type(number) is int and number >= 0 for number in numbers)


def _check_arrangement(attributes: Any, memory: int, shape: Shape) -> None:
    """That (shape, strides, offset) stays within `memory` elements."""
    _, strides, offset = attributes
    need(_are_sizes(strides) and len(strides) == len(shape) and _are_sizes((offset,)), "strides that are none")
    if 0 not in shape:
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        need(last < memory, f"a view reaches element {last} of {memory}")


def _check_view(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    (operand,) = operands
    need(_are_sizes(attributes[0]), "a shape that is none")
    if row.is_alias:
        need(prod(attributes[0]) == operand.size and attributes[2] == 0, "a view of other elements")
        need(operand.size == 0 or all(stride == wanted or size == 1 for size, stride, wanted in zip(
            attributes[0], attributes[1], contiguous_strides(attributes[0]), strict=True)), "a view of elements in another order")
    _check_arrangement(attributes, operand.size, attributes[0])


def _check_strided_sum(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    need(_are_sizes(attributes[0]), "a shape that is none")
    _check_arrangement(attributes, prod(attributes[0]), operands[0].shape)


def _check_write(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    base, value = operands
    need(_are_sizes(attributes[0]) and value.dtype is base.dtype, "a write of another dtype")
    need(broadcast(value.shape, attributes[0]) == attributes[0], "a write of another shape")
    _check_arrangement(attributes, base.size, attributes[0])


def _check_reduction(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    (operand,) = operands
    dims, keepdim = attributes
    need(_are_sizes(dims) and all(dim < operand.ndim for dim in dims), "dimensions that are none")
    need(sorted(set(dims)) == list(dims) and type(keepdim) is bool, "dimensions in no order")


def _check_softmax(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    (operand,) = operands
    need(type(attributes) is int and 0 <= attributes < max(operand.ndim, 1), "a dimension that is none")


_RANKS = {"mm": (2, 2), "addmm": (2, 2), "bmm": (3, 3), "baddbmm": (3, 3), "mv": (2, 1), "dot": (1, 1), "vdot": (1, 1)}


def _check_product(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    need(len(operands) == (3 if row.kernel == "affine" else 2), "another number of operands")
    need(all(operand.dtype is spec.dtype for operand in operands), "operands of several dtypes")
    turned = attributes[2] if row.kernel == "affine" else attributes
    need(turned is None or type(turned) is bool or (isinstance(turned, tuple) and len(turned) == 2), "transposes that are none")
    left, right = turned if isinstance(turned, tuple) else (bool(turned), False)
    a, b = (operand.shape for operand in operands[-2:])
    need((len(a), len(b)) == _RANKS[row.name] and type(left) is bool and type(right) is bool, "factors of other dimensions")
    a = a if len(a) > 1 else (1, *a)
    b = b if len(b) > 1 else (*b, 1)
    a, b = (1,) * (3 - len(a)) + a, (1,) * (3 - len(b)) + b
    stacks = max(a[0], b[0]) if a[0] and b[0] else 0
    need(a[2 - left] == b[1 + right], "inner sizes differ")
    need(a[0] in (1, stacks) and b[0] in (1, stacks), "numbers of matrices differ")
    need(spec.size == stacks * a[1 + left] * b[2 - right], "the result has another size")
    if row.kernel == "affine":
        need(all(type(number) in (int, float, bool) for number in attributes[:2]), "factors that are no numbers")
        need(broadcast(operands[0].shape, spec.shape) == spec.shape, "the input does not broadcast")


def _check_nll(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    reduction, ignored, shape = attributes
    scores, classes = operands[:2]
    need(reduction in ("none", "sum", "mean") and type(ignored) is int and abs(ignored) < 1 << 63, "a reduction that is none")
    need(shape == scores.shape and len(operands) in (2, 3) and classes.shape == (shape[:1] + shape[2:] if len(shape) > 1 else ()),
         "classes of another shape")


def _check_places(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    """That indices of 0 name places of the base, as many as are read or written."""
    if row.lanes == "is_last_write":
        name, address, base = attributes
        where, first, count = ADDRESSINGS[name], 0, spec.size
        need(_are_sizes(base), "a base of no shape")
    else:
        where, base = addressing_of(row), operands[0].shape
        first = 1 if row.lanes == "reads" else 2
        address = attributes[0] if row.lanes == "writes" else attributes
        count = spec.size if row.lanes == "reads" else operands[1].size
        need(all(operand.dtype is spec.dtype for operand in operands[:first]), "values of another dtype")
        need(row.lanes != "writes" or type(attributes[1]) is bool, "neither writing nor adding")
    indices = operands[first:]
    need(len(operands) > first, "no indices")
    need(all(index.dtype is dtypes.int64 for index in indices), "indices of another dtype")
    need(all(number >= 0 for number in _numbers_in(address)), "dimensions that are none")
    need(max(spec.size, *(index.size for index in indices)) <= MOST_PLACES, f"more than {MOST_PLACES} places")
    places = where.places(address, base, *(np.zeros(index.shape, np.int64) for index in indices))
    need(row.lanes == "fills" or places.size == count, f"{count} values for {places.size} places")
    need(not places.size or (places.min() >= 0 and places.max() < prod(base)), "places outside of the base")
    need(row.lanes != "fills" or operands[1].size == 1, "several values to fill with")


def _numbers_in(attributes: Any) -> Iterator[int]:
    """The numbers of nested tuples."""
    if isinstance(attributes, tuple):
        for part in attributes:
            yield from _numbers_in(part)
    elif attributes is not None:
        need(isinstance(attributes, int), "dimensions that are no numbers")
        yield attributes


def _check_mask(row: Structural, attributes: Any, operands: tuple[Spec, ...], spec: Spec) -> None:
    a, mask, *others = operands
    need(mask.dtype is dtypes.bool_ and mask.shape == a.shape, "a mask of another shape")
    need(all(other.dtype is a.dtype for other in others), "values of another dtype")
    need(row.lanes != "masked_fill" or [other.size for other in others] == [1], "several values to fill with")
    need(row.lanes != "masked_scatter" or [other.ndim for other in others] == [1], "no vector of values")
    if row.lanes == "masked_select":
        need(type(attributes) is int and 0 <= attributes <= a.size and not others, "more elements than there are")


_CHECKS = {
    "views": _check_view, "strided": _check_view, "strided_sum": _check_strided_sum, "strided_write": _check_write,
    "sum": _check_reduction, "mean": _check_reduction, "softmax": _check_softmax, "product": _check_product,
    "affine": _check_product, "nll_loss": _check_nll, "reads": _check_places, "writes": _check_places, "fills": _check_places,
    "is_last_write": _check_places, "masked_fill": _check_mask, "masked_select": _check_mask, "masked_scatter": _check_mask,
}


def checked_spec(shape: Any, dtype: Any) -> tuple[Shape, DType]:
    """The shape and dtype of a spec in a file.

    Raises
        ValueError: they are none.
    """
    names = {known.name: known for known in dtypes.ALL}
    need(isinstance(shape, list) and _are_sizes(tuple(shape)) and dtype in names, f"{dtype}{shape} is no shape and dtype")
    need(len(shape) <= 64 and prod(max(size, 1) for size in shape) < 1 << 48, f"an array of shape {shape}")
    return tuple(shape), names[dtype]
