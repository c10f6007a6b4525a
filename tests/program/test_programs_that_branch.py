"""Functions that decide by values: a program gives the function's result where all decisions are the recorded ones, and says
which rows take another path. It never gives a wrong number."""

import numpy as np
import pytest
from branching import ROW, rows, run, steps
from executors import assert_close, assert_same_bits
from hypothesis import HealthCheck, given, settings

import tapediff as td

SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def by_rows(drawn, points):
    """Value and gradient of every row, by eager code."""
    values, gradients = [], []
    for point in points:
        row = td.tensor(point, requires_grad=True)
        y = run(drawn, row)
        (g,) = td.autograd.grad(y, row) if y.requires_grad else (td.zeros(ROW, dtype=td.float64),)
        values.append(y.item())
        gradients.append(g.tolist())
    return np.array(values), np.array(gradients)


@SETTINGS
@given(steps, rows)
def test_rows_are_right_or_reported(drawn, points):
    points = np.array(points)
    values, gradients = by_rows(drawn, points)
    program = td.record(lambda row: run(drawn, row), points[0])
    failed = np.zeros(len(points), bool)
    for number, point in enumerate(points):
        try:
            value, gradient = program.value_and_grad(point)
        except td.GuardError:
            failed[number] = True
        else:
            assert_close(value, values[number], f"row {number}")
            assert_close(gradient, gradients[number], f"row {number}")
    assert not failed[0]
    value, gradient, reported = program.batch(lanes=8, threads=1).value_and_grad(points, mask=True)
    assert reported.tolist() == failed.tolist()
    assert np.isnan(value[failed]).all()
    assert np.isnan(gradient[failed]).all()
    assert_close(value[~failed], values[~failed])
    assert_close(gradient[~failed], gradients[~failed])
    other = program.batch(lanes=64, threads=2).value_and_grad(points, mask=True)
    for one, two in zip((value, gradient, reported), other):
        assert_same_bits(two, one)
    if failed.any():
        with pytest.raises(td.GuardError) as caught:
            program.batch()(points)
        assert caught.value.failed.tolist() == failed.tolist()
    total = program.batch().value_and_grad(points, reduce="sum", mask=True)[1]
    assert_close(total, gradients[~failed].sum(0), "the sum of the rows that passed", 10)


@SETTINGS
@given(steps, rows)
def test_vmap_is_the_loop(drawn, points):
    points = np.array(points)
    values, gradients = by_rows(drawn, points)
    x = td.tensor(points, requires_grad=True)
    y = td.func.vmap(lambda row: run(drawn, row))(x)
    assert_close(y.detach().numpy(), values)
    if y.requires_grad:
        assert_close(td.autograd.grad(y.sum(), x)[0].numpy(), gradients)


@SETTINGS
@given(steps, rows)
def test_compiled_functions_are_the_function(drawn, points):
    points = np.array(points)
    values, gradients = by_rows(drawn, points)
    f = td.compile(lambda row: run(drawn, row))
    for _ in range(2):
        for point, value, gradient in zip(points, values, gradients):
            row = td.tensor(point, requires_grad=True)
            y = f(row)
            assert_close(y.detach().numpy(), value)
            if y.requires_grad:
                assert_close(td.autograd.grad(y, row, allow_unused=True, materialize_grads=True)[0].numpy(), gradient)
    assert f.programs <= len(points)


def test_a_row_whose_sum_rounds_differently_in_lanes_takes_its_own_path():
    def f(row):
        total = row.sum()
        return total * row[0] if total.item() > 1 else total  # its very bits are a guard

    points = np.random.default_rng(0).uniform(0, 1, (20, 9))
    x = td.tensor(points, requires_grad=True)
    y = td.func.vmap(f)(x)
    (g,) = td.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = td.autograd.grad(g.square().sum(), x)
    for number, point in enumerate(points):
        row = td.tensor(point, requires_grad=True)
        z = f(row)
        (slope,) = td.autograd.grad(z, row, create_graph=True)
        (curve,) = td.autograd.grad(slope.square().sum(), row, allow_unused=True, materialize_grads=True)
        assert_close(y[number].detach().numpy(), z.detach().numpy())
        assert_close(g[number].detach().numpy(), slope.detach().numpy())
        assert_close(h[number].numpy(), curve.numpy())


def test_rows_of_many_equal_paths_are_all_right_where_some_round_differently():
    points = np.repeat(np.random.default_rng(1).uniform(0, 1, (5, 9)), 7, 0)
    weight = td.ones(9, dtype=td.float64, requires_grad=True)

    def f(row):
        total = (row * weight).sum()
        return total * 2 if float(total) > 4 else total

    y = td.func.vmap(f)(td.tensor(points))
    np.testing.assert_allclose(y.tolist(), [s * 2 if s > 4 else s for s in points.sum(1)], rtol=1e-14)
    y.sum().backward()
    factors = np.where(points.sum(1) > 4, 2, 1)[:, None]
    np.testing.assert_allclose(weight.grad.tolist(), (points * factors).sum(0), rtol=1e-13)


@pytest.mark.parametrize("read", [td.Tensor.item, td.Tensor.tolist, float, bool, int])
def test_a_value_read_before_a_gradient_is_taken_by_it_changes_nothing(read):
    def f(row):
        a = row[0]
        b = a * a
        read(a)
        (g,) = td.autograd.grad((a * b).sin() * a, a, create_graph=True)
        return g * b

    x = np.array([-2.0, 1.0])
    row = td.tensor(x, requires_grad=True)
    wanted = f(row)
    value, gradient = td.record(f, x).value_and_grad(x)
    a = -2.0
    assert wanted.item() == pytest.approx((np.sin(a ** 3) + 3 * a ** 3 * np.cos(a ** 3)) * a * a)
    assert_close(value, wanted.detach().numpy())
    assert_close(gradient, td.autograd.grad(wanted, row)[0].numpy())
