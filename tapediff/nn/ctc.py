"""The loss of connectionist temporal classification (Graves et al. 2006): over all alignments of a sequence to a longer one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.functions.composing import leaf, read
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.reduction import check_reduction
from tapediff.tensor import Tensor

__all__ = ["ctc_loss"]

Array = np.ndarray[Any, Any]
NEVER = -1e30  # the logarithm of no probability: finite, since differences of infinities are nan


def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
             reduction: str = "mean", zero_infinity: bool = False) -> Tensor:
    """Minus the logarithm of the probability of each target under all alignments with blanks and repetitions.

    log_probs       (T, N, C) or (T, C), logarithms of probabilities
    targets         (N, S), or all behind each other; no blanks
    input_lengths   how many steps each sample has; target_lengths likewise
    reduction       "mean": each loss over the length of its target, then the mean
    zero_infinity   targets that no alignment fits count 0

    As in PyTorch the gradient by log_probs is that of their softmax: exact behind `log_softmax`.

    >>> import tapediff as td
    >>> round(ctc_loss(td.full((2, 1, 2), 0.5).log(), td.tensor([[1]]), (2,), (1,)).item(), 4)
    0.2877
    """
    check_tensor(log_probs, "ctc_loss", "log_probs")
    check_tensor(targets, "ctc_loss", "targets", 2)
    check_reduction(reduction)
    is_single = log_probs.spec.ndim == 2
    x = log_probs.unsqueeze(1) if is_single else log_probs
    steps, batch, classes = x.spec.shape
    lengths, wanted = (np.atleast_1d(np.asarray(read(one) if isinstance(one, Tensor) else one, np.int64)) for one
                       in (input_lengths, target_lengths))
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, given in (("input_lengths", lengths), ("target_lengths", wanted)):
        if len(given) != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    if lengths.max(initial=0) > steps:
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {lengths.max()}")
    labels = with_blanks(targets, wanted, blank)
    losses = -alignments(x, labels, lengths, wanted)
    is_impossible = losses.detach() > -NEVER / 2
    losses = FUNCTIONS["where"](is_impossible, 0.0 if zero_infinity else float("inf"), losses + softmax_terms(
        x, lengths, is_impossible))
    if reduction == "none":
        return named(losses.squeeze(0) if is_single else losses, "CtcLossBackward0")
    if reduction == "sum":
        return losses.sum()
    return (losses / leaf(np.maximum(wanted, 1).astype(losses.spec.dtype.numpy))).mean()


def with_blanks(targets: Tensor, wanted: Array, blank: int) -> Array:
    """The labels (N, 2 S + 1) of each target with blanks around all of them."""
    values, batch, most = read(targets), len(wanted), int(wanted.max(initial=0))
    labels = np.full((batch, 2 * most + 1), blank, np.int64)
    if values.ndim == 1 and values.size < wanted.sum():
        raise RuntimeError(f"Expected tensor to have size at least {wanted.sum()} at dimension 0, but got size {values.size} for "
                           "argument #2 'targets'")
    if values.ndim == 2 and values.shape[1] < most:
        raise RuntimeError(f"Expected tensor to have size at least {most} at dimension 1, but got size {values.shape[1]} for "
                           "argument #2 'targets'")
    start = 0
    for row, count in zip(range(batch), wanted):
        own = values[start:start + count] if values.ndim == 1 else values[row, :count]
        labels[row, 1:2 * count:2] = own
        start += count
    return labels


def alignments(x: Tensor, labels: Array, lengths: Array, wanted: Array) -> Tensor:
    """The logarithm of the probability of all alignments of each sample: the forward variables of the last step, added up."""
    (steps, batch, _), states = x.spec.shape, labels.shape[1]
    dtype = x.spec.dtype.numpy
    can_skip = np.zeros(labels.shape, bool)  # over a blank between different labels
    can_skip[:, 2:] = labels[:, 2:] != labels[:, :-2]
    emitted = FUNCTIONS["gather"](x, 2, leaf(np.broadcast_to(labels, (steps, *labels.shape)).copy())).clamp(min=NEVER)
    begin = np.full((batch, states), NEVER, dtype)
    begin[:, :2] = 0
    begin[wanted == 0, 1:] = NEVER
    never = FUNCTIONS["full"]((batch, 2), NEVER, dtype=x.spec.dtype)
    skips = leaf(can_skip)
    at: Any = leaf(begin) + emitted[0]
    final: Any = at
    for step in range(1, int(lengths.max(initial=0))):
        padded = FUNCTIONS["cat"]([never, at], 1)
        moved = FUNCTIONS["logaddexp"](at, padded[:, 1:states + 1])
        skipped = FUNCTIONS["where"](skips, padded[:, :states], NEVER).to(x.spec.dtype)
        at = (FUNCTIONS["logaddexp"](moved, skipped) + emitted[step]).clamp(min=NEVER)
        final = FUNCTIONS["where"](leaf((lengths > step)[:, None]), at, final)
    last = 2 * wanted
    ends = FUNCTIONS["gather"](final, 1, leaf(np.stack([last, np.maximum(last - 1, 0)], 1)))
    is_end = np.stack([np.ones(batch, bool), wanted > 0], 1)
    found: Tensor = FUNCTIONS["where"](leaf(is_end), ends, NEVER).to(x.spec.dtype).logsumexp(1)
    none = leaf(np.where(wanted > 0, NEVER, 0).astype(dtype))  # of no steps
    return FUNCTIONS["where"](leaf(lengths > 0), found, none)


def softmax_terms(x: Tensor, lengths: Array, is_impossible: Tensor) -> Tensor:
    """Zeros whose gradient is the probabilities of each sample's steps."""
    is_step = leaf((np.arange(x.spec.shape[0])[:, None] < lengths)[:, :, None])
    probabilities = FUNCTIONS["where"](is_step & ~is_impossible.unsqueeze(1), x.exp(), 0.0).sum((0, 2))
    return probabilities - probabilities.detach()
