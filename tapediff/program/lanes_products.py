"""Products in lanes."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple, cast

import numpy as np

from tapediff.kernels.lanes_products import Factor, contraction
from tapediff.program.lanes import ADJOINT, ONE, RESULT, RESULT_ADJOINT, Call, CallRows, Family, Lanes
from tapediff.program.operations import Operation
from tapediff.shapes import contiguous_strides

__all__ = ["FAMILIES"]

Names = tuple[str, ...]


class Product(NamedTuple):
    """``beta * input + alpha * (a @ b)`` over named dimensions; `input` is operand 0 where there is one.

    names    of the dimensions of the result, of a, of b and of the input, where dimensions that broadcasting repeats have none
    first    position of a; b follows
    """

    sizes: dict[str, int]
    names: tuple[Names, Names, Names, Names]
    first: int
    alpha: float = 1.0
    beta: float = 0.0


def product_of(operation: Operation) -> Product:
    """The dimensions of a product by name."""
    name, attributes = operation.row.name, cast(Any, operation.attributes)
    shapes = [operand.shape for operand in operation.operands]
    first = 1 if len(shapes) == 3 else 0
    alpha, beta = (attributes[1], attributes[0]) if first else (1.0, 0.0)
    transposes = attributes[2] if first else attributes
    if name in ("dot", "vdot"):
        names: list[Names] = [(), ("k",), ("k",)]
    elif name == "mv":
        names = [("i",), ("k", "i") if transposes else ("i", "k"), ("k",)]
    else:
        left, right = transposes or (False, False)
        names = [("i", "j"), ("k", "i") if left else ("i", "k"), ("j", "k") if right else ("k", "j")]
        if name in ("bmm", "baddbmm"):
            names = [("s", *each) for each in names]
    spread = operation.spec.shape
    input_names: Names = ()
    sizes: dict[str, int] = {}
    if first:
        wide = (1,) * (len(spread) - len(shapes[0])) + shapes[0]
        input_names = tuple(each for each, size in zip(names[0], wide, strict=True) if size != 1)
    for each, shape in zip(names, (spread, shapes[first], shapes[first + 1]), strict=True):
        for one, size in zip(each, shape, strict=True):
            sizes[one] = max(sizes.get(one, 1), size) if size else 0
    kept = [
        tuple(one for one, size in zip(each, shape, strict=True) if size == sizes[one])
        for each, shape in zip(names, (spread, shapes[first], shapes[first + 1]), strict=True)
    ]
    return Product(sizes, (kept[0], kept[1], kept[2], input_names), first, float(alpha), float(beta))


def factor(product: Product, which: int, is_laned: bool) -> Factor:
    """The result (0), a (1), b (2) or the input (3) of a product."""
    names = product.names[which]
    return Factor(names, contiguous_strides(tuple(product.sizes[name] for name in names)), is_laned)


NUMBER = Factor((), (), False)


def product_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    if not operation.spec.dtype.is_floating_point:
        return None
    product = product_of(operation)
    dtype, count, first = operation.spec.dtype.name, lanes.number, product.first
    y = factor(product, 0, True)
    calls = []
    if product.beta:
        spread = contraction(product.sizes, y, factor(product, 3, lanes.operands[0]), NUMBER, count, dtype, alpha=product.beta)
        calls.append(Call(*spread, (RESULT, 0, ONE)))
    made = contraction(
        product.sizes,
        y,
        factor(product, 1, lanes.operands[first]),
        factor(product, 2, lanes.operands[first + 1]),
        count,
        dtype,
        alpha=product.alpha,
        adds=bool(calls),
    )
    return [*calls, Call(*made, (RESULT, first, first + 1))]


def product_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call] | None:
    product = product_of(operation)
    dtype, count, first = operation.spec.dtype.name, lanes.number, product.first
    if position < first:
        if not product.beta:
            return []
        y_bar = factor(product, 0, True)
        made = contraction(
            product.sizes, factor(product, 3, True), y_bar, NUMBER, count, dtype, alpha=product.beta, adds=not lanes.is_fresh
        )
        return [Call(*made, (ADJOINT, RESULT_ADJOINT, ONE), lanes.is_fresh)]
    y, a, b, pointers = adjoint_terms(product, position, lanes.operands)
    made = contraction(product.sizes, y, a, b, count, dtype, alpha=product.alpha, adds=not lanes.is_fresh)
    return [Call(*made, (ADJOINT, *pointers), lanes.is_fresh)]


def adjoint_terms(
    product: Product, position: int, is_laned: tuple[bool, ...]
) -> tuple[Factor, Factor, Factor, tuple[int, int]]:
    """The adjoint of operand `position`, and the result's adjoint and the other operand, whose product it is; what those are."""
    which = position - product.first + 1
    other = product.first + 2 - which
    return (
        factor(product, which, True),
        factor(product, 0, True),
        factor(product, 3 - which, is_laned[other]),
        (RESULT_ADJOINT, other),
    )


def without_ones(one: Factor, sizes: dict[str, int]) -> Factor:
    """A factor without its dimensions of size 1."""
    kept = [(name, stride) for name, stride in zip(one.names, one.strides, strict=True) if sizes[name] != 1]
    return Factor(tuple(name for name, _ in kept), tuple(stride for _, stride in kept), one.is_laned)


def product_in_rows(operation: Operation, position: int | None) -> CallRows | None:
    if not operation.spec.dtype.is_floating_point:
        return None
    product = product_of(operation)
    first = product.first
    if position is None:
        if product.beta:
            return None
        y, a, b = (factor(product, which, True) for which in range(3))
        return in_rows(product.sizes, y, a, b, (first, first + 1), operation.spec.dtype.name, product.alpha)
    if position < first:
        return None
    y, a, b, pointers = adjoint_terms(product, position, (True,) * len(operation.operands))
    return in_rows(product.sizes, y, a, b, pointers, operation.spec.dtype.name, product.alpha)


def in_rows(
    sizes: dict[str, int], y: Factor, a: Factor, b: Factor, operands: tuple[int, int], dtype: str, alpha: float = 1.0
) -> CallRows | None:
    """The product of one row, with the last dimensions of y, which only one operand has, in the place of lanes.

    Every element adds its terms in the same order as in lanes, so that the bits are the same.
    """
    y, a, b = (without_ones(one, sizes) for one in (y, a, b))
    if not y.names:
        return None
    if y.names[-1] not in b.names:
        a, b, operands = b, a, operands[::-1]
    kept = len(y.names)
    while kept and y.names[kept - 1] in b.names and y.names[kept - 1] not in a.names:
        kept -= 1
    columns = y.names[kept:]
    count = prod(sizes[name] for name in columns)
    item = np.dtype(dtype).itemsize
    width = min(count & -count, 64 // item)
    total = [prod(sizes[name] for name in one.names) for one in (y, a, b)]
    # narrow vectors are slow; and small results are turned faster than their operands
    if not columns or b.names[len(b.names) - len(columns) :] != columns or width < 4 or total[0] < max(64, total[1] + total[2]):
        return None

    def shortened(one: Factor) -> Factor:
        names = one.names[: len(one.names) - len(columns)]
        return Factor(names, tuple(stride // count for stride in one.strides[: len(names)]), True)

    rest = {name: size for name, size in sizes.items() if name not in columns}
    made = contraction(
        rest, shortened(y), a._replace(is_laned=False), shortened(b), count, dtype, alpha=alpha, width=width
    )
    return CallRows(*made, operands)


# --- einsum ---------------------------------------------------------------------------------------------------------------------


def factors_of(operation: Operation, lanes: Lanes) -> tuple[dict[str, int], list[Factor]]:
    """The sizes of named indices; the result and the operands, a number 1 among them where there is only one operand."""
    indices, result = cast(Any, operation.attributes)
    sizes: dict[str, int] = {}
    made = []
    for names, spec, is_laned in zip(
        (result, *indices), (operation.spec, *operation.operands), (True, *lanes.operands), strict=True
    ):
        letters = tuple(str(index) for index in names)
        sizes.update(zip(letters, spec.shape, strict=True))
        made.append(Factor(letters, contiguous_strides(spec.shape), is_laned))
    return sizes, made if len(made) > 2 else [*made, NUMBER]


def einsum_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    if not operation.spec.dtype.is_floating_point or len(operation.operands) > 2:
        return None
    sizes, (y, a, b) = factors_of(operation, lanes)
    made = contraction(sizes, y, a, b, lanes.number, operation.spec.dtype.name)
    return [Call(*made, (RESULT, 0, 1 if len(operation.operands) > 1 else ONE))]


def einsum_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call] | None:
    if len(operation.operands) > 2:
        return None
    sizes, (y_bar, *factors) = factors_of(operation, lanes)
    made = contraction(
        sizes,
        factors[position]._replace(is_laned=True),
        y_bar,
        factors[1 - position],
        lanes.number,
        operation.spec.dtype.name,
        adds=not lanes.is_fresh,
    )
    return [Call(*made, (ADJOINT, RESULT_ADJOINT, 1 - position if len(operation.operands) > 1 else ONE), lanes.is_fresh)]


def einsum_in_rows(operation: Operation, position: int | None) -> CallRows | None:
    if not operation.spec.dtype.is_floating_point or len(operation.operands) != 2:
        return None
    sizes, (y, *factors) = factors_of(operation, Lanes(1, (True, True)))
    if position is None:
        return in_rows(sizes, y, factors[0], factors[1], (0, 1), operation.spec.dtype.name)
    pointers = (RESULT_ADJOINT, 1 - position)
    return in_rows(sizes, factors[position], y, factors[1 - position], pointers, operation.spec.dtype.name)


FAMILIES: dict[str | None, Family] = {
    "product": Family(product_forward, product_reverse, product_in_rows),
    "einsum": Family(einsum_forward, einsum_reverse, einsum_in_rows),
}
