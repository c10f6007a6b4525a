"""Draw the digits that the model finds hardest, each beside the gradient of its loss, as digits.png in the results folder."""

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

COLUMNS = 6


def draw(folder: Path) -> Path:
    """The picture's path; reads the job's inputs and results from `folder`."""
    pixels, labels = np.load(folder / "inputs" / "data.npy"), np.load(folder / "inputs" / "labels.npy")
    value, gradient = np.load(folder / "value.npy"), np.load(folder / "grad_pixels.npy")
    hardest = np.argsort(value)[::-1][:COLUMNS]
    figure, axes = plt.subplots(2, COLUMNS, figsize=(1.6 * COLUMNS, 3.8), layout="constrained")
    for (above, below), row in zip(axes.T, hardest, strict=True):
        above.imshow(pixels[row].reshape(8, 8), cmap="gray_r")
        above.set_title(f"digit {labels[row]}, row {row}\nloss {value[row]:.2f}", fontsize=9)
        bound = np.abs(gradient[row]).max()
        below.imshow(gradient[row].reshape(8, 8), cmap="RdBu_r", vmin=-bound, vmax=bound)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    axes[0, 0].set_ylabel("pixels")
    axes[1, 0].set_ylabel("gradient of the loss")
    figure.suptitle("The hardest digits; more ink on red raises the loss, on blue lowers it", fontsize=10)
    path = folder / "digits.png"
    figure.savefig(path, dpi=150)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the job's results folder, with its inputs in inputs/")
    print(f"picture     {draw(parser.parse_args().folder)}")


if __name__ == "__main__":
    main()
