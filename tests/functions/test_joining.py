"""Joining tensors: values, promotion, gradients of two orders, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td

A, B, V, W = numbers((2, 3), (2, 3), (3,), (3,))
N, L = np.array(1.5), np.array(-0.5)

CASES = {
    "cat": (lambda t, x, y: t.cat([x, y]), A, B),
    "cat columns": (lambda t, x, y: t.cat((x, y, x), dim=-1), A, B),
    "cat different sizes": (lambda t, x, y: t.cat([x, y[:1], x[:0]]), A, B),
    "cat empty vector": (lambda t, x: t.cat([t.zeros(0, dtype=t.float64), x], 1), A),
    "cat empty vectors": (lambda t, x: t.cat([x[:0], x[:0]]), V),
    "cat one": (lambda t, x: t.cat([x]), V),
    "cat many": (lambda t, x: t.cat([x] * 70), V),
    "concat": (lambda t, x, y: t.concat([x, y]), A, B),
    "concatenate axis": (lambda t, x, y: t.concatenate([x, y], axis=1), A, B),
    "cat promotes": (lambda t, x, i: t.cat([x, i]), V, np.array([1, 2])),
    "cat integers": (lambda t, i, b: t.cat([i, b]), np.array([1, 2]), np.array([True, False])),
    "cat float32": (lambda t, x: t.cat([x, t.ones(2)]), V),
    "stack": (lambda t, x, y: t.stack([x, y]), V, W),
    "stack last": (lambda t, x, y: t.stack([x, y], -1), A, B),
    "stack numbers": (lambda t, x, y: t.stack([x, y, x]), N, L),
    "stack keyword": (lambda t, x, y: t.stack(tensors=(x, y), dim=1), V, W),
    "hstack": (lambda t, x, y: t.hstack([x, y]), A, B),
    "hstack vectors": (lambda t, x, y: t.hstack([x, y]), V, W),
    "hstack numbers": (lambda t, x, y: t.hstack([x, y]), N, L),
    "vstack": (lambda t, x, y: t.vstack([x, y]), V, W),
    "vstack mixed": (lambda t, x, y: t.vstack((x, y)), A, V),
    "row_stack": (lambda t, x, y: t.row_stack((x, y)), A, V),
    "dstack": (lambda t, x, y: t.dstack([x, y]), V, W),
    "dstack matrices": (lambda t, x, y: t.dstack([x, y]), A, B),
    "column_stack": (lambda t, x, y: t.column_stack([x, y]), V, W),
    "meshgrid": (lambda t, x, y: t.meshgrid(x, y, indexing="ij"), V, A[0, :2].copy()),
    "meshgrid xy": (lambda t, x, y: t.meshgrid([x, y], indexing="xy"), V, A[0, :2].copy()),
    "meshgrid of three": (lambda t, x, y: t.meshgrid(x, y, x, indexing="xy"), V, N),
    "cartesian_prod": (lambda t, x, y: t.cartesian_prod(x, y), V, A[0, :2].copy()),
    "cartesian_prod of one": (lambda t, x: t.cartesian_prod(x) * 1, V),
    "combinations": (lambda t, x: t.combinations(x), V),
    "combinations with replacement": (lambda t, x: t.combinations(x, 3, with_replacement=True), V),
    "combinations too many": (lambda t, x: t.combinations(x, 4), V),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case[1].dtype.kind == "f" and "co" not in name and "prod" not in name]
)
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize("name", ["cat columns", "stack last", "dstack", "meshgrid xy"])
def test_gradient_is_the_slope(name):
    check_finite_differences(*CASES[name])


def test_the_same_tensor_twice_receives_both_gradients():
    x = td.tensor([1.0, 2.0], requires_grad=True)
    (td.cat([x, x]) * td.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]


def test_meshgrid_without_indexing_warns():
    with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
        td.meshgrid(td.ones(2), td.ones(2))


ERRORS = {
    "cat sizes": (
        lambda t: t.cat([t.ones(2, 3), t.ones(2, 4)]),
        "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4 for tensor number 1 in the list",
    ),
    "cat dims": (lambda t: t.cat([t.ones(2, 3), t.ones(3)]), "Tensors must have same number of dimensions: got 2 and 1"),
    "cat nothing": (lambda t: t.cat([]), "expected a non-empty list of Tensors"),
    "cat dim": (lambda t: t.cat([t.ones(2, 3)], dim=2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    "cat tensor": (lambda t: t.cat(t.ones(2)), "must be tuple of Tensors, not Tensor"),
    "cat numbers": (lambda t: t.cat([t.ones(2), 3]), "expected Tensor as element 1 in argument 0, but got int"),
    "cat scalars": (lambda t: t.cat([t.tensor(1.0)]), "zero-dimensional tensor (at position 0) cannot be concatenated"),
    "cat dim float": (lambda t: t.cat([t.ones(1)], 0.5), "cat(): argument 'dim' (position 2) must be int, not float"),
    "stack sizes": (
        lambda t: t.stack([t.ones(2), t.ones(3)]),
        "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
    ),
    "stack nothing": (lambda t: t.stack([]), "stack expects a non-empty TensorList"),
    "stack dim": (lambda t: t.stack([t.ones(2)], 3), "Dimension out of range (expected to be in range of [-2, 1], but got 3)"),
    "hstack nothing": (lambda t: t.hstack([]), "hstack expects a non-empty TensorList"),
    "meshgrid matrix": (lambda t: t.meshgrid(t.ones(2, 2), indexing="ij"), "Expected 0D or 1D tensor"),
    "meshgrid nothing": (lambda t: t.meshgrid(indexing="ij"), "meshgrid expects a non-empty TensorList"),
    "meshgrid word": (lambda t: t.meshgrid(t.ones(2), indexing="yx"), 'indexing must be one of "xy" or "ij", but received: yx'),
    "meshgrid dtypes": (
        lambda t: t.meshgrid(t.ones(2), t.tensor([1]), indexing="ij"),
        "meshgrid expects all tensors to have the same dtype",
    ),
    "combinations matrix": (lambda t: t.combinations(t.ones(2, 2)), "Expect a 1D vector, but got shape [2, 2]"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])
