"""Differences of neighbours against PyTorch."""

import numpy as np
import pytest
from beside_torch import check, check_error, graph_name, numbers

M, V = numbers((3, 4), (5,))

CASES = {
    "diff": (lambda t, x: x.diff(), M),
    "columns twice": (lambda t, x: t.diff(x, 2, dim=0), M),
    "with ends": (lambda t, x: x.diff(prepend=t.zeros(1, dtype=t.float64), append=x[:2]), V),
    "more often than there are elements": (lambda t, x: x.diff(7), V),
    "integers": (lambda t, x: x.diff(), np.array([3, 1, 1])),
    "bools": (lambda t, x: x.diff(), np.array([True, False, False])),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


def test_graph_name():
    wanted, given = graph_name(*CASES["diff"])
    assert given == wanted


@pytest.mark.parametrize(
    ("call", "phrase"),
    [
        (lambda t: t.tensor(1.0).diff(), "diff expects input to be at least one-dimensional"),
        (lambda t: t.ones(2).diff(-1), "order must be non-negative but got -1"),
        (lambda t: t.ones(2).diff(dim=1), "Dimension out of range"),
    ],
)
def test_error(call, phrase):
    check_error(call, phrase)
