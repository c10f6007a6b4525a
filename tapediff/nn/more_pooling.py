"""Pooling beyond means and maxima: p-norms, elements put back, and activity of neighbouring channels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import prod
from typing import Any

from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.padding import pad
from tapediff.nn.pooling import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from tapediff.nn.sliding import numbers
from tapediff.tensor import Tensor

__all__ = [
    "local_response_norm", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d_with_indices", "max_pool2d_with_indices",
    "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]


def lp_pool(average: Callable[..., Tensor], sliding: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any,
            ceil_mode: bool) -> Tensor:
    """The p-norm under each window."""
    count = prod(numbers(kernel_size, sliding, "kernel_size"))
    total = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode) * count
    return (total.sign() * total.abs().relu()).pow(1.0 / norm_type)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The p-norm under each window that slides over (N, C, L) or (C, L), without absolute values.

    >>> import tapediff as td
    >>> lp_pool1d(td.tensor([[3., 4., 0., 2.]]), 2, 2)
    tensor([[5., 2.]])
    """
    check_tensor(input, "lp_pool1d")
    return lp_pool(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """`lp_pool1d` over two dimensions."""
    check_tensor(input, "lp_pool2d")
    return lp_pool(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """`lp_pool1d` over three dimensions."""
    check_tensor(input, "lp_pool3d")
    return lp_pool(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each element divided by ``(k + alpha * mean of the squares in neighbouring channels)**beta`` (Krizhevsky et al. 2012).

    >>> import tapediff as td
    >>> local_response_norm(td.ones(1, 2, 1), 1, alpha=3., beta=1.)
    tensor([[[0.2500],
             [0.2500]]])
    """
    check_tensor(input, "local_response_norm")
    shape = input.spec.shape
    if len(shape) < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)")
    if not input.spec.size:
        return input
    squares = (input * input).reshape(shape[0], 1, shape[1], prod(shape[2:]))
    squares = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    mean = avg_pool2d(squares, (size, 1), 1).reshape(shape)
    return input / (mean * alpha + k).pow(beta)


# --- elements put back ----------------------------------------------------------------------------------------------------------

def max_unpool(name: str, sliding: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any,
               output_size: Any) -> Tensor:
    """Zeros with elements where pooling found them."""
    check_tensor(input, name)
    check_tensor(indices, name, "indices", 2)
    if indices.spec.shape != input.spec.shape:
        raise RuntimeError(f"Expected shape of indices to be same as that of the input tensor ({list(input.spec.shape)}) but got "
                           f"indices tensor with shape: {list(indices.spec.shape)}")
    kernel = numbers(kernel_size, sliding, "kernel_size")
    steps = kernel if stride is None or stride == [] else numbers(stride, sliding, "stride")
    before = numbers(padding, sliding, "padding")
    shape = input.spec.shape
    leading, counts = shape[:len(shape) - sliding], shape[len(shape) - sliding:]
    usual = [(count - 1) * step + length - 2 * edge for count, step, length, edge in zip(counts, steps, kernel, before)]
    sizes = tuple(usual) if output_size is None else tuple(int(size) for size in tuple(output_size)[-sliding:])
    if len(sizes) != sliding:
        raise ValueError(f"output_size should be a sequence containing {sliding} or {sliding + 2} elements, but it has a length "
                         f"of '{len(tuple(output_size))}'")
    for dim, (size, middle, step) in enumerate(zip(sizes, usual, steps)):
        if not middle - step < size < middle + step:
            raise ValueError(f'invalid output_size "{list(sizes)}" (dim {dim} must be between {middle - step} and '
                             f"{middle + step})")
    empty = FUNCTIONS["zeros"](*leading, prod(sizes), dtype=input.spec.dtype)
    flat = (*leading, prod(counts))
    found: Tensor = FUNCTIONS["scatter"](empty, len(leading), indices.reshape(flat), input.reshape(flat))
    return named(found.reshape(*leading, *sizes), "SqueezeBackward1" if sliding == 1 else f"MaxUnpool{sliding}DBackward0")


def max_unpool1d(input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Tensor:
    """The elements that `max_pool1d` found at their places, and zeros elsewhere.

    >>> import tapediff as td
    >>> found, places = max_pool1d(td.tensor([[1., 3., 2., 0.]]), 2, return_indices=True)
    >>> max_unpool1d(found, places, 2)
    tensor([[0., 3., 2., 0.]])
    """
    return max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Tensor:
    """`max_unpool1d` over two dimensions."""
    return max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Tensor:
    """`max_unpool1d` over three dimensions."""
    return max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


max_pool1d_with_indices = functools.partial(max_pool1d, return_indices=True)
max_pool2d_with_indices = functools.partial(max_pool2d, return_indices=True)
max_pool3d_with_indices = functools.partial(max_pool3d, return_indices=True)
