"""Write a table of generated option quotes as quotes.parquet, and a model with its quadrature as model.npz.

Run it as `python -m examples.heston.prepare --out FOLDER --quotes 100000`. Parquet takes pyarrow: pip install 'tapediff[jobs]'.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

PARAMETERS = np.array([0.04, 1.5, 0.05, 0.5, -0.7])  # variance, reversion, level, volatility, correlation
NODES = 128


def quotes(count: int) -> dict[str, np.ndarray]:
    """Columns of the table: calls between a month and three years, strikes around the forward as a market quotes them."""
    rng = np.random.default_rng(0)
    maturity = np.exp(rng.uniform(np.log(1 / 12), np.log(3.0), count))
    spot = 100 * np.exp(0.2 * rng.standard_normal(count))
    rate = rng.uniform(0.0, 0.05, count)
    strike = spot * np.exp(rate * maturity + 0.2 * np.sqrt(maturity) * rng.uniform(-2, 2, count))
    return {"spot": spot, "strike": strike.round(1), "maturity": maturity, "rate": rate}


def quadrature(count: int = NODES) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights over u > 0: Gauss and Legendre's in x, where u = 8 x / (1 - x)."""
    x, weights = np.polynomial.legendre.leggauss(count)
    x, weights = 0.5 * (x + 1), 0.5 * weights
    return 8 * x / (1 - x), 8 * weights / (1 - x) ** 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--quotes", type=int, default=100_000, help="rows of the table (default %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(quotes(options.quotes)), options.out / "quotes.parquet")
    nodes, weights = quadrature()
    np.savez(options.out / "model.npz", parameters=PARAMETERS, nodes=nodes, weights=weights)
    print(f"{options.quotes:,} quotes and a model written to {options.out}")


if __name__ == "__main__":
    main()
