"""What an array and a dtype nested Python data stand for: the rules of `tensor([[1, 2.5], [True, x]])`."""

from __future__ import annotations

import builtins
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.functions.composing import BOUNDS, read
from tapediff.tensor import Tensor

__all__ = ["array_of"]

TEXT = (str, bytes, bytearray)
MOST_DIMS = 64


def array_of(data: Any, dtype: DType | None) -> np.ndarray[Any, Any]:
    """The array, owned by nobody else, that Python numbers, nested sequences, arrays and tensors stand for; of the inferred
    dtype where `dtype` is None.

    Raises
        ValueError: sequences of different lengths, or an integer that int64 cannot hold.
        TypeError: text, or a sequence where a number was expected.
        RuntimeError: data of a type that is no number, or a number that the dtype cannot hold.
    """
    if isinstance(data, TEXT):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}': a tensor is made of numbers, got {data!r}")
    if isinstance(data, Tensor):
        data = read(data)
    elif not isinstance(data, np.ndarray | list | tuple | np.generic) and hasattr(data, "__array__"):
        data = np.asarray(data)
    if isinstance(data, np.ndarray):
        return converted(data, dtype or dtypes.from_numpy_dtype(data.dtype))
    shape, elements = flattened(data)
    dtype = dtype or inferred(elements)
    return stored(elements, dtype).reshape(shape)


def converted(array: np.ndarray[Any, Any], dtype: DType) -> np.ndarray[Any, Any]:
    """A copy of an array, in row-major order."""
    dtypes.from_numpy_dtype(array.dtype)
    with np.errstate(all="ignore"):
        return np.array(array, dtype.numpy, order="C", ndmin=0)


def is_sequence(data: Any) -> bool:
    """Whether data is taken apart; tensors and NumPy's scalars are elements."""
    if isinstance(data, list | tuple | range | np.ndarray):
        return not isinstance(data, np.ndarray) or data.ndim > 0
    return (
        not isinstance(data, Tensor | dict | np.ndarray | np.generic)
        and hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
    )


def flattened(data: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested sequences and their elements in order."""
    shape: list[int] = []
    first = data
    while is_sequence(first):
        if isinstance(first, str) or len(shape) == MOST_DIMS:
            raise ValueError(f"too many dimensions '{type(first).__name__}': a tensor is made of numbers")
        shape.append(len(first))
        if not shape[-1]:
            break
        first = first[0]
    level = [data]
    for dim, size in enumerate(shape):
        for each in level:
            if isinstance(each, TEXT):
                raise TypeError(f"new(): invalid data type '{type(each).__name__}': a tensor is made of numbers, got {each!r}")
            if not is_sequence(each):
                raise TypeError(f"not a sequence: expected a sequence of length {size} at dim {dim}, got {each!r}")
            if len(each) != size:
                raise ValueError(
                    f"expected sequence of length {size} at dim {dim} (got {len(each)}): all sequences of one depth must be "
                    "equally long"
                )
        level = list(chain.from_iterable(level))
    return tuple(shape), level


def inferred(elements: list[Any]) -> DType:
    """The smallest dtype that holds every element; of no elements the default one."""
    kinds = set(map(type, elements))
    found: DType | None = None
    for kind in kinds:
        if kind is Tensor:
            candidates = {element.spec.dtype for element in elements if type(element) is Tensor}
        else:
            candidates = {dtype_of_type(kind)}
        for dtype in candidates:
            found = dtype if found is None else dtypes.promote(found, dtype)
    return found or dtypes.get_default_dtype()


def dtype_of_type(kind: type) -> DType:
    """The dtype that elements of a Python type have."""
    if issubclass(kind, np.generic):
        return dtypes.from_numpy_dtype(np.dtype(kind))
    for number, dtype in ((builtins.bool, dtypes.bool_), (int, dtypes.int64), (float, dtypes.get_default_dtype())):
        if issubclass(kind, number):
            return dtype
    if issubclass(kind, TEXT):
        raise TypeError(f"new(): invalid data type '{kind.__name__}': a tensor is made of numbers")
    if issubclass(kind, complex):
        raise TypeError("Could not infer dtype of complex: complex tensors are not supported; use real and imaginary parts")
    if is_sequence_type(kind):
        raise TypeError(
            f"'{kind.__name__}' object cannot be interpreted as an integer: a sequence stands where a number was expected"
        )
    raise RuntimeError(
        f"Could not infer dtype of {kind.__name__}: a tensor is made of numbers, nested lists of numbers, or arrays"
    )


def is_sequence_type(kind: type) -> bool:
    """Whether objects of this type are taken apart."""
    return issubclass(kind, list | tuple | range | np.ndarray)


def stored(elements: list[Any], dtype: DType) -> np.ndarray[Any, Any]:
    """The elements as a vector of `dtype`."""
    kinds = set(map(type, elements))
    if not kinds <= {float, int, builtins.bool}:
        elements = [plain(element) for element in elements]
        kinds = set(map(type, elements))
    if dtype.category == 1:
        if float in kinds:
            for element in elements:
                if not isfinite(element):
                    raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: got {element}")
            elements = list(map(int, elements))
        low, high = BOUNDS[dtype]
        for extreme in (min(elements), max(elements)) if elements else ():
            if not low <= extreme <= high:
                if dtype is dtypes.int64:
                    raise ValueError(f"Overflow when unpacking long long: int64 holds {low} to {high}, got {extreme}")
                raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: got {extreme}")
    elif dtype.category == 0:
        elements = list(map(builtins.bool, elements))
    try:
        with np.errstate(over="ignore"):
            return np.array(elements, dtype.numpy)
    except OverflowError:
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: an integer is too large") from None


def plain(element: Any) -> Any:
    """An element as a Python number."""
    if isinstance(element, Tensor):
        if element.spec.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars: got one of shape {list(element.spec.shape)}; "
                "use stack to join tensors"
            )
        return element.item()
    if isinstance(element, np.generic):
        dtypes.from_numpy_dtype(element.dtype)
        return element.item()
    dtype_of_type(type(element))
    return float(element) if isinstance(element, float) else int(element)
