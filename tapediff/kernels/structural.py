"""Compiled kernels of structural ops, for the ops that everybody's inner loop contains; the others are NumPy's.

A kernel takes the address of its parameters (int64) where an element-wise kernel takes the number of elements. It is compiled
when first used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.extending import get_cython_function_address, intrinsic

from tapediff.kernels.library import KernelSpec, get_library
from tapediff.kernels.pointers import address_at, call_function, moved
from tapediff.shapes import contiguous_strides, folded_extents
from tapediff.tape.kinds import Kind

__all__ = ["KERNELS", "StructuralKernel"]

_FLOATS = {"float64": types.float64, "float32": types.float32}
_WORDS = {8: types.uint64, 4: types.uint32, 1: types.uint8}
_OPTIONS: dict[str, Any] = {"nopython": True, "cache": True, "error_model": "numpy"}


class StructuralKernel(NamedTuple):
    """One compiled op.

    parameters  Kind -> int64 array that the kernels read
    forward     Kind -> address
    reverse     Kind -> address
    """

    parameters: Callable[[Kind], np.ndarray[Any, Any]]
    forward: Callable[[Kind], int]
    reverse: Callable[[Kind], int]


def _signature(kind: str, element: Any) -> Any:
    pointer = types.CPointer(element)
    return types.void(types.CPointer(types.int64), *[pointer] * (4 if kind == "forward" else 8))


def _compiled(kind: str, element: Any, body: Callable[..., None]) -> int:
    found: int = cfunc(_signature(kind, element), **_OPTIONS)(body).address
    return found


# --- pointers -------------------------------------------------------------------------------------------------------------------

@intrinsic
def _as(typing_context: Any, pointer: Any, like: Any) -> Any:
    """A pointer as one of the type of another pointer."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(like))
    return like(pointer, like), emit


@intrinsic
def _is_null(typing_context: Any, pointer: Any) -> Any:
    """Whether a pointer is 0."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned("==", builder.ptrtoint(arguments[0], ir.IntType(64)), ir.Constant(ir.IntType(64), 0))
    return types.boolean(pointer), emit


# --- sums -----------------------------------------------------------------------------------------------------------------------

@intrinsic
def _add_sum(typing_context: Any, kernel: Any, n: Any, a: Any, total: Any) -> Any:
    """total[0] += the sum of a[:n], by the element-wise kernel that sums the adjoint of a scalar operand.

    It uses SIMD, always in the same order.
    """
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        function_type = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] + [byte] * 8)
        none = ir.Constant(byte, None)
        kernel_at, count, a_at, total_at = arguments
        builder.call(builder.inttoptr(kernel_at, function_type.as_pointer()),
                     [count, builder.bitcast(a_at, byte), none, none, none, none, none, builder.bitcast(total_at, byte), none])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, a, total), emit


@njit(error_model="numpy")
def _contiguous_sum(kernel: int, a_at: Any, count: int, total_at: Any) -> Any:
    """A sum whose error does not grow with its length: blocks of 512, their sums added with compensation (Neumaier 1974).

    Uses total_at[0]. The sweeps' sum over all elements has the same bits.
    """
    cell = carray(total_at, 1)
    cell[0] = 0
    if count <= 512:
        _add_sum(kernel, count, a_at, total_at)
        return cell[0]
    total = cell[0]
    lost = cell[0]
    for first in range(0, count, 512):
        cell[0] = 0
        _add_sum(kernel, min(512, count - first), moved(a_at, first), total_at)
        part = cell[0]
        new = total + part
        if abs(total) >= abs(part):
            lost += (total - new) + part
        else:
            lost += (part - new) + total
        total = new
    if lost == lost:
        return total + lost
    return total


def _sum_kernel(dtype: str) -> int:
    """The address of the kernel behind `_add_sum`: the adjoint of b in a + b, where b is one element."""
    return get_library().addresses([KernelSpec("add", "reverse", (dtype, dtype), dtype, scalars=2, wanted=2)])[0]


@njit(error_model="numpy")
def _add_rows(a_at: Any, rows: int, columns: int, total_at: Any, scale: Any) -> None:
    """Add `scale` times the sum of the rows of a matrix to total_at[:columns]: 128 at a time, so that the error grows little."""
    total = carray(total_at, columns)
    part = np.empty(columns, total.dtype)
    for first in range(0, rows, 128):
        part[:] = 0
        for r in range(first, min(first + 128, rows)):
            row = carray(moved(a_at, r * columns), columns)  # an index that starts at 0 is vectorised
            for i in range(columns):
                part[i] += row[i]
        for i in range(columns):
            total[i] += scale * part[i]


def _sum_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    shape = carray(p, 5)
    outer, count, inner, divisor, kernel = shape[0], shape[1], shape[2], shape[3], shape[4]
    y = carray(y_at, outer * inner)
    if inner == 1:
        for o in range(outer):
            y[o] = _contiguous_sum(kernel, moved(a_at, o * count), count, moved(y_at, o)) / divisor
        return
    y[:] = 0
    for o in range(outer):
        _add_rows(moved(a_at, o * count * inner), count, inner, moved(y_at, o * inner), y.dtype.type(1))
    for i in range(outer * inner):
        y[i] /= divisor


def _sum_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                 c_bar_at: Any) -> None:
    shape = carray(p, 4)
    outer, count, inner, divisor = shape[0], shape[1], shape[2], shape[3]
    y_bar = carray(y_bar_at, outer * inner)
    a_bar = carray(a_bar_at, outer * count * inner)
    if inner == 1:
        for o in range(outer):
            part = y_bar[o] / divisor
            for k in range(o * count, (o + 1) * count):
                a_bar[k] += part
        return
    for o in range(outer):
        for r in range(count):
            start = (o * count + r) * inner
            for i in range(inner):
                a_bar[start + i] += y_bar[o * inner + i] / divisor


@functools.cache
def _sum_address(kind: str, dtype: str) -> int:
    return _compiled(kind, _FLOATS[dtype], _sum_forward if kind == "forward" else _sum_reverse)


def _extents(kind: Kind, dims: tuple[int, ...]) -> tuple[int, int, int]:
    folded = folded_extents(kind.operands[0].shape, dims)
    assert folded is not None  # the others have no kind with a kernel
    return folded


def _sum_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    outer, count, inner = _extents(kind, kind.attributes[0])
    return np.array([outer, count, inner, count if kind.row.kernel == "mean" else 1, _sum_kernel(kind.spec.dtype.name)], np.int64)


# --- views ----------------------------------------------------------------------------------------------------------------------

_TILE = 16  # rows and columns of a tile: what a transposition reads of a column lies in the cache when its neighbours are read


def _view_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """offset, elements of the operand, number of dimensions, (size, stride) of each, neighbours merged where one stride serves
    both.

    The sum kernel.
    """
    shape, strides, offset = kind.attributes
    dims: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if dims and dims[-1][1] == size * stride:
            dims[-1] = (dims[-1][0] * size, stride)
        else:
            dims.append((size, stride))
    if not dims:
        dims = [(1, 1)]
    sums = kind.wanted and any(stride == 0 for _, stride in dims)
    return np.array([offset, kind.operands[0].size, len(dims), *[number for dim in dims for number in dim],
                     _sum_kernel(kind.spec.dtype.name) if sums else 0], np.int64)


@njit
def _rows_of_view(p: Any) -> int:
    """In how many runs of one stride a view reads its operand."""
    ndim = carray(p, 3)[2]
    q = carray(p, 3 + 2 * ndim)
    rows = 1
    for d in range(ndim - 1):
        rows *= q[3 + 2 * d]
    return rows


@njit
def _start_of_row(p: Any, row: int) -> int:
    """Where in its operand a run of a view starts."""
    ndim = carray(p, 3)[2]
    q = carray(p, 3 + 2 * ndim)
    start = q[0]
    for d in range(ndim - 2, -1, -1):
        start += row % q[3 + 2 * d] * q[4 + 2 * d]
        row //= q[3 + 2 * d]
    return start


@njit
def _columns_of_view(p: Any) -> int:
    """How many rows of a view start at neighbours, so that it transposes a matrix of as many columns; 0 where it does not."""
    ndim = carray(p, 3)[2]
    q = carray(p, 3 + 2 * ndim)
    return q[2 * ndim - 1] if ndim > 1 and q[2 * ndim] == 1 and q[2 + 2 * ndim] > 1 else 0


def _view_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    last = 1 + 2 * carray(p, 3)[2]
    size, stride = carray(p, last + 2)[last], carray(p, last + 2)[last + 1]
    columns = _columns_of_view(p)
    if columns:
        for row in range(0, _rows_of_view(p), columns):
            start = _start_of_row(p, row)
            for first in range(0, columns, _TILE):
                for low in range(0, size, _TILE):
                    for i in range(first, min(first + _TILE, columns)):
                        a = carray(moved(a_at, start + i), 1)
                        y = carray(moved(y_at, (row + i) * size), size)
                        for k in range(low, min(low + _TILE, size)):
                            y[k] = a[k * stride]
        return
    for row in range(_rows_of_view(p)):
        a = carray(moved(a_at, _start_of_row(p, row)), 1)
        y = carray(moved(y_at, row * size), size)
        if stride == 1:
            for k in range(size):
                y[k] = a[k]
        elif stride == 0:
            y[:] = a[0]
        else:
            for k in range(size):
                y[k] = a[k * stride]


def _view_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                  c_bar_at: Any) -> None:
    last = 1 + 2 * carray(p, 3)[2]
    size, stride, kernel = carray(p, last + 3)[last], carray(p, last + 3)[last + 1], carray(p, last + 3)[last + 2]
    columns = _columns_of_view(p)
    if columns:
        for row in range(0, _rows_of_view(p), columns):
            start = _start_of_row(p, row)
            for first in range(0, columns, _TILE):
                for low in range(0, size, _TILE):
                    for i in range(first, min(first + _TILE, columns)):
                        a_bar = carray(moved(a_bar_at, start + i), 1)
                        y_bar = carray(moved(y_bar_at, (row + i) * size), size)
                        for k in range(low, min(low + _TILE, size)):
                            a_bar[k * stride] += y_bar[k]
        return
    for row in range(_rows_of_view(p)):
        a_bar_row = moved(a_bar_at, _start_of_row(p, row))
        y_bar_row = moved(y_bar_at, row * size)
        if stride == 0:
            _add_sum(kernel, size, y_bar_row, a_bar_row)
            continue
        a_bar = carray(a_bar_row, 1)
        y_bar = carray(y_bar_row, size)
        if stride == 1:
            for k in range(size):
                a_bar[k] += y_bar[k]
        else:
            for k in range(size):
                a_bar[k * stride] += y_bar[k]


@functools.cache
def _view_address(kind: str, element: Any) -> int:
    return _compiled(kind, element, _view_forward if kind == "forward" else _view_reverse)


# --- products -------------------------------------------------------------------------------------------------------------------
# BLAS comes from SciPy, whose matrices are column-major: the row-major product a @ b is there b' @ a'.

@intrinsic
def _gemm(typing_context: Any, function: Any, record: Any, alpha: Any, a: Any, b: Any, beta: Any, c: Any) -> Any:
    """Call dgemm or sgemm: `record` points to int32 numbers transa, transb, m, n, k, lda, ldb, ldc.

    Alpha and beta point to numbers.
    """
    signature = types.void(function, record, alpha, a, b, beta, c)

    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        address, record_at, alpha_at, a_at, b_at, beta_at, c_at = arguments
        base = builder.bitcast(record_at, byte)
        number = [builder.gep(base, [ir.Constant(ir.IntType(64), 4 * k)]) for k in range(8)]
        pointers = [builder.bitcast(x, byte) for x in (alpha_at, a_at, b_at, beta_at, c_at)]
        function_type = ir.FunctionType(ir.VoidType(), [byte] * 13)
        builder.call(builder.inttoptr(address, function_type.as_pointer()), [
            number[0], number[1], number[2], number[3], number[4], pointers[0], pointers[1], number[5], pointers[2], number[6],
            pointers[3], pointers[4], number[7]])
        return context.get_dummy_value()

    return signature, emit


def _product(x: tuple[int, ...], x_turned: bool, y: tuple[int, ...], y_turned: bool) -> list[int]:
    """The record of the row-major product of two matrices stored with shapes x and y, each turned or not.

    32-bit numbers in int64 words.
    """
    rows, inner, columns = x[x_turned], x[not x_turned], y[not y_turned]
    numbers = [ord("T" if y_turned else "N"), ord("T" if x_turned else "N"), columns, rows, inner, max(y[1], 1), max(x[1], 1),
               max(columns, 1)]
    return np.array(numbers, np.int32).view(np.int64).tolist()


def _products(a: tuple[int, ...], b: tuple[int, ...], turned: tuple[bool, bool]) -> list[int]:
    """The records of y = a b, of a_bar and of b_bar; the latter two each with a flag: is the adjoint the second factor."""
    left, right = turned
    y = (a[left], b[not right])
    a_bar = [1, *_product(b, right, y, True)] if left else [0, *_product(y, False, b, not right)]
    b_bar = [0, *_product(y, True, a, left)] if right else [1, *_product(a, not left, y, False)]
    return [*_product(a, left, b, right), *a_bar, *b_bar]


def _numbers(kind: Kind, *values: float) -> list[int]:
    """Numbers of the kind's dtype, one in each int64 word."""
    words = np.zeros(len(values), np.int64)
    words.view(kind.spec.dtype.numpy)[:: 8 // kind.spec.dtype.itemsize] = values
    return words.tolist()


def _gemm_address(kind: Kind) -> int:
    found: int = get_cython_function_address("scipy.linalg.cython_blas", "dgemm" if kind.spec.dtype.itemsize == 8 else "sgemm")
    return found


# where a product's parameters lie
_ONE, _ZERO, _ALPHA, _BETA = 1, 2, 3, 4
_STACKS, _STEP_A, _STEP_B, _STEP_Y = 5, 6, 7, 8
_ROWS, _COLUMNS, _INPUT_STACK, _INPUT_ROW, _INPUT_COLUMN = 9, 10, 11, 12, 13
_PRODUCT, _FIRST_ADJOINT, _SECOND_ADJOINT, _PRODUCT_WORDS = 14, 18, 23, 28


def _product_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Of ``beta * input + alpha * (a @ b)``, with or without input, of matrices or stacks of them: the address of gemm; 1, 0,
    alpha and beta; the number of matrices, and the elements from one to the next of a, b and y; rows and columns of y; the
    strides of the input; the records of the products.
    """
    shapes = [spec.shape for spec in kind.operands]
    alpha, beta, turned = 1, 0, kind.attributes
    if len(shapes) == 3:
        beta, alpha, turned = kind.attributes
    a, b = shapes[-2:]
    left, right = turned if isinstance(turned, tuple) else (bool(turned), False)
    a = a if len(a) > 1 else (1, *a)
    b = b if len(b) > 1 else (*b, 1)
    a, b = (1,) * (3 - len(a)) + a, (1,) * (3 - len(b)) + b
    stacks, rows, columns = max(a[0], b[0]), a[1 + left], b[2 - right]
    wide = (1,) * (3 - len(shapes[0])) + shapes[0]
    strides = [0 if size == 1 else stride for size, stride in zip(wide, contiguous_strides(wide), strict=True)]
    steps = [0 if a[0] == 1 else a[1] * a[2], 0 if b[0] == 1 else b[1] * b[2], rows * columns]
    return np.array([_gemm_address(kind), *_numbers(kind, 1, 0, alpha, beta), stacks, *steps, rows, columns, *strides,
                     *_products(a[1:], b[1:], (left, right))], np.int64)


@njit
def _add_adjoint_product(p: Any, at: int, y_bar: Any, other: Any, result: Any) -> None:
    """Add a product of an adjoint and a factor to another adjoint, by the flagged record at word `at`."""
    q = carray(p, _PRODUCT_WORDS)
    first, second = (y_bar, other) if q[at] == 1 else (other, y_bar)
    _gemm(q[0], moved(p, at + 1), moved(p, _ALPHA), first, second, moved(p, _ONE), result)


@njit
def _add_products(p: Any, y_at: Any, a_at: Any, b_at: Any, factor_of_y: int) -> None:
    """y times the number at word `factor_of_y`, plus alpha times the products of a and b."""
    q = carray(p, _PRODUCT_WORDS)
    for k in range(q[_STACKS]):
        _gemm(q[0], moved(p, _PRODUCT), moved(p, _ALPHA), moved(b_at, k * q[_STEP_B]), moved(a_at, k * q[_STEP_A]),
              moved(p, factor_of_y), moved(y_at, k * q[_STEP_Y]))


@njit
def _add_adjoints_of_factors(p: Any, y_bar_at: Any, a_at: Any, b_at: Any, a_bar_at: Any, b_bar_at: Any) -> None:
    """What the products of a and b give their adjoints, as far as those are wanted."""
    q = carray(p, _PRODUCT_WORDS)
    for k in range(q[_STACKS]):
        y_bar = moved(y_bar_at, k * q[_STEP_Y])
        if not _is_null(a_bar_at):
            _add_adjoint_product(p, _FIRST_ADJOINT, y_bar, moved(b_at, k * q[_STEP_B]), moved(a_bar_at, k * q[_STEP_A]))
        if not _is_null(b_bar_at):
            _add_adjoint_product(p, _SECOND_ADJOINT, y_bar, moved(a_at, k * q[_STEP_A]), moved(b_bar_at, k * q[_STEP_B]))


def _product_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    _add_products(p, y_at, a_at, b_at, _ZERO)


def _product_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                     c_bar_at: Any) -> None:
    _add_adjoints_of_factors(p, y_bar_at, a_at, b_at, a_bar_at, b_bar_at)


def _affine_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, _PRODUCT_WORDS)
    stacks, rows, columns, along = q[_STACKS], q[_ROWS], q[_COLUMNS], q[_INPUT_COLUMN]
    beta = carray(_as(moved(p, _BETA), y_at), 1)[0]
    for row in range(stacks * rows):
        y = carray(moved(y_at, row * columns), columns)
        a = carray(moved(a_at, row // rows * q[_INPUT_STACK] + row % rows * q[_INPUT_ROW]), columns)
        if beta == 0:  # what the input is does not matter then
            y[:] = beta
        elif along == 1:
            for j in range(columns):
                y[j] = beta * a[j]
        else:
            y[:] = beta * a[0]
    _add_products(p, y_at, b_at, c_at, _ONE)


def _affine_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                    c_bar_at: Any) -> None:
    q = carray(p, _PRODUCT_WORDS)
    stacks, rows, columns, along = q[_STACKS], q[_ROWS], q[_COLUMNS], q[_INPUT_COLUMN]
    if not _is_null(a_bar_at):
        beta = carray(_as(moved(p, _BETA), y_at), 1)[0]
        if q[_INPUT_STACK] == 0 and q[_INPUT_ROW] == 0 and along == 1:
            _add_rows(y_bar_at, stacks * rows, columns, a_bar_at, beta)
        else:
            for row in range(stacks * rows):
                y_bar = carray(moved(y_bar_at, row * columns), columns)
                a_bar = carray(moved(a_bar_at, row // rows * q[_INPUT_STACK] + row % rows * q[_INPUT_ROW]), columns)
                for j in range(columns):
                    a_bar[j * along] += beta * y_bar[j]
    _add_adjoints_of_factors(p, y_bar_at, b_at, c_at, b_bar_at, c_bar_at)


@functools.cache
def _plain_address(body: Callable[..., None], dtype: str) -> int:
    return _compiled("forward" if body.__name__.endswith("forward") else "reverse", _FLOATS[dtype], body)


def _plain_kernel(parameters: Callable[[Kind], np.ndarray[Any, Any]], forward: Callable[..., None],
                  reverse: Callable[..., None]) -> StructuralKernel:
    return StructuralKernel(parameters, lambda kind: _plain_address(forward, kind.spec.dtype.name),
                            lambda kind: _plain_address(reverse, kind.spec.dtype.name))


# --- extrema and scans ----------------------------------------------------------------------------------------------------------

def _extreme_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Outer, count and inner extent; 1 for the largest, -1 for the smallest; whether nans share the adjoint of a nan."""
    name = kind.row.name
    return np.array([*_extents(kind, kind.attributes[0]), 1 if name.endswith("max") else -1, name in ("max", "min")], np.int64)


@njit
def _is_beyond(value: Any, found: Any, sign: int) -> bool:
    """Whether a value takes the place of the extremum found so far: a nan does, and nothing takes a nan's."""
    return (value > found if sign > 0 else value < found) or value != value


def _extreme_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 5)
    outer, count, inner, sign = q[0], q[1], q[2], q[3]
    lanes = np.empty(32, carray(y_at, 1).dtype)
    for o in range(outer):
        first = moved(a_at, o * count * inner)
        if inner == 1 and count >= 64:  # 32 running extrema, so that they are compared side by side
            head = carray(first, 32)
            for k in range(32):
                lanes[k] = head[k]
            for r in range(32, count - 31, 32):
                a = carray(moved(first, r), 32)
                for k in range(32):
                    lanes[k] = a[k] if _is_beyond(a[k], lanes[k], sign) else lanes[k]
            found = lanes[0]
            for k in range(1, 32):
                if _is_beyond(lanes[k], found, sign):
                    found = lanes[k]
            rest = carray(first, count)
            for r in range(count - count % 32, count):
                if _is_beyond(rest[r], found, sign):
                    found = rest[r]
            carray(moved(y_at, o), 1)[0] = found
            continue
        y = carray(moved(y_at, o * inner), inner)
        y[:] = carray(first, inner)
        for r in range(1, count):
            a = carray(moved(first, r * inner), inner)
            for i in range(inner):
                y[i] = a[i] if _is_beyond(a[i], y[i], sign) else y[i]


@njit
def _is_shown(value: Any, found: Any, nans_share: bool) -> bool:
    """Whether an element is among those that are the extremum."""
    return value == found or (nans_share and value != value and found != found)


def _extreme_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                     c_bar_at: Any) -> None:
    q = carray(p, 5)
    outer, count, inner, nans_share = q[0], q[1], q[2], q[4] != 0
    shares = np.empty(inner, carray(y_at, 1).dtype)
    nothing = np.empty(inner, shares.dtype)
    for o in range(outer):
        if inner == 1:
            found, adjoint = carray(moved(y_at, o), 1)[0], carray(moved(y_bar_at, o), 1)[0]
            column = carray(moved(a_at, o * count), count)
            column_bar = carray(moved(a_bar_at, o * count), count)
            among = 0
            for r in range(count):
                among += 1 if _is_shown(column[r], found, nans_share) else 0
            number = shares.dtype.type(among)
            share, none = adjoint / number, 0 / number  # 0 / 0 is nan: where nothing equals a nan, all elements get it
            for r in range(count):
                column_bar[r] += share if _is_shown(column[r], found, nans_share) else none
            continue
        y = carray(moved(y_at, o * inner), inner)
        y_bar = carray(moved(y_bar_at, o * inner), inner)
        shares[:] = 0
        for r in range(count):
            a = carray(moved(a_at, (o * count + r) * inner), inner)
            for i in range(inner):
                shares[i] += 1 if _is_shown(a[i], y[i], nans_share) else 0
        for i in range(inner):
            nothing[i] = 0 / shares[i]
            shares[i] = y_bar[i] / shares[i]
        for r in range(count):
            a = carray(moved(a_at, (o * count + r) * inner), inner)
            a_bar = carray(moved(a_bar_at, (o * count + r) * inner), inner)
            for i in range(inner):
                a_bar[i] += shares[i] if _is_shown(a[i], y[i], nans_share) else nothing[i]


def _scan_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Outer, count and inner extent; whether the scan starts at the end."""
    dim, is_reversed = kind.attributes
    return np.array([*(_extents(kind, (dim,)) if kind.spec.ndim else (1, 1, 1)), is_reversed], np.int64)


@njit
def _add_sums(p: Any, is_reversed: bool, a_at: Any, y_at: Any) -> None:
    """Add to each y the sum of the elements up to it, in float64."""
    q = carray(p, 3)
    outer, count, inner = q[0], q[1], q[2]
    totals = np.empty(inner, np.float64)
    for o in range(outer):
        if inner == 1:
            column, sums = carray(moved(a_at, o * count), count), carray(moved(y_at, o * count), count)
            step = -1 if is_reversed else 1
            at = count - 1 if is_reversed else 0
            total = np.float64(column[at])
            for r in range(count):
                total = total + column[at] if r else total
                sums[at] += sums.dtype.type(total)
                at += step
            continue
        for r in range(count):
            at = (o * count + (count - 1 - r if is_reversed else r)) * inner
            a = carray(moved(a_at, at), inner)
            y = carray(moved(y_at, at), inner)
            for i in range(inner):
                totals[i] = totals[i] + a[i] if r else a[i]
                y[i] += y.dtype.type(totals[i])


def _cumsum_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 4)
    y = carray(y_at, q[0] * q[1] * q[2])
    y[:] = -0.0  # what added to -0 leaves it -0
    _add_sums(p, q[3] != 0, a_at, y_at)


def _cumsum_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                    c_bar_at: Any) -> None:
    _add_sums(p, carray(p, 4)[3] == 0, y_bar_at, a_bar_at)


# --- classification -------------------------------------------------------------------------------------------------------------

def _function_kernel(name: str, dtype: str) -> int:
    """The address of the kernel behind `call_function`."""
    return get_library().addresses([KernelSpec(name, "forward", (dtype,), dtype)])[0]


def _softmax_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Rows and columns; 1 for the logarithm; the kernels of exp, log and sum."""
    columns = kind.spec.shape[-1]
    dtype = kind.spec.dtype.name
    return np.array([kind.spec.size // columns, columns, kind.row.name == "log_softmax", _function_kernel("exp", dtype),
                     _function_kernel("log", dtype), _sum_kernel(dtype)], np.int64)


def _softmax_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 6)
    rows, columns, takes_log, exp, log, add = q[0], q[1], q[2], q[3], q[4], q[5]
    y = carray(y_at, rows * columns)
    together = max(min(1024 // columns, rows), 1)  # exp and log take many rows in one call: calls on ten elements are mostly call
    powers = np.empty(together * columns, y.dtype)
    totals = np.empty(2 * together, y.dtype)
    powers_at, totals_at = address_at(powers.ctypes.data, y_at), address_at(totals.ctypes.data, y_at)
    for first in range(0, rows, together):
        count = min(together, rows - first)
        for r in range(count):
            a = carray(moved(a_at, (first + r) * columns), columns)
            shifted = carray(moved(y_at, (first + r) * columns), columns)
            largest = a[0]
            for k in range(1, columns):
                largest = max(largest, a[k])
            for k in range(columns):
                shifted[k] = a[k] - largest
        call_function(exp, count * columns, powers_at, moved(y_at, first * columns))
        for r in range(count):
            totals[r] = _contiguous_sum(add, moved(powers_at, r * columns), columns, moved(totals_at, r))
        if takes_log:
            call_function(log, count, moved(totals_at, together), totals_at)
        for r in range(count):
            shifted = carray(moved(y_at, (first + r) * columns), columns)
            if takes_log:
                shift = totals[together + r]
                for k in range(columns):
                    shifted[k] -= shift
            else:
                total = totals[r]
                for k in range(columns):
                    shifted[k] = powers[r * columns + k] / total


def _softmax_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                     c_bar_at: Any) -> None:
    q = carray(p, 6)
    rows, columns, takes_log, exp, add = q[0], q[1], q[2], q[3], q[5]
    together = max(min(1024 // columns, rows), 1)
    cell = np.empty(1, carray(y_at, 1).dtype)
    powers = np.empty(together * columns, cell.dtype)
    cell_at, powers_at = address_at(cell.ctypes.data, y_at), address_at(powers.ctypes.data, y_at)
    for first in range(0, rows, together):
        count = min(together, rows - first)
        if takes_log:
            call_function(exp, count * columns, powers_at, moved(y_at, first * columns))
        for r in range(count):
            at = (first + r) * columns
            y_bar = carray(moved(y_bar_at, at), columns)
            y = carray(moved(y_at, at), columns)
            a_bar = carray(moved(a_bar_at, at), columns)
            power = carray(moved(powers_at, r * columns), columns)
            if takes_log:
                total = _contiguous_sum(add, moved(y_bar_at, at), columns, cell_at)
                for k in range(columns):
                    a_bar[k] += y_bar[k] - power[k] * total
            else:
                for k in range(columns):
                    power[k] = y_bar[k] * y[k]
                total = _contiguous_sum(add, moved(powers_at, r * columns), columns, cell_at)
                for k in range(columns):
                    a_bar[k] += y[k] * (y_bar[k] - total)


_REDUCTIONS = {"none": 0, "sum": 1, "mean": 2}


def _nll_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Rows and columns; the reduction; the ignored index."""
    reduction, ignored, (rows, columns) = kind.attributes
    return np.array([rows, columns, _REDUCTIONS[reduction], ignored], np.int64)


@njit
def _nll_scale(target: Any, rows: int, reduction: int, ignored: int) -> float:
    """What each sample's loss is divided by."""
    if reduction != 2:
        return 1.0
    counted = 0
    for row in range(rows):
        counted += target[row] != ignored
    return float(counted)


@njit
def _is_class(index: int, columns: int) -> bool:
    """Whether a class index may be used: a program replays on indices that its guards refuse only when it has run."""
    return 0 <= index < columns


def _nll_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 4)
    rows, columns, reduction, ignored = q[0], q[1], q[2], q[3]
    target = carray(_as(b_at, p), rows)
    a = carray(a_at, rows * columns)
    y = carray(y_at, rows)
    if reduction == 0:
        for row in range(rows):
            if target[row] == ignored:
                y[row] = 0
            else:
                y[row] = -a[row * columns + target[row]] if _is_class(target[row], columns) else np.nan
        return
    total = 0.0
    for row in range(rows):
        if target[row] != ignored:
            total -= a[row * columns + target[row]] if _is_class(target[row], columns) else np.nan
    y[0] = total / _nll_scale(target, rows, reduction, ignored)


def _nll_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                 c_bar_at: Any) -> None:
    q = carray(p, 4)
    rows, columns, reduction, ignored = q[0], q[1], q[2], q[3]
    target = carray(_as(b_at, p), rows)
    a_bar = carray(a_bar_at, rows * columns)
    y_bar = carray(y_bar_at, rows)
    scale = _nll_scale(target, rows, reduction, ignored)
    for row in range(rows):
        if target[row] != ignored and _is_class(target[row], columns):
            a_bar[row * columns + target[row]] -= y_bar[row if reduction == 0 else 0] / scale


KERNELS: dict[str, StructuralKernel] = {
    "sum": StructuralKernel(_sum_parameters, lambda kind: _sum_address("forward", kind.spec.dtype.name),
                            lambda kind: _sum_address("reverse", kind.spec.dtype.name)),
    "strided": StructuralKernel(_view_parameters, lambda kind: _view_address("forward", _WORDS[kind.spec.dtype.itemsize]),
                                lambda kind: _view_address("reverse", _FLOATS[kind.spec.dtype.name])),
    "product": _plain_kernel(_product_parameters, _product_forward, _product_reverse),
    "affine": _plain_kernel(_product_parameters, _affine_forward, _affine_reverse),
    "extreme": _plain_kernel(_extreme_parameters, _extreme_forward, _extreme_reverse),
    "cumsum": _plain_kernel(_scan_parameters, _cumsum_forward, _cumsum_reverse),
    "softmax": _plain_kernel(_softmax_parameters, _softmax_forward, _softmax_reverse),
    "nll_loss": _plain_kernel(_nll_parameters, _nll_forward, _nll_reverse),
}
KERNELS["mean"] = KERNELS["sum"]

