"""What leads to the inputs of a pass: of a graph, only the instructions and nodes between outputs and inputs are to run."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np

from tapediff import sweeps
from tapediff.forward import flush
from tapediff.kernels.options import entry
from tapediff.memory import address_of
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import Source

__all__ = ["Leading"]

_lead = entry(sweeps.lead)

INPUT, LEADS = 1, 2  # flags of a slot: it is an input itself; its instruction passes an adjoint on towards one


class Leading:
    """Which slots of a graph are inputs or lead to inputs.

    leaves  inputs that are leaves
    slots   the others: (origin, slot)

    What an input does not depend on is not entered, not freed, and its hooks are not called, as in PyTorch.
    """

    def __init__(self, outputs: Iterable[Any], leaves: set[Source], slots: set[tuple[Any, int]]) -> None:
        self.leaves = leaves
        self.slots = slots
        self.flags: dict[Any, Any] = {}  # by origin: of a segment an array, of another node whether it leads
        for origin in sorted(graph_of(outputs), key=lambda one: one.number):
            self.flags[origin] = self._of_segment(origin) if type(origin) is Segment else self._of_node(origin)

    def reaches(self, origin: Any, slot: int) -> bool:
        """Whether a slot is an input or leads to one."""
        flags = self.flags.get(origin, True)
        return bool(flags[slot]) if type(flags) is np.ndarray else bool(flags) or (origin, slot) in self.slots

    def ends_at(self, origin: Any) -> bool:
        """Whether a node that is no segment is only an input, and not to run."""
        return self.flags.get(origin) is False

    def _wants(self, source: Source) -> bool:
        return source in self.leaves if source.origin is None else self.reaches(source.origin, source.slot)

    def _of_node(self, node: Any) -> bool:
        return any(self._wants(source) for source in sources_of(node))

    def _of_segment(self, segment: Segment) -> np.ndarray[Any, Any]:
        code = segment.whole_code()
        flags = np.zeros(len(code) // 3, np.uint8)
        for origin, slot in self.slots:
            if origin is segment:
                flags[slot] = INPUT
        wanted = np.array(sorted({source.index for source in list(segment.held) if source.spec.requires_grad
                                  and self._wants(source)}), np.int64)
        _lead(code.buffer_info()[0], len(flags), KINDS.address, address_of(flags), wanted.ctypes.data, len(wanted))
        return flags

    def code(self, segment: Segment, code: array[int]) -> array[int]:
        """The code of a segment, with kinds that pass nothing on for instructions that lead nowhere."""
        flags = self.flags[segment]
        rows = np.frombuffer(code, np.int32).reshape(-1, 3)[:len(flags)]  # its thread may have gone on recording
        idle = (KINDS.table[rows[:, 0], layout.K_WANTED] != 0) & (flags & LEADS == 0)
        if not idle.any():
            return code
        rows = rows.copy()
        rows[idle, 0] = [KINDS.idle(KINDS.kinds[number]).number for number in rows[idle, 0]]
        return array("i", rows.tobytes())


def sources_of(origin: Any) -> list[Source]:
    """The sources that a segment or a node passes adjoints on to."""
    if type(origin) is Segment:
        return [source for source in list(origin.held) if source.spec.requires_grad]
    return [source for source in getattr(origin, "sources", ()) if source is not None]


def graph_of(outputs: Iterable[Any]) -> set[Any]:
    """All segments and nodes that outputs depend on, computed."""
    found: set[Any] = set()
    waiting = list(outputs)
    while waiting:
        origin = waiting.pop()
        if origin not in found:
            found.add(origin)
            if type(origin) is Segment:
                flush(origin)
            waiting += [source.origin for source in sources_of(origin) if source.origin is not None]
    return found
