"""Two inner steps of fitting: a differential equation to observations, and Hamiltonian Monte Carlo of a logistic regression."""

from typing import Any

import numpy as np

from benchmarks.peers import casadi_calls
from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

RATES = (0.9, 0.55, 0.22, 0.85)
TRUE_RATES = (1.0, 0.5, 0.25, 0.8)
START = (4.0, 2.0)
DURATION = 10.0
OBSERVED_EVERY = 10


def trajectory_step(rates: Any, x: Any, y: Any, dt: float) -> tuple[Any, Any]:
    """One classical Runge-Kutta step of Lotka and Volterra's x' = a x - b x y, y' = c x y - d y."""
    a, b, c, d = rates

    def slope(x: Any, y: Any) -> tuple[Any, Any]:
        met = x * y
        return a * x - b * met, c * met - d * y

    x1, y1 = slope(x, y)
    x2, y2 = slope(x + 0.5 * dt * x1, y + 0.5 * dt * y1)
    x3, y3 = slope(x + 0.5 * dt * x2, y + 0.5 * dt * y2)
    x4, y4 = slope(x + dt * x3, y + dt * y3)
    return x + dt / 6.0 * (x1 + 2.0 * (x2 + x3) + x4), y + dt / 6.0 * (y1 + 2.0 * (y2 + y3) + y4)


def misfit(rates: Any, observed: list[tuple[float, float]], steps: int) -> Any:
    """The sum of squared differences from `observed`, one pair after every OBSERVED_EVERY steps."""
    (x, y), total = START, 0.0
    for k in range(steps):
        x, y = trajectory_step(rates, x, y, DURATION / steps)
        if (k + 1) % OBSERVED_EVERY == 0:
            seen_x, seen_y = observed[k // OBSERVED_EVERY]
            total = total + (x - seen_x) * (x - seen_x) + (y - seen_y) * (y - seen_y)
    return total


def observations(steps: int) -> tuple[list[tuple[float, float]], int]:
    """Pairs seen along the trajectory of the true rates, with noise; and the number of steps."""
    draw, (x, y), seen = np.random.default_rng(0), START, []
    for k in range(steps):
        x, y = trajectory_step(TRUE_RATES, x, y, DURATION / steps)
        if (k + 1) % OBSERVED_EVERY == 0:
            seen.append((float(x + 0.1 * draw.standard_normal()), float(y + 0.1 * draw.standard_normal())))
    return seen, steps


def value_then_gradient(result: Any) -> list[Any]:
    return [float(result[0]), np.asarray(result[1], dtype=np.float64).ravel()]


def tapediff_fit(inputs: Any, executor: str) -> Case:
    import tapediff as td

    program = td.record(lambda *rates: misfit(rates, *inputs), *RATES).using(executor)
    return Case(lambda: program.value_and_grad(*RATES, argnums=(0, 1, 2, 3)), value_then_gradient)


def eager_fit(library: Any, inputs: Any) -> Case:
    def step() -> Any:
        rates = [library.tensor(rate, dtype=library.float64, requires_grad=True) for rate in RATES]
        value = misfit(rates, *inputs)
        value.backward()
        return value.item(), [rate.grad.item() for rate in rates]

    return Case(step, value_then_gradient)


def tapediff_eager_fit(inputs: Any) -> Case:
    import tapediff as td

    return eager_fit(td, inputs)


def torch_eager_fit(inputs: Any) -> Case:
    import torch

    return eager_fit(torch, inputs)


def jax_fit(inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    observed, steps = inputs

    def loss(rates: Any) -> Any:
        def advance(state: Any, _: Any) -> Any:
            return trajectory_step(rates, *state, DURATION / steps), None

        def until_seen(state: Any, seen: Any) -> Any:
            (x, y), _ = jax.lax.scan(advance, state, None, length=OBSERVED_EVERY)
            return (x, y), (x - seen[0]) ** 2 + (y - seen[1]) ** 2

        return jax.lax.scan(until_seen, (jnp.float64(START[0]), jnp.float64(START[1])), jnp.asarray(observed))[1].sum()

    value_and_grad = jax.jit(jax.value_and_grad(loss))
    rates = jnp.asarray(RATES)
    return Case(lambda: jax.block_until_ready(value_and_grad(rates)), value_then_gradient)


def casadi_fit(inputs: Any) -> Case:
    import casadi

    rates = casadi.SX.sym("rates", 4)
    value = misfit(casadi.vertsplit(rates), *inputs)
    function = casadi.Function("fit", [rates], [value, casadi.gradient(value, rates)])
    call, (result, gradient) = casadi_calls.bind(function, np.array(RATES))

    def step() -> Any:
        call()
        return result[0], gradient

    return Case(step, value_then_gradient)


def ddx_fit_equation(inputs: Any) -> Any:
    import ddx

    return ddx.equation(lambda: misfit([ddx.var(name) for name in "abcd"], *inputs))


def ddx_fit(equation: Any) -> Case:
    call = equation.buffer(np.array(RATES))

    def step() -> Any:
        call()
        return call.value, call.jacobian

    return Case(step, value_then_gradient)


def ddx_interpreted_fit(inputs: Any) -> Case:
    return ddx_fit(ddx_fit_equation(inputs))


def ddx_compiled_fit(inputs: Any) -> Case:
    return ddx_fit(ddx_fit_equation(inputs).compile(cache_dir=""))


def autograd_fit(inputs: Any) -> Case:
    import autograd

    value_and_grad = autograd.value_and_grad(lambda rates: misfit(rates, *inputs))
    return Case(lambda: value_and_grad(RATES), value_then_gradient)


def xad_fit(inputs: Any) -> Case:
    from xad.adj_1st import Real, Tape

    def step() -> Any:
        with Tape() as tape:
            rates = [Real(rate) for rate in RATES]
            for rate in rates:
                tape.registerInput(rate)
            tape.newRecording()
            value = misfit(rates, *inputs)
            tape.registerOutput(value)
            value.setDerivative(1.0)
            tape.computeAdjoints()
            return value.getValue(), [rate.getDerivative() for rate in rates]

    return Case(step, value_then_gradient)


FEATURES = 20
STEP_SIZE = 0.01


def posterior(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features times labels (rows, 20), position and momentum (20,)."""
    draw = np.random.default_rng(0)
    features, labels = draw.standard_normal((rows, FEATURES)), draw.choice([-1.0, 1.0], rows)
    return features * labels[:, None], 0.1 * draw.standard_normal(FEATURES), draw.standard_normal(FEATURES)


def potential(softplus: Any, signed: Any, q: Any) -> Any:
    """Minus the log posterior of logistic regression with a standard normal prior."""
    return softplus(-(signed @ q)).sum() + 0.5 * (q * q).sum()


def leapfrog(gradient: Any, q: Any, p: Any) -> tuple[Any, Any]:
    """One leapfrog step of Hamilton's equations, two gradients; Neal, "MCMC using Hamiltonian dynamics" (2011)."""
    p = p - 0.5 * STEP_SIZE * gradient(q)
    q = q + STEP_SIZE * p
    return q, p - 0.5 * STEP_SIZE * gradient(q)


def tapediff_leapfrog(inputs: Any) -> Case:
    import tapediff as td

    signed, q, p = inputs
    constant = td.tensor(signed)
    program = td.record(lambda q: potential(td.nn.functional.softplus, constant, q), q)
    return Case(lambda: leapfrog(program.grad, q, p), list)


def eager_leapfrog(library: Any, inputs: Any) -> Case:
    signed, start, momentum = (library.tensor(array) for array in inputs)

    def gradient(q: Any) -> Any:
        q = q.detach().requires_grad_()
        return library.autograd.grad(potential(library.nn.functional.softplus, signed, q), q)[0]

    return Case(lambda: [part.numpy() for part in leapfrog(gradient, start, momentum)], list)


def tapediff_eager_leapfrog(inputs: Any) -> Case:
    import tapediff as td

    return eager_leapfrog(td, inputs)


def torch_eager_leapfrog(inputs: Any) -> Case:
    import torch

    return eager_leapfrog(torch, inputs)


def jax_leapfrog(inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    signed, q, p = (jnp.asarray(array) for array in inputs)
    gradient = jax.grad(lambda q: potential(jax.nn.softplus, signed, q))
    step = jax.jit(lambda q, p: leapfrog(gradient, q, p))
    return Case(lambda: jax.block_until_ready(step(q, p)), list)


def autograd_leapfrog(inputs: Any) -> Case:
    import autograd
    import autograd.numpy as anp

    signed, q, p = inputs
    gradient = autograd.grad(lambda q: potential(lambda x: anp.logaddexp(x, 0.0), signed, q))
    return Case(lambda: leapfrog(gradient, q, p), list)


def leapfrog_by_hand(inputs: Any) -> Case:
    """The yardstick: the gradient derived by hand, in NumPy."""
    signed, q, p = inputs

    def gradient(q: np.ndarray) -> np.ndarray:
        return q - signed.T @ (1 / (1 + np.exp(signed @ q)))

    return Case(lambda: leapfrog(gradient, q, p), list)


WORKLOADS = (
    Workload(
        "ode-fit",
        "fit of 4 rates of Lotka-Volterra, Runge-Kutta",
        observations,
        (
            Peer("tapediff", lambda inputs: tapediff_fit(inputs, "compiled"), (trajectory_step, misfit, tapediff_fit)),
            Peer(
                "tapediff, interpreter",
                lambda inputs: tapediff_fit(inputs, "interpreter"),
                (trajectory_step, misfit, tapediff_fit),
            ),
            Peer("tapediff, eager", tapediff_eager_fit, (trajectory_step, misfit, eager_fit)),
            Peer("jax, scan", jax_fit, (trajectory_step, jax_fit)),
            Peer("casadi, SX machine", casadi_fit, (trajectory_step, misfit, casadi_fit)),
            Peer("ddx, interpreted", ddx_interpreted_fit, (trajectory_step, misfit, ddx_fit_equation, ddx_fit)),
            Peer("ddx, compiled", ddx_compiled_fit, (trajectory_step, misfit, ddx_fit_equation, ddx_fit)),
            Peer("xad", xad_fit, (trajectory_step, misfit, xad_fit)),
            Peer("autograd", autograd_fit, (trajectory_step, misfit, autograd_fit)),
            Peer("torch, eager", torch_eager_fit, (trajectory_step, misfit, eager_fit)),
        ),
        sizes=(50, 100, 200),
        size_name="steps",
    ),
    Workload(
        "hmc",
        "leapfrog step of logistic regression, 20 features",
        posterior,
        (
            Peer("tapediff", tapediff_leapfrog, (potential, leapfrog, tapediff_leapfrog)),
            Peer("tapediff, eager", tapediff_eager_leapfrog, (potential, leapfrog, eager_leapfrog)),
            Peer("jax", jax_leapfrog, (potential, leapfrog, jax_leapfrog)),
            Peer("torch, eager", torch_eager_leapfrog, (potential, leapfrog, eager_leapfrog)),
            Peer("autograd", autograd_leapfrog, (potential, leapfrog, autograd_leapfrog)),
            Peer("numpy, by hand", leapfrog_by_hand, (leapfrog, leapfrog_by_hand)),
        ),
        sizes=(100, 1_000, 10_000),
        size_name="rows",
    ),
)
