"""Values that were changed in place after an instruction had saved them: which one, as error messages say it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tapediff.memory import operands_of, source_named
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment

__all__ = ["OverwrittenValue", "is_overwritten_at", "overwritten_operand"]


def is_overwritten_at(segment: Segment, operand: int, reader: int) -> bool:
    """As the compiled `is_overwritten`, for instruction `reader` of a computed segment."""
    while operand >= 0:
        if segment.overwritten is not None and operand < len(segment.overwritten) and segment.overwritten[operand] > reader:
            return True
        code = segment.whole_code()
        if not KINDS.table[code[3 * operand], layout.K_SCALARS] & layout.VIEW:
            return False
        operand = code[3 * operand + 1]
    return source_named(operand).clock > clock_of(segment, reader)


def clock_of(segment: Segment, reader: int) -> int:
    """When the batch of instruction `reader` was computed."""
    clocks = segment.clocks
    return next(clocks[k + 1] for k in range(len(clocks) - 2, -2, -2) if clocks[k] <= reader)


class OverwrittenValue(NamedTuple):
    """What an error message says of a value that was changed in place."""

    dtype: Any
    shape: tuple[int, ...]
    origin: str
    version: int
    expected: int


def overwritten_operand(segment: Segment, reader: int) -> OverwrittenValue:
    """Which of the values that an instruction saved was changed in place."""
    code = segment.whole_code()
    kind = KINDS.kinds[code[3 * reader]]
    saves = int(KINDS.table[kind.number, layout.K_SAVES])
    saved = [(operand, spec)
             for position, (operand, spec) in enumerate(zip(operands_of(code, reader, len(kind.operands)), kind.operands,
                                                            strict=True))
             if saves >> 1 >> min(position, 60) & 1]
    if saves & 1:
        saved.append((reader, kind.spec))
    operand, spec = next((operand, spec) for operand, spec in saved if is_overwritten_at(segment, operand, reader))
    while operand >= 0 and operand not in segment.versions:  # an alias: what was written is the memory that it shows
        operand = code[3 * operand + 1]
    if operand >= 0:
        version = segment.versions[operand]
        name = KINDS.kinds[code[3 * operand]].grad_fn
        return OverwrittenValue(spec.dtype, spec.shape, f", which is output 0 of {name}", version, version - 1)
    source = source_named(operand)
    storage = source.storage
    version = storage.version if storage is not None else 1
    clock = clock_of(segment, reader)
    since = sum(1 for time in storage.writes if time > clock) if storage is not None else 1
    return OverwrittenValue(spec.dtype, spec.shape, "", version, version - since)
