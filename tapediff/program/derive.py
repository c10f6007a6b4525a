"""Programs from programs: a closed tape evaluated on tensors, its vector-Jacobian and Jacobian-vector products as tapes again.

A product is recorded by running the derivative rules on traced tensors, so that it can be derived once more. The
Jacobian-vector product is the transpose of the transpose: the vector-Jacobian product is linear in its vector u, and its
vector-Jacobian product by u is J v (Christianson 1992); what only u needs is dead code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.functions import FUNCTIONS
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.program.closed import ClosedTape
from tapediff.program.lines import Lines
from tapediff.program.recorder import Recorder
from tapediff.recording import elementwise, modes, structural
from tapediff.tensor import Tensor, of_array, of_source, origin_of

__all__ = ["evaluate", "grad_tape", "jacobian_tape", "jvp_tape", "keep_guards", "vjp_tape"]

Array = np.ndarray[Any, Any]


def evaluate(tape: ClosedTape, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs of a tape for given tensors, recorded like any function of them; and the values of its guards."""
    leaves: list[Tensor] = []
    for leaf in tape.leaves:
        if leaf.how == "input":
            leaves.append(inputs[leaf.what])
        elif leaf.how == "constant":
            leaves.append(of_array(leaf.what))
        else:
            leaves.append(of_source(leaf.what))
    values: list[Tensor] = []
    cut: dict[int, Tensor] = {}
    notes = modes.recorder.lines if tape.lines is not None and modes.recorder is not None else None
    for index, (operation, operands) in enumerate(zip(tape.operations, tape.operands, strict=True)):
        if notes is not None and tape.lines is not None:
            notes.note(tape.lines[index])
        tensors = []
        for k, x in enumerate(operands):
            tensor = values[x] if x >= 0 else leaves[-x - 1]
            if tensor.spec.requires_grad and not operation.flows >> min(k, 60) & 1:
                if x not in cut:
                    cut[x] = recording.constant_copy(tensor)
                tensor = cut[x]
            tensors.append(tensor)
        if operation.is_elementwise:
            out_dtype = operation.spec.dtype if operation.row is ROWS["cast"] else None
            values.append(elementwise(operation.row, *tensors, out_dtype=out_dtype))
        else:
            values.append(structural(operation.row, operation.attributes, *tensors))
    outputs = [values[x] if x >= 0 else leaves[-x - 1] for x in tape.outputs]
    guarded = [values[guard.value] if guard.value >= 0 else leaves[-guard.value - 1] for guard in tape.guards]
    return outputs, guarded


def recorder_of(tape: ClosedTape) -> Recorder:
    """A recorder that notes the lines of a tape, where they are known, for what is derived from it."""
    return Recorder(lines=None if tape.lines is None else Lines(is_inherited=True))


def keep_guards(tape: ClosedTape, recorder: Recorder, tensors: Sequence[Tensor]) -> None:
    """Note the guards of a tape in a recording that evaluates it; `tensors` are what they ask of."""
    for guard, tensor in zip(tape.guards, tensors, strict=True):
        origin, slot = origin_of(tensor)
        if origin is None:
            origin = recording.source_of(tensor)
        recorder.guards.append((guard.how, origin, slot, guard.expected,
                                (guard.file, guard.line, guard.function, guard.source)))


def vjp_tape(tape: ClosedTape, wanted: Sequence[int], examples: Sequence[Array], seeded: Sequence[int]) -> ClosedTape:
    """The tape of the outputs and the vector-Jacobian products by the inputs `wanted`.

    Its inputs are those of `tape` and a vector for each of the outputs `seeded`; an output that is no float takes a vector that
    nothing reads.
    """
    from tapediff.autograd.engine import grad
    recorder = recorder_of(tape)
    with recorder:
        inputs = [recorder.input(np.array(example)) for example in examples]
        specs = [tape.spec(tape.outputs[position]) for position in seeded]
        vectors = [recorder.input(np.ones(spec.shape, spec.dtype.numpy)) for spec in specs]
        outputs, guarded = evaluate(tape, inputs)
        keep_guards(tape, recorder, guarded)
        products = gradients(grad, [outputs[position] for position in seeded], [inputs[position] for position in wanted], vectors)
    return recorder.finish([*outputs, *products])


def gradients(grad: Any, outputs: Sequence[Tensor], inputs: Sequence[Tensor], vectors: Sequence[Tensor]) -> list[Tensor]:
    """Vector-Jacobian products on traced tensors; zeros where nothing depends."""
    pairs = [(y, u) for y, u in zip(outputs, vectors, strict=True) if y.spec.requires_grad]
    if not pairs:
        return [of_array(np.zeros(x.spec.shape, x.spec.dtype.numpy)) for x in inputs]
    found: tuple[Tensor, ...] = grad([y for y, _ in pairs], list(inputs), [u for _, u in pairs], create_graph=True,
                                     allow_unused=True, materialize_grads=True)
    return list(found)


def grad_tape(tape: ClosedTape, wanted: Sequence[int], examples: Sequence[Array]) -> ClosedTape:
    """The tape of the gradients of the first output, a scalar, by the inputs `wanted`, and of that output last."""
    from tapediff.autograd.engine import grad
    recorder = recorder_of(tape)
    with recorder:
        inputs = [recorder.input(np.array(example)) for example in examples]
        outputs, guarded = evaluate(tape, inputs)
        keep_guards(tape, recorder, guarded)
        one = of_array(np.ones(outputs[0].spec.shape, outputs[0].spec.dtype.numpy))
        products = gradients(grad, outputs[:1], [inputs[position] for position in wanted], [one])
    return recorder.finish([*products, outputs[0]])


def jacobian_tape(tape: ClosedTape, wanted: Sequence[int], examples: Sequence[Array]) -> ClosedTape:
    """The tape of the Jacobian, of shape output.shape + input.shape: for each output, for each of the inputs `wanted`."""
    from tapediff.autograd.engine import grad
    recorder = recorder_of(tape)
    with recorder:
        inputs = [recorder.input(np.array(example)) for example in examples]
        outputs, guarded = evaluate(tape, inputs)
        keep_guards(tape, recorder, guarded)
        chosen = [inputs[position] for position in wanted]
        blocks = []
        for y in outputs:
            rows = []
            for element in range(y.spec.size):
                unit = np.zeros(y.spec.shape, y.spec.dtype.numpy)
                unit.reshape(-1)[element] = 1
                rows.append(gradients(grad, [y], chosen, [of_array(unit)]))
            for x, column in zip(chosen, zip(*rows, strict=True) if rows else [()] * len(chosen), strict=True):
                shape = (*y.spec.shape, *x.spec.shape)
                blocks.append(column[0].reshape(shape) if len(column) == 1 else FUNCTIONS["stack"](list(column)).reshape(shape)
                              if column else of_array(np.zeros(shape, x.spec.dtype.numpy)))
    return recorder.finish(blocks)


def jvp_tape(tape: ClosedTape, wanted: Sequence[int], examples: Sequence[Array]) -> ClosedTape:
    """The tape of the outputs and of their Jacobian-vector products; its inputs are those of `tape` and a tangent for each wanted
    one."""
    from tapediff.autograd.engine import grad
    recorder = recorder_of(tape)
    with recorder:
        inputs = [recorder.input(np.array(example)) for example in examples]
        tangents = [recorder.input(np.ones(examples[position].shape, examples[position].dtype)) for position in wanted]
        outputs, guarded = evaluate(tape, inputs)
        keep_guards(tape, recorder, guarded)
        vectors = [of_array(np.ones(y.spec.shape, y.spec.dtype.numpy), requires_grad=y.spec.dtype.is_floating_point)
                   for y in outputs]
        products = gradients(grad, outputs, [inputs[position] for position in wanted], vectors)
        known = [(y, u) for y, u in zip(outputs, vectors, strict=True) if y.spec.dtype.is_floating_point]
        linear = gradients(grad, products, [u for _, u in known], tangents)
        by_vector = {id(u): p for (_, u), p in zip(known, linear, strict=True)}
        pushed = [by_vector.get(id(u), of_array(np.zeros(u.spec.shape, u.spec.dtype.numpy))) for u in vectors]
    return recorder.finish([*outputs, *pushed])
