"""Products: matmul and its relatives."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

from tapediff.dtypes import DType
from tapediff.functions.elementwise import refuse_out
from tapediff.functions.naming import named
from tapediff.functions.operators import other_operand
from tapediff.functions.registry import FUNCTIONS, check_tensor, function, method
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL, Structural
from tapediff.recording import elementwise, structural
from tapediff.shapes import broadcast, contiguous_strides, normalize_dim
from tapediff.tape.spec import Spec
from tapediff.tensor import Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "affine", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "kron", "linalg_cross",
    "matmul", "matrix_power", "mm", "multi_dot", "mv", "outer", "vdot", "vecdot", "viewed",
]

Shape = tuple[int, ...]
_MM, _BMM, _MV, _DOT, _ADDMM = (STRUCTURAL[name] for name in ("mm", "bmm", "mv", "dot", "addmm"))
_WORDS = {"float32": "float", "float64": "double", "int64": "long", "int32": "int", "bool": "bool"}


# --- helpers that record --------------------------------------------------------------------------------------------------------

def viewed(x: Any, shape: Shape, name: str = "view") -> Any:
    """The elements of `x` under another shape; `name` is the row that says so, hence the name in the graph."""
    return structural(STRUCTURAL[name], (shape, contiguous_strides(shape), 0), x)


def expanded(x: Any, shape: Shape) -> Any:
    """`x` repeated to a shape that it broadcasts to."""
    if x.spec.shape == shape:
        return x
    old = (1,) * (len(shape) - x.spec.ndim) + x.spec.shape
    strides = tuple(0 if size == 1 else stride for size, stride in zip(old, contiguous_strides(old)))
    return structural(STRUCTURAL["expand"], (shape, strides, 0), x)


# --- checks ---------------------------------------------------------------------------------------------------------------------

def check_not_bool(row: str, *specs: Spec) -> None:
    """Refuse products of bools."""
    for spec in specs:
        if spec.dtype.category == 0:
            raise NotImplementedError(f"\"{row}\" not implemented for 'Bool': products take numbers; convert with .long() or "
                                      ".float()")


def check_same_dtype(a: Spec, b: Spec) -> None:
    """Refuse factors of different dtypes, in the words of mm."""
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {_WORDS[a.dtype.name]} != "
                           f"{_WORDS[b.dtype.name]}; "
                           "convert one with .to(...)")


def check_mm(a: Spec, b: Spec, rows: int, inner: int, other: int, columns: int) -> None:
    """Refuse an n x m and a k x p matrix with m != k."""
    if inner != other:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{inner} and {other}x{columns}): "
                           f"the inner sizes {inner} and {other} differ; shapes are {list(a.shape)} and {list(b.shape)}")
    check_same_dtype(a, b)
    check_not_bool("addmm_impl_cpu_", a)


def check_mv(a: Spec, v: Spec, rows: int, columns: int) -> None:
    """Refuse an n x m matrix and a vector of another size than m."""
    if columns != v.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{columns}), vec ({v.shape[0]})")
    if a.dtype is not v.dtype:
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {v.dtype.legacy}, {a.dtype.legacy}, and "
                           f"{v.dtype.legacy}")
    check_not_bool("addmv_impl_cpu", a)


def check_dot(name: str, a: Spec, b: Spec) -> None:
    """Refuse what are not two vectors of one size and dtype."""
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors: {name} got shapes {list(a.shape)} "
                           f"and {list(b.shape)}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {a.dtype.legacy} and {b.dtype.legacy}")
    if a.size != b.size:
        raise RuntimeError(f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number "
                           "of elements, "
                           f"but got {a.size} and {b.size} elements respectively")
    check_not_bool("dot", a)


def check_bmm(a: Spec, b: Spec) -> None:
    """Refuse what are not two stacks of matrices that fit each other."""
    for position, spec in enumerate((a, b), 1):
        if spec.ndim != 3:
            raise RuntimeError(f"batch{position} must be a 3D tensor, got shape {list(spec.shape)}; matmul takes other ranks")
    check_stacks(a, b, a.shape[0], a.shape[2], b.shape[0], b.shape[1])


def check_stacks(a: Spec, b: Spec, stack: int, inner: int, other_stack: int, other: int) -> None:
    """Refuse stacks that do not fit each other."""
    if (stack, inner) != (other_stack, other):
        raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: [{stack}, {inner}] but got: "
                           f"[{other_stack}, {other}].")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy} but found {b.dtype.legacy}")
    check_not_bool("baddbmm_with_gemm", a)


def check_expands(spec: Spec, shape: Shape) -> None:
    """Refuse a tensor that does not broadcast to `shape`."""
    if spec.ndim > len(shape):
        raise RuntimeError(f"expand(torch.{spec.dtype.legacy}Tensor{{{list(spec.shape)}}}, size={list(shape)}): the number of "
                           f"sizes provided ({len(shape)}) "
                           f"must be greater or equal to the number of dimensions in the tensor ({spec.ndim})")
    for dim in range(-1, -spec.ndim - 1, -1):
        if spec.shape[dim] not in (1, shape[dim]):
            raise RuntimeError(f"The expanded size of the tensor ({shape[dim]}) must match the existing size "
                               f"({spec.shape[dim]}) at non-singleton "
                               f"dimension {dim + len(shape)}.  Target sizes: {list(shape)}.  Tensor sizes: {list(spec.shape)}")


# --- plain products -------------------------------------------------------------------------------------------------------------

@function()
def mm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """The product of an n x m and an m x p matrix.

    >>> import tapediff as td
    >>> td.mm(td.tensor([[1., 2.]]), td.tensor([[3.], [4.]]))
    tensor([[11.]])
    """
    check_tensor(input, "mm")
    check_tensor(mat2, "mm", "mat2", 2)
    refuse_out("mm", out)
    a, b = input.spec, mat2.spec
    if a.ndim != 2 or b.ndim != 2:
        raise RuntimeError(f"{'self' if a.ndim != 2 else 'mat2'} must be a matrix: mm got shapes {list(a.shape)} and "
                           f"{list(b.shape)}")
    check_mm(a, b, *a.shape, *b.shape)
    return structural(_MM, None, input, mat2)


@function()
def mv(input: Tensor, vec: Tensor, *, out: None = None) -> Tensor:
    """The product of an n x m matrix and a vector of m elements.

    >>> import tapediff as td
    >>> td.mv(td.tensor([[1., 2.], [3., 4.]]), td.tensor([1., 10.]))
    tensor([21., 43.])
    """
    check_tensor(input, "mv")
    check_tensor(vec, "mv", "vec", 2)
    refuse_out("mv", out)
    a, v = input.spec, vec.spec
    if a.ndim != 2 or v.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {a.ndim}, {v.ndim}: mv got shapes {list(a.shape)} and "
                           f"{list(v.shape)}")
    check_mv(a, v, *a.shape)
    return structural(_MV, None, input, vec)


@function()
def dot(input: Tensor, tensor: Tensor, *, out: None = None) -> Tensor:
    """The sum of the products of two vectors' elements.

    >>> import tapediff as td
    >>> td.dot(td.tensor([1., 2.]), td.tensor([3., 4.]))
    tensor(11.)
    """
    check_tensor(input, "dot")
    check_tensor(tensor, "dot", "tensor", 2)
    refuse_out("dot", out)
    check_dot("dot", input.spec, tensor.spec)
    return structural(_DOT, None, input, tensor)


@function()
def vdot(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """As `dot`; the two differ for complex numbers only.

    >>> import tapediff as td
    >>> td.vdot(td.tensor([1., 2.]), td.tensor([3., 4.]))
    tensor(11.)
    """
    check_tensor(input, "vdot")
    check_tensor(other, "vdot", "other", 2)
    refuse_out("vdot", out)
    check_dot("vdot", input.spec, other.spec)
    return structural(STRUCTURAL["vdot"], None, input, other)


@function()
def bmm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """The products of two stacks of matrices, b x n x m and b x m x p.

    >>> import tapediff as td
    >>> td.bmm(td.tensor([[[1., 2.]], [[3., 4.]]]), td.tensor([[[1.], [1.]], [[2.], [2.]]]))
    tensor([[[ 3.]],
    <BLANKLINE>
            [[14.]]])
    """
    check_tensor(input, "bmm")
    check_tensor(mat2, "bmm", "mat2", 2)
    refuse_out("bmm", out)
    check_bmm(input.spec, mat2.spec)
    return structural(_BMM, None, input, mat2)


# --- matmul ---------------------------------------------------------------------------------------------------------------------

_direct: dict[tuple[Spec, Spec], Structural] = {}  # operands like these are one instruction: no further checks


@function()
def matmul(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The matrix product ``input @ other``: of vectors, of matrices, or of stacks of matrices that broadcast.

    A vector on the left counts as a row, one on the right as a column; its dimension is not in the result.

    Raises
        RuntimeError: an operand has no dimensions, inner sizes or dtypes differ, or the stacks do not broadcast.

    >>> import tapediff as td
    >>> td.matmul(td.tensor([[1., 2.], [3., 4.]]), td.tensor([1., 10.]))
    tensor([21., 43.])
    """
    try:
        row = _direct[input.spec, other.spec]
    except (KeyError, AttributeError):
        return general_matmul(input, other, out)
    refuse_out("matmul", out)
    return structural(row, None, input, other)


method("__matmul__")(lambda self, other: product_operator(self, other, False))
method("__rmatmul__")(lambda self, other: product_operator(self, other, True))


def product_operator(self: Tensor, other: Any, is_reflected: bool) -> Any:
    """``self @ other``, or the other way round."""
    if not isinstance(other, Tensor):
        other = other_operand(other)
        if not isinstance(other, Tensor):
            return NotImplemented
    return matmul(other, self) if is_reflected else matmul(self, other)


def general_matmul(input: Tensor, other: Tensor, out: Any) -> Tensor:
    """matmul with all checks and all ranks."""
    check_tensor(input, "matmul", "input", 1)
    check_tensor(other, "matmul", "other", 2)
    refuse_out("matmul", out)
    a, b = input.spec, other.spec
    if not a.ndim or not b.ndim:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D; multiply "
                           "by a number with *")
    if a.ndim <= 2 and b.ndim <= 2:
        if a.ndim == 1 and b.ndim == 2:
            check_mm(a, b, 1, a.size, *b.shape)
            product = structural(_MM, None, viewed(input, (1, a.size), "unsqueeze"), other)
            return viewed(product, (b.shape[1],), "squeeze_product")
        if a.ndim == b.ndim == 1:
            check_dot("matmul", a, b)
            row = _DOT
        elif b.ndim == 1:
            check_mv(a, b, *a.shape)
            row = _MV
        else:
            check_mm(a, b, *a.shape, *b.shape)
            row = _MM
        _direct[a, b] = row
        return structural(row, None, input, other)
    if b.ndim <= 2:
        return folded_product(input, other)
    return stacked_product(input, other)


def folded_product(input: Tensor, other: Tensor) -> Tensor:
    """The product of a stack of matrices and one matrix or vector: of one tall matrix."""
    a, b = input.spec, other.spec
    rows, inner = prod(a.shape[:-1]), a.shape[-1]
    tall = viewed(input, (rows, inner))
    if b.ndim == 1:
        check_mv(a, b, rows, inner)
        return viewed(structural(_MV, None, tall, other), a.shape[:-1], "unsafe_view")
    check_mm(a, b, rows, inner, *b.shape)
    return viewed(structural(_MM, None, tall, other), (*a.shape[:-1], b.shape[1]), "unsafe_view")


def stacked_product(input: Tensor, other: Tensor) -> Tensor:
    """The product of a vector, a matrix or a stack of matrices, and a stack of matrices."""
    a, b = input.spec, other.spec
    left = (1, *a.shape) if a.ndim == 1 else a.shape
    if a.ndim <= 2 and left[-1] != b.shape[-2]:
        check_mm(a, b, prod(b.shape[:-2]) * b.shape[-1], b.shape[-2], left[-1], left[-2])
    lead = broadcast(left[:-2], b.shape[:-2])
    stack = prod(lead)
    check_stacks(a, b, stack, left[-1], stack, b.shape[-2])
    product = structural(_BMM, None, as_stack(input, left, lead, stack), as_stack(other, b.shape, lead, stack))
    shape = (*lead, b.shape[-1]) if a.ndim == 1 else (*lead, left[-2], b.shape[-1])
    return viewed(product, shape, "clone_product" if a.ndim == 2 else "unsafe_view")


def as_stack(x: Tensor, shape: Shape, lead: Shape, stack: int) -> Any:
    """`x`, seen under `shape`, as one stack of matrices; of a single matrix as a stack of one."""
    if prod(shape[:-2]) == 1:
        stack = 1
    elif shape[:-2] != lead:
        x = expanded(x, (*lead, *shape[-2:]))
    return viewed(x, (stack, *shape[-2:]))


# --- a product added to a tensor ------------------------------------------------------------------------------------------------

def scale(name: str, value: Any, dtype: DType) -> Any:
    """`beta` or `alpha` as a number that integers can be multiplied by; PyTorch cuts off its fraction for them."""
    if isinstance(value, Tensor):
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"{name}(): beta and alpha must be numbers, not {type(value).__name__}")
    return float(value) if dtype.is_floating_point else int(value)


def check_three(name: str, arguments: tuple[str, str], input: Any, first: Any, second: Any, out: Any) -> None:
    for position, (argument, value) in enumerate((("input", input), (arguments[0], first), (arguments[1], second)), 1):
        check_tensor(value, name, argument, position)
    refuse_out(name, out)


def check_sum_dtype(input: Spec, product: Spec) -> None:
    """Refuse a sum of an `input` of another dtype."""
    if input.dtype is not product.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {input.dtype.legacy} and {product.dtype.legacy}; "
                           "convert one with .to(...)")


@function()
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; the input broadcasts to the product's shape.

    >>> import tapediff as td
    >>> td.addmm(td.tensor([1., 2.]), td.tensor([[1.], [2.]]), td.tensor([[3., 4.]]), alpha=10)
    tensor([[31., 42.],
            [61., 82.]])
    """
    check_three("addmm", ("mat1", "mat2"), input, mat1, mat2, out)
    a, b = mat1.spec, mat2.spec
    for argument, spec in (("mat1", a), ("mat2", b)):
        if spec.ndim != 2:
            raise RuntimeError(f"{argument} must be a matrix, got {spec.ndim}-D tensor")
    check_mm(a, b, *a.shape, *b.shape)
    check_expands(input.spec, (a.shape[0], b.shape[1]))
    check_sum_dtype(input.spec, a)
    return structural(_ADDMM, (scale("addmm", beta, a.dtype), scale("addmm", alpha, a.dtype), None), input, mat1, mat2)


@function()
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``; the input broadcasts to the product's shape.

    >>> import tapediff as td
    >>> td.baddbmm(td.tensor([[[1.]]]), td.tensor([[[1., 2.]]]), td.tensor([[[3.], [4.]]]), beta=2)
    tensor([[[13.]]])
    """
    check_three("baddbmm", ("batch1", "batch2"), input, batch1, batch2, out)
    a, b = batch1.spec, batch2.spec
    check_bmm(a, b)
    check_expands(input.spec, (a.shape[0], a.shape[1], b.shape[2]))
    check_sum_dtype(input.spec, a)
    scales = (scale("baddbmm", beta, a.dtype), scale("baddbmm", alpha, a.dtype), None)
    return structural(STRUCTURAL["baddbmm"], scales, input, batch1, batch2)


def weighted_sum(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``; an input times 0 does not count."""
    product = product if alpha == 1 else elementwise(ROWS["mul"], product, alpha)
    if beta == 0:
        return product
    return elementwise(ROWS["add"], input if beta == 1 else elementwise(ROWS["mul"], input, beta), product)


def added_product(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """A composed ``beta * input + alpha * product`` under PyTorch's name for it."""
    check_expands(input.spec, product.spec.shape)
    dtype = product.spec.dtype
    check_sum_dtype(input.spec, product.spec)
    total = weighted_sum(input, product, scale(name, beta, dtype), scale(name, alpha, dtype))
    return named(total, f"{name.capitalize()}Backward0")


@function()
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``.

    >>> import tapediff as td
    >>> td.addmv(td.tensor([1., 2.]), td.tensor([[1., 2.], [3., 4.]]), td.tensor([1., 1.]))
    tensor([4., 9.])
    """
    check_three("addmv", ("mat", "vec"), input, mat, vec, out)
    if mat.spec.ndim == 2 and vec.spec.ndim == 1 and (input.spec.ndim > 1 or input.spec.size not in (1, mat.spec.shape[0])):
        raise RuntimeError(f"size mismatch, got input ({input.spec.size}), mat ({mat.spec.shape[0]}x{mat.spec.shape[1]}), vec "
                           f"({vec.spec.size})")
    return added_product("addmv", input, mv(mat, vec), beta, alpha)


@function()
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``.

    >>> import tapediff as td
    >>> td.addr(td.tensor([[1.]]), td.tensor([1., 2.]), td.tensor([3., 4.]))
    tensor([[4., 5.],
            [7., 9.]])
    """
    check_three("addr", ("vec1", "vec2"), input, vec1, vec2, out)
    return added_product("addr", input, outer(vec1, vec2), beta, alpha)


@function()
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``.

    >>> import tapediff as td
    >>> td.addbmm(td.tensor([[1.]]), td.tensor([[[2.]], [[3.]]]), td.tensor([[[4.]], [[5.]]]))
    tensor([[24.]])
    """
    check_three("addbmm", ("batch1", "batch2"), input, batch1, batch2, out)
    product = structural(STRUCTURAL["sum_dim"], ((0,), False), bmm(batch1, batch2))
    return added_product("addbmm", input, product, beta, alpha)


_affine: dict[tuple[Spec, Spec, Spec], Any] = {}  # specs that `affine` has checked
_SCALES = (1.0, 1.0, (False, True))
_WHOLE_SCALES = (1, 1, (False, True))


def affine(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``, the work of a linear layer: one instruction where the input is a matrix.

    >>> import tapediff as td
    >>> affine(td.tensor([[1., 2.]]), td.tensor([[3., 4.]]), td.tensor([5.]))
    tensor([[16.]])
    """
    try:
        scales = _affine[input.spec, weight.spec, bias.spec]  # type: ignore[union-attr]
    except (KeyError, AttributeError):
        return general_affine(input, weight, bias)
    return structural(_ADDMM, scales, bias, input, weight)


def general_affine(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`affine` with all checks and all ranks."""
    check_tensor(input, "linear")
    check_tensor(weight, "linear", "weight", 2)
    if bias is not None:
        check_tensor(bias, "linear", "bias", 3)
    a, w = input.spec, weight.spec
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D: linear got a weight of shape "
                           f"{list(w.shape)}")
    if w.ndim == 1:
        if bias is not None:
            raise RuntimeError("mat2 must be a matrix, got 1-D tensor: linear with a bias takes a weight of shape (outputs, "
                               "inputs)")
        return matmul(input, weight)
    outputs = w.shape[0]
    rows, inner = prod(a.shape[:-1]), a.shape[-1] if a.ndim else 0
    if not a.ndim:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {w.ndim}D")
    check_mm(a, w, rows, inner, w.shape[1], outputs)
    shape = (*a.shape[:-1], outputs)
    if bias is None:
        if a.ndim == 2:
            return structural(_MM, (False, True), input, weight)
        product = structural(_MM, (False, True), viewed(input, (rows, inner), "view" if a.ndim > 1 else "unsqueeze"), weight)
        return viewed(product, shape, "unsafe_view" if a.ndim > 1 else "squeeze_product")
    check_expands(bias.spec, shape)
    check_sum_dtype(bias.spec, a)
    scales = _SCALES if a.dtype.is_floating_point else _WHOLE_SCALES
    if a.ndim == 2:
        _affine[a, w, bias.spec] = scales
        return structural(_ADDMM, scales, bias, input, weight)
    if bias.spec.ndim > 1:
        return elementwise(ROWS["add"], general_affine(input, weight, None), bias)
    return viewed(structural(_ADDMM, scales, bias, viewed(input, (rows, inner)), weight), shape)


# --- products of all pairs ------------------------------------------------------------------------------------------------------

@function("outer", "ger")
def outer(input: Tensor, vec2: Tensor, *, out: None = None) -> Tensor:
    """The products of every element of one vector with every element of another.

    >>> import tapediff as td
    >>> td.outer(td.tensor([1., 2.]), td.tensor([3., 4.]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    check_tensor(input, "outer")
    check_tensor(vec2, "outer", "vec2", 2)
    refuse_out("outer", out)
    for argument, spec in (("self", input.spec), ("vec2", vec2.spec)):
        if spec.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {argument}, but got {spec.ndim}-D")
    return elementwise(ROWS["mul"], viewed(input, (input.spec.size, 1)), vec2)


@function()
def kron(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The Kronecker product: every element of `input` replaced by its product with the whole of `other`.

    >>> import tapediff as td
    >>> td.kron(td.tensor([1., 10.]), td.tensor([1., 2., 3.]))
    tensor([ 1.,  2.,  3., 10., 20., 30.])
    """
    check_tensor(input, "kron")
    check_tensor(other, "kron", "other", 2)
    refuse_out("kron", out)
    ndim = max(input.spec.ndim, other.spec.ndim)
    a, b = ((1,) * (ndim - x.spec.ndim) + x.spec.shape for x in (input, other))
    left = tuple(size for n in a for size in (n, 1))
    right = tuple(size for n in b for size in (1, n))
    pairs = elementwise(ROWS["mul"], viewed(input, left), viewed(other, right))
    return viewed(pairs, tuple(n * m for n, m in zip(a, b)), "unsafe_view")


@function()
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: None = None) -> Tensor:
    """The vector product along `dim`, a dimension of size 3; without `dim` (deprecated) the first such dimension.

    >>> import tapediff as td
    >>> td.cross(td.tensor([1., 0., 0.]), td.tensor([0., 1., 0.]), dim=0)
    tensor([0., 0., 1.])
    """
    refuse_out("cross", out)
    if dim is None:
        check_tensor(input, "cross")
        dim = next((place for place, size in enumerate(input.spec.shape) if size == 3), None)
        if dim is None:
            raise RuntimeError(f"no dimension of size 3 in input: cross got shape {list(input.spec.shape)}")
        warnings.warn("Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly "
                      "or simply use "
                      "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a "
                      "future release.",
                      UserWarning, stacklevel=2)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along `dim`, a dimension of size 3, as `linalg.cross`.

    >>> import tapediff as td
    >>> linalg_cross(td.tensor([1., 0., 0.]), td.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    check_tensor(input, "linalg_cross")
    check_tensor(other, "linalg_cross", "other", 2)
    a, b = input.spec, other.spec
    if a.ndim != b.ndim:
        raise RuntimeError(f"linalg.cross: inputs must have the same number of dimensions: got shapes {list(a.shape)} and "
                           f"{list(b.shape)}")
    dim = normalize_dim(dim, a.ndim)
    if a.shape[dim] != 3 or b.shape[dim] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[dim]} and {b.shape[dim]}")
    check_same_dtype(a, b)
    shape = broadcast(a.shape, b.shape)
    return structural(STRUCTURAL["cross"], (dim,), expanded(input, shape), expanded(other, shape))


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: None = None) -> Tensor:
    """The dot products along a dimension, as `linalg.vecdot`.

    >>> import tapediff as td
    >>> vecdot(td.tensor([[1., 2.], [3., 4.]]), td.tensor([1., 10.]))
    tensor([21., 43.])
    """
    check_tensor(x, "linalg_vecdot", "x")
    check_tensor(y, "linalg_vecdot", "y", 2)
    refuse_out("linalg_vecdot", out)
    return FUNCTIONS["sum"](elementwise(ROWS["mul"], x, y), dim=dim)


# --- products of many matrices --------------------------------------------------------------------------------------------------

@function()
def matrix_power(input: Tensor, n: int, *, out: None = None) -> Tensor:
    """A square matrix, or a stack of them, multiplied by itself n times; a negative n takes the inverse.

    >>> import tapediff as td
    >>> td.matrix_power(td.tensor([[1., 1.], [0., 1.]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    check_tensor(input, "matrix_power")
    refuse_out("matrix_power", out)
    shape = input.spec.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError("linalg.matrix_power: A must be batches of square matrices, but they are "
                           f"{shape[-2] if len(shape) > 1 else 1} by "
                           f"{shape[-1] if shape else 1} matrices: got shape {list(shape)}")
    if n == 0:
        unit = FUNCTIONS["eye"](shape[-1], dtype=input.spec.dtype)
        return FUNCTIONS["clone"](expanded(unit, shape))
    if n < 0:
        input, n = FUNCTIONS["inverse"](input), -n
    result = None
    while n:
        if n & 1:
            result = input if result is None else matmul(result, input)
        n >>= 1
        if n:
            input = matmul(input, input)
    assert result is not None
    return result


def multi_dot(tensors: Any, *, out: None = None) -> Tensor:
    """The product of two or more matrices in the order that takes the fewest multiplications, as `linalg.multi_dot`.

    The first and the last may be vectors, a row and a column.

    >>> import tapediff as td
    >>> multi_dot([td.tensor([1., 2.]), td.tensor([[1., 0.], [0., 10.]]), td.tensor([3., 4.])])
    tensor(83.)
    """
    refuse_out("linalg_multi_dot", out)
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for position, tensor in enumerate(tensors):
        check_tensor(tensor, "linalg_multi_dot", "tensors", 1)
        if not (tensor.spec.ndim == 2 or (tensor.spec.ndim == 1 and position in (0, len(tensors) - 1))):
            raise RuntimeError(f"multi_dot(): tensor {position} must be 2D but got {tensor.spec.ndim}D; only the first and the "
                               "last may be vectors")
    shapes = [tensor.spec.shape for tensor in tensors]
    sizes = [1 if len(shapes[0]) == 1 else shapes[0][0], *(shape[0] for shape in shapes[1:]),
             shapes[-1][1] if len(shapes[-1]) == 2 else 1]
    split = cheapest_splits(sizes)

    def product(first: int, last: int) -> Tensor:
        if first == last:
            return tensors[first]
        middle = split[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, len(tensors) - 1)


def cheapest_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """For each run of matrices (first, last) of a chain with these sizes where to split it, by dynamic programming."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            costs = {}
            for k in range(first, last):
                costs[k] = cost[first, k] + cost[k + 1, last] + sizes[first] * sizes[k + 1] * sizes[last + 1]
            split[first, last] = middle = min(costs, key=costs.__getitem__)
            cost[first, last] = costs[middle]
    return split


@function(method=False)
def chain_matmul(*matrices: Tensor, out: None = None) -> Tensor:
    """The product of several matrices; deprecated for `linalg.multi_dot`.

    >>> import tapediff as td
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     td.chain_matmul(td.tensor([[1., 2.]]), td.tensor([[3.], [4.]]))
    tensor([[11.]])
    """
    warnings.warn("torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use "
                  "torch.linalg.multi_dot instead, which accepts "
                  "a list of two or more tensors rather than multiple parameters.", UserWarning, stacklevel=2)
    if len(matrices) == 1:
        return matrices[0]
    return multi_dot(matrices, out=out)
