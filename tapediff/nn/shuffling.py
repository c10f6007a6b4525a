"""Elements moved between channels and places: pixel_shuffle and its inverse, channel_shuffle."""

from __future__ import annotations

from tapediff.functions.naming import named
from tapediff.functions.registry import check_tensor
from tapediff.tensor import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def check_image(name: str, input: Tensor, factor: int, what: str) -> None:
    """Refuse what is no (..., C, H, W), and factors below 1."""
    check_tensor(input, name)
    if input.spec.ndim < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got input with {input.spec.ndim} "
                           "dimension(s)")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r^2, H, W) as (..., C, H r, W r): r x r channels become the pixels of a block (Shi et al. 2016).

    >>> import tapediff as td
    >>> pixel_shuffle(td.arange(4.).view(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    check_image("pixel_shuffle", input, r, "upscale_factor")
    *front, channels, height, width = input.spec.shape
    if channels % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                           f"upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}")
    n, deep = len(front), channels // (r * r)
    parts = input.reshape(*front, deep, r, r, height, width).permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return named(parts.reshape(*front, deep, height * r, width * r), "PixelShuffleBackward0")


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (..., C, H r, W r) as (..., C r^2, H, W).

    >>> import tapediff as td
    >>> pixel_unshuffle(td.arange(4.).view(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
    """
    r = downscale_factor
    check_image("pixel_unshuffle", input, r, "downscale_factor")
    *front, channels, height, width = input.spec.shape
    for name, place, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                               f"input.size({place})={size} is not divisible by {r}")
    n = len(front)
    parts = input.reshape(*front, channels, height // r, r, width // r, r).permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return named(parts.reshape(*front, channels * r * r, height // r, width // r), "PixelUnshuffleBackward0")


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, ...), which lie group by group, taken from each group in turn (Zhang et al. 2018).

    >>> import tapediff as td
    >>> channel_shuffle(td.arange(4.).view(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    check_tensor(input, "channel_shuffle")
    shape = input.spec.shape
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups.")
    parts = input.reshape(shape[0], groups, shape[1] // groups, *shape[2:])
    return named(parts.transpose(1, 2).reshape(shape), "ChannelShuffleBackward0")
