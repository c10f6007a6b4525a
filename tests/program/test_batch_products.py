"""Products, Jacobians and Hessians of a batch are those of its rows, beside torch.func."""

import numpy as np
import pytest

import tapediff as td
from tapediff.nested import flatten

DRAWS = np.random.default_rng(3)
X, W = DRAWS.standard_normal((9, 3)), DRAWS.standard_normal((3, 2))


def f(x, w):
    return (x @ w).tanh(), x.exp().sum()


def scalar(x, w):
    return ((x @ w).sin() * x[0]).sum()


def close(a, b):
    for one, other in zip(flatten(a)[0], flatten(b)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("in_dims", [(0, None), (0, 0)])
def test_products_are_those_of_the_rows(in_dims):
    ws = W if in_dims[1] is None else np.stack([W * k for k in range(9)])
    of = (lambda k: W) if in_dims[1] is None else (lambda k: ws[k])
    program = td.record(f, X[0], W)
    rows = program.batch(in_dims=in_dims)
    v = DRAWS.standard_normal((9, 2)), DRAWS.standard_normal(9)
    t = DRAWS.standard_normal(X.shape), DRAWS.standard_normal(ws.shape)
    value, product = rows.vjp((X, ws), v)
    _, pushed = rows.jvp((X, ws), t)
    matrix = rows.jacobian((X, ws))
    for k in range(9):
        close([part[k] for part in flatten((value, product))[0]], program.vjp((X[k], of(k)), (v[0][k], v[1][k])))
        tangent = (t[0][k], t[1] if in_dims[1] is None else t[1][k])
        close([part[k] for part in flatten(pushed)[0]], program.jvp((X[k], of(k)), tangent)[1])
        close([part[k] for part in flatten(matrix)[0]], program.jacobian((X[k], of(k))))


def test_second_derivatives_are_those_of_the_rows():
    program = td.record(scalar, X[0], W)
    rows = program.batch(in_dims=(0, None))
    v = DRAWS.standard_normal(X.shape), DRAWS.standard_normal(W.shape)
    value, product = rows.hvp((X, W), v)
    matrix = rows.hessian((X, W))
    for k in range(9):
        close([value[k], *(part[k] for part in product)], program.hvp((X[k], W), (v[0][k], v[1])))
        close([part[k] for part in flatten(matrix)[0]], program.hessian((X[k], W)))


def test_jacobians_and_hessians_are_pytorchs():
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    x, w = torch.tensor(X), torch.tensor(W)
    rows = td.record(lambda x, w: f(x, w)[0], X[0], W).batch(in_dims=(0, None))
    close(rows.jacobian((X, W)), [y.numpy() for y in torch.vmap(torch.func.jacrev(lambda x, w: f(x, w)[0], argnums=(0, 1)),
                                                               in_dims=(0, None))(x, w)])
    rows = td.record(lambda x: scalar(x, td.tensor(W)), X[0]).batch()
    close(rows.hessian(X), torch.vmap(torch.func.jacrev(torch.func.jacrev(lambda x: scalar(x, w))))(x).numpy())


def test_vectors_of_other_shapes_are_refused():
    rows = td.record(scalar, X[0], W).batch(in_dims=(0, None))
    with pytest.raises(RuntimeError, match="shape"):
        rows.hvp((X, W), (X[:4], W))
    with pytest.raises(RuntimeError, match="None"):
        td.record(f, X[0], W).batch(in_dims=(0, None)).vjp((X, W))


def test_rows_that_fail_a_guard_are_reported():
    rows = td.record(lambda x: x.sin() if x > 0 else x, 1.0).batch()
    with pytest.raises(td.GuardError) as caught:
        rows.jacobian(np.array([1.0, -1.0]))
    assert caught.value.failed.tolist() == [False, True]
