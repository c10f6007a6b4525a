"""Facts about shapes: broadcasting, dimensions, strides, indices. No state, no arrays."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

__all__ = [
    "Size", "broadcast", "broadcast_all", "contiguous_strides", "folded_extents", "normalize_dim", "normalize_dims",
    "parse_shape", "resolve_reshape", "viewable_strides",
]

Shape = tuple[int, ...]


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that prints as `torch.Size([2, 3])`.

    >>> Size((2, 3)).numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape that `a` and `b` broadcast to.

    Raises
        RuntimeError: a dimension differs and neither size is 1.
    """
    if a == b:
        return a
    longer = max(len(a), len(b))
    wide_a = (1,) * (longer - len(a)) + a
    wide_b = (1,) * (longer - len(b)) + b
    out = []
    for dim, (m, n) in enumerate(zip(wide_a, wide_b, strict=True)):
        if m == n or n == 1:
            out.append(m)
        elif m == 1:
            out.append(n)
        else:
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {dim}"
                f": got shapes {list(a)} and {list(b)}; reshape or expand one of them"
            )
    return tuple(out)


def broadcast_all(shapes: Iterable[Shape]) -> Shape:
    """The shape that all of `shapes` broadcast to."""
    out: Shape = ()
    for shape in shapes:
        out = broadcast(out, shape)
    return out


def contiguous_strides(shape: Shape) -> Shape:
    """Strides, in elements, of a row-major array of this shape.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def normalize_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; negative values count from the end, a 0-dim tensor has dims 0 and -1.

    Raises
        IndexError: there is no such dimension.
    """
    try:
        dim = operator.index(dim)
    except TypeError:
        raise TypeError(f"dim must be an int, not {type(dim).__name__}") from None
    count = ndim or 1
    if not -count <= dim < count:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {dim})")
    return dim + count if dim < 0 else dim


def normalize_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dims counted from the front and sorted; None and an empty tuple mean all of them.

    Raises
        RuntimeError: a dimension is named twice.
    """
    if dims is None:
        return tuple(range(ndim))
    if not isinstance(dims, tuple | list):
        dims = (dims,)
    if len(dims) == 0:
        return tuple(range(ndim))
    found = [normalize_dim(dim, ndim) for dim in dims]
    for dim in found:
        if found.count(dim) > 1:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    return tuple(sorted(found)) if ndim else ()


def parse_shape(sizes: Sequence[Any]) -> Shape:
    """The shape in `f(2, 3)`, `f((2, 3))`, `f([2, 3])` or `f(torch.Size([2, 3]))`."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        sizes = sizes[0]
    out = []
    for size in sizes:
        try:
            out.append(operator.index(size))
        except TypeError:
            raise TypeError(f"sizes must be ints, got {type(size).__name__} in {sizes!r}") from None
    return tuple(out)


def resolve_reshape(shape: Shape, size: int) -> Shape:
    """`shape` with its -1 worked out for `size` elements.

    Raises
        RuntimeError: the sizes do not fit.
    """
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    for part in shape:
        if part < -1:
            raise RuntimeError(f"invalid shape dimension {part}")
    if -1 in shape:
        known = prod(part for part in shape if part != -1)
        if known == 0 and size == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
                "can be any value and is ambiguous"
            )
        if known == 0 or size % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
        return tuple(size // known if part == -1 else part for part in shape)
    if prod(shape) != size:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    return shape


def viewable_strides(shape: Shape, strides: Shape, new_shape: Shape) -> Shape | None:
    """Strides that show memory of `shape` and `strides` as `new_shape` without a copy, or None where there are none."""
    if prod(shape) == 0:
        return contiguous_strides(new_shape)
    old = [(size, stride) for size, stride in zip(shape, strides, strict=True) if size != 1]
    merged: list[tuple[int, int]] = []  # runs of old dimensions that lie behind each other without a gap
    for size, stride in old:
        if merged and merged[-1][1] == size * stride:
            merged[-1] = (merged[-1][0] * size, stride)
        else:
            merged.append((size, stride))
    left, step = 1, 0
    out = [0] * len(new_shape)
    position = len(new_shape) - 1
    runs = iter(reversed(merged))
    while position >= 0:
        size = new_shape[position]
        if size == 1:
            out[position] = step * left if step else 1
            position -= 1
            continue
        if left == 1:
            run = next(runs, None)
            if run is None:
                return None
            left, step = run
        if left % size:
            return None
        out[position] = step
        step *= size
        left //= size
        position -= 1
    return tuple(out)


def folded_extents(shape: Shape, dims: Shape) -> tuple[int, int, int] | None:
    """(outer, count, inner) of a reduction over neighbouring dimensions, sizes of 1 aside; None where they are apart.

    >>> folded_extents((2, 3, 4), (1,)), folded_extents((2, 3, 4), (0, 2))
    ((2, 3, 4), None)
    """
    folded = [dim for dim in dims if shape[dim] != 1]
    if not folded:
        return prod(shape), 1, 1
    first, last = folded[0], folded[-1]
    if any(shape[dim] != 1 and dim not in dims for dim in range(first, last)):
        return None
    return prod(shape[:first]), prod(shape[first:last + 1]), prod(shape[last + 1:])
