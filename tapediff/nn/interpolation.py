"""Images resized: every mode is a matrix for each dimension, which takes the samples before to the samples after."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.functions.naming import named
from tapediff.functions.products import matmul
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.pooling import adaptive_avg_pool
from tapediff.tensor import Tensor

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

Array = np.ndarray[Any, Any]
# the mode: how many dimensions it is for (None: any), and the name of its node in PyTorch
MODES: dict[str, tuple[int | None, str]] = {
    "nearest": (None, "UpsampleNearest{}DBackward0"), "nearest-exact": (None, "UpsampleNearestExact{}DBackward0"),
    "area": (None, ""), "linear": (1, "UpsampleLinear1DBackward0"), "bilinear": (2, "UpsampleBilinear2DBackward0"),
    "bicubic": (2, "UpsampleBicubic2DBackward0"), "trilinear": (3, "UpsampleTrilinear3DBackward0"),
}


# --- one dimension: matrices (samples after, samples before) --------------------------------------------------------------------

def nearest(before: int, after: int, step: float, exact: bool) -> Array:
    """Each sample is the one that it lies on; PyTorch finds it in float32."""
    places = np.arange(after, dtype=np.float32) + np.float32(0.5 if exact else 0.0)
    found = np.minimum(np.floor(places * np.float32(step)).astype(np.int64), before - 1)
    matrix = np.zeros((after, before))
    matrix[np.arange(after), found] = 1
    return matrix


def places_before(before: int, after: int, step: float, align_corners: bool) -> Array:
    """Where the samples after lie among those before."""
    if align_corners:
        return np.arange(after) * ((before - 1) / (after - 1) if after > 1 else 0.0)
    return (np.arange(after) + 0.5) * step - 0.5


def weighted(before: int, places: Array, reach: range, weight: Callable[[Array], Array]) -> Array:
    """Samples weighted by their distance, those beyond the ends taken from the ends."""
    matrix = np.zeros((len(places), before))
    first = np.floor(places).astype(np.int64)
    for offset in reach:
        at = np.clip(first + offset, 0, before - 1)
        np.add.at(matrix, (np.arange(len(places)), at), weight(np.abs(places - (first + offset))))
    return matrix


def tent(distance: Array) -> Array:
    """The kernel of linear interpolation."""
    return np.maximum(1 - distance, 0)


def cubic(a: float) -> Callable[[Array], Array]:
    """The kernel of cubic convolution (Keys 1981)."""
    def weight(x: Array) -> Array:
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))
    return weight


def antialiased(before: int, after: int, step: float, radius: float, weight: Callable[[Array], Array]) -> Array:
    """Samples weighted by a kernel that is as wide as the samples after lie apart."""
    wide = max(step, 1.0)
    matrix = np.zeros((after, before))
    for place in range(after):
        centre = step * (place + 0.5)
        start = max(int(centre - radius * wide + 0.5), 0)
        stop = min(int(centre + radius * wide + 0.5), before)
        weights = weight(np.abs((np.arange(start, stop) - centre + 0.5) / wide))
        matrix[place, start:stop] = weights / weights.sum()
    return matrix


def matrix_of(mode: str, before: int, after: int, scale: float | None, align_corners: bool, antialias: bool) -> Array:
    """The matrix of one dimension."""
    step = before / after if scale is None else 1 / scale
    if mode.startswith("nearest"):
        return nearest(before, after, step, mode == "nearest-exact")
    if antialias:
        if align_corners:
            step = (before - 1) / (after - 1) if after > 1 else 0.0
        return antialiased(before, after, step, 1.0, tent) if mode == "bilinear" else antialiased(before, after, step, 2.0,
                                                                                                  cubic(-0.5))
    places = places_before(before, after, step, align_corners)
    if mode == "bicubic":
        return weighted(before, places, range(-1, 3), cubic(-0.75))
    return weighted(before, np.clip(places, 0, before - 1), range(2), tent)


# --- several dimensions ---------------------------------------------------------------------------------------------------------

def taken(x: Tensor, dim: int, matrix: Array) -> Tensor:
    """The matrix applied along dimension `dim`."""
    shape = x.spec.shape
    factor = FUNCTIONS["from_numpy"](matrix.astype(x.spec.dtype.numpy))
    if dim == len(shape) - 1:
        return matmul(x, factor.t())
    flat = x.reshape(*shape[:dim + 1], math.prod(shape[dim + 1:]))
    return matmul(factor, flat).reshape(*shape[:dim], len(matrix), *shape[dim + 1:])


def interpolate(input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
                align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                antialias: bool = False) -> Tensor:
    """(N, C, L), (N, C, H, W) or (N, C, D, H, W) resized along the dimensions behind C.

    size                    the sizes after: one for all dimensions, or one for each
    scale_factor            by how much they grow, instead
    mode                    "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", or "area": means
    align_corners           the corners of the samples before and after lie on each other, instead of the corners of their pixels
    recompute_scale_factor  take the scale from the sizes
    antialias               for "bilinear" and "bicubic": make smaller without aliasing

    Raises
        ValueError, NotImplementedError: the arguments do not fit the input or each other.

    >>> import tapediff as td
    >>> interpolate(td.tensor([[[0., 1.]]]), 4, mode="linear")
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    check_tensor(input, "interpolate")
    check_mode(mode, align_corners, antialias, input)
    before = input.spec.shape[2:]
    sizes, scales = sizes_after(before, size, scale_factor, bool(recompute_scale_factor))
    for one, other in zip(before, sizes):
        if one <= 0 or other <= 0:
            raise RuntimeError("Input and output sizes should be greater than 0, but got input "
                               f"{list(before)} and output {list(sizes)}")
    if not input.spec.dtype.is_floating_point:
        raise NotImplementedError(f"\"upsample_{mode}\" not implemented for '{input.spec.dtype.legacy}': convert with .float()")
    if mode == "area":
        return adaptive_avg_pool("interpolate", len(before), input, sizes)
    x = input
    for number, (one, other, scale) in enumerate(zip(before, sizes, scales)):
        if one != other or scale not in (None, 1.0):
            x = taken(x, number + 2, matrix_of(mode, one, other, scale, bool(align_corners), antialias))
    return x if x is input and not x.spec.requires_grad else named(x, MODES[mode][1].format(len(before)))


def check_mode(mode: str, align_corners: bool | None, antialias: bool, input: Tensor) -> None:
    """Refuse modes that are unknown, or for other inputs."""
    ndim = input.spec.ndim
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                         "trilinear")
    if antialias and not (mode in ("bilinear", "bicubic") and ndim == 4):
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
    if ndim not in (3, 4, 5) or mode not in MODES:
        raise NotImplementedError(f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: nearest "
                                  "| linear | bilinear | bicubic | trilinear | area | nearest-exact (got "
                                  f"{mode})")
    wanted = MODES[mode][0]
    if wanted is not None and ndim != wanted + 2:
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {wanted + 2}D input")


def sizes_after(before: tuple[int, ...], size: Any, scale_factor: Any,
                is_recomputed: bool) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The sizes after, and the scales that were given."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = size if scale_factor is None else scale_factor
    what = "output size" if scale_factor is None else "scale_factor"
    each = tuple(given) if isinstance(given, list | tuple) else (given,) * len(before)
    if len(each) != len(before):
        form = "output size in (o1, o2, ...,oK)" if scale_factor is None else "scale_factor in (s1, s2, ...,sK)"
        raise ValueError("Input and output must have the same number of spatial dimensions, but got input with spatial "
                         f"dimensions of {list(before)} and {what} of {given}. Please provide input tensor in "
                         f"(N, C, d1, d2, ...,dK) format and {form} format.")
    if scale_factor is None:
        if is_recomputed:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return tuple(int(one) for one in each), (None,) * len(before)
    sizes = tuple(math.floor(one * float(scale)) for one, scale in zip(before, each))
    return sizes, (None,) * len(before) if is_recomputed else tuple(float(scale) for scale in each)


def upsample(input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
             align_corners: bool | None = None) -> Tensor:
    """`interpolate` under its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with the nearest sample."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` between four samples, corners on corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)
