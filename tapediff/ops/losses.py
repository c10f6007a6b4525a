"""Rows of the losses: the negative log-likelihood of class indices, and sums and means under the names of the losses that end in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops import reductions  # noqa: F401 - its rows are renamed here
from tapediff.ops.structural import STRUCTURAL, add_row
from tapediff.tape.spec import Spec

__all__ = ["REDUCED"]

# A loss whose elements have a row of their own, and which is then averaged or added up, is one node in PyTorch.
# Here the reduction carries the loss's name: REDUCED["mse", "mean"].
REDUCED = {}
for _loss, _grad_fn in (("mse", "MseLossBackward0"), ("smooth_l1", "SmoothL1LossBackward0"), ("huber", "HuberLossBackward0"),
                        ("bce", "BinaryCrossEntropyBackward0"), ("bce_logits", "BinaryCrossEntropyWithLogitsBackward0"),
                        ("soft_margin", "SoftMarginLossBackward0"), ("multi_margin", "MultiMarginLossBackward0")):
    for _reduction in ("mean", "sum"):
        _row = replace(STRUCTURAL[_reduction], name=f"{_loss}_{_reduction}", grad_fn=_grad_fn)
        REDUCED[_loss, _reduction] = STRUCTURAL[_row.name] = _row


# nll_loss: operands (log-probabilities, class indices, weights of the classes if given); the classes lie along dim 1, of a vector along dim 0.
# Attributes: (reduction, ignored index, shape of the log-probabilities)

Attributes = tuple[str, int, tuple[int, ...]]


def infer_nll(attributes: Attributes, input: Spec, target: Spec, *weight: Spec) -> tuple[tuple[int, ...], DType]:
    return target.shape if attributes[0] == "none" else (), input.dtype


def counted_weights(attributes: Attributes, target: Any, weight: tuple[Any, ...], dtype: Any) -> tuple[Any, Any]:
    """For each class index one that can be looked up, and its weight, 0 where it is ignored; None if all count as 1."""
    ignored = target == attributes[1]
    if ignored.any():
        target = np.where(ignored, 0, target)
        return target, np.asarray((weight[0][target] if weight else 1) * ~ignored, dtype)
    return target, np.asarray(weight[0][target]) if weight else None


def places(shape: tuple[int, ...], target: Any) -> Any:
    """Where in log-probabilities of this shape the target's classes lie."""
    if len(shape) == 1:
        return (target,)
    if len(shape) == 2:
        return np.arange(shape[0]), target
    first, *others = np.ogrid[tuple(slice(size) for size in target.shape)]
    return (first, target, *others)


def nll_forward(attributes: Attributes, input: Any, target: Any, *weight: Any) -> Any:
    reduction, _, shape = attributes
    target, weights = counted_weights(attributes, target, weight, input.dtype)
    losses = -input[places(shape, target)]
    if weights is not None:
        losses = np.where(weights == 0, np.zeros((), input.dtype), losses * weights)
    if reduction == "none":
        return losses
    total = losses.sum(dtype=input.dtype)
    return total if reduction == "sum" else total / total_weight(weights, target)


def total_weight(weights: Any, target: Any) -> Any:
    """What the mean divides by."""
    return target.size if weights is None else weights.sum(dtype=weights.dtype)


def nll_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, input: Any, target: Any, *weight: Any) -> Any:
    return F.nll_spread(y_bar, target, *weight, attributes)


def infer_spread(attributes: Attributes, y_bar: Spec, target: Spec, *weight: Spec) -> tuple[tuple[int, ...], DType]:
    return attributes[2], y_bar.dtype


def nll_spread_forward(attributes: Attributes, y_bar: Any, target: Any, *weight: Any) -> Any:
    reduction, _, shape = attributes
    out = np.zeros(shape, y_bar.dtype)
    target, weights = counted_weights(attributes, target, weight, y_bar.dtype)
    if reduction == "mean":
        y_bar = y_bar / total_weight(weights, target)
    out[places(shape, target)] = -y_bar if weights is None else np.where(weights == 0, np.zeros((), y_bar.dtype), -y_bar * weights)
    return out


def nll_spread_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, input: Any, target: Any, *weight: Any) -> Any:
    return F.nll_loss(y_bar, target, *weight, attributes)


def quietly(forward: Any) -> Any:
    """The mean over nothing is nan, without a warning."""
    return np.errstate(all="ignore")(forward)


for _name, _grad_fn in (("nll_loss", "NllLossBackward0"), ("nll_loss2d", "NllLoss2DBackward0")):
    add_row(_name, infer_nll, quietly(nll_forward), nll_pullback, operands=(0,), saves=(frozenset({1, 2}),), grad_fn=_grad_fn, kernel="nll_loss", lanes="nll_loss",
            doc="The negative of each sample's element at its class index, weighted. Attributes: (reduction, ignored index, shape of the operand).")
add_row("nll_spread", infer_spread, quietly(nll_spread_forward), nll_spread_pullback, operands=(0,), saves=(frozenset({1, 2}),), lanes="nll_spread",
        doc="The transpose of nll_loss: an adjoint put at each sample's class index. Attributes: (reduction, ignored index, shape of the result).")
