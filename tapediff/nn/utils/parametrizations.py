"""Parametrizations of weights: by direction and length, and by their largest singular value."""

from __future__ import annotations

from typing import Any

from tapediff.functions.registry import FUNCTIONS
from tapediff.grad_modes import no_grad
from tapediff.nn import functional as F
from tapediff.nn.modules.module import Module
from tapediff.nn.utils.parametrize import register_parametrization
from tapediff.tensor import Tensor

__all__ = ["directed", "lengths", "spectral_norm", "turned", "weight_norm"]


def lengths(weight: Tensor, dim: int | None) -> Tensor:
    """The norm of each slice along `dim`, or of all elements."""
    if dim is None or dim == -1:
        return FUNCTIONS["norm"](weight)
    dim %= weight.spec.ndim
    dims = tuple(other for other in range(weight.spec.ndim) if other != dim)
    return FUNCTIONS["norm"](weight, 2, dims, keepdim=True) if dims else weight.abs()


def directed(length: Tensor, direction: Tensor, dim: int | None) -> Tensor:
    """The weight of given lengths and directions."""
    return direction * (length / lengths(direction, dim))


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return directed(weight_g, weight_v, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return lengths(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Lengths (original0) and directions (original1) of a weight as parameters of their own (Salimans and Kingma 2016).

    dim  along which slices have a length each; None for one length

    >>> from tapediff import nn
    >>> list(weight_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def turned(weight: Tensor, dim: int) -> Tensor:
    """A weight as a matrix whose rows are the slices along `dim`."""
    return weight.movedim(dim, 0).flatten(1) if weight.spec.ndim > 1 else weight.reshape(1, -1)


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.spec.ndim
        if not -ndim <= dim < ndim:
            raise IndexError("Dimension out of range (expected to be in range of "
                             f"[-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError("Expected n_power_iterations to be positive, but got "
                             f"n_power_iterations={n_power_iterations}")
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = turned(weight.detach(), self.dim)
            for name, size in zip(("_u", "_v"), matrix.spec.shape):
                draw = FUNCTIONS["randn"](size, dtype=weight.spec.dtype)
                self.register_buffer(name, F.normalize(draw, dim=0, eps=eps))
            self.iterate(matrix, 15)

    def iterate(self, matrix: Tensor, times: int) -> None:
        """Turn u and v, in place, towards the singular vectors of the largest singular value."""
        with no_grad():
            for _ in range(times):
                self._u.copy_(F.normalize(FUNCTIONS["mv"](matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(FUNCTIONS["mv"](matrix.t(), self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.spec.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = turned(weight, self.dim)
        if self.training:
            self.iterate(matrix.detach(), self.n_power_iterations)
        sigma = FUNCTIONS["dot"](self._u.clone(), FUNCTIONS["mv"](matrix, self._v.clone()))
        return weight / sigma

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """A weight divided by its largest singular value, which power iterations follow while training (Miyato et al. 2018).

    dim  of the rows; without it 0, and 1 for transposed convolutions

    >>> import tapediff as td
    >>> from tapediff import nn
    >>> layer = spectral_norm(nn.Linear(3, 3))
    >>> bool(abs(td.linalg.matrix_norm(layer.weight, 2) - 1) < 0.1)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    made: Any = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
