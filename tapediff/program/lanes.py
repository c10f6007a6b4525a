"""What it takes to run a structural operation with values in lanes: calls of compiled kernels.

A value in lanes is an array [*shape, lanes]; one that all rows share has no lanes. A row names its family (`Structural.lanes`),
and a family says for an operation which kernels to call, forward and for the adjoint of each operand. What has no kernel for an
adjoint runs its derivative rule as forward steps (`tapediff.program.rule`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapediff.kernels.lanes_calling import address
from tapediff.kernels.lanes_products import ProductSpec
from tapediff.program.operations import Operation

__all__ = ["ADJOINT", "ONE", "RESULT", "RESULT_ADJOINT", "Call", "CallRows", "Family", "Lanes", "call", "no_reverse"]

# what a pointer of a call shows, besides the operands 0, 1, ...
RESULT, RESULT_ADJOINT, ADJOINT, ONE = -1, -2, -3, -4


class Call(NamedTuple):
    """One call of a kernel.

    kernel      its address, or what it is printed from
    parameters  an array of int64 that must be kept alive
    pointers    what the kernel's pointers show: operands by position, RESULT, RESULT_ADJOINT, ADJOINT (of the operand whose
                adjoint is wanted: the kernel adds to it), ONE (the number 1 in the result's dtype)
    writes      whether the kernel writes the adjoint, every element of it, instead of adding to it
    """

    kernel: int | ProductSpec
    parameters: np.ndarray[Any, Any]
    pointers: tuple[int, ...]
    writes: bool = False


class CallRows(NamedTuple):
    """One call of a kernel for each row, which writes a row of a result where it is wanted in the end: no lanes are turned.

    operands  what it reads, as pointers of a `Call` show it, each row of elements beside each other
    """

    kernel: ProductSpec
    parameters: np.ndarray[Any, Any]
    operands: tuple[int, int]


class Lanes(NamedTuple):
    """What an operation runs on.

    number    of lanes
    operands  which operands lie in them; the result does, and so do adjoints
    is_fresh  whether the adjoint that is wanted holds nothing yet: a call may then write it
    """

    number: int
    operands: tuple[bool, ...]
    is_fresh: bool = False


class Family(NamedTuple):
    """How the rows of a family run.

    forward  (operation, lanes) -> calls, or None where Python must do it
    reverse  (operation, position, lanes) -> calls that add to the adjoint of an operand, or None where its rule must do it
    in_rows  (operation, position) -> the call that writes the adjoint of an operand (of position None: the result) row by row, or
             None where lanes are the better way
    """

    forward: Callable[[Operation, Lanes], list[Call] | None]
    reverse: Callable[[Operation, int, Lanes], list[Call] | None]
    in_rows: Callable[[Operation, int | None], CallRows | None] = lambda operation, position: None


def no_reverse(operation: Operation, position: int, lanes: Lanes) -> None:
    """The `reverse` of families that leave adjoints to the rows' rules."""


def call(body: Callable[..., None], element: str, parameters: Sequence[int] | np.ndarray[Any, Any], *pointers: int) -> Call:
    """The call of a kernel that Numba compiles for one type of elements; its parameters are whole numbers."""
    assert np.asarray(parameters).dtype.kind in "iub" or not len(parameters), parameters
    return Call(address(body, element), np.ascontiguousarray(parameters, np.int64), pointers)
