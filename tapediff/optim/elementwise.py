"""Optimizers whose update of an element depends on nothing but that element's value, gradient and state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.grad_modes import enable_grad, no_grad
from tapediff.optim.optimizer import Group, Optimizer, require
from tapediff.optim.packs import Pack, gradient_array, packed

__all__ = ["Array", "ElementwiseOptimizer", "Numbers", "mixed_in", "single"]

Array = np.ndarray[Any, Any]
Numbers = dict[str, float]


def single(value: float) -> float:
    """A number as float32 holds it, which is how the state keeps numbers."""
    return float(np.float32(value))


def mixed_in(average: Array, values: Array, share: float) -> None:
    """Move an average towards new values, in place: ``average += share * (values - average)``."""
    step = values - average
    step *= share
    average += step


class ElementwiseOptimizer(Optimizer):
    """A subclass says what the state has and how one step changes a flat array of parameters.

    scalars(group)    the numbers that the state keeps for each parameter, and where they start
    slots(group)      the arrays that it keeps for each parameter, and where they start
    advance(...)      changes the scalars, once for each step; what it returns is handed to `update`
    update(...)       changes values and slots in place; the gradient must not be written
    """

    def scalars(self, group: Group) -> Numbers:
        return {"step": 0.0}

    def slots(self, group: Group) -> Numbers:
        return {}

    def advance(self, group: Group, scalars: Numbers, is_fresh: bool) -> Any:
        """Count the step; returns its number."""
        scalars["step"] += 1
        return scalars["step"]

    def update(self, group: Group, facts: Any, values: Array, grads: Array, *slots: Array) -> None:
        raise NotImplementedError

    def __init__(self, params: Any, defaults: Group) -> None:
        for name in ("lr", "eps", "weight_decay", "momentum"):
            value = defaults.get(name, 0.0)
            noun = {"lr": "learning rate", "eps": "epsilon value"}.get(name, f"{name} value")
            require(float(value) >= 0, f"Invalid {noun}: {value}")
        for position, beta in enumerate(defaults.get("betas", ())):
            require(0 <= beta < 1, f"Invalid beta parameter at index {position}: {beta}")
        if defaults.get("differentiable"):
            raise NotImplementedError(f"{type(self).__name__} does not record its steps for gradients: leave differentiable out")
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure`, if given, first computes the loss and the gradients anew."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad(), np.errstate(all="ignore"):
            recording.settle()
            for number, group in enumerate(self.param_groups):
                self._update_group(number, group)
        return loss

    def _update_group(self, number: int, group: Group) -> None:
        parameters, grads = [], []
        for parameter in group["params"]:
            grad = gradient_array(parameter)
            if grad is not None:
                parameters.append(parameter)
                grads.append(grad)
        for pack in self._packs(number, group, parameters):
            values = pack.load([grads[position] for position in pack.numbers])
            facts = self.advance(group, pack.scalars, pack.is_fresh)
            for block in pack.blocks(values):
                self._update_block(group, facts, *block)
            pack.store()

    def _update_block(self, group: Group, facts: Any, values: Array, grads: Array, *slots: Array) -> None:
        if group["maximize"]:
            grads = -grads
        decay = float(group.get("weight_decay", 0))
        if decay and group.get("decoupled_weight_decay"):
            values *= 1 - float(group["lr"]) * decay
        elif decay:
            grads = grads + values * decay
        self.update(group, facts, values, grads, *slots)

    def _packs(self, number: int, group: Group, parameters: list[Any]) -> list[Pack]:
        """The packs of a group's parameters; those of the last step where nothing has changed."""
        layouts: dict[int, Any] = self.__dict__.setdefault("_layouts", {})
        key = [id(parameter) for parameter in parameters]
        slots = self.slots(group)
        known = layouts.get(number)
        if known is not None and known[0] == key and known[1] == slots and all(pack.is_valid(self.state) for pack in known[2]):
            return known[2]
        layouts[number] = key, slots, packed(parameters, self.state, self.scalars(group), slots)
        return layouts[number][2]
