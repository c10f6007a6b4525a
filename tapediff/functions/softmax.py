"""softmax and log_softmax."""

from __future__ import annotations

from typing import Any

from tapediff.functions.arguments import converted, numpy_names, one_dim
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tensor import Tensor

__all__ = ["log_softmax", "softmax"]


@function()
@numpy_names
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(input) over its sum along `dim`: positive numbers that add up to 1.

    >>> import tapediff as td
    >>> td.tensor([0., 1000.]).softmax(0)
    tensor([0., 1.])
    """
    return along("softmax", input, dim, dtype)


@function()
@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, without underflow.

    >>> import tapediff as td
    >>> td.tensor([0., 1000.]).log_softmax(0)
    tensor([-1000.,     0.])
    """
    return along("log_softmax", input, dim, dtype)


def along(name: str, input: Tensor, dim: Any, dtype: Any) -> Tensor:
    check_tensor(input, name)
    input = converted(input, dtype)
    if not input.spec.dtype.is_floating_point:
        raise NotImplementedError(f"\"{name}_kernel_impl\" not implemented for '{input.dtype.legacy}': pass dtype=torch.float32")
    return structural(STRUCTURAL[name], one_dim(dim, input, name), input)
