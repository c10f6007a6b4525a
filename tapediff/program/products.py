"""Vector-Jacobian and Jacobian-vector products, Jacobians and Hessians of programs.

* vjp    one fused reverse sweep with the vector as seed.
* jvp    a program of its own (`derive.jvp_tape`).
* hvp    reverse over reverse: the gradient is a program, and a fused reverse sweep through it with the vector as seed gives H v,
         since H is symmetric. Forward over reverse would do the same arithmetic; this way needs no second set of kernels.
* jacobian, hessian   products with all rows (or columns, whichever are fewer) of the identity: where its zeros stay known, entry
         by entry (`entries`), else as a batch, many at a time in lanes; what does not depend on the row is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.nested import Structure, flatten
from tapediff.program.entries import matrices
from tapediff.program.rows import run
from tapediff.tensor import Tensor

if TYPE_CHECKING:
    from tapediff.program.program import Program

__all__ = ["hessian", "hvp", "jacobian", "jacobian_blocks", "jvp", "vjp"]

Array = np.ndarray[Any, Any]


def floating(program: Program) -> tuple[int, ...]:
    """The inputs that have gradients."""
    return tuple(k for k, spec in enumerate(program.specs) if spec.dtype.is_floating_point)


def arguments(inputs: Any) -> tuple[Any, ...]:
    """The arguments of a call: a tuple of several, or one."""
    return inputs if isinstance(inputs, tuple) else (inputs,)


def like_inputs(program: Program, inputs: Any, found: Sequence[Any]) -> Any:
    """Leaves in the nest of the arguments; without the tuple where one argument came without."""
    nested = program.in_structure.unflatten(list(found))
    return nested if isinstance(inputs, tuple) else nested[0]


def vectors(given: Any, structure: Structure, specs: Sequence[Any], what: str,
            shapes: Sequence[tuple[int, ...]] | None = None) -> list[Array]:
    """The vector of a product as arrays, one for each leaf: of the specs' shapes, or of other ones, rows first.

    Raises
        RuntimeError: none was given and there is more than one element; or it is nested or shaped differently.
    """
    if given is None:
        if len(specs) != 1 or specs[0].size != 1:
            raise RuntimeError("The vector v can only be None if the user-provided function returns a single Tensor with a "
                               f"single element: {what} needs v with shapes {[list(spec.shape) for spec in specs]}")
        return [np.ones(specs[0].shape, specs[0].dtype.numpy)]
    leaves, nest = flatten(given)
    if nest != structure and len(leaves) != len(specs):
        raise RuntimeError(f"{what}: v is nested as {nest}, wanted {structure}")
    arrays = []
    for leaf, spec, wanted in zip(leaves, specs, shapes or [spec.shape for spec in specs], strict=True):
        array = leaf._array() if isinstance(leaf, Tensor) else np.asarray(leaf)
        if array.shape != wanted:
            raise RuntimeError(f"{what}: v has invalid size: should have the shape {list(wanted)} but got {list(array.shape)}")
        arrays.append(np.ascontiguousarray(array, spec.dtype.numpy).reshape(wanted))
    return arrays


def vjp(program: Program, inputs: Any, v: Any = None) -> tuple[Any, Any]:
    """The result, and the product of v with the Jacobian, in the nest of the inputs (zeros for inputs that are no floats)."""
    leaves = program.leaves(arguments(inputs))
    seeds = vectors(v, program.out_structure, program.output_specs, "vjp")
    wanted = floating(program)
    outputs, found, failed = program.single(program.request(wanted, "given"))(leaves, seeds)
    program.check(failed, leaves)
    products = [np.zeros(spec.shape, spec.dtype.numpy)[()] for spec in program.specs]
    for position, product in zip(wanted, found, strict=True):
        products[position] = product.copy()[()]
    return program.out_structure.unflatten([y.copy()[()] for y in outputs]), like_inputs(program, inputs, products)


def jvp(program: Program, inputs: Any, v: Any = None) -> tuple[Any, Any]:
    """The result, and the product of the Jacobian with v, in the nest of the result."""
    leaves = program.leaves(arguments(inputs))
    structure = program.in_structure if isinstance(inputs, tuple) else program.in_structure.children[0]
    tangents = vectors(v, structure, program.specs, "jvp")
    wanted = floating(program)
    derived = program.derived("jvp", wanted)
    found = derived(*leaves, *(tangents[position] for position in wanted))
    count = len(program.output_specs)
    return program.out_structure.unflatten(found[:count]), program.out_structure.unflatten(found[count:])


def hvp(program: Program, inputs: Any, v: Any = None) -> tuple[Any, Any]:
    """The result, one scalar, and the product of its Hessian with v, in the nest of the inputs."""
    program.need_scalar()
    wanted = floating(program)
    gradient = program.derived("grad", wanted)
    leaves = program.leaves(arguments(inputs))
    structure = program.in_structure if isinstance(inputs, tuple) else program.in_structure.children[0]
    given = vectors(v, structure, program.specs, "hvp")
    outputs, found, failed = gradient.single(gradient.request(wanted, "given"))(
        leaves, [*(given[position] for position in wanted), np.zeros(program.output_specs[0].shape)])
    gradient.check(failed, leaves)
    products = [np.zeros(spec.shape, spec.dtype.numpy)[()] for spec in program.specs]
    for position, product in zip(wanted, found, strict=True):
        products[position] = product.copy()[()]
    return program.out_structure.unflatten([outputs[-1].copy()[()]]), like_inputs(program, inputs, products)


def jacobian(program: Program, inputs: Any, mode: str | None = None) -> Any:
    """The derivatives of every output by every input: for each output (in their nest) the nest of the inputs, of shape
    output.shape + input.shape.

    mode  "forward" or "reverse"; by default the one that needs fewer products
    """
    leaves = program.leaves(arguments(inputs))
    blocks = jacobian_blocks(program, leaves, range(len(program.output_specs)), floating(program), mode)
    return program.out_structure.unflatten([like_inputs(program, inputs, row) for row in blocks])


def hessian(program: Program, inputs: Any) -> Any:
    """The second derivatives of the result, one scalar: for each input the nest of the inputs."""
    program.need_scalar()
    wanted = floating(program)
    gradient = program.derived("grad", wanted)
    leaves = program.leaves(arguments(inputs))
    blocks = jacobian_blocks(gradient, leaves, range(len(wanted)), wanted, "reverse")
    rows: list[Any] = [[np.zeros((*a.shape, *b.shape), a.dtype.numpy)[()] for b in program.specs] for a in program.specs]
    for position, row in zip(wanted, blocks, strict=True):
        rows[position] = row
    return like_inputs(program, inputs, [like_inputs(program, inputs, row) for row in rows])


def jacobian_blocks(program: Program, leaves: Sequence[Any], outputs: Sequence[int], wanted: tuple[int, ...],
                    mode: str | None = None) -> list[list[Array]]:
    """For each of `outputs` its derivatives by every input; zeros by inputs that are no floats.

    Raises
        GuardError: a guard fails at these inputs.
    """
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"mode={mode!r}: choose 'forward' or 'reverse'")
    specs, output_specs = program.specs, program.output_specs
    rows = sum(output_specs[k].size for k in outputs)
    columns = sum(specs[k].size for k in wanted)
    is_forward = mode == "forward" or (mode is None and columns < rows)
    arrays = [np.asarray(leaf, spec.dtype.numpy, order="C") for leaf, spec in zip(leaves, specs, strict=True)]
    products = _columns(program, arrays, wanted, columns) if is_forward else _rows(program, arrays, outputs, wanted, rows)
    blocks = []
    start = 0
    for k in outputs:
        spec = output_specs[k]
        row = [np.zeros((*spec.shape, *other.shape), other.dtype.numpy) for other in specs]
        for number, position in enumerate(wanted):
            if is_forward:
                first = sum(specs[other].size for other in wanted[:number])
                part = products[k][first:first + specs[position].size]
                row[position] = np.moveaxis(part.reshape(specs[position].size, spec.size), 0, -1).reshape(row[position].shape)
            else:
                row[position] = products[number][start:start + spec.size].reshape(row[position].shape)
        blocks.append(row)
        start += spec.size
    return blocks


def basis(specs: Sequence[Any], rows: int) -> list[Array]:
    """For each spec its part of the rows of an identity matrix."""
    parts = []
    start = 0
    for spec in specs:
        part = np.zeros((rows, spec.size), spec.dtype.numpy)
        part[start:start + spec.size].flat[::spec.size + 1] = 1
        parts.append(part.reshape(rows, *spec.shape))
        start += spec.size
    return parts


def _rows(program: Program, arrays: list[Array], outputs: Sequence[int], wanted: tuple[int, ...], rows: int) -> list[Array]:
    """For each wanted input the rows of the Jacobian, by vector-Jacobian products with the rows of the identity."""
    derived = program.derived("vjp", wanted, tuple(outputs))
    found = range(len(program.output_specs), len(program.output_specs) + len(wanted))
    known = _by_structure(derived, arrays, len(outputs), found)
    if known is not None:
        return known
    seeds = basis([program.output_specs[k] for k in outputs], rows)
    results = run(derived, [*arrays, *seeds], [False] * len(arrays) + [True] * len(seeds), rows, outputs=found)
    derived.check(int(results.failed.max(initial=0)), [*arrays, *(seed[0] for seed in seeds)] if rows else None)
    return [results.outputs[k] for k in found]


def _columns(program: Program, arrays: list[Array], wanted: tuple[int, ...], columns: int) -> list[Array]:
    """For each output the columns of the Jacobian, by Jacobian-vector products with the columns of the identity."""
    derived = program.derived("jvp", wanted)
    count = len(program.output_specs)
    known = _by_structure(derived, arrays, len(wanted), range(count, 2 * count))
    if known is not None:
        return known
    tangents = basis([program.specs[k] for k in wanted], columns)
    results = run(derived, [*arrays, *tangents], [False] * len(arrays) + [True] * len(wanted), columns,
                  outputs=range(count, 2 * count))
    derived.check(int(results.failed.max(initial=0)), [*arrays, *(tangent[0] for tangent in tangents)] if columns else None)
    return [results.outputs[count + number] for number in range(count)]


def _by_structure(derived: Program, arrays: list[Array], seeds: int, wanted: range) -> list[Array] | None:
    """The outputs `wanted` of a program of products for all rows of the identity, where its structure is known.

    seeds  how many inputs behind `arrays` take a row of the identity
    """
    own = len(arrays)
    found = derived.matrices(tuple(range(own, own + seeds)), tuple(wanted))
    if found is None:
        return None
    made, layouts = found
    outputs, _, failed = made.single(made.request())(arrays)
    made.check(failed, arrays)
    return matrices(layouts, outputs)
