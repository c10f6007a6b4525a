"""The recording of a program: runs a function on traced inputs and notes what Python decides on the way."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff import dtypes, recording
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.structural import STRUCTURAL
from tapediff.program.closed import ClosedTape, Leaf, Place
from tapediff.program.guards import Guard, caller, outcome
from tapediff.program.lines import Lines
from tapediff.program.operations import Operation, operation_of, operation_of_kind
from tapediff.recording import modes, structural
from tapediff.shapes import contiguous_strides
from tapediff.tape.kinds import KINDS
from tapediff.tape.layout import ALIAS, ARGUMENT
from tapediff.tape.segment import Segment
from tapediff.tape.source import CLOCK, NUMBER, SOURCE, SOURCES, Source
from tapediff.tape.spec import Spec, spec_of
from tapediff.tensor import Tensor, of_source, origin_of

__all__ = ["Recorder"]

CLAMP, CLAMP_MIN, CLAMP_MAX = (ELEMENTWISE[name] for name in ("clamp", "clamp_min", "clamp_max"))


class Recorder:
    """Records what runs inside a `with` block; `finish` makes a closed tape of it.

    segments    those opened meanwhile by this thread, held until the end
    inputs      the sources of the inputs
    randomness  what random numbers mean: "error" (refused), "same" (constants), "different" (an input with a value for each row)
    lines       notes which lines record, or None

    >>> recorder = Recorder()
    >>> with recorder:
    ...     x = recorder.input(np.array(2.0))
    ...     y = x * x
    >>> len(recorder.finish([y]))
    1
    """

    def __init__(self, randomness: str = "error", lines: Lines | None = None) -> None:
        self.lines = lines
        self.segments: list[Segment] = []
        self.inputs: list[Source] = []
        self.guards: list[tuple[str, Any, int, Any, tuple[Any, ...]]] = []
        self.known: set[tuple[str, Any, int]] = set()
        self.randomness = randomness
        self.detached: list[tuple[Any, Any]] = []  # a detached tensor, weakly, and the place of what it shares memory with
        self.outer: Recorder | None = None
        self.clock = 0
        self.before: tuple[bool, bool] = (True, False)

    def __enter__(self) -> Recorder:
        recording.close()
        self.outer = modes.recorder
        self.before = (modes.grad_enabled, modes.inference)
        CLOCK.now += 1
        self.clock = CLOCK.now
        modes.recorder = self
        modes.grad_enabled, modes.inference = True, False
        with KINDS.lock:
            recording.recordings += 1
        return self

    def __exit__(self, *exception: object) -> None:
        recording.set_aside()
        modes.recorder = self.outer
        modes.grad_enabled, modes.inference = self.before
        with KINDS.lock:
            recording.recordings -= 1

    def input(self, value: np.ndarray[Any, Any], differentiable: bool = True) -> Tensor:
        """A traced tensor of a value; nothing else may change the array."""
        found = _inputs.get((value.dtype, value.shape, differentiable))
        if found is None:
            found = _inputs[value.dtype, value.shape, differentiable] = _input(value, differentiable)
        spec, attributes = found
        source = Source(spec, array=value)
        self.inputs.append(source)
        made: Tensor = structural(ALIAS_ROW, attributes, of_source(source))
        return made

    # --- what the tape tells ----------------------------------------------------------------------------------------------------

    def is_own(self, tensor: Any) -> bool:
        """Whether a tensor was computed from the inputs, or may have been."""
        origin, _ = origin_of(tensor)
        return type(origin) is Segment and origin.recorder is self

    def is_fresh(self, tensor: Any) -> bool:
        """Whether a leaf was made since the recording began."""
        return tensor.segment is SOURCE and tensor.source.clock >= self.clock

    def watch(self, tensor: Any, how: str) -> None:
        """Python asks `how` of a value and decides by it: a guard."""
        self._guard(tensor, how)

    def assume(self, mask: Tensor, expected: bool) -> None:
        """Python relies on it that all elements of a bool tensor are as expected: a guard."""
        if mask.spec.size:
            self._guard(mask, "truth", expected)

    def _guard(self, tensor: Tensor, how: str, expected: Any = None) -> None:
        if self.is_fresh(tensor) and not self.is_own(tensor):
            return
        origin, slot = origin_of(tensor)
        if origin is None:
            recording.source_of(tensor)
            origin, slot = tensor.source, 0
        if (how, origin, slot) in self.known:
            return
        self.known.add((how, origin, slot))
        if expected is None:
            expected = outcome(how, np.array(recording.source_of(tensor).values()))
        self.guards.append((how, origin, slot, expected, caller()))

    def check_write(self, tensor: Any) -> None:
        """Refuse an in-place operation on a tensor that was there before the recording.

        Raises
            RuntimeError: it was.
        """
        if not self.is_own(tensor) and not self.is_fresh(tensor):
            file, line, function = caller()
            raise RuntimeError(f"a recorded function writes to a tensor from outside of it, of shape {list(tensor.spec.shape)}, "
                               "at "
                               f"{file}:{line} in {function}: the replay would lose the write. Return the new value instead.")
        place = self._place(tensor)
        for known, shared in self.detached:
            made = known()
            if made is not None and (made is tensor or shared == place):
                file, line, function = caller()
                raise RuntimeError("a recorded function writes to memory that a detached tensor of shape "
                                   f"{list(made.spec.shape)} "
                                   f"shares, at {file}:{line} in {function}: the replay would lose the write. Detach a clone().")

    def note_detached(self, made: Tensor, base: Tensor) -> None:
        """Remember a tensor whose memory is that of `base`, which the tape does not know: neither may be written from now on."""
        self.detached = [pair for pair in self.detached if pair[0]() is not None]
        self.detached.append((weakref.ref(made), self._place(base)))

    @staticmethod
    def _place(tensor: Tensor) -> Any:
        """What has the value of a tensor: a slot of a segment, or a source."""
        origin, slot = origin_of(tensor)
        return (origin, slot) if origin is not None else recording.source_of(tensor)

    def check_random(self, name: str) -> None:
        """Refuse random numbers, unless they were allowed.

        Raises
            RuntimeError: they were not.
        """
        if self.randomness == "error":
            file, line, function = caller()
            raise RuntimeError(f"called random operation while in randomness error mode: {name} at {file}:{line} in {function} "
                               "would "
                               "give every replay the same numbers. Draw them outside of the function and pass them as an "
                               "argument, or call vmap with randomness='same' or 'different'.")

    def refuse_write(self, tensor: Any) -> None:
        """Refuse a write into memory that does not go through the tape.

        Raises
            RuntimeError: always.
        """
        file, line, function = caller()
        raise RuntimeError(f"a recorded function writes into the memory of a tensor of shape {list(tensor.spec.shape)} at "
                           f"{file}:{line} in {function}, or accumulates into its .grad: the replay would lose the write. "
                           "Compute a new value and return it; use func.grad or autograd.grad for gradients.")

    def refuse_leaf(self, tensor: Any) -> None:
        """Refuse to make a leaf of a traced tensor.

        Raises
            RuntimeError: always, unless the tensor is a fresh constant.
        """
        if self.is_own(tensor) or not self.is_fresh(tensor):
            raise RuntimeError("You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* "
                               "APIs) inside of a function being transformed by a functorch transform. This is unsupported, "
                               "please attempt to use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call "
                               "requires_grad_() outside of a function being transformed instead.")

    # --- closing ----------------------------------------------------------------------------------------------------------------

    def finish(self, outputs: Sequence[Tensor]) -> ClosedTape:
        """The closed tape that computes `outputs` from the inputs; to be called once, after the `with` block."""
        tape = _Closing(self).tape(outputs)
        self.forget()
        return tape

    def forget(self) -> None:
        """Let go of the tape: its segments know their recorder, and would wait for the garbage collector."""
        self.segments.clear()
        self.guards.clear()
        self.known.clear()
        self.detached.clear()


ALIAS_ROW = STRUCTURAL["alias"]
_inputs: dict[Any, tuple[Spec, Any]] = {}


def _input(value: np.ndarray[Any, Any], differentiable: bool) -> tuple[Spec, Any]:
    """The spec of an input, and the attributes of the alias that takes it onto the tape."""
    dtype = dtypes.from_numpy_dtype(value.dtype)
    spec = spec_of(value.shape, dtype, dtype.is_floating_point and differentiable)
    return spec, (value.shape, contiguous_strides(value.shape), 0)


class _Closing:
    """Copies instructions of segments to a closed tape: constants are folded, common subexpressions found, aliases named once."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.leaves: list[Leaf] = []
        self.operations: list[Operation] = []
        self.operands: list[tuple[int, ...]] = []
        self.lines: list[Place | None] | None = None if recorder.lines is None else []
        self.numbers: dict[int, list[int]] = {}  # of a segment: for each instruction the number of its value
        self.by_source: dict[int, int] = {}
        self.by_bytes: dict[Any, int] = {}
        self.known: dict[Any, int] = {}
        self.constants: set[int] = set()
        self.is_constant_leaf: list[bool] = []
        for position, source in enumerate(recorder.inputs):
            self.by_source[source.index] = self._leaf(Leaf("input", source.spec, position))

    def tape(self, outputs: Sequence[Tensor]) -> ClosedTape:
        """Everything that the outputs and the guards need."""
        for segment in self.recorder.segments:
            self._segment(segment)
        results = [self._value(tensor) for tensor in outputs]
        guards = []
        for how, origin, slot, expected, (file, line, function, *source) in self.recorder.guards:
            value = self._source(origin) if isinstance(origin, Source) else self.numbers[origin.number][slot]
            if value >= 0 or not self.is_constant_leaf[-value - 1]:
                guards.append(Guard(how, value, expected, file, line, function, source=source[0] if source else None))
        tape = ClosedTape(self.leaves, self.operations, self.operands, results, guards, self.lines)
        return tape.without_dead_code()

    def _leaf(self, leaf: Leaf) -> int:
        self.leaves.append(leaf)
        self.is_constant_leaf.append(leaf.how == "constant")
        return -len(self.leaves)

    def _value(self, tensor: Tensor) -> int:
        origin, slot = origin_of(tensor)
        if type(origin) is Segment and origin.number in self.numbers:
            return self.numbers[origin.number][slot]
        return self._source(recording.source_of(tensor))

    def _source(self, source: Source) -> int:
        """The number of a value that instructions read and do not compute."""
        known = self.by_source.get(source.index)
        if known is not None:
            return known
        origin = source.origin
        if type(origin) is Segment and origin.number in self.numbers:
            found = self.numbers[origin.number][source.slot]
        elif source.owner is NUMBER or (origin is None and source.clock >= self.recorder.clock):
            is_number = source.owner is NUMBER
            found = self._constant(np.array(source.item(), source.spec.dtype.numpy) if is_number else source.values())
        else:
            found = self._leaf(Leaf("captured", source.spec, source))
        self.by_source[source.index] = found
        return found

    def _constant(self, value: np.ndarray[Any, Any]) -> int:
        """The number of a constant; small ones of the same bits are one."""
        key = (value.dtype.char, value.shape, value.tobytes()) if value.nbytes <= 64 else None
        found = None if key is None else self.by_bytes.get(key)
        if found is None:
            spec = spec_of(value.shape, dtypes.from_numpy_dtype(value.dtype), False)
            found = self._leaf(Leaf("constant", spec, np.array(value)))
            if key is not None:
                self.by_bytes[key] = found
        return found

    def _segment(self, segment: Segment) -> None:
        from tapediff.forward import flush
        flush(segment)
        numbers: list[int] = []
        self.numbers[segment.number] = numbers
        if not segment.batches:
            return
        code = segment.whole_code().tolist()
        kinds = KINDS.kinds
        owners = SOURCES.owners
        by_source, known, is_constant = self.by_source, self.known, self.is_constant_leaf
        operations, all_operands, lines = self.operations, self.operands, self.lines
        places = [] if self.recorder.lines is None else self.recorder.lines.of_segment(segment.number, len(code) // 3)
        for index in range(len(code) // 3):
            kind = kinds[code[3 * index]]
            if kind.kind_class == ARGUMENT:
                numbers.append(0)
                continue
            operands = []
            for k in range(len(kind.operands)):
                operand = code[3 * (index - k // 2) + 1 + k % 2]
                if operand >= 0:
                    operands.append(numbers[operand])
                else:
                    found = by_source.get(-operand - 1)
                    if found is None:
                        source = owners[-operand - 1]()  # type: ignore[misc]
                        assert source is not None
                        found = self._source(source)
                    operands.append(found)
            if kind.kind_class == ALIAS and kind.row.name == "alias" and (kind.wanted or not kind.operands[0].requires_grad):
                numbers.append(operands[0])
                continue
            line = tuple(operands)
            operation = operation_of_kind(kind)
            if operation.row is CLAMP:
                operation, line = self._one_limit(operation, line)
            key = (operation, line)
            number = known.get(key)
            if number is None:
                if operands and all(operand < 0 and is_constant[-operand - 1] for operand in operands) and (
                        not kind.spec.is_large or kind.kind_class == ALIAS):
                    number = self._constant(self._computed(segment, index, kind.spec))
                else:
                    number = len(operations)
                    operations.append(operation)
                    all_operands.append(line)
                    if lines is not None:
                        lines.append(places[index])
                known[key] = number
            numbers.append(number)

    def _one_limit(self, operation: Operation, line: tuple[int, ...]) -> tuple[Operation, tuple[int, ...]]:
        """A clamp, one of whose limits is infinite, without that limit."""
        for row, kept, dropped, limit in ((CLAMP_MIN, 1, 2, math.inf), (CLAMP_MAX, 2, 1, -math.inf)):
            leaf = self.leaves[-line[dropped] - 1] if line[dropped] < 0 else None
            if leaf is not None and leaf.how == "constant" and leaf.what.size == 1 and leaf.what.item() == limit:
                bits = [bits & 1 | (bits >> kept & 1) << 1 for bits in (operation.numbers, operation.flows)]
                operands = operation.operands[0], operation.operands[kept]
                return operation_of(row, bits[0], operands, operation.spec, bits[1]), (line[0], line[kept])
        return operation, line

    def _computed(self, segment: Segment, index: int, spec: Any) -> np.ndarray[Any, Any]:
        from tapediff.memory import slot_array
        return slot_array(segment, index, spec)
