"""backward and grad: seeds in, gradients out, PyTorch's errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.autograd.recorded import recorded_pass
from tapediff.forward import flush
from tapediff.freeing import keep_value_only
from tapediff.leading import Leading
from tapediff.recording import modes
from tapediff.reverse import Consumed, Overwritten, Pass, scalar_pass
from tapediff.tape.segment import Segment
from tapediff.tape.source import ADJOINTS, Source
from tapediff.tensor import Tensor, name_of, of_array, of_source, origin_of

__all__ = ["backward", "grad"]

_SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if "
    "you need to backward through the graph a second time or if you need to access saved tensors after calling backward."
)


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Any = None) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves that they depend on.

    tensors       a tensor or several
    grad_tensors  for each one the weights of the vector-Jacobian product, in its shape; None for scalars
    retain_graph  keep what the pass needs, so that it can be repeated; defaults to create_graph
    create_graph  record the pass, so that the gradients can be differentiated
    inputs        accumulate into these tensors only

    >>> import tapediff as td
    >>> x = td.tensor([1., 2.], requires_grad=True)
    >>> td.autograd.backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    _refuse_traced()
    roots = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
    weights = _weights(grad_tensors, len(roots))
    if inputs is not None:
        inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
        if not inputs:
            raise RuntimeError("'inputs' argument to backward() cannot be empty")
    if retain_graph is None:
        retain_graph = create_graph
    seeds = _seeds(roots, weights, create_graph)
    if inputs is None:
        deliver: Callable[[Source, Any], None] = _accumulate_tensor if create_graph else _accumulate
        _propagate(seeds, retain_graph, create_graph, deliver, None, capture=False)
        return
    leaves, watched = _targets(inputs)
    by_slot: dict[Any, Tensor] = {}
    for tensor in inputs:
        origin, slot = origin_of(tensor)
        if origin is not None:
            by_slot[origin, slot] = tensor

    def into_inputs(source: Source, adjoint: Any) -> None:
        if source in leaves:
            (_accumulate_tensor if create_graph else _accumulate)(source, adjoint)

    found: dict[Any, Any] = {}
    _propagate(seeds, retain_graph, create_graph, into_inputs, _watchers(watched, found), capture=True,
               leading=_leading(seeds, leaves, watched))
    for key, adjoint in found.items():
        if not by_slot[key].retains_grad:  # or its hook has done it
            _accumulate_on(by_slot[key], adjoint if create_graph else of_array(adjoint))


def backward_from_scalar(tensor: Tensor, retain_graph: bool) -> None:
    """`backward` of one computed tensor of one element: the usual case, quickly."""
    if modes.anomaly or recording.recordings:
        backward(tensor, retain_graph=retain_graph)
        return
    segment, slot = tensor.segment, tensor.slot
    if slot < 0:  # another thread has just turned the tensor into a source
        backward(tensor, retain_graph=retain_graph)
        return
    try:
        scalar_pass(segment, slot // 3 - 1, retain_graph, _accumulate)
    except (Consumed, Overwritten) as error:
        raise RuntimeError(_message(error)) from None
    recording.reopen()
    if not retain_graph:
        del segment  # or the tensor would not seem to be the last that shows it
        keep_value_only(tensor)


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
         only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
         materialize_grads: bool = False) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, leaving every `.grad` alone.

    Arguments as in `backward`; allow_unused gives None for an input that the outputs do not depend on, materialize_grads zeros.

    >>> import tapediff as td
    >>> x = td.tensor(3., requires_grad=True)
    >>> dx, = td.autograd.grad(x**3, x, create_graph=True)
    >>> td.autograd.grad(dx, x)
    (tensor(18.),)
    """
    roots = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if allow_unused is None:
        allow_unused = materialize_grads
    elif materialize_grads and not allow_unused:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                         "allow_unused=False.")
    weights = _weights(grad_outputs, len(roots))
    if is_grads_batched:
        return _batched_grad(roots, wanted, weights, retain_graph, create_graph, allow_unused, materialize_grads)
    if retain_graph is None:
        retain_graph = create_graph
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for tensor in wanted:
        if not tensor.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    is_recorded = create_graph or recording.is_traced()
    seeds = _seeds(roots, weights, is_recorded)
    leaves, watched = _targets(wanted)
    found: dict[Any, Any] = {}

    def keep(source: Source, adjoint: Any) -> None:
        if source in leaves:
            if source.hooks:
                changed = source.hooks(adjoint)
                adjoint = adjoint if changed is None else changed
            known = found.get(source)
            found[source] = adjoint if known is None else known + adjoint if is_recorded else np.asarray(known + adjoint)

    _propagate(seeds, retain_graph, create_graph, keep, _watchers(watched, found), capture=True,
               leading=_leading(seeds, leaves, watched))
    out: list[Any] = []
    for position, tensor in enumerate(wanted):
        origin, slot = origin_of(tensor)
        adjoint = found.get(tensor.source if origin is None else (origin, slot))
        if adjoint is None:
            if not allow_unused:
                raise RuntimeError(f"The differentiated Tensor at index {position} appears to not have been used in the graph. "
                                   "Set allow_unused=True if this is the desired behavior.")
            out.append(of_array(np.zeros(tensor.spec.shape, tensor.spec.dtype.numpy)) if materialize_grads else None)
        else:
            out.append(adjoint if is_recorded else of_array(adjoint))
    return tuple(out)


def _refuse_traced() -> None:
    """Refuse a pass that would leave gradients in leaves while a program is recorded."""
    if recording.is_traced():
        raise RuntimeError("a recorded function calls backward(): the replay would lose what it adds to .grad. Use "
                           "torch.autograd.grad or torch.func.grad, which return the gradients.")


def _batched_grad(roots: Any, wanted: Any, weights: Any, retain_graph: Any, create_graph: bool, allow_unused: bool,
                  materialize: bool) -> tuple[Any, ...]:
    """One pass for every row of the weights; the gradients stacked."""
    count = next(weight for weight in weights if weight is not None).shape[0]
    rows = [grad(roots, wanted, [None if weight is None else weight[row] for weight in weights],
                 True if row < count - 1 else retain_graph, create_graph, True, allow_unused, False, materialize)
            for row in range(count)]
    from tapediff.functions import FUNCTIONS
    return tuple(None if column[0] is None else FUNCTIONS["stack"](list(column)) for column in zip(*rows, strict=True))


def _weights(given: Any, count: int) -> list[Any]:
    if given is None:
        return [None] * count
    weights = [given] if isinstance(given, Tensor) else list(given)
    if len(weights) != count:
        raise RuntimeError(f"got {count} tensors and {len(weights)} gradients")
    return weights


def _seeds(roots: Sequence[Tensor], weights: Sequence[Any], create_graph: bool) -> list[tuple[Any, int, Any]]:
    seeds = []
    for position, (root, weight) in enumerate(zip(roots, weights, strict=True)):
        if not isinstance(root, Tensor):
            raise TypeError(f"element {position} of tensors must be a Tensor, not {type(root).__name__}")
        spec = root.spec
        if weight is None:
            if spec.requires_grad and spec.size != 1:
                raise RuntimeError(f"grad can be implicitly created only for scalar outputs; got shape {list(spec.shape)}: pass "
                                   "gradient=, a tensor of that shape with the weights of the vector-Jacobian product")
            weight = of_array(np.ones(spec.shape, spec.dtype.numpy))
        elif not isinstance(weight, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(weight).__name__}")
        elif weight.spec.shape != spec.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output[{position}] has a shape of {weight.shape} and output[{position}] "
                               f"has a shape of {root.shape}.")
        if not spec.requires_grad:
            raise RuntimeError(f"element {position} of tensors does not require grad and does not have a grad_fn")
        if weight.spec.dtype is not spec.dtype:
            weight = recording.cast(weight, spec.dtype)
        origin, slot = origin_of(root)
        if origin is None:
            seeds.append((_Leaf(root.source), 0, weight if create_graph else weight._array()))
        else:
            seeds.append((origin, slot, weight if create_graph else weight._array()))
    return seeds


class _Leaf:
    """Stands for a leaf that is itself differentiated."""

    number = 0

    def __init__(self, source: Source) -> None:
        self.source = source

    def propagate(self, slots: dict[int, Any], current: Any) -> list[tuple[Source, Any]]:
        return [(self.source, np.array(slots[0], self.source.spec.dtype.numpy))]

    def propagate_recorded(self, slots: dict[int, Any], retain: bool, watched: Any = None) -> list[tuple[Source, Any]]:
        return [(self.source, slots[0])]


def _targets(inputs: Sequence[Tensor]) -> tuple[set[Source], set[Any]]:
    """Leaves among the inputs, and (origin, slot) of the others."""
    leaves = set()
    watched = set()
    for tensor in inputs:
        origin, slot = origin_of(tensor)
        if origin is None:
            leaves.add(recording.source_of(tensor))
        else:
            watched.add((origin, slot))
    return leaves, watched


def _leading(seeds: Sequence[tuple[Any, int, Any]], leaves: set[Source], watched: set[Any]) -> Leading | None:
    """What leads to the inputs; None where all of the graph does, as far as a short look tells."""
    if not watched and len(seeds) == 1 and type(segment := seeds[0][0]) is Segment:
        flush(segment)
        if all(source in leaves for source in segment.held if source.spec.requires_grad):
            return None
    return Leading([origin for origin, _, _ in seeds], leaves, watched)


def _watchers(slots: set[Any], found: dict[Any, Any]) -> dict[Any, dict[int, Callable[[Any], Any]]]:
    watched: dict[Any, dict[int, Callable[[Any], Any]]] = {}
    for origin, slot in slots:
        own = origin.hooks.get(slot) if origin.hooks else None

        def watch(adjoint: Any, key: Any = (origin, slot), own: Any = own) -> Any:
            changed = own(adjoint) if own is not None else None
            adjoint = adjoint if changed is None else changed
            known = found.get(key)  # segments of several threads may lead to each other, so that a pass enters one again
            found[key] = adjoint if known is None else known + adjoint
            return changed

        watched.setdefault(origin, {})[slot] = watch
    return watched


def _propagate(seeds: Sequence[Any], retain: bool, create_graph: bool, deliver: Callable[[Source, Any], None], watched: Any,
               capture: bool, leading: Leading | None = None) -> None:
    if recording.is_traced() and not create_graph:
        before = modes.grad_enabled
        recording.set_grad_enabled(False)
        try:
            _run(lambda: recorded_pass(seeds, retain, deliver, watched, leading))
        finally:
            recording.set_grad_enabled(before)
        return
    if modes.anomaly and not create_graph:
        _checked_pass(seeds, retain, deliver, watched, leading)
        return
    if not create_graph:
        _run(lambda: Pass(retain, deliver, capture, watched, leading).run(seeds))
        return
    before = modes.grad_enabled
    recording.set_grad_enabled(True)
    try:
        _run(lambda: recorded_pass(seeds, retain, deliver, watched, leading))
    finally:
        recording.set_grad_enabled(before)


def _checked_pass(seeds: Sequence[Any], retain: bool, deliver: Callable[[Source, Any], None], watched: Any,
                  leading: Leading | None) -> None:
    """A plain pass by way of the recorded one, which looks at every contribution on its own.

    Nothing is recorded for gradients.
    """
    tensors = [(origin, slot, of_array(np.array(adjoint))) for origin, slot, adjoint in seeds]
    by_tensor = {origin: {slot: _of_tensors(hook) for slot, hook in hooks.items()} for origin, hooks in (watched or {}).items()}
    before = modes.grad_enabled
    recording.set_grad_enabled(False)
    try:
        _run(lambda: recorded_pass(tensors, retain, lambda source, adjoint: deliver(source, np.array(adjoint._array())),
                                   by_tensor, leading))
    finally:
        recording.set_grad_enabled(before)


def _of_tensors(hook: Callable[[Any], Any]) -> Callable[[Tensor], Tensor | None]:
    """A function of adjoints that are arrays as one of adjoints that are tensors."""
    def call(adjoint: Tensor) -> Tensor | None:
        changed = hook(np.array(adjoint._array()))
        return None if changed is None else of_array(np.array(changed))
    return call


def _run(run: Callable[[], None]) -> None:
    try:
        run()
    except (Consumed, Overwritten) as error:
        raise RuntimeError(_message(error)) from None


def _message(error: Consumed | Overwritten) -> str:
    return _SECOND_TIME if isinstance(error, Consumed) else _overwritten_message(*error.args)


def _overwritten_message(segment: Segment, index: int) -> str:
    from tapediff.overwritten import overwritten_operand
    what = overwritten_operand(segment, index)
    return ("one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[torch.{what.dtype.legacy}Tensor {list(what.shape)}]{what.origin}{' is' if not what.origin else ', is'} at version "
            f"{what.version}; expected version {what.expected} instead. Hint: the value was read by {name_of(segment, index)}; "
            "enable anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True).")


def _accumulate(source: Source, adjoint: Any) -> None:
    """Add to the gradient of a leaf, in place, as PyTorch does."""
    if source.hooks:
        changed = source.hooks(adjoint)
        adjoint = adjoint if changed is None else changed
    with ADJOINTS:
        known = source.grad
        if known is None:
            cell = source.take_gradient_cell() if source.spec.size == 1 else None
            source.grad = adjoint if cell is None else np.asarray(adjoint + np.asarray(cell, adjoint.dtype))
        elif type(known) is np.ndarray:
            np.add(known, adjoint, out=known)
        else:
            from tapediff.inplace import write
            write(known, lambda array: np.add(array, adjoint, out=array))
    if source.hooks:
        source.hooks.finish()


def _accumulate_tensor(source: Source, adjoint: Tensor) -> None:
    """Add to the gradient of a leaf what can be differentiated again."""
    if source.hooks:
        changed = source.hooks(adjoint)
        adjoint = adjoint if changed is None else changed
    with ADJOINTS:
        known = of_source(source).grad
        source.grad = adjoint if known is None else known + adjoint
    if source.hooks:
        source.hooks.finish()


def _accumulate_on(tensor: Tensor, adjoint: Tensor) -> None:
    """Add to the gradient of a tensor that is no leaf."""
    known = tensor.extras().grad
    tensor.extras().grad = adjoint if known is None else known + adjoint
