"""Calls of programs as operations on tensors: a node that gradients of any order pass through.

A call may take several programs, each for some of the rows; that is how a batch follows a function's branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapediff.autograd.function import Function
from tapediff.program.program import Program
from tapediff.program.rows import run
from tapediff.recording import modes
from tapediff.tensor import Tensor, of_array

__all__ = ["Call", "Route"]

Array = np.ndarray[Any, Any]


class Route(NamedTuple):
    """A program and the rows that it serves.

    rows    their numbers; None for all, or where there are no rows
    inputs  for each input of the program, which tensor of the call it is
    alone   the one row is replayed without lanes, by the arithmetic of the recording: in lanes a sum may round differently, and
            the row would fail a guard that was recorded at itself
    """

    program: Program
    rows: Array | None
    inputs: tuple[int, ...]
    alone: bool = False


class Call:
    """Programs applied to tensors.

    routes  what serves which rows
    laned   for each tensor whether it has rows
    count   the number of rows; None for a call without rows
    ready   the outputs, where they are known already
    """

    def __init__(self, routes: Sequence[Route], laned: Sequence[bool], count: int | None,
                 ready: list[Array] | None = None) -> None:
        self.routes = routes
        self.laned = laned
        self.count = count
        self.ready = ready

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The outputs, on the tape where gradients are recorded."""
        if modes.grad_enabled and any(tensor.spec.requires_grad for tensor in tensors):
            found = Replayed.apply(self, *tensors)
            return list(found) if isinstance(found, tuple) else [found]
        return [of_array(y) for y in self.outputs([tensor._array() for tensor in tensors])]

    # --- values -----------------------------------------------------------------------------------------------------------------

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        """The values of all outputs."""
        if self.ready is not None:
            found, self.ready = self.ready, None
            return found
        parts = []
        for program, rows, inputs, alone in self.routes:
            given = [arrays[k] for k in inputs]
            if self.count is None or alone:
                parts.append(self.single(program, given, inputs, rows if alone else None)[0])
            else:
                laned = [self.laned[k] for k in inputs]
                results = run(program, self._of(given, laned, rows), laned, self._count(rows))
                program.check(int(results.failed.max(initial=0)))
                parts.append([results.outputs[k] for k in range(len(program.output_specs))])
        return self.joined(parts)

    def single(self, program: Program, given: Sequence[Array], inputs: Sequence[int], rows: Array | None,
               wanted: tuple[int, ...] = ()) -> tuple[list[Array], list[Array]]:
        """The outputs of one replay, and the gradients by its inputs `wanted`; of one row, where `rows` names it.

        Raises
            GuardError: it takes another path.
        """
        values, gradients, failed = program.single(program.request(wanted))(self._row(given, inputs, rows))
        program.check(failed)
        outputs, products = ([value.copy() if rows is None else value[None].copy() for value in some]
                             for some in (values, gradients))
        return outputs, products

    def _row(self, given: Sequence[Array], inputs: Sequence[int], rows: Array | None) -> list[Array]:
        """The values of one row."""
        if rows is None:
            return list(given)
        return [array[rows[0]] if self.laned[k] else array for array, k in zip(given, inputs, strict=True)]

    def _count(self, rows: Array | None) -> int:
        assert self.count is not None
        return self.count if rows is None else len(rows)

    @staticmethod
    def _of(arrays: Sequence[Array], laned: Sequence[bool], rows: Array | None) -> list[Array]:
        """The arrays with the rows of a route; each row contiguous."""
        found = []
        for array, is_laned in zip(arrays, laned, strict=True):
            if is_laned and rows is not None:
                array = array[rows]
            found.append(np.ascontiguousarray(array).reshape(array.shape))
        return found

    def joined(self, parts: Sequence[Sequence[Array]]) -> list[Array]:
        """The outputs of all routes, every row in its place."""
        if len(parts) == 1 and self.routes[0].rows is None:
            return list(parts[0])
        made = [np.empty((self.count, *one.shape[1:]), one.dtype) for one in parts[0]]
        for route, part in zip(self.routes, parts, strict=True):
            for whole, one in zip(made, part, strict=True):
                whole[route.rows] = one
        return made

    # --- derivatives ------------------------------------------------------------------------------------------------------------

    def gradients(self, arrays: Sequence[Array], wanted: Sequence[int], cotangents: Sequence[Array]) -> list[Array]:
        """The vector-Jacobian products by the tensors `wanted`, summed over the rows for those that all rows share."""
        totals: list[Array] = [np.zeros(arrays[k].shape, arrays[k].dtype) for k in wanted]
        for program, rows, inputs, alone in self.routes:
            given = [arrays[k] for k in inputs]
            positions = tuple(k for k, tensor in enumerate(inputs) if tensor in wanted)
            if self.count is None or alone:
                number = rows[0] if alone and rows is not None else None
                seeds = cotangents if number is None else [cotangent[number] for cotangent in cotangents]
                values = self._row(given, inputs, None if number is None else rows)
                _, products, _ = program.single(program.request(positions, "given", outputs=False))(values, seeds)
                for k, product in zip(positions, products, strict=True):
                    total = totals[wanted.index(inputs[k])]
                    if number is None:
                        total[...] = product
                    else:
                        total[number if self.laned[inputs[k]] else ...] += product
                continue
            laned = [self.laned[k] for k in inputs]
            seeds = self._of(cotangents, [True] * len(cotangents), rows)
            summed = tuple(k for k in positions if not laned[k])
            results = run(program, self._of(given, laned, rows), laned, self._count(rows), wanted=positions, seeds=seeds,
                          outputs=(), summed=summed)
            for k in positions:
                total = totals[wanted.index(inputs[k])]
                if k in summed:
                    total += results.gradients[k]
                elif rows is None:
                    totals[wanted.index(inputs[k])] = results.gradients[k]
                else:
                    total[rows] = results.gradients[k]
        return totals

    def transposed(self, wanted: Sequence[int], outputs: int) -> Call:
        """The call of the vector-Jacobian products by `wanted`; its tensors are those of this call and the cotangents."""
        routes = []
        for program, rows, inputs, alone in self.routes:
            positions = tuple(inputs.index(k) if k in inputs else -1 for k in wanted)
            derived = program.derived("vjp", tuple(k for k in positions if k >= 0), tuple(range(outputs)))
            first = len(self.laned)
            routes.append(Route(derived, rows, (*inputs, *range(first, first + outputs)), alone))
        return Call(routes, [*self.laned, *[True] * outputs], self.count)


class Replayed(Function):
    """The node of a call."""

    @staticmethod
    def forward(ctx: Any, call: Call, *tensors: Tensor) -> Any:
        outputs = tuple(of_array(y) for y in call.outputs([tensor._array() for tensor in tensors]))
        ctx.call = call
        ctx.outputs = len(outputs)
        ctx.save_for_backward(*tensors)
        ctx.mark_non_differentiable(*(y for y in outputs if not y.dtype.is_floating_point))
        return outputs if len(outputs) != 1 else outputs[0]

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        call: Call = ctx.call
        tensors = ctx.saved_tensors
        wanted = [k for k in range(len(tensors)) if ctx.needs_input_grad[k + 1]]
        found: list[Any] = [None] * (len(tensors) + 1)
        if modes.grad_enabled:
            products = call.transposed(wanted, ctx.outputs)([*tensors, *cotangents])[ctx.outputs:]
            for k, product in zip(wanted, products, strict=True):
                found[k + 1] = product if call.laned[k] or call.count is None else product.sum(0)
            return tuple(found)
        arrays = [tensor._array() for tensor in tensors]
        for k, gradient in zip(wanted, call.gradients(arrays, wanted, [c._array() for c in cotangents]), strict=True):
            found[k + 1] = of_array(gradient)
        return tuple(found)
