"""Normalizations: elements moved to mean 0 and variance 1 over some dimensions, then scaled and shifted by learned parameters."""

from __future__ import annotations

from math import prod
from typing import Any

from tapediff.functions.naming import named
from tapediff.functions.products import viewed
from tapediff.functions.registry import check_tensor
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]

Dims = tuple[int, ...]


def mean_of(x: Tensor, dims: Dims) -> Tensor:
    """The mean over `dims`, kept with size 1."""
    return structural(STRUCTURAL["mean_dim"], (dims, True), x)


def standardized(x: Tensor, dims: Dims, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Elements with mean 0 and variance 1 over `dims`; and the mean and the variance."""
    mean = mean_of(x, dims)
    centred = elementwise(ROWS["sub"], x, mean)
    variance = mean_of(elementwise(ROWS["square"], centred), dims)
    return elementwise(ROWS["mul"], centred, elementwise(ROWS["rsqrt"],
                                                         elementwise(ROWS["add"], variance, float(eps)))), mean, variance


def scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """``x * weight + bias``, with either left out."""
    if weight is not None:
        x = elementwise(ROWS["mul"], x, weight)
    return x if bias is None else elementwise(ROWS["add"], x, bias)


def per_channel(parameter: Tensor | None, ndim: int) -> Tensor | None:
    """A vector of one number per channel in a shape that broadcasts along dimension 1."""
    return None if parameter is None else viewed(parameter, (1, parameter.spec.size) + (1,) * (ndim - 2))


def normalized_dims(name: str, input: Tensor, normalized_shape: Any, **parameters: Tensor | None) -> Dims:
    """The last dimensions of `input`, which must have the shape `normalized_shape`; so must the parameters."""
    check_tensor(input, name)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape:
        raise RuntimeError("Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
                           "but got "
                           f"normalized_shape = {list(shape)}")
    for argument, parameter in parameters.items():
        if parameter is not None and parameter.spec.shape != shape:
            raise RuntimeError(f"Expected {argument} to be of same shape as normalized_shape, but got {argument} of shape "
                               f"{list(parameter.spec.shape)} and normalized_shape = {list(shape)}")
    ndim = input.spec.ndim
    if input.spec.shape[max(ndim - len(shape), 0) :] != shape:
        wanted = ", ".join(map(str, shape))
        raise RuntimeError(f"Given normalized_shape={list(shape)}, expected input with shape [*, {wanted}], but got input of "
                           f"size{list(input.spec.shape)}")
    return tuple(range(ndim - len(shape), ndim))


def layer_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5) -> Tensor:
    """Each sample normalized over its last dimensions, which have the shape `normalized_shape`.

    >>> import tapediff as td
    >>> layer_norm(td.tensor([[1., 3.]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    dims = normalized_dims("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    return named(scaled(standardized(input, dims, eps)[0], weight, bias), "NativeLayerNormBackward0")


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Each sample divided by the root of its mean square over the last dimensions.

    >>> import tapediff as td
    >>> rms_norm(td.tensor([[3., 4.]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    dims = normalized_dims("rms_norm", input, normalized_shape, weight=weight)
    if eps is None:
        eps = 2.0**-23 if input.spec.dtype.itemsize == 4 else 2.0**-52
    square = mean_of(elementwise(ROWS["square"], input), dims)
    return scaled(elementwise(ROWS["mul"], input, elementwise(ROWS["rsqrt"], elementwise(ROWS["add"], square, eps))), weight,
                  None)


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """Each channel, dimension 1, normalized over all samples when `training`, and by the running mean and variance otherwise.

    Training moves the running statistics, in place, by `momentum` towards those of the batch.

    >>> import tapediff as td
    >>> batch_norm(td.tensor([[1., 0.], [3., 0.]]), None, None, training=True)
    tensor([[-1.0000,  0.0000],
            [ 1.0000,  0.0000]])
    """
    check_tensor(input, "batch_norm")
    shape = input.spec.shape
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm takes an input of shape (N, C) or (N, C, ...), got {list(shape)}")
    channels = shape[1]
    for name, statistic in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if statistic is None and name.startswith("running") and not training:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        if statistic is not None and statistic.spec.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {statistic.spec.size}")
    ndim = len(shape)
    count = prod(shape) // channels if channels else 0
    if training:
        if count <= 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size torch.Size({list(shape)})")
        result, mean, variance = standardized(input, (0, *range(2, ndim)), eps)
        update(running_mean, mean, 1.0, momentum)
        update(running_var, variance, count / (count - 1), momentum)
    else:
        centred = elementwise(ROWS["sub"], input, per_channel(running_mean, ndim))
        spread = elementwise(ROWS["rsqrt"], elementwise(ROWS["add"], per_channel(running_var, ndim), float(eps)))
        result = elementwise(ROWS["mul"], centred, spread)
    return named(scaled(result, per_channel(weight, ndim), per_channel(bias, ndim)), "NativeBatchNormBackward0")


def update(running: Any, batch: Any, factor: float, momentum: float) -> None:
    """Move a running statistic towards that of the batch, in place and off the tape."""
    if running is None:
        return
    fresh = batch.detach().reshape(running.spec.shape)
    running.detach().mul_(1 - momentum).add_(fresh, alpha=momentum * factor)


def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5) -> Tensor:
    """Each sample normalized within groups of channels.

    >>> import tapediff as td
    >>> group_norm(td.tensor([[1., 3., 0., 4.]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    check_tensor(input, "group_norm")
    shape = input.spec.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if num_groups < 1 or shape[1] % num_groups:
        raise RuntimeError("Expected number of channels in input to be divisible by num_groups, but got input of shape "
                           f"{list(shape)} and num_groups={num_groups}")
    groups = viewed(input, (shape[0], num_groups, prod(shape[1:]) // num_groups))
    result = viewed(standardized(groups, (2,), eps)[0], shape)
    return named(scaled(result, per_channel(weight, len(shape)), per_channel(bias, len(shape))), "NativeGroupNormBackward0")


def instance_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
                  weight: Tensor | None = None,
                  bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """Each channel of each sample normalized by itself, or by the running statistics without `use_input_stats`.

    >>> import tapediff as td
    >>> instance_norm(td.tensor([[[1., 3.], [0., 4.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    check_tensor(input, "instance_norm")
    shape = input.spec.shape
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count = prod(shape[2:])
    if count <= 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})")
    result, mean, variance = standardized(input, tuple(range(2, len(shape))), eps)
    update(running_mean, mean_of(mean, (0,)), 1.0, momentum)
    update(running_var, mean_of(variance, (0,)), count / (count - 1), momentum)
    return named(scaled(result, per_channel(weight, len(shape)), per_channel(bias, len(shape))), "ViewBackward0")
