"""Images read at places that a grid gives: affine_grid and grid_sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.naming import named
from tapediff.functions.products import matmul
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places in (-1, 1) that affine maps take the pixels of images of `size` to.

    theta          (N, 2, 3), or (N, 3, 4) for solids
    size           (N, C, H, W) or (N, C, D, H, W)
    align_corners  whether -1 and 1 are the centres of the corner pixels, or their edges

    >>> import tapediff as td
    >>> affine_grid(td.tensor([[[1., 0., 0.], [0., 1., 0.]]]), (1, 1, 1, 2))
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    check_tensor(theta, "affine_grid", "theta")
    if not theta.spec.dtype.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.spec.dtype}")
    spatial = len(size) - 2
    wanted = (size[0], spatial, spatial + 1)
    if spatial not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got "
                                  f"size {tuple(size)}.")
    if theta.spec.shape != wanted:
        raise ValueError(f"Expected a batch of {spatial}D affine matrices of shape Nx{spatial}x{spatial + 1} for size "
                         f"{tuple(size)}. Got {theta.shape}.")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    axes = []
    for count in size[2:]:
        places = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
        axes.append(places if align_corners else places * (count - 1) / count)
    grids = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(grids), np.ones_like(grids[0])], -1).reshape(1, -1, spatial + 1)
    points = FUNCTIONS["from_numpy"](base.astype(theta.spec.dtype.numpy))
    found = matmul(points, theta.transpose(1, 2)).reshape(size[0], *size[2:], spatial)
    return named(found, "AffineGridGeneratorBackward0")


def pixels(places: Tensor, count: int, align_corners: bool) -> Tensor:
    """Places in (-1, 1) counted in pixels."""
    return (places + 1) * ((count - 1) / 2) if align_corners else ((places + 1) * count - 1) / 2


def folded(places: Tensor, count: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Places beyond the image brought back, as the padding asks."""
    if padding_mode == "reflection":
        low, high = (0.0, count - 1.0) if align_corners else (-0.5, count - 0.5)
        if low == high:
            return places * 0
        span = high - low
        distance = (places - low).abs()
        turns = (distance.detach() / span).floor()
        rest = distance - turns * span
        places = FUNCTIONS["where"](turns % 2 == 0, rest + low, span - rest + low)
    if padding_mode in ("reflection", "border"):
        places = places.clamp(0, count - 1)
    return places


class Reader:
    """Reads an image at whole pixels; beyond it there is zero."""

    def __init__(self, image: Tensor, out: tuple[int, ...]) -> None:
        self.sizes = image.spec.shape[2:]
        self.leading = image.spec.shape[:2]
        self.flat = image.reshape(*self.leading, math.prod(self.sizes))
        self.out = out
        self.dtype = image.spec.dtype

    def at(self, places: Sequence[Tensor]) -> Tensor:
        """The pixels (N, C, *out) at places (N, *out), one for each dimension, the first one first."""
        index: Any = 0
        is_inside: Any = None
        for place, size in zip(places, self.sizes):
            inside = (place >= 0) & (place <= size - 1)
            is_inside = inside if is_inside is None else is_inside & inside
            index = index * size + place.clamp(0, size - 1).nan_to_num(0).to(dtypes.int64)
        count, channels = self.leading
        wide = index.reshape(count, 1, -1).expand(count, channels, math.prod(self.out))
        found = FUNCTIONS["gather"](self.flat, 2, wide).reshape(count, channels, *self.out)
        return FUNCTIONS["where"](is_inside.unsqueeze(1), found, 0.0).to(self.dtype)


def grid_sample(input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Tensor:
    """The pixels of images (N, C, H, W) at the places (N, H', W', 2) of a grid; likewise of solids, with one dimension more.

    grid           x, y (and z) between -1 and 1, x along the last dimension
    mode           "bilinear", "nearest", or for images "bicubic"
    padding_mode   beyond the image: "zeros", "border", or "reflection"
    align_corners  whether -1 and 1 are the centres of the corner pixels, or their edges

    >>> import tapediff as td
    >>> grid_sample(td.tensor([[[[1., 3.]]]]), td.zeros(1, 1, 1, 2))
    tensor([[[[2.]]]])
    """
    check_sampling(input, grid, mode, padding_mode)
    return named(sampled(input, grid, mode, padding_mode, bool(align_corners)), f"GridSampler{input.spec.ndim - 2}DBackward0")


def sampled(input: Tensor, grid: Tensor, mode: str, padding_mode: str, corners: bool) -> Tensor:
    """What `grid_sample` computes, of operands that fit."""
    sizes, out = input.spec.shape[2:], grid.spec.shape[1:-1]
    reader = Reader(input, out)
    places = [pixels(grid[..., axis], count, corners) for axis, count in enumerate(reversed(sizes))][::-1]
    if mode == "bicubic":
        return bicubic(reader, places, padding_mode, corners)
    places = [folded(place, count, padding_mode, corners) for place, count in zip(places, sizes)]
    if mode == "nearest":
        return reader.at([place.detach().round() for place in places])
    floors = [place.detach().floor() for place in places]
    total: Any = 0
    for steps in itertools.product((0, 1), repeat=len(sizes)):
        weight: Any = 1
        for place, floor, step in zip(places, floors, steps):
            weight = weight * ((place - floor) if step else (floor + 1 - place))
        total = total + reader.at([floor + step for floor, step in zip(floors, steps)]) * weight.unsqueeze(1)
    return total


def bicubic(reader: Reader, places: Sequence[Tensor], padding_mode: str, corners: bool) -> Tensor:
    """By cubic convolution of 4 x 4 pixels."""
    floors = [place.detach().floor() for place in places]
    rests = [place - floor for place, floor in zip(places, floors)]
    weights = [[cubic_weight((rest - offset).abs()) for offset in range(-1, 3)] for rest in rests]
    total: Any = 0
    for down, across in itertools.product(range(4), repeat=2):
        at = [folded(floor + step - 1, count, padding_mode, corners) for floor, step, count
              in zip(floors, (down, across), reader.sizes)]
        total = total + reader.at([place.round() for place in at]) * (weights[0][down] * weights[1][across]).unsqueeze(1)
    return total


def cubic_weight(x: Tensor) -> Tensor:
    """The kernel of `interpolation.cubic` on tensors."""
    a = -0.75
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return FUNCTIONS["where"](x <= 1, near, far)


def check_sampling(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    """Refuse operands that do not fit, and modes that are unknown."""
    check_tensor(input, "grid_sampler")
    check_tensor(grid, "grid_sampler", "grid", 2)
    if mode not in MODES:
        raise ValueError("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
                         f"'{mode}'")
    if padding_mode not in PADDINGS:
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
                         f"'{padding_mode}'")
    a, g = input.spec, grid.spec
    if a.ndim not in (4, 5) or a.ndim != g.ndim:
        raise RuntimeError("grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with "
                           f"sizes {list(a.shape)} and grid with sizes {list(g.shape)}")
    if a.shape[0] != g.shape[0]:
        raise RuntimeError("grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
                           f"{list(a.shape)} and grid with sizes {list(g.shape)}")
    if g.shape[-1] != a.ndim - 2:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {a.ndim - 2} in last dimension, but got grid with sizes "
                           f"{list(g.shape)}")
    if mode == "bicubic" and a.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if a.dtype is not g.dtype:
        raise RuntimeError("grid_sampler(): expected input and grid to have same dtype, but input has "
                           f"{a.dtype.legacy.lower()} and grid has {g.dtype.legacy.lower()}")
