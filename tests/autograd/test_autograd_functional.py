"""Products with Jacobians and Hessians beside PyTorch's."""

import numpy as np
import pytest

import tapediff as td

torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")

X = np.array([0.5, -1.25, 2.0])
Y = np.array([[1.0, 0.25, -0.5], [2.0, -1.0, 0.75]])


def one(t):
    return lambda x: t.stack([x[0] ** 2 * x[1], x.sum().sin(), x.prod()])


def two(t):
    return lambda x, y: (y @ x.exp(), (x * x).sum())


def scalar(t):
    return lambda x: (x**3).prod() + x.sin().sum()


def scalar_of_two(t):
    return lambda x, y: (y @ x).pow(3).sum() + (x.exp() * y[0]).sum()


CALLS = {
    "jacobian": lambda t, x, y: t.autograd.functional.jacobian(one(t), x),
    "jacobian of two": lambda t, x, y: t.autograd.functional.jacobian(two(t), (x, y)),
    "jacobian recorded": lambda t, x, y: t.autograd.functional.jacobian(one(t), x.clone().requires_grad_(), create_graph=True),
    "hessian": lambda t, x, y: t.autograd.functional.hessian(scalar(t), x),
    "hessian of two": lambda t, x, y: t.autograd.functional.hessian(scalar_of_two(t), (x, y)),
    "vjp": lambda t, x, y: t.autograd.functional.vjp(one(t), x, t.tensor([1.0, 2.0, 3.0], dtype=t.float64)),
    "vjp of two": lambda t, x, y: t.autograd.functional.vjp(two(t), (x, y), (y[:, 0], y[0, 0])),
    "vjp without v": lambda t, x, y: t.autograd.functional.vjp(scalar(t), x),
    "jvp": lambda t, x, y: t.autograd.functional.jvp(one(t), x, y[0]),
    "jvp of two": lambda t, x, y: t.autograd.functional.jvp(two(t), (x, y), (x, y)),
    "vhp": lambda t, x, y: t.autograd.functional.vhp(scalar(t), x, y[1]),
    "hvp": lambda t, x, y: t.autograd.functional.hvp(scalar_of_two(t), (x, y), (x + 1, y)),
    "unused input": lambda t, x, y: t.autograd.functional.jacobian(lambda a, b: a.sin(), (x, y)),
}


def flat(value):
    return [part for each in value for part in flat(each)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(name):
    wanted, given = (flat(CALLS[name](t, t.tensor(X), t.tensor(Y))) for t in (torch, td))
    assert len(wanted) == len(given)
    for left, right in zip(wanted, given, strict=True):
        assert left.requires_grad == right.requires_grad
        np.testing.assert_allclose(right.detach().numpy(), left.detach().numpy(), rtol=1e-12, atol=1e-12)


ERRORS = {
    "v can only be None": lambda t, x: t.autograd.functional.vjp(lambda a: a, x),
    "v has invalid size: should be torch.Size([3])": lambda t, x: t.autograd.functional.vjp(lambda a: a, x, t.ones(2)),
    "must be either a Tensor or a tuple of Tensors": lambda t, x: t.autograd.functional.jacobian(lambda a: a, [x]),
    "should contain a single element": lambda t, x: t.autograd.functional.hessian(lambda a: a, x),
    "is independent of input 0. This is not allowed in strict mode": lambda t, x: t.autograd.functional.vjp(
        lambda a: x.requires_grad_().sum(), x, strict=True
    ),
    "Output 0 of the user-provided function does not require gradients": lambda t, x: t.autograd.functional.vjp(
        lambda a: t.ones(1), x, strict=True
    ),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors(phrase):
    types = []
    for t in (torch, td):
        with pytest.raises((RuntimeError, TypeError)) as caught:
            ERRORS[phrase](t, t.ones(3))
        assert phrase in str(caught.value)
        types.append(caught.type)
    assert types[0] is types[1]
