"""The graph as PyTorch shows it: `grad_fn` nodes, made when somebody looks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

from tapediff import recording
from tapediff.forward import flush
from tapediff.memory import operands_of
from tapediff.ops.overwriting import OVERWRITING
from tapediff.shapes import contiguous_strides
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import SOURCE, SOURCES, Source
from tapediff.tensor import Tensor, name_of, of_source, origin_of

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
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in ("CopyBackwards", "CopySlices") else name

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
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node) or self._origin is not other._origin:
            return False
        return self._slot == other._slot or type(self._origin) is not Segment

    def __hash__(self) -> int:
        return hash((id(self._origin), self._slot if type(self._origin) is Segment else 0))


class AccumulateGrad(Node):
    """The node at a leaf: adds what arrives to the leaf's grad."""

    @property
    def variable(self) -> Tensor:
        """The leaf."""
        return _tensor_of(self._origin)

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return ()


def _tensor_of(source: Source) -> Tensor:
    """The user's own tensor that shows a leaf.

    Leaves are made too often to remember it; so look through all objects, once for many leaves.
    """
    found = _shown.get(source)
    tensor = found() if found is not None else None
    if tensor is None or tensor.segment is not SOURCE or tensor.source is not source:
        for thing in gc.get_objects():
            if issubclass(type(thing), Tensor) and getattr(thing, "segment", None) is SOURCE:  # isinstance would ask weak proxies
                _shown[thing.source] = weakref.ref(thing)
        found = _shown.get(source)
        tensor = found() if found is not None else None
    return of_source(source) if tensor is None else tensor


_shown: weakref.WeakKeyDictionary[Source, weakref.ref[Tensor]] = weakref.WeakKeyDictionary()
# a node is one object as long as somebody holds it
_nodes: weakref.WeakValueDictionary[tuple[int, int], Node] = weakref.WeakValueDictionary()
_classes: dict[str, type[Node]] = {}


def node_of(tensor: Tensor) -> Node | None:
    """The node that computed a tensor; AccumulateGrad for a leaf that requires grad; None where no gradient flows."""
    if not tensor.requires_grad:
        return None
    origin, slot = origin_of(tensor)
    return _accumulating(recording.source_of(tensor)) if origin is None else _node(origin, slot)


def _accumulating(source: Source) -> Node:
    """The node at a leaf."""
    return _kept((-1, id(source)), lambda: AccumulateGrad(source, 0))


def _kept(key: tuple[int, int], make: Callable[[], Node]) -> Node:
    """The node that somebody holds, or a new one."""
    found = _nodes.get(key)
    return _nodes.setdefault(key, make()) if found is None else found


def output_number(tensor: Tensor) -> int:
    """Which output of its node a tensor is."""
    return _output_number(*origin_of(tensor))


def _output_number(origin: Any, slot: int) -> int:
    if origin is None:
        return 0
    if type(origin) is not Segment:
        return slot
    kind = KINDS.kinds[origin.kind_number(slot)]
    if kind.name != "unbind":
        return 0
    strides, offset = kind.attributes[1:]
    steps = contiguous_strides(kind.operands[0].shape)
    dim = next(dim for dim in range(len(steps)) if steps[:dim] + steps[dim + 1:] == strides)
    return offset // steps[dim]


def _node(origin: Any, slot: int) -> Node:
    name = name_of(origin, slot)
    found = _classes.get(name)
    if found is None:
        found = _classes[name] = type(name, (Node,), {"__doc__": f"The node of {name}.", "__slots__": ()})
    return _kept((origin.number, slot if type(origin) is Segment else 0), lambda: found(origin, slot))


_INSERTED = frozenset({"broadcast"})  # instructions that broadcasting needs and PyTorch does not show


def _next_functions(segment: Segment, index: int) -> tuple[tuple[Any, int], ...]:
    flush(segment)
    if not segment.batches:
        return ()
    code = segment.whole_code()
    kind = KINDS.kinds[code[3 * index]]
    return tuple(_behind(segment, code, operand) for position, operand in enumerate(operands_of(code, index, len(kind.operands)))
                 if _is_edge(kind, position))


_WITH_NUMBERS = {"masked_fill", *OVERWRITING} - {"fill_tensor_", "copy_"}  # what they write is a number, in PyTorch an attribute


def _is_edge(kind: Any, position: int) -> bool:
    """Whether PyTorch's node has an edge to an operand: one that can have a derivative."""
    if kind.kind_class == layout.ELEMENTWISE:
        if kind.name in _SCALAR_ARGUMENTS and kind.attributes >> position & 1:
            return False
        return kind.row.partials[position] is not None or kind.name == "cast"
    if kind.name in _WITH_NUMBERS:
        return position == 0
    return kind.row.is_differentiable(position) and kind.operands[position].dtype.is_floating_point


# PyTorch takes a number there as an attribute
_SCALAR_ARGUMENTS = frozenset({"pow", "clamp", "clamp_min", "clamp_max", "leaky_relu", "elu", "softplus"})


def _behind(segment: Segment, code: Any, operand: int) -> tuple[Any, int]:
    while operand >= 0:
        kind = KINDS.kinds[code[3 * operand]]
        if not kind.spec.requires_grad:
            return (None, 0)
        if kind.name not in _INSERTED:
            return (_node(segment, operand), _output_number(segment, operand))
        operand = code[3 * operand + 1]
    owner = SOURCES.owners[-operand - 1]
    source: Source | None = owner() if owner is not None else None
    if source is None or not source.spec.requires_grad:
        return (None, 0)
    if source.origin is None:
        return (_accumulating(source), 0)
    return (_node(source.origin, source.slot), _output_number(source.origin, source.slot))


