"""The row that passes a value on and refuses adjoints to what it was computed from: for what has no derivative, as in PyTorch."""

from __future__ import annotations

from typing import Any

from tapediff.ops.structural import add_row, same_shape

__all__: list[str] = []

Refusal = tuple[str, str]
ERRORS = {"RuntimeError": RuntimeError, "NotImplementedError": NotImplementedError}  # a program file names no other


def forward(refusal: Refusal, a: Any, b: Any) -> Any:
    return a


def pullback(F: Any, refusal: Refusal, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    if k == 0:
        return y_bar
    kind, message = refusal
    raise ERRORS.get(kind, RuntimeError)(message)


add_row(
    "undifferentiable",
    same_shape,
    forward,
    pullback,
    saves=(frozenset(), frozenset()),
    grad_fn="NotImplemented",
    lanes="moves",
    doc="The first operand; a reverse pass to the second raises an error. Attributes: the error's type and message.",
)
