"""Running schedules: memory of threads, groups of rows, and what comes back."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from tapediff.kernels.options import entry
from tapediff.program import interpreter
from tapediff.program.executors import CALLS, Machine
from tapediff.program.layout import (
    F_ACTIONS,
    F_BUFFERS,
    F_CODE,
    F_FAILED,
    F_LANES,
    F_PARTIAL,
    F_POINTERS,
    F_ROW,
    F_ROWS,
    F_STEPS,
    GROUP_ROWS,
    SUM_LANES,
    UNIFORM,
    WORKSPACE,
)
from tapediff.program.machine import APART, BESIDE, DENSE, SAME, STEADY
from tapediff.program.recycled import RESULTS
from tapediff.program.schedule import Schedule
from tapediff.program.structural import HostStep, run_host
from tapediff.tape.source import address_of_array
from tapediff.tape.spec import Spec

__all__ = ["Frame", "Results", "Single", "available_threads", "row_layout", "run_batch"]

_run = entry(interpreter.run)
_run_address = interpreter.address_of_run()
_run_rows = entry(interpreter.run_rows)
_run_machine = entry(interpreter.run_machine)
_run_holding = entry(interpreter.run_holding)
_run_machine_holding = entry(interpreter.run_machine_holding)
Array = np.ndarray[Any, Any]
SHORT_WORK = 2000  # elements of a replay that keeps the GIL: a thread that gave it up may wait 5 ms for it behind each busy one
MOST_LOOKED_AT = 64  # numbers of an input that all rows share
CALLS_TO_NATIVE = 16  # of compiled code: then preparing a call by machine code pays
THREAD_WORK = 1 << 19  # elements that are worth another thread: about as long as it takes to wake one up


class Results(NamedTuple):
    """What a batch gives: arrays by output, gradients by input, and for each row 0 or 1 + the number of the guard that failed."""

    outputs: dict[int, Array]
    gradients: dict[int, Array]
    failed: Array


def available_threads() -> int:
    """The number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def row_layout(schedule: Schedule, specs: Sequence[Spec], output_specs: Sequence[Spec], inputs: Sequence[Array],
               seeds: Sequence[Array | None]) -> tuple[int, ...]:
    """How the rows of each buffer lie in memory."""
    found = []
    for how, position in schedule.buffers:
        spec = specs[position] if how in ("input", "grad") else output_specs[position]
        if how in ("output", "grad"):
            found.append(BESIDE if spec.size == 1 else APART)
            continue
        array = inputs[position] if how == "input" else seeds[position]
        assert array is not None
        if array.ndim == spec.ndim:
            is_steady = array.dtype.kind == "f" and array.size <= MOST_LOOKED_AT and np.isfinite(array).all() and array.all()
            found.append(STEADY if is_steady else SAME)
        else:
            is_dense = spec.size > 1 and element_stride(array, array.ndim - spec.ndim) == array.itemsize
            found.append(BESIDE if array.strides[0] == array.itemsize else DENSE if is_dense else APART)
    return tuple(found)


def addresses_of(schedule: Schedule) -> tuple[int, int, int]:
    """Where a compiled tape finds the schedule's steps, their actions, and the interpreter's loop."""
    return address_of_array(schedule.code), address_of_array(schedule.actions), _run_address


class Frame:
    """What the executor must know, in one thread: its workspace and the rows at hand."""

    def __init__(self, schedule: Schedule, uniform: Array) -> None:
        pointers = F_BUFFERS + 3 * len(schedule.buffers)
        self.words = (ctypes.c_int64 * (pointers + schedule.most_pointers))()
        self.address = ctypes.addressof(self.words)
        self.words[F_POINTERS] = self.address + 8 * pointers
        self.workspace = np.zeros(schedule.workspace_bytes + 64, np.uint8)
        self.words[WORKSPACE] = address_of_array(self.workspace) + 63 & ~63
        self.words[UNIFORM] = address_of_array(uniform)
        self.words[F_LANES] = schedule.request.lanes
        self.words[F_CODE], self.words[F_ACTIONS], self.words[F_STEPS] = addresses_of(schedule)
        self.bases = (0, self.words[WORKSPACE], self.words[UNIFORM], 0)

    def failed_lanes(self) -> list[int]:
        """For each lane that holds a row, whether the row failed a guard."""
        words = self.words
        row = words[F_ROW]
        rows = min(words[F_LANES], words[F_ROWS] - row)
        return list((ctypes.c_int32 * rows).from_address(words[F_FAILED] + 4 * row))

    def set_buffers(self, places: Sequence[tuple[int, int, int]]) -> None:
        """Say where the rows of each buffer lie: address, bytes from row to row, bytes from element to element."""
        for number, place in enumerate(places):
            self.words[F_BUFFERS + 3 * number:F_BUFFERS + 3 * number + 3] = list(place)


def element_stride(array: Array, first: int = 1) -> int:
    """The bytes from one element of a row to the next, in order, where that is one number; the row's dimensions start at `first`.

    Raises
        ValueError: it is not.
    """
    step = 0
    for size, stride in zip(array.shape[:first - 1 if first else None:-1], array.strides[:first - 1 if first else None:-1],
                            strict=True):
        if size == 1:
            continue
        if not step:
            step, expected = stride, stride
        if stride != expected:
            raise ValueError("the elements of a row do not lie at one distance")
        expected *= size
    return step or array.itemsize


def aligned(nbytes: int) -> Array:
    """Memory that begins with a cache line."""
    memory = np.empty(nbytes + 64, np.uint8)
    start = -address_of_array(memory) & 63
    return memory[start:start + nbytes]


def run_code(code: Array, actions: Array, hosts: dict[int, HostStep], frame: Frame) -> None:
    """Run steps once, those of Python among them."""
    at, end = 0, len(code)
    code_at, actions_at = address_of_array(code), address_of_array(actions)
    while True:
        at = _run(code_at, at, end, actions_at, frame.address)
        if at >= end:
            return
        run_host(hosts[at], frame.bases, frame.failed_lanes())
        at += 1


def uniform_memory(schedule: Schedule, values: dict[int, Array], failed: Array) -> Array:
    """The memory of what all rows share, filled and computed. failed[0] says which guard failed, if one did."""
    memory = aligned(len(schedule.uniform))
    memory[:] = schedule.uniform
    for position, offset in schedule.uniform_inputs.items():
        value = values[position]
        memory[offset:offset + value.nbytes] = np.frombuffer(value.tobytes(), np.uint8)
    if len(schedule.prologue):
        frame = Frame(schedule, memory)
        frame.words[F_LANES] = frame.words[F_ROWS] = 1
        frame.words[F_FAILED] = address_of_array(failed)
        run_code(schedule.prologue, schedule.actions, schedule.prologue_hosts, frame)
    return memory


class _Pool:
    """The threads of this process; a forked child gets threads of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = 0
        self.executor: ThreadPoolExecutor | None = None
        self.size = 0

    def run(self, work: Callable[[], None], threads: int) -> None:
        """Run `work` in several threads at once, this one among them; raises what one of them raised."""
        if threads <= 1:
            work()
            return
        with self.lock:
            if self.process != os.getpid() or self.size < threads - 1:
                self.executor = ThreadPoolExecutor(threads - 1, "tapediff")
                self.process, self.size = os.getpid(), threads - 1
            executor = self.executor
        assert executor is not None
        others = [executor.submit(work) for _ in range(threads - 1)]
        try:
            work()
        finally:
            for other in others:
                other.result()


_pool = _Pool()


def run_batch(schedule: Schedule, specs: Sequence[Spec], output_specs: Sequence[Spec], inputs: Sequence[Array],
              rows: int, threads: int, seeds: Sequence[Array | None] = (), machine: int | None = None) -> Results:
    """Run a schedule over `rows` rows.

    machine  the address of its machine code for rows that lie as `row_layout` says; None: it is interpreted

    inputs  for each input an array: of rows where it is laned and differs, of one value where all rows share it
    seeds   for each output its adjoints, rows first
    """
    request = schedule.request
    failed = np.zeros(rows, np.int32)
    first_failed = np.zeros(1, np.int32)
    shared = {position: inputs[position] for position in schedule.uniform_inputs}
    uniform = uniform_memory(schedule, shared, first_failed)
    if first_failed[0]:
        failed[:] = first_failed[0]
    outputs = {}
    for position in request.outputs:
        spec = output_specs[position]
        if position in schedule.uniform_outputs:
            offset = schedule.uniform_outputs[position]
            value = np.frombuffer(uniform[offset:offset + spec.nbytes].tobytes(), spec.dtype.numpy).reshape(spec.shape)
            outputs[position] = np.broadcast_to(value, (rows, *spec.shape)).copy()
        else:
            outputs[position] = RESULTS.array((rows, *spec.shape), spec.dtype.numpy)
    gradients = {}
    for position in request.wanted:
        spec = specs[position]
        if position not in request.summed:
            make: Callable[..., Array] = np.zeros if position in schedule.zero_gradients else RESULTS.array
            gradients[position] = make((rows, *spec.shape), spec.dtype.numpy)
    places = []
    for how, position in schedule.buffers:
        if how in ("input", "seed"):
            array = inputs[position] if how == "input" else seeds[position]
            assert array is not None
            spec = specs[position] if how == "input" else output_specs[position]
            places.append((address_of_array(array), array.strides[0] if array.ndim > spec.ndim else 0,
                           element_stride(array, array.ndim - spec.ndim)))
        else:
            array = (outputs if how == "output" else gradients)[position]
            places.append((address_of_array(array), array.strides[0], array.itemsize))
    threads = max(1, min(threads, -(-rows // request.lanes), rows * schedule.work // THREAD_WORK))
    if request.summed:
        group = GROUP_ROWS
    else:
        blocks = -(-rows // (4 * threads * request.lanes))
        group = max(min(GROUP_ROWS, blocks * request.lanes) // request.lanes, 1) * request.lanes
    starts = range(0, rows, group)
    partials = np.zeros((len(starts), schedule.partial_bytes // 8), np.float64)
    counter = itertools.count()
    stopped: list[bool] = []
    code_at, actions_at, end = address_of_array(schedule.code), address_of_array(schedule.actions), len(schedule.code)

    def work() -> None:
        frame = Frame(schedule, uniform)
        frame.set_buffers(places)
        frame.words[F_ROWS] = rows
        frame.words[F_FAILED] = address_of_array(failed)
        while (number := next(counter)) < len(starts) and not stopped:
            first = starts[number]
            last = min(first + group, rows)
            frame.words[F_PARTIAL] = address_of_array(partials) + number * schedule.partial_bytes
            if machine is not None:  # whole blocks; the rest is interpreted
                full = first + (last - first) // request.lanes * request.lanes
                _run_machine(machine, frame.address, first, full)
                first = full
            if not schedule.hosts:
                _run_rows(code_at, end, actions_at, frame.address, first, last, request.lanes)
                continue
            for row in range(first, last, request.lanes):
                if stopped:
                    return
                frame.words[F_ROW] = row
                run_code(schedule.code, schedule.actions, schedule.hosts, frame)

    def work_or_stop() -> None:
        try:
            work()
        except BaseException:
            stopped.append(True)  # nobody wants what the other threads would still compute
            raise

    if rows:
        _pool.run(work_or_stop, threads)
    for position in request.summed:
        spec = specs[position]
        total = np.zeros(spec.shape, np.float64)
        if position in schedule.partials and len(starts):
            start = schedule.partials[position] // 8
            parts = partials[:, start:start + spec.size * SUM_LANES].reshape(len(starts), spec.size, SUM_LANES)
            total = pairwise(halved(parts)).reshape(spec.shape)
        gradients[position] = total.astype(spec.dtype.numpy)
    return Results(outputs, gradients, failed)


def halved(parts: Array) -> Array:
    """The sums over the last dimension, a power of two, halves added to halves."""
    while parts.shape[-1] > 1:
        half = parts.shape[-1] // 2
        parts = parts[..., :half] + parts[..., half:]
    return parts[..., 0]


def pairwise(parts: Array) -> Array:
    """The sum over the first dimension, neighbours added to neighbours: the error grows with the logarithm of the length."""
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else parts[:0]
        parts = np.concatenate([parts[0:len(parts) - len(odd):2] + parts[1::2], odd])
    return parts[0]


class Single:
    """Replays a schedule of one lane: the memory of each thread is made once."""

    def __init__(self, schedule: Schedule, specs: Sequence[Spec], output_specs: Sequence[Spec], machine: Machine,
                 executor: str) -> None:
        self.schedule = schedule
        self.specs = specs
        self.output_specs = output_specs
        self.local = threading.local()
        self.failed = np.zeros(1, np.int32)
        self.uniform = uniform_memory(schedule, {}, self.failed)
        self.code_at, self.actions_at = address_of_array(schedule.code), address_of_array(schedule.actions)
        self.end = len(schedule.code)
        self.machine = machine
        self.executor = executor
        self.address: int | None = None
        self.is_short = schedule.work < SHORT_WORK
        self.run = _run_holding if self.is_short else _run
        self.run_machine = _run_machine_holding if self.is_short else _run_machine
        self.calls_to_native = CALLS_TO_NATIVE

    def _prepare(self) -> Any:
        """The memory of this thread."""
        schedule, local = self.schedule, self.local
        frame = local.frame = Frame(schedule, self.uniform)
        frame.words[F_ROWS] = 1
        local.failed = np.zeros(1, np.int32)
        frame.words[F_FAILED] = address_of_array(local.failed)
        arrays: dict[tuple[str, int], Array] = {}
        for how, position in schedule.buffers:
            spec = self.specs[position] if how in ("input", "grad") else self.output_specs[position]
            arrays[how, position] = np.zeros(spec.shape, spec.dtype.numpy)
        frame.set_buffers([(address_of_array(arrays[key]), 0, arrays[key].itemsize) for key in schedule.buffers])
        local.inputs = [arrays.get(("input", position)) for position in range(len(self.specs))]
        local.seeds = [arrays.get(("seed", position)) for position in range(len(self.output_specs))]
        local.outputs = []
        for position in schedule.request.outputs:
            found = arrays.get(("output", position))
            if found is None:
                spec = self.output_specs[position]
                offset = schedule.uniform_outputs[position]
                found = np.frombuffer(self.uniform[offset:offset + spec.nbytes].tobytes(), spec.dtype.numpy).reshape(spec.shape)
            local.outputs.append(found)
        local.gradients = [arrays.get(("grad", position), np.zeros(self.specs[position].shape, self.specs[position].dtype.numpy))
                           for position in schedule.request.wanted]
        return local

    def __call__(self, values: Sequence[Any], seeds: Sequence[Any] = ()) -> tuple[list[Array], list[Array], int]:
        """Outputs and gradients, in memory that the next call of this thread overwrites; and 0 or 1 + the number of the guard
        that failed."""
        local = self.local
        try:
            frame = local.frame
        except AttributeError:
            local = self._prepare()
            frame = local.frame
        for array, value in zip(local.inputs, values, strict=True):
            if array is not None:
                array[...] = value
        for array, value in zip(local.seeds, seeds):
            if array is not None:
                array[...] = value
        failed = local.failed
        failed[0] = self.failed[0]
        if self.address is not None:
            self.run_machine(self.address, frame.address, 0, 1)
        elif self.executor != "interpreter":
            self._choose(frame)
        else:
            self._interpret(frame)
        return local.outputs, local.gradients, int(failed[0])

    def _choose(self, frame: Frame) -> None:
        """Run the compiled tape if it is there by now."""
        layout = (SAME,) * len(self.schedule.buffers)
        self.address = self.machine.address(layout, self.executor, 1, CALLS)
        if self.address is not None:
            self.run_machine(self.address, frame.address, 0, 1)
        else:
            self._interpret(frame)

    def _interpret(self, frame: Frame) -> None:
        if self.schedule.hosts:
            run_code(self.schedule.code, self.schedule.actions, self.schedule.hosts, frame)
        else:
            self.run(self.code_at, 0, self.end, self.actions_at, frame.address)
