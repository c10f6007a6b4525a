"""What a row of the table of structural ops says: the ops that no formula states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tapediff.dtypes import DType
from tapediff.tape.spec import Spec

__all__ = ["STRUCTURAL", "Structural", "add_row"]

STRUCTURAL: dict[str, Structural] = {}


@dataclass(frozen=True, eq=False)
class Structural:
    """One structural op.

    name        PyTorch's function name where it has one
    infer       (attributes, *operand specs) -> shape and dtype of the result; raises PyTorch's errors
    forward     (attributes, *arrays) -> array; NumPy on contiguous arrays that must not be written
    pullback    (F, attributes, k, y_bar, y, *operands) -> what the adjoint of operand k gains, in the operand's shape. Written once: F offers every op
                of both tables as a function, `F.exp(x)` and `F.sum(x, attributes)`, on arrays in a plain reverse pass and on tensors where the pass
                itself is recorded for higher orders; operators work on both. y_bar, y and operands are arrays or tensors, whichever F is for.
    operands    which operands have a derivative: their positions, or None for all floating ones
    saves       for each operand position what its pullback reads: "y" and operand positions; a callable of the position for a variable number of operands
    grad_fn     the name of the node in PyTorch
    kernel      name of the compiled kernels in tapediff.kernels.structural, or None where NumPy does the work
    is_alias    the result is the operand's memory under another shape
    is_view     the result shows the operand's elements, and in PyTorch its memory
    lanes       how the op runs over rows in SIMD lanes: the name of its family in tapediff.program.lanes, or None where Python does one lane after the other
    """

    name: str
    infer: Callable[..., tuple[tuple[int, ...], DType]]
    forward: Callable[..., Any]
    pullback: Callable[..., Any] | None
    saves: tuple[frozenset[Any], ...] | Callable[[int], frozenset[Any]] = ()
    operands: tuple[int, ...] | None = None
    grad_fn: str = ""
    kernel: str | None = None
    is_alias: bool = False
    is_view: bool = False
    lanes: str | None = None
    doc: str = ""

    def is_differentiable(self, position: int) -> bool:
        """Whether operand `position` can receive an adjoint."""
        return self.pullback is not None and (self.operands is None or position in self.operands)

    def saved_by(self, position: int) -> frozenset[Any]:
        """What the pullback to operand `position` reads."""
        if callable(self.saves):
            return self.saves(position)
        return self.saves[position] if position < len(self.saves) else frozenset()


def add_row(name: str, infer: Callable[..., Any], forward: Callable[..., Any], pullback: Callable[..., Any] | None, *, grad_fn: str = "",
            saves: Any = (), **facts: Any) -> Structural:
    """Add one op to the table; `grad_fn` defaults to the name in PyTorch's form, SumBackward0."""
    if not grad_fn:
        grad_fn = "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Backward0"
    row = STRUCTURAL[name] = Structural(name, infer, forward, pullback, saves=saves, grad_fn=grad_fn, **facts)
    return row


def same_shape(attributes: Any, spec: Spec, *others: Spec) -> tuple[tuple[int, ...], DType]:
    """The `infer` of ops whose result is like their first operand."""
    return spec.shape, spec.dtype
