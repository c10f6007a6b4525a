"""`autograd.grad` and `backward(inputs=...)` run, free, and call the hooks of, only what lies between outputs and inputs.

Every program runs in PyTorch, too, and must do the same.
"""

from typing import Any

import pytest
from alongside import check, check_error
from test_core_autograd import leaf

SECOND_TIME = "Trying to backward through the graph a second time"


def test_the_graph_below_a_computed_input_stays() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        dy, = t.autograd.grad((y * y).sum(), y)
        y.sum().backward()
        return dy, x.grad
    check(f, [[2.0, 8.0], [2.0, 4.0]])


def test_the_graph_above_it_is_freed() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        z = (y * y).sum()
        t.autograd.grad(z, y)
        return t.autograd.grad(z, y)
    check_error(f, RuntimeError, SECOND_TIME)


def test_a_branch_that_leads_to_no_input_stays() -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        side = w * w
        dx, = t.autograd.grad((x * side).sum(), x)
        side.sum().backward()
        return dx, w.grad, x.grad
    check(f)


def test_a_branch_that_was_run_is_freed() -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        side = w * w
        t.autograd.grad((x * side).sum(), [x, w])
        side.sum().backward()
    check_error(f, RuntimeError, SECOND_TIME)


@pytest.mark.parametrize("create_graph", [False, True])
def test_hooks_below_and_beside_are_not_called(create_graph: bool) -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        calls = []
        below, side = x * x, w * w
        y = below * 2
        above = y * side
        for name, tensor in (("below", below), ("side", side), ("above", above), ("input", y), ("leaf", x)):
            tensor.register_hook(lambda grad, name=name: calls.append(name))
        dy, = t.autograd.grad(above.sum(), y, create_graph=create_graph)
        return dy.detach(), [["above", "input"].index(name) for name in calls]
    check(f)


def test_an_input_below_another_input() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        z = y * y
        out = (z * 3).sum()
        return t.autograd.grad(out, [y, z, x])
    check(f)


def test_an_input_that_is_an_output() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = (x * x).sum()
        dy, = t.autograd.grad(y, y)
        y.backward()
        return dy, x.grad
    check(f)


def test_backward_into_computed_and_leaf_inputs() -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        y = x * x
        y.retain_grad()
        (y * w * w).sum().backward(inputs=[y, w], retain_graph=True)  # PyTorch calls the node of a computed input nevertheless
        y.sum().backward()
        return y.grad, w.grad, x.grad
    check(f)


def test_backward_into_some_leaves_leaves_the_others_alone() -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        (x * x * w).sum().backward(inputs=[w])
        return x.grad is None, w.grad
    check(f)


@pytest.mark.parametrize("create_graph", [False, True])
def test_across_segments(create_graph: bool) -> None:
    """Reading a value, and the limit of a segment, make a graph of several segments."""
    def f(t: Any) -> Any:
        x, w = leaf(t, 0.5, 2.0), leaf(t, 3.0, 5.0)
        y = x * x
        with t.no_grad():
            y.tolist()
        z = y * w
        z.tolist()
        with t.no_grad():
            z + 1
        side = w * w
        for _ in range(4500):
            side = side * 1.0
        out = (z * z * side).sum()
        dz, = t.autograd.grad(out, z, create_graph=create_graph, retain_graph=False)
        (y.sum() + w.sum()).backward()
        return dz.detach(), x.grad, w.grad
    check(f)


@pytest.mark.parametrize("create_graph", [False, True])
def test_through_functions(create_graph: bool) -> None:
    def f(t: Any) -> Any:
        calls = []

        class Double(t.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any, name: int) -> Any:
                ctx.name = name
                ctx.save_for_backward(x)
                return x * 2

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                calls.append(ctx.name)
                _ = ctx.saved_tensors
                return grad * 2, None
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        y = Double.apply(x, 1)
        side = Double.apply(w, 2)
        above = Double.apply(y * side, 3)
        dy, = t.autograd.grad(above.sum(), y, create_graph=create_graph, retain_graph=False)
        first = list(calls)
        (y.sum() + side.sum()).backward()
        return dy.detach(), first, x.grad, w.grad
    check(f)


def test_second_derivatives_with_respect_to_computed_tensors() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        dy, = t.autograd.grad((y * y * y).sum(), y, create_graph=True)
        ddy, = t.autograd.grad(dy.sum(), y, retain_graph=True)
        dy.sum().backward()
        return dy.detach(), ddy, x.grad
    check(f)


def test_unused_inputs() -> None:
    def f(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        y, u = x * x, w * w
        found = t.autograd.grad((y * 2).sum(), [u, y], allow_unused=True)
        u.sum().backward()
        y.sum().backward()
        return found[0] is None, found[1], w.grad, x.grad
    check(f)


def test_large_values_and_operations_of_many_operands() -> None:
    def f(t: Any) -> Any:
        x = t.linspace(0.1, 1.0, 3000, dtype=t.float64).requires_grad_()
        w = t.linspace(1.0, 2.0, 3000, dtype=t.float64).requires_grad_()
        y = t.lerp(x, w * w, x * 0.5)
        z = t.cat([y, w * w, t.where(y > 0.5, y, w * 2)])
        dy, = t.autograd.grad((z * z).sin().sum(), y)
        (y.sum() + (w * w).sum()).backward()
        return dy, x.grad, w.grad
    check(f)
