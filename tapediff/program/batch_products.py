"""Products, Jacobians and Hessians of the rows of a batch.

A vector-Jacobian product is one fused sweep over all rows. A Jacobian takes one for every element of the result, a Hessian one
through the program of the gradient for every element of the inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.program.products import arguments, floating, like_inputs, vectors

if TYPE_CHECKING:
    from tapediff.program.batch import Batch
    from tapediff.tape.spec import Spec

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vjp"]

Array = np.ndarray[Any, Any]


def shapes_of(specs: Sequence[Spec], rows: int, has_rows: Sequence[bool]) -> list[tuple[int, ...]]:
    """The shapes of values that have rows, or have not."""
    return [(rows, *spec.shape) if is_laned else spec.shape for spec, is_laned in zip(specs, has_rows, strict=True)]


def products_of(batch: Batch, gradients: dict[int, Array], inputs: Any, rows: int) -> Any:
    """Gradients in the nest of the inputs, rows first; zeros for inputs that are no floats."""
    found = [gradients[position] if position in gradients else np.zeros((rows, *spec.shape), spec.dtype.numpy)
             for position, spec in enumerate(batch.program.specs)]
    return like_inputs(batch.program, inputs, found)


def vjp(batch: Batch, inputs: Any, v: Any = None) -> tuple[Any, Any]:
    """The results of all rows, and for each row the product of its v with its Jacobian."""
    program = batch.program
    arrays, rows = batch.arrays(arguments(inputs))
    specs = program.output_specs
    seeds = vectors(v, program.out_structure, specs, "vjp", shapes_of(specs, rows, [True] * len(specs)))
    results = batch.results(arrays, rows, wanted=floating(program), seeds=seeds)
    return batch.outputs(results), products_of(batch, results.gradients, inputs, rows)


def jvp(batch: Batch, inputs: Any, v: Any) -> tuple[Any, Any]:
    """The results of all rows, and for each row the product of its Jacobian with its v."""
    program = batch.program
    arrays, rows = batch.arrays(arguments(inputs))
    structure = program.in_structure if isinstance(inputs, tuple) else program.in_structure.children[0]
    tangents = vectors(v, structure, program.specs, "jvp", shapes_of(program.specs, rows, batch.laned))
    wanted = floating(program)
    count = len(program.output_specs)
    results = batch.results([*arrays, *(tangents[k] for k in wanted)], rows, program=program.derived("jvp", wanted),
                            laned=[*batch.laned, *(batch.laned[k] for k in wanted)])
    found = [results.outputs[k] for k in range(2 * count)]
    return program.out_structure.unflatten(found[:count]), program.out_structure.unflatten(found[count:])


def hvp(batch: Batch, inputs: Any, v: Any) -> tuple[Any, Any]:
    """The results of all rows, each one scalar, and for each row the product of its Hessian with its v."""
    program = batch.program
    program.need_scalar()
    arrays, rows = batch.arrays(arguments(inputs))
    structure = program.in_structure if isinstance(inputs, tuple) else program.in_structure.children[0]
    given = vectors(v, structure, program.specs, "hvp", shapes_of(program.specs, rows, batch.laned))
    wanted = floating(program)
    gradient = program.derived("grad", wanted)
    value = gradient.output_specs[-1]
    seeds = [*(given[k] for k in wanted), np.zeros(value.shape, value.dtype.numpy)]
    results = batch.results(arrays, rows, program=gradient, wanted=wanted, seeds=seeds, outputs=(len(wanted),))
    return (program.out_structure.unflatten([results.outputs[len(wanted)]]),
            products_of(batch, results.gradients, inputs, rows))


def units(specs: Sequence[Spec], chosen: Sequence[int]) -> Iterator[list[Array]]:
    """Vectors for values of these specs: 1 for one element of one of those `chosen`, else 0; each element in its turn."""
    for k in chosen:
        for element in range(specs[k].size):
            vector = [np.zeros(spec.shape, spec.dtype.numpy) for spec in specs]
            vector[k].reshape(-1)[element] = 1
            yield vector


def jacobian(batch: Batch, inputs: Any) -> Any:
    """For each row the derivatives of every output by every input, of shape (rows, *output.shape, *input.shape)."""
    program = batch.program
    arrays, rows = batch.arrays(arguments(inputs))
    wanted = floating(program)
    specs = program.output_specs
    swept = iter([batch.results(arrays, rows, wanted=wanted, seeds=unit, outputs=()).gradients
                  for unit in units(specs, range(len(specs)))])
    blocks = []
    for spec in specs:
        found = [next(swept) for _ in range(spec.size)]
        blocks.append(like_inputs(program, inputs, [
            block([one[k] for one in found] if k in wanted else [], spec.shape, other, rows)
            for k, other in enumerate(program.specs)]))
    return program.out_structure.unflatten(blocks)


def hessian(batch: Batch, inputs: Any) -> Any:
    """For each row the second derivatives of its result, one scalar, of shape (rows, *input.shape, *input.shape)."""
    program = batch.program
    program.need_scalar()
    arrays, rows = batch.arrays(arguments(inputs))
    wanted = floating(program)
    gradient = program.derived("grad", wanted)
    swept = iter([batch.results(arrays, rows, program=gradient, wanted=wanted, seeds=unit, outputs=()).gradients
                  for unit in units(gradient.output_specs, range(len(wanted)))])
    lines = []
    for k, spec in enumerate(program.specs):
        found = [next(swept) for _ in range(spec.size)] if k in wanted else []
        lines.append(like_inputs(program, inputs, [
            block([one[j] for one in found] if j in wanted else [], spec.shape, other, rows)
            for j, other in enumerate(program.specs)]))
    return like_inputs(program, inputs, lines)


def block(lines: Sequence[Array], shape: tuple[int, ...], other: Spec, rows: int) -> Array:
    """Derivatives of all elements of a value of `shape`, one array for each, as one array; zeros where there are none."""
    if not lines:
        return np.zeros((rows, *shape, *other.shape), other.dtype.numpy)
    return np.stack(lines, axis=1).reshape(rows, *shape, *other.shape)
