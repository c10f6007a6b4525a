"""Extrema: functions that find the largest and the smallest elements."""

from __future__ import annotations

from typing import Any

from tapediff import dtypes
from tapediff.functions.arguments import all_dims, need_elements, numpy_names, one_dim, several_dims
from tapediff.functions.registry import check_tensor, function
from tapediff.functions.return_types import ReturnType, return_type
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.tensor import Tensor

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min", "values_and_indices"]


def values_and_indices(name: str, row: str, input: Tensor, index: Tensor, attributes: tuple[int, bool]) -> ReturnType:
    """The named pair of the elements at indices and the indices."""
    return return_type(name, "values", "indices")((structural(STRUCTURAL[row], attributes, input, index), index))


# --- max and min ----------------------------------------------------------------------------------------------------------------

def extremum(name: str, input: Tensor, dim: Any, keepdim: Any, other: Any) -> Any:
    """The three forms of max and min: of two tensors, of all elements, along a dimension."""
    check_tensor(input, name)
    if isinstance(dim, Tensor) and other is None:
        dim, other = None, dim
        if keepdim is not None:
            raise TypeError(f"{name}(): argument 'dim' must be int, not Tensor; {name} of two tensors takes no keepdim")
    if other is not None:
        if dim is not None or not isinstance(other, Tensor):
            raise TypeError(f"{name}() received an invalid combination of arguments: expected {name}(input), "
                            f"{name}(input, dim, keepdim=False) or {name}(input, other) with a tensor")
        return elementwise(ROWS[f"{name}imum"], input, other)
    if dim is None:
        if keepdim is not None:
            raise TypeError(f"{name}() received an invalid combination of arguments: keepdim needs a dim; "
                            f"a{name}(keepdim=True) folds all dimensions")
        need_elements(input, (), None, name)
        return structural(STRUCTURAL[name], (all_dims(input), False), input)
    if isinstance(dim, bool | float | str | tuple | list):
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({type(dim).__name__}): "
                        f"dim must be one int; a{name} takes several")
    attributes = (one_dim(dim, input, name), bool(keepdim))
    need_elements(input, attributes[:1], dim, name)
    return values_and_indices(name, f"{name}_dim", input, structural(STRUCTURAL[f"arg{name}"], attributes, input), attributes)


@function()
@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool | None = None, *, other: Any = None) -> Any:
    """The largest of all elements; along `dim` a pair (values, indices); of two tensors their maximum.

    Of several largest elements, the gradient is shared evenly, or goes to the first one along `dim`. A nan counts as the largest.

    >>> import tapediff as td
    >>> x = td.tensor([[1., 5.], [4., 3.]])
    >>> x.max()
    tensor(5.)
    >>> x.max(dim=1)
    torch.return_types.max(
    values=tensor([5., 4.]),
    indices=tensor([1, 0]))
    """
    return extremum("max", input, dim, keepdim, other)


@function()
@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool | None = None, *, other: Any = None) -> Any:
    """The smallest of all elements; along `dim` a pair (values, indices); of two tensors their minimum. As `max`.

    >>> import tapediff as td
    >>> td.tensor([[1., 5.], [4., 3.]]).min(0).indices
    tensor([0, 1])
    """
    return extremum("min", input, dim, keepdim, other)


def shared_extremum(name: str, row: str, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """An extremum whose gradient is shared among equals."""
    check_tensor(input, name)
    dims = several_dims(dim, input, name)
    need_elements(input, dims, dim, name)
    return structural(STRUCTURAL[row], (dims, bool(keepdim)), input)


@function()
@numpy_names
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest element over the dimensions `dim`, without its index; equal elements share the gradient evenly.

    >>> import tapediff as td
    >>> td.tensor([[1., 5.], [4., 3.]]).amax(0)
    tensor([4., 5.])
    """
    return shared_extremum("amax", "amax", input, dim, keepdim)


@function()
@numpy_names
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest element over the dimensions `dim`, without its index; equal elements share the gradient evenly.

    >>> import tapediff as td
    >>> td.tensor([[1., 5.], [4., 3.]]).amin((0, 1), keepdim=True)
    tensor([[1.]])
    """
    return shared_extremum("amin", "amin", input, dim, keepdim)


@function()
@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> ReturnType:
    """The smallest and the largest element, of all or along one dimension.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2.]).aminmax()
    torch.return_types.aminmax(
    min=tensor(1.),
    max=tensor(3.))
    """
    check_tensor(input, "aminmax")
    if dim is None:
        if not input.spec.size:
            raise RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity: "
                               f"got shape {list(input.spec.shape)}")
        dims = all_dims(input)
    else:
        dims = several_dims(one_dim(dim, input, "aminmax"), input, "aminmax")
        need_elements(input, dims, dim, "aminmax")
    attributes = (dims, bool(keepdim))
    ends = [structural(STRUCTURAL[row], attributes, input) for row in ("aminmax_min", "aminmax_max")]
    return return_type("aminmax", "min", "max")(ends)


def index_of(name: str, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """The index of an extremum."""
    check_tensor(input, name)
    if input.spec.dtype is dtypes.bool_:
        raise RuntimeError(f"{name}(): does not support bool input; convert it first with .long()")
    at = None if dim is None else one_dim(dim, input, name)
    if at is None and not input.spec.size:
        raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
    need_elements(input, () if at is None else (at,), dim, name)
    return structural(STRUCTURAL[name], (at, bool(keepdim)), input)


@function()
@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, the first one of equals: in the flat tensor, or along `dim`.

    >>> import tapediff as td
    >>> td.tensor([[1., 5.], [4., 3.]]).argmax(), td.tensor([[1., 5.], [4., 3.]]).argmax(dim=0)
    (tensor(1), tensor([1, 0]))
    """
    return index_of("argmax", input, dim, keepdim)


@function()
@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, the first one of equals: in the flat tensor, or along `dim`.

    >>> import tapediff as td
    >>> td.tensor([[1., 5.], [4., 3.]]).argmin(dim=1, keepdim=True)
    tensor([[0],
            [1]])
    """
    return index_of("argmin", input, dim, keepdim)
