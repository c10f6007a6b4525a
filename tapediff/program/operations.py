"""Operations: what an instruction of a closed tape does, interned; a kind of the running tape without its grad modes."""

from __future__ import annotations

import threading
from typing import Any

from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.op import Elementwise
from tapediff.ops.structural import STRUCTURAL
from tapediff.tape import layout
from tapediff.tape.kinds import Kind
from tapediff.tape.spec import Spec, spec_of

__all__ = ["Operation", "operation_of", "operation_of_kind"]


class Operation:
    """An op on operands of given shapes and dtypes. Two instructions that do the same share one.

    is_elementwise  a row of formulas states the op
    is_alias        the result is the operand's memory under another shape
    adjoints bit k: the adjoint of operand k may be other than zero
    flows    bit k: gradients flow to operand k (they do not where the function said `detach` or `no_grad`)
    numbers  for element-wise ops, bit k: operand k was a Python number (PyTorch names some nodes by that); else None
    """

    __slots__ = ("adjoints", "attributes", "flows", "is_alias", "is_elementwise", "kind_class", "number", "numbers", "operands",
                 "row", "scalars", "spec")

    def __init__(self, number: int, row: Any, attributes: Any, operands: tuple[Spec, ...], spec: Spec, flows: int) -> None:
        self.number = number
        self.row = row
        self.operands = operands
        self.spec = spec
        self.flows = flows
        if isinstance(row, Elementwise):
            self.kind_class = layout.ELEMENTWISE
            self.numbers: Any = attributes
            self.attributes: Any = None
        else:
            self.kind_class = layout.ALIAS if row.is_alias else layout.STRUCTURAL
            self.numbers = None
            self.attributes = attributes
        self.is_elementwise = self.kind_class == layout.ELEMENTWISE
        self.is_alias = self.kind_class == layout.ALIAS
        self.adjoints = sum(1 << k for k in range(len(operands)) if self.flows_to(k) and not self._passes_nothing(k))
        self.scalars = 0
        if self.kind_class == layout.ELEMENTWISE and spec.size != 1:
            self.scalars = sum(1 << k for k, operand in enumerate(operands) if operand.size == 1)

    @property
    def name(self) -> str:
        """The op's name in the table of ops."""
        name: str = self.row.name
        return name

    def flows_to(self, position: int) -> bool:
        """Whether gradients flow to an operand."""
        return bool(self.flows >> min(position, 60) & 1) and self.operands[position].dtype.is_floating_point

    def _passes_nothing(self, position: int) -> bool:
        """Whether the adjoint of an operand is always zero: the derivative of `floor`."""
        if not self.is_elementwise:
            return False
        return self.row.partials[position] is None or self.row.pullback(position) == "0"

    def __repr__(self) -> str:
        attributes = "" if self.attributes is None else f", {self.attributes!r}"
        return f"{self.name}({', '.join(map(repr, self.operands))}{attributes}) -> {self.spec!r}"


_lock = threading.Lock()
_operations: dict[Any, Operation] = {}
_by_kind: dict[int, Operation] = {}


def plain(spec: Spec) -> Spec:
    """The spec without the facts of grad modes."""
    return spec if not spec.requires_grad and not spec.inference else spec_of(spec.shape, spec.dtype, False)


def operation_of(row: Any, attributes: Any, operands: tuple[Spec, ...], spec: Spec, flows: int) -> Operation:
    """The one Operation of these facts."""
    operands = tuple(map(plain, operands))
    spec = plain(spec)
    key = (row.name, row in (ROWS.get(row.name), STRUCTURAL.get(row.name)) or id(row), attributes, operands, spec, flows)
    found = _operations.get(key)
    if found is None:
        with _lock:
            found = _operations.get(key)
            if found is None:
                found = _operations[key] = Operation(len(_operations), row, attributes, operands, spec, flows)
    return found


def operation_of_kind(kind: Kind) -> Operation:
    """The Operation of an instruction of the running tape."""
    found = _by_kind.get(kind.number)
    if found is None:
        found = _by_kind[kind.number] = operation_of(kind.row, kind.attributes, kind.operands, kind.spec, kind.wanted)
    return found
