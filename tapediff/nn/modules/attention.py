"""Attention as a layer, with PyTorch's parameters."""

from __future__ import annotations

from typing import Any

from tapediff.nn import functional as F
from tapediff.nn import init
from tapediff.nn.modules.linear import Linear, empty_parameter
from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Parameter
from tapediff.tensor import Tensor

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch prints for this one."""


class MultiheadAttention(Module):
    """Each query takes the mean of the values, weighted by how well their keys fit it; several times, in parts of the width.

    in_proj_weight, in_proj_bias  of query, key and value, below each other; with `kdim` or `vdim` the weights are apart
    out_proj                      joins the heads
    bias_k, bias_v                with `add_bias_kv`, one more key and value

    >>> import tapediff as td
    >>> output, weights = MultiheadAttention(4, 2)(td.ones(3, 1, 4), td.ones(5, 1, 4), td.ones(5, 1, 4))
    >>> output.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 5]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
                 add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
                 device: Any = None, dtype: Any = None) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                             f"num_heads={num_heads} instead")
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        assert self.head_dim * num_heads == embed_dim, "embed_dim must be divisible by num_heads"
        made = {"device": device, "dtype": dtype}
        joint, apart = {"in_proj_weight": 3 * embed_dim}, {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim,
                                                           "v_proj_weight": self.vdim}
        for name, width in apart.items():
            self.register_parameter(name, None if self._qkv_same_embed_dim else empty_parameter(embed_dim, width, **made))
        for name, rows in joint.items():
            self.register_parameter(name, empty_parameter(rows, embed_dim, **made) if self._qkv_same_embed_dim else None)
        self.register_parameter("in_proj_bias", empty_parameter(3 * embed_dim, **made) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, **made)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, empty_parameter(1, 1, embed_dim, **made) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)  # type: ignore[arg-type]
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
                need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
        """(L, N, E), (N, L, E) with `batch_first`, or (L, E); masks and results as `F.multi_head_attention_forward` says."""
        is_turned = self.batch_first and query.dim() == 3
        if is_turned:
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}  # the same tensor stays one
            query, key, value = turned[id(query)], turned[id(key)], turned[id(value)]
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training, key_padding_mask,
            need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal)
        return (output.transpose(0, 1) if is_turned else output), weights
