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
