"""The first contribution to an adjoint is written over what an earlier pass left in the memory, later ones are added."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapediff as td

SIZES = [1, 3, 64, 500, 1025, 70_000]  # single elements, one vector, zeroed and not, runs of blocks, fetched ahead

FUNCTIONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]] = {
    "a floor comes first": (lambda t, x: (lambda y: y.sin() + y.floor())(x * x), lambda x: np.cos(x * x) * 2 * x),
    "only a floor": (lambda t, x: (x * x).floor() + x, lambda x: np.ones_like(x)),
    "a sum comes first": (lambda t, x: (lambda y: y.sin() * y.sum())(x * 2),
                          lambda x: 2 * (np.cos(2 * x) * (2 * x).sum() + np.sin(2 * x).sum())),
    "a mean comes last": (lambda t, x: (lambda y: y * y.mean() + y)(x * 2),
                          lambda x: 2 * ((2 * x).mean() + (2 * x).sum() / x.size + 1)),
    "a view comes first": (lambda t, x: (lambda y: y.reshape(1, -1)[0] * 3 + y.exp())(x + 1), lambda x: 3 + np.exp(x + 1)),
    "a flip comes first": (lambda t, x: (lambda y: y.flip(0) * 3 + y.exp())(x + 1), lambda x: 3 + np.exp(x + 1)),
    "one operand twice": (lambda t, x: (lambda y: y * y + y)(x + 1), lambda x: 2 * (x + 1) + 1),
    "broadcast": (lambda t, x: (lambda y: y * y[0])(x + 1), None),
    "three operands": (lambda t, x: (lambda y: t.lerp(y, x, y * 2.0))(x + 1), lambda x: 2 * (-1) + 1 + 0 * x),
}


def derivative(name: str, x: np.ndarray) -> np.ndarray:
    """In closed form."""
    closed = FUNCTIONS[name][1]
    if closed is not None:
        return closed(x)
    found = np.full_like(x, x[0] + 1)  # d/dx_k of sum_j (x_j + 1) (x_0 + 1)
    found[0] += (x + 1).sum()
    return found


def dirty_the_scratch_memory(size: int) -> None:
    """Leave nan behind in the adjoints of a pass as large as any below."""
    x = td.full((size,), np.nan, requires_grad=True, dtype=td.float64)
    y = x
    for _ in range(12):
        y = y * 2.0 + x
    y.flip(0).sum().backward()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_do_not_depend_on_what_the_memory_held(name: str, size: int) -> None:
    values = np.random.default_rng(0).uniform(0.1, 0.9, size)
    x = td.tensor(values, requires_grad=True)
    for retain in (False, True):
        dirty_the_scratch_memory(size)
        x.grad = None
        y = FUNCTIONS[name][0](td, x).sum()
        y.backward(retain_graph=retain)
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.numpy(), derivative(name, values), rtol=1e-11)


@pytest.mark.parametrize("size", SIZES)
def test_with_hooks_and_weights_too(size: int) -> None:
    values = np.random.default_rng(0).uniform(0.1, 0.9, size)
    x = td.tensor(values, requires_grad=True)
    dirty_the_scratch_memory(size)
    y = x * x
    z = y.sin() + y.floor()
    y.register_hook(lambda grad: 2 * grad)
    z.backward(td.full((size,), 0.5, dtype=td.float64))
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), np.cos(values * values) * 2 * values, rtol=1e-12)


def test_a_gradient_of_minus_zero_is_minus_zero() -> None:
    for size in (1, 5, 2000):
        x = td.ones(size, requires_grad=True)
        (-x).backward(td.zeros(size))
        assert x.grad is not None
        assert np.signbit(x.grad.numpy()).all()
    scalar = td.tensor(0.5, requires_grad=True)
    (scalar * -0.0).backward()
    assert str(scalar.grad) == "tensor(-0.)"
