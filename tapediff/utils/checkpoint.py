"""Checkpoints: the values inside of a function are let go, and computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from tapediff import grad_modes, recording
from tapediff.functions.random import default_generator
from tapediff.functions.registry import FUNCTIONS
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment, next_number
from tapediff.tensor import Tensor, of_slot

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
               **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``, whose inner values are not kept for the backward pass but computed again there.

    use_reentrant       accepted; both of PyTorch's ways are one here: gradients reach arguments, parameters and whatever else the
                        function reads
    preserve_rng_state  random numbers are the same the second time

    >>> import tapediff as td
    >>> x = td.tensor([1., 2.], requires_grad=True)
    >>> checkpoint(lambda x: (x.exp() * x).sin(), x, use_reentrant=False).sum().backward()
    >>> bool((x.grad == td.autograd.grad((x.exp() * x).sin().sum(), x)[0]).all())
    True
    """
    if not recording.modes.grad_enabled:
        return function(*args, **kwargs)
    from tapediff.autograd.function import Function  # loads the sweeps, and Numba with them
    state = default_generator.get_state() if preserve_rng_state else None

    def run(tensors: Sequence[Tensor]) -> Any:
        """The function with tensors of this run's own in the places of tensor arguments."""
        left = iter(tensors)
        positional = [next(left) if isinstance(one, Tensor) else one for one in args]
        named = {name: next(left) if isinstance(one, Tensor) else one for name, one in kwargs.items()}
        return function(*positional, **named)

    given = [one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)]
    recording.close()
    boundary = next_number()
    own = detached(given)
    result = run(own)
    places = flowing(result)
    if not places:
        return result
    outputs = result if isinstance(result, tuple) else (result,)
    leaves, computed = others_read([outputs[place] for place in places], own, boundary)

    class CheckpointFunction(Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Tensor) -> Any:
            return tuple(outputs[place].detach() for place in places)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            is_recorded = recording.modes.grad_enabled
            with grad_modes.enable_grad(), drawing_from(state):
                again = given if is_recorded else detached(given)
                found = run(again)
            found = found if isinstance(found, tuple) else (found,)
            return gradients([found[place] for place in places], [*again, *leaves], computed, grads, is_recorded)

    made = CheckpointFunction.apply(*given, *leaves, *computed)
    if not isinstance(result, tuple):
        return made[0]
    through = dict(zip(places, made, strict=True))
    return tuple(through.get(place, one.detach() if isinstance(one, Tensor) else one) for place, one in enumerate(outputs))


def flowing(result: Any) -> list[int]:
    """Which of the results gradients flow to."""
    outputs = result if isinstance(result, tuple) else (result,)
    return [place for place, one in enumerate(outputs) if isinstance(one, Tensor) and one.spec.requires_grad]


def gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor], computed: Sequence[Tensor], weights: Sequence[Any],
              is_recorded: bool) -> tuple[Any, ...]:
    """The gradients by inputs, then those by tensors computed outside, beyond which nothing flows here."""
    from tapediff.autograd.engine import grad
    arrived: dict[int, Tensor] = {}

    def stop(number: int, adjoint: Tensor) -> Tensor:
        arrived[number] = adjoint
        return FUNCTIONS["zeros_like"](adjoint)

    handles = [tensor.register_hook(partial(stop, number)) for number, tensor in enumerate(computed)]
    try:
        wanted = [one for one in inputs if one.spec.requires_grad]
        pairs = [(output, weight) for output, weight in zip(outputs, weights, strict=True) if weight is not None]
        made = iter(grad([output for output, _ in pairs], [*wanted, *computed], [weight for _, weight in pairs],
                         retain_graph=True, create_graph=is_recorded, allow_unused=True))
        found = [next(made) if one.spec.requires_grad else None for one in inputs]
    finally:
        for handle in handles:
            handle.remove()
    return (*found, *(arrived.get(number) for number in range(len(computed))))


def detached(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Leaves that share the memory of tensors."""
    return [one.detach().requires_grad_(one.spec.requires_grad) for one in tensors]


@contextmanager
def drawing_from(state: Any) -> Any:
    """Random numbers from a state that the generator had, as long as the block runs."""
    if state is None:
        yield
        return
    now = default_generator.get_state()
    default_generator.set_state(state)
    try:
        yield
    finally:
        default_generator.set_state(now)


def others_read(outputs: Sequence[Tensor], own: Sequence[Tensor], boundary: int) -> tuple[list[Tensor], list[Tensor]]:
    """What requires grad and outputs depend on, besides `own`: leaves, and tensors computed before `boundary`."""
    seen: set[Any] = set()
    leaves: list[Tensor] = []
    computed: list[Tensor] = []
    waiting = [one.grad_fn for one in outputs if one.grad_fn is not None]
    known = {id(one.source) for one in own if one.spec.requires_grad}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            if id(node.variable.source) not in known:
                known.add(id(node.variable.source))
                leaves.append(node.variable)
        elif type(node._origin) is Segment and node._origin.number < boundary:
            kind = KINDS.kinds[node._origin.kind_number(node._slot)]
            computed.append(of_slot(node._origin, node._slot, kind.spec))
        else:
            waiting += [behind for behind, _ in node.next_functions if behind is not None]
    return leaves, computed


def checkpoint_sequential(functions: Any, segments: int, input: Tensor, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """The functions of a sequence, one after the other, in `segments` checkpoints; the last one is no checkpoint.

    >>> import tapediff as td
    >>> from tapediff import nn
    >>> x = td.ones(1, 2, requires_grad=True)
    >>> checkpoint_sequential(nn.Sequential(nn.Tanh(), nn.Sigmoid(), nn.ReLU()), 2, x).shape
    torch.Size([1, 2])
    """
    several = list(functions)
    size = len(several) // segments

    def through(part: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for function in part:
                value = function(value)
            return value
        return run

    end = 0
    for number in range(segments - 1):
        end = (number + 1) * size
        input = checkpoint(through(several[number * size:end]), input, use_reentrant=use_reentrant, **kwargs)
    return through(several[end:])(input)
