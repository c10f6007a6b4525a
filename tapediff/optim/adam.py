"""Adam and its family: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from tapediff.optim.elementwise import Array, ElementwiseOptimizer, Numbers, mixed_in, single
from tapediff.optim.optimizer import Group, require

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def follow(average: Array, square: Array, grads: Array, betas: tuple[Any, Any]) -> None:
    """Move the running averages of the gradient and of its square, in place."""
    first, second = map(float, betas)
    mixed_in(average, grads, 1 - first)
    square *= second
    grads = grads * grads
    grads *= 1 - second
    square += grads


class Moments(ElementwiseOptimizer):
    """What they have in common: running averages of the gradient and of its square."""

    def slots(self, group: Group) -> Numbers:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}


class Adam(Moments):
    """``x -= lr * m / (sqrt(v) + eps)``: m and v are running averages of the gradient and its square, freed of their bias towards
    the start (Kingma and Ba 2015).

    >>> import tapediff as td
    >>> from tapediff import optim
    >>> x = td.tensor([1., 2.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> optim.Adam([x], lr=0.25).step()
    >>> x
    tensor([0.7500, 1.7500], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                                  "maximize": maximize, "foreach": foreach, "capturable": capturable,
                                  "differentiable": differentiable, "fused": fused,
                                  "decoupled_weight_decay": decoupled_weight_decay})

    def slots(self, group: Group) -> Numbers:
        return {**super().slots(group), **({"max_exp_avg_sq": 0.0} if group["amsgrad"] else {})}

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        average, square, *largest = slots
        follow(average, square, grads, group["betas"])
        for most in largest:
            square = np.maximum(most, square, out=most)
        first, second = (1 - float(beta) ** facts for beta in group["betas"])
        spread = np.sqrt(square)
        spread /= sqrt(second)
        spread += group["eps"]
        step = average * (-float(group["lr"]) / first)
        step /= spread
        values += step


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters and leaves the gradient alone (Loshchilov and Hutter 2019)."""

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
                         differentiable=differentiable, fused=fused, decoupled_weight_decay=True)


class Adamax(ElementwiseOptimizer):
    """Adam with the largest of the faded gradients in the place of their root mean square (Kingma and Ba 2015)."""

    def __init__(self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    def slots(self, group: Group) -> Numbers:
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        average, largest = slots
        first, second = group["betas"]
        mixed_in(average, grads, 1 - first)
        largest *= second
        np.maximum(largest, np.abs(grads) + group["eps"], out=largest)
        values -= average * (float(group["lr"]) / (1 - first ** facts)) / largest


class NAdam(Moments):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    def __init__(self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        require(momentum_decay >= 0, f"Invalid momentum_decay value: {momentum_decay}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                                  "maximize": maximize, "foreach": foreach, "capturable": capturable,
                                  "differentiable": differentiable})

    def scalars(self, group: Group) -> Numbers:
        return {"step": 0.0, "mu_product": 1.0}

    def advance(self, group: Group, scalars: Numbers, is_fresh: bool) -> tuple[float, float, float]:
        step = scalars["step"] = scalars["step"] + 1
        now, then = (group["betas"][0] * (1 - 0.5 * 0.96 ** (count * group["momentum_decay"])) for count in (step, step + 1))
        product = scalars["mu_product"] = single(scalars["mu_product"] * single(now))
        lr = float(group["lr"])
        return lr * (1 - now) / (1 - product), lr * then / (1 - product * then), 1 - group["betas"][1] ** step

    def update(self, group: Group, facts: tuple[float, float, float], values: Array, grads: Array, *slots: Array) -> None:
        average, square = slots
        follow(average, square, grads, group["betas"])
        spread = np.sqrt(square / facts[2])
        spread += group["eps"]
        values -= grads * facts[0] / spread
        values -= average * facts[1] / spread


class RAdam(Moments):
    """Adam whose divisor waits until its variance is known well enough (Liu et al. 2020)."""

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                                  "foreach": foreach, "capturable": capturable,
                                  "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable})

    def update(self, group: Group, facts: float, values: Array, grads: Array, *slots: Array) -> None:
        average, square = slots
        follow(average, square, grads, group["betas"])
        first, second = (1 - beta ** facts for beta in group["betas"])
        step = average * (float(group["lr"]) / first)
        final = 2 / (1 - group["betas"][1]) - 1
        length = final - 2 * facts * (1 - second) / second
        if length > 5:
            rectified = sqrt((length - 4) * (length - 2) * final / ((final - 4) * (final - 2) * length))
            step *= rectified * sqrt(second)
            step /= np.sqrt(square) + group["eps"]
        values -= step
