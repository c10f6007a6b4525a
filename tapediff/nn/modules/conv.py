"""Convolutions as layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tapediff.nn import functional as F
from tapediff.nn import init
from tapediff.nn.modules.linear import empty_parameter
from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Parameter
from tapediff.nn.sliding import numbers
from tapediff.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

MODES = ("zeros", "reflect", "replicate", "circular")


class Windowed(Module):
    """What convolutions and their transposes have in common.

    weight  drawn between ``-k`` and ``k``, where k is the root of ``groups / (in_channels * size of the kernel)``
    bias    (out_channels,), drawn likewise; None without `bias`
    """

    sliding = 0
    transposed = False
    weight: Parameter
    bias: Parameter | None

    def _build(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
               output_padding: Any, groups: int, bias: bool, padding_mode: str, device: Any, dtype: Any) -> None:
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = numbers(kernel_size, self.sliding, "kernel_size")
        self.stride = numbers(stride, self.sliding, "stride")
        self.dilation = numbers(dilation, self.sliding, "dilation")
        self.output_padding = numbers(output_padding, self.sliding, "output_padding")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and max(self.stride) > 1:
                raise ValueError("padding='same' is not supported for strided convolutions")
            self.padding: Any = padding
        else:
            self.padding = numbers(padding, self.sliding, "padding")
        if padding_mode not in MODES:
            raise ValueError(f"padding_mode must be one of {set(MODES)}, but got padding_mode='{padding_mode}'")
        self.padding_mode = padding_mode
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = empty_parameter(*channels, *self.kernel_size, device=device, dtype=dtype)
        self.register_parameter("bias", empty_parameter(out_channels, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init.fans(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        zeros, ones = (0,) * self.sliding, (1,) * self.sliding
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", zeros), ("dilation", ones), ("output_padding", zeros), ("groups", 1)):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        if self.bias is None:
            text += ", bias=False"
        return text + ("" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}")


class Convolution(Windowed):
    """A convolution of some number of dimensions."""

    function: Callable[..., Tensor]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, device,
                    dtype)

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._ends(), mode=self.padding_mode)
            padding = 0
        return self.function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _ends(self) -> list[int]:
        """How much is added at the ends of each dimension, the last one first."""
        if self.padding == "same":
            totals = [apart * (length - 1) for length, apart in zip(self.kernel_size, self.dilation)]
            ends = [(total // 2, total - total // 2) for total in totals]
        else:
            ends = [(0, 0)] * self.sliding if self.padding == "valid" else [(width, width) for width in self.padding]
        return [width for end in reversed(ends) for width in end]


class Conv1d(Convolution):
    """`conv1d` with a weight (out_channels, in_channels / groups, kernel_size) and a bias that are learned."""

    sliding = 1
    function = staticmethod(F.conv1d)


class Conv2d(Convolution):
    """`conv2d` with a weight (out_channels, in_channels / groups, height, width) and a bias that are learned.

    >>> import tapediff as td
    >>> layer = Conv2d(3, 8, 3, padding="same")
    >>> layer(td.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 8, 5, 5])
    """

    sliding = 2
    function = staticmethod(F.conv2d)


class Conv3d(Convolution):
    """`conv3d` with a weight and a bias that are learned."""

    sliding = 3
    function = staticmethod(F.conv3d)


class TransposedConvolution(Windowed):
    """The transpose of a convolution of some number of dimensions."""

    transposed = True
    function: Callable[..., Tensor]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias, padding_mode,
                    device, dtype)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """`output_size`: the spatial shape of the result, where several are possible."""
        extra = self.output_padding
        if output_size is not None:
            sizes, given = list(output_size)[-self.sliding:], input.spec.shape[-self.sliding:]
            least = [(count - 1) * step - 2 * before + apart * (length - 1) + 1 for count, step, before, apart, length
                     in zip(given, self.stride, self.padding, self.dilation, self.kernel_size)]
            extra = tuple(size - small for size, small in zip(sizes, least))
            if any(more < 0 or more >= step for more, step in zip(extra, self.stride)):
                most = [small + step - 1 for small, step in zip(least, self.stride)]
                raise ValueError(f"requested an output size of {sizes}, but valid sizes range from {least} to {most} (for an "
                                 f"input of {list(given)})")
        return self.function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose1d(TransposedConvolution):
    """`conv_transpose1d` with a weight (in_channels, out_channels / groups, kernel_size) and a bias that are learned."""

    sliding = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(TransposedConvolution):
    """`conv_transpose2d` with a weight (in_channels, out_channels / groups, height, width) and a bias that are learned."""

    sliding = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(TransposedConvolution):
    """`conv_transpose3d` with a weight and a bias that are learned."""

    sliding = 3
    function = staticmethod(F.conv_transpose3d)
