"""Kinds: all that an instruction says besides its operands, one row each in a table that the compiled sweeps read."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from tapediff.ops.structural import Structural
from tapediff.tape.layout import (
    ALIAS,
    ARGUMENT,
    ELEMENTWISE,
    HOST,
    K_ARITY,
    K_BYTES,
    K_CLASS,
    K_COUNT,
    K_DIVISOR,
    K_FIELDS,
    K_FORWARD,
    K_ITEM_A,
    K_ITEM_Y,
    K_LARGE,
    K_REVERSE,
    K_REVERSE_SAME,
    K_SAME,
    K_SAVES,
    K_SCALARS,
    K_WANTED,
    OVERWRITE,
    REDUCTION,
    REDUCTION_BYTES,
    REPLAYED,
    STRUCTURAL,
    VIEW,
)
from tapediff.tape.spec import Spec

__all__ = ["KINDS", "Kind", "KindTable"]


HOT_RUNS = 16  # building kernels takes as long as NumPy takes for about so many

# PyTorch names some nodes by which operands are numbers (bit k: operand k is one)
_NAMES_WITH_NUMBERS = {
    "pow": {0: "PowBackward1", 1: "PowBackward2"},
    "sub": {1: "RsubBackward1"},
    "div": {1: "MulBackward0"},
    "clamp": {0: "ClampBackward0"},
    "xlogy": {1: "XlogyBackward1", 2: "XlogyBackward2"},
    "copysign": {2: "CopysignBackward1"},
    "fmod": {0: "FmodBackward1", 1: "FmodBackward1"},
    "remainder": {0: "RemainderBackward1", 1: "RemainderBackward1"},
    "lerp": {0: "LerpBackward1"},
}


class Kind:
    """What an instruction does: its row in the table of ops, attributes, operand specs and result spec.

    wanted   bit k: the adjoint of operand k is wanted
    scalars  bit k: operand k is one element, broadcast over the result
    saves    bit 0: the partials read the result; bit k + 1: they read operand k
    runs     how often NumPy has done it
    """

    __slots__ = ("attributes", "in_place", "kind_class", "number", "operands", "parameters", "row", "runs", "saves", "scalars",
                 "spec", "wanted")

    def __init__(self, number: int, kind_class: int, row: Any, operands: tuple[Spec, ...], spec: Spec, attributes: Any,
                 scalars: int, wanted: int, saves: int) -> None:
        self.number = number
        self.kind_class = kind_class
        self.row = row
        self.operands = operands
        self.spec = spec
        self.attributes = attributes
        self.scalars = scalars
        self.wanted = wanted
        self.saves = saves
        self.parameters: Any = None
        self.in_place: Kind | None = None
        self.runs = 0

    @property
    def grad_fn(self) -> str:
        """The name of the node in PyTorch. For element-wise ops `attributes` says by bits which operands are Python numbers."""
        name: str = self.row.grad_fn
        if self.kind_class == ELEMENTWISE and self.row.name in _NAMES_WITH_NUMBERS:
            return _NAMES_WITH_NUMBERS[self.row.name].get(self.attributes, name)
        return name

    @property
    def name(self) -> str:
        """The op's name, as in the table of ops."""
        name: str = self.row.name
        return name

    def __repr__(self) -> str:
        attributes = "" if self.attributes is None else f", {self.attributes!r}"
        return f"{self.name}({', '.join(map(repr, self.operands))}{attributes}) -> {self.spec!r}"


class KindTable:
    """All kinds. `table` is read by the sweeps; it is replaced by a larger copy when it is full, and old copies stay readable.

    Sweeps of other threads may be noting in the old copy that both operands were one slot: so the new one says it of every kind
    that may have had one.
    """

    ROWS = 4096  # the system gives pages of the table only when they are written

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.kinds: list[Kind] = []
        self.table = np.zeros((self.ROWS, K_FIELDS), np.int64)
        self.address: int = self.table.__array_interface__["data"][0]
        self.outgrown: list[np.ndarray[Any, Any]] = []
        self.unbuilt: list[Kind] = []
        self.idles: dict[int, Kind] = {}
        self.hot: list[Kind] = []
        self.add(ARGUMENT, None, (), _NO_SPEC, None, 0, 0, 0, 0)

    def add(self, kind_class: int, row: Any, operands: tuple[Spec, ...], spec: Any, attributes: Any, scalars: int, wanted: int,
            saves: int, arity: int) -> Kind:
        """A new kind; its kernels are built when a sweep first needs them."""
        with self.lock:
            number = len(self.kinds)
            if number == len(self.table):
                self.outgrown.append(self.table)
                grown = np.concatenate([self.table, np.zeros_like(self.table)])
                grown[:number, K_SAME] = [len(one.operands) == 2 and one.operands[0] is one.operands[1] for one in self.kinds]
                self.table = grown
                self.address = self.table.__array_interface__["data"][0]
            kind = Kind(number, kind_class, row, operands, spec, attributes, scalars, wanted, saves)
            fields = self.table[number]
            fields[K_CLASS] = kind_class
            fields[K_COUNT] = spec.size
            fields[K_BYTES] = spec.word_bytes
            fields[K_LARGE] = spec.is_large and kind_class != ALIAS
            fields[K_ARITY] = arity
            fields[K_WANTED] = wanted
            fields[K_SCALARS] = scalars | (VIEW if isinstance(row, Structural) and row.is_view else 0)
            fields[K_SAVES] = saves
            fields[K_ITEM_Y] = spec.dtype.itemsize
            for position, operand in enumerate(operands[:3]):
                fields[K_ITEM_A + position] = operand.dtype.itemsize
            if kind_class == REDUCTION:
                fields[K_COUNT] = operands[0].size
                fields[K_BYTES] = REDUCTION_BYTES
                fields[K_DIVISOR] = operands[0].size if row.kernel == "mean" else 1
            self.kinds.append(kind)
            if kind_class in (ELEMENTWISE, STRUCTURAL, OVERWRITE, REDUCTION):
                self.unbuilt.append(kind)
            return kind

    def in_place(self, kind: Kind) -> Kind:
        """The kind of an element-wise instruction that differs in where its result lies: in the memory of a source.

        Sweeps take it as a whole: in blocks, it could overwrite what another instruction of its run has yet to read.
        """
        with self.lock:
            if kind.in_place is None:
                made = self.add(OVERWRITE, kind.row, kind.operands, kind.spec, kind.attributes, kind.scalars, 0, 0,
                                len(kind.operands))
                self.table[made.number, K_LARGE] = 1
                kind.in_place = made
            return kind.in_place

    def idle(self, kind: Kind) -> Kind:
        """The kind of an instruction whose result is there, and whose adjoint, if there is one, goes no further."""
        with self.lock:
            known = self.idles.get(kind.number)
            if known is None:
                kind_class = ALIAS if kind.kind_class == ALIAS else ARGUMENT
                known = self.idles[kind.number] = self.add(kind_class, kind.row, kind.operands, kind.spec, kind.attributes,
                                                           kind.scalars, 0, 0, len(kind.operands))
            return known

    def set_forward(self, kind: Kind, address: int) -> None:
        """Remember the address of the forward kernel."""
        self.table[kind.number, K_FORWARD] = address

    def set_reverse(self, kind: Kind, address: int, same: int) -> None:
        """Remember the addresses of the reverse kernels, the second one for both operands being one slot."""
        self.table[kind.number, K_REVERSE] = address
        self.table[kind.number, K_REVERSE_SAME] = same

    def set_parameters(self, kind: Kind, parameters: np.ndarray[Any, Any]) -> None:
        """Give a structural kernel its parameters, an array of int64 that the kind keeps."""
        kind.parameters = parameters
        self.table[kind.number, K_COUNT] = parameters.__array_interface__["data"][0]

    def count_run(self, kind: Kind) -> None:
        """Note that NumPy does what a kind says; what it has done often is listed in `hot`."""
        kind.runs += 1
        if kind.runs == HOT_RUNS and kind.row.lanes is not None:
            self.hot.append(kind)

    def replay(self, kind: Kind, forward: int, reverse: int, parameters: np.ndarray[Any, Any]) -> None:
        """From now on kernels do what NumPy did: of the class REPLAYED."""
        with self.lock:
            self.set_parameters(kind, parameters)
            self.set_forward(kind, forward)
            self.set_reverse(kind, reverse, reverse)
            kind.kind_class = REPLAYED
            self.table[kind.number, K_CLASS] = REPLAYED  # last: sweeps of other threads are reading the row

    def has_same(self, kind: Kind) -> bool:
        """Whether an instruction of this kind was seen with both operands the same slot."""
        return bool(self.table[kind.number, K_SAME])

    def lacks_reverse(self, kinds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Of some kind numbers those that pass adjoints on but whose reverse kernel is not built yet."""
        rows = self.table[kinds]
        lacking = (rows[:, K_WANTED] != 0) & (rows[:, K_CLASS] != HOST) & (
            (rows[:, K_REVERSE] == 0) | ((rows[:, K_SAME] != 0) & (rows[:, K_REVERSE_SAME] == 0)))
        found: np.ndarray[Any, Any] = kinds[lacking]
        return found


class _NoSpec:
    size = 0
    word_bytes = 0
    is_large = False

    class dtype:
        itemsize = 0


_NO_SPEC = _NoSpec()
KINDS = KindTable()
ARGUMENT_KIND = 0
