"""Covariances, correlations, and histograms."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.composing import checked, leaf, read
from tapediff.functions.registry import FUNCTIONS, function
from tapediff.functions.return_types import return_type
from tapediff.recording import cast
from tapediff.tensor import Tensor

__all__ = ["corrcoef", "cov", "histogram", "vander"]


def check_weights(name: str, weights: Tensor, count: int, categories: tuple[int, ...]) -> None:
    """Refuse weights of observations that do not fit."""
    if weights.spec.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.spec.ndim} "
                           "dimensions")
    if weights.spec.dtype.category not in categories:
        kind = "floating point" if categories == (2,) else "integral"
        raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {weights.spec.dtype.legacy} dtype")
    if weights.spec.size != count:
        raise RuntimeError(f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                           f"{weights.spec.size} != {count}")
    if read(weights).min(initial=0) < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


@function()
def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariances of variables, one in each row; each column is an observation.

    correction  what is subtracted from the number of observations
    fweights    how often each observation was made, integers
    aweights    how much each observation counts

    >>> import tapediff as td
    >>> td.cov(td.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    shape = checked(input, "cov")
    if len(shape) > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {len(shape)} dimensions")
    if input.spec.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if len(shape) < 2 else input
    count = x.spec.shape[1]
    weights: Any = None
    if fweights is not None:
        check_weights("fweights", fweights, count, (1,))
        weights = fweights
    if aweights is not None:
        check_weights("aweights", aweights, count, (2,))
        weights = aweights if weights is None else weights * aweights
    total: Any = count if weights is None else weights.sum()
    if weights is not None and float(read(total)) == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = x.sum(1) / total if weights is None else (x * weights).sum(1) / total
    if weights is None or aweights is None or not correction:
        norm = total - correction
    else:
        norm = total - correction * (weights * aweights).sum() / total
    is_too_few = bool(norm <= 0) if not isinstance(norm, Tensor) else bool(read(norm) <= 0)
    if is_too_few:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
                      UserWarning, stacklevel=2)
        norm = norm.clamp(min=0) if isinstance(norm, Tensor) else max(norm, 0)
    centred = x - mean.unsqueeze(1)
    other = centred if weights is None else centred * weights
    found = centred @ other.t().to(centred.spec.dtype) / norm
    return found.squeeze()


@function()
def corrcoef(input: Tensor) -> Tensor:
    """The correlations of variables, one in each row: covariances over the standard deviations, brought between -1 and 1.

    >>> import tapediff as td
    >>> td.corrcoef(td.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    shape = checked(input, "corrcoef")
    if len(shape) > 2:
        raise RuntimeError("corrcoef(): expected input to have two or fewer dimensions but got an input with "
                           f"{len(shape)} dimensions")
    covariances = cov(input)
    if not covariances.spec.ndim:
        return covariances / covariances
    deviations = covariances.diagonal().sqrt()
    return (covariances / deviations.unsqueeze(1) / deviations.unsqueeze(0)).clamp(-1, 1)


@function(method=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each element of a vector in a row: falling from ``N - 1``, or `increasing` from 0.

    >>> import tapediff as td
    >>> td.vander(td.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    shape = checked(x, "vander", "x")
    if len(shape) != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    dtype = x.spec.dtype if x.spec.dtype.category == 2 else dtypes.int64
    if not count:
        return FUNCTIONS["ones"](shape[0], 0, dtype=dtype)
    powers = FUNCTIONS["cat"]([FUNCTIONS["ones"](shape[0], 1, dtype=dtype), cast(x, dtype).unsqueeze(1).expand(-1, count - 1)],
                              1).cumprod(1)
    return powers if increasing else powers.flip([1])


@function()
def histogram(input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False) -> Any:
    """How many elements, or what sum of weights, fall between neighbouring edges; and the edges. The last interval is closed.

    bins     how many intervals of equal width, or their rising edges
    range    from where to where intervals of equal width reach; over the elements' own range where it is not given
    density  divided by the total and by the width of each interval

    >>> import tapediff as td
    >>> td.histogram(td.tensor([1., 2., 1.]), bins=4, range=(0., 3.))
    torch.return_types.histogram(
    hist=tensor([0., 2., 1., 0.]),
    bin_edges=tensor([0.0000, 0.7500, 1.5000, 2.2500, 3.0000]))
    """
    shape = checked(input, "histogram")
    dtype = input.spec.dtype
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{dtype.legacy}': histogram takes float32 or float64")
    if weight is not None:
        if weight.spec.dtype is not dtype:
            raise RuntimeError(f"torch.histogramdd(): if weight tensor is provided, input tensor and weight tensor should have "
                               f"the same dtype, but got input(dtype={dtype.legacy}), and "
                               f"weight(dtype={weight.spec.dtype.legacy})")
        if weight.spec.shape != shape:
            raise RuntimeError("torch.histogramdd(): if weight tensor is provided it should have the same shape as the input "
                               f"tensor excluding its innermost dimension, but got input with shape {list(shape)} and weight "
                               f"with shape {list(weight.spec.shape)}")
    values = read(input).reshape(-1)
    edges = edges_of(values, bins, range, dtype)
    counted = np.histogram(values[(values >= edges[0]) & (values <= edges[-1])], edges) if weight is None else np.histogram(
        values, edges, weights=read(weight).reshape(-1))
    found = counted[0].astype(dtype.numpy)
    if density:
        found = (found / found.sum() / np.diff(edges)).astype(dtype.numpy)
    return return_type("histogram", "hist", "bin_edges")((leaf(found), leaf(edges)))


def edges_of(values: np.ndarray[Any, Any], bins: Any, bounds: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """The edges of the intervals."""
    if isinstance(bins, Tensor):
        if bins.spec.ndim != 1 or bins.spec.dtype is not dtype:
            raise RuntimeError("torch.histogramdd(): input tensor and bins tensors should have the same dtype, and bins one "
                               f"dimension, but got {bins.spec.dtype.legacy} of shape {list(bins.spec.shape)}")
        return read(bins).copy()
    if not isinstance(bins, int) or bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if bounds is not None:
        low, high = map(float, bounds)
    else:
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd(): dimension 0's range [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histogramdd(): min should not exceed max, but got "
                           f"min {low} max {high} for dimension 0")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.asarray(read(FUNCTIONS["linspace"](low, high, bins + 1, dtype=dtype)))
