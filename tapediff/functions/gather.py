"""Reading and writing at indices: gather, scatter, index_select, take, and the advanced indexing behind x[i, :, j]."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from tapediff import dtypes, recording
from tapediff.functions.composing import checked, corner, element_tensor, expanded, flattened, integer, reshaped
from tapediff.functions.indices import as_index, check_range, first_outside
from tapediff.functions.registry import function
from tapediff.functions.searching import nonzero_positions
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.gather import indexed_shape
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.shapes import Shape, broadcast, broadcast_all, normalize_dim
from tapediff.tensor import Tensor

__all__ = [
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_reduce",
    "index_select",
    "positions_of",
    "put",
    "read_index",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "take",
    "take_along_dim",
    "write_index",
]

INTEGER_INDEX = "Expected dtype int32/int64 for index"
LONG = (dtypes.int64,)


# --- along one dimension --------------------------------------------------------------------------------------------------------


@function()
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """The elements of `input` at `index` along `dim`: `out[i][j] = input[index[i][j]][j]` for dim 0. The result has the
    index's shape.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).gather(1, td.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    shape = checked(input, "gather")
    dim = normalize_dim(integer(dim, "gather", "dim", 2), len(shape))
    index = as_index(index, "gather", INTEGER_INDEX)
    if index.spec.size:
        check_dims(index.spec.shape, shape, "Index", "input")
        for other, (size, most) in enumerate(zip(index.spec.shape, shape)):
            if other != dim and size > most:
                raise RuntimeError(
                    f"Size does not match at dimension {other} expected index {list(index.spec.shape)} to be no larger than "
                    f"self {list(shape)} "
                    f"apart from dimension {dim}"
                )
        check_range(index, shape[dim] if shape else 1, dim)
    elif len(index.spec.shape) != len(shape):
        input, dim = flattened(input), 0
        index = reshaped(index, (0,))
    return structural(STRUCTURAL["gather"], dim, input, index)


def check_dims(shape: Shape, wanted: Shape, what: str, other: str) -> None:
    """Refuse an index with another number of dimensions; none counts as one."""
    if (len(shape) or 1) != (len(wanted) or 1):
        raise RuntimeError(
            f"{what} tensor must have the same number of dimensions as {other} tensor: got shapes {list(shape)} and "
            f"{list(wanted)}"
        )


@function()
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """`input` with the elements of `src`, or one number, written at `index` along `dim`: `out[index[i][j]][j] = src[i][j]` for
    dim 0.

    With `reduce="add"` or "multiply" the elements are combined with what is there. Where an index is named twice, the last
    write stays, and it alone has a
    gradient.

    >>> import tapediff as td
    >>> td.zeros(2, 3).scatter(1, td.tensor([[2], [0]]), 5.0)
    tensor([[0., 0., 5.],
            [5., 0., 0.]])
    """
    if (src is None) == (value is None):
        raise TypeError(
            "scatter() received an invalid combination of arguments - expected (Tensor input, int dim, Tensor index, Tensor "
            "src) or "
            "(Tensor input, int dim, Tensor index, Number value)"
        )
    source = src if src is not None else value
    dim, index = scatter_operands(input, dim, index, source, "scatter")
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply. Got {reduce!r}; use scatter_reduce for others")
        if not isinstance(source, Tensor):
            source = expanded(element_tensor(source, input.spec.dtype, "scatter", "value"), index.spec.shape)
        else:
            warnings.warn(
                "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch "
                "release. Use "
                "torch.scatter_reduce instead for more reduction options.",
                UserWarning,
                stacklevel=2,
            )
        source = corner(source, index.spec.shape)
        if reduce == "add":
            return structural(STRUCTURAL["scatter_add"], (dim, True), input, source, index)
        return structural(STRUCTURAL["scatter_reduce"], (dim, "prod", True), input, source, index)
    if isinstance(source, Tensor):
        return structural(STRUCTURAL["scatter"], (dim, False), input, corner(source, index.spec.shape), index)
    return structural(STRUCTURAL["scatter_value"], dim, input, element_tensor(source, input.spec.dtype, "scatter"), index)


@function()
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`input` with the elements of `src` added at `index` along `dim`; those with one index add up.

    >>> import tapediff as td
    >>> td.zeros(3).scatter_add(0, td.tensor([0, 0, 2]), td.tensor([1., 2., 3.]))
    tensor([3., 0., 3.])
    """
    checked(src, "scatter_add", "src", 4)
    dim, index = scatter_operands(input, dim, index, src, "scatter_add")
    return structural(STRUCTURAL["scatter_add"], (dim, True), input, corner(src, index.spec.shape), index)


@function()
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """`input` with the elements of `src` that have one index along `dim` folded into that place by "sum", "prod", "mean",
    "amax" or "amin".

    Without `include_self` the elements of `input` at places that are written do not take part.

    >>> import tapediff as td
    >>> td.zeros(2).scatter_reduce(0, td.tensor([0, 0, 1]), td.tensor([1., 3., 5.]), "amax")
    tensor([3., 5.])
    """
    checked(src, "scatter_reduce", "src", 4)
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    dim, index = scatter_operands(input, dim, index, src, "scatter_reduce")
    return structural(
        STRUCTURAL["scatter_reduce"], (dim, reduce, bool(include_self)), input, corner(src, index.spec.shape), index
    )


def scatter_operands(input: Tensor, dim: int, index: Tensor, source: Any, name: str) -> tuple[int, Tensor]:
    """The dim and the index of a scatter, once all its operands are found to fit together."""
    shape = checked(input, name)
    dim = normalize_dim(integer(dim, name, "dim", 2), len(shape))
    index = as_index(index, name, INTEGER_INDEX)
    of_index = index.spec.shape
    if isinstance(source, Tensor):
        if source.spec.dtype is not input.spec.dtype:
            raise RuntimeError(
                f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.spec.dtype} and {source.spec.dtype}: cast "
                "one of them"
            )
        if index.spec.size:
            check_dims(of_index, source.spec.shape, "Index", "src")
    if index.spec.size:
        check_dims(of_index, shape, "Index", "self")
        too_large = any(size > most for other, (size, most) in enumerate(zip(of_index, shape)) if other != dim)
        if isinstance(source, Tensor) and (too_large or any(size > most for size, most in zip(of_index, source.spec.shape))):
            raise RuntimeError(
                f"Expected index {list(of_index)} to be no larger than self {list(shape)} apart from dimension {dim} and to be "
                "no larger "
                f"size than src {list(source.spec.shape)}"
            )
        if too_large:
            raise RuntimeError(
                f"Expected index {list(of_index)} to be no larger than self {list(shape)} apart from dimension {dim}"
            )
        check_range(index, shape[dim] if shape else 1, dim)
        return dim, index
    return dim, reshaped(index, (0,) * len(shape)) if shape else index


@function()
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As `gather`, after broadcasting `input` and `indices` in all dimensions but `dim`; without `dim` both are flat. Fits the
    indices of argsort and argmax.

    >>> import tapediff as td
    >>> x = td.tensor([[3, 1, 2]])
    >>> x.take_along_dim(x.argsort(), dim=1)
    tensor([[1, 2, 3]])
    """
    shape = checked(input, "take_along_dim")
    checked(indices, "take_along_dim", "indices", 2)
    dtype = indices.spec.dtype
    if dtype is not dtypes.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {dtype.legacy}: convert it with .long()"
        )
    if dim is None:
        return gather(flattened(input), 0, flattened(indices))
    if len(shape) != indices.spec.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {len(shape)} "
            "dimensions for input, "
            f"and {indices.spec.ndim} dimensions for indices"
        )
    dim = normalize_dim(dim, len(shape))
    wide = broadcast((*shape[:dim], 1, *shape[dim + 1 :]), (*indices.spec.shape[:dim], 1, *indices.spec.shape[dim + 1 :]))
    return gather(
        expanded(input, wide[:dim] + shape[dim : dim + 1] + wide[dim + 1 :]),
        dim,
        expanded(indices, wide[:dim] + indices.spec.shape[dim : dim + 1] + wide[dim + 1 :]),
    )


# --- slices of one dimension ----------------------------------------------------------------------------------------------------


@function()
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `input` at the positions in the vector `index` along `dim`.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).index_select(0, td.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    shape = checked(input, "index_select")
    dim = normalize_dim(integer(dim, "index_select", "dim", 2), len(shape))
    index = as_index(index, "index_select", "Expected dtype int32 or int64 for index")
    if index.spec.ndim > 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, but its shape is {list(index.spec.shape)}")
    if not shape and index.spec.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.spec.size} value(s)")
    size = shape[dim] if shape else 1
    wrong = first_outside(index, 0, size)
    if wrong is not None:
        if len(shape) < 2:
            raise IndexError(f"index out of range in self: index_select got index {wrong} for dimension {dim} of size {size}")
        raise RuntimeError(
            f"INDICES element is out of DATA bounds, id={wrong} axis_dim={size}: index out of range in self, dimension {dim}"
        )
    return structural(STRUCTURAL["index_select"], dim, input, index)


@function()
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`input` with `alpha` times the slices of `source` added to its slices at the positions in the vector `index` along `dim`.

    >>> import tapediff as td
    >>> td.zeros(3).index_add(0, td.tensor([0, 0, 2]), td.ones(3), alpha=2)
    tensor([4., 0., 2.])
    """
    shape = checked(input, "index_add")
    dim = normalize_dim(integer(dim, "index_add", "dim", 2), len(shape))
    index = as_index(index, "index_add", "Expected dtype int32/int64 for index but got: {}")
    of_source = checked(source, "index_add", "source", 4)
    if index.spec.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index.spec.ndim} with type: Long and size: "
            f"{list(index.spec.shape)}"
        )
    if source.spec.dtype is not input.spec.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.spec.dtype.legacy}) and source ({source.spec.dtype.legacy}) must have the same scalar "
            "type"
        )
    count = of_source[dim] if len(of_source) > dim else 1
    if index.spec.size != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({index.spec.size}) should be equal to source.size(dim): ({count}), for dim: {dim}"
        )
    if len(of_source) != len(shape) or any(
        a != b for other, (a, b) in enumerate(zip(shape, of_source, strict=True)) if other != dim
    ):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(shape)} source.shape = {list(of_source)}"
        )
    size = shape[dim] if shape else 1
    wrong = first_outside(index, 0, size)
    if wrong is not None:
        if len(shape) < 2:
            raise IndexError(f"index out of range in self: index_add got index {wrong} for dimension {dim} of size {size}")
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}: index out of range in self")
    if alpha != 1:
        source = elementwise(ROWS["mul"], source, alpha)
    return structural(STRUCTURAL["index_add"], (dim, True), input, source, index)


@function()
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`input` with its slices at the positions in the vector `index` along `dim` replaced by the slices of `source`.

    >>> import tapediff as td
    >>> td.zeros(3).index_copy(0, td.tensor([2, 0]), td.tensor([1., 2.]))
    tensor([2., 0., 1.])
    """
    shape = checked(input, "index_copy")
    dim = normalize_dim(integer(dim, "index_copy", "dim", 2), len(shape))
    index = as_index(index, "index_copy_", "Expected a long tensor for index, but got {}", takes=LONG)
    of_source = checked(source, "index_copy", "source", 4)
    if index.spec.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.spec.ndim})")
    if not of_source and index.spec.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.spec.size})")
    if len(of_source) != len(shape) and of_source and shape:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality "
            f"({len(of_source)}), destination dimensionality ({len(shape)})"
        )
    if source.spec.dtype is not input.spec.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {input.spec.dtype.legacy} and "
            f"(source) {source.spec.dtype.legacy}"
        )
    rest, rest_of_source = shape[:dim] + shape[dim + 1 :], of_source[:dim] + of_source[dim + 1 :]
    if rest != rest_of_source:
        raise RuntimeError(
            f"index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: {list(rest)} at "
            f"dimension {dim} "
            f"and source slice shape: {list(rest_of_source)} at dimension {dim}."
        )
    if of_source and index.spec.size != of_source[dim]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.spec.size}) should be equal to source.size(dim) ({of_source[dim]})"
        )
    check_range(index, shape[dim] if shape else 1, dim, error=IndexError, prefix="index_copy_(): ")
    wanted = (*shape[:dim], index.spec.size, *shape[dim + 1 :]) if shape else ()
    return structural(STRUCTURAL["index_copy"], (dim, False), input, reshaped(source, wanted), index)


@function()
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """`input` with the slices of `source` that have one position in the vector `index` along `dim` folded into the slice there
    by "prod", "mean", "amax" or "amin".

    Without `include_self` the slices of `input` that are written do not take part.

    >>> import tapediff as td
    >>> td.ones(2).index_reduce(0, td.tensor([0, 0]), td.tensor([3., 5.]), "amax")
    tensor([5., 1.])
    """
    shape = checked(input, "index_reduce")
    of_source = checked(source, "index_reduce", "source", 4)
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = normalize_dim(integer(dim, "index_reduce", "dim", 2), len(shape))
    index = as_index(index, "index_reduce", "Expected dtype int32/int64 for index but got: {}")
    if index.spec.ndim > 1:
        raise RuntimeError("index_reduce(): Index is supposed to be a vector, but got dim: "
                           f"{index.spec.ndim} with type: Long and size: {list(index.spec.shape)}")
    if source.spec.dtype is not input.spec.dtype:
        raise RuntimeError(f"index_reduce(): self ({input.spec.dtype.legacy}) and source ({source.spec.dtype.legacy}) must have "
                           "the same scalar type")
    count = of_source[dim] if of_source else 1
    if index.spec.size != count:
        raise RuntimeError(f"index_reduce(): Number of indices ({index.spec.size}) should be equal to source.size(dim): "
                           f"({count}), for dim: {dim}")
    if shape[:dim] + shape[dim + 1:] != of_source[:dim] + of_source[dim + 1:]:
        raise RuntimeError(f"index_reduce(): source has shape {list(of_source)}, which differs from the shape {list(shape)} of "
                           f"self apart from dimension {dim}")
    check_range(index, shape[dim] if shape else 1, dim, prefix="index_reduce(): ")
    places = expanded(reshaped(index, (count, *(1 for _ in shape[dim + 1:]))) if shape else reshaped(index, ()), of_source)
    return structural(STRUCTURAL["scatter_reduce"], (dim, reduce, bool(include_self)), input, source, places)


@function()
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`input` with its slices at the positions in the vector `index` along `dim` filled with a number.

    >>> import tapediff as td
    >>> td.zeros(3).index_fill(0, td.tensor([0, -1]), 7.0)
    tensor([7., 0., 7.])
    """
    shape = checked(input, "index_fill")
    dim = normalize_dim(integer(dim, "index_fill", "dim", 2), len(shape))
    index = as_index(index, "index_fill_", "Expected dtype int64 for index.", takes=LONG, error=IndexError)
    if index.spec.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar: index_fill got one of shape {list(index.spec.shape)}")
    check_range(index, shape[dim] if shape else 1, dim, from_end=True, error=IndexError)
    row = "index_fill_tensor" if isinstance(value, Tensor) else "index_fill"
    return structural(STRUCTURAL[row], dim, input, element_tensor(value, input.spec.dtype, "index_fill_"), index)


# --- places of the flat tensor --------------------------------------------------------------------------------------------------


@function()
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at places of the flat `input`; negative ones count from the end. The result has the index's shape.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).take(td.tensor([0, -1]))
    tensor([1, 4])
    """
    checked(input, "take")
    index = as_index(index, "take", "Expected a long tensor for index, but got {}", position=2, takes=LONG)
    check_places(input, index, "take(): tried to take from an empty tensor")
    return structural(STRUCTURAL["take"], None, input, index)


@function()
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`input` with the elements at places of the flat tensor replaced by, or with `accumulate` increased by, those of `source`.

    >>> import tapediff as td
    >>> td.zeros(2, 2).put(td.tensor([0, 3]), td.tensor([1., 2.]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    checked(input, "put")
    index = as_index(index, "put_", "Expected a long tensor for index, but got {}", position=2, takes=LONG)
    checked(source, "put", "source", 3)
    if source.spec.dtype is not input.spec.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input.spec.dtype.legacy} and "
            "source.dtype = "
            f"{source.spec.dtype.legacy}"
        )
    if source.spec.size != index.spec.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.spec.size}, "
            f"index.numel() = {index.spec.size}"
        )
    check_places(input, index, "put_(): tried to put elements into an empty tensor")
    return structural(STRUCTURAL["put"], (None, bool(accumulate)), input, reshaped(source, index.spec.shape), index)


def check_places(input: Tensor, index: Tensor, of_empty: str) -> None:
    """Refuse places that the flat tensor does not have."""
    size = input.spec.size
    if not size and index.spec.size:
        raise IndexError(of_empty)
    wrong = first_outside(index, -size, size)
    if wrong is not None:
        raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {size} elements.")


# --- several dimensions at once -------------------------------------------------------------------------------------------------


def read_index(input: Tensor, dims: tuple[int, ...], indices: Sequence[Tensor]) -> Tensor:
    """The elements at positions given for the dimensions `dims` (ascending): what `x[i, :, j]` reads, with dims (0, 2) and
    indices (i, j).

    The indices are int64 or int32 tensors that broadcast together; negative positions count from the end. Their common shape
    takes the place of the dims
    where these are adjacent, and comes first where they are not.

    Raises
        IndexError: a position that does not exist, or indices that do not broadcast.

    >>> import tapediff as td
    >>> read_index(td.tensor([[1, 2], [3, 4]]), (0, 1), (td.tensor([0, 1]), td.tensor([1, 1])))
    tensor([2, 4])
    """
    return structural(STRUCTURAL["index"], dims, input, *joint_indices(input, dims, indices))


def write_index(
    input: Tensor, dims: tuple[int, ...], indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """`input` with the elements that `read_index` reads replaced by, or increased by, values that broadcast to them.

    Raises
        IndexError: a position that does not exist, or indices that do not broadcast.
        RuntimeError: values of another shape or dtype.

    >>> import tapediff as td
    >>> write_index(td.zeros(3), (0,), (td.tensor([0, 0]),), td.tensor([1., 2.]), accumulate=True)
    tensor([3., 0., 0.])
    """
    joint = joint_indices(input, dims, indices)
    wanted = indexed_shape(dims, input.spec.shape, *[index.spec.shape for index in joint])
    return structural(STRUCTURAL["index_put"], (dims, bool(accumulate)), input, fitting(values, wanted), *joint)


def joint_indices(input: Tensor, dims: tuple[int, ...], indices: Sequence[Tensor]) -> list[Tensor]:
    """The indices as int64, checked and broadcast together."""
    shapes = [index.spec.shape for index in indices]
    try:
        common = broadcast_all(shapes)
    except RuntimeError:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            f"{', '.join(str(list(shape)) for shape in shapes)}"
        ) from None
    joint = []
    for dim, index in zip(dims, indices, strict=True):
        if index.spec.dtype.category != 1:
            raise IndexError(
                f"tensors used as indices must be long, int, byte or bool tensors: got {index.spec.dtype} for dimension {dim}"
            )
        if 0 not in common:
            check_range(index, input.spec.shape[dim], dim, from_end=True, error=IndexError)
        joint.append(expanded(recording.cast(index, dtypes.int64), common))
    return joint


def fitting(values: Tensor, wanted: Shape) -> Tensor:
    """Values broadcast to the shape of what they replace; dimensions of size 1 in front may be too many."""
    given = values.spec.shape
    shape = given
    while len(shape) > len(wanted) and shape[0] == 1:
        shape = shape[1:]
    if len(shape) > len(wanted) or any(size not in (1, other) for size, other in zip(reversed(shape), reversed(wanted))):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(given)} cannot be broadcast to indexing result of shape {list(wanted)}"
        )
    return expanded(reshaped(values, shape), wanted)


@function()
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`input` with `input[indices]` replaced by, or with `accumulate` increased by, `values`; an index is an integer tensor, a
    mask or None for a whole dimension.

    >>> import tapediff as td
    >>> td.zeros(3).index_put((td.tensor([0, 2]),), td.tensor(5.0))
    tensor([5., 0., 5.])
    """
    shape = checked(input, "index_put")
    checked(values, "index_put", "values", 3)
    if values.spec.dtype is not input.spec.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.spec.dtype.legacy} for the destination and "
            f"{values.spec.dtype.legacy} for the source."
        )
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put(): argument 'indices' (position 2) must be tuple of Tensors, not {type(indices).__name__}")
    dims, positions = positions_of(indices, shape)
    if not dims:
        wanted = fitting(values, shape)
        made: Tensor = elementwise(ROWS["add"], input, wanted) if accumulate else structural(STRUCTURAL["clone"], None, wanted)
        return made
    return write_index(input, dims, positions, values, accumulate)


def positions_of(indices: Sequence[Any], shape: Shape) -> tuple[tuple[int, ...], list[Tensor]]:
    """The indexed dims and their integer indices: a mask counts for as many dims as it has, None leaves one out.

    Raises
        IndexError: more indices than dims, a mask of another shape, or an index of another dtype.
    """
    dims: list[int] = []
    positions: list[Tensor] = []
    at = 0
    used = sum(index.spec.ndim if isinstance(index, Tensor) and index.spec.dtype is dtypes.bool_ else 1 for index in indices)
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)} (got {used})")
    for place, index in enumerate(indices):
        if index is None:
            at += 1
            continue
        checked(index, "index_put", f"indices[{place}]", 2)
        if index.spec.dtype is not dtypes.bool_:
            dims.append(at)
            positions.append(index)
            at += 1
            continue
        covered = shape[at : at + index.spec.ndim]
        for offset, (size, wanted) in enumerate(zip(index.spec.shape, covered, strict=True)):
            if size != wanted:
                raise IndexError(
                    f"The shape of the mask {list(index.spec.shape)} at index {offset} does not match the shape of the indexed "
                    "tensor "
                    f"{list(shape)} at index {at + offset}"
                )
        dims.extend(range(at, at + index.spec.ndim))
        positions.extend(nonzero_positions(index))
        at += index.spec.ndim
    return tuple(dims), positions
