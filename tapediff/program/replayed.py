"""Structural ops of the running tape as small programs: what NumPy did runs as the steps of a program with one lane.

The op itself is one tape, the derivative rule for each operand another. A *block* of int64 says how to run a schedule on
addresses that the sweep hands over; its columns are below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import cfunc, types

from tapediff.kernels.options import inner
from tapediff.program.closed import ClosedTape, Leaf
from tapediff.program.families import reverse_calls
from tapediff.program.interpreter import address_of_run
from tapediff.program.layout import (
    F_ACTIONS,
    F_BUFFERS,
    F_CODE,
    F_FAILED,
    F_LANES,
    F_POINTERS,
    F_ROWS,
    F_STEPS,
    UNIFORM,
    WORKSPACE,
)
from tapediff.program.operations import operation_of_kind
from tapediff.program.rule import gives_zeros, rule_of
from tapediff.program.running import uniform_memory
from tapediff.program.schedule import build
from tapediff.program.values import Request
from tapediff.sweeps import call_forward, load_f32, load_f64, load_i64, store_f32, store_f64, store_i64
from tapediff.tape.kinds import KINDS, Kind
from tapediff.tape.source import address_of_array

__all__ = ["replay"]

Array = np.ndarray[Any, Any]
MOST_WORKSPACE = 1 << 20  # bytes

(B_CODE, B_END, B_ACTIONS, B_RUN, B_FRAME_WORDS, B_WORKSPACE_BYTES, B_UNIFORM, B_BUFFERS, B_POINTERS, B_TARGET, B_ELEMENTS,
 B_ITEM, B_FIRST_BUFFER) = range(13)
# B_TARGET: which address the result is added to, or -1 where a buffer of the schedule is the result itself
# from B_FIRST_BUFFER on: for each buffer which address it is, or -1 for what is to be added; the bytes of an element
_F_FAILURE = 3  # a word of the frame that is free


@inner
def run_block(block: int, pointers: int) -> None:
    """Run a schedule on the values behind an array of addresses."""
    words = load_i64(block + 8 * B_FRAME_WORDS)
    elements, item = load_i64(block + 8 * B_ELEMENTS), load_i64(block + 8 * B_ITEM)
    target = load_i64(block + 8 * B_TARGET)
    size = load_i64(block + 8 * B_WORKSPACE_BYTES)
    memory = np.empty(words * 8 + size + (elements * item if target >= 0 else 0) + 192, np.uint8)
    frame = memory.ctypes.data
    workspace = frame + words * 8 + 63 & ~63
    found = workspace + size + 63 & ~63
    for k in range(F_BUFFERS):
        store_i64(frame + 8 * k, 0)
    store_i64(frame + 8 * WORKSPACE, workspace)
    store_i64(frame + 8 * UNIFORM, load_i64(block + 8 * B_UNIFORM))
    store_i64(frame + 8 * F_ROWS, 1)
    store_i64(frame + 8 * F_LANES, 1)
    store_i64(frame + 8 * F_FAILED, frame + 8 * _F_FAILURE)
    store_i64(frame + 8 * F_POINTERS, frame + 8 * load_i64(block + 8 * B_POINTERS))
    store_i64(frame + 8 * F_CODE, load_i64(block + 8 * B_CODE))
    store_i64(frame + 8 * F_ACTIONS, load_i64(block + 8 * B_ACTIONS))
    store_i64(frame + 8 * F_STEPS, load_i64(block + 8 * B_RUN))
    for number in range(load_i64(block + 8 * B_BUFFERS)):
        at = block + 8 * (B_FIRST_BUFFER + 2 * number)
        which = load_i64(at)
        place = frame + 8 * (F_BUFFERS + 3 * number)
        store_i64(place, found if which < 0 else load_i64(pointers + 8 * which))
        store_i64(place + 8, 0)
        store_i64(place + 16, load_i64(at + 8))
    call_forward(load_i64(block + 8 * B_RUN), load_i64(block + 8 * B_CODE), 0, load_i64(block + 8 * B_END),
                 load_i64(block + 8 * B_ACTIONS), frame)
    if target >= 0:
        total = load_i64(pointers + 8 * target)
        if item == 8:
            for k in range(elements):
                store_f64(total + 8 * k, load_f64(total + 8 * k) + load_f64(found + 8 * k))
        else:
            for k in range(elements):
                store_f32(total + 4 * k, load_f32(total + 4 * k) + load_f32(found + 4 * k))
    memory[0] = 0  # it lives until here


@cfunc(types.void(*[types.int64] * 5), cache=True, error_model="numpy", boundscheck=False)
def forward(parameters: int, pointers: int, b: int, c: int, d: int) -> None:
    """The forward kernel: the first block."""
    run_block(load_i64(parameters), pointers)


@cfunc(types.void(*[types.int64] * 5), cache=True, error_model="numpy", boundscheck=False)
def reverse(parameters: int, pointers: int, b: int, c: int, d: int) -> None:
    """The reverse kernel: the other blocks, whose number comes second."""
    for k in range(load_i64(parameters + 8)):
        run_block(load_i64(parameters + 8 * (k + 2)), pointers)


def replay(kind: Kind) -> bool:
    """Let compiled steps do from now on what NumPy did for a kind; False where they can't. Nothing may be recorded meanwhile."""
    operation = operation_of_kind(kind)
    arity = len(kind.operands)
    tape = ClosedTape([Leaf("input", spec, k) for k, spec in enumerate(kind.operands)], [operation],
                      [tuple(-1 - k for k in range(arity))], [0], [])
    laned = (True,) * arity
    places: dict[str, Any] = {"input": range(1, arity + 1), "output": [0]}
    blocks = [block_of(tape, Request(1, laned, (0,)), places, -1)]
    places = {"input": range(2, arity + 2), "seed": [0], "grad": [-1] * arity}
    for k, spec in enumerate(kind.operands):
        if kind.wanted >> min(k, 60) & 1 and spec.requires_grad and kind.row.is_differentiable(k):
            target = arity + 2 + k
            if reverse_calls(operation, k, 1, laned, True) is not None:
                blocks.append(block_of(tape, Request(1, laned, (), (k,), "given"), places, target))
                continue
            rule = rule_of(operation, k)
            found = rule.spec(rule.outputs[0])
            if found.shape != spec.shape or found.dtype is not spec.dtype:
                return False
            if not gives_zeros(rule):
                blocks.append(block_of(rule, Request(1, (True,) * (arity + 2), (0,)),
                                       {"input": range(arity + 2), "output": [-1]}, target))
    found_blocks = [block for block in blocks if block is not None]
    if len(found_blocks) < len(blocks):
        return False
    first, *others = map(address_of_array, found_blocks)
    parameters = np.array([first, len(others), *others], np.int64)
    _kept.append(found_blocks)
    KINDS.replay(kind, forward.address, reverse.address, parameters)
    return True


_kept: list[Any] = []  # kinds live for ever


def block_of(tape: ClosedTape, request: Request, places: Mapping[str, Sequence[int]], target: int) -> Array | None:
    """The block of a schedule of one result; None where a step is NumPy's.

    places  for each buffer of rows which address it is; -1: the result, which is added to address `target`
    """
    if tape.guards:
        return None
    schedule = build(tape, request)
    if schedule.hosts or schedule.prologue_hosts or schedule.uniform_outputs or schedule.zero_gradients:
        return None
    if schedule.workspace_bytes > MOST_WORKSPACE:
        return None
    uniform = uniform_memory(schedule, {}, np.zeros(1, np.int32))
    spec = tape.spec(tape.inputs()[request.wanted[0]] if request.wanted else tape.outputs[0])
    buffers: list[int] = []
    for (how, position), dtype in zip(schedule.buffers, schedule.dtypes, strict=True):
        buffers += [places[how][position], np.dtype(dtype).itemsize]
    words = F_BUFFERS + 3 * len(schedule.buffers)
    _kept.append((schedule, uniform))
    return np.array([address_of_array(schedule.code), len(schedule.code), address_of_array(schedule.actions), address_of_run(),
                     words + schedule.most_pointers, schedule.workspace_bytes, address_of_array(uniform), len(schedule.buffers),
                     words, target, spec.size, spec.dtype.itemsize, *buffers], np.int64)
