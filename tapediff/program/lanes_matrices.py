"""Linear algebra in lanes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

from tapediff.kernels import lanes_matrices as kernels
from tapediff.program.lanes import RESULT, Call, Family, Lanes, call, no_reverse
from tapediff.program.operations import Operation

__all__ = ["FAMILIES"]

MOST_ROWS_OF_COFACTORS = 12  # their number and the cost of each grow: n^5


def matrices(kernel: Callable[..., None], own: Callable[[Any], tuple[int, ...]] = lambda attributes: (),
             most: int = 1 << 30) -> Family:
    """The family of a row on stacks of square matrices, with or without right sides."""
    def forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
        a = operation.operands[0]
        right = operation.operands[-1] if len(operation.operands) > 1 else a
        n, columns = a.shape[-1], right.shape[-1]
        if n > most or right.shape[:-2] != a.shape[:-2]:
            return None
        numbers = own(cast(Any, operation.attributes))
        flags = [*map(int, lanes.operands), 0]
        parameters = [lanes.number, prod(a.shape[:-2]), n, columns, *numbers, *[0] * (2 - len(numbers)), *flags[:2]]
        return [call(kernel, operation.spec.dtype.name, parameters, RESULT, *range(len(operation.operands)))]
    return Family(forward, no_reverse)


FAMILIES: dict[str | None, Family] = {
    "inverse": matrices(kernels.inverse),
    "solve": matrices(kernels.solve, lambda is_turned: (int(is_turned),)),
    "solve_triangular": matrices(kernels.solve_triangular, lambda form: (form[0] + 2 * form[1], int(form[2]))),
    "det": matrices(kernels.determinant, lambda _: (0,)),
    "log_det": matrices(kernels.determinant, lambda _: (1,)),
    "sign_det": matrices(kernels.determinant, lambda _: (2,)),
    "cofactors": matrices(kernels.cofactors, most=MOST_ROWS_OF_COFACTORS),
    "cholesky": matrices(kernels.cholesky, lambda is_upper: (int(is_upper),)),
}
