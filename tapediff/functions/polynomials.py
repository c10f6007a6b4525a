"""Orthogonal polynomials, recorded by their recurrences (DLMF 18.9), so that they have derivatives, which PyTorch's do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.composing import leaf
from tapediff.functions.elementwise import is_number, operand
from tapediff.functions.registry import FUNCTIONS
from tapediff.recording import cast, source_of
from tapediff.tensor import Tensor

__all__ = ["POLYNOMIALS", "Family", "polynomial"]


class Family(NamedTuple):
    """The polynomials 1, `first(x)`, and then `next(k, x, p, q)` of degree k + 1 from those of the degrees k and k - 1."""

    first: Callable[[Any], Any]
    next: Callable[[int, Any, Any, Any], Any]
    sentence: str
    values: str


def chebyshev(k: int, x: Any, p: Any, q: Any) -> Any:
    return 2 * x * p - q


def chebyshev_family(first: Callable[[Any], Any], kind: str, values: str) -> Family:
    return Family(first, chebyshev, f"Chebyshev's polynomial of the {kind} kind and of degree `n`", values)


def shifted(family: Family, values: str) -> Family:
    """The same polynomials of ``2 x - 1``."""
    first = family.first
    return Family(
        lambda x: first(2 * x - 1),
        lambda k, x, p, q: chebyshev(k, 2 * x - 1, p, q),
        f"{family.sentence}, at ``2 * input - 1``",
        values,
    )


CHEBYSHEV = {
    "t": chebyshev_family(lambda x: x, "first", "tensor([-0.5000,  7.0000])"),
    "u": chebyshev_family(lambda x: 2 * x, "second", "tensor([ 0., 15.])"),
    "v": chebyshev_family(lambda x: 2 * x - 1, "third", "tensor([-1., 11.])"),
    "w": chebyshev_family(lambda x: 2 * x + 1, "fourth", "tensor([ 1., 19.])"),
}
SHIFTED = {"t": "[-1., 17.]", "u": "[-1., 35.]", "v": "[-1., 29.]", "w": "[-1., 41.]"}
POLYNOMIALS = {
    **{f"chebyshev_polynomial_{kind}": family for kind, family in CHEBYSHEV.items()},
    **{f"shifted_chebyshev_polynomial_{kind}": shifted(CHEBYSHEV[kind], f"tensor({values})") for kind, values in SHIFTED.items()},
    "hermite_polynomial_h": Family(
        lambda x: 2 * x,
        lambda k, x, p, q: 2 * x * p - 2 * k * q,
        "The physicists' Hermite polynomial of degree `n`",
        "tensor([-1., 14.])",
    ),
    "hermite_polynomial_he": Family(
        lambda x: x,
        lambda k, x, p, q: x * p - k * q,
        "The probabilists' Hermite polynomial of degree `n`",
        "tensor([-0.7500,  3.0000])",
    ),
    "laguerre_polynomial_l": Family(
        lambda x: 1 - x,
        lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1),
        "Laguerre's polynomial of degree `n`",
        "tensor([ 0.1250, -1.0000])",
    ),
    "legendre_polynomial_p": Family(
        lambda x: x,
        lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1),
        "Legendre's polynomial of degree `n`",
        "tensor([-0.1250,  5.5000])",
    ),
}


def degrees(family: Family, x: Any, largest: int) -> list[Any]:
    """The polynomials of the degrees up to `largest`."""
    found = [x * 0 + 1, family.first(x)]
    for k in range(1, largest):
        found.append(family.next(k, x, found[k], found[k - 1]))
    return found[: largest + 1]


def polynomial(name: str, x: Any, n: Any) -> Tensor:
    """The polynomial of one family; `n` may differ from element to element, fractions are cut off, and it is 0 below degree 0.

    >>> import tapediff as td
    >>> polynomial("legendre_polynomial_p", td.tensor([0.5, 0.5]), td.tensor([1., 2.]))
    tensor([ 0.5000, -0.1250])
    """
    title, family = f"special_{name}", POLYNOMIALS[name]
    x, n = operand(x, title, "input", 1), operand(n, title, "n", 2)
    if is_number(x) and is_number(n):
        raise TypeError(f"{title}() received an invalid combination of arguments - got two numbers: one must be a Tensor")
    like = n if is_number(x) else x
    if is_number(x):
        dtype = like.spec.dtype if like.spec.dtype.is_floating_point else dtypes.get_default_dtype()
        x = leaf(np.array(x, dtype.numpy))
    elif not x.spec.dtype.is_floating_point:
        x = cast(x, dtypes.get_default_dtype())
    if is_number(n):
        found: Tensor = degrees(family, x, int(n))[-1] if n > -1 else x * 0
        return found
    wanted = FUNCTIONS["trunc"](n) if n.spec.dtype.is_floating_point else n
    largest = int(np.max(source_of(wanted).values(), initial=-1))
    some(wanted > largest)  # a replay with a larger degree needs another recording
    found = x * 0 + wanted.detach() * 0
    for k, value in enumerate(degrees(family, x, largest) if largest >= 0 else ()):
        found = FUNCTIONS["where"](wanted == k, value, found)
    return found
