"""Schedules: the steps that compute outputs and gradients of a closed tape, and where every value and adjoint lies.

Memory is reused as soon as a value or an adjoint is not needed any more, so that a schedule takes as much as its widest cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapediff.kernels.library import KernelSpec
from tapediff.program.actions import Actions, Memory
from tapediff.program.closed import ClosedTape
from tapediff.program.families import call_in_rows, forward_calls, reverse_calls
from tapediff.program.lanes import ADJOINT, ONE, RESULT, RESULT_ADJOINT, Call, CallRows
from tapediff.program.layout import (
    CALL,
    CALL_ROWS,
    COPY,
    FILL,
    FORWARD2,
    FORWARD3,
    FORWARD_REPEATED,
    GUARD_INTEGER,
    GUARD_TRUTH,
    GUARD_VALUE,
    HOST,
    LOAD,
    READS,
    REDUCE,
    REVERSE2,
    REVERSE3,
    REVERSE_REPEATED,
    STORE,
    SUM_LANES,
    TURN,
    UNIFORM,
    WIDEN,
    WORDS,
    WORKSPACE,
    WRITES,
    ZERO,
)
from tapediff.program.operations import Operation
from tapediff.program.rule import gives_zeros, parts_of, rule_of
from tapediff.program.structural import HostStep, Kernels, kernels_of
from tapediff.program.values import Request, Values
from tapediff.tape.spec import Spec

__all__ = ["Request", "Schedule", "build"]

KIND_CODES = {"bool": 0, "int32": 1, "int64": 2, "float32": 3, "float64": 4}
MOST_ALONE = 1 << 13  # elements of operands and result up to which kernels in lanes are quicker than NumPy with one lane
_GUARDS = {"truth": GUARD_TRUTH, "integer": GUARD_INTEGER, "value": GUARD_VALUE}
_ONES = {4: int(np.float32(1).view(np.int32)), 8: int(np.float64(1).view(np.int64))}


class Schedule(NamedTuple):
    """Steps and what they need.

    prologue         steps that compute what all rows share, in the memory of uniform values
    code, actions    the steps of a block of rows
    hosts            word of a HOST step -> what it does; prologue_hosts likewise
    workspace_bytes  for values and adjoints of a block; a thread has one
    uniform          the template of the memory of uniform values: constants are in it
    uniform_inputs   input -> offset in that memory
    uniform_outputs  output -> (offset, or None where it is an input's place; spec)
    most_pointers    the most addresses that a CALL takes
    buffers          what rows are loaded from and stored to: ("input" | "output" | "seed" | "grad", position)
    partial_bytes    of the partial sums of a group of rows; partials: wanted position -> offset
    zero_gradients   wanted inputs that the output does not depend on
    specs            for each action that calls an element-wise kernel, which one; dtypes: of each buffer
    reach            for each action that calls another kernel, the bytes behind each pointer, and whether it READS or WRITES them
    work             elements that a row computes and moves, to judge whether threads pay
    """

    request: Request
    prologue: np.ndarray[Any, Any]
    code: np.ndarray[Any, Any]
    actions: np.ndarray[Any, Any]
    prologue_hosts: dict[int, HostStep]
    hosts: dict[int, HostStep]
    workspace_bytes: int
    uniform: np.ndarray[Any, Any]
    uniform_inputs: dict[int, int]
    uniform_outputs: dict[int, int]
    most_pointers: int
    buffers: list[tuple[str, int]]
    partial_bytes: int
    partials: dict[int, int]
    zero_gradients: tuple[int, ...]
    kept: list[Any]
    work: int
    specs: dict[int, KernelSpec]
    reach: dict[int, tuple[tuple[int, int], ...]]
    dtypes: list[str]


def build(tape: ClosedTape, request: Request) -> Schedule:
    """The schedule of what is asked for."""
    return _Builder(tape, request).schedule()


def _forward_reach(operation: Operation) -> list[tuple[int, int]]:
    """What the kernel of a structural operation without lanes does with the memory behind each of its pointers."""
    operands = [(spec.nbytes, READS) for spec in operation.operands]
    return [(operation.spec.nbytes, WRITES), *operands, *[(0, 0)] * (3 - len(operands))]


def _reverse_reach(operation: Operation) -> list[tuple[int, int]]:
    """The same of its reverse kernel."""
    result = operation.spec.nbytes
    padding = [(0, 0)] * (3 - len(operation.operands))
    values, adjoints = ([(spec.nbytes, how) for spec in operation.operands] for how in (READS, READS | WRITES))
    return [(result, READS), (result, READS), *values, *padding, *adjoints, *padding]


class _Builder(Values):
    def __init__(self, tape: ClosedTape, request: Request) -> None:
        super().__init__(tape, request)
        self.actions = Actions()
        self.workspace = Memory()
        self.uniform = Memory()
        self.code: list[int] = []
        self.hosts: dict[int, HostStep] = {}
        self.buffers: list[tuple[str, int]] = []
        self.partials: dict[int, int] = {}
        self.partial_bytes = 0
        self.places: dict[int, int] = {}  # pointer of a value's root
        self.adjoints: dict[int, int] = {}
        self.structural: dict[int, Kernels] = {}
        self.known_forward: dict[Any, tuple[int, int]] = {}
        self.known_reverse: dict[Any, tuple[int, int]] = {}
        self.known_extents: dict[Any, tuple[int, int, int, list[int]]] = {}
        self.late_constants: list[tuple[int, np.ndarray[Any, Any]]] = []
        self.ones: dict[str, int] = {}
        self.most_pointers = 0
        self.sole_gradients: dict[int, int] = {}

    def place(self, value: int) -> int:
        """The pointer of a value."""
        if value < 0:
            return self.places[value]
        return self.places[self.roots[value]] + (self.offsets[value] >> 3 << 2)

    # --- the schedule -----------------------------------------------------------------------------------------------------------

    def schedule(self) -> Schedule:
        tape, request = self.tape, self.request
        needed = self.needed
        template = self._uniform_leaves()
        self.prologue, self.prologue_hosts = self._prologue(needed)
        self._load_inputs()
        self._forward(needed)
        if request.wanted:
            self._reverse()
        uniform = np.zeros(self.uniform.end + 64, np.uint8)
        uniform[:len(template)] = template
        for offset, value in self.late_constants:
            uniform[offset:offset + value.nbytes] = np.frombuffer(value.tobytes(), np.uint8)
        uniform_outputs = {position: self.place(tape.outputs[position]) >> 2 << 3 for position in request.outputs
                           if not self.is_laned(tape.outputs[position])}
        reached = {position for how, position in self.buffers if how == "grad"} | set(self.partials)
        specs = {number: spec for number, spec in self.actions.specs if isinstance(spec, KernelSpec)}
        return Schedule(
            request=request, prologue=np.array(self.prologue, np.int32), code=np.array(self.code, np.int32),
            actions=self.actions.table(), prologue_hosts=self.prologue_hosts, hosts=self.hosts,
            workspace_bytes=self.workspace.end, uniform=uniform, uniform_inputs=self.uniform_inputs,
            uniform_outputs=uniform_outputs, most_pointers=self.most_pointers, buffers=self.buffers,
            partial_bytes=self.partial_bytes, partials=self.partials,
            zero_gradients=tuple(position for position in request.wanted if position not in reached),
            kept=self.actions.kept, work=self._work(needed), specs=specs,
            reach=self.actions.reach, dtypes=self._dtypes())

    def _dtypes(self) -> list[str]:
        tape = self.tape
        return [tape.spec(self.inputs[position] if how in ("input", "grad") else tape.outputs[position]).dtype.name
                for how, position in self.buffers]

    def _work(self, needed: list[int]) -> int:
        tape = self.tape
        computed = sum(operation.spec.size * (3 if is_active else 1) for operation, is_needed, is_laned, is_active in
                       zip(tape.operations, needed, self.laned, self.active, strict=True) if is_needed and is_laned)
        return computed + sum(tape.spec(x).size for x in (*self.inputs, *tape.outputs, *self.wanted) if self.is_laned(x))

    def _release(self, values: Sequence[int], time: int) -> None:
        """Give back the memory of values that are read at `time` for the last time."""
        ended = self.ending.get(time)
        if ended is None:
            return
        roots = self.roots
        for root in dict.fromkeys([roots[x] if x >= 0 else x for x in values]):
            if root in ended and (self.laned[root] if root >= 0 else self.leaf_laned[-root - 1]):
                self.workspace.give(self.places[root] >> 2 << 3, self.nbytes(root))

    def _take(self, nbytes: int) -> int:
        return self.workspace.take(nbytes) // 8 << 2 | WORKSPACE

    def _uniform_leaves(self) -> np.ndarray[Any, Any]:
        """Place constants and inputs that all rows share; the memory with the constants in it."""
        tape = self.tape
        self.uniform_inputs: dict[int, int] = {}
        constants = []
        for k, leaf in enumerate(tape.leaves):
            if self.leaf_laned[k]:
                continue
            offset = self.uniform.take(max(leaf.spec.nbytes, 1))
            self.places[-k - 1] = offset // 8 << 2 | UNIFORM
            if leaf.how == "input":
                self.uniform_inputs[leaf.what] = offset
            elif leaf.how == "constant":
                constants.append((offset, leaf.what))
            else:
                raise RuntimeError("a captured tensor must be made an input or a constant before a tape is scheduled")
        template = np.zeros(self.uniform.end, np.uint8)
        for offset, value in constants:
            template[offset:offset + value.nbytes] = np.frombuffer(value.tobytes(), np.uint8)
        return template

    def _prologue(self, needed: list[int]) -> tuple[list[int], dict[int, HostStep]]:
        """Steps for what all rows share."""
        lanes, code, hosts = self.lanes, self.code, self.hosts
        self.lanes, self.code, self.hosts = 1, [], {}
        guards = self._guards_by_value()
        for value, some in guards.items():
            if value < 0 and not self.leaf_laned[-value - 1]:
                self._emit_guards(some)
        for index, is_needed in enumerate(needed):
            if is_needed and not self.laned[index]:
                if self.roots[index] == index:
                    self.places[index] = self.uniform.take(self.nbytes(index)) // 8 << 2 | UNIFORM
                    self._emit_forward(index)
                self._emit_guards(guards.get(index, ()))
        found = self.code, self.hosts
        self.lanes, self.code, self.hosts = lanes, code, hosts
        return found

    def _load_inputs(self) -> None:
        guards = self._guards_by_value()
        outputs = self._outputs_by_value()
        for position, value in enumerate(self.inputs):
            if not self.is_laned(value) or (value not in self.last and value not in outputs and value not in guards):
                continue
            self.places[value] = self._take(self.nbytes(value))
            self._emit_rows(LOAD, "input", position, value, self.places[value])
            self._emit_guards(guards.get(value, ()))
            self._emit_outputs(outputs.get(value, ()), value)

    def _forward(self, needed: list[int]) -> None:
        tape = self.tape
        guards = self._guards_by_value()
        outputs = self._outputs_by_value()
        roots, laned, last = self.roots, self.laned, self.last
        for index, operands in enumerate(tape.operands):
            if not needed[index] or not laned[index]:
                continue
            if roots[index] == index:
                if last[index] == index and index in outputs and len(outputs[index]) == 1 and index not in guards and (
                        self._emit_output_in_rows(index, outputs[index][0])):
                    self._release(operands, index)
                    continue
                self.places[index] = self._take(self.nbytes(index))
                self._emit_forward(index)
            if index in guards:
                self._emit_guards(guards[index])
            if index in outputs:
                self._emit_outputs(outputs[index], index)
            self._release((index, *operands), index)

    def _reverse(self) -> None:
        tape, request = self.tape, self.request
        end = len(tape)
        self.sole_gradients = self._find_sole_gradients() if self.lanes > 1 else {}
        for position in self.seeded():
            value = tape.outputs[position]
            if not self.is_active(value):
                continue
            known = self.root(value) in self.adjoints or self.is_part(value)
            place = self._take(self.adjoint_bytes(value)) if known else self._adjoint(value, is_zeroed=False)
            if request.seeds == "given":
                self._emit_rows(LOAD, "seed", position, value, place)
            else:
                spec = tape.spec(value)
                item = spec.dtype.itemsize
                self._emit(self.actions.number(("fill", spec, self.lanes), FILL, count=spec.size * self.lanes, item=item,
                                               expected=_ONES[item]), place)
            if known:
                self._emit_accumulation(value, place)
        for index in range(end - 1, -1, -1):
            if not self.active[index] or self.roots[index] != index:
                continue
            if index in self.adjoints:
                self._emit_reverse(index)
                self.workspace.give(self.adjoints.pop(index) >> 2 << 3, self.adjoint_bytes(index))
            self._release((index, *tape.operands[index]), 2 * end - index)
        for position, value in zip(request.wanted, self.wanted, strict=True):
            if value in self.adjoints:
                self._emit_gradient(position, value)

    # --- steps ------------------------------------------------------------------------------------------------------------------

    def _emit(self, action: int, *pointers: int) -> None:
        self.code.append(action)
        self.code.extend(pointers)

    def _emit_host(self, step: HostStep) -> None:
        self.hosts[len(self.code)] = step
        self._emit(self.actions.number(("host",), HOST))

    def _guards_by_value(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, guard in enumerate(self.tape.guards):
            found.setdefault(guard.value, []).append(number)
        return found

    def _outputs_by_value(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for position in self.request.outputs:
            found.setdefault(self.tape.outputs[position], []).append(position)
        return found

    def _emit_guards(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            guard = self.tape.guards[number]
            spec = self.tape.spec(guard.value)
            pointers = [self.place(guard.value)]
            expected = int(guard.expected) if guard.how != "value" else 0
            if guard.how == "value":
                pointers.append(self._constant(guard.expected))
            self._emit(self.actions.number(("guard", number, self.lanes), _GUARDS[guard.how], count=spec.size,
                                           item=KIND_CODES[spec.dtype.name], buffer=number, expected=expected), *pointers)

    def _constant(self, value: Any) -> int:
        """The place of a constant that is no leaf of the tape."""
        array = np.array(value, order="C")
        offset = self.uniform.take(max(array.nbytes, 8))
        self.late_constants.append((offset, array))
        return offset // 8 << 2 | UNIFORM

    def _buffer(self, how: str, position: int) -> int:
        if (how, position) not in self.buffers:
            self.buffers.append((how, position))
        return self.buffers.index((how, position))

    def _emit_rows(self, action_class: int, how: str, position: int, value: int, place: int) -> None:
        spec = self.tape.spec(value)
        buffer = self._buffer(how, position)
        self._emit(self.actions.number((action_class, buffer), action_class, count=spec.size, item=spec.dtype.itemsize,
                                       buffer=buffer), place)

    def _emit_outputs(self, positions: Sequence[int], value: int) -> None:
        for position in positions:
            self._emit_rows(STORE, "output", position, value, self.place(value))

    def _emit_gradient(self, position: int, value: int) -> None:
        spec = self.tape.spec(value)
        if position not in self.request.summed:
            self._emit_rows(STORE, "grad", position, value, self.adjoints[value])
            return
        self.partials[position] = self.partial_bytes
        self._emit(self.actions.number(("reduce", position), REDUCE, count=spec.size, item=spec.dtype.itemsize,
                                       buffer=self.partial_bytes), self.adjoints[value])
        self.partial_bytes += spec.size * SUM_LANES * 8

    def _adjoint(self, value: int, is_zeroed: bool = True) -> int:
        """The place of the adjoint of a value; zeros where it had none."""
        root = self.roots[value] if value >= 0 else value
        found = self.adjoints.get(root)
        if found is None:
            nbytes = self.adjoint_bytes(root)
            found = self.adjoints[root] = self.workspace.take(nbytes) // 8 << 2 | WORKSPACE
            if is_zeroed:
                self._emit(self.actions.number(("zero", nbytes), ZERO, count=nbytes + 7 & ~7), found)
        return found if root == value else found + (self.skips[value] * self.lanes >> 3 << 2)

    def _emit_accumulation(self, value: int, place: int) -> None:
        """Add what lies at `place` to the adjoint of a value."""
        spec = self.tape.spec(value)
        name = spec.dtype.name
        kernel = KernelSpec("positive", "reverse", (name,), name, 0, 1)
        self._emit(self.actions.number((kernel, spec, self.lanes), REVERSE2, count=spec.size * self.lanes, spec=kernel), place, 0,
                   0,
                   0, self._adjoint(value), 0)

    def _extents(self, operation: Operation, laned: Sequence[bool]) -> tuple[int, int, int, list[int]]:
        """Elements of one call, number of calls, which operands are one element in a call, and each operand's stride in bytes.

        An operand that lies in no lanes, or is one element among many, is taken element by element.
        """
        size, lanes = operation.spec.size, self.lanes
        if lanes == 1:
            return size, 1, operation.scalars, [0] * len(operation.operands)
        scalars = 0
        strides = []
        is_repeated = False
        for k, spec in enumerate(operation.operands):
            if laned[k]:
                strides.append(lanes * spec.dtype.itemsize if spec.size == size else 0)
                is_repeated |= spec.size != size
            else:
                scalars |= 1 << k
                strides.append(spec.dtype.itemsize if spec.size == size and size > 1 else 0)
                is_repeated |= spec.size == size and size > 1
        if is_repeated:
            return lanes, size, scalars, strides
        return size * lanes, 1, scalars, strides

    def _emit_forward(self, index: int) -> None:
        operation, operands = self.tape.operations[index], self.tape.operands[index]
        places, roots, offsets, leaf_laned = self.places, self.roots, self.offsets, self.leaf_laned
        pointers = [places[roots[x]] + (offsets[x] >> 3 << 2) if x >= 0 else places[x] for x in operands]
        laned = tuple([self.laned[x] if x >= 0 else leaf_laned[-x - 1] for x in operands])
        if not operation.is_elementwise and self.lanes == 1:
            self._emit_structural(index, operation, operands, pointers)
        else:
            self._emit_operation(operation, self.places[index], pointers, laned)

    def _emit_operation(self, operation: Operation, y: int, pointers: list[int], laned: tuple[bool, ...]) -> None:
        """Compute one result from values at given places."""
        if not operation.is_elementwise:
            self._emit_structural_in_lanes(operation, y, pointers, laned)
            return
        key = (operation, laned, self.lanes)
        known = self.known_forward.get(key)
        if known is None:
            known = self.known_forward[key] = self._forward_action(operation, laned)
        action, words = known
        self.code += (action, y, *pointers, *(0,) * (words - 2 - len(pointers)))

    def _forward_action(self, operation: Operation, laned: tuple[bool, ...]) -> tuple[int, int]:
        """The action that computes an element-wise operation, and the words of its steps."""
        count, repeat, scalars, strides = self._extents(operation, laned)
        names = tuple(spec.dtype.name for spec in operation.operands)
        kernel = KernelSpec(operation.row.name, "forward", names, operation.spec.dtype.name, scalars, 0)
        key = (kernel, count, repeat, tuple(strides))
        action_class = FORWARD_REPEATED if repeat > 1 else FORWARD3 if len(laned) == 3 else FORWARD2
        step = self.lanes * operation.spec.dtype.itemsize
        action = self.actions.number(key, action_class, count=count, repeat=repeat, strides=(step, *strides), spec=kernel)
        return action, WORDS[action_class]

    def _kernels(self, index: int) -> Kernels | None:
        operation = self.tape.operations[index]
        wanted = self.wanted_bits(index) if self.active[index] else 0
        found = kernels_of(operation, wanted)
        if found is not None:
            self.actions.kept.append(found.parameters)
        return found

    def _emit_structural(self, index: int, operation: Operation, operands: tuple[int, ...], pointers: list[int]) -> None:
        kernels = self._kernels(index)
        y = self.places[index]
        if kernels is None:
            self._emit_calls(operation, y, pointers, tuple(self.is_laned(x) for x in operands))
            return
        count = kernels.parameters.__array_interface__["data"][0]
        self.structural[index] = kernels
        pointers += [0] * (3 - len(pointers))
        self._emit(self.actions.number((kernels.forward, count), FORWARD3, kernel=kernels.forward, count=count,
                                       reach=_forward_reach(operation)), y, *pointers)

    # --- structural steps in lanes ----------------------------------------------------------------------------------------------

    def _emit_call(self, call: Call, places: dict[int, int], operation: Operation, laned: Sequence[bool],
                   position: int | None = None) -> None:
        """Call a kernel on values at given places; for the adjoint of the operand at `position`, or forward."""
        dtype = operation.spec.dtype.name
        reach = self._reach(call, operation, laned, position)
        if ONE in call.pointers and dtype not in self.ones:
            self.ones[dtype] = self._constant(np.ones((), dtype))
        pointers = [self.ones[dtype] if what == ONE else places[what] for what in call.pointers]
        self.most_pointers = max(self.most_pointers, len(pointers))
        self.actions.kept.append(call.parameters)
        count = call.parameters.__array_interface__["data"][0]
        address, spec = (call.kernel, None) if isinstance(call.kernel, int) else (0, call.kernel)
        self._emit(self.actions.number((CALL, call.kernel, count, reach), CALL, kernel=address, count=count, spec=spec,
                                       words=1 + len(pointers), reach=reach), *pointers)

    def _reach(self, call: Call, operation: Operation, laned: Sequence[bool],
               position: int | None) -> tuple[tuple[int, int], ...]:
        """What a call does with the memory behind each of its pointers."""
        result = operation.spec.nbytes * self.lanes
        known = {RESULT: (result, READS | WRITES if position is None else READS), RESULT_ADJOINT: (result, READS),
                 ONE: (0, READS)}
        for k, (spec, is_laned) in enumerate(zip(operation.operands, laned, strict=True)):
            known[k] = spec.nbytes * (self.lanes if is_laned else 1), READS
        if position is not None:
            known[ADJOINT] = operation.operands[position].nbytes * self.lanes, READS | WRITES
        return tuple(known[what] for what in call.pointers)

    def _emit_output_in_rows(self, index: int, position: int) -> bool:
        """Compute an output, which nothing else reads, where it is wanted in the end; whether that can be."""
        operation, operands = self.tape.operations[index], self.tape.operands[index]
        call = call_in_rows(operation, None) if self.lanes > 1 and not operation.is_elementwise else None
        if call is None:
            return False
        places = {k: (self.place(x), self.is_laned(x), operation.operands[k]) for k, x in enumerate(operands)}
        self._emit_call_rows(call, ("output", position), places)
        return True

    def _emit_call_rows(self, call: CallRows, buffer: tuple[str, int], places: dict[int, tuple[int, bool, Spec]]) -> None:
        """Call a kernel for each row that writes a row of a buffer.

        places  for what the kernel may read its place, whether it lies in lanes, and its spec
        """
        pointers, strides, taken, reach = [], [], [], []
        for what in call.operands:
            place, is_laned, spec = places[what]
            if is_laned:
                nbytes = spec.nbytes * self.lanes
                turned = self._take(nbytes)
                taken.append((turned, nbytes))
                self._emit(self.actions.number((TURN, spec), TURN, count=spec.size, item=spec.dtype.itemsize,
                                               reach=((nbytes, WRITES), (nbytes, READS))), turned, place)
                place = turned
            pointers.append(place)
            strides.append(spec.nbytes if is_laned else 0)
            reach.append((spec.nbytes * (self.lanes if is_laned else 1), READS))
        self.most_pointers = max(self.most_pointers, 3)
        self.actions.kept.append(call.parameters)
        count = call.parameters.__array_interface__["data"][0]
        self._emit(self.actions.number((CALL_ROWS, count), CALL_ROWS, count=count, strides=strides, buffer=self._buffer(*buffer),
                                       spec=call.kernel, reach=reach), *pointers)
        for place, nbytes in taken:
            self.workspace.give(place >> 2 << 3, nbytes)

    def _find_sole_gradients(self) -> dict[int, int]:
        """The leaves whose adjoints get one contribution and are gradients of rows, nothing else; and which gradients."""
        counts: dict[int, int] = {}
        for index, operands in enumerate(self.tape.operands):
            if self.active[index] and self.roots[index] == index:
                for k, x in enumerate(operands):
                    if self.bits[index] >> k & 1:
                        counts[self.root(x)] = counts.get(self.root(x), 0) + 1
        for position in self.seeded():
            counts[self.root(self.tape.outputs[position])] = 2
        return {value: position for position, value in zip(self.request.wanted, self.wanted, strict=True)
                if counts.get(value) == 1 and position not in self.request.summed}

    def _emit_structural_in_lanes(self, operation: Operation, y: int, pointers: list[int], laned: tuple[bool, ...]) -> None:
        found = kernels_of(operation, 0) if self.lanes == 1 else None
        if found is None:
            self._emit_calls(operation, y, pointers, laned)
            return
        self.actions.kept.append(found.parameters)
        count = found.parameters.__array_interface__["data"][0]
        padded = [*pointers, *[0] * (3 - len(pointers))]
        self._emit(self.actions.number((found.forward, count), FORWARD3, kernel=found.forward, count=count,
                                       reach=_forward_reach(operation)), y, *padded)

    def _has_lanes_kernels(self, operation: Operation) -> bool:
        """Whether the kernels for values in lanes are the quicker ones: with one lane NumPy's loops are, on many elements."""
        return self.lanes > 1 or operation.spec.size + sum(spec.size for spec in operation.operands) <= MOST_ALONE

    def _emit_calls(self, operation: Operation, y: int, pointers: list[int], laned: tuple[bool, ...]) -> None:
        """Compute a structural operation by the kernels of its family, by its parts, or by NumPy."""
        if self._has_lanes_kernels(operation):
            calls = forward_calls(operation, self.lanes, laned)
            if calls is not None:
                places = {RESULT: y, **dict(enumerate(pointers))}
                for call in calls:
                    self._emit_call(call, places, operation, laned)
                return
            parts = parts_of(operation)
            if parts is not None:
                self._emit_tape(parts, list(zip(pointers, laned, strict=True)), y)
                return
        self._emit_host(HostStep("forward", operation, self.lanes, laned, (y, *pointers)))

    def _emit_reverse_in_lanes(self, index: int) -> None:
        """Add to the adjoints of a structural instruction's operands, by kernels or else by its rule."""
        operation, operands = self.tape.operations[index], self.tape.operands[index]
        laned = tuple(self.is_laned(x) for x in operands)
        bits = self.wanted_bits(index)
        places = {RESULT: self.places[index], RESULT_ADJOINT: self.adjoints[index],
                  **{k: self.place(x) for k, x in enumerate(operands)}}
        for k, x in enumerate(operands):
            if not bits >> k & 1:
                continue
            position = self.sole_gradients.get(self.root(x))
            if position is not None and not self.is_part(x):
                in_rows = call_in_rows(operation, k)
                if in_rows is not None:
                    self._emit_call_rows(in_rows, ("grad", position), {
                        RESULT_ADJOINT: (places[RESULT_ADJOINT], True, operation.spec),
                        **{j: (places[j], laned[j], operation.operands[j]) for j in range(len(operands))}})
                    continue
            is_fresh = self.root(x) not in self.adjoints and not self.is_part(x)
            calls = reverse_calls(operation, k, self.lanes, laned, is_fresh)
            if calls is None or (not self.laned[index] and any(RESULT in call.pointers for call in calls)):
                inputs = [(places[RESULT_ADJOINT], True), (places[RESULT], self.laned[index])]
                inputs += [(places[number], is_laned) for number, is_laned in enumerate(laned)]
                self._emit_rule(rule_of(operation, k), inputs, x, is_fresh)
                continue
            places[ADJOINT] = self._adjoint(x, is_zeroed=not (calls and calls[0].writes))
            for call in calls:
                self._emit_call(call, places, operation, laned, k)

    def _emit_rule(self, rule: ClosedTape, inputs: Sequence[tuple[int, bool]], target: int, is_fresh: bool) -> None:
        """Run the steps of a rule and add its output to the adjoint of a value."""
        if gives_zeros(rule):
            return
        if is_fresh:
            self._emit_tape(rule, inputs, self._adjoint(target, is_zeroed=False))
            return
        spec = self.tape.spec(target)
        nbytes = spec.nbytes * self.lanes
        made = self._emit_tape(rule, inputs)
        place = made if made is not None else self._take(nbytes)
        if made is None:
            self._emit_tape(rule, inputs, place)
        self._emit_accumulation(target, place)
        if made is None:
            self.workspace.give(place >> 2 << 3, nbytes)

    def _emit_tape(self, tape: ClosedTape, inputs: Sequence[tuple[int, bool]], target: int | None = None) -> int | None:
        """Run the steps of a small tape with one output, and put that in lanes at a place.

        inputs  for each input of the tape its place, and whether it lies in lanes
        target  the place; without one nothing is run, and where the output is an input in lanes, its place is returned
        """
        values: dict[int, tuple[int, bool]] = {}
        for number, leaf in enumerate(tape.leaves):
            if leaf.how == "input":
                values[-number - 1] = inputs[leaf.what]
        roots: list[int] = []
        for index, (operation, operands) in enumerate(zip(tape.operations, tape.operands, strict=True)):
            first = operands[0] if operands else index
            is_alias = operation.is_alias or operation.row.name == "clone"
            roots.append((roots[first] if first >= 0 else first) if is_alias else index)
        output = tape.outputs[0]
        result = roots[output] if output >= 0 else output
        if target is None:
            return values[result][0] if result in values and values[result][1] else None
        for number, leaf in enumerate(tape.leaves):
            if leaf.how != "input":
                values[-number - 1] = self._constant(leaf.what), False
        last = {result: len(tape)}
        for index, operands in enumerate(tape.operands):
            for x in operands:
                root = roots[x] if x >= 0 else x
                last[root] = max(index, last.get(root, 0))
        mine: dict[int, tuple[int, int]] = {}
        for index, (operation, operands) in enumerate(zip(tape.operations, tape.operands, strict=True)):
            if roots[index] != index:
                continue
            names = [roots[x] if x >= 0 else x for x in operands]
            pointers, laned = [values[x][0] for x in names], tuple(values[x][1] for x in names)
            nbytes = max(operation.spec.size, 1) * operation.spec.dtype.itemsize * (self.lanes if any(laned) else 1)
            if not any(laned):
                place = self.uniform.take(nbytes) // 8 << 2 | UNIFORM
                self._emit_uniform_operation(operation, place, pointers)
            elif index == result:
                place = target
                self._emit_operation(operation, place, pointers, laned)
            else:
                place = self._take(nbytes)
                mine[index] = place, nbytes
                self._emit_operation(operation, place, pointers, laned)
            values[index] = place, any(laned)
            for x in set(names):
                if last[x] == index and x in mine:
                    place, nbytes = mine.pop(x)
                    self.workspace.give(place >> 2 << 3, nbytes)
        place, is_laned = values[result]
        spec = tape.spec(output)
        if not is_laned:
            self._emit(self.actions.number((WIDEN, spec), WIDEN, count=spec.size, item=spec.dtype.itemsize), target, place)
        elif place != target:
            self._emit(self.actions.number((COPY, spec, self.lanes), COPY, count=spec.size * self.lanes,
                                           item=spec.dtype.itemsize),
                       target, place)
        return target

    def _emit_uniform_operation(self, operation: Operation, place: int, pointers: list[int]) -> None:
        """Compute what all rows share before the first of them."""
        held = self.lanes, self.code, self.hosts
        self.lanes, self.code, self.hosts = 1, self.prologue, self.prologue_hosts
        self._emit_operation(operation, place, pointers, (False,) * len(pointers))
        self.lanes, self.code, self.hosts = held

    def _emit_reverse(self, index: int) -> None:
        operation, operands = self.tape.operations[index], self.tape.operands[index]
        # what all rows share was computed without lanes, and has its kernel in the table all the same
        is_alone = self.lanes == 1 and (index in self.structural or not self._has_lanes_kernels(operation))
        if not operation.is_elementwise and not is_alone:
            self._emit_reverse_in_lanes(index)
            return
        bits = self.wanted_bits(index)
        y_bar = self.adjoints[index]
        y = self.places[index]
        roots, places = self.roots, self.places
        values = [places[roots[x]] + (self.offsets[x] >> 3 << 2) if x >= 0 else places[x] for x in operands]
        if not operation.is_elementwise:
            adjoints = [self._adjoint(x) if bits >> k & 1 else 0 for k, x in enumerate(operands)]
            kernels = self.structural.get(index)
            if kernels is None:
                self._emit_host(HostStep("reverse", operation, self.lanes, tuple(self.is_laned(x) for x in operands),
                                         (y_bar, y, *values, *adjoints)))
                return
            count = kernels.parameters.__array_interface__["data"][0]
            values += [0] * (3 - len(values))
            adjoints += [0] * (3 - len(adjoints))
            self._emit(self.actions.number((kernels.reverse, count, "reverse"), REVERSE3, kernel=kernels.reverse, count=count,
                                           reach=_reverse_reach(operation)),
                       y_bar, y, *values, *adjoints)
            return
        laned = tuple([self.laned[x] if x >= 0 else self.leaf_laned[-x - 1] for x in operands])
        extents = self.known_extents.get((operation, laned))
        if extents is None:
            extents = self.known_extents[operation, laned] = self._extents(operation, laned)
        repeat, strides = extents[1], extents[3]
        known_adjoints = self.adjoints
        adjoints = []
        fresh = 0
        for k, x in enumerate(operands):
            if not bits >> k & 1:
                adjoints.append(0)
                continue
            root = roots[x] if x >= 0 else x
            found = known_adjoints.get(root)
            if found is not None and root == x:
                adjoints.append(found)
                continue
            # a call for each element adds to the adjoint of an operand that is one element
            if found is None and (repeat == 1 or strides[k]) and (root == x or not self.is_part(x)):
                fresh |= 1 << k
            adjoints.append(self._adjoint(x, is_zeroed=not fresh >> k & 1))
        same = self._same(operands, bits) if len(operands) > 1 else ()
        key = (operation, laned, bits, fresh, same)
        known = self.known_reverse.get(key)
        if known is None:
            known = self.known_reverse[key] = self._reverse_action(operation, extents, bits, fresh, same)
        action, width = known
        padding = (0,) * (width - len(operands))
        self.code += (action, y_bar, y, *values, *padding, *adjoints, *padding)

    def _reverse_action(self, operation: Operation, extents: tuple[int, int, int, list[int]], bits: int, fresh: int,
                        same: tuple[int, ...]) -> tuple[int, int]:
        """The action that adds to the adjoints of an element-wise operation's operands, and how many operands its steps name."""
        count, repeat, scalars, strides = extents
        names = tuple(spec.dtype.name for spec in operation.operands)
        kernel = KernelSpec(operation.row.name, "reverse", names, operation.spec.dtype.name, scalars, bits, same, fresh)
        key = (kernel, count, repeat, tuple(strides))
        action_class = REVERSE_REPEATED if repeat > 1 else REVERSE3 if len(strides) == 3 else REVERSE2
        step = self.lanes * operation.spec.dtype.itemsize
        padded = [*strides, *[0] * (3 - len(strides))]
        action = self.actions.number(key, action_class, count=count, repeat=repeat, strides=(step, step, *padded, *padded),
                                     spec=kernel)
        return action, 2 if action_class == REVERSE2 else 3

    def _same(self, operands: tuple[int, ...], bits: int) -> tuple[int, ...]:
        """For each operand the first one that has the same adjoint; () where all differ."""
        all_roots = self.roots
        shown = [all_roots[x] if x >= 0 else x for x in operands]
        if shown[0] != shown[1] if len(shown) == 2 else len(set(shown)) == len(shown):
            return ()
        roots = [(self.root(x), self.offsets[x] if x >= 0 else 0) if bits >> k & 1 else ("none", k)
                 for k, x in enumerate(operands)]
        firsts = tuple(roots.index(root) for root in roots)
        return firsts if firsts != tuple(range(len(operands))) else ()
