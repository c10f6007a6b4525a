"""Transforms of derivatives that transforms made: they derive the program of the function itself, and say what the tape says."""

import numpy as np
import pytest

import tapediff as td
from tapediff.nested import flatten

RNG = np.random.default_rng(5)
X, W, B = RNG.standard_normal((7, 4)), RNG.standard_normal((3, 4)), RNG.standard_normal(3)


def t(array):
    return td.tensor(array, dtype=td.float64) if np.asarray(array).dtype.kind == "f" else td.tensor(array)


def loss(w, b, x):
    return ((w @ x + b).tanh()**2).sum()


def branching(w, b, x):
    return loss(w, b, x) if x[0] > 0 else (b * x.sum()).sin().sum()


def with_aux(w, b, x):
    y = (w @ x + b).tanh()
    return y.sum(), {"y": y, "norm": (x * x).sum()}


def unused(w, b, x):
    return (x * x).sum()


def hidden(func):
    """The function, no longer known to be a derivative."""
    return lambda *arguments, **options: func(*arguments, **options)


def assert_same(found, expected):
    found, nest = flatten(found)
    expected, other = flatten(expected)
    assert nest == other
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype is b.dtype
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-13)


MAPPED = {
    "gradient": (td.func.grad(loss, argnums=(0, 1)), {}),
    "one argument": (td.func.grad(loss, argnums=1), {}),
    "the row's own": (td.func.grad(loss, argnums=2), {}),
    "negative argnum": (td.func.grad(loss, argnums=-1), {}),
    "and value": (td.func.grad_and_value(loss, argnums=(0, 2)), {}),
    "branches": (td.func.grad_and_value(branching, argnums=(0, 1, 2)), {}),
    "aux": (td.func.grad(with_aux, argnums=1, has_aux=True), {}),
    "value and aux": (td.func.grad_and_value(with_aux, has_aux=True), {}),
    "unused": (td.func.grad(unused, argnums=(0, 2)), {}),
    "out_dims": (td.func.grad(loss, argnums=(0, 2)), {"out_dims": (2, 1)}),
    "chunks": (td.func.grad(loss), {"chunk_size": 3}),
    "second": (td.func.grad(lambda w, b, x: td.func.grad(loss, argnums=1)(w, b, x).sum(), argnums=1), {}),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_mapped_gradient_is_the_gradient_on_the_tape(name):
    function, options = MAPPED[name]
    arguments = t(W), t(B), t(X)
    found = td.func.vmap(function, in_dims=(None, None, 0), **options)(*arguments)
    assert_same(found, td.func.vmap(hidden(function), in_dims=(None, None, 0), **options)(*arguments))
    if not options:
        rows = [function(t(W), t(B), t(x)) for x in X]
        leaves = [flatten(row)[0] for row in rows]
        assert_same(flatten(found)[0], [td.stack(list(column)) for column in zip(*leaves, strict=True)])


def test_gradients_of_a_mapped_gradient_flow_to_tensors_from_outside():
    w = t(W).requires_grad_()
    found = []
    for function in (td.func.grad(lambda x: loss(w, t(B), x)), hidden(td.func.grad(lambda x: loss(w, t(B), x)))):
        y = td.func.vmap(function)(t(X))
        found.append(td.autograd.grad((y * y).sum(), w)[0])
    assert_same(*found)
    y = td.func.vmap(td.func.grad(loss), in_dims=(None, None, 0))(w, t(B), t(X))
    z = td.func.vmap(hidden(td.func.grad(loss)), in_dims=(None, None, 0))(w, t(B), t(X))
    assert_same(td.autograd.grad((y * y).sum(), w), td.autograd.grad((z * z).sum(), w))


def test_a_mapped_gradient_of_no_rows_has_the_shapes_of_the_results():
    found = td.func.vmap(td.func.grad(loss, argnums=(0, 2)), in_dims=(None, None, 0))(t(W), t(B), t(X[:0]))
    assert [y.shape for y in found] == [(0, 3, 4), (0, 4)]


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: x * 2, "return a scalar tensor"), (lambda x: 3.0, "to return a Tensor"),
    (lambda x: (x.sum(), 1), "to return a Tensor")])
def test_a_mapped_gradient_refuses_what_the_gradient_refuses(function, message):
    with pytest.raises(RuntimeError, match=message):
        td.func.vmap(td.func.grad(function))(t(X))
    with pytest.raises(RuntimeError, match=message):
        td.func.jacrev(td.func.grad(function))(t(X[0]))


def test_a_row_that_only_its_own_arithmetic_reproduces_is_replayed_alone():
    def f(x):
        total = (x * x).sum()
        return total * 2 if total.item() > 0 else total

    np.testing.assert_allclose(td.func.vmap(td.func.grad(f))(t(X)).numpy(), 4 * X)


# --- second derivatives ---------------------------------------------------------------------------------------------------------

def vector(x, y):
    return {"a": (x * y).sin(), "b": [x.sum() * y[0]**2]}


TWICE = {
    "hessian": lambda hide: td.func.hessian(loss, argnums=2),
    "hessian by two": lambda hide: td.func.hessian(loss, argnums=(1, 2)),
    "forward over reverse": lambda hide: td.func.jacfwd(hide(td.func.jacrev(loss, argnums=2)), argnums=2),
    "forward over forward": lambda hide: td.func.jacfwd(hide(td.func.jacfwd(loss, argnums=2)), argnums=2),
    "reverse over gradient": lambda hide: td.func.jacrev(hide(td.func.grad(loss, argnums=(0, 2))), argnums=(0, 2)),
    "mixed": lambda hide: td.func.jacrev(hide(td.func.grad(loss, argnums=1)), argnums=2),
    "no dependence": lambda hide: td.func.hessian(unused, argnums=(0, 2)),
    "aux inside": lambda hide: td.func.jacrev(hide(td.func.grad(with_aux, argnums=2, has_aux=True)), argnums=2, has_aux=True),
}


@pytest.mark.parametrize("name", TWICE)
def test_second_derivatives_are_those_on_the_tape(name):
    arguments = t(W), t(B), t(X[0])
    found = TWICE[name](lambda f: f)(*arguments)
    on_the_tape = [t(a).requires_grad_() for a in (W, B, X[0])]  # products are recorded where gradients flow
    assert_same(found, TWICE[name](hidden)(*on_the_tape))


def test_second_derivatives_of_a_nest_of_vectors():
    x, y = t(X[0]), t(X[1])
    for argnums in (0, 1, (0, 1)):
        found = td.func.hessian(vector, argnums)(x, y)
        expected = td.func.hessian(vector, argnums)(x.clone().requires_grad_(), y.clone().requires_grad_())
        assert_same(found, expected)


def test_a_hessian_of_a_function_of_a_parameter_that_takes_gradients():
    w = t(W).requires_grad_()
    h = td.func.hessian(lambda x: loss(w, t(B), x))(t(X[0]))
    g, = td.autograd.grad(h.sum(), w)
    step = 1e-6
    v = RNG.standard_normal(W.shape)
    up, down = (td.func.hessian(lambda x: loss(t(W + s * v), t(B), x))(t(X[0])).sum().item() for s in (step, -step))  # noqa: B023
    np.testing.assert_allclose((g.numpy() * v).sum(), (up - down) / (2 * step), rtol=1e-6)
