"""Windows that slide over the last dimensions of a tensor: how their sizes, steps and paddings are given, and unfold and fold."""

from __future__ import annotations

from math import prod
from typing import Any

from tapediff.functions.registry import check_tensor
from tapediff.ops.sliding import Geometry, outputs
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tensor import Tensor

__all__ = ["fold", "numbers", "unfold"]

Shape = tuple[int, ...]


def numbers(value: Any, count: int, name: str) -> Shape:
    """One number for each dimension: given as such, or as one for all.

    Raises
        RuntimeError: there are too many or too few.
    """
    found = (value,) if isinstance(value, int) else tuple(int(one) for one in value)
    if len(found) not in (1, count):
        raise RuntimeError(f"expected {name} to be a single integer value or a list of {count} values to match the convolution "
                           f"dimensions, but got {name}={list(found)}")
    return found * count if len(found) == 1 else found


def geometry_of(inputs: Shape, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Geometry:
    """The windows of unfold and fold, over two dimensions."""
    return (inputs, *(numbers(value, 2, name) for value, name in (
        (kernel_size, "kernel_size"), (stride, "stride"), (padding, "padding"), (dilation, "dilation"))))  # type: ignore[return-value]


def stated(geometry: Geometry) -> str:
    """The windows as PyTorch's errors state them."""
    _, kernel, stride, padding, dilation = geometry
    return f"kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}"


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """What is under each window that slides over (N, C, H, W) or (C, H, W): one column for each window.

    Raises
        RuntimeError: the windows are larger than the input.

    >>> import tapediff as td
    >>> unfold(td.arange(6.).reshape(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    check_tensor(input, "unfold")
    if input.spec.ndim not in (3, 4):
        raise RuntimeError("Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
                           f"input, but got: {list(input.spec.shape)}")
    geometry = geometry_of(input.spec.shape[-2:], kernel_size, stride, padding, dilation)
    counts = outputs(geometry)
    if min(counts) < 1:
        inputs, kernel, _, before, apart = geometry
        raise RuntimeError(f"Given input with spatial size {inputs}, kernel_size={kernel}, dilation={apart}, padding={before}, "
                           f"calculated shape of the array of sliding blocks as {counts}, but its components must be at least "
                           "one.")
    return structural(STRUCTURAL["im2col"], geometry, input)


def fold(input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The transpose of `unfold`: columns added up where their windows lie in images of `output_size`.

    Raises
        RuntimeError: the columns are not those of such images.

    >>> import tapediff as td
    >>> fold(td.ones(1, 4, 2), (2, 3), 2)
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    check_tensor(input, "fold")
    geometry = geometry_of(numbers(output_size, 2, "output_size"), kernel_size, stride, padding, dilation)
    size = prod(geometry[1])
    if input.spec.ndim not in (2, 3):
        raise RuntimeError("Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
                           f"dimensions for input, but got: {list(input.spec.shape)}")
    channels, columns = input.spec.shape[-2:]
    if channels % size:
        raise RuntimeError("Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                           f"input.size(1)={channels} and kernel_size={geometry[1]}.")
    counts = outputs(geometry)
    if columns != prod(counts):
        raise RuntimeError(f"Given output_size={geometry[0]}, {stated(geometry)}, expected size of input's dimension 2 to "
                           f"match the calculated number of sliding blocks {counts[0]} * {counts[1]} = {prod(counts)}, but got "
                           f"input.size(2)={columns}.")
    return structural(STRUCTURAL["col2im"], geometry, input)
