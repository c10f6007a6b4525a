"""What backward, grad, hooks and Function promise, claim by claim, beside PyTorch where it is installed."""

import math
import threading
from typing import Any

import mpmath
import numpy as np
import pytest
from alongside import check, check_error

import tapediff as td


def leaf(t: Any, *values: float) -> Any:
    return t.tensor(values or 3.0, dtype=t.float64, requires_grad=True)


# --- leaves, .grad --------------------------------------------------------------------------------------------------------------

def test_grad_accumulates_over_passes() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        for _ in range(3):
            (x * x).sum().backward()
        return x.grad
    check(f, [6.0, 12.0])


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, 2.0)], ids=["scalar", "one element", "vector"])
def test_grad_set_to_none_starts_anew(values: tuple[float, ...]) -> None:
    def f(t: Any) -> Any:
        x = leaf(t, *values)
        (x * 2).sum().backward()
        first = x.grad
        x.grad = None
        (x * 5).sum().backward()
        return first, x.grad
    check(f)


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, 2.0)], ids=["scalar", "one element", "vector"])
def test_zeroed_grad_is_the_tensor_that_backward_adds_to(values: tuple[float, ...]) -> None:
    def f(t: Any) -> Any:
        x = leaf(t, *values)
        (x * 2).sum().backward()
        kept = x.grad
        x.grad.zero_()
        (x * 5).sum().backward()
        return kept, x.grad, kept is x.grad
    check(f)


@pytest.mark.parametrize("values", [(), (1.0, 2.0)], ids=["scalar", "vector"])
def test_what_was_computed_from_grad_keeps_its_value_when_grad_grows(values: tuple[float, ...]) -> None:
    def f(t: Any) -> Any:
        x = leaf(t, *values)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        doubled = x.grad * 2
        with t.no_grad():
            more = x.grad + 1
        y.backward()
        return doubled, more, x.grad
    check(f)


def test_assigned_grad_is_added_to() -> None:
    def f(t: Any) -> Any:
        x, s = leaf(t, 1.0, 2.0), leaf(t)
        x.grad = t.tensor([10.0, 20.0], dtype=t.float64)
        s.grad = t.tensor(7.0, dtype=t.float64)
        ((x * x).sum() * s).backward()
        return x.grad, s.grad
    check(f, [[16.0, 32.0], 12.0])


def test_grad_of_a_computed_tensor_warns() -> None:
    y = leaf(td) * 2
    with pytest.warns(UserWarning, match=r"The \.grad attribute of a Tensor that is not a leaf"):
        assert y.grad is None


def test_leaves_are_what_the_user_made_and_what_needs_no_gradient() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0)
        with t.no_grad():
            quiet = x * 2
        return [v.is_leaf for v in (x, x * 2, quiet, x.detach(), t.zeros(2) + 1)]
    check(f, [True, False, True, True, True])


def test_grad_has_no_history() -> None:
    x = leaf(td, 1.0, 2.0)
    (x * x).sum().backward()
    assert x.grad is not None
    assert (x.grad.requires_grad, x.grad.grad_fn) == (False, None)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_only_floating_tensors_require_grad(dtype: str) -> None:
    check_error(lambda t: t.tensor([1, 0], dtype=getattr(t, dtype), requires_grad=True), RuntimeError, "floating point")
    check_error(lambda t: t.zeros(2, dtype=getattr(t, dtype)).requires_grad_(), RuntimeError, "floating point")


def test_computed_tensors_cannot_cease_to_require_grad() -> None:
    check_error(lambda t: (leaf(t) * 2).requires_grad_(False), RuntimeError,
        "you can only change requires_grad flags of leaf variables")


def test_requires_grad_changed_between_uses() -> None:
    def f(t: Any) -> Any:
        x = t.tensor([1.0, 2.0], dtype=t.float64)
        before = x * 3
        x.requires_grad_()
        during = x * 5
        x.requires_grad_(False)
        after = x * 7
        during.sum().backward()
        return before.requires_grad, during.requires_grad, after.requires_grad, x.grad
    check(f, [False, True, False, None])


# --- backward: arguments and errors ---------------------------------------------------------------------------------------------

def test_weights_make_a_vector_jacobian_product() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        (x * x).backward(t.tensor([1.0, 10.0], dtype=t.float64))
        return x.grad
    check(f, [2.0, 40.0])


@pytest.mark.parametrize(("call", "phrase"), [
    (lambda t: (leaf(t, 1.0, 2.0) * 2).backward(), "grad can be implicitly created only for scalar outputs"),
    (lambda t: (leaf(t, 1.0, 2.0) * 2).backward(t.ones(3)), "Mismatch in shape"),
    (lambda t: t.tensor(1.0).backward(), "element 0 of tensors does not require grad and does not have a grad_fn"),
    (lambda t: t.autograd.grad(t.tensor(1.0), leaf(t)), "element 0 of tensors does not require grad and does not have a grad_fn"),
    (lambda t: t.autograd.grad(leaf(t) * 2, leaf(t)), "appears to not have been used in the graph"),
    (lambda t: t.autograd.grad(leaf(t) * 2, t.tensor(1.0)), "One of the differentiated Tensors does not require grad"),
    (lambda t: (leaf(t) * 2).backward(inputs=[]), "cannot be empty"),
    (lambda t: (leaf(t) * 2).numpy(), "Can't call numpy() on Tensor that requires grad"),
    (lambda t: t.tensor(1.0).retain_grad(), "can't retain_grad on Tensor that has requires_grad=False"),
    (lambda t: t.tensor(1.0).register_hook(print), "cannot register a hook on a tensor that doesn't require gradient"),
], ids=lambda case: case if isinstance(case, str) else "")
def test_errors_say_what_pytorch_says(call: Any, phrase: str) -> None:
    check_error(call, RuntimeError, phrase)


@pytest.mark.parametrize("f", [lambda x: x.exp().sum(), lambda x: (x * x).sum(), lambda x: (x / (x + 1)).sin().sum(),
    lambda x: x[0] * x[1]])
def test_second_backward_raises(f: Any) -> None:
    def second(t: Any) -> None:
        y = f(leaf(t, 1.0, 2.0))
        y.backward()
        y.backward()
    check_error(second, RuntimeError, "Trying to backward through the graph a second time")


def test_second_backward_through_what_saved_nothing_accumulates() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = (x + 1)[0]
        y.backward()
        y.backward()
        return x.grad
    check(f, [2.0, 0.0])


def test_shared_part_used_up_by_one_root_is_gone_for_the_other() -> None:
    def f(t: Any) -> None:
        x = leaf(t, 1.0, 2.0)
        shared = x.exp()
        a, b = shared.sum(), (shared * 2).sum()
        a.backward()
        b.backward()
    check_error(f, RuntimeError, "a second time")


def test_roots_in_one_call_share_the_graph() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        shared = x.exp()
        t.autograd.backward([shared.sum(), (shared * shared).sum()])
        return x.grad
    check(f)


def test_retained_graph_serves_again() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = (x.exp() * x).sum()
        y.backward(retain_graph=True)
        first = x.grad.clone()
        y.backward(retain_graph=True)
        y.backward()
        return first, x.grad
    check(f)


def test_backward_in_the_middle_of_a_graph_that_goes_on() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        a = x * x
        a.sum().backward(retain_graph=True)
        b = a * x
        b.sum().backward()
        return x.grad
    check(f, [2.0 + 3.0, 4.0 + 12.0])


def test_inputs_alone_get_gradients() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), leaf(t, 5.0, 6.0)
        product = x * y
        product.sum().backward(inputs=[x, product])
        return x.grad, y.grad, product.grad
    check(f)


def test_backward_from_a_leaf() -> None:
    def f(t: Any) -> Any:
        x = leaf(t)
        x.backward()
        return x.grad
    check(f, 1.0)


def test_backward_on_a_vector_of_one_element_needs_no_weights() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 3.0)
        (x * x).backward()
        return x.grad
    check(f, [6.0])


def test_unreached_leaves_have_no_grad() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0), leaf(t, 2.0)
        unused = x * y
        (x * 3).sum().backward()
        return x.grad, y.grad, unused.requires_grad
    check(f)


# --- autograd.grad --------------------------------------------------------------------------------------------------------------

def test_grad_leaves_dot_grad_alone() -> None:
    def f(t: Any) -> Any:
        x, s = leaf(t, 1.0, 2.0), leaf(t)
        found = t.autograd.grad((x * x).sum() * s, [x, s])
        return found, x.grad, s.grad
    check(f)


def test_grad_of_several_outputs_with_weights() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), leaf(t)
        return t.autograd.grad([x * y, x.sum() * y * y], [x, y], [t.tensor([1.0, -1.0], dtype=t.float64), None])
    check(f)


def test_unused_inputs_give_none_or_zeros() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0)
        z = (x * x).sum()
        return (t.autograd.grad(z, [x, y], allow_unused=True, retain_graph=True), t.autograd.grad(z, [x, y],
            materialize_grads=True))
    check(f)


def test_grad_with_respect_to_a_computed_tensor() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 3
        z = (y * y).sum()
        return t.autograd.grad(z, [y, x], retain_graph=True), t.autograd.grad(z, y)
    check(f)


def test_same_input_twice() -> None:
    check(lambda t: t.autograd.grad(*next((x * x, [x, x]) for x in [leaf(t)])), [6.0, 6.0])


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_derivatives_of_any_order(order: int) -> None:
    x = leaf(td)
    y = x.sin() * x**3
    for _ in range(order):
        y, = td.autograd.grad(y, x, create_graph=True)
    assert math.isclose(y.item(), float(mpmath.diff(lambda s: mpmath.sin(s) * s**3, 3, order)), rel_tol=1e-8)


def test_create_graph_through_dot_grad() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        (x**3).sum().backward(create_graph=True)
        first = x.grad
        x.grad = None
        (first * first).sum().backward()
        return first, x.grad
    check(f)


def test_gradient_penalty() -> None:
    def f(t: Any) -> Any:
        w, x = leaf(t, 0.5, -1.0), leaf(t, 1.0, 2.0)
        score = (w * x).sum().tanh()
        slope, = t.autograd.grad(score, x, create_graph=True)
        ((slope * slope).sum() - 1).pow(2).backward()
        return w.grad, x.grad
    check(f)


# --- hooks ----------------------------------------------------------------------------------------------------------------------

def test_hooks_see_complete_gradients_and_may_replace_them() -> None:
    def f(t: Any) -> Any:
        seen: list[Any] = []
        x = leaf(t, 1.0, 2.0)
        y = x * 3

        def hook(grad: Any) -> Any:
            seen.append(grad.tolist())
            return grad * 10
        y.register_hook(hook)
        (y * y + y).sum().backward()
        return seen, x.grad
    check(f)


def test_hooks_run_in_order_and_each_sees_what_the_last_returned() -> None:
    def f(t: Any) -> Any:
        seen: list[Any] = []
        x = leaf(t, 1.0)
        x.register_hook(lambda grad: grad + 1)
        x.register_hook(lambda grad: seen.append(grad.tolist()))
        handle = x.register_hook(lambda grad: grad * 100)
        handle.remove()
        (x * 2).sum().backward()
        return seen, x.grad
    check(f, [[[3.0]], [3.0]])


@pytest.mark.parametrize("values", [(), (1.0, 2.0)], ids=["scalar", "vector"])
def test_a_leaf_hook_is_called_once_per_pass(values: tuple[float, ...]) -> None:
    def f(t: Any) -> Any:
        calls: list[int] = []
        x = leaf(t, *values)
        x.register_hook(lambda grad: calls.append(1))
        y = x * 2
        (y * x + x).sum().backward()
        (x * 2).sum().backward()
        return len(calls), x.grad
    check(f)


def test_a_hook_that_runs_backward_itself_disturbs_nothing() -> None:
    def f(t: Any) -> Any:
        leaves = [leaf(t, 1.0, 2.0, 3.0) for _ in range(3)]

        def hook(grad: Any) -> None:
            with t.enable_grad():
                others = [t.full((50,), 7.0, requires_grad=True) for _ in range(5)]
                (others[0] * others[1] * others[2] * others[3] * others[4]).sum().backward()
        for one in leaves:
            one.register_hook(hook)
        for _ in range(4):
            (leaves[0] * leaves[1] * leaves[1] * leaves[2]).sum().backward()
        return [one.grad for one in leaves]
    check(f)


def test_hooks_record_nothing_in_a_plain_pass() -> None:
    def f(t: Any) -> Any:
        modes: list[bool] = []
        x = leaf(t, 1.0, 2.0)
        y = x * 2
        y.register_hook(lambda grad: modes.append(t.is_grad_enabled()))
        x.register_hook(lambda grad: modes.append(t.is_grad_enabled()))
        y.sum().backward()
        t.autograd.grad((x * 2).sum(), x, create_graph=True)
        return modes
    check(f, [False, False, True])


def test_an_exception_in_a_hook_ends_the_pass_and_leaves_the_tape_usable() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 3
        handle = y.register_hook(lambda grad: 1 / 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                (y * y).sum().backward(retain_graph=True)
        handle.remove()
        (y * y).sum().backward()
        return x.grad
    check(f, [18.0, 36.0])


def test_hook_of_a_wrong_shape_is_refused() -> None:
    x = leaf(td, 1.0, 2.0)
    x.register_hook(lambda grad: grad.sum())
    with pytest.raises(RuntimeError, match="has changed the size of value"):
        (x * 2).sum().backward()


def test_retained_grad_of_a_computed_tensor() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 3
        y.retain_grad()
        y.retain_grad()
        z = (y * y).sum()
        z.backward(retain_graph=True)
        z.backward()
        return y.retains_grad, y.grad, x.grad
    check(f)


def test_retain_grad_sees_what_hooks_return() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 3
        y.retain_grad()
        y.register_hook(lambda grad: grad * 10)
        y.sum().backward()
        return y.grad, x.grad
    check(f)


# --- Function -------------------------------------------------------------------------------------------------------------------

def scaled(t: Any) -> Any:
    """x * factor and x * x, with a non-tensor argument and two outputs."""
    class Scaled(t.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            return x * factor, x * y

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            x, y = ctx.saved_tensors
            return first * ctx.factor + second * y, None, second * x if ctx.needs_input_grad[2] else None
    return Scaled


def test_function_with_several_outputs_and_other_arguments() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
        a, b = scaled(t).apply(x, 5.0, y)
        (a.sum() + (b * b).sum()).backward()
        return a, b, x.grad, y.grad, type(a.grad_fn).__name__, a.grad_fn is not None and a.output_nr, b.output_nr
    check(f)


def test_function_gets_zeros_for_outputs_that_nothing_used() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), t.tensor([3.0, 4.0], dtype=t.float64)
        _, b = scaled(t).apply(x, 5.0, y)
        b.sum().backward()
        return x.grad, y.grad
    check(f)


def test_function_gets_none_where_grads_are_not_materialized() -> None:
    def f(t: Any) -> Any:
        class Two(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.set_materialize_grads(False)
                return x * 2, x * 3

            @staticmethod
            def backward(ctx: Any, first: Any, second: Any) -> Any:
                seen.append((first is None, second is None))
                return second * 3
        seen: list[Any] = []
        x = leaf(t, 1.0)
        Two.apply(x)[1].sum().backward()
        return seen, x.grad
    check(f, [[[True, False]], [3.0]])


def test_function_is_differentiated_twice() -> None:
    def f(t: Any) -> Any:
        x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
        _, b = scaled(t).apply(x, 5.0, y)
        dx, = t.autograd.grad((b * b).sum(), x, create_graph=True)
        return dx, t.autograd.grad(dx.sum(), [x, y])
    check(f)


def test_function_may_save_its_output() -> None:
    def f(t: Any) -> Any:
        class Exp(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                return grad * ctx.saved_tensors[0]
        x = leaf(t, 0.5, 1.0)
        y = Exp.apply(x)
        dx, = t.autograd.grad(y.sum(), x, create_graph=True)
        second, = t.autograd.grad(dx.sum(), x)
        return y, dx, second
    check(f)


def test_function_used_up_raises_on_the_second_backward() -> None:
    def f(t: Any) -> None:
        x = leaf(t, 1.0, 2.0)
        y = scaled(t).apply(x, 2.0, x)[1].sum()
        y.backward()
        y.backward()
    check_error(f, RuntimeError, "a second time")


def test_function_changes_its_input_in_place() -> None:
    def f(t: Any) -> Any:
        class Double(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                x.mul_(2)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                return grad * 2
        x = leaf(t, 1.0, 2.0)
        y = x * 3
        z = Double.apply(y)
        (z * z).sum().backward()
        return z, y, z is y, x.grad
    check(f)


def test_function_outputs_without_gradient() -> None:
    def f(t: Any) -> Any:
        class Sorted(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                sign = (x > 0) * 1.0
                ctx.mark_non_differentiable(sign)
                return x * 2, sign

            @staticmethod
            def backward(ctx: Any, grad: Any, unused: Any) -> Any:
                return grad * 2
        x = leaf(t, 1.0, -2.0)
        y, sign = Sorted.apply(x)
        y.sum().backward()
        return y.requires_grad, sign.requires_grad, x.grad
    check(f)


def test_once_differentiable_refuses_a_second_derivative() -> None:
    def f(t: Any) -> Any:
        from importlib import import_module
        once = import_module(t.__name__ + ".autograd.function").once_differentiable

        class Square(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @once
            def backward(ctx: Any, grad: Any) -> Any:
                return 2 * grad * ctx.saved_tensors[0]
        x = leaf(t, 1.0, 2.0)
        dx, = t.autograd.grad(Square.apply(x).pow(2).sum(), x, create_graph=True)
        assert dx.tolist() == [4.0, 32.0]
        dx.sum().backward()
    check_error(f, RuntimeError, "trying to differentiate twice a function that was marked with @once_differentiable")


@pytest.mark.parametrize(("returned", "phrase"), [
    (lambda grad: (grad, grad), "returned an incorrect number of gradients"),
    (lambda grad: grad[:1].expand(3), "returned an invalid gradient at index 0"),
])
def test_function_with_a_wrong_backward_is_told(returned: Any, phrase: str) -> None:
    def f(t: Any) -> None:
        class Wrong(t.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                return x * 2

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                return returned(grad)
        Wrong.apply(leaf(t, 1.0, 2.0)).sum().backward()
    check_error(f, RuntimeError, phrase)


def test_function_under_no_grad_records_nothing() -> None:
    def f(t: Any) -> Any:
        with t.no_grad():
            a, b = scaled(t).apply(leaf(t, 1.0, 2.0), 5.0, leaf(t, 3.0, 4.0))
        return a.requires_grad, b.requires_grad, a, b
    check(f)


def test_function_in_a_chain_of_functions() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x
        for _ in range(20):
            y = scaled(t).apply(y, 0.5, x)[0] + x
        y.sum().backward()
        return y, x.grad
    check(f)


# --- gradcheck ------------------------------------------------------------------------------------------------------------------

def wrong_cube(t: Any, factor: float) -> Any:
    """x**3 whose derivative is wrong by `factor`."""
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * factor * 3 * ctx.saved_tensors[0] ** 2
    return Cube.apply


def test_gradcheck_finds_a_wrong_derivative() -> None:
    x = leaf(td, 1.0, 2.0)
    assert td.autograd.gradcheck(wrong_cube(td, 1.0), x)
    assert not td.autograd.gradcheck(wrong_cube(td, 1.01), x, raise_exception=False)
    with pytest.raises(td.autograd.gradcheck.__globals__["GradcheckError"],
        match="Jacobian mismatch for output 0 with respect to input 0"):
        td.autograd.gradcheck(wrong_cube(td, 1.01), x)


def test_gradgradcheck_finds_a_wrong_second_derivative() -> None:
    class Cube(td.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 3 * ctx.saved_tensors[0] ** 2 if right else grad * 3 * ctx.saved_tensors[0].detach() ** 2
    right = True
    assert td.autograd.gradgradcheck(Cube.apply, leaf(td, 1.0, 2.0))
    right = False
    assert td.autograd.gradcheck(Cube.apply, leaf(td, 1.0, 2.0))
    assert not td.autograd.gradgradcheck(Cube.apply, leaf(td, 1.0, 2.0), raise_exception=False)


# --- grad modes -----------------------------------------------------------------------------------------------------------------

def test_modes_nest() -> None:
    def f(t: Any) -> Any:
        x, flags = leaf(t, 1.0), []
        with t.no_grad():
            flags.append((x * 2).requires_grad)
            with t.enable_grad():
                flags.append((x * 2).requires_grad)
                with t.set_grad_enabled(False):
                    flags.append((x * 2).requires_grad)
                flags.append((x * 2).requires_grad)
            flags.append((x * 2).requires_grad)
        flags.append((x * 2).requires_grad)
        return flags
    check(f, [False, True, False, True, False, True])


def test_modes_end_when_an_exception_passes() -> None:
    def f(t: Any) -> Any:
        for mode in (t.no_grad, t.inference_mode, lambda: t.set_grad_enabled(False)):
            with pytest.raises(KeyError), mode():
                raise KeyError
        return t.is_grad_enabled()
    check(f, True)


def test_modes_as_decorators() -> None:
    def f(t: Any) -> Any:
        @t.no_grad()
        def quiet(x: Any) -> Any:
            return x * 2, t.is_grad_enabled()

        @t.no_grad
        def bare(x: Any) -> Any:
            return x * 2, t.is_grad_enabled()

        @t.enable_grad()
        def loud(x: Any) -> Any:
            return x * 2, t.is_grad_enabled()
        x = leaf(t, 1.0)
        with t.no_grad():
            inside = loud(x)
        return quiet(x)[1], bare(x)[0].requires_grad, inside[1], inside[0].requires_grad, quiet.__name__, t.is_grad_enabled()
    check(f)


def test_a_decorated_recursion_restores_the_mode() -> None:
    def f(t: Any) -> Any:
        @t.no_grad()
        def count(n: int) -> int:
            return 0 if n == 0 else 1 + count(n - 1)
        return count(5), t.is_grad_enabled()
    check(f, [5, True])


def test_a_decorated_generator_switches_at_every_step() -> None:
    def f(t: Any) -> Any:
        @t.no_grad()
        def numbers() -> Any:
            for _ in range(2):
                yield t.is_grad_enabled()
            return 7
        seen = []
        for inside in numbers():
            seen += [inside, t.is_grad_enabled()]
        return seen
    check(f, [False, True, False, True])


def test_set_grad_enabled_as_a_statement_stays() -> None:
    def f(t: Any) -> Any:
        t.set_grad_enabled(False)
        off = (leaf(t) * 2).requires_grad
        t.set_grad_enabled(True)
        return off, (leaf(t) * 2).requires_grad
    check(f, [False, True])


def test_mode_of_the_pass_does_not_matter() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = (x * x).sum()
        with t.no_grad():
            y.backward()
        return x.grad, x.grad.requires_grad
    check(f)


def test_no_grad_results_are_constants_of_the_graph() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        with t.no_grad():
            weight = x * x
        (weight * x).sum().backward()
        return x.grad
    check(f, [1.0, 4.0])


# --- zero adjoints, nan ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("f", [
    lambda x: td.where(x > 0, x.sqrt(), 0 * x),
    lambda x: td.where(x > 0, x.log(), 0 * x),
    lambda x: td.where(x > 0, 1 / x, 0 * x),
    lambda x: x.sqrt() * 0,
    lambda x: (x.log() * 0).nan_to_num(),
], ids=["where sqrt", "where log", "where reciprocal", "times zero", "nan_to_num"])
@pytest.mark.parametrize("size", [1, 3, 2000])
def test_an_exactly_zero_adjoint_contributes_zero(f: Any, size: int) -> None:
    x = td.zeros(size, dtype=td.float64).requires_grad_()
    f(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0] * size


def test_a_real_nan_is_not_hidden() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, math.nan, -1.0, 0.0, math.inf)
        (x * x).sum().backward()
        first = x.grad
        x.grad = None
        (x - x).sum().exp().backward()
        y = leaf(t, -1.0, 0.0)
        y.sqrt().sum().backward()
        return first, y.grad
    check(f)


def test_nan_seed_reaches_the_leaf() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        (x * 2).backward(t.tensor([math.nan, 1.0], dtype=t.float64))
        return x.grad
    check(f, [math.nan, 2.0])


# --- detach, data ---------------------------------------------------------------------------------------------------------------

def test_detached_parts_stop_gradients() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        (y.detach() * x).sum().backward()
        return x.grad, y.detach().requires_grad, y.requires_grad
    check(f)


def test_detach_in_place_makes_a_leaf() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * x
        y.detach_()
        return y.is_leaf, y.requires_grad, y.grad_fn, y
    check(f)


def test_values_survive_backward() -> None:
    x = td.tensor(np.linspace(0, 1, 2000), requires_grad=True)
    y, s = x.exp(), td.tensor(2.0, requires_grad=True)
    z = (y * s).sin()
    total = z.sum()
    total.backward()
    for _ in range(50):  # new work that would overwrite memory given back too early
        (x * 7).cos().sum().backward()
    np.testing.assert_allclose(y.tolist(), np.exp(np.linspace(0, 1, 2000)), rtol=1e-6)
    np.testing.assert_allclose(z.tolist(), np.sin(2 * np.exp(np.linspace(0, 1, 2000))), rtol=1e-5)
    assert math.isclose(total.item(), np.sin(2 * np.exp(np.linspace(0, 1, 2000))).sum(), rel_tol=1e-4)


def test_modes_of_threads_are_their_own() -> None:
    seen: list[bool] = []
    with td.no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf(td) * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]
