"""Joining: several tensors into one, and grids of all pairs."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from tapediff.functions.composing import expanded, flattened, integer, leaf, promoted, reshaped, tensors_of
from tapediff.functions.gather import index_select
from tapediff.functions.registry import function
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import Shape, broadcast_all, contiguous_strides, normalize_dim
from tapediff.tensor import Tensor

__all__ = ["cartesian_prod", "cat", "column_stack", "combinations", "dstack", "hstack", "meshgrid", "stack", "vstack"]

EMPTY = (0,)


@function("cat", "concat", "concatenate", method=False)
def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """The tensors behind each other along `dim`; all other sizes are equal. dtypes promote; an empty vector may join anything.

    >>> import tapediff as td
    >>> td.cat([td.tensor([[1., 2.]]), td.tensor([[3., 4.]])], dim=1)
    tensor([[1., 2., 3., 4.]])
    """
    given = tensors_of(tensors, "cat")
    dim = integer(dim if axis is None else axis, "cat", "dim", 2)
    if not given:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for position, tensor in enumerate(given):
        if not tensor.spec.ndim:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated: use stack for tensors without "
                "dimensions"
            )
    lead = next((tensor.spec.shape for tensor in given if tensor.spec.shape != EMPTY), EMPTY)
    dim = normalize_dim(dim, len(lead))
    starts = [0]
    for position, tensor in enumerate(given):
        shape = tensor.spec.shape
        if shape != EMPTY:
            check_joint(lead, shape, dim, position)
        starts.append(starts[-1] + (0 if shape == EMPTY else shape[dim]))
    return structural(STRUCTURAL["cat"], (dim, tuple(starts)), *promoted(given))


def check_joint(lead: Shape, shape: Shape, dim: int, position: int) -> None:
    """Refuse a tensor that does not fit behind the first one."""
    if len(shape) != len(lead):
        raise RuntimeError(
            f"Tensors must have same number of dimensions: got {len(lead)} and {len(shape)}, shapes {list(lead)} and "
            f"{list(shape)}"
        )
    for other, (wanted, size) in enumerate(zip(lead, shape, strict=True)):
        if other != dim and wanted != size:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {wanted} but got size {size} for tensor "
                "number "
                f"{position} in the list. (The offending index is {other}; shapes {list(lead)} and {list(shape)})"
            )


@function(method=False)
def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """The tensors, all of one shape, behind each other along a new dimension `dim`.

    >>> import tapediff as td
    >>> td.stack([td.tensor(1.), td.tensor(2.)])
    tensor([1., 2.])
    """
    given = tensors_of(tensors, "stack")
    dim = integer(dim if axis is None else axis, "stack", "dim", 2)
    if not given:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = given[0].spec.shape
    dim = normalize_dim(dim, len(shape) + 1)
    for position, tensor in enumerate(given):
        if tensor.spec.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and {list(tensor.spec.shape)} "
                f"at entry {position}"
            )
    return structural(STRUCTURAL["stack"], dim, *promoted(given))


def filled(tensors: Any, name: str) -> tuple[Tensor, ...]:
    """The tensors of a list that must not be empty."""
    given = tensors_of(tensors, name)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return given


@function(method=False)
def hstack(tensors: Any) -> Tensor:
    """The tensors beside each other: along the second dimension, or the only one.

    >>> import tapediff as td
    >>> td.hstack([td.tensor([1, 2]), td.tensor([3])])
    tensor([1, 2, 3])
    """
    given = [flattened(tensor) if not tensor.spec.ndim else tensor for tensor in filled(tensors, "hstack")]
    return cat(given, 0 if given[0].spec.ndim == 1 else 1)


@function("vstack", "row_stack", method=False)
def vstack(tensors: Any) -> Tensor:
    """The tensors below each other; a vector is one row.

    >>> import tapediff as td
    >>> td.vstack([td.tensor([1, 2]), td.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([as_row(tensor) for tensor in filled(tensors, "vstack")], 0)


def as_row(tensor: Tensor) -> Tensor:
    """At least two dimensions, new ones in front."""
    if tensor.spec.ndim > 1:
        return tensor
    return unsqueezed(tensor, (1, tensor.spec.size))


def unsqueezed(tensor: Tensor, shape: Shape) -> Tensor:
    """The same elements with more dimensions of size 1."""
    made: Tensor = structural(STRUCTURAL["unsqueeze"], (shape, contiguous_strides(shape), 0), tensor)
    return made


@function(method=False)
def dstack(tensors: Any) -> Tensor:
    """The tensors behind each other along the third dimension.

    >>> import tapediff as td
    >>> td.dstack([td.tensor([1, 2]), td.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat([as_layer(tensor) for tensor in filled(tensors, "dstack")], 2)


def as_layer(tensor: Tensor) -> Tensor:
    """At least three dimensions: (1, n, 1) of a vector, (n, m, 1) of a matrix."""
    shape = tensor.spec.shape
    if len(shape) > 2:
        return tensor
    return unsqueezed(tensor, (*shape, 1) if len(shape) == 2 else (1, tensor.spec.size, 1))


@function(method=False)
def column_stack(tensors: Any) -> Tensor:
    """The tensors beside each other; a vector is one column.

    >>> import tapediff as td
    >>> td.column_stack([td.tensor([1, 2]), td.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    given = filled(tensors, "column_stack")
    return cat([tensor if tensor.spec.ndim > 1 else reshaped(tensor, (tensor.spec.size, 1)) for tensor in given], 1)


@function(method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """For each vector a grid in which it runs along its own dimension; with `indexing="xy"` the first two dimensions are
    exchanged.

    >>> import tapediff as td
    >>> td.meshgrid(td.tensor([1, 2]), td.tensor([3, 4]), indexing="ij")[0]
    tensor([[1, 1],
            [2, 2]])
    """
    given = filled(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors, "meshgrid")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument. Pass indexing='ij' for "
            "what is done now.",
            UserWarning,
            stacklevel=2,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for position, tensor in enumerate(given):
        if tensor.spec.ndim > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got a tensor of shape "
                f"{list(tensor.spec.shape)} at position "
                f"{position}"
            )
        if tensor.spec.dtype is not given[0].spec.dtype:
            raise RuntimeError(
                f"meshgrid expects all tensors to have the same dtype, but got {given[0].spec.dtype} and {tensor.spec.dtype}: "
                "cast one of them"
            )
    places = list(range(len(given)))
    if indexing == "xy":
        places[:2] = reversed(places[:2])
    vectors = []
    for tensor, place in zip(given, places, strict=True):
        shape = [1] * len(given)
        shape[place] = tensor.spec.size
        vectors.append(reshaped(tensor, tuple(shape)))
    grid = broadcast_all(vector.spec.shape for vector in vectors)
    return tuple(expanded(vector, grid) for vector in vectors)


@function(method=False)
def cartesian_prod(*tensors: Any) -> Tensor:
    """All ways to take one element of each vector, one way a row.

    >>> import tapediff as td
    >>> td.cartesian_prod(td.tensor([1, 2]), td.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    given = tensors_of(tensors, "cartesian_prod")
    for tensor in given:
        if tensor.spec.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(tensor.spec.shape)}")
    if len(given) == 1:
        return given[0]
    return stack([flattened(grid) for grid in meshgrid(*given, indexing="ij")], 1)


@function()
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All ways to take `r` elements of a vector in its order, one way a row.

    >>> import tapediff as td
    >>> td.combinations(td.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    shape = input.spec.shape
    if len(shape) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(shape[0]), r))
    if not r:
        return leaf(np.empty(EMPTY, input.spec.dtype.numpy))
    chosen = index_select(input, 0, leaf(np.array([place for row in rows for place in row], np.int64)))
    return reshaped(chosen, (len(rows), r))
