"""Searching and counting against PyTorch, with nan, empty tensors and numbers, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error

import tapediff as td

F = np.array([[0.0, 1.5, -0.0], [np.nan, 0.0, 2.0]])
I = np.array([3, 1, 3, 0, 1, 1])  # noqa: E741
EDGES = np.array([1.0, 3.0, 3.0, 5.0])
PROBES = np.array([[0.0, 3.0, 9.0], [np.nan, 5.0, 1.0]])

CASES = {
    "nonzero": lambda t: (t.tensor(F).nonzero(), t.nonzero(t.tensor(F), as_tuple=True), t.argwhere(t.tensor(F))),
    "nonzero of a number": lambda t: (
        t.tensor(2.0).nonzero(),
        t.tensor(0).nonzero(),
        t.tensor(2.0).nonzero(as_tuple=True),
        t.tensor(0.0).argwhere(),
    ),
    "nonzero of nothing": lambda t: (t.zeros(0, 3).nonzero(), t.zeros(2).nonzero(as_tuple=True)),
    "where": lambda t: t.where(t.tensor(F) > 0),
    "unique": lambda t: t.unique(t.tensor(I), return_inverse=True, return_counts=True),
    "unique values": lambda t: (t.tensor(I).unique(), t.unique(t.tensor([True, False, True])), t.unique(t.zeros(0))),
    "unique of a matrix": lambda t: t.tensor(I).view(2, 3).unique(return_inverse=True),
    "unique rows": lambda t: t.unique(t.tensor([[2, 1], [0, 5], [2, 1]]), dim=0, return_inverse=True, return_counts=True),
    "unique nan": lambda t: t.unique(t.tensor([np.nan, 1.0, np.nan]), return_counts=True)[1],
    "unique_consecutive": lambda t: t.unique_consecutive(t.tensor([1, 1, 2, 2, 1]), return_inverse=True, return_counts=True),
    "unique_consecutive of a matrix": lambda t: t.unique_consecutive(t.tensor([[1, 1], [1, 2]]), return_inverse=True),
    "unique_consecutive rows": lambda t: t.unique_consecutive(t.tensor([[1, 2], [1, 2], [0, 0]]), dim=0, return_counts=True),
    "unique_consecutive of nothing": lambda t: t.unique_consecutive(t.zeros(0)),
    "searchsorted": lambda t: (
        t.searchsorted(t.tensor(EDGES), t.tensor(PROBES)),
        t.searchsorted(t.tensor(EDGES), t.tensor(PROBES), right=True),
    ),
    "searchsorted side": lambda t: t.searchsorted(t.tensor(EDGES), t.tensor(PROBES), side="right", out_int32=True),
    "searchsorted number": lambda t: (
        t.searchsorted(t.tensor(EDGES), 3.0),
        t.searchsorted(t.tensor(EDGES), t.tensor(4.0, dtype=t.float64)),
    ),
    "searchsorted rows": lambda t: t.searchsorted(
        t.tensor([[1.0, 3.0], [2.0, 4.0]]), t.tensor([[3.0, 0.0, 9.0], [3.0, 4.0, 5.0]])
    ),
    "searchsorted sorter": lambda t: t.searchsorted(t.tensor([5.0, 1.0, 3.0]), t.tensor([3.0, 4.0]), sorter=t.tensor([1, 2, 0])),
    "searchsorted of nothing": lambda t: (t.searchsorted(t.zeros(0), t.ones(2)), t.searchsorted(t.ones(2), t.zeros(0))),
    "searchsorted integers": lambda t: t.searchsorted(t.tensor([1, 3, 5]), t.tensor([0, 5])),
    "bucketize": lambda t: (t.bucketize(t.tensor(PROBES), t.tensor(EDGES)), t.bucketize(3.0, t.tensor(EDGES), right=True)),
    "bincount": lambda t: (
        t.tensor(I).bincount(),
        t.bincount(t.tensor(I), minlength=6),
        t.bincount(t.zeros(0, dtype=t.int64), minlength=2),
    ),
    "bincount weights": lambda t: (t.bincount(t.tensor(I), t.arange(6.0)), t.bincount(t.tensor(I), t.tensor(I))),
    "histc": lambda t: (
        t.histc(t.arange(10.0), 4),
        t.arange(10.0).histc(bins=3, min=2, max=5),
        t.histc(t.ones(3), 4),
        t.histc(t.zeros(0), 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch(name):
    check(CASES[name])


def test_positions_do_not_require_grad():
    x = td.tensor([1.0, 0.0], requires_grad=True)
    for found in (x.nonzero(), x.argwhere(), x.unique(), td.searchsorted(x.detach(), x)):
        assert not found.requires_grad


ERRORS = {
    "searchsorted shapes": (
        lambda t: t.searchsorted(t.ones(2, 3), t.ones(1)),
        "boundaries tensor should be 1 dimension or the first N-1 dimensions",
    ),
    "searchsorted side": (
        lambda t: t.searchsorted(t.ones(3), t.ones(1), side="up"),
        "side can only be 'left' or 'right' but got up",
    ),
    "searchsorted opposites": (
        lambda t: t.searchsorted(t.ones(3), t.ones(1), side="left", right=True),
        "side and right can't be set to opposites",
    ),
    "searchsorted number": (
        lambda t: t.searchsorted(t.tensor(1.0), t.ones(1)),
        "boundaries tensor should have positive dimension",
    ),
    "searchsorted number in rows": (
        lambda t: t.searchsorted(t.ones(1, 3), 3.0),
        "input value can be a scalar only when boundaries tensor dimension is 1",
    ),
    "bucketize matrix": (lambda t: t.bucketize(t.ones(2), t.ones(1, 2)), "boundaries tensor must be 1 dimension, but got dim(2)"),
    "bincount negative": (lambda t: t.bincount(t.tensor([-1])), "bincount only supports 1-d non-negative integral inputs"),
    "bincount matrix": (lambda t: t.bincount(t.tensor([[1]])), "bincount only supports 1-d non-negative integral inputs"),
    "bincount floats": (lambda t: t.bincount(t.ones(2)), "\"bincount_cpu\" not implemented for 'Float'"),
    "bincount weights": (
        lambda t: t.bincount(t.tensor([0, 1]), t.ones(3)),
        "weights should be 1-d and have the same length as input",
    ),
    "bincount minlength": (lambda t: t.bincount(t.tensor([0]), minlength=-1), "minlength should be >= 0"),
    "histc bins": (lambda t: t.histc(t.ones(2), 0), "bins must be > 0"),
    "histc range": (lambda t: t.histc(t.ones(2), 2, 3, 1), "torch.histc: max must be larger than min"),
    "histc nan": (lambda t: t.histc(t.tensor([float("nan"), 1.0]), 4), "is not finite"),
    "histc integers": (lambda t: t.histc(t.tensor([1]), 4), "\"histogram_cpu\" not implemented for 'Long'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])
