"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.autograd.engine import grad
from tapediff.tensor import Tensor, of_array

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Numerical and analytical derivatives differ."""


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def gradcheck(func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
              check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
              check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
              masked: bool | None = None) -> bool:
    """Compare the gradients of func(*inputs) with central differences of step `eps`; the inputs that require grad should be
    float64.

    Raises
        GradcheckError: a derivative differs by more than atol + rtol * |numerical|, unless raise_exception is False.

    >>> import tapediff as td
    >>> gradcheck(td.sin, td.tensor([0.5, 1.0], dtype=td.float64, requires_grad=True))
    True
    """
    arguments = _tuple(inputs)
    checked = [x for x in arguments if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them have "
                         "requires_grad=True.")
    try:
        for number, output in enumerate(_outputs(func, arguments)):
            for position, x in enumerate(checked):
                numerical = _numerical(func, arguments, x, number, eps)
                analytical = _analytical(output, x)
                if not np.allclose(analytical, numerical, rtol, atol, equal_nan=True):
                    raise GradcheckError(f"Jacobian mismatch for output {number} with respect to input "
                                         f"{position},\nnumerical:{numerical}\nanalytical:{analytical}\n")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _outputs(func: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Tensor]:
    return [y for y in _tuple(func(*arguments)) if isinstance(y, Tensor) and y.requires_grad]


def _analytical(output: Tensor, x: Tensor) -> np.ndarray[Any, Any]:
    """The transposed Jacobian: a row per element of x, a column per element of the output."""
    columns = []
    for place in range(output.spec.size):
        weight = np.zeros(output.spec.size, output.spec.dtype.numpy)
        weight[place] = 1
        found, = grad(output, x, of_array(weight.reshape(output.spec.shape)), retain_graph=True, allow_unused=True)
        columns.append(np.zeros(x.spec.size) if found is None else found._array().reshape(-1).copy())
    return np.stack(columns, axis=1) if columns else np.zeros((x.spec.size, 0))


def _numerical(func: Callable[..., Any], arguments: tuple[Any, ...], x: Tensor, number: int, eps: float) -> np.ndarray[Any, Any]:
    values = x._array().astype(x.spec.dtype.numpy)
    rows = []
    for place in np.ndindex(values.shape):
        sides = []
        for step in (eps, -eps):
            moved = values.copy()
            moved[place] += step
            shifted = tuple(of_array(moved, True) if argument is x else argument for argument in arguments)
            sides.append(_outputs(func, shifted)[number]._array().reshape(-1).copy())
        rows.append((sides[0] - sides[1]) / (2 * eps))
    return np.stack(rows) if rows else np.zeros((0, 0))


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
                  rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
                  check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
                  fast_mode: bool = False, masked: bool = False) -> bool:
    """As `gradcheck`, for the gradients of func as a function of its inputs and of the weights `grad_outputs` (random ones by
    default).

    >>> import tapediff as td
    >>> gradgradcheck(td.sin, td.tensor([0.5, 1.0], dtype=td.float64, requires_grad=True))
    True
    """
    arguments = _tuple(inputs)
    outputs = _outputs(func, arguments)
    if grad_outputs is None:
        generator = np.random.default_rng(0)
        weights = tuple(of_array(generator.standard_normal(y.spec.shape).astype(y.spec.dtype.numpy).reshape(y.spec.shape), True)
                        for y in outputs)
    else:
        weights = _tuple(grad_outputs)
    count = len(weights)

    def first_order(*values: Any) -> tuple[Any, ...]:
        inner, outer = values[:-count], values[-count:]
        wanted = [x for x in inner if isinstance(x, Tensor) and x.requires_grad]
        found = grad(_outputs(func, inner), wanted, outer, create_graph=True, allow_unused=True)
        return tuple(one for one in found if one is not None)

    return gradcheck(first_order, arguments + weights, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
