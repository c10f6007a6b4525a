"""Fisher information and standard errors of the coefficients, from the scores that a job wrote."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Estimates:
    """What the scores of all observations say about the coefficients.

    total        (p,) the sum of the scores, zero where the likelihood is highest
    information  (p, p) the sum of the scores' outer products, which estimates Fisher's information
    errors       (p,) standard errors: roots of the diagonal of the information's inverse
    """

    total: np.ndarray
    information: np.ndarray
    errors: np.ndarray


def estimates(scores: np.ndarray) -> Estimates:
    """The estimates from scores (n, p)."""
    information = scores.T @ scores
    return Estimates(scores.sum(axis=0), information, np.sqrt(np.diag(np.linalg.inv(information))))


def report(folder: Path) -> str:
    """A table of the coefficients; reads the job's inputs and results from `folder`."""
    coefficients = np.load(folder / "inputs" / "coefficients.npz")["coefficients"]
    names = (folder / "inputs" / "names.txt").read_text().split("\n")
    values, scores = np.load(folder / "value.npy"), np.load(folder / "grad_coefficients.npy")
    found = estimates(scores)
    lines = [f"{'':<16} {'coefficient':>11} {'std. error':>10} {'z':>7} {'sum of scores':>14}"]
    for name, b, error, total in zip(names, coefficients, found.errors, found.total, strict=False):
        lines.append(f"{name:<16} {b:11.4f} {error:10.4f} {b / error:7.2f} {total:14.1e}")
    hardest = np.argsort(values)[:3]
    lines.append(f"log-likelihood {values.sum():.4f}; least likely: " + ", ".join(f"row {k} ({values[k]:.2f})" for k in hardest))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the job's results folder, with its inputs in inputs/")
    print(report(parser.parse_args().folder))


if __name__ == "__main__":
    main()
