"""Heston's model: the discounted call payoff of each simulated path and its eight sensitivities, a gradient for every path.

Log-Euler with full truncation: with v+ = max(v, FLOOR) and sigma = sqrt(v+),

    x += (r - v+/2) dt + sigma sqrt(dt) z1
    v += kappa (theta - v+) dt + xi sigma sqrt(dt) (rho z1 + sqrt(1 - rho^2) z2)

and the payoff exp(-r T) max(s0 exp(x) - strike, 0). The floor stands for 0 and keeps the derivative of the root finite in every
library. Lord, Koekkoek and van Dijk, "A comparison of biased simulation schemes for stochastic volatility models" (2010).
"""

import math
from typing import Any

import numpy as np

from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

NAMES = ("s0", "v0", "kappa", "theta", "xi", "rho", "r", "strike")
POINT = (100.0, 0.04, 1.5, 0.04, 0.5, -0.7, 0.03, 100.0)
MATURITY = 1.0
FLOOR = 1e-14


def normals(steps: int, paths: int) -> np.ndarray:
    """Standard normals, shape (paths, steps, 2)."""
    return np.random.default_rng(0).standard_normal((paths, steps, 2))


def call_payoff(ops: Any, s0: Any, v0: Any, kappa: Any, theta: Any, xi: Any, rho: Any, r: Any, strike: Any, z: Any) -> Any:
    """The payoff of one path, or of many at once; `ops` has sqrt, exp and maximum; z[t] is the pair of normals of step t."""
    dt = MATURITY / len(z)
    root_dt = math.sqrt(dt)
    other = ops.sqrt(1.0 - rho * rho)
    x, v = 0.0, v0
    for z1, z2 in z:
        positive = ops.maximum(v, FLOOR)
        diffusion = ops.sqrt(positive) * root_dt
        x = x + (r - 0.5 * positive) * dt + diffusion * z1
        v = v + kappa * (theta - positive) * dt + xi * diffusion * (rho * z1 + other * z2)
    return ops.exp(-r * MATURITY) * ops.maximum(s0 * ops.exp(x) - strike, 0.0)


class Clamped:
    """A library with PyTorch's functions, as `call_payoff` names them."""

    def __init__(self, library: Any) -> None:
        self.sqrt, self.exp = library.sqrt, library.exp

    def maximum(self, x: Any, bound: float) -> Any:
        return x.clamp(min=bound)


def read_payoffs(result: Any) -> list[Any]:
    """Values, then the eight columns of sensitivities."""
    values, gradients = result
    return [values, *gradients]


def tapediff_batch(z: np.ndarray, executor: str) -> Case:
    import tapediff as td

    def payoff(*inputs: Any) -> Any:
        *parameters, pairs = inputs
        return call_payoff(Clamped(td), *parameters, pairs)

    program = td.record(payoff, *POINT, z[0])
    rows = program.batch(in_dims=(*[None] * 8, 0), executor=executor)
    return Case(lambda: rows.value_and_grad(*POINT, z, argnums=tuple(range(8))), read_payoffs)


def expanded(library: Any, z: np.ndarray) -> Case:
    """As PyTorch's users write it: parameters expanded to one for each path, vector operations, one backward of the sum."""
    columns = [library.tensor(np.ascontiguousarray(column)) for column in np.moveaxis(z, 0, 2).reshape(-1, len(z))]
    pairs = list(zip(columns[::2], columns[1::2]))

    def step() -> Any:
        parameters = [library.full((len(z),), value, dtype=library.float64, requires_grad=True) for value in POINT]
        values = call_payoff(Clamped(library), *parameters, pairs)
        values.sum().backward()
        return values.detach().numpy(), [parameter.grad.numpy() for parameter in parameters]

    return Case(step, read_payoffs)


def tapediff_eager(z: np.ndarray) -> Case:
    import tapediff as td

    return expanded(td, z)


def torch_eager(z: np.ndarray) -> Case:
    import torch

    return expanded(torch, z)


def jax_scan(z: np.ndarray) -> Case:
    import jax
    import jax.numpy as jnp

    def payoff(s0: Any, v0: Any, kappa: Any, theta: Any, xi: Any, rho: Any, r: Any, strike: Any, pairs: Any) -> Any:
        dt = MATURITY / len(pairs)
        root_dt = math.sqrt(dt)
        other = jnp.sqrt(1.0 - rho * rho)

        def advance(state: Any, pair: Any) -> Any:
            x, v = state
            positive = jnp.maximum(v, FLOOR)
            diffusion = jnp.sqrt(positive) * root_dt
            x = x + (r - 0.5 * positive) * dt + diffusion * pair[0]
            v = v + kappa * (theta - positive) * dt + xi * diffusion * (rho * pair[0] + other * pair[1])
            return (x, v), None

        (x, _), _ = jax.lax.scan(advance, (jnp.zeros_like(v0), v0), pairs)
        return jnp.exp(-r * MATURITY) * jnp.maximum(s0 * jnp.exp(x) - strike, 0.0)

    return jax_rows(payoff, z)


def jax_unrolled(z: np.ndarray) -> Case:
    import jax.numpy as jnp

    def payoff(*inputs: Any) -> Any:
        *parameters, pairs = inputs
        return call_payoff(jnp, *parameters, [(pair[0], pair[1]) for pair in pairs])

    return jax_rows(payoff, z)


def jax_rows(payoff: Any, z: np.ndarray) -> Case:
    import jax
    import jax.numpy as jnp

    rows = jax.jit(jax.vmap(jax.value_and_grad(payoff, argnums=tuple(range(8))), in_axes=(*[None] * 8, 0)))
    parameters, pairs = [jnp.float64(value) for value in POINT], jnp.asarray(z)
    return Case(lambda: jax.block_until_ready(rows(*parameters, pairs)), read_payoffs)


def ddx_equation(z: np.ndarray) -> tuple[Any, np.ndarray]:
    """The equation, and its batch: every input a row, the parameters repeated for each path."""
    import ddx

    class Ops:
        sqrt, exp = staticmethod(ddx.sqrt), staticmethod(ddx.exp)

        @staticmethod
        def maximum(x: Any, bound: float) -> Any:
            return ddx.max(x, ddx.Expression(bound))

    @ddx.equation
    def payoff() -> Any:
        parameters = [ddx.var(name) for name in NAMES]
        pairs = [(ddx.param(f"z1_{t}"), ddx.param(f"z2_{t}")) for t in range(z.shape[1])]
        return call_payoff(Ops, *parameters, pairs)

    columns = np.moveaxis(z, 0, 2).reshape(-1, len(z))
    return payoff, np.concatenate([np.repeat(np.array(POINT)[:, None], len(z), axis=1), columns])


def ddx_interpreted(z: np.ndarray) -> Case:
    import ddx

    payoff, batch = ddx_equation(z)
    payoff.options = ddx.Options(backend=ddx.Backend.INTERPRET)
    return Case(lambda: payoff.jacobian(batch), read_payoffs)


def ddx_compiled(z: np.ndarray) -> Case:
    payoff, batch = ddx_equation(z)
    payoff.compile(points=len(z), cache_dir="")
    call = payoff.buffer(batch)

    def step() -> Any:
        call()
        return call.value, call.jacobian

    return Case(step, read_payoffs)


def adjoint_of_path(value: Any, gradient: Any, roots: Any, point: Any, z: Any, floor: float, maturity: float) -> None:
    """Payoff into value[0] and its gradient into gradient[:8], for one path; `roots` is scratch of one number for each step."""
    s0, v0, kappa, theta, xi, rho, r, strike = point
    steps = z.shape[0]
    dt = maturity / steps
    root_dt = np.sqrt(dt)
    other = np.sqrt(1.0 - rho * rho)
    x, v = 0.0, v0
    for t in range(steps):
        root = np.sqrt(max(v, floor))
        roots[t] = root if v > floor else -root  # the sign says that the floor was taken
        positive = root * root
        x += (r - 0.5 * positive) * dt + root * root_dt * z[t, 0]
        v += kappa * (theta - positive) * dt + xi * root * root_dt * (rho * z[t, 0] + other * z[t, 1])
    growth, discount = np.exp(x), np.exp(-r * maturity)
    if not s0 * growth > strike:
        value[0] = 0.0
        gradient[:] = 0.0
        return
    x_bar = discount * s0 * growth
    v_bar = kappa_bar = theta_bar = xi_bar = rho_bar = 0.0
    for t in range(steps - 1, -1, -1):
        z1, z2 = z[t, 0], z[t, 1]
        root = abs(roots[t])
        positive, noise = root * root, root_dt * (rho * z1 + other * z2)
        kappa_bar += v_bar * (theta - positive) * dt
        theta_bar += v_bar * dt
        xi_bar += v_bar * root * noise
        rho_bar += v_bar * root * root_dt * (z1 - rho / other * z2)
        if roots[t] > 0.0:
            root_bar = x_bar * root_dt * z1 + v_bar * xi * noise
            v_bar += root_bar * (0.5 / root) - (0.5 * x_bar + kappa * v_bar) * dt
    value[0] = discount * (s0 * growth - strike)
    gradient[0] = discount * growth
    gradient[1] = v_bar
    gradient[2] = kappa_bar
    gradient[3] = kappa * theta_bar
    gradient[4] = xi_bar
    gradient[5] = xi * rho_bar
    gradient[6] = maturity * (x_bar - value[0])
    gradient[7] = -discount


def numba_by_hand(z: np.ndarray) -> Case:
    """The yardstick: forward and adjoint derived by hand and compiled by Numba, path by path."""
    import numba

    one_path = numba.njit(error_model="numpy")(adjoint_of_path)
    threads = numba.get_num_threads()

    @numba.njit(error_model="numpy", parallel=threads > 1)
    def all_paths(point: Any, z: Any, floor: float, maturity: float, parts: int) -> Any:
        paths, steps = z.shape[0], z.shape[1]
        values, gradients = np.empty(paths), np.empty((paths, 8))
        for part in numba.prange(parts):
            roots = np.empty(steps)
            for i in range(part * paths // parts, (part + 1) * paths // parts):
                one_path(values[i : i + 1], gradients[i], roots, point, z[i], floor, maturity)
        return values, gradients

    def step() -> Any:
        return all_paths(POINT, z, FLOOR, MATURITY, threads)

    return Case(step, lambda result: [result[0], *result[1].T])


def adjoint_of_block(
    values: Any, gradients: Any, first: int, last: int, point: Any, z: Any, floor: float, maturity: float
) -> None:
    """As `adjoint_of_path` for the paths from `first` to `last` in lockstep: loops over paths innermost, for SIMD.

    z is (steps, 2, paths), values (paths,), gradients (8, paths). The compiler has to know that arrays made here do not overlap.
    """
    s0, v0, kappa, theta, xi, rho, r, strike = point
    steps, count = z.shape[0], last - first
    dt = maturity / steps
    root_dt = np.sqrt(dt)
    other = np.sqrt(1.0 - rho * rho)
    variances, roots = np.empty((steps, count)), np.empty((steps, count))
    x, v = np.zeros(count), np.full(count, v0)
    for t in range(steps):
        z1, z2 = z[t, 0, first:last], z[t, 1, first:last]
        for i in range(count):
            variances[t, i] = v[i]
            positive = max(v[i], floor)
            root = np.sqrt(positive)
            roots[t, i] = root
            x[i] += (r - 0.5 * positive) * dt + root * root_dt * z1[i]
            v[i] += kappa * (theta - positive) * dt + xi * root * root_dt * (rho * z1[i] + other * z2[i])
    discount = np.exp(-r * maturity)
    x_bar, v_bar, kappa_bar = np.empty(count), np.zeros(count), np.zeros(count)
    theta_bar, xi_bar, rho_bar = np.zeros(count), np.zeros(count), np.zeros(count)
    for i in range(count):
        growth = np.exp(x[i])
        weight = discount if s0 * growth > strike else 0.0
        x_bar[i] = weight * s0 * growth
        values[first + i] = x_bar[i] - weight * strike
        gradients[0, first + i] = weight * growth
        gradients[6, first + i] = maturity * weight * strike
        gradients[7, first + i] = -weight
    for t in range(steps - 1, -1, -1):
        z1, z2 = z[t, 0, first:last], z[t, 1, first:last]
        for i in range(count):
            root, above = roots[t, i], v_bar[i]
            positive, noise = root * root, root_dt * (rho * z1[i] + other * z2[i])
            kappa_bar[i] += above * (theta - positive) * dt
            theta_bar[i] += above * dt
            xi_bar[i] += above * root * noise
            rho_bar[i] += above * root * root_dt * (z1[i] - rho / other * z2[i])
            below = (x_bar[i] * root_dt * z1[i] + above * xi * noise) * (0.5 / root) - (0.5 * x_bar[i] + kappa * above) * dt
            v_bar[i] = above + (below if variances[t, i] > floor else 0.0)
    for i in range(count):
        gradients[1, first + i] = v_bar[i]
        gradients[2, first + i] = kappa_bar[i]
        gradients[3, first + i] = kappa * theta_bar[i]
        gradients[4, first + i] = xi_bar[i]
        gradients[5, first + i] = xi * rho_bar[i]


def numba_in_lockstep(z: np.ndarray) -> Case:
    """The yardstick of what the machine can do: 64 paths at a time, the normals of a step side by side."""
    import numba

    one_block = numba.njit(error_model="numpy", inline="always")(adjoint_of_block)  # half the speed as a call
    is_parallel, block = numba.get_num_threads() > 1, 64
    columns = np.ascontiguousarray(np.moveaxis(z, 0, 2))

    @numba.njit(error_model="numpy", parallel=is_parallel)
    def all_paths(point: Any, z: Any, floor: float, maturity: float) -> Any:
        paths = z.shape[2]
        values, gradients = np.empty(paths), np.empty((8, paths))
        for part in numba.prange(-(-paths // block)):
            last = min((part + 1) * block, paths)
            one_block(values, gradients, part * block, last, point, z, floor, maturity)
        return values, gradients

    return Case(lambda: all_paths(POINT, columns, FLOOR, MATURITY), read_payoffs)


def payoffs_in_numpy(point: Any, z: np.ndarray) -> np.ndarray:
    """The payoff of every path, for finite differences."""
    return call_payoff(np, *point, [(z[:, t, 0], z[:, t, 1]) for t in range(z.shape[1])])


PEERS = (
    Peer("tapediff", lambda inputs: tapediff_batch(inputs, "compiled"), (call_payoff, tapediff_batch)),
    Peer("tapediff, interpreter", lambda inputs: tapediff_batch(inputs, "interpreter"), (call_payoff, tapediff_batch)),
    Peer("tapediff, eager", tapediff_eager, (call_payoff, expanded)),
    Peer("jax, scan", jax_scan, (jax_scan, jax_rows)),
    Peer("jax, unrolled", jax_unrolled, (call_payoff, jax_unrolled, jax_rows)),
    Peer("torch, eager", torch_eager, (call_payoff, expanded)),
    Peer("ddx, interpreted", ddx_interpreted, (call_payoff, ddx_equation, ddx_interpreted)),
    Peer("ddx, compiled", ddx_compiled, (call_payoff, ddx_equation, ddx_compiled)),
    Peer("numba, by hand", numba_by_hand, (adjoint_of_path, numba_by_hand)),
    Peer("numba, by hand, lockstep", numba_in_lockstep, (adjoint_of_block, numba_in_lockstep)),
)
WORKLOADS = (
    Workload(
        "heston",
        "Heston, 50 steps: payoff and 8 sensitivities of every path",
        lambda paths: normals(50, paths),
        tuple(peer for peer in PEERS if peer.name != "jax, unrolled"),
        sizes=(1_000, 10_000, 100_000),
        size_name="paths",
        uses_threads=True,
        tolerance=1e-8,
    ),
    Workload(
        "heston-10",
        "Heston, 10 steps: payoff and 8 sensitivities of every path",
        lambda paths: normals(10, paths),
        PEERS,
        sizes=(100_000,),
        size_name="paths",
        uses_threads=True,
        tolerance=1e-8,
    ),
)
