"""Losses of classes: from log-probabilities or logits and class indices, or the probabilities of the classes."""

from __future__ import annotations

import functools
from math import prod
from typing import Any

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.elementwise import array_of
from tapediff.functions.naming import named
from tapediff.functions.products import viewed
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.activations import logsigmoid
from tapediff.nn.reduction import check_constant, check_floating, chosen, folded
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, is_traced, source_of, structural
from tapediff.tape.spec import Spec
from tapediff.tensor import Tensor

__all__ = ["cross_entropy", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss"]

_LOG_SOFTMAX, _NLL, _NLL2D = STRUCTURAL["log_softmax"], STRUCTURAL["nll_loss"], STRUCTURAL["nll_loss2d"]


def check_classes(target: Tensor, classes: int, ignore_index: int) -> None:
    """Refuse class indices that do not exist; reads the target.

    Raises
        IndexError: an index that is not ignored is negative or too large.
    """
    if is_traced() and not some((target != ignore_index) & ((target < 0) | (target >= classes))):
        return
    source = source_of(target)
    wrong = _first_outside()(source.address, target.spec.size, classes, ignore_index)
    if wrong >= 0:
        raise IndexError(f"Target {source.values().flat[wrong]} is out of bounds.: there are {classes} classes, counted from 0")


@functools.cache
def _first_outside() -> Any:
    """The compiled search, loaded when first needed: an eighth of the time of NumPy's comparisons."""
    from tapediff import sweeps
    from tapediff.kernels.options import entry
    return entry(sweeps.first_outside)


def check_target(input: Spec, target: Spec) -> None:
    """Refuse class indices whose dtype or shape does not fit log-probabilities."""
    if target.dtype is not dtypes.int64:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.legacy}; convert it with .long()")
    if input.ndim <= 2:
        if target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported: "
                               f"got input {list(input.shape)} and target {list(target.shape)}")
        if input.ndim == 1 and target.ndim == 1 and target.size != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.size}")
    if input.ndim > 1:
        samples = target.shape[0] if target.ndim else 1
        if input.shape[0] != samples:
            raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({samples}).")
    wanted = (*input.shape[:1], *input.shape[2:])
    if input.ndim > 2 and target.shape != wanted:
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(target.shape)}")


def check_weight(weight: Tensor | None, input: Spec, prefix: str = "") -> None:
    """Refuse weights that are not one per class, of the dtype of the input."""
    if weight is None:
        return
    classes = input.shape[1 if input.ndim > 1 else 0]
    if weight.spec.shape != (classes,):
        raise RuntimeError(f"{prefix}weight tensor should be defined either for all {classes} classes or no classes but got "
                           "weight tensor of "
                           f"shape: {list(weight.spec.shape)}")
    if weight.spec.dtype is not input.dtype:
        raise RuntimeError(f"expected scalar type {input.dtype.legacy} but found {weight.spec.dtype.legacy}: convert the "
                           "weight with .to(...)")


def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
             ignore_index: int = -100,
             reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The negative log-likelihood ``-input[i, target[i]]`` of class indices, from log-probabilities of shape (N, C), (C,) or (N,
    C, ...).

    With `weight` each sample counts by the weight of its class, also in the mean; samples of class `ignore_index` do not count.

    Raises
        ValueError: input and target have different numbers of samples.
        IndexError: a class index does not exist.

    >>> import tapediff as td
    >>> nll_loss(td.tensor([[-0.5, -2.], [-1., -3.]]), td.tensor([0, 1]), reduction="none")
    tensor([0.5000, 3.0000])
    """
    check_tensor(input, "nll_loss_nd")
    check_tensor(target, "nll_loss_nd", "target", 2)
    return picked(input, target, weight, int(ignore_index), chosen(size_average, reduce, reduction))


def picked(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """nll_loss of checked arguments."""
    a = input.spec
    if not a.ndim:
        raise RuntimeError("input tensor should be 1D or 2D: nll_loss got a tensor without dimensions")
    check_target(a, target.spec)
    check_weight(weight, a)
    if weight is not None:
        check_constant("nll_loss_forward", "weight", weight)
    check_floating("nll_loss_out_frame", input)
    check_classes(target, a.shape[1 if a.ndim > 1 else 0], ignore_index)
    if a.ndim == 1 and target.spec.ndim:
        target = viewed(target, ())
    weights = () if weight is None else (weight,)
    result = structural(_NLL if a.ndim <= 2 else _NLL2D, (reduction, ignore_index, a.shape), input, target, *weights)
    if a.ndim != 4 and a.ndim > 2 and reduction == "none":  # PyTorch reshapes these to images and back
        return viewed(result, result.spec.shape)
    return result


# Specs of logits and class indices that cross_entropy has checked, with the attributes of the row
_checked: dict[tuple[Spec, Spec, str], tuple[str, int, tuple[int, ...]]] = {}


def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                  ignore_index: int = -100,
                  reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """The cross entropy between logits and class indices, or class probabilities: ``nll_loss(log_softmax(input, 1), target)``.

    The logits have shape (N, C), (C,) or (N, C, ...); indices have the same shape without C, probabilities the same shape.
    `label_smoothing` mixes the target with equal probabilities of all classes.

    Raises
        ValueError: input and target have different numbers of samples.
        IndexError: a class index does not exist.
        RuntimeError: shapes or dtypes do not fit.

    >>> import tapediff as td
    >>> cross_entropy(td.tensor([[0., 0.], [1000., 0.]]), td.tensor([0, 1]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    if weight is None and ignore_index == -100 and not label_smoothing:
        try:
            attributes = _checked[input.spec, target.spec, reduction]
        except (KeyError, AttributeError):
            pass
        else:
            if size_average is None and reduce is None:
                check_classes(target, attributes[2][1], -100)
                return structural(_NLL, attributes, structural(_LOG_SOFTMAX, 1, input), target)
    return general_cross_entropy(input, target, weight, int(ignore_index), chosen(size_average, reduce, reduction),
                                 label_smoothing)


def general_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str,
                          label_smoothing: float) -> Tensor:
    """cross_entropy with all checks, for all its forms."""
    check_tensor(input, "cross_entropy_loss")
    check_tensor(target, "cross_entropy_loss", "target", 2)
    a, t = input.spec, target.spec
    if not a.ndim:
        raise RuntimeError("cross_entropy takes logits of shape (C,), (N, C) or (N, C, ...), not a tensor without dimensions")
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    dim = 1 if a.ndim > 1 else 0
    if a.shape == t.shape:
        if not t.dtype.is_floating_point:
            raise RuntimeError(f"Expected floating point type for target with class probabilities, got {t.dtype.legacy}")
        if ignore_index >= 0:
            raise RuntimeError(f"ignore_index is not supported for floating point target: got ignore_index={ignore_index}")
        check_weight(weight, a, "cross_entropy: ")
        return of_probabilities(log_softmax(input, dim), target, weight, reduction, label_smoothing, dim)
    if a.ndim == t.ndim == 1:
        raise RuntimeError(f"size mismatch (got input: {list(a.shape)}, target: {list(t.shape)}): logits of one sample take an "
                           "index without dimensions")
    if label_smoothing:
        return smoothed(log_softmax(input, dim), target, weight, ignore_index, reduction, label_smoothing, dim)
    loss = picked(log_softmax(input, dim), target, weight, ignore_index, reduction)
    if a.ndim == 2:
        _checked[a, t, reduction] = (reduction, -100, a.shape)
    return loss


def log_softmax(input: Tensor, dim: int) -> Tensor:
    check_floating("log_softmax_lastdim_kernel_impl", input)
    return structural(_LOG_SOFTMAX, dim, input)


def along_classes(weight: Tensor, ndim: int, dim: int) -> Tensor:
    """The weights of the classes in a shape that broadcasts along `dim`."""
    return viewed(weight, (1,) * dim + weight.spec.shape + (1,) * (ndim - dim - 1))


def of_probabilities(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float,
                     dim: int) -> Tensor:
    """The cross entropy of log-probabilities and the probabilities of the classes."""
    shape = input.spec.shape
    if label_smoothing:
        target = elementwise(ROWS["add"], elementwise(ROWS["mul"], target, 1 - label_smoothing), label_smoothing / shape[dim])
    products = elementwise(ROWS["mul"], input, target)
    if weight is not None:
        products = elementwise(ROWS["mul"], products, along_classes(weight, len(shape), dim))
    if reduction == "none":
        return elementwise(ROWS["neg"], structural(STRUCTURAL["sum_dim"], ((dim,), False), products))
    total = elementwise(ROWS["neg"], folded(products, "sum"))
    if reduction == "sum":
        return total
    samples = prod(shape) // shape[dim] if shape[dim] else 0
    return named(elementwise(ROWS["div"], total, samples), "DivBackward1")


def smoothed(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float,
             dim: int) -> Tensor:
    """The cross entropy of log-probabilities and class indices, mixed with that of equal probabilities."""
    shape = input.spec.shape
    certain = picked(input, target, weight, ignore_index, reduction)
    weights = input if weight is None else elementwise(ROWS["mul"], input, along_classes(weight, len(shape), dim))
    spread = elementwise(ROWS["neg"], structural(STRUCTURAL["sum_dim"], ((dim,), False), weights))
    indices = viewed(target, spread.spec.shape) if target.spec.shape != spread.spec.shape else target
    ignored = elementwise(ROWS["eq"], indices, ignore_index)
    spread = elementwise(ROWS["where"], ignored, 0.0, spread)
    if reduction == "sum":
        spread = folded(spread, "sum")
    elif reduction == "mean":
        counted = counted_weight(indices, weight, ignore_index)
        spread = elementwise(ROWS["div"], folded(spread, "sum"), counted)
    share = label_smoothing / shape[dim]
    return elementwise(ROWS["add"], elementwise(ROWS["mul"], certain, 1 - label_smoothing),
                       elementwise(ROWS["mul"], spread, share))


def counted_weight(indices: Tensor, weight: Tensor | None, ignore_index: int) -> Any:
    """The sum of the weights of the samples that are not ignored."""
    if is_traced():
        counts = indices != ignore_index
        if weight is None:
            return counts.sum()
        known = elementwise(ROWS["where"], counts, indices, 0)
        return elementwise(ROWS["where"], counts, weight.detach().take(known), 0.0).sum()
    places = array_of(indices)
    counted = places[places != ignore_index]
    return float(counted.size if weight is None else array_of(weight)[counted].sum())


# --- margins --------------------------------------------------------------------------------------------------------------------

def multi_margin_loss(input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
                      size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The mean over wrong classes of ``max(0, margin - input[target] + input[class])**p``, p 1 or 2.

    >>> import tapediff as td
    >>> multi_margin_loss(td.tensor([[0.5, 1., 0.]]), td.tensor([0]))
    tensor(0.6667)
    """
    check_tensor(input, "multi_margin_loss")
    check_tensor(target, "multi_margin_loss", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.spec.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    check_target(input.spec, target.spec)
    rows = input if input.spec.ndim == 2 else viewed(input, (1, input.spec.size))
    samples, classes = rows.spec.shape
    check_classes(target, classes, -1)
    indices = viewed(target, (samples, 1))
    chosen_score = viewed(structural(_NLL, ("none", -1, rows.spec.shape), rows, viewed(target, (samples,))),
                          (samples, 1))  # its negative
    hinge = elementwise(ROWS["clamp_min"], elementwise(ROWS["add"], elementwise(ROWS["add"], rows, chosen_score), float(margin)),
                        0.0)
    if p == 2:
        hinge = elementwise(ROWS["square"], hinge)
    if weight is not None:
        hinge = elementwise(ROWS["mul"], hinge, viewed(FUNCTIONS["index_select"](weight, 0, viewed(target, (samples,))),
                                                       (samples, 1)))
    is_target = elementwise(ROWS["eq"], indices, class_numbers(classes))
    losses = structural(STRUCTURAL["sum_dim"], ((1,), False), elementwise(ROWS["where"], is_target, 0.0, hinge))
    losses = elementwise(ROWS["div"], losses, classes)
    if input.spec.ndim == 1:
        losses = viewed(losses, ())
    return folded(losses, reduction, "multi_margin", "MultiMarginLossBackward0")


def class_numbers(classes: int) -> Tensor:
    """The class indices as a tensor."""
    return FUNCTIONS["arange"](classes)


def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                                reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The mean over classes of the binary cross entropy of logits, for targets of 0 and 1.

    >>> import tapediff as td
    >>> multilabel_soft_margin_loss(td.tensor([[0., 0.]]), td.tensor([[1., 0.]]))
    tensor(0.6931)
    """
    check_tensor(input, "multilabel_soft_margin_loss")
    check_tensor(target, "multilabel_soft_margin_loss", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    positive = elementwise(ROWS["mul"], target, logsigmoid(input))
    negative = elementwise(ROWS["mul"], elementwise(ROWS["sub"], 1, target), logsigmoid(elementwise(ROWS["neg"], input)))
    losses = elementwise(ROWS["neg"], elementwise(ROWS["add"], positive, negative))
    if weight is not None:
        losses = elementwise(ROWS["mul"], losses, weight)
    dim = losses.spec.ndim - 1
    if dim >= 0:
        total = structural(STRUCTURAL["sum_dim"], ((dim,), False), losses)
        losses = elementwise(ROWS["div"], total, losses.spec.shape[dim])
    return folded(losses, reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                           reduction: str = "mean") -> Tensor:
    """For each class of a sample and each other one ``max(0, 1 - (x[class] - x[other]))``, added up and divided by C.

    target  (N, C) or (C,): the classes of each sample, then -1

    >>> import tapediff as td
    >>> multilabel_margin_loss(td.tensor([0.1, 0.2, 0.4, 0.8]), td.tensor([3, 0, -1, 1]))
    tensor(0.8500)
    """
    check_tensor(input, "multilabel_margin_loss")
    check_tensor(target, "multilabel_margin_loss", "target", 2)
    reduction = chosen(size_average, reduce, reduction)
    shape = input.spec.shape
    if target.spec.shape != shape or len(shape) > 2:
        raise RuntimeError(f"inconsistent target size: {list(target.spec.shape)} for input of size: {list(shape)}")
    if target.spec.dtype is not dtypes.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.spec.dtype.legacy}")
    classes = shape[-1] if shape else 1
    x, given = input.reshape(-1, classes), FUNCTIONS["reshape"](target, (-1, classes))
    ended = (given < 0).cumsum(1) > 0
    positions = given.clamp(min=0)
    if bool((positions >= classes).any()):
        raise RuntimeError("argument #2 'target' is out of range")
    is_class = FUNCTIONS["zeros"](*x.spec.shape, dtype=dtypes.int64).scatter_add(1, positions, (~ended).long()) > 0
    margins = (1 - x.gather(1, positions).unsqueeze(2) + x.unsqueeze(1)).clamp(min=0)
    counts = ~ended.unsqueeze(2) & ~is_class.unsqueeze(1)
    losses = FUNCTIONS["where"](counts, margins, 0.0).sum((1, 2)).to(x.spec.dtype) / classes
    losses = losses if len(shape) == 2 else losses.squeeze(0)
    return named(losses if reduction == "none" else getattr(losses, reduction)(), "MultilabelMarginLossBackward0")
