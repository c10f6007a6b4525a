"""The trapezoidal rule over samples, and derivatives of samples by differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapediff.functions.composing import checked
from tapediff.functions.joining import cat
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, function
from tapediff.functions.views import narrow
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = ["cumulative_trapezoid", "gradient", "trapezoid"]


def panels(name: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> tuple[Tensor, int]:
    """Twice the area under each pair of neighbours, and the dim counted from the front."""
    shape = checked(y, name, "y")
    dim = normalize_dim(dim, len(shape))
    if not shape[dim]:
        return y, dim
    count = shape[dim] - 1
    sums = narrow(y, dim, 1, count) + narrow(y, dim, 0, count)
    if x is None:
        return sums * dx, dim
    widths = checked(x, name, "x", 2)
    if not widths:
        raise RuntimeError(f"{name}: There must be one `x` value for each sample point, got an x without dimensions")
    along = 0 if len(widths) == 1 else dim
    if widths[along] != shape[dim]:
        raise RuntimeError(f"{name}: There must be one `x` value for each sample point, got {widths[along]} of them for "
                           f"{shape[dim]} samples")
    steps = narrow(x, along, 1, count) - narrow(x, along, 0, count)
    if len(widths) == 1:
        steps = steps.reshape(count, *(1 for _ in shape[dim + 1:]))
    return sums * steps, dim


@function("trapezoid", "trapz", method=False)
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The integral of samples along `dim` by the trapezoidal rule: at the places `x`, or `dx` apart.

    >>> import tapediff as td
    >>> td.trapezoid(td.tensor([1., 5., 10.])), td.trapezoid(td.tensor([1., 5.]), td.tensor([0., 3.]))
    (tensor(10.5000), tensor(9.))
    """
    if x is None and y.spec.shape and y.spec.shape[dim]:
        ends = FUNCTIONS["select"](y, dim, 0) + FUNCTIONS["select"](y, dim, -1)
        return named((y.sum(dim) - ends * 0.5) * dx, "MulBackward1")
    areas, dim = panels("trapezoid", y, x, dx, dim)
    if not y.spec.shape[dim]:
        shape = y.spec.shape
        return FUNCTIONS["zeros"](shape[:dim] + shape[dim + 1:], dtype=y.spec.dtype)
    return named(areas.sum(dim) / 2.0, "DivBackward1")


@function(method=False)
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The integrals of `trapezoid` from the first sample to each later one.

    >>> import tapediff as td
    >>> td.cumulative_trapezoid(td.tensor([1., 5., 10.]))
    tensor([ 3.0000, 10.5000])
    """
    areas, dim = panels("cumulative_trapezoid", y, x, dx / 2, dim)
    return areas.cumsum(dim) if x is None else named(areas.cumsum(dim) / 2.0, "DivBackward1")


# --- derivatives ----------------------------------------------------------------------------------------------------------------

@function(method=False)
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivative of samples along each of some dimensions: by central differences, at the ends by one-sided ones.

    spacing     how far samples are apart: one number, one for each dimension, or for each dimension a vector of places
    dim         an int or several; all dimensions where it is not given
    edge_order  1 or 2: the order of the one-sided differences

    >>> import tapediff as td
    >>> td.gradient(td.tensor([1., 4., 9., 16.]))
    (tensor([3., 4., 6., 7.]),)
    """
    shape = checked(input, "gradient")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    is_list = isinstance(spacing, tuple | list)
    if dim is None:
        dims = tuple(range(len(shape))) if not is_list or len(spacing) != 1 else (0,)
    else:
        dims = tuple(normalize_dim(one, len(shape)) for one in ((dim,) if isinstance(dim, int) else dim))
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim {dims} appears multiple times in the list of dims")
    spacings: Sequence[Any] = spacing if is_list else (spacing,) * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                           f"'self.dim() = {len(dims)}', but got a list of length {len(spacings)}")
    for one in dims:
        if shape[one] <= edge_order:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(derivative(input, one, step, edge_order) for one, step in zip(dims, spacings))


def derivative(x: Tensor, dim: int, spacing: Any, edge_order: int) -> Tensor:
    """The derivative along one dimension; samples lie `spacing` apart, or at the places that it holds."""
    size = x.spec.shape[dim]
    if isinstance(spacing, Tensor) and spacing.spec.ndim:
        return uneven_derivative(x, dim, spacing, edge_order)
    steps = (narrow(x, dim, 1, size - 1) - narrow(x, dim, 0, size - 1)) / spacing
    first, last = narrow(steps, dim, 0, 1), narrow(steps, dim, size - 2, 1)
    inner = (narrow(x, dim, 2, size - 2) - narrow(x, dim, 0, size - 2)) / (spacing * 2)
    if edge_order == 2:
        first = 1.5 * first - 0.5 * narrow(steps, dim, 1, 1)
        last = 1.5 * last - 0.5 * narrow(steps, dim, size - 3, 1)
    return cat([first, inner, last], dim)


def uneven_derivative(x: Tensor, dim: int, places: Tensor, edge_order: int) -> Tensor:
    """The derivative along one dimension of samples at given places: of second order inside.

    By the weighted mean of the slopes to both sides, each weighted with the other side's step.
    """
    size = x.spec.shape[dim]
    if places.spec.shape != (size,):
        raise RuntimeError(f"torch.gradient expected each element of spacing to be a vector with {size} places along dimension "
                           f"{dim}, but got one of shape {list(places.spec.shape)}")
    widths = (narrow(places, 0, 1, size - 1) - narrow(places, 0, 0, size - 1)).reshape(
        size - 1, *(1 for _ in x.spec.shape[dim + 1:]))
    slopes = (narrow(x, dim, 1, size - 1) - narrow(x, dim, 0, size - 1)) / widths

    def pair(start: int, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Slopes and steps before and behind `count` inner places."""
        return (narrow(slopes, dim, start, count), narrow(slopes, dim, start + 1, count), narrow(widths, 0, start, count),
                narrow(widths, 0, start + 1, count))

    before, behind, left, right = pair(0, size - 2)
    inner = (before * right + behind * left) / (left + right)
    first, last = narrow(slopes, dim, 0, 1), narrow(slopes, dim, size - 2, 1)
    if edge_order == 2:
        before, behind, left, right = pair(0, 1)
        first = before + (before - behind) * left / (left + right)
        before, behind, left, right = pair(size - 3, 1)
        last = behind + (behind - before) * right / (left + right)
    return cat([first, inner, last], dim)
