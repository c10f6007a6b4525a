"""The row that passes values on and refuses adjoints: for what PyTorch computes and does not differentiate."""

from __future__ import annotations

from typing import Any

from tapediff.ops.structural import add_row, same_shape

__all__: list[str] = []


def forward(message: str, a: Any) -> Any:
    return a


def pullback(F: Any, message: str, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    raise RuntimeError(message)


add_row(
    "undifferentiable",
    same_shape,
    forward,
    pullback,
    saves=(frozenset(),),
    grad_fn="NotImplemented",
    lanes="moves",
    doc="The operand itself; a reverse pass that comes to it raises an error. Attributes: the error's message.",
)
