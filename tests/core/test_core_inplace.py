"""In-place writes: who sees them, which gradients follow, which errors protect saved values; beside PyTorch."""

from time import perf_counter
from typing import Any

import numpy as np
import pytest
from alongside import check, check_error, needs_torch

import tapediff as td


def leaf(t: Any, *values: float) -> Any:
    return t.tensor(values or 3.0, dtype=t.float64, requires_grad=True)


# --- pending instructions read the values of their time -------------------------------------------------------------------------

@pytest.mark.parametrize("values", [(), (1.0, 2.0), tuple(np.arange(1000.0))], ids=["scalar", "vector", "large"])
@pytest.mark.parametrize("change", [
    lambda t, x: x.add_(1),
    lambda t, x: x.zero_(),
    lambda t, x: x.mul_(2).sub_(1),
    lambda t, x: x.copy_(x * 5),
    lambda t, x: setattr(x, "data", x.data * 3),
    lambda t, x: x.data.fill_(9.0),
    lambda t, x: x.detach().mul_(4),
], ids=["add_", "zero_", "two writes", "copy_", "data set", "data written", "detach written"])
def test_what_was_computed_before_a_write_keeps_its_value(values: tuple[float, ...], change: Any) -> None:
    def f(t: Any) -> Any:
        x = leaf(t, *values)
        early = x * 2
        with t.no_grad():
            quiet = x + 1
            change(t, x)
            late = x * 2
        loud = x * 3
        loud.sum().backward()
        return early, quiet, late, loud, x.grad
    check(f)


def test_a_write_waits_for_instructions_of_many_closed_segments() -> None:
    x = leaf(td)
    early = [x * number for number in range(10000)]
    with td.no_grad():
        x.add_(1)
    assert [y.item() for y in early] == [3.0 * number for number in range(10000)]


def test_a_write_waits_for_segments_closed_by_grad_modes() -> None:
    x = leaf(td)
    early = []
    for number in range(20):
        early.append(x * number)
        with td.no_grad():
            early.append(x + number)
    with td.no_grad():
        x.zero_()
    assert [y.item() for y in early] == [value for number in range(20) for value in (3.0 * number, 3.0 + number)]


def test_accumulating_a_gradient_waits_for_what_reads_it() -> None:
    x = leaf(td, 1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    readers = [x.grad * number for number in range(5000)]
    y.backward()
    assert all(reader.tolist() == [2.0 * number, 4.0 * number] for number, reader in enumerate(readers))


# --- errors that protect saved values -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("f", [
    lambda t, y, change: (y * y, change(y))[0],
    lambda t, y, change: (y.sin(), change(y))[0],
    lambda t, y, change: change_after(y.exp(), change),
    lambda t, y, change: change_after(y.sigmoid(), change),
], ids=["square", "sin", "exp", "sigmoid"])
@pytest.mark.parametrize("change", [lambda y: y.add_(1), lambda y: y.detach().add_(1)], ids=["tensor", "detached"])
def test_a_saved_value_that_was_written_is_refused(f: Any, change: Any) -> None:
    check_error(lambda t: f(t, leaf(t, 1.0, 2.0) * 1.5, change).sum().backward(), RuntimeError,
                "one of the variables needed for gradient computation has been modified by an inplace operation")


def change_after(y: Any, change: Any) -> Any:
    change(y)
    return y


def test_a_saved_leaf_updated_under_no_grad_is_refused() -> None:
    def f(t: Any) -> None:
        x = leaf(t, 1.0, 2.0)
        y = (x * x).sum()
        with t.no_grad():
            x.add_(1)
        y.backward()
    check_error(f, RuntimeError, "modified by an inplace operation")


@pytest.mark.parametrize("change", [
    lambda y: y.add_(1), lambda y: y.mul_(3), lambda y: y.neg_(), lambda y: y.sub_(1).mul_(2).div_(4), lambda y: y.add_(y),
        lambda y: y.clamp_(0, 2),
    lambda y: y.zero_(), lambda y: y.fill_(2.0), lambda y: y.exp_(), lambda y: y.pow_(2),
], ids=["add", "mul", "neg", "chain", "itself", "clamp", "zero", "fill", "exp", "pow"])
def test_unsaved_values_may_be_written(change: Any) -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 1.5
        z = y + 1
        same = change(y)
        ((z + y) * y).sum().backward()
        return y, z, same is y, y.requires_grad, y.is_leaf, x.grad
    check(f)


@pytest.mark.parametrize("change", [lambda x: x.add_(1), lambda x: x.zero_(), lambda x: x.__setitem__(0, 5.0),
    lambda x: x[0].mul_(2), lambda x: x.__iadd__(1)])
def test_a_leaf_that_requires_grad_is_not_written(change: Any) -> None:
    check_error(lambda t: change(leaf(t, 1.0, 2.0)), RuntimeError,
        "leaf Variable that requires grad is being used in an in-place operation")


def test_versions_count_writes() -> None:
    def f(t: Any) -> Any:
        x = t.zeros(3)
        versions = [x._version]
        x.add_(1)
        versions.append(x._version)
        x[0] = 5.0
        x.view(-1).mul_(2)
        x.detach().zero_()
        versions += [x._version, x[1:]._version]
        x.data.fill_(3.0)
        versions.append(x._version)
        y = leaf(t, 1.0) * 2
        y.add_(1)
        versions.append(y._version)
        return versions
    check(f)


def test_expanded_tensors_are_not_written() -> None:
    check_error(lambda t: t.zeros(1).expand(3).add_(1), RuntimeError,
        "more than one element of the written-to tensor refers to a single memory location")


def test_a_write_that_would_change_the_shape_is_refused() -> None:
    check_error(lambda t: t.zeros(3).add_(t.zeros(2, 3)), RuntimeError, "doesn't match the broadcast shape")


def test_a_write_of_a_higher_dtype_is_refused() -> None:
    check_error(lambda t: t.zeros(3, dtype=t.int64).add_(1.5), RuntimeError, "can't be cast to the desired output type")


# --- parameters -----------------------------------------------------------------------------------------------------------------

def test_parameters_with_views_stay_parameters() -> None:
    def f(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0, 3.0)
        part = w[1:]
        grads = []
        for _ in range(3):
            (part * w[:2]).sum().backward()
            grads.append(w.grad.tolist())
            with t.no_grad():
                w -= 0.1 * w.grad
            w.grad = None
            part = w[1:]
        return grads, w, w.requires_grad, w.is_leaf
    check(f)


def test_views_of_a_parameter_follow_its_updates() -> None:
    def f(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0, 3.0)
        part = w[1:]
        with t.no_grad():
            w.mul_(10)
        part.sum().backward()
        return part, part.requires_grad, part.is_leaf, w.requires_grad, w.is_leaf, w.grad
    check(f)


def test_writing_a_view_of_a_parameter_under_no_grad_writes_the_parameter() -> None:
    def f(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0, 3.0)
        with t.no_grad():
            w[0] = 7.0
            w[1:].mul_(2)
        (w * w).sum().backward()
        return w, w.requires_grad, w.is_leaf, w.grad
    check(f)


def test_writing_a_recorded_view_under_no_grad_keeps_the_graph() -> None:
    def f(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0, 3.0)
        y = x * 2
        part = y[1:]
        with t.no_grad():
            y[0] = 9.0
            part[1] = 4.0
        (y * 5 + 1).sum().backward()
        return y, part, y.requires_grad, part.requires_grad, x.grad
    check(f)


def test_a_constant_becomes_part_of_the_graph_when_written_with_a_gradient() -> None:
    def f(t: Any) -> Any:
        a, out = leaf(t, 1.0, 2.0, 3.0), t.zeros(3, dtype=t.float64)
        for index in range(3):
            out[index] = a[index] * (index + 1)
        out[1:].mul_(2)
        (out * out).sum().backward()
        return out, out.requires_grad, out.is_leaf, a.grad
    check(f)


@needs_torch
@pytest.mark.parametrize("sync", [False, True], ids=["pending", "read before"])
@pytest.mark.parametrize("change", [lambda y: y.add_(1), lambda y: y.detach().add_(1), lambda y: y[0].add_(1),
                                    lambda y: y.copy_(y * 0), lambda y: y.__setitem__(0, 5.0)],
                         ids=["tensor", "detached", "view", "copy_", "setitem"])
@pytest.mark.parametrize("f", [lambda y: y[0] * y[0], lambda y: y * y, lambda y: y.view(-1).sin(), lambda y: y.expand(2, 2) ** 2,
                               lambda y: y[0:1].exp() * y[0:1]],
                         ids=["select", "whole", "alias", "expand", "slice"])
def test_whether_a_written_saved_value_is_refused_depends_on_no_read(f: Any, change: Any, sync: bool) -> None:
    def program(t: Any) -> Any:
        x = leaf(t, 1.0, 2.0)
        y = x * 1.5
        if sync:
            y.tolist()
        z = f(y)
        if sync:
            z.tolist()
        change(y)
        z.sum().backward()
    check_error(program, RuntimeError, "modified by an inplace operation")


@needs_torch
@pytest.mark.parametrize("sync", [False, True], ids=["pending", "read before"])
def test_an_in_place_product_may_use_the_old_value(sync: bool) -> None:
    def program(t: Any) -> Any:
        x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
        y = x * 1.5
        shown = y.detach() if sync else None
        y.mul_(w)
        y[0].mul_(w[1])
        y.sum().backward()
        return x.grad, w.grad, shown if sync else y
    check(program)


@needs_torch
def test_a_reshaped_copy_of_a_strided_view_in_memory_is_no_view() -> None:
    def program(t: Any) -> Any:
        y = (leaf(t, 1.0, 2.0, 3.0, 4.0) * 1.5).reshape(2, 2)
        shown = y.detach()
        copy = y.t().reshape(4)
        y.add_(1)
        return copy, shown
    check(program)


def test_writing_in_a_long_loop_costs_the_same_at_the_end() -> None:
    x = td.zeros(100)

    def pace() -> float:
        begin = perf_counter()
        for index in range(300):
            x[index % 100] = 1.0
            x[5:9].mul_(2)
        return perf_counter() - begin
    pace()
    first = min(pace(), pace())
    for _ in range(4):
        pace()
    assert min(pace(), pace()) < 3 * first


def test_all_who_share_memory_see_a_recorded_write() -> None:
    def f(t: Any) -> Any:
        a, base = leaf(t, 1.0, 2.0), t.zeros(2, 3, dtype=t.float64)
        plain, column = base.detach(), base[:, 1]
        base[0, :2] = a
        base[1] += 1
        return base, plain, column, plain.requires_grad, column.requires_grad
    check(f)


def test_reshaping_a_transposed_computed_tensor_copies() -> None:
    def f(t: Any) -> Any:
        a = (leaf(t, *range(6)) * 1).reshape(2, 3)
        b = a.T
        flat = b.reshape(6)
        flat.add_(100)
        return a, b, flat, b.is_contiguous(), b.contiguous() is b, a.contiguous() is a, b.stride()
    check(f)


def test_viewing_a_transposed_computed_tensor_as_flat_is_refused() -> None:
    check_error(lambda t: (leaf(t, *range(6)) * 1).reshape(2, 3).T.view(6), RuntimeError,
        "view size is not compatible with input tensor's size and stride")


def test_numpy_memory_is_shared_both_ways() -> None:
    def f(t: Any) -> Any:
        array = np.arange(4.0)
        x = t.from_numpy(array)
        array[0] = 10
        x[1] = 20.0
        x[2:].mul_(3)
        y = x.numpy()
        y[3] = -1
        return array, x, y
    check(f)


def test_swapping_through_a_copy() -> None:
    def f(t: Any) -> Any:
        x = t.arange(6.0)
        x[:3], x[3:] = x[3:].clone(), x[:3].clone()
        y = t.arange(6.0)
        y[1:] = y[:-1].clone()
        return x, y
    check(f)


def test_hooks_stay_with_the_value_they_were_put_on_and_retained_grads_move_on() -> None:
    def f(t: Any) -> Any:
        seen: list[Any] = []
        x = leaf(t, 1.0, 2.0)
        y = x * 2
        y.register_hook(lambda grad: seen.append(grad.tolist()))
        y.retain_grad()
        y.mul_(3)
        y.sum().backward()
        return seen, y.grad, x.grad
    check(f)


def test_a_saved_leaf_updated_between_two_backwards_is_refused() -> None:
    def f(t: Any) -> None:
        x = leaf(t, 1.0, 2.0)
        y = (x.view(-1) ** 2).sum()
        y.backward(retain_graph=True)
        with t.no_grad():
            x -= 0.1 * x.grad
        y.backward()
    check_error(f, RuntimeError, "modified by an inplace operation")


def test_aliases_of_a_computed_tensor_and_its_views_are_one_memory() -> None:
    def f(t: Any) -> Any:
        y = leaf(t, 1.0, 2.0, 3.0) * 2
        part, wide = y[1:], y.expand(2, 3)
        plain = y.detach()
        plain[1] = 50.0
        other = part.detach()
        other[1] = 70.0
        return y, part, wide, plain, other
    check(f)
