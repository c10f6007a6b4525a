"""Many modules as one: their parameters stacked, for vmap over models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapediff.functions import FUNCTIONS
from tapediff.tensor import Tensor

__all__ = ["stack_module_state"]


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters of modules that are built alike, and their buffers, by name: each stacked along a new first dimension.

    >>> import tapediff as td
    >>> models = [td.nn.Linear(2, 3) for _ in range(4)]
    >>> parameters, buffers = stack_module_state(models)
    >>> parameters["weight"].shape, buffers
    (torch.Size([4, 3, 2]), {})

    Raises
        RuntimeError: there are none, they are of different classes, or some are in training mode and others are not.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class: got "
                           + ", ".join(sorted({type(model).__name__ for model in models})))
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters, is_leaf=True), _stacked(buffers, is_leaf=False)


def _stacked(states: Sequence[dict[str, Tensor]], is_leaf: bool) -> dict[str, Tensor]:
    made = {}
    for name in states[0]:
        column = [state[name] for state in states]
        stacked = FUNCTIONS["stack"]([one.detach() for one in column])
        made[name] = stacked.requires_grad_() if is_leaf and any(one.requires_grad for one in column) else stacked
    return made
