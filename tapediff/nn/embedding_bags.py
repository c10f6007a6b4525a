"""Bags of embeddings: rows of a table, looked up and folded without keeping them apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.functions.composing import leaf, read
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.tensor import Tensor

__all__ = ["embedding_bag"]


def embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
                  norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
                  padding_idx: int | None = None) -> Tensor:
    """The sum, mean or maximum of the rows of `weight` in each bag; an empty bag is zero.

    input               (bags, size), or a vector of all positions, cut into bags that begin at `offsets`
    per_sample_weights  for mode "sum": by what each row is multiplied
    include_last_offset offsets end with the number of positions
    padding_idx         a position that does not count

    >>> import tapediff as td
    >>> embedding_bag(td.tensor([0, 1, 1]), td.tensor([[1.], [3.]]), td.tensor([0, 2]), mode="sum")
    tensor([[4.],
            [3.]])
    """
    check_tensor(input, "embedding_bag")
    check_tensor(weight, "embedding_bag", "weight", 2)
    if max_norm is not None or scale_grad_by_freq:
        raise NotImplementedError("embedding_bag() does not take max_norm and scale_grad_by_freq here: scale the weight or its "
                                  "gradient yourself")
    if per_sample_weights is not None and per_sample_weights.spec.shape != input.spec.shape:
        raise ValueError(f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
                         f"same shape as the input ({input.shape})")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
                                  f"mode='sum' (got mode='{mode}'). Please open a feature request on GitHub.")
    rows = weight.spec.shape[0]
    bags, count = bags_of(input, offsets, include_last_offset)
    positions = read(input).reshape(-1)
    if positions.size and (positions.min() < 0 or positions.max() >= rows):
        raise IndexError(f"index out of range in self: embedding_bag got indices from {positions.min()} to {positions.max()} for "
                         f"{rows} rows")
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    if padding_idx is not None:
        assert -rows <= padding_idx < rows, "padding_idx must be within num_embeddings"
        counts = positions != padding_idx % rows
        if factors is not None:
            factors = factors[leaf(np.nonzero(counts)[0])]
        positions, bags = positions[counts], bags[counts]
    found = FUNCTIONS["index_select"](weight, 0, leaf(positions.astype(np.int64)))
    if factors is not None:
        found = found * factors.unsqueeze(1)
    return named(folded(found, bags, count, mode), "EmbeddingBagBackward0")


def folded(found: Tensor, bags: np.ndarray[Any, Any], count: int, mode: str) -> Tensor:
    """The rows of each bag as one."""
    width, dtype = found.spec.shape[1], found.spec.dtype
    empty = FUNCTIONS["zeros"](count, width, dtype=dtype)
    if mode == "max":
        places = leaf(np.broadcast_to(bags[:, None], (len(bags), width)).copy())
        return FUNCTIONS["scatter_reduce"](empty, 0, places, found, "amax", include_self=False)
    total: Tensor = FUNCTIONS["index_add"](empty, 0, leaf(bags), found)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bags, minlength=count), 1).astype(dtype.numpy)
    return total / leaf(sizes[:, None])


def bags_of(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[np.ndarray[Any, Any], int]:
    """The bag of each position, and how many bags there are."""
    if input.spec.ndim == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                             f"sequences. However, found offsets of type {type(offsets)}")
        bags, size = input.spec.shape
        return np.repeat(np.arange(bags), size), bags
    if input.spec.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.spec.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.spec.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = read(offsets)
    if starts.size and starts[0] != 0:
        raise RuntimeError(f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                           f"However, got {starts[0]}")
    total = input.spec.size
    if starts.size and starts[-1] > total:
        raise RuntimeError(f"offsets[-1] can not be greater than input's length {total}, but got offsets[-1] of {starts[-1]}")
    ends = starts[1:] if include_last_offset else np.append(starts[1:], total)
    count = len(ends)
    return np.repeat(np.arange(count), ends - starts[:count]), count
