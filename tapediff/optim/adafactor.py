"""Adafactor (Shazeer and Stern 2018): squared gradients of a matrix kept as the means of its rows and of its columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tapediff import dtypes
from tapediff.functions.registry import FUNCTIONS
from tapediff.grad_modes import enable_grad, no_grad
from tapediff.optim.optimizer import Group, Optimizer, require
from tapediff.tensor import Tensor

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """``x -= a * u``, where u is the gradient over the root of its running mean square, cut to a root mean square of d.

    Step t forgets ``t**beta2_decay`` of the running means, and ``a = max(eps[1], rms(x)) * min(lr, 1 / sqrt(t))``. Of a matrix
    (or each of several) the mean squares are row mean times column mean, over the mean of all.

    eps  the least mean square, as a root (None: of the dtype), and the least size of the parameters
    d    at most the root mean square of u

    >>> import tapediff as td
    >>> x = td.ones(2, 2, requires_grad=True)
    >>> optimizer = Adafactor([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([[0.9000, 0.9000],
            [0.9000, 0.9000]], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3),
                 d: float = 1.0, weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False) -> None:
        require(lr >= 0, f"Learning rate should be >= 0 but is: {lr}")
        require(beta2_decay <= 0, f"beta2_decay should be <= 0 but is: {beta2_decay}")
        require(eps[0] is None or eps[0] >= 0, f"epsilon1 should be >= 0 but is: {eps[0]}")
        require(eps[1] >= 0, f"epsilon2 should be >= 0 but is: {eps[1]}")
        require(d >= 1, f"Clipping threshold d should be >= 1 but is: {d}")
        require(weight_decay >= 0, f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
                                  "foreach": foreach, "maximize": maximize})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure`, if given, first computes the loss and the gradients anew."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._update(parameter, group)
        return loss

    def _update(self, x: Tensor, group: Group) -> None:
        grad: Any = x.grad
        if group["maximize"]:
            grad = -grad
        state = self.state[x]
        if not state:
            state.update(fresh_state(grad))
        state["step"] += 1
        count, lr = state["step"].item(), float(group["lr"])
        least, smallest = group["eps"]
        least = SPACING[x.spec.dtype] if least is None else least
        pace = max(smallest, root_mean_square(x)) * min(lr, 1 / math.sqrt(count))
        if group["weight_decay"]:
            x.mul_(1 - lr * group["weight_decay"])
        mean_square = follow(state, grad * grad, count ** group["beta2_decay"], least)
        update = grad * mean_square.clamp(min=least * least).rsqrt()
        x.sub_(update * (pace / max(1.0, root_mean_square(update) / group["d"])))


SPACING = {dtype: dtypes.finfo(dtype).eps for dtype in (dtypes.float32, dtypes.float64)}


def root_mean_square(x: Tensor) -> float:
    """The root of the mean of squares."""
    return float(x.norm().item()) / math.sqrt(x.spec.size) if x.spec.size else 0.0


def fresh_state(grad: Tensor) -> dict[str, Tensor]:
    """Nothing seen yet."""
    zeros, shape, dtype = FUNCTIONS["zeros"], grad.spec.shape, grad.spec.dtype
    state: dict[str, Tensor] = {"step": FUNCTIONS["tensor"](0.0)}
    if len(shape) < 2:
        return {**state, "variance": zeros(shape, dtype=dtype)}
    return {**state, "row_var": zeros((*shape[:-1], 1), dtype=dtype),
            "col_var": zeros((*shape[:-2], 1, shape[-1]), dtype=dtype)}


def follow(state: dict[str, Tensor], squares: Tensor, share: float, least: float) -> Tensor:
    """Move the running means towards new squares; returns the mean square of each element."""
    if "variance" in state:
        state["variance"].lerp_(squares, share)
        return state["variance"]
    rows, columns = state["row_var"], state["col_var"]
    rows.lerp_(squares.mean(-1, keepdim=True), share)
    columns.lerp_(squares.mean(-2, keepdim=True), share)
    return rows @ columns / rows.mean(-2, keepdim=True).clamp(min=least)
