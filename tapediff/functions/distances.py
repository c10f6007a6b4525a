"""Distances and similarities of vectors along a dimension."""

from __future__ import annotations

from typing import Any

from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor, function
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]


@function(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`; a norm below `eps` counts as `eps`.

    >>> import tapediff as td
    >>> td.cosine_similarity(td.tensor([[1., 0.]]), td.tensor([[1., 1.]]))
    tensor([0.7071])
    """
    check_tensor(x1, "cosine_similarity", "x1")
    check_tensor(x2, "cosine_similarity", "x2", 2)
    if not x1.spec.dtype.is_floating_point or not x2.spec.dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {x1.spec.dtype}")
    product = elementwise(ROWS["mul"], scaled(x1, dim, eps), scaled(x2, dim, eps))
    return FUNCTIONS["sum"](product, normalize_dim(dim, product.spec.ndim))


def scaled(x: Tensor, dim: int, eps: float) -> Tensor:
    """Vectors divided by their norms."""
    return elementwise(ROWS["div"], x, elementwise(ROWS["clamp_min"], FUNCTIONS["norm"](x, 2, dim, keepdim=True), float(eps)))


@function(method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` over the last dimension.

    >>> import tapediff as td
    >>> td.pairwise_distance(td.tensor([[3., 4.]]), td.tensor([[0., 0.]]))
    tensor([5.0000])
    """
    check_tensor(x1, "pairwise_distance", "x1")
    check_tensor(x2, "pairwise_distance", "x2", 2)
    difference = elementwise(ROWS["add"], elementwise(ROWS["sub"], x1, x2), float(eps))
    return named(FUNCTIONS["norm"](difference, p, -1, keepdim=keepdim), "NormBackward1")


@function(method=False)
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: Any = None) -> Tensor:
    """The p-norm of the difference of every row of x1 and every row of x2; batches broadcast.

    >>> import tapediff as td
    >>> td.cdist(td.tensor([[0., 0.], [3., 4.]]), td.tensor([[0., 0.]]))
    tensor([[0.],
            [5.]])
    """
    for position, (argument, x) in enumerate((("x1", x1), ("x2", x2)), 1):
        check_tensor(x, "cdist", argument, position)
        if x.spec.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{position} got: {x.spec.ndim}D")
    if x1.spec.shape[-1] != x2.spec.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.spec.shape[-1]} X2: {x2.spec.shape[-1]}")
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values: got {p}")
    difference = elementwise(ROWS["sub"], FUNCTIONS["unsqueeze"](x1, -2), FUNCTIONS["unsqueeze"](x2, -3))
    return named(FUNCTIONS["norm"](difference, p, -1), "CdistBackward0")


@function(method=False)
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm of the difference of every row and every later one.

    >>> import tapediff as td
    >>> td.pdist(td.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    check_tensor(input, "pdist")
    if input.spec.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.spec.ndim}D")
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if not p >= 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows, later = FUNCTIONS["triu_indices"](input.spec.shape[0], input.spec.shape[0], 1)
    difference = elementwise(ROWS["sub"], FUNCTIONS["index_select"](input, 0, rows), FUNCTIONS["index_select"](input, 0, later))
    return named(FUNCTIONS["norm"](difference, p, -1), "PdistBackward0")
