"""Straight-line scalar programs: a chain of 300 instructions called with a float, and an irregular program of a million."""

import random
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.peers import casadi_calls
from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

START = 0.9
RESULTS_BACK = 16  # an instruction of the irregular program reads among the latest so many results


def chain(sin: Any, x: Any, length: int) -> Any:
    """`y = sin(y*x + 0.5)`, `length` times three instructions."""
    y = x
    for _ in range(length):
        y = sin(y * x + 0.5)
    return y


def two_numbers(result: Any) -> list[Any]:
    return [float(result[0]), float(result[1])]


def tapediff_chain(length: int, executor: str) -> Case:
    import tapediff as td

    program = td.record(lambda x: chain(td.sin, x, length), START).using(executor)
    return Case(lambda: program.value_and_grad(START), two_numbers)


def tapediff_eager_chain(length: int) -> Case:
    import tapediff as td

    return workloads.scalar_chain(td, length)


def jax_chain(length: int) -> Case:
    import jax
    import jax.numpy as jnp

    value_and_grad = jax.jit(jax.value_and_grad(lambda x: chain(jnp.sin, x, length)))

    def step() -> Any:
        value, gradient = value_and_grad(START)
        return float(value), float(gradient)

    return Case(step, two_numbers)


def casadi_function(length: int) -> Any:
    import casadi

    x = casadi.SX.sym("x")
    y = chain(casadi.sin, x, length)
    return casadi.Function("chain", [x], [y, casadi.gradient(y, x)])


def casadi_chain(function: Any) -> Case:
    x = np.array([START])
    call, (value, gradient) = casadi_calls.bind(function, x)

    def step() -> Any:
        x[0] = START
        call()
        return value.item(), gradient.item()

    return Case(step, two_numbers)


def casadi_machine_chain(length: int) -> Case:
    return casadi_chain(casadi_function(length))


def casadi_compiled_chain(length: int) -> Case:
    return casadi_chain(casadi_calls.compiled(casadi_function(length)))


def ddx_equation(length: int) -> Any:
    import ddx

    return ddx.equation(lambda: chain(ddx.sin, ddx.var("x"), length))


def ddx_chain(equation: Any) -> Case:
    call = equation.buffer(np.array([START]))

    def step() -> Any:
        call.x[0] = START
        call()
        return call.value, call.jacobian[0]

    return Case(step, two_numbers)


def ddx_interpreted_chain(length: int) -> Case:
    return ddx_chain(ddx_equation(length))


def ddx_compiled_chain(length: int) -> Case:
    return ddx_chain(ddx_equation(length).compile(cache_dir=""))


IRREGULAR_START = tuple(0.1 * k + 0.15 for k in range(8))


def irregular_plan(size: int) -> list[tuple[int, int, int]]:
    """For each step of four instructions two earlier results, as distances backwards, and one of the eight inputs."""
    draw = random.Random(0)
    return [
        (draw.randint(1, min(RESULTS_BACK, 8 + k)), draw.randint(1, min(RESULTS_BACK, 8 + k)), draw.randrange(8))
        for k in range(size // 4)
    ]


def irregular(sin: Any, inputs: Any, plan: list[tuple[int, int, int]]) -> Any:
    """The sum of `y = sin(a*b + x)` over the plan, with earlier results a and b and an input x: no loop can stand for it."""
    results, total = list(inputs), 0.0
    for a, b, x in plan:
        y = sin(results[-a] * results[-b] + inputs[x])
        results.append(y)
        total = total + y
    return total


def value_and_gradient(result: Any) -> list[Any]:
    return [float(result[0]), np.asarray(result[1], dtype=np.float64).ravel()]


def tapediff_irregular(plan: Any, executor: str) -> Case:
    import tapediff as td

    program = td.record(lambda *inputs: irregular(td.sin, inputs, plan), *IRREGULAR_START).using(executor)
    return Case(lambda: program.value_and_grad(*IRREGULAR_START, argnums=tuple(range(8))), value_and_gradient)


def eager_irregular(library: Any, plan: Any) -> Case:
    def step() -> Any:
        inputs = [library.tensor(value, dtype=library.float64, requires_grad=True) for value in IRREGULAR_START]
        y = irregular(library.sin, inputs, plan)
        y.backward()
        return y.item(), [x.grad.item() for x in inputs]

    return Case(step, value_and_gradient)


def tapediff_eager_irregular(plan: Any) -> Case:
    import tapediff as td

    return eager_irregular(td, plan)


def torch_eager_irregular(plan: Any) -> Case:
    import torch

    return eager_irregular(torch, plan)


def jax_irregular(plan: Any) -> Case:
    import jax
    import jax.numpy as jnp

    value_and_grad = jax.jit(jax.value_and_grad(lambda inputs: irregular(jnp.sin, inputs, plan)))
    inputs = list(IRREGULAR_START)
    return Case(lambda: jax.block_until_ready(value_and_grad(inputs)), value_and_gradient)


def casadi_irregular(plan: Any) -> Case:
    import casadi

    x = casadi.SX.sym("x", 8)
    y = irregular(casadi.sin, casadi.vertsplit(x), plan)
    function = casadi.Function("irregular", [x], [y, casadi.gradient(y, x)])
    call, (value, gradient) = casadi_calls.bind(function, np.array(IRREGULAR_START))

    def step() -> Any:
        call()
        return value[0], gradient

    return Case(step, value_and_gradient)


def ddx_irregular_equation(plan: Any) -> Any:
    import ddx

    return ddx.equation(lambda: irregular(ddx.sin, [ddx.var(f"x{k}") for k in range(8)], plan))


def ddx_irregular(plan: Any) -> Case:
    return ddx_irregular_case(ddx_irregular_equation(plan))


def ddx_compiled_irregular(plan: Any) -> Case:
    return ddx_irregular_case(ddx_irregular_equation(plan).compile(cache_dir=""))


def ddx_irregular_case(equation: Any) -> Case:
    call = equation.buffer(np.array(IRREGULAR_START))

    def step() -> Any:
        call()
        return call.value, call.jacobian

    return Case(step, value_and_gradient)


def xad_irregular(plan: Any) -> Case:
    from xad.adj_1st import Real, Tape
    from xad.math import sin

    def step() -> Any:
        with Tape() as tape:
            inputs = [Real(value) for value in IRREGULAR_START]
            for x in inputs:
                tape.registerInput(x)
            tape.newRecording()
            y = irregular(sin, inputs, plan)
            tape.registerOutput(y)
            y.setDerivative(1.0)
            tape.computeAdjoints()
            return y.getValue(), [x.getDerivative() for x in inputs]

    return Case(step, value_and_gradient)


JAX_COMPILES = "its compiler takes 163 s for 10,000 instructions (4 s for 1,000)"
TAPEDIFF_COMPILES = "its compiler takes some 0.5 ms for each instruction; above that it interprets"
DDX_COMPILES = "its compiler takes 16 s for 30,000 instructions (2 s for 10,000); above that it interprets"

WORKLOADS = (
    Workload(
        "chain-300",
        "chain of scalar instructions with sin, float in and float out",
        lambda size: size // 3,
        (
            Peer("tapediff", lambda inputs: tapediff_chain(inputs, "compiled"), (chain, tapediff_chain)),
            Peer("tapediff, interpreter", lambda inputs: tapediff_chain(inputs, "interpreter"), (chain, tapediff_chain)),
            Peer("tapediff, eager", tapediff_eager_chain, (workloads.scalar_chain,)),
            Peer("jax", jax_chain, (chain, jax_chain)),
            Peer("casadi, SX machine", casadi_machine_chain, (chain, casadi_function, casadi_chain)),
            Peer("casadi, C -O2", casadi_compiled_chain, (chain, casadi_function, casadi_chain, casadi_compiled_chain)),
            Peer("ddx, interpreted", ddx_interpreted_chain, (chain, ddx_equation, ddx_chain)),
            Peer("ddx, compiled", ddx_compiled_chain, (chain, ddx_equation, ddx_chain)),
        ),
        sizes=(30, 100, 300),
        size_name="instructions",
    ),
    Workload(
        "straight-line",
        "irregular straight-line program, 8 inputs",
        irregular_plan,
        (
            Peer("tapediff", lambda plan: tapediff_irregular(plan, "interpreter"), (irregular, tapediff_irregular)),
            Peer(
                "tapediff, compiled",
                lambda plan: tapediff_irregular(plan, "compiled"),
                (irregular, tapediff_irregular),
                10_000,
                TAPEDIFF_COMPILES,
            ),
            Peer("tapediff, eager", tapediff_eager_irregular, (irregular, eager_irregular)),
            Peer("casadi, SX machine", casadi_irregular, (irregular, casadi_irregular)),
            Peer("jax", jax_irregular, (irregular, jax_irregular), 1_000, JAX_COMPILES),
            Peer("ddx, interpreted", ddx_irregular, (irregular, ddx_irregular_equation, ddx_irregular_case)),
            Peer(
                "ddx, compiled",
                ddx_compiled_irregular,
                (irregular, ddx_irregular_equation, ddx_irregular_case),
                10_000,
                DDX_COMPILES,
            ),
            Peer("torch, eager", torch_eager_irregular, (irregular, eager_irregular)),
            Peer("xad", xad_irregular, (irregular, xad_irregular)),
        ),
        sizes=(1_000, 10_000, 100_000, 1_000_000),
        size_name="instructions",
    ),
)
