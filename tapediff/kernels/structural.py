"""Compiled kernels of structural ops, for the ops that everybody's inner loop contains; the others are NumPy's.

A kernel takes the address of its parameters (int64) where an element-wise kernel takes the number of elements. It is compiled
when first used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.extending import get_cython_function_address, intrinsic

from tapediff.kernels.library import KernelSpec, get_library
from tapediff.shapes import folded_extents
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
def _shifted(typing_context: Any, pointer: Any, words: Any) -> Any:
    """A pointer moved by a number of elements."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])
    return pointer(pointer, types.int64), emit


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
    """A sum whose error does not grow with its length: blocks of 1024, their sums added with compensation (Neumaier 1974).

    Uses total_at[0].
    """
    cell = carray(total_at, 1)
    cell[0] = 0
    if count <= 1024:
        _add_sum(kernel, count, a_at, total_at)
        return cell[0]
    total = cell[0]
    lost = cell[0]
    for first in range(0, count, 1024):
        cell[0] = 0
        _add_sum(kernel, min(1024, count - first), _shifted(a_at, first), total_at)
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


def _sum_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    shape = carray(p, 5)
    outer, count, inner, divisor, kernel = shape[0], shape[1], shape[2], shape[3], shape[4]
    y = carray(y_at, outer * inner)
    a = carray(a_at, outer * count * inner)
    if inner == 1:
        for o in range(outer):
            y[o] = _contiguous_sum(kernel, _shifted(a_at, o * count), count, _shifted(y_at, o)) / divisor
        return
    part = np.zeros(inner, y.dtype)  # rows are added in blocks, so that the error does not grow with their number
    for o in range(outer):
        for i in range(inner):
            y[o * inner + i] = 0
        for first in range(0, count, 128):
            part[:] = 0
            for r in range(first, min(first + 128, count)):
                start = (o * count + r) * inner
                for i in range(inner):
                    part[i] += a[start + i]
            for i in range(inner):
                y[o * inner + i] += part[i]
        for i in range(inner):
            y[o * inner + i] /= divisor


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


def _sum_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    folded = folded_extents(kind.operands[0].shape, kind.attributes[0])
    assert folded is not None  # the others have no kind with a kernel
    outer, count, inner = folded
    return np.array([outer, count, inner, count if kind.row.kernel == "mean" else 1, _sum_kernel(kind.spec.dtype.name)], np.int64)


# --- views ----------------------------------------------------------------------------------------------------------------------

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


def _view_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    head = carray(p, 3)
    offset, ndim = head[0], head[2]
    q = carray(p, 3 + 2 * ndim)
    size, stride = q[1 + 2 * ndim], q[2 + 2 * ndim]
    a = carray(a_at, head[1])
    rows = 1
    for d in range(ndim - 1):
        rows *= q[3 + 2 * d]
    y = carray(y_at, rows * size)
    for row in range(rows):
        rest = row
        start = offset
        for d in range(ndim - 2, -1, -1):
            start += rest % q[3 + 2 * d] * q[4 + 2 * d]
            rest //= q[3 + 2 * d]
        if stride == 1:
            for k in range(size):
                y[row * size + k] = a[start + k]
        elif stride == 0:
            value = a[start]
            for k in range(size):
                y[row * size + k] = value
        else:
            for k in range(size):
                y[row * size + k] = a[start + k * stride]


def _view_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                  c_bar_at: Any) -> None:
    head = carray(p, 3)
    offset, ndim = head[0], head[2]
    q = carray(p, 4 + 2 * ndim)
    size, stride = q[1 + 2 * ndim], q[2 + 2 * ndim]
    a_bar = carray(a_bar_at, head[1])
    rows = 1
    for d in range(ndim - 1):
        rows *= q[3 + 2 * d]
    y_bar = carray(y_bar_at, rows * size)
    for row in range(rows):
        rest = row
        start = offset
        for d in range(ndim - 2, -1, -1):
            start += rest % q[3 + 2 * d] * q[4 + 2 * d]
            rest //= q[3 + 2 * d]
        if stride == 1:
            for k in range(size):
                a_bar[start + k] += y_bar[row * size + k]
        elif stride == 0:
            _add_sum(q[3 + 2 * ndim], size, _shifted(y_bar_at, row * size), _shifted(a_bar_at, start))
        else:
            for k in range(size):
                a_bar[start + k * stride] += y_bar[row * size + k]


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


def _mm_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """The address of gemm; 1 and 0; the records of the products."""
    a, b = (spec.shape for spec in kind.operands)
    turned = kind.attributes or (False, False)
    if kind.row.name == "mv":
        b, turned = (*b, 1), (bool(kind.attributes), False)
    elif len(a) == 1:
        a, b, turned = (1, *a), (*b, 1), (False, False)
    return np.array([_gemm_address(kind), *_numbers(kind, 1, 0), *_products(a, b, turned)], np.int64)


def _addmm_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """The address of gemm; 1 and alpha; the records of the products; beta; rows and columns; the input's strides."""
    beta, alpha, turned = kind.attributes
    shape = kind.operands[0].shape
    rows, columns = kind.spec.shape
    wide = (1,) * (2 - len(shape)) + shape
    strides = [0 if wide[0] == 1 else wide[1], 0 if wide[1] == 1 else 1]
    return np.array([_gemm_address(kind), *_numbers(kind, 1, alpha),
                     *_products(kind.operands[1].shape, kind.operands[2].shape, turned or (False, False)), *_numbers(kind, beta),
                     rows, columns, *strides], np.int64)


def _bmm_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """As of mm; then the number of matrices, and the elements from one to the next of a, b and y."""
    a, b = (spec.shape for spec in kind.operands)
    stacks, *y = kind.spec.shape
    steps = [0 if a[0] == 1 else a[1] * a[2], 0 if b[0] == 1 else b[1] * b[2], y[0] * y[1]]
    return np.array([_gemm_address(kind), *_numbers(kind, 1, 0), *_products(a[1:], b[1:], kind.attributes or (False, False)),
                     stacks, *steps], np.int64)


@njit
def _adjoint_product(p: Any, at: int, alpha: Any, y_bar: Any, other: Any, result: Any) -> None:
    """Add a product of an adjoint and a factor to another adjoint, by the flagged record at word `at`."""
    function = carray(p, at + 1)[0]
    if carray(p, at + 1)[at] == 1:
        _gemm(function, _shifted(p, at + 1), alpha, y_bar, other, _shifted(p, 1), result)
    else:
        _gemm(function, _shifted(p, at + 1), alpha, other, y_bar, _shifted(p, 1), result)


def _mm_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    _gemm(carray(p, 1)[0], _shifted(p, 3), _shifted(p, 1), b_at, a_at, _shifted(p, 2), y_at)


def _mm_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                c_bar_at: Any) -> None:
    if not _is_null(a_bar_at):
        _adjoint_product(p, 7, _shifted(p, 1), y_bar_at, b_at, a_bar_at)
    if not _is_null(b_bar_at):
        _adjoint_product(p, 12, _shifted(p, 1), y_bar_at, a_at, b_bar_at)


def _bmm_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 21)
    for k in range(q[17]):
        _gemm(q[0], _shifted(p, 3), _shifted(p, 1), _shifted(b_at, k * q[19]), _shifted(a_at, k * q[18]), _shifted(p, 2),
              _shifted(y_at, k * q[20]))


def _bmm_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                 c_bar_at: Any) -> None:
    q = carray(p, 21)
    for k in range(q[17]):
        y_bar = _shifted(y_bar_at, k * q[20])
        if not _is_null(a_bar_at):
            _adjoint_product(p, 7, _shifted(p, 1), y_bar, _shifted(b_at, k * q[19]), _shifted(a_bar_at, k * q[18]))
        if not _is_null(b_bar_at):
            _adjoint_product(p, 12, _shifted(p, 1), y_bar, _shifted(a_at, k * q[18]), _shifted(b_bar_at, k * q[19]))


def _addmm_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 22)
    rows, columns, down, along = q[18], q[19], q[20], q[21]
    beta = carray(_as(_shifted(p, 17), y_at), 1)[0]
    y = carray(y_at, rows * columns)
    a = carray(a_at, rows * columns)
    for i in range(rows):
        for j in range(columns):
            y[i * columns + j] = beta * a[i * down + j * along] if beta != 0 else beta
    _gemm(q[0], _shifted(p, 3), _shifted(p, 2), c_at, b_at, _shifted(p, 1), y_at)


def _addmm_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                   c_bar_at: Any) -> None:
    q = carray(p, 22)
    rows, columns, down, along = q[18], q[19], q[20], q[21]
    if not _is_null(a_bar_at):
        beta = carray(_as(_shifted(p, 17), y_at), 1)[0]
        y_bar = carray(y_bar_at, rows * columns)
        a_bar = carray(a_bar_at, rows * columns)
        for i in range(rows):
            for j in range(columns):
                a_bar[i * down + j * along] += beta * y_bar[i * columns + j]
    if not _is_null(b_bar_at):
        _adjoint_product(p, 7, _shifted(p, 2), y_bar_at, c_at, b_bar_at)
    if not _is_null(c_bar_at):
        _adjoint_product(p, 12, _shifted(p, 2), y_bar_at, b_at, c_bar_at)


@functools.cache
def _plain_address(body: Callable[..., None], dtype: str) -> int:
    return _compiled("forward" if body.__name__.endswith("forward") else "reverse", _FLOATS[dtype], body)


def _plain_kernel(parameters: Callable[[Kind], np.ndarray[Any, Any]], forward: Callable[..., None],
                  reverse: Callable[..., None]) -> StructuralKernel:
    return StructuralKernel(parameters, lambda kind: _plain_address(forward, kind.spec.dtype.name),
                            lambda kind: _plain_address(reverse, kind.spec.dtype.name))


# --- classification -------------------------------------------------------------------------------------------------------------

def _softmax_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """Rows and columns; 1 for the logarithm."""
    columns = kind.spec.shape[-1]
    return np.array([kind.spec.size // columns, columns, kind.row.name == "log_softmax"], np.int64)


def _softmax_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 3)
    rows, columns, takes_log = q[0], q[1], q[2]
    y = carray(y_at, rows * columns)
    a = carray(a_at, rows * columns)
    for row in range(rows):
        first = row * columns
        largest = a[first]
        for k in range(first + 1, first + columns):
            largest = max(largest, a[k])
        total = y.dtype.type(0)
        for k in range(first, first + columns):
            power = math.exp(a[k] - largest)
            y[k] = power
            total += power
        if takes_log:
            shift = math.log(total)
            for k in range(first, first + columns):
                y[k] = (a[k] - largest) - shift
        else:
            for k in range(first, first + columns):
                y[k] /= total


def _softmax_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any,
                     c_bar_at: Any) -> None:
    q = carray(p, 3)
    rows, columns, takes_log = q[0], q[1], q[2]
    y_bar = carray(y_bar_at, rows * columns)
    y = carray(y_at, rows * columns)
    a_bar = carray(a_bar_at, rows * columns)
    for row in range(rows):
        first = row * columns
        total = y.dtype.type(0)
        for k in range(first, first + columns):
            total += y_bar[k] if takes_log else y_bar[k] * y[k]
        for k in range(first, first + columns):
            a_bar[k] += y_bar[k] - math.exp(y[k]) * total if takes_log else y[k] * (y_bar[k] - total)


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


def _nll_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    q = carray(p, 4)
    rows, columns, reduction, ignored = q[0], q[1], q[2], q[3]
    target = carray(_as(b_at, p), rows)
    a = carray(a_at, rows * columns)
    y = carray(y_at, rows)
    if reduction == 0:
        for row in range(rows):
            y[row] = -a[row * columns + target[row]] if target[row] != ignored else 0
        return
    total = 0.0
    for row in range(rows):
        if target[row] != ignored:
            total -= a[row * columns + target[row]]
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
        if target[row] != ignored:
            a_bar[row * columns + target[row]] -= y_bar[row if reduction == 0 else 0] / scale


KERNELS: dict[str, StructuralKernel] = {
    "sum": StructuralKernel(_sum_parameters, lambda kind: _sum_address("forward", kind.spec.dtype.name),
                            lambda kind: _sum_address("reverse", kind.spec.dtype.name)),
    "strided": StructuralKernel(_view_parameters, lambda kind: _view_address("forward", _WORDS[kind.spec.dtype.itemsize]),
                                lambda kind: _view_address("reverse", _FLOATS[kind.spec.dtype.name])),
    "mm": _plain_kernel(_mm_parameters, _mm_forward, _mm_reverse),
    "addmm": _plain_kernel(_addmm_parameters, _addmm_forward, _addmm_reverse),
    "bmm": _plain_kernel(_bmm_parameters, _bmm_forward, _bmm_reverse),
    "softmax": _plain_kernel(_softmax_parameters, _softmax_forward, _softmax_reverse),
    "nll_loss": _plain_kernel(_nll_parameters, _nll_forward, _nll_reverse),
}
KERNELS["mean"] = KERNELS["sum"]
KERNELS["mv"] = KERNELS["dot"] = KERNELS["mm"]

