"""L-BFGS: a quasi-Newton method that knows the curvature from its last steps."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from tapediff import inplace
from tapediff.grad_modes import enable_grad, no_grad
from tapediff.optim.optimizer import Optimizer, require
from tapediff.optim.packs import gradient_array
from tapediff.tensor import Tensor, of_array

__all__ = ["LBFGS"]

Array = np.ndarray[Any, Any]


class Point(NamedTuple):
    """What is known at one step along a direction: loss, gradient, and slope along the direction."""

    step: float
    loss: float
    gradient: Array
    slope: float


class LBFGS(Optimizer):
    """Steps to the minimum of a quadratic model whose curvature is that of the last `history_size` steps (Liu and Nocedal 1989).

    `step` needs a closure, which it calls several times. line_search_fn is None for steps of length `lr`, or "strong_wolfe".

    >>> import tapediff as td
    >>> from tapediff import optim
    >>> x = td.tensor([3., -2.], requires_grad=True)
    >>> newton = optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     newton.zero_grad()
    ...     loss = ((x - 1) ** 2 * td.tensor([1., 10.])).sum()
    ...     loss.backward()
    ...     return loss
    >>> newton.step(closure)
    tensor(94., grad_fn=<SumBackward0>)
    >>> bool(((x - 1).abs() < 1e-4).all())
    True
    """

    def __init__(self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
                 tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None) -> None:
        require(float(lr) >= 0, f"Invalid learning rate: {lr}")
        super().__init__(params, {"lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                                  "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                                  "history_size": history_size, "line_search_fn": line_search_fn})
        require(len(self.param_groups) == 1, "LBFGS doesn't support per-parameter options (parameter groups)")

    # --- parameters as one vector -----------------------------------------------------------------------------------------------

    def _gradient(self) -> Array:
        parameters = self.param_groups[0]["params"]
        found = [(parameter, gradient_array(parameter)) for parameter in parameters]
        return np.concatenate([np.zeros(parameter.numel(), parameter.dtype.numpy) if grad is None else grad.reshape(-1)
                               for parameter, grad in found])

    def _values(self) -> Array:
        return np.concatenate([parameter._array().reshape(-1) for parameter in self.param_groups[0]["params"]])

    def _set(self, values: Array) -> None:
        start = 0
        for parameter in self.param_groups[0]["params"]:
            part = values[start:start + parameter.numel()].reshape(parameter.spec.shape)
            inplace.write(parameter, lambda array, part=part: np.copyto(array, part))  # type: ignore[misc]
            start += parameter.numel()

    # --- one step ---------------------------------------------------------------------------------------------------------------

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        """Take at most `max_iter` steps; returns the loss before the first.

        `closure` sets the gradients to zero, computes the loss and its gradients, and returns the loss.
        """
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[Any, float]:
            with enable_grad():
                loss = closure()
            state["func_evals"] += 1
            return loss, float(loss)

        first, loss = evaluate()
        gradient = self._gradient()
        if largest(gradient) <= group["tolerance_grad"]:
            return first
        memory = Memory(state, group["history_size"])
        evaluations = 1
        for count in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = memory.direction(gradient, state["n_iter"] == 1)
            before, previous_loss = gradient, loss
            length = float(group["lr"]) * (min(1.0, 1.0 / float(np.abs(gradient).sum())) if state["n_iter"] == 1 else 1.0)
            slope = float(gradient @ direction)
            memory.keep(before, direction, length)
            if slope > -group["tolerance_change"]:
                break
            start = self._values()
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")

                def look(step: float, start: Array = start, direction: Array = direction) -> Point:
                    self._set(start + direction * start.dtype.type(step))
                    value = evaluate()[1]
                    found = self._gradient()
                    return Point(step, value, found, float(found @ direction))

                earlier = state["func_evals"]
                chosen = strong_wolfe(look, Point(0.0, loss, gradient, slope), length, largest(direction),
                                      most=group["max_eval"] - evaluations)
                evaluations += state["func_evals"] - earlier
                length, loss, gradient = chosen.step, chosen.loss, chosen.gradient
                memory.keep(before, direction, length)
                self._set(start + direction * start.dtype.type(length))
            else:
                self._set(start + direction * start.dtype.type(length))
                if count < group["max_iter"]:
                    loss = evaluate()[1]
                    gradient = self._gradient()
                    evaluations += 1
            if (count == group["max_iter"] or evaluations >= group["max_eval"] or largest(gradient) <= group["tolerance_grad"]
                or largest(direction) * abs(length) <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]):
                break
        memory.save(state, previous_loss)
        return first


def largest(values: Array) -> float:
    """The largest magnitude."""
    return float(np.abs(values).max()) if values.size else 0.0


class Memory:
    """The last steps and changes of the gradient, from which a direction follows."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.changes = [tensor._array() for tensor in state.get("old_dirs", ())]
        self.steps = [tensor._array() for tensor in state.get("old_stps", ())]
        self.inverses = [float(number) for number in state.get("ro", ())]
        self.scale = float(state.get("H_diag", 1))
        self.gradient: Any = read(state.get("prev_flat_grad"))
        self.last: Any = read(state.get("d"))
        self.length = float(state.get("t", 0))

    def keep(self, gradient: Array, direction: Array, length: float) -> None:
        """Remember where the last step began and where it went."""
        self.gradient, self.last, self.length = gradient, direction, length

    def direction(self, gradient: Array, is_first: bool) -> Array:
        """The inverse of the model's curvature times the negative gradient, by the two loops."""
        if is_first:
            self.changes, self.steps, self.inverses, self.scale = [], [], [], 1.0
            return -gradient
        change, step = gradient - self.gradient, self.last * gradient.dtype.type(self.length)
        curvature = float(change @ step)
        if curvature > 1e-10:
            if len(self.changes) == self.size:
                del self.changes[0], self.steps[0], self.inverses[0]
            self.changes.append(change)
            self.steps.append(step)
            self.inverses.append(1.0 / curvature)
            self.scale = curvature / float(change @ change)
        vector = -gradient
        shares = []
        for change, step, inverse in zip(reversed(self.changes), reversed(self.steps), reversed(self.inverses)):
            share = float(step @ vector) * inverse
            shares.append(share)
            vector -= change * change.dtype.type(share)
        vector = vector * vector.dtype.type(self.scale)
        for change, step, inverse, share in zip(self.changes, self.steps, self.inverses, reversed(shares)):
            vector += step * step.dtype.type(share - float(change @ vector) * inverse)
        return vector

    def save(self, state: dict[str, Any], loss: float) -> None:
        """Write all of it into an optimizer's state."""
        scalar = lambda number: of_array(np.asarray(number, self.gradient.dtype))  # noqa: E731
        state.update(d=of_array(self.last), t=self.length, old_dirs=[of_array(one) for one in self.changes],
                     old_stps=[of_array(one) for one in self.steps], ro=[scalar(number) for number in self.inverses],
                     H_diag=scalar(self.scale), prev_flat_grad=of_array(self.gradient), prev_loss=loss)


def read(value: Any) -> Any:
    """A tensor as an array."""
    return value._array() if isinstance(value, Tensor) else value


# --- line search ----------------------------------------------------------------------------------------------------------------

def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two losses and slopes is least, within bounds (Nocedal and Wright, equation 3.59).

    >>> nothing = np.zeros(1)
    >>> cubic_minimum(Point(0., 1., nothing, -2.), Point(2., 1., nothing, 2.))
    1.0
    """
    low, high = bounds if bounds is not None else (min(a.step, b.step), max(a.step, b.step))
    first = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = first * first - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    root = sqrt(square)
    left, right = (a, b) if a.step <= b.step else (b, a)
    at = right.step - (right.step - left.step) * ((right.slope + root - first) / (right.slope - left.slope + 2 * root))
    return min(max(at, low), high)


def strong_wolfe(look: Callable[[float], Point], start: Point, step: float, reach: float, decrease: float = 1e-4,
                 flatness: float = 0.9, tolerance: float = 1e-9, most: int = 25) -> Point:
    """A step along a direction that lowers the loss enough and makes the slope flat enough (Nocedal and Wright, section 3.5).

    look   evaluates a step; `start` is step 0; reach: the largest magnitude in the direction; most: how many steps are tried
    """

    def is_high(point: Point) -> bool:
        return point.loss > start.loss + decrease * point.step * start.slope

    def is_flat(point: Point) -> bool:
        return abs(point.slope) <= -flatness * start.slope

    previous, point, count = start, look(step), 0
    bracket = [start, point]
    while count < most:
        if is_high(point) or (count > 1 and point.loss >= previous.loss):
            bracket = [previous, point]
            break
        if is_flat(point):
            return point
        if point.slope >= 0:
            bracket = [previous, point]
            break
        bounds = (point.step + 0.01 * (point.step - previous.step), point.step * 10)
        following = look(cubic_minimum(previous, point, bounds))
        previous, point = point, following
        count += 1
    else:
        bracket = [start, point]
    return zoomed(look, bracket, is_high, is_flat, reach, tolerance, most - count)


def zoomed(look: Callable[[float], Point], bracket: list[Point], is_high: Callable[[Point], bool],
           is_flat: Callable[[Point], bool], reach: float, tolerance: float, most: int) -> Point:
    """The best step found while a bracket around a minimum is narrowed."""
    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    was_slow = False
    for _ in range(most):
        ends = [point.step for point in bracket]
        if abs(ends[1] - ends[0]) * reach < tolerance:
            break
        step = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (max(ends) - min(ends))
        is_slow = min(max(ends) - step, step - min(ends)) < margin
        if is_slow and (was_slow or step >= max(ends) or step <= min(ends)):
            step = max(ends) - margin if abs(step - max(ends)) < abs(step - min(ends)) else min(ends) + margin
            is_slow = False
        was_slow = is_slow
        point = look(step)
        if is_high(point) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        is_done = is_flat(point)
        if not is_done and point.slope * (bracket[1 - low].step - bracket[low].step) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
        if is_done:
            break
    return bracket[low]
