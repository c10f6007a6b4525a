"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from tapediff.optim.elementwise import Array, ElementwiseOptimizer, Numbers
from tapediff.optim.optimizer import Group, require

__all__ = ["SGD"]


class SGD(ElementwiseOptimizer):
    """``x -= lr * v``, where v is the gradient, or with momentum ``v = momentum * v + (1 - dampening) * gradient``.

    >>> import tapediff as td
    >>> from tapediff import optim
    >>> x = td.tensor([1., 2.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> optim.SGD([x], lr=0.25).step()
    >>> x
    tensor([0.5000, 1.0000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: Any = 0,
                 nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        require(not nesterov or (momentum > 0 and dampening == 0), "Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
                                  "differentiable": differentiable, "fused": fused})

    def scalars(self, group: Group) -> Numbers:
        return {}

    def slots(self, group: Group) -> Numbers:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def advance(self, group: Group, scalars: Numbers, is_fresh: bool) -> bool:
        return is_fresh

    def update(self, group: Group, facts: bool, values: Array, grads: Array, *slots: Array) -> None:
        for momentum in slots:
            if facts:  # the first step takes the whole gradient
                momentum[...] = grads
            else:
                momentum *= float(group["momentum"])
                momentum += grads * (1 - float(group["dampening"]))
            grads = grads + momentum * float(group["momentum"]) if group["nesterov"] else momentum
        values -= grads * float(group["lr"])
