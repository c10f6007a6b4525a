"""Rows of the convolution and of its two transposes.

A convolution is linear in its input x, in its weight w, and, weighted by an adjoint y_bar, in that: one form T(x, w, y_bar), whose
derivative by each of the three is a row here. So each row's rule is made of the other two, and every order of derivative follows.

Shapes      x (N, C, *inputs), w (F, C / groups, *kernel), y_bar (N, F, *windows)
Attributes  (geometry of the windows, groups)
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.sliding import Geometry, blocks, outputs, overlaid, patches
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Attributes = tuple[Geometry, int]


def infer_convolution(attributes: Attributes, x: Spec, w: Spec, *bias: Spec) -> tuple[Shape, DType]:
    return (x.shape[0], w.shape[0], *outputs(attributes[0])), x.dtype


def convolution_forward(attributes: Attributes, x: Array, w: Array, *bias: Array) -> Array:
    geometry, groups = attributes
    counts = outputs(geometry)
    y = np.empty((x.shape[0], w.shape[0], *counts), x.dtype)
    kernels = w.reshape(groups, w.shape[0] // groups, -1)
    for samples in blocks(x.shape[0], x.shape[1] * prod(geometry[1]) * prod(counts)):
        under = patches(x[samples], geometry, counts)
        product = np.matmul(kernels, under.reshape(groups, kernels.shape[2], -1))
        y[samples] = product.reshape(w.shape[0], -1, *counts).swapaxes(0, 1)
    return biased(y, *bias)


def biased(y: Array, *bias: Array) -> Array:
    """With one number added to each channel, in place."""
    for b in bias:
        y += b.reshape(-1, *(1,) * (y.ndim - 2))
    return y


def summed_bias(F: Any, y_bar: Any) -> Any:
    """The adjoint of the bias."""
    return F.sum(y_bar, ((0, *range(2, len(y_bar.shape))), False))


def convolution_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, x: Any, w: Any, *bias: Any) -> Any:
    if k == 0:
        return F.convolution_transpose(y_bar, w, attributes)
    return F.convolution_weight(x, y_bar, attributes) if k == 1 else summed_bias(F, y_bar)


def infer_transpose(attributes: Attributes, y_bar: Spec, w: Spec, *bias: Spec) -> tuple[Shape, DType]:
    return (y_bar.shape[0], w.shape[1] * attributes[1], *attributes[0][0]), y_bar.dtype


def transpose_forward(attributes: Attributes, y_bar: Array, w: Array, *bias: Array) -> Array:
    geometry, groups = attributes
    counts = y_bar.shape[2:]
    x_bar = np.empty((y_bar.shape[0], w.shape[1] * groups, *geometry[0]), y_bar.dtype)
    kernels = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    for samples in blocks(y_bar.shape[0], x_bar.shape[1] * prod(geometry[1]) * prod(counts)):
        adjoints = y_bar[samples].swapaxes(0, 1).reshape(groups, kernels.shape[2], -1)
        under = np.matmul(kernels, adjoints).reshape(x_bar.shape[1], *geometry[1], -1, *counts)
        x_bar[samples] = overlaid(under, geometry, counts)
    return biased(x_bar, *bias)


def transpose_pullback(F: Any, attributes: Attributes, k: int, x: Any, y: Any, y_bar: Any, w: Any, *bias: Any) -> Any:
    if k == 0:
        return F.convolution(x, w, attributes)
    return F.convolution_weight(x, y_bar, attributes) if k == 1 else summed_bias(F, x)


def infer_weight(attributes: Attributes, x: Spec, y_bar: Spec) -> tuple[Shape, DType]:
    return (y_bar.shape[1], x.shape[1] // attributes[1], *attributes[0][1]), x.dtype


def weight_forward(attributes: Attributes, x: Array, y_bar: Array) -> Array:
    geometry, groups = attributes
    counts = y_bar.shape[2:]
    depth = x.shape[1] // groups * prod(geometry[1])
    w_bar = np.zeros((groups, y_bar.shape[1] // groups, depth), x.dtype)
    for samples in blocks(x.shape[0], x.shape[1] * prod(geometry[1]) * prod(counts)):
        under = patches(x[samples], geometry, counts).reshape(groups, depth, -1)
        adjoints = y_bar[samples].swapaxes(0, 1).reshape(groups, w_bar.shape[1], -1)
        w_bar += np.matmul(adjoints, under.swapaxes(1, 2))
    return w_bar.reshape(y_bar.shape[1], x.shape[1] // groups, *geometry[1])


def weight_pullback(F: Any, attributes: Attributes, k: int, w: Any, y: Any, x: Any, y_bar: Any) -> Any:
    return F.convolution(x, w, attributes) if k else F.convolution_transpose(y_bar, w, attributes)


BOTH: tuple[frozenset[Any], ...] = (frozenset({1}), frozenset({0}), frozenset())
add_row("convolution", infer_convolution, convolution_forward, convolution_pullback, saves=BOTH, lanes="convolution",
        doc="Each channel of the result: the products of a kernel with what is under each window of all channels of its group, added up, and a bias if given. "
        "Attributes: (geometry of the windows, groups).")
add_row("convolution_transpose", infer_transpose, transpose_forward, transpose_pullback, saves=BOTH, grad_fn="ConvolutionBackward0", lanes="convolution_transpose",
        doc="The transpose of a convolution by its input: kernels, weighted, added up where the windows lie. Attributes: (geometry of the windows, groups).")
add_row("convolution_weight", infer_weight, weight_forward, weight_pullback, saves=BOTH, grad_fn="ConvolutionBackwardBackward0", lanes="convolution_weight",
        doc="The transpose of a convolution by its weight. Attributes: (geometry of the windows, groups).")
