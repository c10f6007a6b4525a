"""Pooling: the largest element or the mean under windows that slide over the last dimensions, or that cover them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tapediff.functions.naming import named
from tapediff.functions.products import matmul
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.sliding import numbers
from tapediff.ops.pooling import adaptive_windows
from tapediff.ops.sliding import Geometry, outputs
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tensor import Tensor

__all__ = [
    "adaptive_avg_pool", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d",
    "max_pool3d",
]

Shape = tuple[int, ...]


def check_input(name: str, input: Tensor, sliding: int) -> None:
    """Refuse what has neither the dimensions of a sample nor those of several."""
    check_tensor(input, name)
    if input.spec.ndim not in (sliding + 1, sliding + 2):
        raise RuntimeError(f"non-empty {sliding + 1}D or {sliding + 2}D (batch mode) tensor expected for input: {name} got shape "
                           f"{list(input.spec.shape)}")


def checked_geometry(input: Tensor, sliding: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                     ceil_mode: bool) -> Geometry:
    """The windows of a pooling.

    Raises
        RuntimeError: padding exceeds half of a window, or there is no window.
    """
    kernel = numbers(kernel_size, sliding, "kernel_size")
    steps = kernel if stride is None or stride == [] else numbers(stride, sliding, "stride")
    before, apart = numbers(padding, sliding, "padding"), numbers(dilation, sliding, "dilation")
    if min(steps) < 1:
        raise RuntimeError("stride should not be zero")
    for more, length, gap in zip(before, kernel, apart):
        if not 0 <= more <= (gap * (length - 1) + 1) // 2:
            raise RuntimeError(f"pad should be at most half of effective kernel size, but got pad={more}, "
                               f"kernel_size={length} and dilation={gap}")
    shape = input.spec.shape
    geometry = (shape[len(shape) - sliding:], kernel, steps, before, apart)
    counts = outputs(geometry, ceil_mode)
    if min(counts) < 1:
        given, found = ("x".join(map(str, (shape[-sliding - 1], *sizes))) for sizes in (geometry[0], counts))
        raise RuntimeError(f"Given input size: ({given}). Calculated output size: ({found}). Output size is too small")
    return geometry


def max_pool(name: str, sliding: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
             return_indices: bool) -> Any:
    """The largest element under each window, and where it is."""
    check_input(name, input, sliding)
    geometry = checked_geometry(input, sliding, kernel_size, stride, padding, dilation, ceil_mode)
    index = structural(STRUCTURAL["max_pool_index"], (geometry, ceil_mode), input)
    found = structural(STRUCTURAL[name], geometry[0], input, index)
    return (found, index) if return_indices else found


def widened(value: Any, name: str, filler: int) -> Any:
    """A setting of windows over one dimension as one of windows over two, of which the first is a single row."""
    return value if value is None else (filler, *numbers(value, 1, name))


def max_pool1d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:
    """The largest element under each window that slides over (N, C, L) or (C, L).

    >>> import tapediff as td
    >>> max_pool1d(td.tensor([[1., 3., 2., 0.]]), 2)
    tensor([[3., 2.]])
    """
    check_input("max_pool1d", input, 1)
    found, index = max_pool("max_pool2d", 2, input.unsqueeze(-2), widened(kernel_size, "kernel_size", 1),
                            widened(stride, "stride", 1), widened(padding, "padding", 0), widened(dilation, "dilation", 1),
                            ceil_mode, True)
    return (found.squeeze(-2), index.squeeze(-2)) if return_indices else found.squeeze(-2)


def max_pool2d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:
    """The largest element under each window that slides over (N, C, H, W) or (C, H, W).

    stride          how far windows are apart; as long as they are if not given
    ceil_mode       windows may reach beyond the end
    return_indices  also return where the elements are, in the flat plane of each channel

    >>> import tapediff as td
    >>> max_pool2d(td.arange(16.).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:
    """`max_pool2d` with one dimension more."""
    return max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool(name: str, sliding: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
             count_include_pad: bool, divisor_override: int | None) -> Tensor:
    """The mean under each window."""
    check_input(name, input, sliding)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    geometry = checked_geometry(input, sliding, kernel_size, stride, padding, 1, ceil_mode)
    made: Tensor = structural(STRUCTURAL[name], (geometry, ceil_mode, count_include_pad, divisor_override), input)
    return made


def avg_pool1d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True) -> Tensor:
    """The mean under each window that slides over (N, C, L) or (C, L).

    >>> import tapediff as td
    >>> avg_pool1d(td.tensor([[1., 3., 2., 0.]]), 2)
    tensor([[2., 1.]])
    """
    check_input("avg_pool1d", input, 1)
    found = avg_pool("avg_pool2d", 2, input.unsqueeze(-2), widened(kernel_size, "kernel_size", 1), widened(stride, "stride", 1),
                     widened(padding, "padding", 0), ceil_mode, count_include_pad, None)
    return found.squeeze(-2)


def avg_pool2d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean under each window that slides over (N, C, H, W) or (C, H, W).

    count_include_pad  whether the zeros of the padding count
    divisor_override   what the sum is divided by, whatever the window

    >>> import tapediff as td
    >>> avg_pool2d(td.arange(16.).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """`avg_pool2d` with one dimension more."""
    return avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# --- windows that cover a dimension ---------------------------------------------------------------------------------------------

def chosen_sizes(name: str, input: Tensor, output_size: Any, sliding: int) -> Shape:
    """How many windows each dimension gets; None means as many as it has elements."""
    check_tensor(input, name)
    if input.spec.ndim not in (sliding + 1, sliding + 2):
        raise RuntimeError(f"{name}(): Expected {sliding + 1}D or {sliding + 2}D tensor, but got {list(input.spec.shape)}")
    given = (output_size,) * sliding if isinstance(output_size, int) or output_size is None else tuple(output_size)
    if len(given) != sliding:
        raise RuntimeError(f"{name}: output_size must be {sliding}, got {len(given)} numbers")
    return tuple(size if count is None else int(count) for count, size in zip(given, input.spec.shape[-sliding:]))


def averages(size: int, count: int, dtype: Any) -> Tensor:
    """The matrix that takes the means of windows that cover a dimension."""
    matrix = np.zeros((count, size), dtype.numpy)
    for row, (start, stop) in zip(matrix, adaptive_windows(size, count)):
        row[start:stop] = 1 / (stop - start)
    return FUNCTIONS["from_numpy"](matrix)


def adaptive_avg_pool(name: str, sliding: int, input: Tensor, output_size: Any) -> Tensor:
    """The means of windows that cover the last dimensions."""
    counts = chosen_sizes(name, input, output_size, sliding)
    ndim, dtype = input.spec.ndim, input.spec.dtype
    if counts == (1,) * sliding:
        return input.mean(dim=tuple(range(ndim - sliding, ndim)), keepdim=True)
    found = input
    for dim, count in enumerate(counts, ndim - sliding):
        shape = found.spec.shape
        means = averages(shape[dim], count, dtype)
        if dim == ndim - 1:
            found = matmul(found, means.t())
        else:
            flat = found.reshape(*shape[:dim + 1], prod(shape[dim + 1:]))
            found = matmul(means, flat).reshape(*shape[:dim], count, *shape[dim + 1:])
    return named(found, f"AdaptiveAvgPool{max(sliding, 2)}DBackward0")


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows that cover (N, C, H, W) or (C, H, W), as many along H and W as `output_size` says.

    >>> import tapediff as td
    >>> adaptive_avg_pool2d(td.arange(6.).reshape(1, 2, 3), (1, 2))
    tensor([[[2., 3.]]])
    """
    return adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool2d` with one dimension more."""
    return adaptive_avg_pool("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows that cover (N, C, L) or (C, L).

    >>> import tapediff as td
    >>> adaptive_avg_pool1d(td.tensor([[1., 3., 2., 0.]]), 2)
    tensor([[2., 1.]])
    """
    count, = chosen_sizes("adaptive_avg_pool1d", input, output_size, 1)
    return adaptive_avg_pool2d(input.unsqueeze(-2), (1, count)).squeeze(-2)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, H, W) or (C, H, W).

    >>> import tapediff as td
    >>> adaptive_max_pool2d(td.arange(6.).reshape(1, 2, 3), (1, 2))
    tensor([[[4., 5.]]])
    """
    counts = chosen_sizes("adaptive_max_pool2d", input, output_size, 2)
    index = structural(STRUCTURAL["adaptive_max_pool_index"], counts, input)
    found = structural(STRUCTURAL["adaptive_max_pool2d"], input.spec.shape[-2:], input, index)
    return (found, index) if return_indices else found


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` with one dimension more."""
    counts = chosen_sizes("adaptive_max_pool3d", input, output_size, 3)
    index = structural(STRUCTURAL["adaptive_max_pool_index"], counts, input)
    found = structural(STRUCTURAL["adaptive_max_pool2d"], input.spec.shape[-3:], input, index)
    found = named(found, "AdaptiveMaxPool3DBackward0")
    return (found, index) if return_indices else found


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, L) or (C, L)."""
    count, = chosen_sizes("adaptive_max_pool1d", input, output_size, 1)
    found, index = adaptive_max_pool2d(input.unsqueeze(-2), (1, count), True)
    return (found.squeeze(-2), index.squeeze(-2)) if return_indices else found.squeeze(-2)
