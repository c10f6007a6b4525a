"""The Heston example: its prices against the two-probability form in complex numbers, its Greeks against differences of that."""

import sys
from pathlib import Path

import numpy as np
import pytest
from guide import run_guide
from scipy.integrate import quad
from scipy.stats import norm

import tapediff as td

pytest.importorskip("pyarrow", reason="the quotes are a Parquet file, which needs the extra jobs")
ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from examples.heston.model import call_price  # noqa: E402
from examples.heston.prepare import PARAMETERS, quadrature, quotes  # noqa: E402


def probability(number, spot, strike, maturity, rate, parameters):
    """Heston, "A closed-form solution for options with stochastic volatility" (1993), equation 18, without its jumps."""
    variance, reversion, level, volatility, correlation = parameters
    u0 = 0.5 if number == 1 else -0.5
    b = reversion - correlation * volatility if number == 1 else reversion

    def integrand(u):
        beta = b - correlation * volatility * 1j * u
        d = np.sqrt(beta**2 - volatility**2 * (2 * u0 * 1j * u - u**2))
        g = (beta - d) / (beta + d)
        decay = np.exp(-d * maturity)
        c = rate * 1j * u * maturity + reversion * level / volatility**2 * (
            (beta - d) * maturity - 2 * np.log((1 - g * decay) / (1 - g)))
        slope = (beta - d) / volatility**2 * (1 - decay) / (1 - g * decay)
        return (np.exp(c + slope * variance + 1j * u * np.log(spot / strike)) / (1j * u)).real

    return 0.5 + quad(integrand, 1e-12, np.inf, limit=2000, epsabs=1e-12, epsrel=1e-12)[0] / np.pi


def price(spot, strike, maturity, rate, parameters):
    arguments = spot, strike, maturity, rate, parameters
    return spot * probability(1, *arguments) - strike * np.exp(-rate * maturity) * probability(2, *arguments)


def difference(f, x, step):
    """Richardson's extrapolation of central differences."""
    half, whole = ((f(x + h) - f(x - h)) / (2 * h) for h in (step / 2, step))
    return (4 * half - whole) / 3


@pytest.mark.slow
def test_the_guide_gives_the_prices_and_greeks_of_the_complex_form(tmp_path):
    out, printed = run_guide("heston", tmp_path, **{"--quotes 100000": "--quotes 300"})
    assert "5 rows against central finite differences" in printed
    assert "one of each of 300 calls" in printed
    table = quotes(300)
    for row in range(0, 300, 60):
        spot, strike, maturity, rate = (table[name][row] for name in ("spot", "strike", "maturity", "rate"))
        assert np.load(out / "value.npy")[row] == pytest.approx(price(spot, strike, maturity, rate, PARAMETERS), abs=1e-7)
        greeks = {name: np.load(out / f"grad_{name}.npy")[row] for name in ("spot", "maturity", "rate", "parameters")}
        expected = {
            "spot": difference(lambda x: price(x, strike, maturity, rate, PARAMETERS), spot, 0.5),  # noqa: B023
            "maturity": difference(lambda x: price(spot, strike, x, rate, PARAMETERS), maturity, 0.01),  # noqa: B023
            "rate": difference(lambda x: price(spot, strike, maturity, x, PARAMETERS), rate, 0.002),  # noqa: B023
            "parameters": [
                difference(lambda x: price(spot, strike, maturity, rate, PARAMETERS + x * unit), 0.0, 0.004)  # noqa: B023
                for unit in np.eye(5)
            ],
        }
        for name, found in greeks.items():
            np.testing.assert_allclose(found, expected[name], rtol=2e-5, atol=2e-5, err_msg=f"{name}, row {row}")


def test_without_volatility_of_the_variance_it_is_black_and_scholes_formula():
    spot, strike, maturity, rate, variance = 100.0, 110.0, 0.5, 0.03, 0.04
    nodes, weights = quadrature(256)
    parameters = np.array([variance, 1.0, variance, 1e-4, 0.0])
    program = td.record(call_price, spot, strike, maturity, rate, parameters, nodes, weights)
    value, (delta, rho) = program.value_and_grad(spot, strike, maturity, rate, parameters, nodes, weights, argnums=(0, 3))
    root = np.sqrt(variance * maturity)
    d1 = (np.log(spot / strike) + rate * maturity) / root + root / 2
    discounted = strike * np.exp(-rate * maturity) * norm.cdf(d1 - root)
    assert value == pytest.approx(spot * norm.cdf(d1) - discounted, abs=1e-6)
    assert delta == pytest.approx(norm.cdf(d1), abs=1e-6)
    assert rho == pytest.approx(maturity * discounted, abs=1e-5)
