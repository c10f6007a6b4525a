"""The workloads that are timed, each written once as a function of the library that runs it.

`td` is any module with PyTorch's API (tapediff, torch): the same Python code runs on every one of them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Library = Any


@dataclass(frozen=True)
class Case:
    """A workload bound to one library: `step` is what is timed; `numbers` reads the value and gradients of the last step."""

    step: Callable[[], Any]
    numbers: Callable[[Any], list[Any]]

    def result(self) -> list[np.ndarray]:
        """Run one step and return its numbers, to be compared with those of another library."""
        return [np.asarray(number, dtype=np.float64) for number in self.numbers(self.step())]


SCALAR_MLP_SIZES = (2, 16, 16, 1)
SCALAR_MLP_INPUT = (0.3, -0.7)


def scalar_mlp_layers(scalar: Callable[[float], Any]) -> list[list[tuple[list[Any], Any, bool]]]:
    """Layers of neurons (weights, bias, has a relu), every parameter a scalar made by `scalar`; the same numbers each time."""
    draw = random.Random(0)
    last = len(SCALAR_MLP_SIZES) - 2
    return [
        [([scalar(draw.uniform(-1, 1)) for _ in range(fan_in)], scalar(0.0), layer < last) for _ in range(fan_out)]
        for layer, (fan_in, fan_out) in enumerate(pairwise(SCALAR_MLP_SIZES))
    ]


def scalar_mlp_forward(layers: list[list[tuple[list[Any], Any, bool]]], x: list[Any]) -> Any:
    """The network as micrograd writes it: one Python operation for every multiplication and addition."""
    for layer in layers:
        out = []
        for weights, bias, has_relu in layer:
            act = sum((wi * xi for wi, xi in zip(weights, x)), bias)
            out.append(act.relu() if has_relu else act)
        x = out
    return x[0]


def scalar_mlp_case(
    scalar: Callable[[float], Any], constant: Callable[[float], Any], no_gradient: Any, read: Callable[[Any], float]
) -> Case:
    """Reset the gradients, forward, backward; for any library whose scalars have `*`, `+`, `relu`, `grad` and `backward`."""
    layers = scalar_mlp_layers(scalar)
    parameters = [parameter for layer in layers for weights, bias, _ in layer for parameter in (*weights, bias)]

    def step() -> Any:
        for parameter in parameters:
            parameter.grad = no_gradient
        y = scalar_mlp_forward(layers, [constant(value) for value in SCALAR_MLP_INPUT])
        y.backward()
        return y

    return Case(step, lambda y: [read(y), [read(parameter.grad) for parameter in parameters]])


def scalar_mlp(td: Library) -> Case:
    """micrograd's network of 337 parameters, 2-16-16-1, on scalar tensors of float64."""
    return scalar_mlp_case(
        scalar=lambda value: td.tensor(value, dtype=td.float64, requires_grad=True),
        constant=lambda value: td.tensor(value, dtype=td.float64),
        no_gradient=None,
        read=lambda t: t.item(),
    )


SCALAR_CHAIN_START = 0.9


def scalar_chain(td: Library, length: int = 100) -> Case:
    """`y = sin(y*x + 0.5)`, `length` times: three instructions each."""
    x = td.tensor(SCALAR_CHAIN_START, dtype=td.float64, requires_grad=True)

    def step() -> Any:
        x.grad = None
        y = x
        for _ in range(length):
            y = (y * x + 0.5).sin()
        y.backward()
        return y

    return Case(step, lambda y: [y.item(), x.grad.item()])


def vector_chain(td: Library, size: int) -> Case:
    """`mean(sin(v**2 + 3v) * exp(v))` and its gradient, float64."""
    v = td.tensor(np.random.default_rng(0).standard_normal(size), dtype=td.float64, requires_grad=True)

    def step() -> Any:
        v.grad = None
        y = ((v**2 + 3 * v).sin() * v.exp()).mean()
        y.backward()
        return y

    return Case(step, lambda y: [y.item(), v.grad.tolist()])


def mlp_step(td: Library) -> Case:
    """One training step in float32: batch 64, 64-128-10, relu, cross-entropy, backward, plain gradient descent."""
    functional = td.nn.functional
    rng = np.random.default_rng(0)

    def parameter(*shape: int) -> Any:
        return td.tensor(0.1 * rng.standard_normal(shape), dtype=td.float32, requires_grad=True)

    w1, b1, w2, b2 = parameters = parameter(128, 64), parameter(128), parameter(10, 128), parameter(10)
    x = td.tensor(rng.standard_normal((64, 64)), dtype=td.float32)
    labels = td.tensor(rng.integers(0, 10, 64))

    def step() -> Any:
        hidden = functional.relu(functional.linear(x, w1, b1))
        y = functional.cross_entropy(functional.linear(hidden, w2, b2), labels)
        y.backward()
        with td.no_grad():
            for p in parameters:
                p -= 0.01 * p.grad
                p.grad = None
        return y

    return Case(step, lambda y: [y.item(), *(p.tolist() for p in parameters)])
