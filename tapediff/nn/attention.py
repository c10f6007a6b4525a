"""Attention with several heads (Vaswani et al. 2017): projections, masks, and the weighted means of values."""

from __future__ import annotations

import math
from typing import Any

from tapediff import dtypes
from tapediff.functions.products import affine as linear
from tapediff.functions.products import matmul
from tapediff.functions.registry import FUNCTIONS
from tapediff.nn.activations import softmax
from tapediff.nn.dropouts import dropout
from tapediff.nn.padding import pad
from tapediff.tensor import Tensor

__all__ = ["multi_head_attention_forward"]


def as_scores(mask: Tensor | None, name: str, dtype: Any) -> Tensor | None:
    """A mask as numbers that are added to scores: -inf where a bool mask is True."""
    if mask is None:
        return None
    if mask.spec.dtype is dtypes.bool_:
        return FUNCTIONS["where"](mask, -math.inf, 0.0).to(dtype)
    assert mask.spec.dtype.is_floating_point, f"only bool and floating types of {name} are supported"
    return mask


def check_masks(query: Tensor, key: Tensor, heads: int, attn_mask: Tensor | None, key_padding_mask: Tensor | None) -> None:
    """Refuse masks of other shapes than (L, S) or (N * heads, L, S), and (N, S)."""
    (length, batch, _), source = query.spec.shape, key.spec.shape[0]
    if attn_mask is not None:
        wanted = (length, source) if attn_mask.spec.ndim == 2 else (batch * heads, length, source)
        if attn_mask.spec.ndim not in (2, 3):
            raise RuntimeError(f"attn_mask's dimension {attn_mask.spec.ndim} is not supported")
        if attn_mask.spec.shape != wanted:
            raise RuntimeError(f"The shape of the {attn_mask.spec.ndim}D attn_mask is {attn_mask.shape}, but should be {wanted}.")
    if key_padding_mask is not None:
        assert key_padding_mask.spec.shape == (batch, source), (
            f"expecting key_padding_mask shape of {(batch, source)}, but got {tuple(key_padding_mask.spec.shape)}")


def projected(query: Tensor, key: Tensor, value: Tensor, weights: tuple[Any, Any, Any] | Tensor,
              bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value times a weight each; one product where they are one tensor."""
    if isinstance(weights, Tensor) and query is key and key is value:
        first, second, third = linear(query, weights, bias).chunk(3, -1)
        return first, second, third
    parts = weights.chunk(3) if isinstance(weights, Tensor) else weights
    shifts = (None,) * 3 if bias is None else bias.chunk(3)
    first, second, third = (linear(x, w, b) for x, w, b in zip((query, key, value), parts, shifts))
    return first, second, third


def one_key_more(k: Tensor, v: Tensor, key: Tensor, value: Tensor, *masks: Tensor | None) -> tuple[Any, ...]:
    """Keys and values with one more, which all see."""
    shape = (1, *k.spec.shape[1:])
    wider = [None if mask is None else pad(mask, (0, 1)) for mask in masks]
    return FUNCTIONS["cat"]([k, key.expand(shape)]), FUNCTIONS["cat"]([v, value.expand(shape)]), *wider


def multi_head_attention_forward(query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
                                 in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
                                 bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
                                 out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
                                 need_weights: bool = True, attn_mask: Tensor | None = None,
                                 use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
                                 k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
                                 static_k: Tensor | None = None, static_v: Tensor | None = None,
                                 average_attn_weights: bool = True, is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes: query (L, N, E), key and value (S, N, ...) or without N; the result is like query.

    key_padding_mask  (N, S): True, or -inf, for keys that nobody sees
    attn_mask         (L, S) or (N * heads, L, S): True, or -inf, for pairs that do not see each other
    need_weights      also return the weights, (N, L, S), or of each head (N, heads, L, S)
    is_causal         a hint that attn_mask is causal, which must be given all the same

    Raises
        RuntimeError, AssertionError: shapes that do not fit, or the hint without a mask.
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError("static_k and static_v are not supported: pass key and value")
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    is_single = query.spec.ndim == 2
    if query.spec.ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {query.spec.ndim}-D query tensor")
    if is_single:
        shared = {id(x): x.unsqueeze(1) for x in (query, key, value)}  # the same tensor stays one
        query, key, value = shared[id(query)], shared[id(key)], shared[id(value)]
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.spec.shape
    assert width == embed_dim_to_check, f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}"
    assert key.spec.shape[:2] == value.spec.shape[:2], (
        f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    check_masks(query, key, num_heads, attn_mask, key_padding_mask)
    weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    q, k, v = projected(query, key, value, weights, in_proj_bias)
    mask = as_scores(attn_mask, "attn_mask", query.spec.dtype)
    padding = as_scores(key_padding_mask, "key_padding_mask", query.spec.dtype)
    if bias_k is not None and bias_v is not None:
        k, v, mask, padding = one_key_more(k, v, bias_k, bias_v, mask, padding)
    if add_zero_attn:
        zero = FUNCTIONS["zeros"](1, 1, width, dtype=q.spec.dtype)
        k, v, mask, padding = one_key_more(k, v, zero, zero, mask, padding)
    source = k.spec.shape[0]
    size = width // num_heads
    q, k, v = (x.reshape(x.spec.shape[0], batch, num_heads, size).permute(1, 2, 0, 3) for x in (q, k, v))
    scores = matmul(q * math.sqrt(1.0 / size), k.transpose(-2, -1))
    if mask is not None:
        scores = scores + (mask if mask.spec.ndim == 2 else mask.reshape(batch, num_heads, length, source))
    if padding is not None:
        scores = scores + padding.reshape(batch, 1, 1, source)
    shares = softmax(scores, -1)
    if dropout_p > 0:
        shares = dropout(shares, dropout_p, training)
    seen = matmul(shares, v).permute(2, 0, 1, 3).reshape(length, batch, width)
    output = linear(seen, out_proj_weight, out_proj_bias)
    shown: Tensor | None = None
    if need_weights:
        shown = shares.mean(1) if average_attn_weights else shares
    if is_single:
        return output.squeeze(1), None if shown is None else shown.squeeze(0)
    return output, shown
