"""Views: functions that show a tensor's elements in another arrangement, sharing memory."""

from __future__ import annotations

import builtins
from itertools import pairwise
from math import prod
from typing import Any

from tapediff import dtypes, inplace
from tapediff.functions.registry import check_tensor, function, method
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import Size, broadcast_all, contiguous_strides, normalize_dim, parse_shape, resolve_reshape, viewable_strides
from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, of_array

__all__ = ["expand", "permute", "reshape", "select", "slice_dim", "transpose", "view"]

Shape = tuple[int, ...]


def show(name: str, tensor: Tensor, shape: Shape, strides: Shape, offset: int = 0) -> Tensor:
    """A view by the op called `name`."""
    return inplace.view(name, tensor, (shape, strides, offset))


def reshaped(name: str, tensor: Tensor, shape: Shape) -> Tensor:
    """The same elements under another shape, in order."""
    return inplace.view(name, tensor, (shape, contiguous_strides(shape), 0))


@function()
def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements under another shape; one size may be -1 and is worked out. A view where that is possible.

    >>> import tapediff as td
    >>> td.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    check_tensor(input, "reshape")
    new = resolve_reshape(parse_shape(sizes if shape is None else (shape,)), input.spec.size)
    if is_view(input) and viewable_strides(input.spec.shape, layout_of(input)[0], new) is None:
        if input.segment is SOURCE and (not input.spec.requires_grad or input.source.owner is None):
            return reshaped("unsafe_view", contiguous(input), new)
        # shows the input's slot and yet is no view of it
        return structural(STRUCTURAL["unsafe_view"], (new, contiguous_strides(new), 0), input)
    return reshaped("view", input, new)


@method("view")
def view(self: Tensor, *shape: Any) -> Tensor:
    """The same memory under another shape.

    Raises
        RuntimeError: the memory cannot be shown that way without a copy; use reshape.
    """
    if len(shape) == 1 and isinstance(shape[0], dtypes.DType):
        return _reinterpreted(self, shape[0])
    new = resolve_reshape(parse_shape(shape), self.spec.size)
    if is_view(self) and viewable_strides(self.spec.shape, layout_of(self)[0], new) is None:
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across "
                           "two contiguous subspaces). Use .reshape(...) instead.")
    return reshaped("view", self, new)


def _reinterpreted(self: Tensor, dtype: dtypes.DType) -> Tensor:
    """The memory read as another dtype of the same size."""
    if dtype is self.spec.dtype:
        return reshaped("alias", self, self.spec.shape)
    if self.spec.requires_grad:
        raise RuntimeError(f"view(dtype) got a tensor that requires grad, and the bits of a {self.spec.dtype} have no gradient: "
                           "use .detach() first")
    return of_array(inplace.memory(self).view(dtype.numpy))


@method("view_as", "reshape_as")
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements under the shape of `other`."""
    return reshape(self, other.spec.shape)


@function()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from start_dim to end_dim made one.

    >>> import tapediff as td
    >>> td.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    check_tensor(input, "flatten")
    shape = input.spec.shape
    first, last = normalize_dim(start_dim, len(shape)), normalize_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError(f"flatten() has invalid args: start_dim cannot come after end_dim: got {start_dim} and {end_dim}")
    if first == last and shape:
        return input
    return reshape(input, (*shape[:first], prod(shape[first:last + 1]), *shape[last + 1:]))


@function()
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    check_tensor(input, "ravel")
    return input if input.spec.ndim == 1 else reshape(input, (input.spec.size,))


@function()
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension split into several; one of `sizes` may be -1.

    >>> import tapediff as td
    >>> td.zeros(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    check_tensor(input, "unflatten")
    shape = input.spec.shape
    dim = normalize_dim(dim, len(shape))
    sizes = parse_shape((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if -1 not in sizes and prod(sizes) != shape[dim]:
        raise RuntimeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) "
                           "in the input tensor")
    return reshape(input, (*shape[:dim], *resolve_reshape(sizes, shape[dim]), *shape[dim + 1:]))


@function()
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1: all of them, or those named.

    >>> import tapediff as td
    >>> td.zeros(1, 3, 1).squeeze(0).shape
    torch.Size([3, 1])
    """
    check_tensor(input, "squeeze")
    shape = input.spec.shape
    if dim is None:
        return reshaped("squeeze", input, tuple(size for size in shape if size != 1))
    if isinstance(dim, tuple | list):
        dims = [normalize_dim(one, len(shape)) for one in dim]
        return reshaped("squeeze_dims", input, tuple(size for at, size in enumerate(shape) if size != 1 or at not in dims))
    dim = normalize_dim(dim, len(shape))
    return reshaped("squeeze_dim", input, tuple(size for at, size in enumerate(shape) if size != 1 or at != dim))


@function()
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With one more dimension of size 1 at `dim`.

    >>> import tapediff as td
    >>> td.zeros(3).unsqueeze(-1).shape
    torch.Size([3, 1])
    """
    check_tensor(input, "unsqueeze")
    shape = input.spec.shape
    dim = normalize_dim(dim, len(shape) + 1)
    return reshaped("unsqueeze", input, (*shape[:dim], 1, *shape[dim:]))


def permuted(name: str, input: Tensor, order: tuple[int, ...]) -> Tensor:
    """The dimensions in another order."""
    shape, strides = input.spec.shape, contiguous_strides(input.spec.shape)
    return show(name, input, tuple(shape[dim] for dim in order), tuple(strides[dim] for dim in order))


@function("transpose", "swapaxes", "swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).transpose(0, 1)
    tensor([[1, 3],
            [2, 4]])
    """
    check_tensor(input, "transpose")
    order = list(range(input.spec.ndim))
    first, second = normalize_dim(dim0, len(order)), normalize_dim(dim1, len(order))
    if order:
        order[first], order[second] = second, first
    return permuted("transpose", input, tuple(order))


@function()
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector is itself."""
    check_tensor(input, "t")
    if input.spec.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.spec.ndim}D")
    return permuted("t", input, tuple(reversed(range(input.spec.ndim))))


@function()
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The dimensions in the order `dims`.

    >>> import tapediff as td
    >>> td.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    check_tensor(input, "permute")
    wanted = parse_shape(order if dims is None else (dims,))
    if len(wanted) != input.spec.ndim:
        raise RuntimeError("permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
                           f"desired ordering of dimensions i.e. input.dim() = {input.spec.ndim} is not equal to len(dims) = "
                           f"{len(wanted)}")
    places = tuple(normalize_dim(dim, input.spec.ndim) for dim in wanted)
    if len(set(places)) != len(places):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permuted("permute", input, places)


@function("movedim", "moveaxis")
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places; the rest keep their order.

    >>> import tapediff as td
    >>> td.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    check_tensor(input, "movedim")
    ndim = input.spec.ndim
    sources = [normalize_dim(dim, ndim) for dim in (source if isinstance(source, tuple | list) else (source,))]
    targets = [normalize_dim(dim, ndim) for dim in (destination if isinstance(destination, tuple | list) else (destination,))]
    if len(sources) != len(targets):
        raise RuntimeError(f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the same "
                           f"number of dims as destination ({list(targets)} dims)")
    if len(set(sources)) < len(sources) or len(set(targets)) < len(targets):
        raise RuntimeError(f"movedim: repeated dim in {'source' if len(set(sources)) < len(sources) else 'destination'} "
                           f"({sources}, {targets})")
    order: list[int] = [-1] * ndim
    for old, new in zip(sources, targets, strict=True):
        order[new] = old
    rest = iter(dim for dim in range(ndim) if dim not in sources)
    return permuted("permute", input, tuple(next(rest) if dim < 0 else dim for dim in order))


@property  # type: ignore[misc]
def _T(self: Tensor) -> Tensor:
    """The dimensions in reverse order."""
    return permuted("permute", self, tuple(reversed(range(self.spec.ndim))))


@property  # type: ignore[misc]
def _mT(self: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if self.spec.ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.spec.ndim}-D tensor.")
    return transpose(self, -2, -1)


method("T", "H")(_T)
method("mT")(_mT)


@method("expand")
def expand(self: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Dimensions of size 1 repeated without a copy; -1 keeps a size.

    >>> import tapediff as td
    >>> td.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    new = parse_shape(sizes if size is None else (size,))
    shape = self.spec.shape
    missing = len(new) - len(shape)
    if missing < 0:
        raise RuntimeError(f"expand(torch.{self.dtype.legacy}Tensor{{{list(shape)}}}, size={list(new)}): the number of sizes "
                           f"provided ({len(new)}) must be greater or equal to the number of dimensions in the tensor "
                           f"({len(shape)})")
    strides = contiguous_strides(shape)
    out, steps = [], []
    for dim, size in enumerate(new):
        old = shape[dim - missing] if dim >= missing else 1
        if size == -1:
            if dim < missing:
                raise RuntimeError("The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension "
                                   f"{dim}")
            size = old
        if old != 1 and size != old:
            raise RuntimeError(f"The expanded size of the tensor ({size}) must match the existing size ({old}) at non-singleton "
                               f"dimension {dim}.  Target sizes: {list(new)}.  Tensor sizes: {list(shape)}")
        out.append(size)
        steps.append(0 if old == 1 or dim < missing else strides[dim - missing])
    return show("expand", self, tuple(out), tuple(steps))


@method("expand_as")
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Repeated to the shape of `other`."""
    return expand(self, other.spec.shape)


@function()
def broadcast_to(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Repeated to a shape.

    >>> import tapediff as td
    >>> td.broadcast_to(td.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    check_tensor(input, "broadcast_to")
    return expand(input, *sizes, size=size)


@function(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All repeated to the shape that they broadcast to."""
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        tensors = tuple(tensors[0])
    shape = broadcast_all(x.spec.shape for x in tensors)
    return tuple(expand(x, shape) for x in tensors)


@function(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that shapes broadcast to."""
    return Size(broadcast_all((shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes))


@function()
def select(input: Tensor, dim: int, index: int, *, op: str = "select") -> Tensor:
    """One index of a dimension, which goes away.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    check_tensor(input, "select")
    shape = input.spec.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, len(shape))
    index = index.__index__()
    size = shape[dim]
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    strides = contiguous_strides(shape)
    return show(op, input, shape[:dim] + shape[dim + 1:], strides[:dim] + strides[dim + 1:],
                (index + size if index < 0 else index) * strides[dim])


def slice_dim(input: Tensor, dim: int, start: int, stop: int, step: int = 1, *, op: str = "slice") -> Tensor:
    """The indices start, start + step, ... below stop of a dimension; start and stop lie within it."""
    shape, strides = input.spec.shape, contiguous_strides(input.spec.shape)
    count = max(0, -(-(stop - start) // step))
    return show(op, input, (*shape[:dim], count, *shape[dim + 1:]), (*strides[:dim], strides[dim] * step, *strides[dim + 1:]),
                start * strides[dim] if count else 0)


@function()
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` indices of a dimension from `start` on.

    >>> import tapediff as td
    >>> td.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    check_tensor(input, "narrow")
    if not input.spec.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, input.spec.ndim)
    size = input.spec.shape[dim]
    start = int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_dim(input, dim, start, start + length)


@function()
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along a dimension.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    check_tensor(input, "unbind")
    if not input.spec.ndim:
        raise RuntimeError("Dimension specified as 0 but tensor has no dimensions")
    dim = normalize_dim(dim, input.spec.ndim)
    return tuple(select(input, dim, index, op="unbind") for index in range(input.spec.shape[dim]))


@function()
def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of a given size, or of given sizes, along a dimension.

    >>> import tapediff as td
    >>> td.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    check_tensor(input, "split")
    dim = normalize_dim(dim, input.spec.ndim)
    size = input.spec.shape[dim]
    op = "split_with_sizes"
    if isinstance(split_size_or_sections, builtins.int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}" if step < 0 else
                               f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
        sizes = [min(step, size - start) for start in range(0, size, step)] if size else [0]
        op = "split"
    else:
        sizes = list(parse_shape((split_size_or_sections,)))
        if sum(sizes) != size:
            raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension "
                               f"{dim}), but got split_sizes={sizes}")
    out, start = [], 0
    for length in sizes:
        out.append(slice_dim(input, dim, start, start + length, op=op))
        start += length
    return tuple(out)


@function()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along a dimension; the last may be smaller.

    >>> import tapediff as td
    >>> td.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    check_tensor(input, "chunk")
    if not input.spec.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.spec.shape[normalize_dim(dim, input.spec.ndim)]
    return split(input, max(1, -(-size // chunks)), dim)


@function()
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces between given indices, or a number of pieces whose sizes differ by at most one."""
    check_tensor(input, "tensor_split")
    dim = normalize_dim(dim, input.spec.ndim)
    size = input.spec.shape[dim]
    if isinstance(indices_or_sections, builtins.int):
        sections = indices_or_sections
        if sections < 1:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        lengths = [size // sections + (part < size % sections) for part in range(sections)]
        bounds = [sum(lengths[:part]) for part in range(sections + 1)]
    else:
        bounds = [0, *(slice(index).indices(size)[1] for index in indices_or_sections), size]
    return tuple(slice_dim(input, dim, start, max(start, stop)) for start, stop in pairwise(bounds))


@function()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements whose indices in dim1 and dim2 differ by `offset`, as the last dimension.

    >>> import tapediff as td
    >>> td.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    check_tensor(input, "diagonal")
    shape, strides = input.spec.shape, contiguous_strides(input.spec.shape)
    first, second = normalize_dim(dim1, len(shape)), normalize_dim(dim2, len(shape))
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rest = [dim for dim in range(len(shape)) if dim not in (first, second)]
    rows, columns = shape[first], shape[second]
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    start = (offset * strides[second] if offset >= 0 else -offset * strides[first]) if length else 0
    return show("diagonal", input, (*(shape[dim] for dim in rest), length),
                (*(strides[dim] for dim in rest), strides[first] + strides[second]), start)


@method("unfold")
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` indices along a dimension, `step` apart, as the last dimension.

    >>> import tapediff as td
    >>> td.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    shape, strides = self.spec.shape, contiguous_strides(self.spec.shape)
    dim = normalize_dim(dimension, len(shape))
    if not shape:
        shape, strides = (1,), (1,)
    if size > shape[dim]:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {shape[dim]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    count = (shape[dim] - size) // step + 1
    return show("unfold", self, (*shape[:dim], count, *shape[dim + 1:], size),
                (*strides[:dim], strides[dim] * step, *strides[dim + 1:], strides[dim]))


@function()
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """The memory of a contiguous tensor in any arrangement of sizes and strides."""
    check_tensor(input, "as_strided")
    shape, strides, offset = parse_shape((size,)), parse_shape((stride,)), storage_offset or 0
    if len(shape) != len(strides):
        raise RuntimeError(f"mismatch in length of strides and shape: {list(strides)} and {list(shape)}")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) if prod(shape) else 0
    if last >= max(input.spec.size, 1) or min(strides, default=0) < 0:
        raise RuntimeError(f"setStorage: sizes {list(shape)}, strides {list(strides)}, storage offset {offset} are out of bounds "
                           f"for storage of {input.spec.size} elements")
    return show("as_strided", input, shape, strides, offset)


@function()
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow.

    >>> import tapediff as td
    >>> td.tensor([1., 2.]).clone()
    tensor([1., 2.])
    """
    check_tensor(input, "clone")
    return structural(STRUCTURAL["clone"], None, input)


@method("contiguous")
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself where its memory is in row-major order, else a copy."""
    return self if self.is_contiguous() else clone(self)


def is_view(tensor: Tensor) -> bool:
    """Whether a tensor shows another one's elements."""
    extra = getattr(tensor, "extra", None)
    return (extra is not None and extra.view is not None) or (tensor.segment is SOURCE and tensor.source.snapshot is not None)


def layout_of(tensor: Tensor) -> tuple[Shape, int]:
    """The strides and the offset at which a tensor shows the elements of its base.

    Those of a tensor that is no view are contiguous.
    """
    extra = getattr(tensor, "extra", None)
    own = extra.view if extra is not None else None
    if own is None:
        if tensor.segment is SOURCE and tensor.source.snapshot is not None:
            item = tensor.spec.dtype.itemsize
            return tuple(step // item for step in tensor.source.array.strides), 0  # type: ignore[union-attr]
        return contiguous_strides(tensor.spec.shape), 0
    shape, strides, start = own.attributes
    steps, first = layout_of(own.parent)
    contiguous_steps = contiguous_strides(own.parent.spec.shape)
    if 0 in shape or steps == contiguous_steps:
        return strides, first + start

    def place(flat: int) -> int:
        return sum(flat // step % size * wanted
                   for step, size, wanted in zip(contiguous_steps, own.parent.spec.shape, steps, strict=True))
    return tuple(place(start + stride) - place(start) if size > 1 else stride
                 for size, stride in zip(shape, strides, strict=True)), first + place(start)


@method("stride")
def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides of the memory, in elements.

    >>> import tapediff as td
    >>> td.zeros(2, 3).T.stride()
    (1, 3)
    """
    found = layout_of(self)[0]
    return found if dim is None else found[normalize_dim(dim, self.spec.ndim)]


@method("storage_offset")
def storage_offset(self: Tensor) -> int:
    """Where a view begins in its base, in elements."""
    return layout_of(self)[1]


@method("is_contiguous")
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory in row-major order."""
    if not is_view(self):
        return True
    wanted = contiguous_strides(self.spec.shape)
    return (all(size < 2 or step == right for size, step, right in zip(self.spec.shape, layout_of(self)[0], wanted, strict=True))
            or not self.spec.size)


@method("_is_view")
def _is_view(self: Tensor) -> bool:
    """Whether the tensor shows another one's elements."""
    return self._base is not None


@property  # type: ignore[misc]
def _base(self: Tensor) -> Tensor | None:
    """The tensor that a view shows elements of; None for one that is no view."""
    extra = getattr(self, "extra", None)
    base = None
    while extra is not None and extra.view is not None:
        base = extra.view.parent
        extra = getattr(base, "extra", None)
    return base


method("_base")(_base)


@function("adjoint")
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: the transpose, as all numbers are real."""
    check_tensor(input, "adjoint")
    return transpose(input, -2, -1)


