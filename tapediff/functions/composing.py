"""Steps from which functions are composed: new shapes and ranges, recorded without becoming views of anything."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from tapediff import dtypes, recording
from tapediff.dtypes import DType
from tapediff.functions.registry import check_tensor
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import Shape, contiguous_strides
from tapediff.tape.source import Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_source

__all__ = [
    "checked",
    "corner",
    "element",
    "element_tensor",
    "expanded",
    "flattened",
    "integer",
    "leaf",
    "number",
    "promoted",
    "read",
    "reshaped",
    "tensors_of",
]

C_NAMES = {"bool": "bool", "int32": "int", "int64": "int64_t", "float32": "float", "float64": "double"}
BOUNDS = {
    dtypes.int32: (-(2**31), 2**31 - 1),
    dtypes.int64: (-(2**63), 2**63 - 1),
    dtypes.float32: (-3.4028235677973362e38, 3.4028235677973362e38),
}


def read(tensor: Tensor) -> Any:
    """The value of a tensor now, as an array that must not be written; what is recorded depends on it."""
    return tensor._array()


def leaf(array: Any, requires_grad: bool = False) -> Tensor:
    """A leaf tensor that owns an array of one of the five dtypes; a copy is made only where the memory is not in order."""
    dtype = dtypes.from_numpy_dtype(array.dtype)
    spec = spec_of(array.shape, dtype, requires_grad)
    if not array.ndim:
        return of_source(Source(spec, array.item()))
    return of_source(Source(spec, array=np.ascontiguousarray(array)))


def reshaped(tensor: Tensor, shape: Shape) -> Tensor:
    """The same elements under another shape."""
    if tensor.spec.shape == shape:
        return tensor
    made: Tensor = structural(STRUCTURAL["view"], (shape, contiguous_strides(shape), 0), tensor)
    return made


def flattened(tensor: Tensor) -> Tensor:
    """The elements as a vector."""
    return reshaped(tensor, (tensor.spec.size,))


def corner(tensor: Tensor, shape: Shape) -> Tensor:
    """The elements within `shape`, counted from the front in each dimension."""
    if tensor.spec.shape == shape:
        return tensor
    made: Tensor = structural(STRUCTURAL["slice"], (shape, contiguous_strides(tensor.spec.shape), 0), tensor)
    return made


def expanded(tensor: Tensor, shape: Shape) -> Tensor:
    """The elements repeated to a shape that they broadcast to."""
    made: Tensor = tensor if tensor.spec.shape == shape else recording.expand(tensor, shape)
    return made


def promoted(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors cast to the dtype that holds all of them."""
    dtype = recording.result_dtype(tuple(tensors))
    return [recording.cast(tensor, dtype) for tensor in tensors]


def tensors_of(value: Any, name: str, argument: str = "tensors") -> tuple[Tensor, ...]:
    """A tuple or list of tensors.

    Raises
        TypeError: value is no tuple or list, or not all of its elements are tensors.
    """
    if not isinstance(value, tuple | list):
        raise TypeError(
            f"{name}(): argument '{argument}' (position 1) must be tuple of Tensors, not {type(value).__name__}: put the "
            "tensors in a list"
        )
    for position, each in enumerate(value):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"expected Tensor as element {position} in argument 0, but got {type(each).__name__}: {name} takes tensors only"
            )
    return tuple(value)


def integer(value: Any, name: str, argument: str, position: int) -> int:
    """A Python integer.

    Raises
        TypeError: value is no integer.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name}(): argument '{argument}' (position {position}) must be int, not {type(value).__name__}"
        ) from None


def element(value: float, dtype: DType, name: str) -> float:
    """A Python number as an element of `dtype`; fractions are cut off for integers.

    Raises
        RuntimeError: the dtype cannot hold it.
    """
    if dtype is dtypes.bool_:
        return bool(value)
    low, high = BOUNDS.get(dtype, (-inf, inf))
    try:
        number = int(value) if dtype.category == 1 else float(value)
    except (OverflowError, ValueError):
        number = None
    if number is None or not (low <= number <= high or number != number or (dtype.category == 2 and abs(number) == inf)):
        raise RuntimeError(
            f"value cannot be converted to type {C_NAMES[dtype.name]} without overflow: {name} got {value!r} for a "
            f"{dtype.name} tensor"
        )
    return number


def element_tensor(value: Any, dtype: DType, name: str, argument: str = "value") -> Tensor:
    """A number, or a tensor without dimensions, as a tensor without dimensions of `dtype`.

    Raises
        TypeError: value is neither.
        RuntimeError: a tensor with dimensions, or a number that the dtype cannot hold.
    """
    if isinstance(value, Tensor):
        if value.spec.ndim:
            raise RuntimeError(
                f"{name} only supports a 0-dimensional {argument} tensor, but got tensor with {value.spec.ndim} dimension(s)."
            )
        made: Tensor = recording.cast(value, dtype)
        return made
    return of_source(Source(spec_of((), dtype, False), element(number(value, name, argument), dtype, name)))


def number(value: Any, name: str, argument: str, position: int | None = None) -> Any:
    """A Python number; NumPy's scalars become one.

    Raises
        TypeError: value is none.
    """
    if isinstance(value, int | float):
        return value
    item = getattr(value, "item", None)
    found = item() if item is not None and getattr(value, "shape", None) == () else None
    if not isinstance(found, int | float):
        where = "" if position is None else f" (position {position})"
        raise TypeError(f"{name}(): argument '{argument}'{where} must be Number, not {type(value).__name__}")
    return found


def checked(tensor: Any, name: str, argument: str = "input", position: int = 1) -> Shape:
    """The shape of a tensor argument.

    Raises
        TypeError: it is no tensor.
    """
    check_tensor(tensor, name, argument, position)
    shape: Shape = tensor.spec.shape
    return shape
