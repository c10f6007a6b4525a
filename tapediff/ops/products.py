"""Rows of the products: sums over indices of products of two or more operands.

A product that transposes an operand says so in its attributes, so that the rules below need no transposed copies and are closed: the
derivative of every row is made of the same rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import add_row
from tapediff.ops.views import view
from tapediff.shapes import broadcast, contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["contracted", "reshaped", "summed_to"]

Shape = tuple[int, ...]
Transposes = tuple[bool, bool] | None
PLAIN = (False, False)


def reshaped(F: Any, x: Any, shape: Shape) -> Any:
    """The elements of `x` under another shape."""
    return F.view(x, (shape, contiguous_strides(shape), 0))


def summed_to(F: Any, x: Any, shape: Shape) -> Any:
    """`x` summed over the dimensions in which an operand of `shape` was broadcast."""
    have = tuple(x.shape)
    shape = tuple(shape)
    if have == shape:
        return x
    wide = (1,) * (len(have) - len(shape)) + shape
    dims = tuple(dim for dim, (size, wanted) in enumerate(zip(have, wide)) if size != wanted or dim < len(have) - len(shape))
    return reshaped(F, F.sum(x, (dims, True)), shape)


def scaled(x: Any, factor: Any) -> Any:
    """`factor * x`, at no cost for the factor 1."""
    return x if factor == 1 else x * factor


def turned(a: Any, is_transposed: bool) -> Any:
    """The matrices of an array, transposed or as they are."""
    return a.swapaxes(-1, -2) if is_transposed else a


# mm and bmm: attributes say which operands are transposed

def infer_mm(attributes: Transposes, a: Spec, b: Spec) -> tuple[Shape, DType]:
    left, right = attributes or PLAIN
    return (a.shape[left], b.shape[not right]), a.dtype


def mm_forward(attributes: Transposes, a: Any, b: Any) -> Any:
    left, right = attributes or PLAIN
    return np.matmul(a.T if left else a, b.T if right else b)


def product_pullback(multiply: Any, attributes: Transposes, k: int, y_bar: Any, a: Any, b: Any) -> Any:
    """The rule of a product of matrices, `multiply`, in terms of itself."""
    left, right = attributes or PLAIN
    if k == 0:
        return multiply(b, y_bar, (right, True)) if left else multiply(y_bar, b, (False, not right))
    return multiply(y_bar, a, (True, left)) if right else multiply(a, y_bar, (not left, False))


def mm_pullback(F: Any, attributes: Transposes, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    return product_pullback(F.mm, attributes, k, y_bar, a, b)


add_row("mm", infer_mm, mm_forward, mm_pullback, saves=(frozenset({1}), frozenset({0})), kernel="product", lanes="product",
        doc="The product of two matrices. Attributes: which of them are transposed first.")


def infer_bmm(attributes: Transposes, a: Spec, b: Spec) -> tuple[Shape, DType]:
    left, right = attributes or PLAIN
    return (max(a.shape[0], b.shape[0]) if a.shape[0] and b.shape[0] else 0, a.shape[1 + left], b.shape[2 - right]), a.dtype


def bmm_forward(attributes: Transposes, a: Any, b: Any) -> Any:
    left, right = attributes or PLAIN
    return np.matmul(turned(a, left), turned(b, right))


def bmm_pullback(F: Any, attributes: Transposes, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    return summed_to(F, product_pullback(F.bmm, attributes, k, y_bar, a, b), (a, b)[k].shape)


add_row("bmm", infer_bmm, bmm_forward, bmm_pullback, saves=(frozenset({1}), frozenset({0})), kernel="product", lanes="product",
        doc="The products of two stacks of matrices, either of which may have one matrix for all. Attributes: which of them are transposed first.")


# mv and dot

def infer_mv(attributes: bool | None, a: Spec, v: Spec) -> tuple[Shape, DType]:
    return (a.shape[bool(attributes)],), a.dtype


def mv_forward(attributes: bool | None, a: Any, v: Any) -> Any:
    return np.matmul(a.T if attributes else a, v)


def outer(F: Any, u: Any, v: Any) -> Any:
    """The outer product of two vectors."""
    return F.mm(reshaped(F, u, (u.shape[0], 1)), reshaped(F, v, (1, v.shape[0])), PLAIN)


def mv_pullback(F: Any, attributes: bool | None, k: int, y_bar: Any, y: Any, a: Any, v: Any) -> Any:
    if k == 1:
        return F.mv(a, y_bar, not attributes)
    return outer(F, v, y_bar) if attributes else outer(F, y_bar, v)


add_row("mv", infer_mv, mv_forward, mv_pullback, saves=(frozenset({1}), frozenset({0})), kernel="product", lanes="product",
        doc="The product of a matrix and a vector. Attributes: whether the matrix is transposed first.")


def infer_dot(attributes: None, a: Spec, b: Spec) -> tuple[Shape, DType]:
    return (), a.dtype


def dot_forward(attributes: None, a: Any, b: Any) -> Any:
    return np.dot(a, b)


def dot_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    return y_bar * (a if k else b)


for _name in ("dot", "vdot"):
    add_row(_name, infer_dot, dot_forward, dot_pullback, saves=(frozenset({1}), frozenset({0})), kernel="product", lanes="product",
            doc="The sum of the products of two vectors' elements.")


# A scaled product added to a scaled tensor: attributes (beta, alpha, which of the factors are transposed)

Scales = tuple[Any, Any, Transposes]


def infer_addmm(attributes: Scales, input: Spec, a: Spec, b: Spec) -> tuple[Shape, DType]:
    return infer_mm(attributes[2], a, b)


def infer_baddbmm(attributes: Scales, input: Spec, a: Spec, b: Spec) -> tuple[Shape, DType]:
    return infer_bmm(attributes[2], a, b)


def added(attributes: Scales, input: Any, product: Any) -> Any:
    beta, alpha, _ = attributes
    if alpha != 1:
        product *= alpha
    if beta:  # with beta = 0 a nan in the input does not count
        product += input if beta == 1 else input * beta
    return product


def addmm_forward(attributes: Scales, input: Any, a: Any, b: Any) -> Any:
    return added(attributes, input, mm_forward(attributes[2], a, b))


def baddbmm_forward(attributes: Scales, input: Any, a: Any, b: Any) -> Any:
    return added(attributes, input, bmm_forward(attributes[2], a, b))


def addmm_pullback(F: Any, attributes: Scales, k: int, y_bar: Any, y: Any, input: Any, a: Any, b: Any) -> Any:
    beta, alpha, transposes = attributes
    if k == 0:
        return scaled(summed_to(F, y_bar, input.shape), beta)
    return scaled(product_pullback(F.mm, transposes, k - 1, y_bar, a, b), alpha)


def baddbmm_pullback(F: Any, attributes: Scales, k: int, y_bar: Any, y: Any, input: Any, a: Any, b: Any) -> Any:
    beta, alpha, transposes = attributes
    if k == 0:
        return scaled(summed_to(F, y_bar, input.shape), beta)
    return scaled(product_pullback(F.bmm, transposes, k - 1, y_bar, a, b), alpha)


add_row("addmm", infer_addmm, addmm_forward, addmm_pullback, saves=(frozenset(), frozenset({2}), frozenset({1})), kernel="affine", lanes="product",
        doc="beta * input + alpha * (mat1 @ mat2), the input broadcast. Attributes: (beta, alpha, which matrices are transposed first).")
add_row("baddbmm", infer_baddbmm, baddbmm_forward, baddbmm_pullback, saves=(frozenset(), frozenset({2}), frozenset({1})), kernel="affine", lanes="product",
        doc="beta * input + alpha * (batch1 @ batch2), the input broadcast. Attributes: (beta, alpha, which matrices are transposed first).")


# Products of any number of operands over named indices: attributes (the indices of each operand, the indices of the result)

Indices = tuple[int, ...]
Contraction = tuple[tuple[Indices, ...], Indices]


def infer_einsum(attributes: Contraction, *operands: Spec) -> tuple[Shape, DType]:
    indices, result = attributes
    sizes = {index: size for names, operand in zip(indices, operands) for index, size in zip(names, operand.shape)}
    return tuple(sizes[index] for index in result), operands[0].dtype


def einsum_forward(attributes: Contraction, *operands: Any) -> Any:
    indices, result = attributes
    names, value = indices[0], operands[0]
    for position in range(1, len(operands)):
        later = {index for other in indices[position + 1 :] for index in other}
        names, value = contracted(names, value, indices[position], operands[position], later.union(result))
    return ordered(names, value, result)


def contracted(a_names: Indices, a: Any, b_names: Indices, b: Any, wanted: set[int]) -> tuple[Indices, Any]:
    """The product of two arrays, summed over the indices that are not `wanted`; indices and value of the result.

    >>> import numpy as np
    >>> contracted((0, 1), np.ones((2, 3)), (1, 2), np.ones((3, 4)), {0, 2})[1].tolist()
    [[3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]]
    """
    shared = set(a_names) & set(b_names)
    a_names, a = summed(a_names, a, shared | wanted)
    b_names, b = summed(b_names, b, shared | wanted)
    batch = tuple(name for name in a_names if name in shared and name in wanted)
    inner = tuple(name for name in a_names if name in shared and name not in wanted)
    rows = tuple(name for name in a_names if name not in shared)
    columns = tuple(name for name in b_names if name not in shared)
    sizes = {**dict(zip(a_names, a.shape)), **dict(zip(b_names, b.shape))}
    shapes = [tuple(sizes[name] for name in names) for names in (batch, rows, inner, columns)]
    stacks, height, depth, width = (int(np.prod(shape, dtype=np.int64)) for shape in shapes)
    left = ordered(a_names, a, batch + rows + inner).reshape(stacks, height, depth)
    right = ordered(b_names, b, batch + inner + columns).reshape(stacks, depth, width)
    return batch + rows + columns, np.matmul(left, right).reshape(shapes[0] + shapes[1] + shapes[3])


def ordered(names: Indices, a: Any, wanted: Indices) -> Any:
    """An array with its dimensions in another order."""
    return a if names == wanted else a.transpose([names.index(name) for name in wanted])


def summed(names: Indices, a: Any, wanted: set[int]) -> tuple[Indices, Any]:
    """An array summed over the indices that nobody wants."""
    unwanted = tuple(dim for dim, name in enumerate(names) if name not in wanted)
    if not unwanted:
        return names, a
    return tuple(name for name in names if name in wanted), a.sum(axis=unwanted, dtype=a.dtype)


def einsum_pullback(F: Any, attributes: Contraction, k: int, y_bar: Any, y: Any, *operands: Any) -> Any:
    indices, result = attributes
    others = [position for position in range(len(operands)) if position != k]
    return F.einsum(y_bar, *(operands[position] for position in others), ((result, *(indices[position] for position in others)), indices[k]))


def einsum_saves(position: int) -> frozenset[Any]:
    """Every other operand; more operands than this have no bit of their own."""
    return frozenset(range(60)) - {position}


# PyTorch ends a contraction with a view of its batched product, and users see that view's name
add_row("einsum", infer_einsum, einsum_forward, einsum_pullback, saves=einsum_saves, lanes="einsum", grad_fn="ViewBackward0",
        doc="The sum of products over named indices. Each operand has an index once, and every index is in another operand or in the result. "
        "Attributes: (the indices of each operand, the indices of the result).")


# cross: attributes (the dimension of size 3)

def infer_cross(attributes: tuple[int], a: Spec, b: Spec) -> tuple[Shape, DType]:
    return broadcast(a.shape, b.shape), a.dtype


def cross_forward(attributes: tuple[int], a: Any, b: Any) -> Any:
    return np.cross(a, b, axis=attributes[0])


def cross_pullback(F: Any, attributes: tuple[int], k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    return F.cross(b, y_bar, attributes) if k == 0 else F.cross(y_bar, a, attributes)


add_row("cross", infer_cross, cross_forward, cross_pullback, saves=(frozenset({1}), frozenset({0})), lanes="cross", grad_fn="LinalgCrossBackward0",
        doc="The vector product along a dimension of size 3. Attributes: (that dimension,).")

view("squeeze_product", "SqueezeBackward4", "A product of a vector and a matrix without the vector's added dimension.", is_alias=True)
view("clone_product", "CloneBackward0", "A product of a matrix and a stack of matrices under its final shape.", is_alias=True)
