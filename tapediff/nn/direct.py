"""Functions of networks as names of the package itself, with the arguments that PyTorch gives them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapediff.nn import activations, distances, dropouts, layers, normalization, padding, pooling
from tapediff.nn import regression as losses
from tapediff.nn.activations import celu, celu_, hardshrink, prelu, selu, selu_, threshold, threshold_
from tapediff.nn.convolutions import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tapediff.nn.layers import bilinear
from tapediff.nn.normalization import rms_norm
from tapediff.nn.pooling import adaptive_avg_pool1d
from tapediff.nn.shuffling import channel_shuffle, pixel_shuffle, pixel_unshuffle
from tapediff.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "alpha_dropout_", "avg_pool1d", "batch_norm", "bilinear",
    "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle", "constant_pad_nd", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "dropout", "dropout_", "embedding",
    "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout", "feature_dropout_", "group_norm", "hardshrink",
    "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "margin_ranking_loss", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu",
    "rms_norm", "rrelu", "rrelu_", "selu", "selu_", "threshold", "threshold_", "triplet_margin_loss",
]

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(number: int | str) -> str:
    """The reduction that a number of PyTorch's enumeration means; names stay themselves."""
    if isinstance(number, str):
        return number
    if number not in (0, 1, 2):
        raise ValueError(f"{number} is not a valid value for reduction: use 0 (none), 1 (mean) or 2 (sum)")
    return REDUCTIONS[number]


# --- dropout --------------------------------------------------------------------------------------------------------------------

def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout` with all arguments given.

    >>> import tapediff as td
    >>> td.dropout(td.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    return dropouts.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout`, in place."""
    return dropouts.dropout(input, p, train, True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Whole channels, dimension 1 of (N, C, ...), set to zero."""
    return dropouts.dropped("feature_dropout", input, p, train, False, channels(input))


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout`, in place."""
    return dropouts.dropped("feature_dropout", input, p, train, True, channels(input))


def channels(input: Tensor) -> tuple[int, ...]:
    """The shape of one number for each channel of each sample."""
    shape = input.spec.shape
    if len(shape) < 2:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got shape {list(shape)}")
    return shape[:2] + (1,) * (len(shape) - 2)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.alpha_dropout` with all arguments given."""
    return dropouts.alpha_dropout(input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout`, in place."""
    return dropouts.alpha_dropout(input, p, train, True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.feature_alpha_dropout` with all arguments given."""
    return dropouts.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_alpha_dropout`, in place."""
    return dropouts.feature_alpha_dropout(input, p, train, True)


def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`nn.functional.rrelu`."""
    return activations.rrelu(input, lower, upper, training)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`rrelu`, in place."""
    return activations.rrelu(input, lower, upper, training, True)


# --- layers ---------------------------------------------------------------------------------------------------------------------

def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Tensor:
    """`nn.functional.embedding` with the table first; a `padding_idx` of -1 is none.

    >>> import tapediff as td
    >>> td.embedding(td.tensor([[1.], [2.]]), td.tensor([1]))
    tensor([[2.]])
    """
    return layers.embedding(indices, weight, None if padding_idx < 0 else padding_idx, scale_grad_by_freq=scale_grad_by_freq)


def layer_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5, cudnn_enable: bool = True) -> Tensor:
    """`nn.functional.layer_norm`."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
               cudnn_enabled: bool = True) -> Tensor:
    """`nn.functional.group_norm`."""
    return normalization.group_norm(input, num_groups, weight, bias, eps)


def batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
               running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool = True) -> Tensor:
    """`nn.functional.batch_norm` with all arguments given, the parameters first."""
    return normalization.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
                  running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
                  cudnn_enabled: bool = True) -> Tensor:
    """`nn.functional.instance_norm` with all arguments given, the parameters first."""
    return normalization.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`nn.functional.pad` with a number.

    >>> import tapediff as td
    >>> td.constant_pad_nd(td.ones(1), [1, 0], 7)
    tensor([7., 1.])
    """
    return padding.pad(input, pad, "constant", value)


# --- pooling --------------------------------------------------------------------------------------------------------------------

def max_pool1d(input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False) -> Tensor:
    """`nn.functional.max_pool1d`."""
    found: Tensor = pooling.max_pool1d(input, kernel_size, stride or None, padding, dilation, ceil_mode)
    return found


def max_pool1d_with_indices(input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
                            ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """`nn.functional.max_pool1d` with the places of the elements."""
    found: tuple[Tensor, Tensor] = pooling.max_pool1d(input, kernel_size, stride or None, padding, dilation, ceil_mode, True)
    return found


def max_pool2d(input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False) -> Tensor:
    """`nn.functional.max_pool2d`."""
    found: Tensor = pooling.max_pool2d(input, kernel_size, stride or None, padding, dilation, ceil_mode)
    return found


def max_pool3d(input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False) -> Tensor:
    """`nn.functional.max_pool3d`."""
    found: Tensor = pooling.max_pool3d(input, kernel_size, stride or None, padding, dilation, ceil_mode)
    return found


def avg_pool1d(input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True) -> Tensor:
    """`nn.functional.avg_pool1d`."""
    return pooling.avg_pool1d(input, kernel_size, stride or None, padding, ceil_mode, count_include_pad)


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """`nn.functional.adaptive_max_pool1d` with the places of the elements."""
    found: tuple[Tensor, Tensor] = pooling.adaptive_max_pool1d(input, output_size, True)
    return found


# --- losses: reduction 0 is none, which PyTorch takes by default here, 1 the mean, 2 the sum ------------------------------------

def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     pos_weight: Tensor | None = None, reduction: int | str = 0) -> Tensor:
    """`nn.functional.binary_cross_entropy_with_logits`, its reduction as a number."""
    return losses.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction_of(reduction),
                                                   pos_weight=pos_weight)


def kl_div(input: Tensor, target: Tensor, reduction: int | str = 0, *, log_target: bool = False) -> Tensor:
    """`nn.functional.kl_div`, its reduction as a number."""
    return losses.kl_div(input, target, reduction=reduction_of(reduction), log_target=log_target)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int | str) -> Tensor:
    """`nn.functional.poisson_nll_loss` with all arguments given, its reduction as a number."""
    return losses.poisson_nll_loss(input, target, log_input, full, None, eps, reduction=reduction_of(reduction))


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0,
                          reduction: int | str = 0) -> Tensor:
    """`nn.functional.cosine_embedding_loss`, its reduction as a number."""
    return distances.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction_of(reduction))


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int | str = 0) -> Tensor:
    """`nn.functional.hinge_embedding_loss`, its reduction as a number."""
    return distances.hinge_embedding_loss(input, target, margin, reduction=reduction_of(reduction))


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0,
                        reduction: int | str = 0) -> Tensor:
    """`nn.functional.margin_ranking_loss`, its reduction as a number."""
    return distances.margin_ranking_loss(input1, input2, target, margin, reduction=reduction_of(reduction))


def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0,
                        eps: float = 1e-6, swap: bool = False, reduction: int | str = 0) -> Tensor:
    """`nn.functional.triplet_margin_loss`, its reduction as a number."""
    return distances.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=reduction_of(reduction))
