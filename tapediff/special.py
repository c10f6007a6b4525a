"""Special functions under the names of torch.special."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tapediff.functions.elementwise import operand, refuse_out
from tapediff.functions.gamma import gammainc, gammaincc, zeta
from tapediff.functions.naming import named
from tapediff.functions.polynomials import POLYNOMIALS, polynomial
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.tensor import Tensor

__all__ = ["entr", "gammainc", "gammaincc", "multigammaln", "ndtr", "xlog1py", "zeta"]

_SAME = {
    "digamma": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp2": "exp2", "expit": "sigmoid", "expm1": "expm1",
    "gammaln": "lgamma", "i0": "i0", "log1p": "log1p", "log_softmax": "log_softmax", "logit": "logit", "logsumexp": "logsumexp",
    "polygamma": "polygamma", "psi": "digamma", "round": "round", "sinc": "sinc", "softmax": "softmax", "xlogy": "xlogy",
}


def __getattr__(name: str) -> Any:
    """The functions that the top namespace has under the same or another name."""
    if name in _SAME:
        return FUNCTIONS[_SAME[name]]
    if name in _GENERATED:
        return _GENERATED[name]
    raise AttributeError(f"module 'tapediff.special' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SAME, *_GENERATED])


# Functions of one operand: the row, what it computes, and an example
_ROWS_OF_ONE = {
    "airy_ai": ("airy_ai", "Airy's function Ai.", "tensor([0.3550, 0.1353])"),
    "bessel_j0": ("bessel_j0", "The Bessel function of the first kind and order 0.", "tensor([1.0000, 0.7652])"),
    "bessel_j1": ("bessel_j1", "The Bessel function of the first kind and order 1.", "tensor([0.0000, 0.4401])"),
    "bessel_y0": ("bessel_y0", "The Bessel function of the second kind and order 0.", "tensor([  -inf, 0.0883])"),
    "bessel_y1": ("bessel_y1", "The Bessel function of the second kind and order 1.", "tensor([   -inf, -0.7812])"),
    "erfcx": ("erfcx", "``exp(x**2) * erfc(x)``, which does not underflow.", "tensor([1.0000, 0.4276])"),
    "i0e": ("i0e", "``exp(-abs(x)) * i0(x)``.", "tensor([1.0000, 0.4658])"),
    "i1": ("i1", "The modified Bessel function of the first kind and order 1.", "tensor([0.0000, 0.5652])"),
    "i1e": ("i1e", "``exp(-abs(x)) * i1(x)``.", "tensor([0.0000, 0.2079])"),
    "log_ndtr": ("log_ndtr", "The logarithm of the normal distribution function.", "tensor([-0.6931, -0.1728])"),
    "modified_bessel_i0": ("i0", "The modified Bessel function of the first kind and order 0.", "tensor([1.0000, 1.2661])"),
    "modified_bessel_i1": ("i1", "The modified Bessel function of the first kind and order 1.", "tensor([0.0000, 0.5652])"),
    "modified_bessel_k0": ("modified_bessel_k0",
        "The modified Bessel function, second kind, order 0.", "tensor([   inf, 0.4210])"),
    "modified_bessel_k1": ("modified_bessel_k1",
        "The modified Bessel function, second kind, order 1.", "tensor([   inf, 0.6019])"),
    "ndtri": ("ndtri", "The inverse of the normal distribution function.", "tensor([-inf, inf])"),
    "scaled_modified_bessel_k0": ("scaled_modified_bessel_k0", "``exp(x) * modified_bessel_k0(x)``.", "tensor([   inf, 1.1445])"),
    "scaled_modified_bessel_k1": ("scaled_modified_bessel_k1", "``exp(x) * modified_bessel_k1(x)``.", "tensor([   inf, 1.6362])"),
    "spherical_bessel_j0": ("spherical_bessel_j0",
        "``sin(x) / x``, the spherical Bessel function of order 0.", "tensor([1.0000, 0.8415])"),
}  # fmt: skip


def _of_one(name: str, row: str, sentence: str, printed: str) -> Callable[..., Tensor]:
    """The function of a row of one operand."""

    def function(input: Tensor, *, out: None = None) -> Tensor:
        check_tensor(input, f"special_{name}")
        refuse_out(f"special_{name}", out)
        return elementwise(ROWS[row], input)

    return _called(function, name, sentence, f"td.special.{name}(td.tensor([0., 1.]))", printed)


def _of_degree(name: str, sentence: str, printed: str) -> Callable[..., Tensor]:
    """The function of a family of polynomials."""

    def function(input: Any, n: Any, *, out: None = None) -> Tensor:
        refuse_out(f"special_{name}", out)
        return polynomial(name, input, n)

    return _called(function, name, f"{sentence}.", f"td.special.{name}(td.tensor([0.5, 2.]), 2)", printed)


def _called(function: Any, name: str, sentence: str, example: str, printed: str) -> Any:
    """A function with its name and docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{sentence}\n\n>>> import tapediff as td\n>>> {example}\n{printed}\n"
    return function


_GENERATED = {
    **{name: _of_one(name, *facts) for name, facts in _ROWS_OF_ONE.items()},
    **{name: _of_degree(name, family.sentence, family.values) for name, family in POLYNOMIALS.items()},
}
__test__ = {name: function.__doc__ for name, function in _GENERATED.items()}


def entr(input: Tensor) -> Tensor:
    """``-x * log(x)``, 0 at 0 and -inf below.

    >>> import tapediff as td
    >>> entr(td.tensor([0., 0.5, -1.]))
    tensor([0.0000, 0.3466,   -inf])
    """
    check_tensor(input, "special_entr")
    return elementwise(ROWS["entr"], input)


def ndtr(input: Tensor) -> Tensor:
    """The distribution function of the standard normal distribution.

    >>> import tapediff as td
    >>> ndtr(td.tensor([0., 2.]))
    tensor([0.5000, 0.9772])
    """
    check_tensor(input, "special_ndtr")
    return elementwise(ROWS["mul"], elementwise(ROWS["erfc"], elementwise(ROWS["mul"], input, -math.sqrt(0.5))), 0.5)


def xlog1py(input: Any, other: Any) -> Tensor:
    """``input * log1p(other)``, 0 where input is 0 and other is not nan.

    >>> import tapediff as td
    >>> xlog1py(td.tensor([0., 2.]), td.tensor([-1., 1e-6]))
    tensor([0.0000e+00, 2.0000e-06])
    """
    a, b = operand(input, "special_xlog1py", "input", 1), operand(other, "special_xlog1py", "other", 2)
    if isinstance(b, Tensor):
        logarithm: Any = elementwise(ROWS["log1p"], b)
    else:
        logarithm = math.log1p(b) if b > -1 else -math.inf if b == -1 else math.nan
    if not isinstance(a, Tensor):
        return named(elementwise(ROWS["mul"], logarithm, a), "SpecialXlog1PyBackward1")
    is_zero = elementwise(ROWS["eq"], a, 0)
    if isinstance(b, Tensor):
        is_zero = elementwise(ROWS["logical_and"], is_zero, elementwise(ROWS["eq"], b, b))
    result = elementwise(ROWS["where"], is_zero, 0.0, elementwise(ROWS["mul"], a, logarithm))
    return named(result, "SpecialXlog1PyBackward0" if isinstance(b, Tensor) else "SpecialXlog1PyBackward2")


def multigammaln(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension `p`.

    >>> import tapediff as td
    >>> multigammaln(td.tensor([2., 3.]), 2)
    tensor([0.4516, 1.5502])
    """
    check_tensor(input, "special_multigammaln")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1: multigammaln got p={p}")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = elementwise(ROWS["add"], elementwise(ROWS["lgamma"], elementwise(ROWS["sub"], input, j / 2)), total)
    return named(total, "MvlgammaBackward0")
