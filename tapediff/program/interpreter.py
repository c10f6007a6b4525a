"""The interpreter: a compiled loop over the steps of a schedule, for blocks of rows, as many at a time as there are lanes."""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba import types

from tapediff.compiling import IS_COMPILED
from tapediff.kernels import uncompiled
from tapediff.kernels.options import compiled, compiled_holding, inner, instruction
from tapediff.program.layout import (
    A_BUFFER,
    A_CLASS,
    A_COUNT,
    A_EXPECTED,
    A_FIELDS,
    A_ITEM,
    A_KERNEL,
    A_REPEAT,
    A_STRIDES,
    A_WORDS,
    BOOL,
    CALL,
    CALL_ROWS,
    COPY,
    F_BUFFERS,
    F_FAILED,
    F_LANES,
    F_PARTIAL,
    F_POINTERS,
    F_ROW,
    F_ROWS,
    FILL,
    FLOAT32,
    FLOAT64,
    FORWARD2,
    FORWARD3,
    FORWARD_REPEATED,
    GUARD_INTEGER,
    GUARD_TRUTH,
    INT32,
    INT64,
    LOAD,
    REDUCE,
    REVERSE2,
    REVERSE3,
    REVERSE_REPEATED,
    STORE,
    SUM_LANES,
    TURN,
    ZERO,
)
from tapediff.sweeps import (
    call_forward,
    call_reverse,
    load_f32,
    load_f64,
    load_i32,
    load_i64,
    load_u8,
    store_f64,
    store_i32,
    store_i64,
    store_u8,
    zero,
)

__all__ = ["address_of_run", "run", "run_holding", "run_machine", "run_machine_holding", "run_rows"]

_I64 = ir.IntType(64)


@inner
def pointer(step: int, k: int, frame: int) -> int:
    """Pointer k of a step as an address."""
    word = load_i32(step + 4 + 4 * k)
    return load_i64(frame + (word & 3) * 8) + (word >> 2) * 8


@instruction(uncompiled.copy)
def copy(typing_context: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy `size` bytes between places that do not overlap."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        to, of = (builder.inttoptr(x, byte) for x in arguments[:2])
        function = builder.module.declare_intrinsic("llvm.memcpy", [byte, byte, ir.IntType(64)])
        builder.call(function, [to, of, arguments[2], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), emit


@inner
def move(target: int, source: int, item: int) -> None:
    """Copy one element."""
    if item == 8:
        store_i64(target, load_i64(source))
    elif item == 4:
        store_i32(target, load_i32(source))
    else:
        store_u8(target, load_u8(source))


def _transposition(item: int) -> Any:
    """Intrinsic `transpose(target, target_stride, source, source_stride)` of a square of a cache line's elements of `item` bytes.

    It is loaded as rows, whose halves are exchanged until rows are columns.
    """
    size = 64 // item
    row = ir.VectorType(ir.IntType(8 * item), size)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, target_stride, source, source_stride = arguments

        def at(base: Any, stride: Any, k: int) -> Any:
            return builder.inttoptr(builder.add(base, builder.mul(stride, ir.Constant(_I64, k))), row.as_pointer())

        rows = []
        for k in range(size):
            one = builder.load(at(source, source_stride, k))
            one.align = item
            rows.append(one)
        half = size // 2
        while half:
            low = [k if not k & half else size + k - half for k in range(size)]
            high = [k + half if not k & half else size + k for k in range(size)]
            masks = [ir.Constant(ir.VectorType(ir.IntType(32), size), mask) for mask in (low, high)]
            exchanged = list(rows)
            for k in range(size):
                if not k & half:
                    exchanged[k] = builder.shuffle_vector(rows[k], rows[k + half], masks[0])
                    exchanged[k + half] = builder.shuffle_vector(rows[k], rows[k + half], masks[1])
            rows = exchanged
            half //= 2
        for k, one in enumerate(rows):
            builder.store(one, at(target, target_stride, k)).align = item
        return context.get_dummy_value()

    @instruction(uncompiled.transpose(item))
    def transpose(typing_context: Any, target: Any, target_stride: Any, source: Any, source_stride: Any) -> Any:
        return types.void(types.int64, types.int64, types.int64, types.int64), emit

    return transpose


transpose_8 = _transposition(8)
transpose_4 = _transposition(4)


@inner
def transpose_range(target: int, across: int, along: int, source: int, rows: int, columns: int, down: int, right: int,
                    item: int) -> None:
    """Copy rows x columns elements: (i, j) from source + i * down + j * right to target + i * across + j * along.

    A cache line of each row at a time: rows whose distance is a power of two would evict each other. Squares are transposed in
    registers where elements lie beside each other on both sides.
    """
    size = 64 // item
    i = 0
    is_dense = item >= 4 and ((right == item and across == item) or (down == item and along == item))
    while i < rows:
        height = min(size, rows - i)
        for j in range(0, columns, size):
            width = min(size, columns - j)
            to = target + i * across + j * along
            of = source + i * down + j * right
            if is_dense and height == size and width == size:
                if right == item:
                    if item == 8:
                        transpose_8(to, along, of, down)
                    else:
                        transpose_4(to, along, of, down)
                elif item == 8:
                    transpose_8(to, across, of, right)
                else:
                    transpose_4(to, across, of, right)
                continue
            for k in range(height):
                for m in range(width):
                    move(to + k * across + m * along, of + k * down + m * right, item)
        i += height


@inner
def load_rows(value: int, count: int, item: int, buffer: int, frame: int) -> None:
    """Rows into lanes; behind the last row it is repeated."""
    source = load_i64(frame + F_BUFFERS * 8 + buffer * 24)
    stride = load_i64(frame + F_BUFFERS * 8 + buffer * 24 + 8)
    step = load_i64(frame + F_BUFFERS * 8 + buffer * 24 + 16)
    row = load_i64(frame + F_ROW * 8)
    lanes = load_i64(frame + F_LANES * 8)
    filled = min(lanes, load_i64(frame + F_ROWS * 8) - row)
    source += row * stride
    if lanes == 1 and step == item:
        copy(value, source, count * item)
        return
    if stride == item:  # rows lie beside each other
        for k in range(count):
            copy(value + k * lanes * item, source + k * step, filled * item)
    else:
        transpose_range(value, item, lanes * item, source, filled, count, stride, step, item)
    for k in range(count):
        for lane in range(filled, lanes):
            move(value + (k * lanes + lane) * item, source + (filled - 1) * stride + k * step, item)


@inner
def store_rows(value: int, count: int, item: int, buffer: int, frame: int) -> None:
    """Lanes into rows."""
    target = load_i64(frame + F_BUFFERS * 8 + buffer * 24)
    stride = load_i64(frame + F_BUFFERS * 8 + buffer * 24 + 8)
    row = load_i64(frame + F_ROW * 8)
    lanes = load_i64(frame + F_LANES * 8)
    filled = min(lanes, load_i64(frame + F_ROWS * 8) - row)
    target += row * stride
    if lanes == 1:
        copy(target, value, count * item)
    elif stride == item:
        copy(target, value, filled * item)
    else:
        transpose_range(target, stride, item, value, filled, count, item, lanes * item, item)


def _addition(element: Any, item: int) -> Any:
    """Intrinsic `add(target, source)`: SUM_LANES numbers added to as many float64."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, narrow = ir.VectorType(ir.DoubleType(), SUM_LANES), ir.VectorType(element, SUM_LANES)
        target = builder.inttoptr(arguments[0], wide.as_pointer())
        total, term = builder.load(target), builder.load(builder.inttoptr(arguments[1], narrow.as_pointer()))
        total.align, term.align = 8, item
        builder.store(builder.fadd(total, term if item == 8 else builder.fpext(term, wide)), target).align = 8
        return context.get_dummy_value()

    @instruction(uncompiled.addition(item, SUM_LANES))
    def add(typing_context: Any, target: Any, source: Any) -> Any:
        return types.void(types.int64, types.int64), emit

    return add


add_f64 = _addition(ir.DoubleType(), 8)
add_f32 = _addition(ir.FloatType(), 4)


@inner
def add_rows(value: int, count: int, item: int, offset: int, frame: int) -> None:
    """Add the lanes of rows that passed their guards to the partial sums, in the order of rows."""
    target = load_i64(frame + F_PARTIAL * 8) + offset
    row = load_i64(frame + F_ROW * 8)
    lanes = load_i64(frame + F_LANES * 8)
    filled = min(lanes, load_i64(frame + F_ROWS * 8) - row)
    failed = load_i64(frame + F_FAILED * 8)
    has_failed = False
    for lane in range(filled):
        has_failed = has_failed or load_i32(failed + (row + lane) * 4) != 0
    if not has_failed and row % SUM_LANES == 0 and filled == lanes and lanes % SUM_LANES == 0:
        for k in range(count):
            for lane in range(0, lanes, SUM_LANES):
                if item == 8:
                    add_f64(target + k * (SUM_LANES * 8), value + (k * lanes + lane) * 8)
                else:
                    add_f32(target + k * (SUM_LANES * 8), value + (k * lanes + lane) * 4)
        return
    for k in range(count):
        for lane in range(filled):
            if load_i32(failed + (row + lane) * 4) == 0:
                at = target + (k * SUM_LANES + (row + lane) % SUM_LANES) * 8
                if item == 8:
                    store_f64(at, load_f64(at) + load_f64(value + (k * lanes + lane) * 8))
                else:
                    store_f64(at, load_f64(at) + load_f32(value + (k * lanes + lane) * 4))


@inner
def is_true(value: int, kind: int) -> bool:
    """bool() of an element."""
    if kind == BOOL:
        return load_u8(value) != 0
    if kind == FLOAT64:
        return load_f64(value) != 0
    if kind == FLOAT32:
        return load_f32(value) != 0
    if kind == INT64:
        return load_i64(value) != 0
    return load_i32(value) != 0


@inner
def is_integer(value: int, kind: int, expected: int) -> bool:
    """Whether int() of an element is `expected`."""
    if kind == BOOL:
        return load_u8(value) == expected
    if kind == INT64:
        return load_i64(value) == expected
    if kind == INT32:
        return load_i32(value) == expected
    x = load_f64(value) if kind == FLOAT64 else float(load_f32(value))
    if not -9.2e18 < x < 9.2e18:
        return False
    return int(x) == expected


@inner
def is_same(value: int, expected: int, kind: int) -> bool:
    """Whether two elements are the same: equal in every bit, or both nan."""
    if kind == BOOL:
        return load_u8(value) == load_u8(expected)
    if kind == INT64:
        return load_i64(value) == load_i64(expected)
    if kind == INT32:
        return load_i32(value) == load_i32(expected)
    if kind == FLOAT64:
        return load_i64(value) == load_i64(expected) or (load_f64(value) != load_f64(value)
                                                         and load_f64(expected) != load_f64(expected))
    return load_i32(value) == load_i32(expected) or (load_f32(value) != load_f32(value)
                                                     and load_f32(expected) != load_f32(expected))


@inner
def check_guard(action: int, step: int, frame: int, action_class: int) -> None:
    """Mark the rows whose decision differs from the recorded one, unless an earlier guard failed."""
    value = pointer(step, 0, frame)
    kind = load_i64(action + A_ITEM * 8)
    expected = load_i64(action + A_EXPECTED * 8)
    number = load_i64(action + A_BUFFER * 8) + 1
    lanes = load_i64(frame + F_LANES * 8)
    row = load_i64(frame + F_ROW * 8)
    filled = min(lanes, load_i64(frame + F_ROWS * 8) - row)
    failed = load_i64(frame + F_FAILED * 8) + row * 4
    if action_class == GUARD_TRUTH:
        item = 1 if kind == BOOL else 8 if kind in (FLOAT64, INT64) else 4
        count = load_i64(action + A_COUNT * 8)
        total = count * lanes
        if kind == BOOL and total % 8 == 0:  # eight at a time: nearly always all hold
            wanted = 0x0101010101010101 if expected else 0
            at = 0
            while at < total and load_i64(value + at) == wanted:
                at += 8
            if at >= total:
                return
        for k in range(count):
            for lane in range(filled):
                if is_true(value + (k * lanes + lane) * item, kind) != (expected != 0) and load_i32(failed + lane * 4) == 0:
                    store_i32(failed + lane * 4, number)
        return
    item = 1 if kind == BOOL else 8 if kind in (FLOAT64, INT64) else 4
    if action_class == GUARD_INTEGER:
        for lane in range(filled):
            if not is_integer(value + lane * item, kind, expected) and load_i32(failed + lane * 4) == 0:
                store_i32(failed + lane * 4, number)
        return
    wanted = pointer(step, 1, frame)
    for k in range(load_i64(action + A_COUNT * 8)):
        for lane in range(filled):
            if load_i32(failed + lane * 4) == 0 and not is_same(value + (k * lanes + lane) * item, wanted + k * item, kind):
                store_i32(failed + lane * 4, number)


@inner
def do_repeated(action: int, step: int, frame: int, is_forward: bool) -> None:
    """Call a kernel several times with pointers that advance: one call for each element of an operand that lies in no lanes."""
    kernel = load_i64(action + A_KERNEL * 8)
    count = load_i64(action + A_COUNT * 8)
    strides = action + A_STRIDES * 8
    p0 = pointer(step, 0, frame)
    p1 = pointer(step, 1, frame)
    p2 = pointer(step, 2, frame)
    p3 = pointer(step, 3, frame)
    if is_forward:
        for _ in range(load_i64(action + A_REPEAT * 8)):
            call_forward(kernel, count, p0, p1, p2, p3)
            p0 += load_i64(strides)
            p1 += load_i64(strides + 8)
            p2 += load_i64(strides + 16)
            p3 += load_i64(strides + 24)
        return
    p4 = pointer(step, 4, frame)
    p5 = pointer(step, 5, frame)
    p6 = pointer(step, 6, frame)
    p7 = pointer(step, 7, frame)
    for _ in range(load_i64(action + A_REPEAT * 8)):
        call_reverse(kernel, count, p0, p1, p2, p3, p4, p5, p6, p7)
        p0 += load_i64(strides)
        p1 += load_i64(strides + 8)
        p2 += load_i64(strides + 16)
        p3 += load_i64(strides + 24)
        p4 += load_i64(strides + 32)
        p5 += load_i64(strides + 40)
        p6 += load_i64(strides + 48)
        p7 += load_i64(strides + 56)


@inner
def do_call(action: int, step: int, frame: int) -> None:
    """Call a kernel that finds the addresses of its values in memory."""
    pointers = load_i64(frame + F_POINTERS * 8)
    for k in range(load_i64(action + A_WORDS * 8) - 1):
        store_i64(pointers + 8 * k, pointer(step, k, frame))
    call_forward(load_i64(action + A_KERNEL * 8), load_i64(action + A_COUNT * 8), pointers, 0, 0, 0)


@inner
def turn(target: int, source: int, count: int, item: int, frame: int) -> None:
    """Copy a value in lanes so that the elements of each row lie beside each other."""
    lanes = load_i64(frame + F_LANES * 8)
    filled = min(lanes, load_i64(frame + F_ROWS * 8) - load_i64(frame + F_ROW * 8))
    transpose_range(target, count * item, item, source, filled, count, item, lanes * item, item)


@inner
def do_call_rows(action: int, step: int, frame: int) -> None:
    """Call a kernel for each row of the block, which writes the row of a buffer; the operands have strides from row to row."""
    kernel = load_i64(action + A_KERNEL * 8)
    parameters = load_i64(action + A_COUNT * 8)
    buffer = frame + F_BUFFERS * 8 + load_i64(action + A_BUFFER * 8) * 24
    pointers = load_i64(frame + F_POINTERS * 8)
    row = load_i64(frame + F_ROW * 8)
    filled = min(load_i64(frame + F_LANES * 8), load_i64(frame + F_ROWS * 8) - row)
    stride = load_i64(buffer + 8)
    target = load_i64(buffer) + row * stride
    a = pointer(step, 0, frame)
    b = pointer(step, 1, frame)
    for _ in range(filled):
        store_i64(pointers, target)
        store_i64(pointers + 8, a)
        store_i64(pointers + 16, b)
        call_forward(kernel, parameters, pointers, 0, 0, 0)
        target += stride
        a += load_i64(action + A_STRIDES * 8)
        b += load_i64(action + A_STRIDES * 8 + 8)


@inner
def do_memory(action_class: int, action: int, step: int, frame: int) -> None:
    """Steps that move values and compute nothing."""
    count = load_i64(action + A_COUNT * 8)
    item = load_i64(action + A_ITEM * 8)
    target = pointer(step, 0, frame)
    if action_class == LOAD:
        load_rows(target, count, item, load_i64(action + A_BUFFER * 8), frame)
    elif action_class == STORE:
        store_rows(target, count, item, load_i64(action + A_BUFFER * 8), frame)
    elif action_class == REDUCE:
        add_rows(target, count, item, load_i64(action + A_BUFFER * 8), frame)
    elif action_class == FILL:
        bits = load_i64(action + A_EXPECTED * 8)
        for k in range(count):
            if item == 8:
                store_i64(target + k * 8, bits)
            else:
                store_i32(target + k * 4, bits)
    elif action_class == COPY:
        source = pointer(step, 1, frame)
        for k in range(count):
            move(target + k * item, source + k * item, item)
    elif action_class == TURN:
        turn(target, pointer(step, 1, frame), count, item, frame)
    else:
        source = pointer(step, 1, frame)
        lanes = load_i64(frame + F_LANES * 8)
        for k in range(count):
            for lane in range(lanes):
                move(target + (k * lanes + lane) * item, source + k * item, item)


@inner
def run_steps(code: int, at: int, end: int, actions: int, frame: int) -> int:
    """Run the steps from word `at` to word `end`; returns `end`, or the word of a HOST step, which is Python's to do."""
    while at < end:
        step = code + at * 4
        action = actions + load_i32(step) * (A_FIELDS * 8)
        action_class = load_i64(action + A_CLASS * 8)
        if action_class == FORWARD2:
            call_forward(load_i64(action + A_KERNEL * 8), load_i64(action + A_COUNT * 8), pointer(step, 0, frame),
                         pointer(step, 1, frame), pointer(step, 2, frame), 0)
        elif action_class == REVERSE2:
            call_reverse(load_i64(action + A_KERNEL * 8), load_i64(action + A_COUNT * 8), pointer(step, 0, frame),
                         pointer(step, 1, frame), pointer(step, 2, frame), pointer(step, 3, frame), 0, pointer(step, 4, frame),
                         pointer(step, 5, frame), 0)
        elif action_class == ZERO:
            zero(pointer(step, 0, frame), load_i64(action + A_COUNT * 8))
        elif action_class == FORWARD3:
            call_forward(load_i64(action + A_KERNEL * 8), load_i64(action + A_COUNT * 8), pointer(step, 0, frame),
                         pointer(step, 1, frame), pointer(step, 2, frame), pointer(step, 3, frame))
        elif action_class == REVERSE3:
            call_reverse(load_i64(action + A_KERNEL * 8), load_i64(action + A_COUNT * 8), pointer(step, 0, frame),
                         pointer(step, 1, frame), pointer(step, 2, frame), pointer(step, 3, frame), pointer(step, 4, frame),
                         pointer(step, 5, frame), pointer(step, 6, frame), pointer(step, 7, frame))
        elif action_class == CALL:
            do_call(action, step, frame)
        elif action_class == CALL_ROWS:
            do_call_rows(action, step, frame)
        elif action_class in (FORWARD_REPEATED, REVERSE_REPEATED):
            do_repeated(action, step, frame, action_class == FORWARD_REPEATED)
        elif action_class >= GUARD_TRUTH:
            check_guard(action, step, frame, action_class)
            if load_i64(frame + F_LANES * 8) == 1 and load_i32(load_i64(frame + F_FAILED * 8)) != 0:
                return end  # what comes now may rely on what was guarded, as an index on its range
        elif action_class >= LOAD:
            do_memory(action_class, action, step, frame)
        else:
            return at
        at += load_i64(action + A_WORDS * 8)
    return end


@compiled(types.int64(*[types.int64] * 5))
def run(code: int, at: int, end: int, actions: int, frame: int) -> int:
    """`run_steps`, callable from Python."""
    return run_steps(code, at, end, actions, frame)


@functools.cache
def address_of_run() -> int:
    """`run` as a C function of five words, for a compiled tape that leaves steps to it; 0 where nothing is compiled."""
    if not IS_COMPILED:
        return 0
    result = run.overloads[(types.int64,) * 5]
    found: int = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
    return found


@compiled_holding(types.int64(*[types.int64] * 5))
def run_holding(code: int, at: int, end: int, actions: int, frame: int) -> int:
    """`run` without letting other Python threads run meanwhile."""
    return run_steps(code, at, end, actions, frame)


@compiled(types.int64(*[types.int64] * 7))
def run_rows(code: int, end: int, actions: int, frame: int, first: int, last: int, lanes: int) -> int:
    """Run all steps over the rows from `first` to `last`, `lanes` at a time; there must be no HOST step."""
    row = first
    while row < last:
        store_i64(frame + F_ROW * 8, row)
        run_steps(code, 0, end, actions, frame)
        row += lanes
    return last


@instruction(uncompiled.call)
def call_machine(typing_context: Any, address: Any, frame: Any, first: Any, last: Any) -> Any:
    """Call the machine code of a compiled tape."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function_type = ir.FunctionType(ir.VoidType(), [_I64] * 3)
        builder.call(builder.inttoptr(arguments[0], function_type.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64, types.int64), emit


@compiled(types.int64(*[types.int64] * 4))
def run_machine(address: int, frame: int, first: int, last: int) -> int:
    """Run a compiled tape over the rows from `first` to `last`, a whole number of blocks."""
    call_machine(address, frame, first, last)
    return last


@compiled_holding(types.int64(*[types.int64] * 4))
def run_machine_holding(address: int, frame: int, first: int, last: int) -> int:
    """`run_machine` without letting other Python threads run meanwhile."""
    call_machine(address, frame, first, last)
    return last
