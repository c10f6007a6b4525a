"""The compiled sweeps over a tape: place, forward, plan, reverse.

Addresses are int64. An operand is an instruction's number (0, 1, ...) or a source (-1, -2, ...: source -operand - 1).
Code is three int32 per instruction: kind, a, b. The third operand of an instruction is operand a of the ARGUMENT instruction
before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from tapediff.kernels import uncompiled
from tapediff.kernels.options import compiled, inner, instruction
from tapediff.tape.layout import (
    ALIAS,
    ARGUMENT,
    BLOCK,
    CHUNK_ROWS,
    CHUNK_SHIFT,
    ELEMENTWISE,
    FIRST,
    FIRST_BYTES,
    FIRST_MASK,
    FRAME_ADJOINTS,
    FRAME_HOSTED,
    FRAME_LACKING,
    FRAME_LEFT,
    FRAME_MISSED,
    FRAME_OFFSETS,
    FRAME_TOUCHED,
    FRAME_USED,
    HOST,
    IN_CELL,
    K_ARITY,
    K_BYTES,
    K_CLASS,
    K_COUNT,
    K_DIVISOR,
    K_FIELDS,
    K_FORWARD,
    K_ITEM_A,
    K_ITEM_B,
    K_ITEM_C,
    K_ITEM_Y,
    K_LARGE,
    K_REVERSE,
    K_REVERSE_SAME,
    K_SAME,
    K_SAVES,
    K_SCALARS,
    K_WANTED,
    OFFSET,
    ONE_BLOCK,
    PYTHON,
    REDUCTION,
    REPLAYED,
    S_ADDRESS,
    S_ADJOINT,
    S_BYTES,
    S_CLOCK,
    S_FIELDS,
    S_GRADIENT,
    S_ITEM,
    S_PASS,
    S_STATE,
    S_WANTED,
    VIEW,
)

__all__ = ["accumulate", "address", "first_outside", "forward", "lead", "plan", "reverse", "run_batch", "settle", "whole_pass"]

FAR_ELEMENTS = 1 << 16  # arrays of so many elements lie in no near cache: the next block is fetched while one is computed
_I64 = ir.IntType(64)


def _memory_access(ir_type: Any, numba_type: Any) -> tuple[Any, Any]:
    """Intrinsics `load(address)` and `store(address, value)` for one element type."""
    python_load, python_store = uncompiled.memory_access(str(numba_type))

    @instruction(python_load)
    def load(typing_context: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], ir_type.as_pointer()))
        return numba_type(types.int64), emit

    @instruction(python_store)
    def store(typing_context: Any, address: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            builder.store(arguments[1], builder.inttoptr(arguments[0], ir_type.as_pointer()))
            return context.get_dummy_value()
        return types.void(types.int64, numba_type), emit

    return load, store


def _kernel_call(count: int) -> Any:
    """Intrinsic `call(address, argument, ...)` of a compiled kernel with `count` int64 arguments."""
    numba_signature = types.void(*[types.int64] * (count + 1))
    function_type = ir.FunctionType(ir.VoidType(), [_I64] * count)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(builder.inttoptr(arguments[0], function_type.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    if count == 5:
        @instruction(uncompiled.call)
        def call(typing_context: Any, address: Any, n: Any, y: Any, a: Any, b: Any, c: Any) -> Any:
            return numba_signature, emit
    else:
        @instruction(uncompiled.call)
        def call(typing_context: Any, address: Any, n: Any, y_bar: Any, y: Any, a: Any, b: Any, c: Any, a_bar: Any, b_bar: Any,
                 c_bar: Any) -> Any:
            return numba_signature, emit
    return call


@instruction(uncompiled.zero)
def zero(typing_context: Any, address: Any, size: Any) -> Any:
    """Zero `size` bytes."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        function = builder.module.declare_intrinsic("llvm.memset", [pointer.type, _I64])
        builder.call(function, [pointer, ir.Constant(ir.IntType(8), 0), arguments[1], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), emit


@instruction(uncompiled.prefetch)
def prefetch(typing_context: Any, address: Any) -> Any:
    """Let the cache line at an address come nearer, to be read or written soon."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        i32 = ir.IntType(32)
        signature_of_llvm = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], signature_of_llvm)
        builder.call(function, [pointer, ir.Constant(i32, 0), ir.Constant(i32, 3), ir.Constant(i32, 1)])
        return context.get_dummy_value()
    return types.void(types.int64), emit


load_i64, store_i64 = _memory_access(_I64, types.int64)
load_i32, store_i32 = _memory_access(ir.IntType(32), types.int32)
load_u8, store_u8 = _memory_access(ir.IntType(8), types.uint8)
load_f64, store_f64 = _memory_access(ir.DoubleType(), types.float64)
load_f32, store_f32 = _memory_access(ir.FloatType(), types.float32)
call_forward = _kernel_call(5)
call_reverse = _kernel_call(9)


@compiled(types.int64(types.uint8[::1]))
def address(memory: Any) -> int:
    """Where an array of bytes lies."""
    return memory.ctypes.data


@inner
def field(table: int, row: int, column: int) -> int:
    """One field of the kind table."""
    return load_i64(table + (row * K_FIELDS + column) * 8)


@inner
def source_row(chunks: int, operand: int) -> int:
    """Address of the row of the source that a negative operand names."""
    index = -operand - 1
    return load_i64(chunks + (index >> CHUNK_SHIFT) * 8) + (index & (CHUNK_ROWS - 1)) * (S_FIELDS * 8)


@inner
def value_address(operand: int, addresses: int, chunks: int, skip: int) -> int:
    """Where the value of an operand lies, `skip` bytes on; a value of one block serves all blocks in turn."""
    if operand >= 0:
        address = load_i64(addresses + operand * 8)
        return address & ~ONE_BLOCK if address & ONE_BLOCK else address + skip
    return load_i64(source_row(chunks, operand) + S_ADDRESS * 8) + skip


@inner
def place(code: int, first: int, last: int, addresses: int, kinds: int) -> int:
    """Give every new instruction its place: bytes into a chunk that is still to be had; returns the chunk's size.

    Operands, recorded as positions in the flat list (3, 6, 9, ...) or sources (negative), become instruction numbers in place.
    A large slot keeps the address that Python wrote.
    """
    used = 0
    for i in range(first, last):
        at = code + (i - first) * 12
        kind = load_i32(at)
        a = load_i32(at + 4)
        b = load_i32(at + 8)
        if a > 0:
            a = a // 3 - 1
            store_i32(at + 4, a)
        if b > 0:
            b = b // 3 - 1
            store_i32(at + 8, b)
        if a == b and field(kinds, kind, K_ARITY) >= 2:
            store_i64(kinds + (kind * K_FIELDS + K_SAME) * 8, 1)
        size = field(kinds, kind, K_BYTES)
        if field(kinds, kind, K_CLASS) == ALIAS or field(kinds, kind, K_LARGE) == 1:
            continue
        if size >= 64:
            used = (used + 63) & ~63
        store_i64(addresses + i * 8, used)
        used += size
    return used


@inner
def settle_range(code: int, first: int, last: int, addresses: int, kinds: int, chunks: int, chunk: int) -> int:
    """Turn the offsets of `place` into addresses in `chunk`."""
    for i in range(first, last):
        at = code + (i - first) * 12
        kind = load_i32(at)
        if field(kinds, kind, K_CLASS) == ALIAS:
            store_i64(addresses + i * 8, value_address(load_i32(at + 4), addresses, chunks, 0))
        elif field(kinds, kind, K_LARGE) == 0:
            store_i64(addresses + i * 8, load_i64(addresses + i * 8) + chunk)
    return 0


@inner
def operand_of(code: int, i: int, k: int) -> int:
    """Operand k of instruction i: two stand in the instruction, two more in each ARGUMENT instruction before it."""
    return load_i32(code + (i - k // 2) * 12 + 4 + k % 2 * 4)


@inner
def end_of_run(code: int, i: int, last: int, kinds: int) -> int:
    """The end of the run that starts at instruction i of `code`: element-wise instructions over the same many elements, then sums
    over all of them.
    """
    count = field(kinds, load_i32(code + i * 12), K_COUNT)
    is_reduced = False
    j = i
    while j < last:
        kind = load_i32(code + j * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class == REDUCTION and field(kinds, kind, K_COUNT) == count:
            is_reduced = True
        elif is_reduced or (kind_class != ARGUMENT and (kind_class != ELEMENTWISE or field(kinds, kind, K_COUNT) != count)):
            break
        j += 1
    return j


@inner
def add_stream(streams: Any, count: int, at: int, item: int) -> int:
    """Remember that a run walks through memory in steps of `item` bytes; returns how many such streams there are."""
    for k in range(count):
        if streams[2 * k] == at:
            return count
    if 2 * count < len(streams):
        streams[2 * count] = at
        streams[2 * count + 1] = item
        return count + 1
    return count


@inner
def prefetch_block(streams: Any, count: int, start: int, n: int) -> None:
    """Fetch the `n` elements from `start` on of all streams."""
    for k in range(count):
        at = streams[2 * k] + start * streams[2 * k + 1]
        end = at + n * streams[2 * k + 1]
        while at < end:
            prefetch(at)
            at += 64


@inner
def forward_streams(code: int, i: int, stop: int, first: int, addresses: int, kinds: int, chunks: int, streams: Any) -> int:
    """The streams of memory that a run reads and writes."""
    count = 0
    for j in range(i, stop):
        at = code + j * 12
        kind = load_i32(at)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class == ELEMENTWISE:
            y = load_i64(addresses + (first + j) * 8)
            if y & ONE_BLOCK == 0:
                count = add_stream(streams, count, y, field(kinds, kind, K_ITEM_Y))
        if kind_class in (ELEMENTWISE, REDUCTION):
            scalars = field(kinds, kind, K_SCALARS)
            for k in range(min(field(kinds, kind, K_ARITY), 3)):
                operand = operand_of(code, j, k)
                if scalars >> k & 1 == 0 and operand < first + i:
                    count = add_stream(streams, count, value_address(operand, addresses, chunks, 0),
                                       field(kinds, kind, K_ITEM_A + k))
    return count


@inner
def begin_sum(state: int) -> None:
    """Let a sum over all elements begin with 0; `state` is its slot: the sum so far, what it lost to rounding, a block's sum."""
    store_i64(state, 0)
    store_i64(state + 8, 0)


@inner
def add_block(kernel: int, n: int, a: int, state: int, item: int) -> None:
    """Add n elements to a sum over all elements, with compensation (Neumaier 1974): its error does not grow with their number."""
    store_i64(state + 16, 0)
    call_reverse(kernel, n, a, 0, 0, 0, 0, 0, state + 16, 0)
    if item == 8:
        total, part = load_f64(state), load_f64(state + 16)
        new = total + part
        store_f64(state, new)
        store_f64(state + 8, load_f64(state + 8) + ((total - new) + part if abs(total) >= abs(part) else (part - new) + total))
    else:
        total32, part32 = load_f32(state), load_f32(state + 16)
        new32 = total32 + part32
        store_f32(state, new32)
        store_f32(state + 8, load_f32(state + 8) + ((total32 - new32) + part32 if abs(total32) >= abs(part32)
                                                    else (part32 - new32) + total32))


@inner
def finish_sum(state: int, divisor: int, item: int) -> None:
    """Leave the result of a sum over all elements in the first word of its slot."""
    if item == 8:
        total, lost = load_f64(state), load_f64(state + 8)
        store_f64(state, (total + lost if lost == lost else total) / divisor)
    else:
        total32, lost32 = load_f32(state), load_f32(state + 8)
        store_f32(state, (total32 + lost32 if lost32 == lost32 else total32) / divisor)


@inner
def forward_one(code: int, i: int, start: int, n: int, base: int, addresses: int, kinds: int, chunks: int) -> None:
    """Run instruction `base + i` for the `n` elements from `start` on; for structural kernels n is their parameters."""
    at = code + i * 12
    kind = load_i32(at)
    arity = field(kinds, kind, K_ARITY)
    scalars = field(kinds, kind, K_SCALARS)
    y = value_address(base + i, addresses, chunks, start * field(kinds, kind, K_ITEM_Y))
    a = value_address(load_i32(at + 4), addresses, chunks, 0 if scalars & 1 else start * field(kinds, kind, K_ITEM_A))
    b = 0
    c = 0
    if arity > 1:
        b = value_address(load_i32(at + 8), addresses, chunks, 0 if scalars & 2 else start * field(kinds, kind, K_ITEM_B))
    if arity > 2:
        c = value_address(load_i32(at - 8), addresses, chunks, 0 if scalars & 4 else start * field(kinds, kind, K_ITEM_C))
    call_forward(field(kinds, kind, K_FORWARD), n, y, a, b, c)


@inner
def forward_replayed(code: int, i: int, base: int, addresses: int, kinds: int, chunks: int) -> None:
    """Run instruction `base + i`, whose kernel takes an array of addresses."""
    kind = load_i32(code + i * 12)
    arity = field(kinds, kind, K_ARITY)
    pointers = np.empty(arity + 1, np.int64)
    pointers[0] = value_address(base + i, addresses, chunks, 0)
    for k in range(arity):
        pointers[k + 1] = value_address(operand_of(code, i, k), addresses, chunks, 0)
    call_forward(field(kinds, kind, K_FORWARD), field(kinds, kind, K_COUNT), pointers.ctypes.data, 0, 0, 0)


@inner
def forward_run(code: int, i: int, stop: int, n: int, first: int, addresses: int, kinds: int, chunks: int) -> None:
    """Compute the run of instructions i to stop over n elements, a block of elements after the other."""
    for j in range(i, stop):
        if field(kinds, load_i32(code + j * 12), K_CLASS) == REDUCTION:
            begin_sum(value_address(first + j, addresses, chunks, 0))
    streams = np.empty(32, np.int64)
    count = forward_streams(code, i, stop, first, addresses, kinds, chunks, streams) if n >= FAR_ELEMENTS else 0
    start = 0
    while start < n:
        size = min(BLOCK, n - start)
        prefetch_block(streams, count, start + BLOCK, min(BLOCK, n - start - size))
        for j in range(i, stop):
            kind = load_i32(code + j * 12)
            kind_class = field(kinds, kind, K_CLASS)
            if kind_class == ELEMENTWISE:
                forward_one(code, j, start, size, first, addresses, kinds, chunks)
            elif kind_class == REDUCTION:
                item = field(kinds, kind, K_ITEM_Y)
                a = value_address(load_i32(code + j * 12 + 4), addresses, chunks, start * item)
                add_block(field(kinds, kind, K_FORWARD), size, a, value_address(first + j, addresses, chunks, 0), item)
        start += size
    for j in range(i, stop):
        kind = load_i32(code + j * 12)
        if field(kinds, kind, K_CLASS) == REDUCTION:
            state = value_address(first + j, addresses, chunks, 0)
            finish_sum(state, field(kinds, kind, K_DIVISOR), field(kinds, kind, K_ITEM_Y))


@inner
def forward_range(code: int, first: int, begin: int, last: int, addresses: int, kinds: int, chunks: int) -> int:
    """Compute instructions begin to last of a batch whose code starts at instruction `first`; returns where it stopped.

    It stops before an instruction that Python itself executes (HOST), or at last.
    """
    i = begin - first
    end = last - first
    while i < end:
        kind = load_i32(code + i * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class in (ELEMENTWISE, REDUCTION):
            n = field(kinds, kind, K_COUNT)
            if n > 2 * BLOCK:
                stop = end_of_run(code, i, end, kinds)
                forward_run(code, i, stop, n, first, addresses, kinds, chunks)
                i = stop
                continue
            if kind_class == ELEMENTWISE:
                forward_one(code, i, 0, n, first, addresses, kinds, chunks)
            else:
                forward_run(code, i, i + 1, n, first, addresses, kinds, chunks)
        elif kind_class == HOST:
            return first + i
        elif kind_class == REPLAYED:
            forward_replayed(code, i, first, addresses, kinds, chunks)
        elif kind_class != ALIAS and kind_class != ARGUMENT:
            forward_one(code, i, 0, field(kinds, kind, K_COUNT), first, addresses, kinds, chunks)
        i += 1
    return last


@compiled(types.int64(*[types.int64] * 7))
def forward(code: int, first: int, begin: int, last: int, addresses: int, kinds: int, chunks: int) -> int:
    """`forward_range`, callable from Python."""
    return forward_range(code, first, begin, last, addresses, kinds, chunks)


@compiled(types.int64(*[types.int64] * 7))
def settle(code: int, first: int, last: int, addresses: int, kinds: int, chunks: int, chunk: int) -> int:
    """`settle_range`, callable from Python."""
    return settle_range(code, first, last, addresses, kinds, chunks, chunk)


@compiled(types.int64(*[types.int64] * 8))
def run_batch(code: int, first: int, last: int, addresses: int, kinds: int, chunks: int, chunk: int, room: int) -> int:
    """Place and compute instructions first to last in a chunk of `room` bytes; returns where it stopped as `forward` does.

    Where the chunk is too small, nothing is computed and the result is -1 - the bytes it takes; `settle` and `forward` must
    follow.
    """
    used = place(code, first, last, addresses, kinds)
    if used > room:
        return -1 - used
    settle_range(code, first, last, addresses, kinds, chunks, chunk)
    return forward_range(code, first, first, last, addresses, kinds, chunks)


@inner
def reach(operand: int, used: int, adjoints: int, chunks: int, kinds: int, code: int, touched: int, pass_number: int,
          run: int) -> int:
    """Give `operand` an adjoint if it has none yet; returns the bytes used so far. touched[0] counts the sources reached.

    An operand inside the run of long instructions that starts at `run` is only used there: one block of adjoint is enough for it.
    """
    if operand >= 0:
        if load_i64(adjoints + operand * 8) >= 0:
            return used
        place_at = adjoints + operand * 8
        kind = load_i32(code + operand * 12)
        if operand >= run:
            store_i64(place_at, used | ONE_BLOCK)
            return used + BLOCK * 8
        size = field(kinds, kind, K_BYTES)
    else:
        row = source_row(chunks, operand)
        if load_i64(row + S_WANTED * 8) == 0 or load_i64(row + S_PASS * 8) == pass_number:
            return used
        store_i64(row + S_PASS * 8, pass_number)
        count = load_i64(touched) + 1
        store_i64(touched, count)
        store_i64(touched + count * 8, -operand - 1)
        place_at = row + S_ADJOINT * 8
        size = load_i64(row + S_BYTES * 8)
    if size >= 64:
        used = (used + 63) & ~63
    store_i64(place_at, used)
    return used + size


@inner
def is_overwritten(operand: int, reader: int, clock: int, overwritten: int, chunks: int, code: int, kinds: int) -> bool:
    """Whether the value of `operand` was written in place after instruction `reader`, computed at `clock`, had read it.

    overwritten[k] is the number of instructions recorded before the value of instruction k was overwritten; 0 where it was not.
    A view is written where its operand is: it has the operand's memory, or a copy of what PyTorch would take from there.
    """
    while operand >= 0:
        if overwritten != 0 and load_i32(overwritten + operand * 4) > reader:
            return True
        if field(kinds, load_i32(code + operand * 12), K_SCALARS) & VIEW == 0:
            return False
        operand = load_i32(code + operand * 12 + 4)
    return load_i64(source_row(chunks, operand) + S_CLOCK * 8) > clock


@inner
def start_of_run(code: int, i: int, kinds: int) -> int:
    """The start of the run, as `end_of_run` has it, whose last instruction is i."""
    kind = load_i32(code + i * 12)
    count = field(kinds, kind, K_COUNT)
    is_reduced = field(kinds, kind, K_CLASS) == REDUCTION
    j = i
    while j > 0:
        kind = load_i32(code + (j - 1) * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class == REDUCTION:
            if not is_reduced or field(kinds, kind, K_COUNT) != count:
                break
        elif kind_class == ARGUMENT or (kind_class == ELEMENTWISE and field(kinds, kind, K_COUNT) == count):
            is_reduced = False
        else:
            break
        j -= 1
    return j


@inner
def is_long(kinds: int, kind: int) -> bool:
    """Whether instructions of a kind are taken in blocks."""
    kind_class = field(kinds, kind, K_CLASS)
    return kind_class in (ELEMENTWISE, REDUCTION) and field(kinds, kind, K_COUNT) > 2 * BLOCK


@inner
def plan_pass(code: int, top: int, count: int, frame: int, kinds: int, chunks: int, pass_number: int, clocks: int, batches: int,
              overwritten: int, consumed: int, adjoint_room: int, is_watched: int) -> int:
    """Find what a reverse sweep from instruction `top` down reaches, place the adjoints and, if they fit into `adjoint_room`
    bytes, zero those that are not written first by a kernel that can (FIRST).

    The frame holds addresses: offsets (out: byte offset of each instruction's adjoint, -1 where it is not reached), touched (in:
    number of seeds, seeds; out: number of sources reached, sources), adjoints; then results: bytes used, instructions that pass
    adjoints on and were not reached, 1 if a reverse kernel is missing, 1 if Python itself must propagate an instruction. clocks
    holds pairs (first instruction, clock), `batches` of them.
    Returns 0; or -2*i - 1 where instruction i was consumed by an earlier sweep, -2*i - 2 where a value that it saved was
    overwritten.
    """
    offsets = load_i64(frame + FRAME_OFFSETS * 8)
    touched = load_i64(frame + FRAME_TOUCHED * 8)
    for i in range(top):
        store_i64(offsets + i * 8, -1)
    used = 0
    for k in range(load_i64(touched)):
        seed = load_i64(touched + (k + 1) * 8)
        store_i64(offsets + seed * 8, used)
        used = (used + field(kinds, load_i32(code + seed * 12), K_BYTES) + 63) & ~63
    store_i64(touched, 0)
    clean = 0  # up to where the adjoints are zeroed, or need not be
    batch = batches - 1
    missed = 0
    lacking = 0
    hosted = 0
    run = top  # where the run of long instructions that the present one belongs to starts
    for i in range(top, count):
        missed += field(kinds, load_i32(code + i * 12), K_WANTED) != 0
    for i in range(top - 1, -1, -1):
        kind = load_i32(code + i * 12)
        wanted = field(kinds, kind, K_WANTED)
        if wanted == 0:
            continue
        if load_i64(offsets + i * 8) < 0:
            missed += 1
            continue
        while batch > 0 and load_i64(clocks + batch * 16) > i:
            batch -= 1
        in_blocks = is_watched == 0 and is_long(kinds, kind)
        if i < run or run == top:
            run = start_of_run(code, i, kinds) if in_blocks else i
        saves = field(kinds, kind, K_SAVES)
        if saves != 0 and consumed != 0 and load_u8(consumed + i) != 0:
            return -2 * i - 1
        clock = load_i64(clocks + batch * 16 + 8)
        if saves & 1 != 0 and is_overwritten(i, i, clock, overwritten, chunks, code, kinds):
            return -2 * i - 2
        kind_class = field(kinds, kind, K_CLASS)
        can_write = kind_class in (ELEMENTWISE, REDUCTION, ALIAS)
        for k in range(field(kinds, kind, K_ARITY)):
            operand = operand_of(code, i, k)
            bit = 1 << min(k, 60)
            if wanted & bit != 0:
                before = used
                used = reach(operand, used, offsets, chunks, kinds, code, touched, pass_number, run)
                if can_write and used != before and field(kinds, kind, K_SCALARS) & bit == 0:
                    store_i64(offsets + i * 8, load_i64(offsets + i * 8) | FIRST << k)
                    if used - before >= FIRST_BYTES:
                        if used <= adjoint_room:
                            zero(load_i64(frame + FRAME_ADJOINTS * 8) + clean, before - clean)
                        clean = used
            if (saves >> 1) & bit != 0 and is_overwritten(operand, i, clock, overwritten, chunks, code, kinds):
                return -2 * i - 2
        if kind_class == HOST:
            hosted = 1
        elif field(kinds, kind, K_REVERSE) == 0 or (field(kinds, kind, K_SAME) != 0 and field(kinds, kind, K_REVERSE_SAME) == 0):
            lacking = 1
    store_i64(frame + FRAME_USED * 8, used)
    store_i64(frame + FRAME_MISSED * 8, missed)
    store_i64(frame + FRAME_LACKING * 8, lacking)
    store_i64(frame + FRAME_HOSTED * 8, hosted)
    if used <= adjoint_room:
        zero(load_i64(frame + FRAME_ADJOINTS * 8) + clean, used - clean)
    return 0


@compiled(types.int64(*[types.int64] * 13))
def plan(code: int, top: int, count: int, frame: int, kinds: int, chunks: int, pass_number: int, clocks: int, batches: int,
         overwritten: int, consumed: int, adjoint_room: int, is_watched: int) -> int:
    """`plan_pass`, callable from Python."""
    return plan_pass(code, top, count, frame, kinds, chunks, pass_number, clocks, batches, overwritten, consumed, adjoint_room,
                     is_watched)


@compiled(types.int64(*[types.int64] * 4))
def first_outside(indices: int, count: int, classes: int, ignored: int) -> int:
    """The position of the first of `count` int64 numbers that is no class (0 to classes - 1) and not `ignored`; -1 if none is."""
    for k in range(count):
        index = load_i64(indices + 8 * k)
        if (index < 0 or index >= classes) and index != ignored:
            return k
    return -1


@inner
def is_among(number: int, sorted_numbers: int, count: int) -> bool:
    """Whether `number` is one of `count` sorted int64."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) // 2
        if load_i64(sorted_numbers + middle * 8) < number:
            low = middle + 1
        else:
            high = middle
    return low < count and load_i64(sorted_numbers + low * 8) == number


@compiled(types.int64(*[types.int64] * 6))
def lead(code: int, count: int, kinds: int, flags: int, sources: int, source_count: int) -> int:
    """Set bit 1 of the flag, a byte each, of every instruction that passes an adjoint on to one of some sources, given sorted, or
    to an instruction whose flag is not 0.
    """
    for i in range(count):
        kind = load_i32(code + i * 12)
        wanted = field(kinds, kind, K_WANTED)
        if wanted == 0:
            continue
        for k in range(field(kinds, kind, K_ARITY)):
            if wanted & (1 << min(k, 60)) == 0:
                continue
            operand = operand_of(code, i, k)
            if load_u8(flags + operand) != 0 if operand >= 0 else is_among(-operand - 1, sources, source_count):
                store_u8(flags + i, types.uint8(load_u8(flags + i) | 2))
                break
    return 0


@inner
def adjoint_address(operand: int, adjoints: int, chunks: int, base: int, skip: int) -> int:
    """Where the adjoint of an operand that was reached lies, `skip` bytes on.

    An adjoint of one block serves all blocks in turn.
    """
    if operand >= 0:
        offset = load_i64(adjoints + operand * 8)
        return base + (offset & OFFSET) + (0 if offset & ONE_BLOCK else skip)
    return base + load_i64(source_row(chunks, operand) + S_ADJOINT * 8) + skip


@inner
def spread(kernel: int, n: int, y_bar: int, divisor: int, item: int, a_bar: int, is_first: bool) -> None:
    """Add the adjoint of a sum over all elements to the adjoints of n of them, or write it; uses the third word of the former."""
    if item == 8:
        store_f64(y_bar + 16, load_f64(y_bar) / divisor)
    else:
        store_f32(y_bar + 16, load_f32(y_bar) / divisor)
    if not is_first:
        call_forward(kernel, n, a_bar, a_bar, y_bar + 16, 0)
    elif item == 8:
        part = load_f64(y_bar + 16)
        for j in range(n):
            store_f64(a_bar + j * 8, part)
    else:
        part32 = load_f32(y_bar + 16)
        for j in range(n):
            store_f32(a_bar + j * 4, part32)


@inner
def adjoint_place(operand: int, adjoints: int, chunks: int) -> int:
    """Where the offset of an operand's adjoint stands."""
    if operand >= 0:
        return adjoints + operand * 8
    return source_row(chunks, operand) + S_ADJOINT * 8


@inner
def reverse_streams(code: int, low: int, high: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int,
                    streams: Any) -> int:
    """The streams of memory that the reverse pass over a run reads and writes."""
    count = 0
    for j in range(low, high + 1):
        if is_active(code, j, adjoints, kinds):
            kind = load_i32(code + j * 12)
            scalars = field(kinds, kind, K_SCALARS)
            wanted = field(kinds, kind, K_WANTED)
            saves = field(kinds, kind, K_SAVES)
            if saves & 1:
                count = add_stream(streams, count, value_address(j, addresses, chunks, 0), field(kinds, kind, K_ITEM_Y))
            for k in range(min(field(kinds, kind, K_ARITY), 3)):
                if scalars >> k & 1 == 0:
                    operand = operand_of(code, j, k)
                    item = field(kinds, kind, K_ITEM_A + k)
                    if saves >> (k + 1) & 1:
                        count = add_stream(streams, count, value_address(operand, addresses, chunks, 0), item)
                    if wanted >> k & 1:
                        place = load_i64(adjoint_place(operand, adjoints, chunks))
                        if place & ONE_BLOCK == 0 and load_i64(adjoints + j * 8) & FIRST << k == 0:
                            count = add_stream(streams, count, base + (place & OFFSET), item)
    return count


@inner
def reverse_one(code: int, i: int, start: int, n: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int) -> None:
    """Add what instruction i contributes to the adjoints of its operands, for the `n` elements from `start` on."""
    at = code + i * 12
    kind = load_i32(at)
    kernel = field(kinds, kind, K_REVERSE)
    first = load_i64(adjoints + i * 8) & FIRST_MASK
    if field(kinds, kind, K_CLASS) == REDUCTION:
        spread(kernel, n, adjoint_address(i, adjoints, chunks, base, 0), field(kinds, kind, K_DIVISOR),
               field(kinds, kind, K_ITEM_Y),
               adjoint_address(load_i32(at + 4), adjoints, chunks, base, start * field(kinds, kind, K_ITEM_A)), first != 0)
        return
    arity = field(kinds, kind, K_ARITY)
    scalars = field(kinds, kind, K_SCALARS)
    wanted = field(kinds, kind, K_WANTED)
    skip = start * field(kinds, kind, K_ITEM_Y)
    y_bar = adjoint_address(i, adjoints, chunks, base, skip)
    y = value_address(i, addresses, chunks, skip)
    a = load_i32(at + 4)
    skip = 0 if scalars & 1 else start * field(kinds, kind, K_ITEM_A)
    a_value = value_address(a, addresses, chunks, skip)
    a_bar = adjoint_address(a, adjoints, chunks, base, skip) if wanted & 1 else 0
    b_value = 0
    b_bar = 0
    c_value = 0
    c_bar = 0
    if arity > 1:
        b = load_i32(at + 8)
        skip = 0 if scalars & 2 else start * field(kinds, kind, K_ITEM_B)
        b_value = value_address(b, addresses, chunks, skip)
        b_bar = adjoint_address(b, adjoints, chunks, base, skip) if wanted & 2 else 0
        if a == b and wanted & 3 == 3:
            kernel = field(kinds, kind, K_REVERSE_SAME)
    if arity > 2:
        c = load_i32(at - 8)
        skip = 0 if scalars & 4 else start * field(kinds, kind, K_ITEM_C)
        c_value = value_address(c, addresses, chunks, skip)
        c_bar = adjoint_address(c, adjoints, chunks, base, skip) if wanted & 4 else 0
    call_reverse(kernel, n | first, y_bar, y, a_value, b_value, c_value, a_bar, b_bar, c_bar)


@inner
def reverse_replayed(code: int, i: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int) -> None:
    """`reverse_one` for a kernel that takes an array of addresses."""
    kind = load_i32(code + i * 12)
    arity = field(kinds, kind, K_ARITY)
    wanted = field(kinds, kind, K_WANTED)
    pointers = np.empty(2 * arity + 2, np.int64)
    pointers[0] = adjoint_address(i, adjoints, chunks, base, 0)
    pointers[1] = value_address(i, addresses, chunks, 0)
    for k in range(arity):
        operand = operand_of(code, i, k)
        pointers[k + 2] = value_address(operand, addresses, chunks, 0)
        pointers[k + 2 + arity] = adjoint_address(operand, adjoints, chunks, base, 0) if wanted >> min(k, 60) & 1 else 0
    call_forward(field(kinds, kind, K_REVERSE), field(kinds, kind, K_COUNT), pointers.ctypes.data, 0, 0, 0)


@inner
def is_active(code: int, i: int, adjoints: int, kinds: int) -> bool:
    """Whether instruction i was reached and passes an adjoint on."""
    return load_i64(adjoints + i * 8) >= 0 and field(kinds, load_i32(code + i * 12), K_WANTED) != 0


@inner
def reverse_range(code: int, top: int, bottom: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int) -> int:
    """Propagate adjoints from instruction top - 1 down to bottom.

    Returns bottom, or i + 1 where Python itself must propagate i (HOST).
    """
    i = top - 1
    while i >= bottom:
        if not is_active(code, i, adjoints, kinds):
            i -= 1
            continue
        kind = load_i32(code + i * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class == HOST:
            return i + 1
        n = field(kinds, kind, K_COUNT)
        if not is_long(kinds, kind):
            if kind_class == REPLAYED:
                reverse_replayed(code, i, addresses, adjoints, base, kinds, chunks)
            else:
                reverse_one(code, i, 0, n, addresses, adjoints, base, kinds, chunks)
            i -= 1
            continue
        low = max(start_of_run(code, i, kinds), bottom)
        streams = np.empty(32, np.int64)
        count = reverse_streams(code, low, i, addresses, adjoints, base, kinds, chunks, streams) if n >= FAR_ELEMENTS else 0
        start = 0
        while start < n:
            size = min(BLOCK, n - start)
            prefetch_block(streams, count, start + BLOCK, min(BLOCK, n - start - size))
            for j in range(i, low - 1, -1):
                if is_active(code, j, adjoints, kinds):
                    reverse_one(code, j, start, size, addresses, adjoints, base, kinds, chunks)
            start += size
        i = low - 1
    return bottom


@compiled(types.int64(*[types.int64] * 8))
def reverse(code: int, top: int, bottom: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int) -> int:
    """`reverse_range`, callable from Python."""
    return reverse_range(code, top, bottom, addresses, adjoints, base, kinds, chunks)


@inner
def accumulate_touched(frame: int, chunks: int, capture: int) -> int:
    """Add the adjoints of scalar leaves to their gradient cells, unless `capture` is set; returns how many sources are left for
    Python.

    Those are in the frame's table `left`: pairs (source, byte offset of its adjoint).
    """
    touched = load_i64(frame + FRAME_TOUCHED * 8)
    base = load_i64(frame + FRAME_ADJOINTS * 8)
    left_at = load_i64(frame + FRAME_LEFT * 8)
    left = 0
    for k in range(1, load_i64(touched) + 1):
        index = load_i64(touched + k * 8)
        row = source_row(chunks, -index - 1)
        state = load_i64(row + S_STATE * 8)
        offset = load_i64(row + S_ADJOINT * 8)
        if capture != 0 or state == PYTHON:
            store_i64(left_at + left * 16, index)
            store_i64(left_at + left * 16 + 8, offset)
            left += 1
            continue
        cell = row + S_GRADIENT * 8
        if load_i64(row + S_ITEM * 8) == 8:
            gained = load_f64(base + offset)
            store_f64(cell, gained + load_f64(cell) if state == IN_CELL else gained)
        elif state == IN_CELL:
            store_f32(cell, load_f32(base + offset) + load_f32(cell))
        else:
            store_f32(cell, load_f32(base + offset))
        store_i64(row + S_STATE * 8, IN_CELL)
    return left


@compiled(types.int64(types.int64, types.int64, types.int64))
def accumulate(frame: int, chunks: int, capture: int) -> int:
    """`accumulate_touched`, callable from Python."""
    return accumulate_touched(frame, chunks, capture)


@compiled(types.int64(*[types.int64] * 13))
def whole_pass(code: int, slot: int, count: int, frame: int, kinds: int, chunks: int, pass_number: int, clocks: int, batches: int,
               overwritten: int, consumed: int, adjoint_room: int, addresses: int) -> int:
    """A reverse pass from one scalar slot with adjoint 1, as far as compiled code can do it alone: plan, seed, reverse,
    accumulate.

    Returns how many sources are left for Python; -1 where the pass must be done step by step from the beginning.
    """
    store_i64(load_i64(frame + FRAME_TOUCHED * 8), 1)
    store_i64(load_i64(frame + FRAME_TOUCHED * 8) + 8, slot)
    if plan_pass(code, slot + 1, count, frame, kinds, chunks, pass_number, clocks, batches, overwritten, consumed, adjoint_room,
                 0) < 0:
        return -1
    if (load_i64(frame + FRAME_LACKING * 8) != 0 or load_i64(frame + FRAME_HOSTED * 8) != 0
        or load_i64(frame + FRAME_USED * 8) > adjoint_room):
        return -1
    base = load_i64(frame + FRAME_ADJOINTS * 8)
    if field(kinds, load_i32(code + slot * 12), K_ITEM_Y) == 8:
        store_f64(base, 1.0)
    else:
        store_f32(base, 1.0)
    if reverse_range(code, slot + 1, 0, addresses, load_i64(frame + FRAME_OFFSETS * 8), base, kinds, chunks) != 0:
        return -1
    return accumulate_touched(frame, chunks, 0)
