"""The compiled sweeps over a tape: place, forward, plan, reverse.

Addresses are int64. An operand is an instruction's number (0, 1, ...) or a source (-1, -2, ...: source -operand - 1).
Code is three int32 per instruction: kind, a, b. The third operand of an instruction is operand a of the ARGUMENT instruction
before it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tapediff.kernels.options import compiled, inner
from tapediff.tape.layout import (
    ALIAS,
    ARGUMENT,
    BLOCK,
    CHUNK_ROWS,
    CHUNK_SHIFT,
    ELEMENTWISE,
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
    ONE_BLOCK,
    PYTHON,
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

__all__ = ["accumulate", "address", "clear", "forward", "lead", "plan", "reverse", "run_batch", "settle", "whole_pass"]

_I64 = ir.IntType(64)


def _memory_access(ir_type: Any, numba_type: Any) -> tuple[Any, Any]:
    """Intrinsics `load(address)` and `store(address, value)` for one element type."""

    @intrinsic
    def load(typing_context: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], ir_type.as_pointer()))
        return numba_type(types.int64), emit

    @intrinsic
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
        @intrinsic
        def call(typing_context: Any, address: Any, n: Any, y: Any, a: Any, b: Any, c: Any) -> Any:
            return numba_signature, emit
    else:
        @intrinsic
        def call(typing_context: Any, address: Any, n: Any, y_bar: Any, y: Any, a: Any, b: Any, c: Any, a_bar: Any, b_bar: Any,
                 c_bar: Any) -> Any:
            return numba_signature, emit
    return call


@intrinsic
def zero(typing_context: Any, address: Any, size: Any) -> Any:
    """Zero `size` bytes."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        function = builder.module.declare_intrinsic("llvm.memset", [pointer.type, _I64])
        builder.call(function, [pointer, ir.Constant(ir.IntType(8), 0), arguments[1], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), emit


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
def place(code: int, first: int, last: int, addresses: int, kinds: int, chunks: int) -> int:
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
def end_of_run(code: int, i: int, last: int, kinds: int) -> int:
    """The end of the run of element-wise instructions over the same long size that starts at instruction i of `code`."""
    count = field(kinds, load_i32(code + i * 12), K_COUNT)
    j = i
    while j < last:
        kind = load_i32(code + j * 12)
        if field(kinds, kind, K_CLASS) == ARGUMENT or (field(kinds, kind, K_CLASS) == ELEMENTWISE
                                                       and field(kinds, kind, K_COUNT) == count):
            j += 1
        else:
            break
    return j


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
def forward_range(code: int, first: int, begin: int, last: int, addresses: int, kinds: int, chunks: int) -> int:
    """Compute instructions begin to last of a batch whose code starts at instruction `first`; returns where it stopped.

    It stops before an instruction that Python itself executes (HOST), or at last.
    """
    i = begin - first
    end = last - first
    while i < end:
        kind = load_i32(code + i * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class == ELEMENTWISE:
            n = field(kinds, kind, K_COUNT)
            if n <= 2 * BLOCK:
                forward_one(code, i, 0, n, first, addresses, kinds, chunks)
                i += 1
            else:
                stop = end_of_run(code, i, end, kinds)
                start = 0
                while start < n:
                    size = min(BLOCK, n - start)
                    for j in range(i, stop):
                        if field(kinds, load_i32(code + j * 12), K_CLASS) == ELEMENTWISE:
                            forward_one(code, j, start, size, first, addresses, kinds, chunks)
                    start += size
                i = stop
        elif kind_class == HOST:
            return first + i
        else:
            if kind_class != ALIAS and kind_class != ARGUMENT:
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
    used = place(code, first, last, addresses, kinds, chunks)
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
            return used + BLOCK * 8 + 704  # not a multiple of 4096: see place_large
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
def operand_of(code: int, i: int, k: int) -> int:
    """Operand k of instruction i: two stand in the instruction, two more in each ARGUMENT instruction before it."""
    return load_i32(code + (i - k // 2) * 12 + 4 + k % 2 * 4)


@inner
def start_of_run(code: int, i: int, kinds: int) -> int:
    """The start of the run of element-wise instructions over the same long size that ends with instruction i."""
    count = field(kinds, load_i32(code + i * 12), K_COUNT)
    j = i
    while j > 0:
        kind = load_i32(code + (j - 1) * 12)
        kind_class = field(kinds, kind, K_CLASS)
        if kind_class != ARGUMENT and (kind_class != ELEMENTWISE or field(kinds, kind, K_COUNT) != count):
            break
        j -= 1
    return j


@inner
def plan_pass(code: int, top: int, count: int, frame: int, kinds: int, chunks: int, pass_number: int, clocks: int, batches: int,
              overwritten: int, consumed: int, adjoint_room: int, is_watched: int) -> int:
    """Find what a reverse sweep from instruction `top` down reaches, place the adjoints and, if they fit into `adjoint_room`
    bytes, zero them.

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
        if i < run or run == top:
            is_long = is_watched == 0 and field(kinds, kind, K_CLASS) == ELEMENTWISE and field(kinds, kind, K_COUNT) > 2 * BLOCK
            run = start_of_run(code, i, kinds) if is_long else i
        saves = field(kinds, kind, K_SAVES)
        if saves != 0 and consumed != 0 and load_u8(consumed + i) != 0:
            return -2 * i - 1
        clock = load_i64(clocks + batch * 16 + 8)
        if saves & 1 != 0 and is_overwritten(i, i, clock, overwritten, chunks, code, kinds):
            return -2 * i - 2
        for k in range(field(kinds, kind, K_ARITY)):
            operand = operand_of(code, i, k)
            bit = 1 << min(k, 60)
            if wanted & bit != 0:
                used = reach(operand, used, offsets, chunks, kinds, code, touched, pass_number, run)
            if (saves >> 1) & bit != 0 and is_overwritten(operand, i, clock, overwritten, chunks, code, kinds):
                return -2 * i - 2
        if field(kinds, kind, K_CLASS) == HOST:
            hosted = 1
        elif field(kinds, kind, K_REVERSE) == 0 or (field(kinds, kind, K_SAME) != 0 and field(kinds, kind, K_REVERSE_SAME) == 0):
            lacking = 1
    store_i64(frame + FRAME_USED * 8, used)
    store_i64(frame + FRAME_MISSED * 8, missed)
    store_i64(frame + FRAME_LACKING * 8, lacking)
    store_i64(frame + FRAME_HOSTED * 8, hosted)
    if used <= adjoint_room:
        zero(load_i64(frame + FRAME_ADJOINTS * 8), used)
    return 0


@compiled(types.int64(*[types.int64] * 13))
def plan(code: int, top: int, count: int, frame: int, kinds: int, chunks: int, pass_number: int, clocks: int, batches: int,
         overwritten: int, consumed: int, adjoint_room: int, is_watched: int) -> int:
    """`plan_pass`, callable from Python."""
    return plan_pass(code, top, count, frame, kinds, chunks, pass_number, clocks, batches, overwritten, consumed, adjoint_room,
                     is_watched)


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


@compiled(types.int64(types.int64, types.int64))
def clear(address: int, size: int) -> int:
    """Zero `size` bytes, a multiple of 8."""
    zero(address, size)
    return 0


@inner
def adjoint_address(operand: int, adjoints: int, chunks: int, base: int, skip: int) -> int:
    """Where the adjoint of an operand that was reached lies, `skip` bytes on.

    An adjoint of one block serves all blocks in turn.
    """
    if operand >= 0:
        offset = load_i64(adjoints + operand * 8)
        return base + (offset & ~ONE_BLOCK) if offset & ONE_BLOCK else base + offset + skip
    return base + load_i64(source_row(chunks, operand) + S_ADJOINT * 8) + skip


@inner
def reverse_one(code: int, i: int, start: int, n: int, addresses: int, adjoints: int, base: int, kinds: int, chunks: int) -> None:
    """Add what instruction i contributes to the adjoints of its operands, for the `n` elements from `start` on."""
    at = code + i * 12
    kind = load_i32(at)
    arity = field(kinds, kind, K_ARITY)
    scalars = field(kinds, kind, K_SCALARS)
    wanted = field(kinds, kind, K_WANTED)
    kernel = field(kinds, kind, K_REVERSE)
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
    call_reverse(kernel, n, y_bar, y, a_value, b_value, c_value, a_bar, b_bar, c_bar)


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
        if kind_class != ELEMENTWISE or n <= 2 * BLOCK:
            reverse_one(code, i, 0, n, addresses, adjoints, base, kinds, chunks)
            i -= 1
            continue
        low = max(start_of_run(code, i, kinds), bottom)
        start = 0
        while start < n:
            size = min(BLOCK, n - start)
            for j in range(low, i):
                offset = load_i64(adjoints + j * 8)
                if offset >= 0 and offset & ONE_BLOCK:
                    zero(base + (offset & ~ONE_BLOCK), BLOCK * 8)
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
            store_f64(cell, load_f64(base + offset) + (load_f64(cell) if state == IN_CELL else 0.0))
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
