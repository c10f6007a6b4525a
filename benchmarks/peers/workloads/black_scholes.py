"""Black and Scholes: the price of a European call and its five first-order Greeks, a million rows.

`S N(d1) - K exp(-r T) N(d2)`, d1 = (log(S/K) + (r + sigma^2/2) T) / (sigma sqrt(T)), d2 = d1 - sigma sqrt(T). The derivatives
are by spot, strike, volatility, rate and maturity: delta, dual delta, vega, rho and minus theta. Black and Scholes (1973).
"""

import math
from typing import Any

import numpy as np

from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

NAMES = ("spot", "strike", "sigma", "rate", "maturity")


def market(rows: int) -> list[np.ndarray]:
    """The five inputs, an array of `rows` numbers each."""
    draw = np.random.default_rng(0)
    ranges = ((80.0, 120.0), (80.0, 120.0), (0.1, 0.5), (0.0, 0.05), (0.1, 2.0))
    return [draw.uniform(low, high, rows) for low, high in ranges]


def call_price(ops: Any, spot: Any, strike: Any, sigma: Any, rate: Any, maturity: Any) -> Any:
    """The price of one option or of many; `ops` has log, sqrt, exp and erf."""
    deviation = sigma * ops.sqrt(maturity)
    d1 = (ops.log(spot / strike) + (rate + 0.5 * sigma * sigma) * maturity) / deviation
    d2 = d1 - deviation
    below1, below2 = (0.5 + 0.5 * ops.erf(d * math.sqrt(0.5)) for d in (d1, d2))
    return spot * below1 - strike * ops.exp(-rate * maturity) * below2


def values_then_columns(result: Any) -> list[Any]:
    values, gradients = result
    return [values, *gradients]


def tapediff_program(inputs: Any, executor: str) -> Case:
    import tapediff as td

    program = td.record(lambda *row: call_price(td, *row), *(column[0] for column in inputs))
    rows = program.batch(executor=executor)
    return Case(lambda: rows.value_and_grad(*inputs, argnums=tuple(range(5))), values_then_columns)


def eager(library: Any, inputs: Any) -> Case:
    """Whole columns at a time, one backward pass of the sum."""
    columns = [library.tensor(column, requires_grad=True) for column in inputs]

    def step() -> Any:
        for column in columns:
            column.grad = None
        price = call_price(library, *columns)
        price.sum().backward()
        return price.detach().numpy(), [column.grad.numpy() for column in columns]

    return Case(step, values_then_columns)


def tapediff_eager(inputs: Any) -> Case:
    import tapediff as td

    return eager(td, inputs)


def torch_eager(inputs: Any) -> Case:
    import torch

    return eager(torch, inputs)


def jax_rows(inputs: Any) -> Case:
    from types import SimpleNamespace

    import jax
    import jax.numpy as jnp

    ops = SimpleNamespace(log=jnp.log, sqrt=jnp.sqrt, exp=jnp.exp, erf=jax.scipy.special.erf)
    rows = jax.jit(jax.vmap(jax.value_and_grad(lambda *row: call_price(ops, *row), argnums=tuple(range(5)))))
    columns = [jnp.asarray(column) for column in inputs]
    return Case(lambda: jax.block_until_ready(rows(*columns)), values_then_columns)


def autograd_rows(inputs: Any) -> Case:
    from types import SimpleNamespace

    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import erf

    ops = SimpleNamespace(log=anp.log, sqrt=anp.sqrt, exp=anp.exp, erf=erf)
    pullback = autograd.make_vjp(lambda row: call_price(ops, *row))

    def step() -> Any:
        back, price = pullback(tuple(inputs))
        return price, back(np.ones_like(price))

    return Case(step, values_then_columns)


def ddx_equation() -> Any:
    import ddx

    return ddx.equation(lambda: call_price(ddx, *(ddx.var(name) for name in NAMES)))


def ddx_rows(equation: Any, inputs: Any) -> Case:
    call = equation.buffer(np.stack(inputs))

    def step() -> Any:
        call()
        return call.value, call.jacobian

    return Case(step, values_then_columns)


def ddx_interpreted(inputs: Any) -> Case:
    return ddx_rows(ddx_equation(), inputs)


def ddx_compiled(inputs: Any) -> Case:
    return ddx_rows(ddx_equation().compile(points=len(inputs[0]), cache_dir=""), inputs)


def numba_by_hand(inputs: Any) -> Case:
    """The yardstick: the closed-form Greeks, compiled by Numba."""
    import numba

    threads = numba.get_num_threads()

    @numba.njit(error_model="numpy", parallel=threads > 1)
    def greeks(spots: Any, strikes: Any, sigmas: Any, rates: Any, maturities: Any) -> Any:
        price, result = np.empty(len(spots)), np.empty((5, len(spots)))
        for i in numba.prange(len(spots)):
            spot, strike, sigma, rate, maturity = spots[i], strikes[i], sigmas[i], rates[i], maturities[i]
            root = math.sqrt(maturity)
            d1 = (math.log(spot / strike) + (rate + 0.5 * sigma * sigma) * maturity) / (sigma * root)
            d2 = d1 - sigma * root
            below1 = 0.5 + 0.5 * math.erf(d1 * 0.7071067811865476)
            below2 = 0.5 + 0.5 * math.erf(d2 * 0.7071067811865476)
            density = math.exp(-0.5 * d1 * d1) * 0.3989422804014327
            discounted = strike * math.exp(-rate * maturity)
            price[i] = spot * below1 - discounted * below2
            result[0, i] = below1
            result[1, i] = -discounted / strike * below2
            result[2, i] = spot * density * root
            result[3, i] = maturity * discounted * below2
            result[4, i] = 0.5 * spot * density * sigma / root + rate * discounted * below2
        return price, result

    return Case(lambda: greeks(*inputs), values_then_columns)


WORKLOADS = (
    Workload(
        "black-scholes",
        "Black-Scholes price and 5 Greeks",
        market,
        (
            Peer("tapediff", lambda inputs: tapediff_program(inputs, "compiled"), (call_price, tapediff_program)),
            Peer("tapediff, interpreter", lambda inputs: tapediff_program(inputs, "interpreter"), (call_price, tapediff_program)),
            Peer("tapediff, eager", tapediff_eager, (call_price, eager)),
            Peer("jax", jax_rows, (call_price, jax_rows)),
            Peer("torch, eager", torch_eager, (call_price, eager)),
            Peer("autograd", autograd_rows, (call_price, autograd_rows)),
            Peer("ddx, interpreted", ddx_interpreted, (call_price, ddx_equation, ddx_rows)),
            Peer("ddx, compiled", ddx_compiled, (call_price, ddx_equation, ddx_rows)),
            Peer("numba, by hand", numba_by_hand, (numba_by_hand,)),
        ),
        sizes=(1_000, 10_000, 100_000, 1_000_000),
        size_name="rows",
        uses_threads=True,
    ),
)
