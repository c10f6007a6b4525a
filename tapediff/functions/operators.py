"""Operators of the tensor besides ``+ - * / **`` and ``-x``, which tapediff.quick gives it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.elementwise import check_division, is_number, plain, positive
from tapediff.functions.registry import FUNCTIONS, method
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.quick import BINARY, quick, serve
from tapediff.recording import elementwise
from tapediff.tape.source import Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_source

__all__ = ["comparison", "operator"]


def other_operand(value: Any) -> Any:
    """What stands beside a tensor: a tensor, a number, an array as a tensor; NotImplemented for anything else."""
    if isinstance(value, Tensor):
        return value
    if is_number(value):
        return plain(value)
    if isinstance(value, np.ndarray):
        dtype = dtypes.from_numpy_dtype(value.dtype)
        return of_source(Source(spec_of(value.shape, dtype, False), array=np.array(value, dtype.numpy, order="C")))
    return NotImplemented


def operator(name: str, symbol: str, is_division: bool = False) -> None:
    """Attach ``__name__`` and its reflected form for a row of two operands."""
    row = ROWS[name]

    def forward(self: Tensor, other: Any) -> Any:
        other = other_operand(other)
        if other is NotImplemented:
            return other
        if is_division:
            check_division(name, self, other)
        return elementwise(row, self, other)

    def reflected(self: Tensor, other: Any) -> Any:
        other = other_operand(other)
        if other is NotImplemented:
            return other
        if is_division:
            check_division(name, other, self)
        return elementwise(row, other, self)

    forward.__doc__ = f"The operator on the right of a tensor; ``{name}`` as a function."
    reflected.__doc__ = f"The operator on the left of a tensor; ``{name}`` as a function."
    method(f"__{symbol}__")(forward)
    method(f"__r{symbol}__")(reflected)


for _name, _symbol in (("bitwise_and", "and"), ("bitwise_or", "or"), ("bitwise_xor", "xor"), ("bitwise_left_shift", "lshift"),
                       ("bitwise_right_shift", "rshift")):
    operator(_name, _symbol)
for _name, _symbol in (("floor_divide", "floordiv"), ("remainder", "mod")):
    operator(_name, _symbol, is_division=True)


def comparison(name: str) -> None:
    """Attach a comparison; what cannot be compared makes Python raise its TypeError, or compare by identity for == and !=."""
    row = ROWS[name]
    fast = quick(BINARY, name, f"__{name}__")

    def compare(self: Tensor, other: Any) -> Any:
        kind_of = type(other)
        if kind_of is Tensor or kind_of is float or kind_of is int:
            return fast(self, other)
        other = other_operand(other)
        return other if other is NotImplemented else elementwise(row, self, other)

    serve(fast, compare)
    method(f"__{name}__")(compare)


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    comparison(_name)


@method("__invert__")
def invert(self: Tensor) -> Tensor:
    """``~x``: every bit turned over; of a bool tensor the negation.

    >>> import tapediff as td
    >>> ~(td.tensor([1., 2.]) > 1.5)
    tensor([ True, False])
    """
    if self.spec.dtype.is_floating_point:
        raise TypeError(f"~ (operator.invert) is only implemented on integer and Boolean-type tensors, not {self.spec.dtype}")
    return elementwise(ROWS["bitwise_not"], self)


method("__abs__")(FUNCTIONS["abs"])
method("__pos__")(positive)
