"""Graphs built anew for every gradient: the workloads of the asv suites, beside the libraries that record as they go."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case


def tapediff(workload: Callable[..., Case], *arguments: Any) -> Case:
    import tapediff as td

    return workload(td, *arguments)


def torch(workload: Callable[..., Case], *arguments: Any) -> Case:
    import torch

    return workload(torch, *arguments)


def pytorch_api(workload: Callable[..., Case], takes_size: bool, user_code: tuple[Callable[..., Any], ...]) -> tuple[Peer, Peer]:
    """The two libraries that run the same source code."""

    def peer(library: Callable[..., Case], name: str) -> Peer:
        return Peer(name, lambda size: library(workload, size) if takes_size else library(workload), user_code)

    return peer(tapediff, "tapediff"), peer(torch, "torch")


def micrograd_scalar_mlp(_: Any) -> Case:
    from micrograd.engine import Value

    return workloads.scalar_mlp_case(scalar=Value, constant=Value, no_gradient=0, read=lambda v: getattr(v, "data", v))


def xad_gradient(tape: Any, length: int = 100) -> tuple[float, float]:
    """Value and gradient of the scalar chain on an active xad tape: inputs and outputs registered, adjoints computed."""
    from xad.adj_1st import Real
    from xad.math import sin

    x = Real(workloads.SCALAR_CHAIN_START)
    tape.registerInput(x)
    tape.newRecording()
    y = x
    for _ in range(length):
        y = sin(y * x + 0.5)
    tape.registerOutput(y)
    y.setDerivative(1.0)
    tape.computeAdjoints()
    return y.getValue(), x.getDerivative()


def xad_tape_per_step(_: Any) -> Case:
    """xad as its documentation writes it: a tape for each evaluation."""
    from xad.adj_1st import Tape

    def step() -> tuple[float, float]:
        with Tape() as tape:
            return xad_gradient(tape)

    return Case(step, list)


def xad_tape_kept(_: Any) -> Case:
    """xad at its fastest: one tape that is rewound."""
    from xad.adj_1st import Tape

    tape = Tape()

    def step() -> tuple[float, float]:
        tape.activate()
        try:
            return xad_gradient(tape)
        finally:
            tape.deactivate()

    return Case(step, list)


def scalar_chain(sin: Any, x: Any) -> Any:
    y = x
    for _ in range(100):
        y = sin(y * x + 0.5)
    return y


def autograd_scalar_chain(_: Any) -> Case:
    import autograd
    import autograd.numpy as anp

    value_and_grad = autograd.value_and_grad(lambda x: scalar_chain(anp.sin, x))
    return Case(lambda: value_and_grad(workloads.SCALAR_CHAIN_START), list)


def mygrad_scalar_chain(_: Any) -> Case:
    import mygrad

    def step() -> Any:
        x = mygrad.tensor(workloads.SCALAR_CHAIN_START)
        y = scalar_chain(mygrad.sin, x)
        y.backward()
        return y.item(), x.grad.item()

    return Case(step, list)


def vector_start(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(size)


def vector_function(library: Any, v: Any) -> Any:
    """The function of `workloads.vector_chain` in NumPy's names."""
    return library.mean(library.sin(v**2 + 3 * v) * library.exp(v))


def autograd_vector_chain(size: int) -> Case:
    import autograd
    import autograd.numpy as anp

    v = vector_start(size)
    value_and_grad = autograd.value_and_grad(lambda v: vector_function(anp, v))
    return Case(lambda: value_and_grad(v), list)


def mygrad_vector_chain(size: int) -> Case:
    import mygrad

    v = mygrad.tensor(vector_start(size))

    def step() -> Any:
        y = vector_function(mygrad, v)
        y.backward()
        return y

    return Case(step, lambda y: [y.item(), v.grad])


def jax_vector_chain(size: int) -> Case:
    import jax
    import jax.numpy as jnp

    v = jnp.asarray(vector_start(size))
    value_and_grad = jax.jit(jax.value_and_grad(lambda v: vector_function(jnp, v)))
    return Case(lambda: jax.block_until_ready(value_and_grad(v)), list)


def nothing(_: int) -> None:
    """These workloads make their own inputs."""



WORKLOADS = (
    Workload(
        "scalar-mlp",
        "eager: micrograd's scalar MLP 2-16-16-1, float64",
        nothing,
        (
            *pytorch_api(workloads.scalar_mlp, False, (workloads.scalar_mlp_forward, workloads.scalar_mlp_case)),
            Peer("micrograd", micrograd_scalar_mlp, (workloads.scalar_mlp_forward, workloads.scalar_mlp_case)),
        ),
        sizes=(337,),
        size_name="parameters",
    ),
    Workload(
        "scalar-chain",
        "eager: chain of sin(y*x + 0.5)",
        nothing,
        (
            *pytorch_api(workloads.scalar_chain, False, (workloads.scalar_chain,)),
            Peer("xad", xad_tape_per_step, (xad_gradient, xad_tape_per_step)),
            Peer("xad, tape kept", xad_tape_kept, (xad_gradient, xad_tape_kept)),
            Peer("autograd", autograd_scalar_chain, (scalar_chain, autograd_scalar_chain)),
            Peer("mygrad", mygrad_scalar_chain, (scalar_chain, mygrad_scalar_chain)),
        ),
        sizes=(300,),
        size_name="instructions",
    ),
    Workload(
        "vector-chain",
        "eager: mean(sin(v**2 + 3v) * exp(v)), float64",
        lambda size: size,
        (
            *pytorch_api(workloads.vector_chain, True, (workloads.vector_chain,)),
            Peer("autograd", autograd_vector_chain, (vector_function, autograd_vector_chain)),
            Peer("mygrad", mygrad_vector_chain, (vector_function, mygrad_vector_chain)),
            Peer("jax, compiled", jax_vector_chain, (vector_function, jax_vector_chain)),
        ),
        sizes=(3, 100, 10_000, 1_000_000),
        size_name="n",
    ),
    Workload(
        "mlp-step",
        "eager: training step of an MLP 64-128-10, float32",
        nothing,
        pytorch_api(workloads.mlp_step, False, (workloads.mlp_step,)),
        sizes=(64,),
        size_name="rows",
        tolerance=1e-5,
    ),
)
