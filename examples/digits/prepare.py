"""Write the digits as data.npy and labels.npy, and the weights of a softmax regression trained on them as weights.npz.

Run it as `python -m examples.digits.prepare --out FOLDER`. The images come with scikit-learn; nothing is downloaded.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import tapediff as td

functional = td.nn.functional


def train(pixels: np.ndarray, labels: np.ndarray, steps: int = 200, rate: float = 1.0) -> tuple[td.Tensor, td.Tensor]:
    """Weight (10, 64) and bias (10,) after `steps` steps of full-batch gradient descent from zero."""
    x, y = td.tensor(pixels), td.tensor(labels)
    weight = td.zeros(10, 64, dtype=td.float64, requires_grad=True)
    bias = td.zeros(10, dtype=td.float64, requires_grad=True)
    for step in range(steps):
        loss = functional.cross_entropy(functional.linear(x, weight, bias), y)
        loss.backward()
        with td.no_grad():
            for parameter in (weight, bias):
                parameter -= rate * parameter.grad
                parameter.grad = None
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:>3}  loss {loss.item():.4f}")
    return weight, bias


def accuracy(pixels: np.ndarray, labels: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> float:
    """The fraction of images whose largest logit is that of their label."""
    return float(np.mean(np.argmax(pixels @ weight.T + bias, axis=1) == labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = load_digits(return_X_y=True)
    pixels = images / 16.0
    labels = labels.astype(np.int64)
    weight, bias = (parameter.detach().numpy() for parameter in train(pixels, labels))
    np.save(folder / "data.npy", pixels)
    np.save(folder / "labels.npy", labels)
    np.savez(folder / "weights.npz", weight=weight, bias=bias)
    print(f"{len(labels):,} digits, {accuracy(pixels, labels, weight, bias):.1%} recognised; inputs written to {folder}")


if __name__ == "__main__":
    main()
