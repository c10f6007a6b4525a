"""Sorted values: order of nan, zeros and equals, named results, gradients of two orders, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td

M, V = numbers((3, 4), (6,))
N = np.array(1.5)
SPICY = np.array([3.0, np.nan, -np.inf, 0.0, np.inf, -0.0, np.nan, 1e308, -1.0])
TIES = np.array([2, 1, 2, 1, 1, 3])

CASES = {
    "sort": (lambda t, x: x.sort(), M),
    "sort columns": (lambda t, x: t.sort(x, 0), M),
    "sort falling": (lambda t, x: x.sort(descending=True), M),
    "sort positional": (lambda t, x: x.sort(0, True), M),
    "sort stable": (lambda t, x: x.sort(stable=True, dim=1), M),
    "sort number": (lambda t, x: x.sort(), N),
    "sort values": (lambda t, x: x.sort().values, V),
    "argsort": (lambda t, x: (x.argsort(), t.argsort(x, 0, True), x.argsort(dim=1, descending=True, stable=True)), M),
    "argsort number": (lambda t, x: x.argsort(), N),
    "msort": (lambda t, x: t.msort(x), M),
    "topk": (lambda t, x: x.topk(2), M),
    "topk smallest": (lambda t, x: t.topk(x, 2, dim=0, largest=False), M),
    "topk none": (lambda t, x: x.topk(0), M),
    "topk number": (lambda t, x: x.topk(1), N),
    "kthvalue": (lambda t, x: x.kthvalue(2), M),
    "kthvalue keepdim": (lambda t, x: t.kthvalue(x, 3, 0, keepdim=True), M),
    "kthvalue number": (lambda t, x: x.kthvalue(1), N),
    "integers": (
        lambda t, x: (x.sort(stable=True), x.sort(descending=True, stable=True), x.argsort(stable=True), x.topk(2).values),
        TIES,
    ),
    "bools": (lambda t, x: x.sort(stable=True), np.array([True, False, True])),
    "empty": (lambda t, x: (x.sort(), x.argsort(0), x.topk(0)), np.zeros((0, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize("descending", [False, True])
def test_order_of_special_values(descending):
    check(lambda t: t.tensor(SPICY).sort(descending=descending, stable=True))
    check(lambda t: (t.tensor(SPICY).topk(4, largest=descending).values, t.tensor(SPICY).kthvalue(2).values))


@pytest.mark.parametrize(
    "name", ["sort", "sort falling", "sort stable", "msort", "topk", "kthvalue", "kthvalue keepdim", "sort number"]
)
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize("name", ["sort columns", "topk smallest", "kthvalue", "kthvalue keepdim"])
def test_gradient_is_the_slope(name):
    check_finite_differences(*CASES[name])


def test_results_have_names_and_places():
    result = td.tensor([3.0, 1.0]).sort()
    values, indices = result
    assert values.tolist() == result.values.tolist() == result[0].tolist() == [1.0, 3.0]
    assert indices.tolist() == result.indices.tolist() == [1, 0]
    assert repr(result) == "torch.return_types.sort(\nvalues=tensor([1., 3.]),\nindices=tensor([1, 0]))"


def test_only_values_require_grad():
    result = td.tensor([3.0, 1.0], requires_grad=True).topk(1)
    assert result.values.requires_grad
    assert not result.indices.requires_grad


ERRORS = {
    "sort dim": (lambda t: t.ones(2, 3).sort(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    "argsort dim": (
        lambda t: t.ones(2, 3).argsort(-3),
        "Dimension out of range (expected to be in range of [-2, 1], but got -3)",
    ),
    "topk large": (lambda t: t.ones(3).topk(4), "selected index k out of range"),
    "topk negative": (lambda t: t.ones(3).topk(-1), "selected index k out of range"),
    "topk bools": (lambda t: t.tensor([True]).topk(1), "topk does not support bool dtypes on CPU"),
    "topk float": (lambda t: t.ones(3).topk(1.5), "must be int, not float"),
    "kthvalue zero": (lambda t: t.ones(3).kthvalue(0), "kthvalue(): selected number k out of range for dimension 0"),
    "kthvalue large": (lambda t: t.ones(3).kthvalue(4), "kthvalue(): selected number k out of range for dimension 0"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])
