"""Masked fill, select and scatter: values, gradients of two orders, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td

M, V, W = numbers((3, 4), (4,), (12,))
MASK = np.arange(12).reshape(3, 4) % 3 == 0
N = np.array(0.5)

CASES = {
    "fill": (lambda t, x, m: x.masked_fill(m, 2.5), M, MASK),
    "fill integer": (lambda t, x, m: t.masked_fill(x, m, -1), M, MASK),
    "fill infinite": (lambda t, x, m: t.exp(x.masked_fill(m, float("-inf"))), M, MASK),
    "fill element": (lambda t, x, v, m: x.masked_fill(m, v), M, N, MASK),
    "fill by a row mask": (lambda t, x, m: x.masked_fill(m[0], 9.0), M, MASK),
    "fill a row by a mask": (lambda t, x, m: x.masked_fill(m, 9.0), V, MASK),
    "fill number": (lambda t, x: x.masked_fill(t.tensor(True), 1.0), N),
    "fill integers": (lambda t, x, m: x.masked_fill(m, 1.9), np.arange(4), MASK[0]),
    "fill integers by an element": (lambda t, x, m: x.masked_fill(m, t.tensor(1.9)), np.arange(4), MASK[0]),
    "fill bools": (lambda t, x, m: x.masked_fill(m, 7), np.array([True, False, True, False]), MASK[0]),
    "select": (lambda t, x, m: x.masked_select(m), M, MASK),
    "select by a column mask": (lambda t, x, m: t.masked_select(x, m[:, :1]), M, MASK),
    "select nothing": (lambda t, x, m: x.masked_select(m & ~m), M, MASK),
    "select from a number": (lambda t, x: x.masked_select(t.tensor(True)), N),
    "select of empty": (lambda t, x: x.masked_select(x > 0), np.zeros((0, 3))),
    "scatter": (lambda t, x, y, m: x.masked_scatter(m, y), M, W, MASK),
    "scatter row mask": (lambda t, x, y, m: x.masked_scatter(m[0], y), M, W, MASK),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1].dtype.kind == "f" and "infinite" not in name])
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize("name", ["fill element", "select by a column mask", "scatter"])
def test_gradient_is_the_slope(name):
    call, *arrays = CASES[name]
    check_finite_differences(
        lambda t, *floats: call(t, *floats, t.tensor(MASK)), *[array for array in arrays if array.dtype.kind == "f"]
    )


def test_no_gradient_through_what_a_mask_hides():
    x = td.tensor([0.0, 4.0], requires_grad=True)
    x.sqrt().masked_fill(x == 0, 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


ERRORS = {
    "fill dtype": (
        lambda t: t.ones(2).masked_fill(t.tensor([1, 0]), 0),
        "masked_fill_ only supports boolean masks, but got mask with dtype long int",
    ),
    "fill shape": (lambda t: t.ones(2).masked_fill(t.tensor([True, False, True]), 0), "must match the size of tensor b"),
    "fill vector": (
        lambda t: t.ones(2).masked_fill(t.tensor([True, False]), t.ones(1)),
        "only supports a 0-dimensional value tensor, but got tensor with 1",
    ),
    "fill overflow": (
        lambda t: t.arange(2).masked_fill(t.tensor([True, False]), float("inf")),
        "cannot be converted to type int64_t without overflow",
    ),
    "fill text": (lambda t: t.ones(2).masked_fill(t.tensor([True, False]), "a"), ""),
    "select dtype": (lambda t: t.ones(2).masked_select(t.tensor([1, 0])), "masked_select: expected BoolTensor for mask"),
    "select shape": (lambda t: t.ones(2).masked_select(t.tensor([True, False, True])), "must match the size of tensor b"),
    "scatter few": (
        lambda t: t.ones(2).masked_scatter(t.tensor([True, True]), t.ones(1)),
        "Number of elements of source < number of ones in mask",
    ),
    "scatter dtypes": (
        lambda t: t.ones(2).masked_scatter(t.tensor([True, True]), t.tensor([1, 2])),
        "expected self and source to have same dtypes but got",
    ),
    "scatter mask": (
        lambda t: t.ones(2).masked_scatter(t.tensor([1, 0]), t.ones(2)),
        "masked_scatter_ only supports boolean masks",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])
