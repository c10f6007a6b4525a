"""Programs of recordings that are made again and again: a transform runs its function at each call, and mostly records the same.

A recording is known by its instructions as they were recorded, where sources, which differ from call to call, are named by the
order in which they appear, and by what those sources are: the position of an input, the value of a constant, the spec of a tensor
from outside. A known one is neither computed nor closed.
"""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.nested import LEAF, Structure
from tapediff.program.closed import ClosedTape
from tapediff.program.program import Program
from tapediff.program.recorder import Recorder
from tapediff.tape.segment import Segment
from tapediff.tape.source import NUMBER, SOURCES, Source
from tapediff.tensor import Tensor, origin_of

__all__ = ["program_of"]

Array = np.ndarray[Any, Any]
MOST_KNOWN = 256
MOST_BYTES = 1 << 26  # of constants in keys; their programs hold as much again


class _Latest:
    """What was used last, by key: as many as there is room for."""

    def __init__(self) -> None:
        self.entries: OrderedDict[Any, Any] = OrderedDict()
        self.sizes: dict[Any, int] = {}
        self.lock = threading.Lock()

    def get(self, key: Any) -> Any:
        """What is known by a key, or None."""
        with self.lock:
            found = self.entries.get(key)
            if found is not None:
                self.entries.move_to_end(key)
            return found

    def put(self, key: Any, value: Any, nbytes: int) -> None:
        """Remember something, for a key with so many bytes of constants."""
        with self.lock:
            self.entries[key] = value
            self.sizes[key] = nbytes
            while len(self.entries) > MOST_KNOWN or (sum(self.sizes.values()) > MOST_BYTES and len(self.entries) > 1):
                oldest, _ = self.entries.popitem(last=False)
                del self.sizes[oldest]


_recordings = _Latest()
_programs = _Latest()


def program_of(recorder: Recorder, outputs: Sequence[Tensor], name: str) -> tuple[Program, list[Source]]:
    """The program of a recording that is over, and the sources of the tensors that it captured: they are its last inputs.

    Recordings that say the same share one program, with its schedules and derived programs.

    >>> programs = []
    >>> for _ in range(2):
    ...     recorder = Recorder()
    ...     with recorder:
    ...         y = recorder.input(np.array(2.0)).sin()
    ...     programs.append(program_of(recorder, [y], "sine")[0])
    >>> programs[0] is programs[1]
    True
    """
    names = _Names(recorder)
    key = names.key(outputs)
    found = _recordings.get(key)
    if found is not None:
        program, captured = found
        recorder.forget()
        return program, [names.sources[k] for k in captured]
    tape, sources = recorder.finish(outputs).with_captured_inputs()
    examples = [np.array(source.values()) for source in (*recorder.inputs, *sources)]
    program = interned(tape, examples, name)
    positions = {id(source): k for k, source in enumerate(names.sources)}
    if all(id(source) in positions for source in sources):
        _recordings.put(key, (program, [positions[id(source)] for source in sources]), names.nbytes)
    return program, sources


def interned(tape: ClosedTape, examples: Sequence[Array], name: str) -> Program:
    """The program of a tape without captured tensors; tapes alike share one."""
    key = (tuple(tape.operations), tuple(tape.operands), tuple(tape.outputs),
           tuple((leaf.how, leaf.spec.shape, leaf.spec.dtype, leaf.what.tobytes() if leaf.how == "constant" else leaf.what)
                 for leaf in tape.leaves),
           tuple((guard.how, guard.value, guard.file, guard.line,
                  guard.expected.tobytes() if isinstance(guard.expected, np.ndarray) else guard.expected)
                  for guard in tape.guards))
    found: Program | None = _programs.get(key)
    if found is None:
        found = Program(tape, examples, Structure(tuple, (), (LEAF,) * len(tape.inputs())),
                        Structure(tuple, (), (LEAF,) * len(tape.outputs)), name)
        _programs.put(key, found, sum(leaf.what.nbytes for leaf in tape.leaves if leaf.how == "constant"))
    return found


class _Names:
    """Names for the sources of a recording: -1, -2, ... in the order of their appearance."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.clock = recorder.clock
        self.inputs = {source.operand: position for position, source in enumerate(recorder.inputs)}
        self.segments = {segment.number: position for position, segment in enumerate(recorder.segments)}
        self.names: dict[int, int] = {}
        self.sources: list[Source] = []
        self.facts: list[Any] = []
        self.nbytes = 0  # of constants

    def key(self, outputs: Sequence[Tensor]) -> Any:
        """All that the program depends on."""
        recorder = self.recorder
        code = [tuple(self._code(segment)) for segment in recorder.segments]
        results = [self._place(*origin_of(tensor), tensor) for tensor in outputs]
        guards = [(how, self._place(origin, slot), expected.tobytes() if isinstance(expected, np.ndarray) else expected, *place)
                  for how, origin, slot, expected, place in recorder.guards]
        specs = [source.spec for source in recorder.inputs]
        return tuple(code), tuple(results), tuple(guards), tuple(specs), tuple(self.facts)

    def _code(self, segment: Segment) -> list[int]:
        """The instructions of a segment with the names of sources."""
        names, name = self.names, self._name
        computed = segment.whole_code().tolist() if segment.batches else []
        # what is computed names instructions by their numbers, what is pending by positions
        found = [len(computed), *computed, *segment.recorded[len(computed):]]
        return [x if x >= 0 else names[x] if x in names else name(x) for x in found]

    def _name(self, operand: int) -> int:
        source = SOURCES.owners[-operand - 1]()  # type: ignore[misc]
        assert source is not None
        self.sources.append(source)
        name = self.names[operand] = -len(self.sources)
        self.facts.append(None)  # a name that the facts name, too, comes later
        self.facts[-name - 1] = self._fact(source)
        return name

    def _fact(self, source: Source) -> Any:
        """What a source is."""
        position = self.inputs.get(source.operand)
        if position is not None:
            return position
        origin = source.origin
        dtype = source.spec.dtype.numpy
        if type(origin) is Segment and origin.number in self.segments:
            return "slot", self.segments[origin.number], source.slot
        if source.owner is NUMBER:
            value = source.item()
            return "number", dtype.char, struct.pack("d", value) if type(value) is float else value
        if origin is None and source.clock >= self.clock:
            array = source.values()
            self.nbytes += array.nbytes
            return "constant", dtype.char, array.shape, array.tobytes()
        return "captured", source.spec

    def _place(self, origin: Any, slot: int, tensor: Tensor | None = None) -> Any:
        """What names a value from outside of the instructions."""
        if type(origin) is Segment and origin.number in self.segments:
            return self.segments[origin.number], slot
        if isinstance(origin, Source):
            operand = origin.operand
        else:
            assert tensor is not None
            operand = recording.source_of(tensor).operand
        return self.names[operand] if operand in self.names else self._name(operand)
