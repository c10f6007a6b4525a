"""What layers compute from their parameters: linear maps, look-ups in a table, attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.elementwise import array_of
from tapediff.functions.naming import named
from tapediff.functions.products import affine, matmul, viewed
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.nn.activations import softmax
from tapediff.nn.dropouts import dropout
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import cast, elementwise, is_traced, source_of
from tapediff.tensor import Tensor

__all__ = ["bilinear", "embedding", "linear", "one_hot", "scaled_dot_product_attention"]

linear = affine


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k.

    >>> import tapediff as td
    >>> bilinear(td.tensor([[1., 2.]]), td.tensor([[3.]]), td.ones(1, 2, 1))
    tensor([[9.]])
    """
    for position, (argument, tensor) in enumerate((("input1", input1), ("input2", input2), ("weight", weight)), 1):
        check_tensor(tensor, "bilinear", argument, position)
    if input1.spec.shape[:-1] != input2.spec.shape[:-1]:
        raise RuntimeError(f"bilinear(): input batch dimensions do not match: got {list(input1.spec.shape)} and "
                           f"{list(input2.spec.shape)}")
    product = FUNCTIONS["einsum"]("...i,kij,...j->...k", input1, weight, input2)
    return product if bias is None else elementwise(ROWS["add"], product, bias)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
              norm_type: float = 2.0,
              scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """The rows of `weight` at integer positions; the row `padding_idx` gets no gradient.

    >>> import tapediff as td
    >>> embedding(td.tensor([1, 0, 1]), td.tensor([[1., 2.], [3., 4.]]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    check_tensor(input, "embedding", "indices", 2)
    check_tensor(weight, "embedding", "weight", 1)
    if max_norm is not None or scale_grad_by_freq:
        raise NotImplementedError("embedding() does not take max_norm and scale_grad_by_freq here: scale the weight or its "
                                  "gradient yourself")
    if input.spec.dtype.category != 1:
        raise RuntimeError("Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
                           "but got "
                           f"torch.{input.spec.dtype.legacy}Tensor instead (while checking arguments for embedding)")
    if weight.spec.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D: embedding got shape {list(weight.spec.shape)}")
    rows, width = weight.spec.shape
    if padding_idx is not None:
        assert -rows <= padding_idx < rows, "Padding_idx must be within num_embeddings"
        padding_idx %= rows
    if is_traced():
        some((input < 0) | (input >= rows))
    values = source_of(input).values()
    if values.size and (values.min() < 0 or values.max() >= rows):
        raise IndexError(f"index out of range in self: embedding got indices from {values.min()} to {values.max()} for "
                         f"{rows} rows")
    flat = cast(viewed(input, (input.spec.size,)), dtypes.int64)
    found = FUNCTIONS["index_select"](weight, 0, flat)
    if padding_idx is not None:
        is_padding = elementwise(ROWS["eq"], viewed(flat, (input.spec.size, 1)), padding_idx)
        found = elementwise(ROWS["where"], is_padding, found.detach(), found)
    return named(viewed(found, (*input.spec.shape, width)), "EmbeddingBackward0")


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """For each class index a vector of int64 that is 1 there and 0 elsewhere.

    >>> import tapediff as td
    >>> one_hot(td.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    check_tensor(tensor, "one_hot", "tensor")
    if tensor.spec.dtype is not dtypes.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor. Got {tensor.spec.dtype}; convert "
                           "it with .long()")
    if is_traced() and num_classes > 0:
        some((tensor < 0) | (tensor >= num_classes))
        values = source_of(tensor).values()
    else:
        values = array_of(tensor)
    if not values.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    elif values.min() < 0:
        raise RuntimeError(f"Class values must be non-negative. Got {values.min()}")
    elif num_classes == -1:
        num_classes = int(values.max()) + 1
    elif values.max() >= num_classes:
        raise RuntimeError(f"Class values must be smaller than num_classes. Got {values.max()} and num_classes={num_classes}")
    if is_traced():
        return cast(elementwise(ROWS["eq"], tensor.unsqueeze(-1), FUNCTIONS["arange"](num_classes)), dtypes.int64)
    return FUNCTIONS["from_numpy"]((values[..., None] == np.arange(num_classes)).astype(np.int64))


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                                 dropout_p: float = 0.0,
                                 is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> Tensor:
    """``softmax(query @ key.T * scale + mask) @ value``; a bool mask says which keys take part.

    >>> import tapediff as td
    >>> scaled_dot_product_attention(td.tensor([[1., 0.]]), td.tensor([[0., 0.], [0., 0.]]), td.tensor([[1.], [3.]]))
    tensor([[2.]])
    """
    if enable_gqa:
        raise NotImplementedError("enable_gqa is not supported: repeat the keys and values with repeat_interleave")
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    factor = 1 / math.sqrt(query.spec.shape[-1]) if scale is None else scale
    scores: Any = elementwise(ROWS["mul"], matmul(query, key.transpose(-2, -1)), float(factor))
    if is_causal:
        attn_mask = FUNCTIONS["from_numpy"](np.tri(*scores.spec.shape[-2:], dtype=bool))
    if attn_mask is not None:
        if attn_mask.spec.dtype is dtypes.bool_:
            scores = elementwise(ROWS["where"], attn_mask, scores, -math.inf)
        else:
            scores = elementwise(ROWS["add"], scores, attn_mask)
    return matmul(dropout(softmax(scores, -1), dropout_p, dropout_p > 0), value)
