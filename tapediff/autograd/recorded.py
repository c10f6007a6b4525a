"""A reverse pass that is itself recorded, so that its results can be differentiated again."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Any

from tapediff import recording
from tapediff.forward import flush
from tapediff.leading import Leading
from tapediff.memory import operands_of, source_named
from tapediff.ops.custom import formula_row, own_row
from tapediff.ops.op import compiled
from tapediff.ops.structural import STRUCTURAL, Structural
from tapediff.overwritten import is_overwritten_at
from tapediff.recording import elementwise, modes, structural
from tapediff.reverse import Consumed, Overwritten
from tapediff.shapes import contiguous_strides
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS, Kind
from tapediff.tape.segment import Segment
from tapediff.tape.source import Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_slot, of_source

__all__ = ["TENSORS", "recorded_pass"]


class TensorFunctions:
    """F on tensors: the functions that a derivative rule may call, recorded. Attributes of structural ops come last."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = STRUCTURAL.get(name) or own_row(name)
        if isinstance(row, Structural):
            found: Callable[..., Any] = lambda *arguments: structural(row, arguments[-1], *arguments[:-1])  # noqa: E731
        elif (formulas := formula_row(name)) is not None:
            found = lambda *operands: elementwise(formulas, *operands)  # noqa: E731
        else:
            raise AttributeError(f"no op is called {name!r}")
        setattr(self, name, found)
        return found

    def cast(self, x: Tensor, dtype: Any) -> Tensor:
        """x as another dtype."""
        made: Tensor = recording.cast(x, dtype)
        return made

    def full_like(self, x: Tensor, value: float) -> Tensor:
        """A tensor like x, all of one value."""
        import numpy as np
        spec = spec_of(x.spec.shape, x.spec.dtype, False)
        return of_source(Source(spec, value, None if spec.ndim == 0 else np.full(spec.shape, value, spec.dtype.numpy)))

    def zeros_like(self, x: Tensor) -> Tensor:
        return self.full_like(x, 0)

    def ones_like(self, x: Tensor) -> Tensor:
        return self.full_like(x, 1)


TENSORS = TensorFunctions()


class _Names(dict[str, Any]):
    """The names of a formula: operands, constants, and every element-wise op."""

    def __missing__(self, name: str) -> Any:
        if name in ("inf", "nan", "pi"):
            return getattr(math, name)
        return self.where if name == "where" else getattr(TENSORS, name)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """`where`; of two numbers, which would take the default dtype, in the dtype of the adjoint."""
        if not isinstance(x, Tensor) and not isinstance(y, Tensor):
            x = of_source(Source(spec_of((), self["y_bar"].spec.dtype, False), x))
        return TENSORS.where(condition, x, y)


def recorded_pass(seeds: Sequence[tuple[Any, int, Tensor]], retain: bool, deliver: Callable[[Source, Tensor], None],
                  watched: dict[Any, dict[int, Callable[[Tensor], Any]]] | None = None, leading: Leading | None = None) -> None:
    """As `reverse.Pass.run`, with adjoints that are tensors on the running tape."""
    waiting: dict[int, dict[int, Tensor]] = {}
    origins: dict[int, Any] = {}
    order: list[int] = []

    def seed(origin: Any, slot: int, adjoint: Tensor) -> None:
        if leading is not None and not leading.reaches(origin, slot):
            return
        slots = waiting.get(origin.number)
        if slots is None:
            slots = waiting[origin.number] = {}
            origins[origin.number] = origin
            heapq.heappush(order, -origin.number)
        known = slots.get(slot)
        slots[slot] = adjoint if known is None else known + adjoint

    for origin, slot, adjoint in seeds:
        if type(origin) is Segment:
            origin.close()
        seed(origin, slot, adjoint)
    while order:
        number = -heapq.heappop(order)
        slots, origin = waiting.pop(number), origins.pop(number)
        if leading is not None and leading.ends_at(origin):
            for slot, adjoint in slots.items():
                watched[origin][slot](adjoint)  # type: ignore[index]
            continue
        if type(origin) is Segment:
            hooks = {**(origin.hooks or {}), **((watched or {}).get(origin, {}))}
            found = _reverse_segment(origin, slots, retain, hooks, leading)
        else:
            found = origin.propagate_recorded(slots, retain, (watched or {}).get(origin))
        for source, adjoint in found:
            if source.origin is None:
                deliver(source, adjoint)
            else:
                seed(source.origin, source.slot, adjoint)


def _reverse_segment(segment: Segment, adjoints: dict[int, Tensor], retain: bool,
                     hooks: dict[int, Any], leading: Leading | None) -> list[tuple[Source, Tensor]]:
    segment.close()
    flush(segment)
    if segment.is_released:
        segment.consume_all()
    code = segment.whole_code()
    if leading is not None:
        code = leading.code(segment, code)
        hooks = {slot: hook for slot, hook in hooks.items() if leading.reaches(segment, slot)}
    leaves: dict[int, Tensor] = {}
    used = []
    lines = inherited_lines(segment)
    places = [] if lines is None else lines.of_segment(segment.number, segment.count)
    for index in range(max(adjoints), -1, -1):
        adjoint = adjoints.pop(index, None)
        if adjoint is None:
            continue
        if index in hooks:
            changed = hooks[index](adjoint)
            adjoint = adjoint if changed is None else changed
        kind = KINDS.kinds[code[3 * index]]
        if not kind.wanted:
            continue
        numbers = operands_of(code, index, len(kind.operands))
        _check(segment, kind, index, numbers)
        used.append(index)
        operands = [of_slot(segment, number, spec) if number >= 0 else of_source(source_named(number))
                    for number, spec in zip(numbers, kind.operands, strict=True)]
        y = of_slot(segment, index, kind.spec)
        if lines is not None:
            lines.note(places[index])
        for position, number in enumerate(numbers):
            if not (kind.wanted >> min(position, 60) & 1 and kind.operands[position].requires_grad):
                continue
            contribution = _contribution(kind, position, adjoint, y, operands)
            if contribution is None:
                continue
            if modes.anomaly:
                refuse_nan(contribution, kind.grad_fn, position)
            target, key = (adjoints, number) if number >= 0 else (leaves, number)
            known = target.get(key)
            target[key] = contribution if known is None else known + contribution
    if not retain:
        consumed = segment.consumed_table()
        for index in used:
            consumed[index] = 1
    return [(source_named(number), adjoint) for number, adjoint in leaves.items()]


def inherited_lines(segment: Segment) -> Any:
    """Where a recording notes that what a pass adds for an instruction comes from the instruction's line; None elsewhere."""
    recorder = modes.recorder
    if recorder is None or segment.recorder is not recorder or recorder.lines is None or not recorder.lines.is_inherited:
        return None
    return recorder.lines


def refuse_nan(contribution: Tensor, name: str, position: int) -> None:
    """What anomaly detection does.

    Raises
        RuntimeError: there is a nan.
    """
    value = recording.source_of(contribution).values()
    if (value != value).any():
        raise RuntimeError(f"Function '{name}' returned nan values in its {position}th output: the gradient by operand "
                           f"{position} has {int((value != value).sum())} nan in shape {list(value.shape)}; look at the values "
                           f"that {name.removesuffix('Backward0')} was given")


def _check(segment: Segment, kind: Kind, index: int, numbers: list[int]) -> None:
    """Refuse values that an earlier pass used up or that were overwritten since."""
    saves = int(KINDS.table[kind.number, layout.K_SAVES])
    if not saves:
        return
    if segment.consumed is not None and index < len(segment.consumed) and segment.consumed[index]:
        raise Consumed(segment, index)
    saved = [index] if saves & 1 else []
    saved += [number for position, number in enumerate(numbers) if saves >> 1 >> min(position, 60) & 1]
    if any(is_overwritten_at(segment, number, index) for number in saved):
        raise Overwritten(segment, index)


def _contribution(kind: Kind, position: int, adjoint: Tensor, y: Tensor, operands: list[Tensor]) -> Tensor | None:
    """What the adjoint of an operand gains, in the operand's shape."""
    spec = kind.operands[position]
    if kind.kind_class != layout.ELEMENTWISE:
        made: Tensor | None = kind.row.pullback(TENSORS, kind.attributes, position, adjoint, y, *operands)
        return made
    if kind.row.name == "cast":
        made = recording.cast(adjoint, spec.dtype)
    else:
        formula = kind.row.pullback(position)
        if formula == "0":
            return None
        made = eval(compiled(formula), {"__builtins__": {}}, _Names(zip("abc", operands), y=y, y_bar=adjoint))
    return _folded(made, spec.shape)


def _folded(x: Any, shape: tuple[int, ...]) -> Tensor:
    """The sum over what broadcasting repeated."""
    if x.spec.shape == shape:
        same: Tensor = x
        return same
    total = structural(STRUCTURAL["sum"], (tuple(range(x.spec.ndim)), False), x)
    made: Tensor = structural(STRUCTURAL["view"], (shape, contiguous_strides(shape), 0), total)
    return made
