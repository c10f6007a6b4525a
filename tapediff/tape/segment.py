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

    thread      the thread that records here, the only one that may replace what operations in flight read (`recorded`, `held`,
                large values, the segment of a tensor); 0 once it has left: then everybody may, who holds the lock
    recorded    the flat list of instructions: kind, a, b, kind, a, b, ...; empty again once a segment that was left is computed
    code        the same list as long as the tensor's quick path may append to it: gradients are recorded, the segment is open
    count       instructions whose values are computed
    batches     (code as array, first instruction) of each forward sweep
    held        sources and other objects that the instructions read
    addresses   where each slot's value lies
    chunks      the memory that holds the values
    clocks      pairs (first instruction, clock of in-place writes) of each forward sweep; passes copy them, for they grow
    shown       sources that show slots to other threads while the owner records, weakly
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
    is_hasty    the next instruction reads memory that NumPy may write: it is to be computed at once
    is_finished another thread's pass has used up everything: to be released when the owner leaves
    """

    __slots__ = ("__weakref__", "address_room", "addresses", "addresses_at", "batches", "chunks", "clocks", "code", "consumed",
                 "consumer", "count", "grad_enabled", "held", "hooks", "is_finished", "is_hasty", "is_open", "is_released",
                 "large", "large_bytes", "lock", "number", "overwritten", "owners", "recorded", "recorder", "settling", "shown",
                 "stamp", "targets", "thread", "unplaced", "versions")

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
        self.is_finished = False
        self.is_hasty = False
        self.shown: dict[int, Any] | None = None
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

    @property
    def is_on_tape(self) -> bool:
        """Whether values stay until the segment goes: a reverse pass or a program may read them."""
        return self.grad_enabled or self.recorder is not None

    @property
    def is_foreign(self) -> bool:
        """Whether another thread may be recording here at this moment."""
        return self.thread not in (0, get_ident())

    def mark_overwritten(self, index: int, version: int, since: int) -> None:
        """Remember that the value of an instruction was written in place: instructions before `since` had read the old one."""
        with self.lock:
            self.overwritten_table()[index] = since
            self.versions[index] = version

    def consume_all(self) -> None:
        """Say of every instruction that a reverse sweep has used it up."""
        self.consumed = bytearray(b"\1") * self.count
        self.consumer = None

    def consumed_table(self) -> bytearray:
        """`consumed`, as long as the segment."""
        known = self.consumed
        if known is None or len(known) < self.count:
            known = self.consumed = (known or bytearray()) + bytes(self.count - len(known or b""))
        return known

    def overwritten_table(self) -> array[int]:
        """`overwritten`, as long as the segment. It grows into a copy: a pass of another thread may be reading the old one."""
        with self.lock:
            known = self.overwritten or array("i")
            missing = len(self) - len(known)
            if missing > 0 or self.overwritten is None:
                self.overwritten = known = known + array("i", bytes(4 * max(missing, 0)))
            return known

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
            with self.lock:  # a sweep adds to them
                whole = array("i")
                for code, _ in self.batches:
                    whole.extend(code)
                self.batches = batches = [(whole, 0)]
        return batches[0][0]
