"""A segment: a bounded piece of the tape, alive as long as a tensor or a later segment needs it."""

from __future__ import annotations

import itertools
import threading
import weakref
from array import array
from threading import get_ident
from typing import Any

__all__ = ["Segment", "next_number"]

_numbers = itertools.count(1)


def next_number() -> int:
    """A number greater than those of all segments so far."""
    return next(_numbers)


class Segment:
    """A run of instructions recorded by one thread, with the memory of their values.

    recorded    the flat list of instructions: kind, a, b, kind, a, b, ...; empty again once a closed segment has been computed
    code        the same list as long as the tensor's quick path may append to it: gradients are recorded, the segment is open
    count       instructions whose values are computed
    batches     (code as array, first instruction) of each forward sweep
    held        sources and other objects that the instructions read
    addresses   where each slot's value lies
    chunks      the memory that holds the values
    clocks      pairs (first instruction, clock of in-place writes) of each forward sweep
    owners      large slots: the tensor that shows the slot, weakly
    large       large slots: the blocks of memory that hold their values
    unplaced    large slots that are not computed yet; settling: those of a segment without gradients that were computed last
    targets     pending instructions that write into the memory of a source, and that source
    hooks       slots whose adjoint somebody wants to see
    overwritten for each instruction the number of instructions recorded before its value was written in place, 0 where it was
    not;
                versions: the version of the tensor that the value became
    recorder    the recording of a program that the instructions belong to, or None
    consumed    the instructions that a reverse sweep has used up, as a byte each; consumer: the pass that did so last
    """

    __slots__ = ("__weakref__", "address_room", "addresses", "addresses_at", "batches", "chunks", "clocks", "code", "consumed",
                 "consumer", "count", "grad_enabled", "held", "hooks", "is_open", "is_released", "large", "large_bytes",
                 "lock", "number", "overwritten", "owners", "recorded", "recorder", "settling", "stamp", "targets", "thread",
                 "unplaced", "versions")

    def __init__(self, grad_enabled: bool) -> None:
        self.number = next(_numbers)
        self.stamp = object()
        self.thread = get_ident()
        self.grad_enabled = grad_enabled
        self.recorded: list[int] = []
        self.code: list[int] | None = self.recorded if grad_enabled else None
        self.is_open = True
        self.count = 0
        self.batches: list[tuple[array[int], int]] = []
        self.held: list[Any] = []
        self.addresses: Any = None
        self.addresses_at = 0
        self.address_room = 0
        self.chunks: list[Any] = []
        self.clocks = array("q")
        self.unplaced: list[int] = []
        self.settling: list[int] = []
        self.targets: dict[int, Any] = {}
        self.owners: dict[int, Any] = {}
        self.large: dict[int, Any] = {}
        self.large_bytes = 0
        self.hooks: dict[int, Any] | None = None
        self.overwritten: array[int] | None = None
        self.versions: dict[int, int] = {}
        self.consumed: bytearray | None = None
        self.consumer: Any = None
        self.recorder: Any = None
        self.is_released = False
        self.lock = threading.RLock()

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<segment {self.number}: {len(self)} instructions, {state}>"

    def __len__(self) -> int:
        return max(self.count, len(self.recorded) // 3)

    def close(self) -> None:
        """Take no more instructions; the next operation opens a new segment."""
        self.is_open = False
        self.code = None

    def mark_overwritten(self, index: int, version: int, since: int) -> None:
        """Remember that the value of an instruction was written in place: instructions before `since` had read the old one."""
        if self.overwritten is None:
            self.overwritten = array("i")
        self.grow_overwritten()
        self.overwritten[index] = since
        self.versions[index] = version

    def consume_all(self) -> None:
        """Say of every instruction that a reverse sweep has used it up."""
        self.consumed = bytearray(b"\1") * self.count
        self.consumer = None

    def grow_overwritten(self) -> None:
        """Let `overwritten` reach as far as the instructions do."""
        assert self.overwritten is not None
        missing = len(self) - len(self.overwritten)
        if missing > 0:
            self.overwritten.frombytes(bytes(4 * missing))

    def pass_on(self, index: int, tensor: Any) -> None:
        """From now on `tensor` shows a slot, in the place of the tensor that did."""
        if index in self.owners:
            self.owners[index] = weakref.ref(tensor)

    def kind_number(self, index: int) -> int:
        """The number of the kind of an instruction."""
        for code, first in reversed(self.batches):
            if first <= index < first + len(code) // 3:
                return code[3 * (index - first)]
        return self.recorded[3 * index]

    def whole_code(self) -> array[int]:
        """The code of all computed instructions as one array."""
        batches = self.batches
        if len(batches) > 1:
            whole = array("i")
            for code, _ in batches:
                whole.extend(code)
            self.batches = batches = [(whole, 0)]
        return batches[0][0]
