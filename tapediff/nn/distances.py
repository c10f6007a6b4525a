"""Distances, similarities, and the losses built on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapediff.functions.distances import cosine_similarity, pairwise_distance
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.reduction import check_constant, check_reduction, chosen, folded
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.tensor import Tensor

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "margin_ranking_loss", "normalize", "pairwise_distance",
    "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: None = None) -> Tensor:
    """Each vector along `dim` divided by its p-norm, or by `eps` where the norm is smaller.

    >>> import tapediff as td
    >>> normalize(td.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    check_tensor(input, "normalize")
    norm = FUNCTIONS["norm"](input, p, dim, keepdim=True)
    return elementwise(ROWS["div"], input, elementwise(ROWS["clamp_min"], norm, float(eps)))


# --- losses ---------------------------------------------------------------------------------------------------------------------

def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                          reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``1 - cos`` for pairs whose target is 1, and ``max(0, cos - margin)`` for pairs whose target is -1.

    >>> import tapediff as td
    >>> cosine_embedding_loss(td.tensor([[1., 0.]]), td.tensor([[0., 1.]]), td.tensor([1]))
    tensor(1.)
    """
    reduction = chosen(size_average, reduce, reduction)
    cosine = cosine_similarity(input1, input2, dim=input1.spec.ndim - 1)
    alike = elementwise(ROWS["where"], elementwise(ROWS["eq"], target, 1), elementwise(ROWS["sub"], 1, cosine), 0.0)
    beyond = elementwise(ROWS["clamp_min"], elementwise(ROWS["sub"], cosine, float(margin)), 0.0)
    different = elementwise(ROWS["where"], elementwise(ROWS["eq"], target, -1), beyond, 0.0)
    return folded(elementwise(ROWS["add"], alike, different), reduction)


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                        reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``.

    >>> import tapediff as td
    >>> margin_ranking_loss(td.tensor([1., 2.]), td.tensor([2., 1.]), td.tensor([1., 1.]))
    tensor(0.5000)
    """
    reduction = chosen(size_average, reduce, reduction)
    if not input1.spec.ndim == input2.spec.ndim == target.spec.ndim:
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension but got sizes: "
                           f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} ")
    gap = elementwise(ROWS["mul"], elementwise(ROWS["neg"], target), elementwise(ROWS["sub"], input1, input2))
    return folded(elementwise(ROWS["clamp_min"], elementwise(ROWS["add"], gap, float(margin)), 0.0), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
                         reduce: bool | None = None,
                         reduction: str = "mean") -> Tensor:
    """The input where the target is 1, and ``max(0, margin - input)`` where it is -1.

    >>> import tapediff as td
    >>> hinge_embedding_loss(td.tensor([0.5, 0.25]), td.tensor([1., -1.]))
    tensor(0.6250)
    """
    reduction = chosen(size_average, reduce, reduction)
    beyond = elementwise(ROWS["clamp_min"], elementwise(ROWS["sub"], float(margin), input), 0.0)
    far = elementwise(ROWS["where"], elementwise(ROWS["ne"], target, 1), beyond, 0.0)
    near = elementwise(ROWS["where"], elementwise(ROWS["ne"], target, -1), input, 0.0)
    return folded(elementwise(ROWS["add"], far, near), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                     reduction: str = "mean") -> Tensor:
    """``log(1 + exp(-target * input))`` for targets of 1 and -1.

    >>> import tapediff as td
    >>> soft_margin_loss(td.tensor([0., 1.]), td.tensor([1., -1.]))
    tensor(1.0032)
    """
    reduction = chosen(size_average, reduce, reduction)
    check_constant("soft_margin_loss", "target", target)
    exponent = elementwise(ROWS["mul"], elementwise(ROWS["neg"], target), input)
    losses = elementwise(ROWS["neg"], elementwise(ROWS["logsigmoid"], elementwise(ROWS["neg"], exponent)))
    return folded(losses, reduction, "soft_margin", "SoftMarginLossBackward0")


def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
                        swap: bool = False, size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the distance of `pairwise_distance`.

    >>> import tapediff as td
    >>> triplet_margin_loss(td.tensor([[0., 0.]]), td.tensor([[3., 4.]]), td.tensor([[0., 2.]]))
    tensor(4.0000)
    """
    reduction = chosen(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    to_positive = pairwise_distance(anchor, positive, p, eps)
    to_negative = pairwise_distance(anchor, negative, p, eps)
    if swap:
        to_negative = elementwise(ROWS["minimum"], to_negative, pairwise_distance(positive, negative, p, eps))
    gap = elementwise(ROWS["add"], elementwise(ROWS["sub"], to_positive, to_negative), float(margin))
    return folded(elementwise(ROWS["clamp_min"], gap, 0.0), reduction)


def triplet_margin_with_distance_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *,
                                      distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
                                      swap: bool = False, reduction: str = "mean") -> Tensor:
    """`triplet_margin_loss` with a distance of the user's own.

    >>> import tapediff as td
    >>> triplet_margin_with_distance_loss(td.zeros(1, 2), td.zeros(1, 2), td.ones(1, 2),
    ...                                   distance_function=lambda a, b: (a - b).abs().sum(1))
    tensor(0.)
    """
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    if not anchor.spec.ndim == positive.spec.ndim == negative.spec.ndim:
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the same number of dimensions, but "
                           f"got: anchor {anchor.spec.ndim}D, positive {positive.spec.ndim}D, and negative "
                           f"{negative.spec.ndim}D inputs")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = FUNCTIONS["minimum"](far, distance(positive, negative))
    losses = (margin + near - far).clamp_min(0)
    return losses if reduction == "none" else getattr(losses, reduction)()
