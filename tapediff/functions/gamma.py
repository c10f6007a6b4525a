"""Functions of two operands about the gamma function that PyTorch differentiates by the second one only."""

from __future__ import annotations

from typing import Any

from tapediff.functions.elementwise import operand, refuse_out
from tapediff.functions.naming import named, undifferentiable
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.tensor import Tensor

__all__ = ["gammainc", "gammaincc", "zeta"]


def incomplete_gamma(name: str, torch_name: str, input: Tensor, other: Tensor, out: None) -> Tensor:
    """A regularized incomplete gamma function, which PyTorch does not differentiate by its first operand."""
    for position, (value, argument) in enumerate(((input, "input"), (other, "other")), 1):
        check_tensor(value, f"special_{name}", argument, position)
    refuse_out(f"special_{name}", out)
    for value in (input, other):
        if not value.spec.dtype.is_floating_point:
            raise NotImplementedError(
                f"\"{torch_name}_cpu\" not implemented for '{value.spec.dtype.legacy}': convert it with .float()"
            )
    message = f"the derivative for '{torch_name}: input' is not implemented."
    value = undifferentiable(elementwise(ROWS[name], input, other), input, message, "NotImplementedError")
    made: Tensor = named(value, f"{torch_name.capitalize()}Backward0")
    return made


@function("igamma")
def gammainc(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The lower incomplete gamma function of `other` for the parameter `input`, as a fraction of the whole.

    It is differentiated by `other` only.

    >>> import tapediff as td
    >>> gammainc(td.tensor([1., 2.]), td.tensor([1., 1.]))
    tensor([0.6321, 0.2642])
    """
    return incomplete_gamma("gammainc", "igamma", input, other, out)


@function("igammac")
def gammaincc(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The upper incomplete gamma function, ``1 - gammainc(input, other)``; differentiated by `other` only.

    >>> import tapediff as td
    >>> gammaincc(td.tensor([1., 2.]), td.tensor([1., 1.]))
    tensor([0.3679, 0.7358])
    """
    return incomplete_gamma("gammaincc", "igammac", input, other, out)


def zeta(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Hurwitz's zeta function, the sum of ``(k + other)**-input`` over k = 0, 1, 2 ...; differentiated by `other` only.

    nan where input is below 1, and where other is negative and no integer.

    >>> import tapediff as td
    >>> zeta(td.tensor([2., 4.]), 1)
    tensor([1.6449, 1.0823])
    """
    refuse_out("special_zeta", out)
    s, q = operand(input, "special_zeta", "input", 1), operand(other, "special_zeta", "other", 2)
    if not isinstance(s, Tensor) and not isinstance(q, Tensor):
        raise TypeError(
            "special_zeta() received an invalid combination of arguments - got two numbers: one of them must be a Tensor"
        )
    value = elementwise(ROWS["zeta"], s, q)
    if isinstance(s, Tensor):
        value = undifferentiable(value, s, "the derivative for 'zeta' is not implemented.", "NotImplementedError")
    overload = 0 if isinstance(s, Tensor) and isinstance(q, Tensor) else 2 if isinstance(s, Tensor) else 1
    made: Tensor = named(value, f"SpecialZetaBackward{overload}")
    return made
