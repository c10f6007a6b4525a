"""The transformer (Vaswani et al. 2017): layers of attention and of two linear maps, stacked into encoder and decoder."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from tapediff.functions.registry import FUNCTIONS
from tapediff.nn import functional as F
from tapediff.nn import init
from tapediff.nn.modules.attention import MultiheadAttention
from tapediff.nn.modules.container import ModuleList
from tapediff.nn.modules.dropout import Dropout
from tapediff.nn.modules.linear import Linear
from tapediff.nn.modules.module import Module
from tapediff.nn.modules.normalization import LayerNorm
from tapediff.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]

Mask = Tensor | None
Activation = str | Callable[[Tensor], Tensor]


def activation_of(given: Activation) -> Callable[[Tensor], Tensor]:
    """A function of networks by its name, or the one that was given."""
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    found: Callable[[Tensor], Tensor] = getattr(F, given)
    return found


class Layer(Module):
    """What layers of encoder and decoder have in common: steps whose result is added to what went in, and normalized."""

    norm_first: bool

    def _added(self, x: Tensor, norm: Module, step: Callable[[Tensor], Tensor]) -> Tensor:
        """x and a step of it; normalized before the step, or after all."""
        if self.norm_first:
            return x + step(norm(x))
        found: Tensor = norm(x + step(x))
        return found

    def _attended(self, attention: Module, dropout: Module, query: Tensor, other: Tensor, mask: Mask, padding: Mask,
                  is_causal: bool) -> Tensor:
        found: Tensor = dropout(attention(query, other, other, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal,
                                          need_weights=False)[0])
        return found


class TransformerEncoderLayer(Layer):
    """Attention of a sequence to itself, then two linear maps with an activation between.

    >>> import tapediff as td
    >>> TransformerEncoderLayer(4, 2, 8)(td.ones(3, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_of(activation)

    def forward(self, src: Tensor, src_mask: Mask = None, src_key_padding_mask: Mask = None, is_causal: bool = False) -> Tensor:
        """src like the query of `MultiheadAttention`, whose masks these are."""
        x = self._added(src, self.norm1, lambda y: self._attended(self.self_attn, self.dropout1, y, y, src_mask,
                                                                  src_key_padding_mask, is_causal))
        return self._added(x, self.norm2, self._feed)

    def _feed(self, x: Tensor) -> Tensor:
        found: Tensor = self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return found


class TransformerDecoderLayer(Layer):
    """Attention of a sequence to itself, then to what an encoder made (memory), then two linear maps.

    >>> import tapediff as td
    >>> TransformerDecoderLayer(4, 2, 8)(td.ones(3, 1, 4), td.ones(5, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation_of(activation)

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
                tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool = False,
                memory_is_causal: bool = False) -> Tensor:
        """tgt and memory like query and key of `MultiheadAttention`, whose masks these are."""
        x = self._added(tgt, self.norm1, lambda y: self._attended(self.self_attn, self.dropout1, y, y, tgt_mask,
                                                                  tgt_key_padding_mask, tgt_is_causal))
        x = self._added(x, self.norm2, lambda y: self._attended(self.multihead_attn, self.dropout2, y, memory, memory_mask,
                                                                memory_key_padding_mask, memory_is_causal))
        return self._added(x, self.norm3, self._feed)

    def _feed(self, x: Tensor) -> Tensor:
        found: Tensor = self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return found


def is_causal_mask(mask: Mask, is_causal: bool | None) -> bool:
    """What the layers are told of a mask; without one the hint says nothing."""
    return bool(is_causal) and mask is not None


class TransformerEncoder(Module):
    """Copies of a layer one after the other, and a normalization behind them.

    Without PyTorch's fast path: what is computed at padded places is not set to zero.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
                 mask_check: bool = True) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(self, src: Tensor, mask: Mask = None, src_key_padding_mask: Mask = None,
                is_causal: bool | None = None) -> Tensor:
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal_mask(mask, is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a layer one after the other, and a normalization behind them."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
                tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool | None = None,
                memory_is_causal: bool = False) -> Tensor:
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                        memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=is_causal_mask(tgt_mask, tgt_is_causal),
                        memory_is_causal=is_causal_mask(memory_mask, memory_is_causal))
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder, and a decoder that sees what it made."""

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = F.relu,
                 custom_encoder: Any = None, custom_decoder: Any = None, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        made = {"device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        self.encoder = custom_encoder if custom_encoder is not None else TransformerEncoder(
            TransformerEncoderLayer(*settings, **made), num_encoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias, **made))
        self.decoder = custom_decoder if custom_decoder is not None else TransformerDecoder(
            TransformerDecoderLayer(*settings, **made), num_decoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias, **made))
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(self, src: Tensor, tgt: Tensor, src_mask: Mask = None, tgt_mask: Mask = None, memory_mask: Mask = None,
                src_key_padding_mask: Mask = None, tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None,
                src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False) -> Tensor:
        """src and tgt like the query of `MultiheadAttention`; as many samples, and `d_model` wide.

        Raises
            RuntimeError: they do not fit each other.
        """
        if src.dim() == 3 and src.size(0 if self.batch_first else 1) != tgt.size(0 if self.batch_first else 1):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        found: Tensor = self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                                     tgt_key_padding_mask=tgt_key_padding_mask,
                                     memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
                                     memory_is_causal=memory_is_causal)
        return found

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """A mask for a sequence of which nobody sees what comes after: -inf above the diagonal, and 0.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return FUNCTIONS["triu"](FUNCTIONS["full"]((sz, sz), -math.inf, device=device, dtype=dtype), 1)
