"""Nodes of the graph as PyTorch has them: names for what is composed of several ops here, and nodes that have no derivative."""

from __future__ import annotations

from typing import Any

from tapediff.ops.structural import STRUCTURAL, Structural
from tapediff.recording import structural
from tapediff.shapes import contiguous_strides

__all__ = ["named", "undifferentiable"]

_names: dict[str, Structural] = {}


def named(x: Any, grad_fn: str) -> Any:
    """`x` itself, under the name that PyTorch gives to a node which is composed of several ops here."""
    if not x.spec.requires_grad:
        return x
    row = _names.get(grad_fn)
    if row is None:
        alias = STRUCTURAL["alias"]
        row = _names[grad_fn] = Structural("alias", alias.infer, alias.forward, alias.pullback, alias.saves, grad_fn=grad_fn,
                                           is_alias=True, doc=alias.doc)
    shape = x.spec.shape
    return structural(row, (shape, contiguous_strides(shape), 0), x)


def undifferentiable(x: Any, operand: Any, message: str, kind: str = "RuntimeError") -> Any:
    """`x` itself, through which no reverse pass goes to the operand that it was computed from.

    >>> import tapediff as td
    >>> a = td.ones(1, requires_grad=True)
    >>> undifferentiable(td.tensor([2.]), a, "The derivative is not implemented").backward()
    Traceback (most recent call last):
    RuntimeError: The derivative is not implemented
    """
    return structural(STRUCTURAL["undifferentiable"], (kind, message), x, operand) if operand.spec.requires_grad else x
