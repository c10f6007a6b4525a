"""Layers that move pixels: resized images, and elements moved between channels and places."""

from __future__ import annotations

from typing import Any

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied
from tapediff.nn.modules.module import Module
from tapediff.tensor import Tensor

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """`F.interpolate` as a layer.

    >>> import tapediff as td
    >>> Upsample(scale_factor=2)(td.ones(1, 1, 2, 3)).shape
    torch.Size([1, 1, 4, 6])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
                 recompute_scale_factor: bool | None = None) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = (tuple(float(one) for one in scale_factor) if isinstance(scale_factor, tuple)
                             else float(scale_factor) if scale_factor else None)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)

    def extra_repr(self) -> str:
        scale = "size=" + repr(self.size) if self.scale_factor is None else "scale_factor=" + repr(self.scale_factor)
        return f"{scale}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` with the nearest pixel."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` between four pixels, corners on corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class PixelShuffle(Applied, function=F.pixel_shuffle, settings="upscale_factor", shown="upscale_factor={upscale_factor}"): ...
class PixelUnshuffle(Applied, function=F.pixel_unshuffle, settings="downscale_factor",
                     shown="downscale_factor={downscale_factor}"): ...
class ChannelShuffle(Applied, function=F.channel_shuffle, settings="groups", shown="groups={groups}"): ...
