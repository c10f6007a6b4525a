"""Norms of vectors and distances."""

from __future__ import annotations

from math import inf
from typing import Any

from tapediff import dtypes
from tapediff.functions.arguments import converted, several_dims
from tapediff.functions.naming import named
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = ["dist", "norm", "renorm", "vector_norm"]


@function()
def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of all elements, or over the dimensions `dim`; "fro" and None are 2.

    >>> import tapediff as td
    >>> td.tensor([[3., 4.], [6., 8.]]).norm(dim=1), td.tensor([3., -4.]).norm(1)
    (tensor([ 5., 10.]), tensor(7.))
    """
    check_tensor(input, "norm")
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported: norm takes a number, 'fro' or None; "
                           "for the nuclear norm, add up linalg.svdvals")
    return vector_norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype)


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(sum |x|^ord)^(1/ord) over the dimensions `dim`.

    For inf and -inf the largest and the smallest |x|, for 0 the number of non-zeros. At 0, where a norm has no derivative, it
    takes the subgradient 0.

    >>> import tapediff as td
    >>> vector_norm(td.tensor([3., -4.]), float("inf"))
    tensor(4.)
    """
    check_tensor(x, "linalg_vector_norm", "x")
    attributes = norm_attributes(x, ord, dim, keepdim)
    if dtype is not None:
        wished = dtypes.parse(dtype)
        if not wished.is_floating_point:
            raise RuntimeError(f"linalg.vector_norm: dtype should be floating point or complex, but got {wished.legacy}")
        if wished.itemsize < x.spec.dtype.itemsize:
            raise RuntimeError(f"linalg.vector_norm: the dtype of the input ({x.dtype.legacy}) should be convertible without "
                               f"narrowing to the specified dtype ({wished.legacy})")
    return structural(STRUCTURAL["vector_norm"], attributes, converted(x, dtype))


def norm_attributes(x: Tensor, ord: Any, dim: Any, keepdim: bool) -> tuple[tuple[int, ...], bool, float]:
    """(dims, keepdim, p), checked."""
    if isinstance(ord, bool) or not isinstance(ord, int | float):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    if not x.spec.dtype.is_floating_point:
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.legacy}; "
                           "convert it first with .float()")
    dims = several_dims(dim, x, "linalg_vector_norm")
    if not x.spec.size and (ord < 0 or ord == inf):
        refusal = f"linalg.vector_norm cannot compute the {float(ord):g} norm on"
        if len(dims) == x.spec.ndim:
            raise RuntimeError(f"{refusal} an empty tensor because the operation does not have an identity")
        for folded in dims:
            if x.spec.shape[folded] == 0:
                raise RuntimeError(f"{refusal} the dimension {folded} because this dimension is empty and the operation does not "
                                   "have an identity")
    return dims, bool(keepdim), float(ord)


@function()
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, which broadcast.

    >>> import tapediff as td
    >>> td.dist(td.tensor([1., 2.]), td.tensor([4., 6.]))
    tensor(5.)
    """
    check_tensor(input, "dist")
    check_tensor(other, "dist", "other", 2)
    difference = elementwise(ROWS["sub"], input, other)
    return structural(STRUCTURAL["dist"], norm_attributes(difference, p, None, False), difference)


@function()
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Slices along `dim` whose p-norm exceeds `maxnorm` are scaled down to it.

    >>> import tapediff as td
    >>> td.renorm(td.tensor([[3., 4.], [0.3, 0.4]]), 2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    check_tensor(input, "renorm")
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.spec.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.spec.ndim} dimensions")
    dim = normalize_dim(dim, input.spec.ndim)
    norms = vector_norm(input, p, tuple(other for other in range(input.spec.ndim) if other != dim), True)
    factor = elementwise(ROWS["div"], float(maxnorm), elementwise(ROWS["add"], norms, 1e-7))
    kept = elementwise(ROWS["where"], elementwise(ROWS["gt"], norms, float(maxnorm)), factor, 1.0)
    return named(elementwise(ROWS["mul"], input, kept), "RenormBackward0")
