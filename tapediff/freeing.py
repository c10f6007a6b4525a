"""Giving memory back: what no reverse pass will need, what no pass can reach, all but the value of a kept loss."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tapediff import sweeps
from tapediff.kernels.options import entry
from tapediff.memory import PASSES, POOL, Block, Scratch, slot_array, slot_value
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import ADJOINTS, SOURCE, SOURCES, Source

__all__ = ["forget_unreached", "keep_value_only", "release", "release_finished"]

_plan = entry(sweeps.plan)

KEPT_BYTES = 1 << 13  # values that a kept loss may hold


def keep_value_only(tensor: Any) -> None:
    """After a pass: where a tensor of one element is all that shows a released segment, keep its value alone.

    The memory of the other values is given back.
    """
    segment = tensor.segment
    # references: the tensor, the local variable, the argument
    if (segment is SOURCE or not segment.is_released or sys.getrefcount(segment) > 3
            or sum(chunk.nbytes for chunk in segment.chunks) < KEPT_BYTES or segment.is_foreign):
        return
    with segment.lock:
        index = tensor.slot // 3 - 1
        if index < 0:
            return
        source = Source(tensor.spec, array=slot_array(segment, index, tensor.spec).copy(), origin=segment, slot=index)
        source.take_over(tensor)
        # the source, the local variable, the argument; else another thread has got at the segment by way of the tensor
        if sys.getrefcount(segment) <= 3:
            segment.chunks = []
            segment.addresses = None


def forget_unreached(segment: Segment) -> None:
    """When a segment is full: of the earlier segments that only its sources keep alive, drop what those sources do not depend on.

    A chain of evaluations that nobody differentiates would otherwise hold its whole history, where one of them lies across a
    boundary.
    """
    slots: dict[Any, list[int]] = {}
    for source in segment.held:
        if type(source.origin) is Segment:
            slots.setdefault(source.origin, []).append(source.slot)
    while slots:
        origin, wanted = slots.popitem()
        # references: the sources' origins, the local variable, the argument
        if sys.getrefcount(origin) > len(wanted) + 2 or not origin.batches or not origin.held:
            continue
        code = origin.whole_code()
        scratch = Scratch()
        scratch.room(origin.count, len(origin.held) + len(wanted) + 1)
        scratch.touched[0] = len(wanted)
        for position, slot in enumerate(wanted, 1):
            scratch.touched[position] = slot
        with ADJOINTS:
            status = _plan(code.buffer_info()[0], origin.count, origin.count, scratch.frame_at, KINDS.address, SOURCES.address,
                           next(PASSES), origin.clocks.buffer_info()[0], len(origin.clocks) // 2, 0, 0, 0, 0)
        if status == 0:
            reached = set(scratch.touched[1:scratch.touched[0] + 1])
            origin.held = [source for source in origin.held if source.origin is None or source.index in reached]


def release_finished(segment: Segment) -> None:
    """`release` by the thread that leaves a segment which another thread has used up, unless it went on recording there."""
    code = np.frombuffer(segment.whole_code(), np.int32)
    with ADJOINTS:
        wanted = KINDS.table[code[::3], layout.K_WANTED] != 0
        flags = np.frombuffer(segment.consumed_table(), np.uint8)
        if np.all(flags[wanted] != 0):
            release(segment)


def release(segment: Segment) -> None:
    """Give back the values that only reverse passes need; those that tensors show stay.

    The code stays: another pass may reach instructions that saved nothing. The caller holds ADJOINTS: no pass is under way.
    """
    segment.is_released = True
    segment.consumed = None
    if len(segment.held) < 64:  # constants and data: what saved them is refused from now on
        segment.held = [source for source in segment.held if source.spec.requires_grad]
    segment.recorded = []
    if not segment.owners and not segment.large:
        return
    for index, owner in segment.owners.items():
        tensor = owner()
        if tensor is not None and tensor.segment is segment and tensor.slot == 3 * index + 3:
            array = slot_value(segment.large[index], tensor.spec)
            with segment.lock:
                Source(tensor.spec, array=array, origin=segment, slot=index).take_over(tensor)
            del array
    segment.owners.clear()
    while segment.large:
        value = segment.large.popitem()[1]
        if type(value) is Block:
            POOL.give(value, value.memory.nbytes - 64)
