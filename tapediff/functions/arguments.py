"""How reductions read their arguments: NumPy's names beside PyTorch's, dims that are ints or tuples of ints, dtypes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.recording import cast
from tapediff.shapes import normalize_dim, normalize_dims
from tapediff.tensor import Tensor

__all__ = ["all_dims", "converted", "need_elements", "numpy_names", "one_dim", "several_dims", "summable"]

Function = TypeVar("Function", bound=Callable[..., Any])
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: Function) -> Function:
    """Let a function take `axis` for `dim` and `keepdims` for `keepdim`, as PyTorch does."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if named and not named.keys().isdisjoint(NUMPY_NAMES):
            for given, name in NUMPY_NAMES.items():
                if given in named:
                    if name in named:
                        raise TypeError(f"{function.__name__}() got both '{name}' and '{given}', which mean the same: pass one")
                    named[name] = named.pop(given)
        return function(*arguments, **named)

    return call  # type: ignore[return-value]


def all_dims(input: Tensor) -> tuple[int, ...]:
    """Every dimension of a tensor."""
    return tuple(range(input.spec.ndim))


def one_dim(dim: Any, input: Tensor, name: str) -> int:
    """A dimension counted from the front.

    Raises
        TypeError: it is no int.
        IndexError: there is no such dimension.
    """
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}; "
                        f"{name}() received an invalid combination of arguments")
    return normalize_dim(dim, input.spec.ndim)


def several_dims(dim: Any, input: Tensor, name: str) -> tuple[int, ...]:
    """Dimensions counted from the front and sorted; None and () mean all of them.

    Raises
        TypeError: what was given is neither an int nor a tuple of ints.
        IndexError: there is no such dimension.
        RuntimeError: a dimension is named twice.
    """
    if type(dim) is int and 0 <= dim < input.spec.ndim:
        return (dim,)
    if dim is not None:
        for one in dim if isinstance(dim, tuple | list) else (dim,):
            if isinstance(one, bool) or not hasattr(one, "__index__"):
                raise TypeError(f"{name}() received an invalid combination of arguments - got ({type(one).__name__}): "
                                "dim must be an int or a tuple of ints")
    return normalize_dims(dim, input.spec.ndim)


def converted(input: Tensor, dtype: Any) -> Tensor:
    """The operand as `dtype`, or as it is where that is None."""
    if dtype is None:
        return input
    made: Tensor = cast(input, dtypes.parse(dtype))
    return made


def summable(input: Tensor, dtype: Any) -> Tensor:
    """The operand as `dtype`; without one, integers and bools as int64, as they add up and multiply."""
    wished: DType | None = dtype
    if dtype is None and not input.spec.dtype.is_floating_point:
        wished = dtypes.int64
    return converted(input, wished)


def need_elements(input: Tensor, dims: tuple[int, ...], dim: Any, name: str, error: type[Exception] = RuntimeError) -> None:
    """Refuse to look for an extremum among no elements.

    Raises
        RuntimeError, IndexError: nothing to choose from.
    """
    spec = input.spec
    if spec.size:
        return
    if dim is None or dim == () or dim == []:
        raise error(f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                    "Specify the reduction dim with the 'dim' argument.")
    for one in dims:
        if spec.shape[one] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {one} to have non-zero size, got shape {list(spec.shape)}")
