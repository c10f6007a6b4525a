"""The families of rows, and which kernels an operation calls to run with values in lanes."""

from __future__ import annotations

from tapediff.compiling import IS_COMPILED
from tapediff.ops.structural import STRUCTURAL
from tapediff.program import lanes_folds, lanes_matrices, lanes_moves, lanes_orders, lanes_places, lanes_products
from tapediff.program.compositions import COMPOSITIONS
from tapediff.program.lanes import Call, CallRows, Family, Lanes
from tapediff.program.operations import Operation

__all__ = ["call_in_rows", "forward_calls", "reverse_calls"]

FAMILIES: dict[str | None, Family] = {
    **lanes_folds.FAMILIES,
    **lanes_matrices.FAMILIES,
    **lanes_moves.FAMILIES,
    **lanes_orders.FAMILIES,
    **lanes_places.FAMILIES,
    **lanes_products.FAMILIES,
}

assert {row.lanes for row in STRUCTURAL.values()} <= {None, *FAMILIES, *COMPOSITIONS}

# without Numba the kernels that are printed are left
SERVING = FAMILIES if IS_COMPILED else lanes_products.FAMILIES


def forward_calls(operation: Operation, count: int, is_laned: tuple[bool, ...]) -> list[Call] | None:
    """The calls that compute an operation's result in lanes; None where there is no kernel."""
    family = SERVING.get(operation.row.lanes)
    return None if family is None else family.forward(operation, Lanes(count, is_laned))


def reverse_calls(
    operation: Operation, position: int, count: int, is_laned: tuple[bool, ...], is_fresh: bool
) -> list[Call] | None:
    """The calls that add to the adjoint of an operand, or write it where it holds nothing yet; None: there is no kernel."""
    family = SERVING.get(operation.row.lanes)
    return None if family is None else family.reverse(operation, position, Lanes(count, is_laned, is_fresh))


def call_in_rows(operation: Operation, position: int | None) -> CallRows | None:
    """The call that writes the adjoint of an operand, or the result, row by row; None where lanes are the better way."""
    family = SERVING.get(operation.row.lanes)
    return None if family is None else family.in_rows(operation, position)
