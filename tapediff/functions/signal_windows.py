"""Windows for spectra: bells of a given length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.dtypes import get_default_dtype
from tapediff.functions.composing import integer
from tapediff.functions.creation import check_device, dtype_argument, made
from tapediff.functions.registry import function
from tapediff.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]

Array = np.ndarray[Any, Any]


def sampled(name: str, window_length: Any, periodic: bool, dtype: Any, device: Any, requires_grad: bool,
            bell: Callable[[Array], Array]) -> Tensor:
    """A bell over [0, 1] at equal steps: symmetric, or, as `periodic` asks, the first of one sample more."""
    check_device(device)
    length = integer(window_length, name, "window_length", 1)
    found = dtype_argument(dtype, get_default_dtype())
    if not found.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {found}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length <= 1:
        return made(np.ones(length, found.numpy), requires_grad)
    places = np.arange(length) / (length if periodic else length - 1)
    return made(bell(places).astype(found.numpy), requires_grad)


@function(method=False)
def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None,
                    pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A triangle from 0 to 1 and back.

    >>> bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return sampled("bartlett_window", window_length, periodic, dtype, device, requires_grad,
                   lambda x: 1 - np.abs(2 * x - 1))


@function(method=False)
def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None,
                    pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """``0.42 - 0.5 cos(2 pi x) + 0.08 cos(4 pi x)``.

    >>> blackman_window(5, periodic=False)
    tensor([0.0000, 0.3400, 1.0000, 0.3400, 0.0000])
    """
    return sampled("blackman_window", window_length, periodic, dtype, device, requires_grad,
                   lambda x: np.maximum(0.42 - 0.5 * np.cos(2 * np.pi * x) + 0.08 * np.cos(4 * np.pi * x), 0))


@function(method=False)
def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None,
                   layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """``alpha - beta cos(2 pi x)``.

    >>> hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return sampled("hamming_window", window_length, periodic, dtype, device, requires_grad,
                   lambda x: alpha - beta * np.cos(2 * np.pi * x))


@function(method=False)
def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None,
                pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """``sin(pi x)^2``.

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return sampled("hann_window", window_length, periodic, dtype, device, requires_grad,
                   lambda x: 0.5 - 0.5 * np.cos(2 * np.pi * x))


@function(method=False)
def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, layout: Any = None,
                  device: Any = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """``I0(beta sqrt(1 - (2 x - 1)^2)) / I0(beta)`` with the modified Bessel function I0.

    >>> kaiser_window(3, beta=0.)
    tensor([1., 1., 1.])
    """
    return sampled("kaiser_window", window_length, periodic, dtype, device, requires_grad,
                   lambda x: np.i0(beta * np.sqrt(np.maximum(1 - (2 * x - 1) ** 2, 0))) / np.i0(beta))
