"""Losses that compare element by element: of numbers, of probabilities, and of the parameters of a distribution."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tapediff.functions.checking import some
from tapediff.functions.registry import check_tensor
from tapediff.nn.reduction import check_constant, check_floating, check_reduction, chosen, folded, warn_of_broadcasting
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise, is_traced, source_of
from tapediff.tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss",
    "mse_loss",
    "poisson_nll_loss", "smooth_l1_loss",
]


# --- differences ----------------------------------------------------------------------------------------------------------------

def prepared(name: str, input: Tensor, target: Tensor, size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Check the operands of a loss of differences; returns the reduction."""
    check_tensor(input, name)
    check_tensor(target, name, "target", 2)
    reduction = chosen(size_average, reduce, reduction, 4)
    warn_of_broadcasting(input.spec, target.spec, 4)
    return reduction


def weighted(losses: Tensor, weight: Tensor, reduction: str, is_average: bool) -> Tensor:
    """Weighted losses of elements, folded; `is_average` divides their sum by the sum of the weights."""
    if weight.spec.shape != losses.spec.shape:
        raise ValueError(f"Weights and input must have the same size: got {list(weight.spec.shape)} and "
                         f"{list(losses.spec.shape)}")
    losses = elementwise(ROWS["mul"], losses, weight)
    if reduction == "mean" and is_average:
        return elementwise(ROWS["div"], folded(losses, "sum"), folded(weight, "sum"))
    return folded(losses, reduction)


def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
             weight: Tensor | None = None) -> Tensor:
    """The squared differences ``(input - target)**2``: their mean, their sum, or all of them.

    >>> import tapediff as td
    >>> mse_loss(td.tensor([1., 3.]), td.tensor([2., 1.]))
    tensor(2.5000)
    """
    reduction = prepared("mse_loss", input, target, size_average, reduce, reduction)
    check_floating("mse_cpu", input, target)
    losses = elementwise(ROWS["sq_error"], input, target)
    if weight is not None:
        return weighted(losses, weight, reduction, True)
    return folded(losses, reduction, "mse")


def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
            weight: Tensor | None = None) -> Tensor:
    """The absolute differences ``|input - target|``: their mean, their sum, or all of them.

    >>> import tapediff as td
    >>> l1_loss(td.tensor([1., 3.]), td.tensor([2., 1.]))
    tensor(1.5000)
    """
    reduction = prepared("l1_loss", input, target, size_average, reduce, reduction)
    losses = elementwise(ROWS["abs"], elementwise(ROWS["sub"], input, target))
    if weight is not None:
        return weighted(losses, weight, reduction, True)
    return folded(losses, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                   reduction: str = "mean",
                   beta: float = 1.0) -> Tensor:
    """``0.5 * d**2 / beta`` for differences ``|d| < beta``, and ``|d| - 0.5 * beta`` beyond.

    >>> import tapediff as td
    >>> smooth_l1_loss(td.tensor([1., 3.]), td.tensor([1.5, 1.]), reduction="none")
    tensor([0.1250, 1.5000])
    """
    reduction = prepared("smooth_l1_loss", input, target, size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta. Got beta={beta}")
    if beta == 0:
        return folded(elementwise(ROWS["abs"], elementwise(ROWS["sub"], input, target)), reduction)
    check_floating("smooth_l1_cpu", input, target)
    return folded(elementwise(ROWS["smooth_l1"], input, target, float(beta)), reduction, "smooth_l1")


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
               weight: Tensor | None = None) -> Tensor:
    """``0.5 * d**2`` for differences ``|d| <= delta``, and ``delta * (|d| - 0.5 * delta)`` beyond.

    >>> import tapediff as td
    >>> huber_loss(td.tensor([1., 3.]), td.tensor([1.5, 1.]), reduction="none")
    tensor([0.1250, 1.5000])
    """
    reduction = prepared("huber_loss", input, target, None, None, reduction)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta. Got delta={delta}")
    check_floating("huber_cpu", input, target)
    losses = elementwise(ROWS["huber"], input, target, float(delta))
    if weight is not None:
        return weighted(losses, weight, reduction, False)
    return folded(losses, reduction, "huber")


# --- probabilities --------------------------------------------------------------------------------------------------------------

def check_probabilities(argument: str, tensor: Tensor) -> None:
    """Refuse what is not between 0 and 1; reads the tensor."""
    if is_traced():
        some(~((tensor >= 0) & (tensor <= 1)))
    values = source_of(tensor).values()
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise RuntimeError(f"all elements of {argument} should be between 0 and 1: binary_cross_entropy got values from "
                           f"{values.min()} to "
                           f"{values.max()}; for logits there is binary_cross_entropy_with_logits")


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))`` of probabilities; the logarithms are cut off at -100.

    Raises
        ValueError: target and input have different shapes.
        RuntimeError: an element is not between 0 and 1.

    >>> import tapediff as td
    >>> binary_cross_entropy(td.tensor([0.5, 0.75]), td.tensor([1., 0.]), reduction="none")
    tensor([0.6931, 1.3863])
    """
    check_tensor(input, "binary_cross_entropy")
    check_tensor(target, "binary_cross_entropy", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    if input.spec.shape != target.spec.shape:
        raise ValueError(f"Using a target size (torch.Size({list(target.spec.shape)})) that is different to the input size "
                         f"(torch.Size({list(input.spec.shape)})) is deprecated. Please ensure they have the same size.")
    if target.spec.dtype is not input.spec.dtype:
        raise RuntimeError(f"Found dtype {target.spec.dtype.legacy} but expected {input.spec.dtype.legacy}: convert the target "
                           "with .to(...)")
    check_floating("binary_cross_entropy", input)
    check_probabilities("input", input)
    check_probabilities("target", target)
    if weight is not None:
        check_constant("binary_cross_entropy", "weight", weight)
    return folded(elementwise(ROWS["bce"], input, target, 1.0 if weight is None else weight), reduction, "bce")


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     size_average: bool | None = None,
                                     reduce: bool | None = None, reduction: str = "mean",
                                     pos_weight: Tensor | None = None) -> Tensor:
    """`binary_cross_entropy` of ``sigmoid(input)``, without overflow; `pos_weight` multiplies the term of the positive class.

    Raises
        ValueError: target and input have different shapes.

    >>> import tapediff as td
    >>> binary_cross_entropy_with_logits(td.tensor([0., 1000.]), td.tensor([1., 0.]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    check_tensor(input, "binary_cross_entropy_with_logits")
    check_tensor(target, "binary_cross_entropy_with_logits", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    if input.spec.shape != target.spec.shape:
        raise ValueError(f"Target size (torch.Size({list(target.spec.shape)})) must be the same as input size "
                         f"(torch.Size({list(input.spec.shape)}))")
    check_floating("binary_cross_entropy_with_logits", input)
    losses = elementwise(ROWS["bce_logits"], input, target, 1.0 if pos_weight is None else pos_weight)
    if weight is None:
        return folded(losses, reduction, "bce_logits")
    return folded(elementwise(ROWS["mul"], losses, weight), reduction, "bce_logits", "BinaryCrossEntropyWithLogitsBackward0")


def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
           log_target: bool = False) -> Tensor:
    """The Kullback-Leibler divergence ``target * (log(target) - input)``, where `input` holds log-probabilities.

    ``reduction="batchmean"`` divides the sum by the size of dimension 0, as the mathematical definition does.

    >>> import tapediff as td
    >>> kl_div(td.tensor([[0.5, 0.5]]).log(), td.tensor([[0.25, 0.75]]), reduction="batchmean")
    tensor(0.1308)
    """
    check_tensor(input, "kl_div")
    check_tensor(target, "kl_div", "target", 2)
    if size_average is not None or reduce is not None:
        reduction = chosen(size_average, reduce, reduction)
    elif reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' "
                      "divides only by the "
                      "batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as "
                      "'batchmean' in the "
                      "next major release.", UserWarning, stacklevel=2)
    elif reduction != "batchmean":
        check_reduction(reduction)
    if log_target:
        losses = elementwise(ROWS["mul"], elementwise(ROWS["exp"], target), elementwise(ROWS["sub"], target, input))
    else:
        losses = elementwise(ROWS["sub"], elementwise(ROWS["xlogy"], target, target), elementwise(ROWS["mul"], target, input))
    if reduction != "batchmean":
        return folded(losses, reduction)
    total = folded(losses, "sum")
    return elementwise(ROWS["div"], total, input.spec.shape[0]) if input.spec.ndim else total


# --- distributions --------------------------------------------------------------------------------------------------------------

def gaussian_nll_loss(input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Tensor:
    """The negative log-likelihood ``0.5 * (log(var) + (input - target)**2 / var)`` of a normal distribution; `var` is at least
    `eps`.

    Raises
        ValueError: a variance is negative, or `var` has a shape that fits neither the input nor its leading dimensions.

    >>> import tapediff as td
    >>> gaussian_nll_loss(td.tensor([1., 3.]), td.tensor([2., 1.]), td.tensor([1., 4.]))
    tensor(0.8466)
    """
    check_tensor(input, "gaussian_nll_loss")
    check_tensor(target, "gaussian_nll_loss", "target", 2)
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError(f"var has negative entry/entries: got {var}")
        var = elementwise(ROWS["add"], elementwise(ROWS["mul"], input.detach(), 0), float(var))
    shape = input.spec.shape
    if var.spec.shape != shape:
        if shape[:-1] == var.spec.shape:
            var = var.reshape(*shape[:-1], 1)
        elif shape[:-1] != var.spec.shape[:-1] or var.spec.shape[-1:] != (1,):
            raise ValueError(f"var is of incorrect size: got {list(var.spec.shape)} for an input of {list(shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid: use 'mean', 'sum' or 'none'")
    if some(elementwise(ROWS["lt"], var, 0)):
        raise ValueError("var has negative entry/entries: gaussian_nll_loss takes variances, not their logarithms")
    clamped = elementwise(ROWS["maximum"], var.detach(), float(eps))
    var = elementwise(ROWS["add"], elementwise(ROWS["sub"], var, var.detach()), clamped) if var.spec.requires_grad else clamped
    squares = elementwise(ROWS["div"], elementwise(ROWS["square"], elementwise(ROWS["sub"], input, target)), var)
    losses = elementwise(ROWS["mul"], elementwise(ROWS["add"], elementwise(ROWS["log"], var), squares), 0.5)
    if full:
        losses = elementwise(ROWS["add"], losses, 0.5 * math.log(2 * math.pi))
    return folded(losses, reduction)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
                     eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The negative log-likelihood of a Poisson distribution, whose rate is ``exp(input)``, or `input` itself without `log_input`.

    `full` adds Stirling's approximation of ``log(target!)`` where target exceeds 1.

    >>> import tapediff as td
    >>> poisson_nll_loss(td.tensor([0., 1.]), td.tensor([1., 2.]))
    tensor(0.8591)
    """
    check_tensor(input, "poisson_nll_loss")
    check_tensor(target, "poisson_nll_loss", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    if log_input:
        losses = elementwise(ROWS["sub"], elementwise(ROWS["exp"], input), elementwise(ROWS["mul"], target, input))
    else:
        logarithm = elementwise(ROWS["log"], elementwise(ROWS["add"], input, float(eps)))
        losses = elementwise(ROWS["sub"], input, elementwise(ROWS["mul"], target, logarithm))
    if full:
        logarithm = elementwise(ROWS["log"], target)
        half_log = elementwise(ROWS["mul"], elementwise(ROWS["log"], elementwise(ROWS["mul"], target, 2 * math.pi)), 0.5)
        stirling = elementwise(ROWS["add"], elementwise(ROWS["sub"], elementwise(ROWS["mul"], target, logarithm), target),
                               half_log)
        above_one = elementwise(ROWS["gt"], target, 1)
        losses = elementwise(ROWS["add"], losses, elementwise(ROWS["where"], above_one, stirling, 0.0))
    return folded(losses, reduction)
