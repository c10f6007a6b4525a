"""Compiled kernels of structural ops, for the ops that everybody's inner loop contains; the others are NumPy's.

A kernel takes the address of its parameters (int64) where an element-wise kernel takes the number of elements. It is compiled when first used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.extending import get_cython_function_address, intrinsic

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


# --- sums -----------------------------------------------------------------------------------------------------------------------------------

@njit(error_model="numpy", fastmath={"reassoc"}, inline="never")
def _block_sum(a: Any, start: int, stop: int) -> Any:
    """The sum of a block; its additions may be regrouped for SIMD, always in the same way."""
    total = a[start] * 0
    for k in range(start, stop):
        total += a[k]
    return total


@njit(error_model="numpy")
def _contiguous_sum(a: Any, start: int, stop: int) -> Any:
    """A sum whose error does not grow with its length: blocks of 1024, their sums added with compensation (Neumaier 1974)."""
    if stop - start <= 1024:
        return _block_sum(a, start, stop) if stop > start else a[0] * 0
    total = _block_sum(a, start, start + 1024)
    lost = total * 0
    for first in range(start + 1024, stop, 1024):
        part = _block_sum(a, first, min(first + 1024, stop))
        new = total + part
        if abs(total) >= abs(part):
            lost += (total - new) + part
        else:
            lost += (part - new) + total
        total = new
    if lost == lost:
        return total + lost
    return total


def _sum_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    shape = carray(p, 4)
    outer, count, inner, divisor = shape[0], shape[1], shape[2], shape[3]
    y = carray(y_at, outer * inner)
    a = carray(a_at, outer * count * inner)
    if inner == 1:
        for o in range(outer):
            y[o] = _contiguous_sum(a, o * count, (o + 1) * count) / divisor
        return
    for o in range(outer):
        for i in range(inner):
            y[o * inner + i] = 0
        for r in range(count):
            start = (o * count + r) * inner
            for i in range(inner):
                y[o * inner + i] += a[start + i]
        for i in range(inner):
            y[o * inner + i] /= divisor


def _sum_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any, c_bar_at: Any) -> None:
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
    outer, count, inner = folded_extents(kind.operands[0].shape, kind.attributes[0])
    return np.array([outer, count, inner, count if kind.row.name == "mean" else 1], np.int64)


# --- views ----------------------------------------------------------------------------------------------------------------------------------

def _view_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """offset, elements of the operand, number of dimensions, then (size, stride) of each, neighbours merged where one stride serves both."""
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
    return np.array([offset, kind.operands[0].size, len(dims), *[number for dim in dims for number in dim]], np.int64)


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


def _view_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any, c_bar_at: Any) -> None:
    head = carray(p, 3)
    offset, ndim = head[0], head[2]
    q = carray(p, 3 + 2 * ndim)
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
            a_bar[start] += _contiguous_sum(y_bar, row * size, (row + 1) * size)
        else:
            for k in range(size):
                a_bar[start + k * stride] += y_bar[row * size + k]


@functools.cache
def _view_address(kind: str, element: Any) -> int:
    return _compiled(kind, element, _view_forward if kind == "forward" else _view_reverse)


# --- products -------------------------------------------------------------------------------------------------------------------------------
# BLAS comes from SciPy, whose matrices are column-major: the row-major product a @ b is there b' @ a'.

@intrinsic
def _gemm(typing_context: Any, function: Any, record: Any, alpha: Any, a: Any, b: Any, beta: Any, c: Any) -> Any:
    """Call dgemm or sgemm: `record` points to int32 numbers transa, transb, m, n, k, lda, ldb, ldc; alpha and beta point to numbers."""
    signature = types.void(function, record, alpha, a, b, beta, c)

    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        address, record_at, alpha_at, a_at, b_at, beta_at, c_at = arguments
        base = builder.bitcast(record_at, byte)
        number = [builder.gep(base, [ir.Constant(ir.IntType(64), 4 * k)]) for k in range(8)]
        pointers = [builder.bitcast(x, byte) for x in (alpha_at, a_at, b_at, beta_at, c_at)]
        function_type = ir.FunctionType(ir.VoidType(), [byte] * 13)
        builder.call(builder.inttoptr(address, function_type.as_pointer()), [
            number[0], number[1], number[2], number[3], number[4], pointers[0], pointers[1], number[5], pointers[2], number[6], pointers[3], pointers[4], number[7]])
        return context.get_dummy_value()

    return signature, emit


def _gemm_record(trans_a: str, trans_b: str, m: int, n: int, k: int, lda: int, ldb: int, ldc: int) -> np.ndarray[Any, Any]:
    return np.array([ord(trans_a), ord(trans_b), m, n, k, max(lda, 1), max(ldb, 1), max(ldc, 1)], np.int32).view(np.int64)


def _mm_parameters(kind: Kind) -> np.ndarray[Any, Any]:
    """The address of gemm, 1 and 0 as numbers of the dtype, then the records of y = a b, a_bar += y_bar b', b_bar += a' y_bar."""
    (n, m), (_, p) = kind.operands[0].shape, kind.operands[1].shape
    dtype = kind.spec.dtype
    numbers = np.zeros(2, np.int64)
    numbers.view(dtype.numpy)[:: 8 // dtype.itemsize] = (1, 0)
    return np.concatenate([
        [get_cython_function_address("scipy.linalg.cython_blas", "dgemm" if dtype.itemsize == 8 else "sgemm")], numbers,
        _gemm_record("N", "N", p, n, m, p, m, p), _gemm_record("T", "N", m, n, p, p, p, m), _gemm_record("N", "T", p, m, n, p, m, p),
    ]).astype(np.int64)


@intrinsic
def _shifted(typing_context: Any, pointer: Any, words: Any) -> Any:
    """A pointer to int64 moved by a number of words."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])
    return pointer(pointer, types.int64), emit


@intrinsic
def _is_null(typing_context: Any, pointer: Any) -> Any:
    """Whether a pointer is 0."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned("==", builder.ptrtoint(arguments[0], ir.IntType(64)), ir.Constant(ir.IntType(64), 0))
    return types.boolean(pointer), emit


def _mm_forward(p: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any) -> None:
    function = carray(p, 1)[0]
    _gemm(function, _shifted(p, 3), _shifted(p, 1), b_at, a_at, _shifted(p, 2), y_at)


def _mm_reverse(p: Any, y_bar_at: Any, y_at: Any, a_at: Any, b_at: Any, c_at: Any, a_bar_at: Any, b_bar_at: Any, c_bar_at: Any) -> None:
    function = carray(p, 1)[0]
    if not _is_null(a_bar_at):
        _gemm(function, _shifted(p, 7), _shifted(p, 1), b_at, y_bar_at, _shifted(p, 1), a_bar_at)
    if not _is_null(b_bar_at):
        _gemm(function, _shifted(p, 11), _shifted(p, 1), y_bar_at, a_at, _shifted(p, 1), b_bar_at)


@functools.cache
def _mm_address(kind: str, dtype: str) -> int:
    return _compiled(kind, _FLOATS[dtype], _mm_forward if kind == "forward" else _mm_reverse)


KERNELS: dict[str, StructuralKernel] = {
    "sum": StructuralKernel(_sum_parameters, lambda kind: _sum_address("forward", kind.spec.dtype.name), lambda kind: _sum_address("reverse", kind.spec.dtype.name)),
    "strided": StructuralKernel(_view_parameters, lambda kind: _view_address("forward", _WORDS[kind.spec.dtype.itemsize]),
                                lambda kind: _view_address("reverse", _FLOATS[kind.spec.dtype.name])),
    "mm": StructuralKernel(_mm_parameters, lambda kind: _mm_address("forward", kind.spec.dtype.name), lambda kind: _mm_address("reverse", kind.spec.dtype.name)),
}
KERNELS["mean"] = KERNELS["sum"]

