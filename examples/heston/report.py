"""Print the first quotes with their prices and Greeks, and the risk of holding all of them, from a job's results."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet

from examples.heston.model import PARAMETERS


def report(folder: Path, shown: int = 8) -> str:
    """A table; reads the job's inputs and results from `folder`."""
    table = pyarrow.parquet.read_table(folder / "inputs" / "quotes.parquet")
    strike, maturity = (table[name].to_numpy() for name in ("strike", "maturity"))
    price, delta = np.load(folder / "value.npy"), np.load(folder / "grad_spot.npy")
    by_maturity, by_rate = np.load(folder / "grad_maturity.npy"), np.load(folder / "grad_rate.npy")
    by_parameter = np.load(folder / "grad_parameters.npy")
    lines = [f"{'strike':>9} {'years':>6} {'price':>9} {'delta':>7} {'theta':>9} {'rho':>9} {'d variance':>11} {'d correl.':>10}"]
    for row in range(min(shown, len(price))):
        quote = f"{strike[row]:9.1f} {maturity[row]:6.2f} {price[row]:9.4f}"
        greeks = f"{delta[row]:7.4f} {-by_maturity[row]:9.4f} {by_rate[row]:9.4f}"
        lines.append(f"{quote} {greeks} {by_parameter[row, 0]:11.4f} {by_parameter[row, 4]:10.4f}")
    lines.append(f"\none of each of {len(price):,} calls: worth {price.sum():,.2f}, delta {delta.sum():,.2f}")
    lines += [f"  per unit of {name}: {total:,.2f}" for name, total in zip(PARAMETERS, by_parameter.sum(axis=0), strict=True)]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the job's results folder, with its inputs in inputs/")
    print(report(parser.parse_args().folder))


if __name__ == "__main__":
    main()
