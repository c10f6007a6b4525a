"""Write a real data set, breast cancer diagnoses, as rows of features and outcomes, with the coefficients of highest likelihood.

Run it as `python -m examples.fisher.prepare --out FOLDER`. The data comes with scikit-learn; nothing is downloaded.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

FEATURES = ("mean radius", "mean texture", "mean smoothness", "mean symmetry")  # more would separate the outcomes without error
MOST_STEPS = 50


def observations() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features (n, p) with a constant in front, each of mean 0 and variance 1; outcomes (n,), 1.0 for malignant; the names."""
    data = load_breast_cancer()
    chosen = data.data[:, [list(data.feature_names).index(name) for name in FEATURES]]
    scaled = (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)
    features = np.column_stack([np.ones(len(scaled)), scaled])
    return np.ascontiguousarray(features), (data.target == 0).astype(np.float64), ["constant", *FEATURES]


def fit(features: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """The coefficients (p,) at which the likelihood is highest, by Newton's method."""
    coefficients = np.zeros(features.shape[1])
    for _ in range(MOST_STEPS):
        chance = 1 / (1 + np.exp(-features @ coefficients))
        information = features.T @ (features * (chance * (1 - chance))[:, None])
        step = np.linalg.solve(information, features.T @ (outcomes - chance))
        coefficients += step
        if np.abs(step).max() < 1e-13:
            return coefficients
    raise RuntimeError(f"Newton's method still moves by {np.abs(step).max():.1e} after {MOST_STEPS} steps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    features, outcomes, names = observations()
    coefficients = fit(features, outcomes)
    np.savez(folder / "observations.npz", features=features, outcome=outcomes)
    np.savez(folder / "coefficients.npz", coefficients=coefficients)
    (folder / "names.txt").write_text("\n".join(names) + "\n")
    right = np.mean((features @ coefficients > 0) == (outcomes == 1))
    print(f"{len(outcomes)} diagnoses, {right:.1%} explained by {len(FEATURES)} features; inputs written to {folder}")


if __name__ == "__main__":
    main()
