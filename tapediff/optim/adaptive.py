"""Optimizers that give every element a step size of its own, from the sizes or the signs of its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.optim.elementwise import Array, ElementwiseOptimizer, Numbers, mixed_in, single
from tapediff.optim.optimizer import Group, require
from tapediff.optim.packs import packed

__all__ = ["ASGD", "Adadelta", "Adagrad", "RMSprop", "Rprop"]


def faded(average: Array, grads: Array, share: float) -> None:
    """Move a running average of squares, in place: ``average = share * average + (1 - share) * grads**2``."""
    average *= share
    average += grads * grads * (1 - share)


class Adagrad(ElementwiseOptimizer):
    """``x -= lr * gradient / (sqrt(sum of squared gradients) + eps)`` (Duchi et al. 2011)."""

    def __init__(self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        require(lr_decay >= 0, f"Invalid lr_decay value: {lr_decay}")
        require(initial_accumulator_value >= 0, f"Invalid initial_accumulator_value value: {initial_accumulator_value}")
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "fused": fused})
        for group in self.param_groups:  # the state is there before the first step
            packed(group["params"], self.state, self.scalars(group), self.slots(group))

    def slots(self, group: Group) -> Numbers:
        return {"sum": float(group["initial_accumulator_value"])}

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        total, = slots
        total += grads * grads
        spread = np.sqrt(total)
        spread += group["eps"]
        values -= grads * (float(group["lr"]) / (1 + (facts - 1) * group["lr_decay"])) / spread


class RMSprop(ElementwiseOptimizer):
    """``x -= lr * gradient / (sqrt(v) + eps)``, where v is a running average of squared gradients; `centered` subtracts the
    square of their average."""

    def __init__(self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
                 momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False) -> None:
        require(alpha >= 0, f"Invalid alpha value: {alpha}")
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable})

    def slots(self, group: Group) -> Numbers:
        names = ["square_avg"] + ["momentum_buffer"] * (group["momentum"] > 0) + ["grad_avg"] * bool(group["centered"])
        return dict.fromkeys(names, 0.0)

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        square, *others = slots
        faded(square, grads, group["alpha"])
        spread = square
        if group["centered"]:
            mean = others.pop()
            mixed_in(mean, grads, 1 - group["alpha"])
            spread = square - mean * mean
        step = grads / (np.sqrt(spread) + group["eps"])
        for momentum in others:
            momentum *= group["momentum"]
            momentum += step
            step = momentum
        values -= step * float(group["lr"])


class Adadelta(ElementwiseOptimizer):
    """``x -= lr * d``, where d is the gradient times the ratio of the root mean squares of earlier d and of gradients
    (Zeiler 2012)."""

    def __init__(self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
                 foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False,
                 differentiable: bool = False) -> None:
        require(0 <= rho <= 1, f"Invalid rho value: {rho}")
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                                  "capturable": capturable, "foreach": foreach, "differentiable": differentiable})

    def slots(self, group: Group) -> Numbers:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        square, moved = slots
        faded(square, grads, group["rho"])
        delta = np.sqrt(moved + group["eps"]) / np.sqrt(square + group["eps"]) * grads
        faded(moved, delta, group["rho"])
        values -= delta * float(group["lr"])


class Rprop(ElementwiseOptimizer):
    """Steps whose sizes grow while the sign of the gradient stays, and shrink when it changes (Riedmiller and Braun 1993)."""

    def __init__(self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False) -> None:
        require(0 < etas[0] < 1 < etas[1], f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
                                  "differentiable": differentiable, "capturable": capturable})

    def slots(self, group: Group) -> Numbers:
        return {"prev": 0.0, "step_size": float(group["lr"])}

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        previous, sizes = slots
        change = grads * previous
        shrink, grow = group["etas"]
        sizes *= np.where(change > 0, grow, np.where(change < 0, shrink, 1)).astype(sizes.dtype)
        np.clip(sizes, *group["step_sizes"], out=sizes)
        previous[...] = np.where(change < 0, np.zeros((), grads.dtype), grads)
        values -= np.sign(previous) * sizes


class ASGD(ElementwiseOptimizer):
    """Gradient descent with steps that shrink, and the average of the values since step `t0` in the state as "ax" (Polyak and
    Juditsky 1992)."""

    def __init__(self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
                 weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                                  "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                                  "capturable": capturable})

    def scalars(self, group: Group) -> Numbers:
        return {"step": 0.0, "eta": float(group["lr"]), "mu": 1.0}

    def slots(self, group: Group) -> Numbers:
        return {"ax": 0.0}

    def advance(self, group: Group, scalars: Numbers, is_fresh: bool) -> tuple[float, float]:
        step = scalars["step"] = scalars["step"] + 1
        now = single(scalars["eta"]), scalars["mu"]
        lr = float(group["lr"])
        scalars["eta"] = single(lr / (1 + group["lambd"] * lr * step) ** group["alpha"])
        scalars["mu"] = single(1 / max(1, step - group["t0"]))
        return now

    def update(self, group: Group, facts: tuple[float, float], values: Array, grads: Array, *slots: Array) -> None:
        eta, mu = facts
        values *= 1 - group["lambd"] * eta
        values -= grads * eta
        mixed_in(slots[0], values, mu)
