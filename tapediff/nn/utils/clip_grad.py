"""Gradients that are too large, made smaller in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tapediff import inplace
from tapediff.functions.registry import FUNCTIONS
from tapediff.grad_modes import no_grad
from tapediff.tensor import Tensor, of_array

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]


def gradients(parameters: Tensors) -> list[Tensor]:
    """The gradients of the parameters that have one."""
    several = [parameters] if isinstance(parameters, Tensor) else parameters
    return [grad for grad in (parameter.grad for parameter in several) if grad is not None]


@no_grad()
def get_total_norm(tensors: Tensors, norm_type: Any = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The norm of the norms of some tensors, which is that of all their elements.

    Raises
        RuntimeError: it is not finite, and that is an error.

    >>> import tapediff as td
    >>> get_total_norm([td.tensor([3.]), td.tensor([0., 4.])])
    tensor(5.)
    """
    several = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    order = float(norm_type)
    if not several:
        return FUNCTIONS["tensor"](0.0)
    with np.errstate(all="ignore"):
        norms = [np.linalg.norm(tensor._array().reshape(-1), order) if tensor.numel() else 0.0 for tensor in several]
        total = np.linalg.norm(np.asarray(norms, np.float64), order)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be "
                           "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
                           "`error_if_nonfinite=False`")
    return of_array(np.asarray(total, several[0].dtype.numpy))


@no_grad()
def clip_grads_with_norm_(parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale the gradients by ``max_norm / total_norm`` where that is less than 1."""
    norm = total_norm._array()
    with np.errstate(all="ignore"):
        factor = np.minimum(norm.dtype.type(max_norm) / (norm + norm.dtype.type(1e-6)), norm.dtype.type(1))
        for grad in gradients(parameters):
            inplace.write(grad, lambda array: np.multiply(array, array.dtype.type(factor), out=array))


def clip_grad_norm_(parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
                    foreach: bool | None = None) -> Tensor:
    """Scale all gradients so that the norm of all their elements is at most `max_norm`; returns the norm before.

    Raises
        RuntimeError: the norm is not finite, and that is an error.

    >>> import tapediff as td
    >>> x = td.tensor([3., 4.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> clip_grad_norm_(x, 5.)
    tensor(10.)
    >>> x.grad
    tensor([3.0000, 4.0000])
    """
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(gradients(several), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(several, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of every gradient between ``-clip_value`` and `clip_value`.

    >>> import tapediff as td
    >>> x = td.tensor([3., 4.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> clip_grad_value_([x], 7.)
    >>> x.grad
    tensor([6., 7.])
    """
    limit = float(clip_value)
    for grad in gradients(parameters):
        inplace.write(grad, lambda array: np.clip(array, -limit, limit, out=array))
