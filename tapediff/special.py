"""Special functions under the names of torch.special."""

from __future__ import annotations

import math
from typing import Any

from tapediff.functions.elementwise import operand
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.tensor import Tensor

__all__ = ["entr", "multigammaln", "ndtr", "xlog1py"]

_SAME = {
    "digamma": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp2": "exp2", "expit": "sigmoid", "expm1": "expm1",
    "gammaln": "lgamma", "log1p": "log1p", "log_softmax": "log_softmax", "logit": "logit", "logsumexp": "logsumexp",
    "polygamma": "polygamma", "psi": "digamma", "round": "round", "sinc": "sinc", "softmax": "softmax", "xlogy": "xlogy",
}


def __getattr__(name: str) -> Any:
    """The functions that the top namespace has under the same or another name."""
    if name in _SAME:
        return FUNCTIONS[_SAME[name]]
    raise AttributeError(f"module 'tapediff.special' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SAME])


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
