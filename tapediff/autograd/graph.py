"""The graph as PyTorch shows it: `grad_fn` nodes, made when somebody looks."""

from __future__ import annotations

from typing import Any

from tapediff.execute import flush, operands_of
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import SOURCES, Source
from tapediff.tensor import Tensor, of_source, origin_of

__all__ = ["AccumulateGrad", "Node", "node_of"]


class Node:
    """One node of the graph: what a tensor was computed by.

    >>> import tapediff as td
    >>> x = td.tensor(2., requires_grad=True)
    >>> (x * 3).grad_fn.name(), (x * 3).grad_fn.next_functions[1]
    ('MulBackward0', (None, 0))
    """

    def __init__(self, origin: Any, slot: int) -> None:
        self._origin = origin
        self._slot = slot

    def name(self) -> str:
        """The node's name, as in `MulBackward0`."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For every operand the node that computed it and the number of its output; (None, 0) where no gradient flows."""
        if type(self._origin) is Segment:
            return _next_functions(self._origin, self._slot)
        found: tuple[tuple[Any, int], ...] = tuple(
            (node_of(tensor), output_number(tensor)) if tensor.requires_grad else (None, 0) for tensor in self._origin.inputs)
        return found

    @property
    def metadata(self) -> dict[Any, Any]:
        return {}

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._origin is other._origin and (self._slot == other._slot or type(self._origin) is not Segment)

    def __hash__(self) -> int:
        return hash((id(self._origin), self._slot if type(self._origin) is Segment else 0))


class AccumulateGrad(Node):
    """The node at a leaf: adds what arrives to the leaf's grad."""

    def __init__(self, variable: Tensor) -> None:
        super().__init__(variable.source, 0)
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return ()


_classes: dict[str, type[Node]] = {}


def node_of(tensor: Tensor) -> Node | None:
    """The node that computed a tensor; AccumulateGrad for a leaf that requires grad; None where no gradient flows."""
    if not tensor.requires_grad:
        return None
    origin, slot = origin_of(tensor)
    if origin is None:
        return AccumulateGrad(tensor)
    return _node(origin, slot)


def output_number(tensor: Tensor) -> int:
    """Which output of its node a tensor is."""
    origin, slot = origin_of(tensor)
    return 0 if origin is None or type(origin) is Segment else slot


def _node(origin: Any, slot: int) -> Node:
    name = name_of(origin, slot)
    found = _classes.get(name)
    if found is None:
        found = _classes[name] = type(name, (Node,), {"__doc__": f"The node of {name}.", "__slots__": ()})
    return found(origin, slot)


def name_of(origin: Any, slot: int) -> str:
    """The name of the node that computed a slot."""
    return KINDS.kinds[origin.kind_number(slot)].grad_fn if type(origin) is Segment else origin.name


_INSERTED = frozenset({"broadcast"})  # instructions that broadcasting needs and PyTorch does not show


def _next_functions(segment: Segment, index: int) -> tuple[tuple[Any, int], ...]:
    flush(segment)
    if not segment.batches:
        return ()
    code = segment.whole_code()
    kind = KINDS.kinds[code[3 * index]]
    found: list[tuple[Any, int]] = []
    for operand in operands_of(code, index, len(kind.operands)):
        found.append(_behind(segment, code, operand))
    if kind.name in _SCALAR_ARGUMENTS and kind.attributes:
        found = [entry for position, entry in enumerate(found) if not kind.attributes >> position & 1]
    return tuple(found)


_SCALAR_ARGUMENTS = frozenset({"pow", "clamp", "clamp_min", "clamp_max", "leaky_relu", "elu", "softplus"})  # PyTorch takes a number there as an attribute


def _behind(segment: Segment, code: Any, operand: int) -> tuple[Any, int]:
    while operand >= 0:
        kind = KINDS.kinds[code[3 * operand]]
        if not kind.spec.requires_grad:
            return (None, 0)
        if kind.name not in _INSERTED:
            return (_node(segment, operand), 0)
        operand = code[3 * operand + 1]
    owner = SOURCES.owners[-operand - 1]
    source: Source | None = owner() if owner is not None else None
    if source is None or not source.spec.requires_grad:
        return (None, 0)
    if source.origin is None:
        return (AccumulateGrad(of_source(source)), 0)
    return (_node(source.origin, source.slot), 0 if type(source.origin) is Segment else source.slot)


