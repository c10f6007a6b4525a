"""Rows of the in-place operations that forget the old value: what is written passes its adjoint on, what was there gets zeros.

Operands: the old value, and the new one, of its shape or of no dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.ops.structural import add_row, same_shape

__all__ = ["OVERWRITING"]

# method -> PyTorch's name of its node
OVERWRITING = {
    "zero_": "ZeroBackward0",
    "fill_": "FillBackward2",
    "fill_tensor_": "FillBackward3",
    "copy_": "CopyBackwards",
    "uniform_": "UniformBackward0",
    "normal_": "NormalBackward0",
    "bernoulli_": "BernoulliBackward2",
    "random_": "RandomBackward2",
    "exponential_": "ExponentialBackward0",
    "log_normal_": "LogNormalBackward0",
    "cauchy_": "CauchyBackward0",
    "geometric_": "GeometricBackward0",
}


def overwrite_forward(attributes: None, a: Any, value: Any) -> Any:
    return np.broadcast_to(value, a.shape)


def overwrite_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any, value: Any) -> Any:
    if k == 0:
        return F.zeros_like(a)
    if tuple(value.shape) == tuple(y_bar.shape):
        return y_bar
    return F.sum(y_bar, (tuple(range(len(y_bar.shape))), False))


for _name, _grad_fn in OVERWRITING.items():
    add_row(
        _name,
        same_shape,
        overwrite_forward,
        overwrite_pullback,
        grad_fn=_grad_fn,
        saves=(frozenset(), frozenset()),
        lanes="moves",
        doc=f"The new value in place of the old one, as `{_name}` writes it.",
    )
