"""Pointers inside compiled kernels: moved, taken from an array of addresses, seen as another type."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["address_at", "bytes_at", "call_function", "int32_at", "integers_at", "moved", "value_at"]


@intrinsic
def moved(typing_context: Any, pointer: Any, elements: Any) -> Any:
    """A pointer moved by a number of elements."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])
    return pointer(pointer, types.int64), emit


def _loaded(pointers: Any, result: Any) -> Any:
    """The signature and the code of an intrinsic that reads one address of an array, as a pointer of the type `result`."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, number = arguments
        word = builder.load(builder.gep(builder.bitcast(array, ir.IntType(64).as_pointer()), [number]))
        return builder.inttoptr(word, context.get_value_type(result))
    return result(pointers, types.int64), emit


@intrinsic
def value_at(typing_context: Any, pointers: Any, number: Any) -> Any:
    """Address `number` of an array of addresses, as a pointer of the array's own type."""
    return _loaded(pointers, pointers)


@intrinsic
def integers_at(typing_context: Any, pointers: Any, number: Any) -> Any:
    """Address `number` of an array of addresses, as a pointer to int64."""
    return _loaded(pointers, types.CPointer(types.int64))


@intrinsic
def bytes_at(typing_context: Any, pointers: Any, number: Any) -> Any:
    """Address `number` of an array of addresses, as a pointer to bytes."""
    return _loaded(pointers, types.CPointer(types.uint8))


@intrinsic
def int32_at(typing_context: Any, pointers: Any, number: Any) -> Any:
    """Address `number` of an array of addresses, as a pointer to int32."""
    return _loaded(pointers, types.CPointer(types.int32))


@intrinsic
def address_at(typing_context: Any, address: Any, like: Any) -> Any:
    """An address as a pointer of the type of another pointer."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(like))
    return like(types.int64, like), emit


@intrinsic
def call_function(typing_context: Any, kernel: Any, count: Any, y: Any, a: Any) -> Any:
    """y[:count] = f(a[:count]) by the element-wise kernel, at an address, of a function of one operand."""
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        function_type = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] + [byte] * 4)
        none = ir.Constant(byte, None)
        kernel_at, n, y_at, a_at = arguments
        builder.call(builder.inttoptr(kernel_at, function_type.as_pointer()),
                     [n, builder.bitcast(y_at, byte), builder.bitcast(a_at, byte), none, none])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, y, a), emit
