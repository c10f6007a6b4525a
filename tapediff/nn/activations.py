"""Activations: element-wise ones, each a row of the table, and those that look along a dimension."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.inplace import in_place
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.shapes import contiguous_strides, normalize_dim
from tapediff.tensor import Tensor

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_",
    "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign",
    "tanh", "tanhshrink", "threshold", "threshold_",
]

_relu: Callable[[Any], Tensor] = Tensor.relu
# The names under which PyTorch's errors speak of some kernels
_KERNELS = {"silu": "silu_cpu", "gelu": "GeluKernelImpl", "gelu_tanh": "GeluKernelImpl", "logsigmoid": "log_sigmoid_cpu",
            "celu": "elu_cpu", "selu": "elu_cpu"}


def applied(name: str, input: Any, *numbers: float, inplace: bool = False, row: str = "") -> Tensor:
    """An element-wise row on a floating tensor and numbers."""
    check_tensor(input, name)
    found = ROWS[row or name]
    dtype = input.spec.dtype
    if (not dtype.is_floating_point and "int" not in found.kinds) or dtype.category == 0:
        kernel = _KERNELS.get(found.name, f"{name}_cpu")
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}': {name} takes floating tensors; convert "
                                  "with .float()")
    if inplace:
        return in_place(lambda x: elementwise(found, x, *numbers), input)
    return elementwise(found, input, *numbers)


# --- rectifiers -----------------------------------------------------------------------------------------------------------------

def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The element where it is positive, and 0 elsewhere.

    >>> import tapediff as td
    >>> relu(td.tensor([-1.5, 2.]))
    tensor([0., 2.])
    """
    if type(input) is Tensor and not inplace and input.spec.dtype.category:
        return _relu(input)
    check_tensor(input, "relu")
    if input.spec.dtype.category == 0:
        raise RuntimeError("Boolean inputs not supported for relu; convert with .float()")
    return in_place(_relu, input) if inplace else _relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu`, in place."""
    return relu(input, inplace=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """The element brought between 0 and 6.

    >>> import tapediff as td
    >>> relu6(td.tensor([-1.5, 2., 7.]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """The element where it is positive, and `negative_slope` times it elsewhere.

    >>> import tapediff as td
    >>> leaky_relu(td.tensor([-1., 2.]), 0.25)
    tensor([-0.2500,  2.0000])
    """
    return applied("leaky_relu", input, negative_slope, inplace=inplace)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu`, in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`leaky_relu` with a slope that is learned: one for all, or one per channel, which is dimension 1.

    >>> import tapediff as td
    >>> prelu(td.tensor([[-1., -2.]]), td.tensor([0.5, 0.25]))
    tensor([[-0.5000, -0.5000]])
    """
    check_tensor(input, "prelu")
    check_tensor(weight, "prelu", "weight", 2)
    shape, count = input.spec.shape, weight.spec.size
    if weight.spec.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.spec.ndim}")
    if weight.spec.ndim == 1 and input.spec.ndim > 0:
        channels = shape[1] if len(shape) > 1 else 1
        if count not in (1, channels):
            raise RuntimeError(f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and "
                               f"channel size = {channels}.")
        if len(shape) > 2:
            weight = weight.reshape(count, *(1 for _ in shape[2:]))
    return elementwise(ROWS["prelu"], input, weight)


def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Tensor:
    """`leaky_relu` with slopes drawn for each element between `lower` and `upper` when `training`, and with their mean otherwise.

    >>> import tapediff as td
    >>> rrelu(td.tensor([-2., 2.]), 0.25, 0.75)
    tensor([-1.,  2.])
    """
    check_tensor(input, "rrelu")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound: rrelu got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = elementwise(ROWS["add"], elementwise(ROWS["mul"], FUNCTIONS["rand_like"](input.detach()), upper - lower), lower)
    factors = elementwise(ROWS["where"], elementwise(ROWS["le"], input.detach(), 0), slopes, 1.0)
    if inplace:
        return in_place(lambda x: elementwise(ROWS["mul"], x, factors), input)
    return named(elementwise(ROWS["mul"], input, factors), "RreluWithNoiseBackward0")


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`rrelu`, in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The element where it is positive, and ``alpha * (exp(x) - 1)`` elsewhere.

    >>> import tapediff as td
    >>> elu(td.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """
    return applied("elu", input, alpha, inplace=inplace)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu`, in place."""
    return elu(input, alpha, inplace=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The scaled `elu` that keeps activations at mean 0 and variance 1 (Klambauer et al. 2017).

    >>> import tapediff as td
    >>> selu(td.tensor([-1., 2.]))
    tensor([-1.1113,  2.1014])
    """
    return applied("selu", input, inplace=inplace)


def selu_(input: Tensor) -> Tensor:
    """`selu`, in place."""
    return selu(input, inplace=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The element where it is positive, and ``alpha * (exp(x / alpha) - 1)`` elsewhere: smooth for every alpha.

    >>> import tapediff as td
    >>> celu(td.tensor([-1., 2.]), alpha=2.)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return applied("celu", input, alpha, inplace=inplace)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu`, in place."""
    return celu(input, alpha, inplace=True)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function at x; with ``approximate="tanh"`` by a formula with tanh.

    >>> import tapediff as td
    >>> gelu(td.tensor([-1., 2.]))
    tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh. Got {approximate!r}")
    return applied("gelu", input, row="gelu" if approximate == "none" else "gelu_tanh")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``.

    >>> import tapediff as td
    >>> silu(td.tensor([-1., 2.]))
    tensor([-0.2689,  1.7616])
    """
    return applied("silu", input, inplace=inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))``.

    >>> import tapediff as td
    >>> mish(td.tensor([-1., 2.]))
    tensor([-0.3034,  1.9440])
    """
    return applied("mish", input, inplace=inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``; x itself where ``beta * x > threshold``.

    >>> import tapediff as td
    >>> softplus(td.tensor([-1., 2.]))
    tensor([0.3133, 2.1269])
    """
    return applied("softplus", input, beta, threshold)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """The element where it exceeds `threshold`, and `value` elsewhere.

    >>> from tapediff import tensor
    >>> from tapediff.nn import functional as F
    >>> F.threshold(tensor([0.5, 2.]), 1., -9.)
    tensor([-9.,  2.])
    """
    return applied("threshold", input, threshold, value, inplace=inplace)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold`, in place."""
    return applied("threshold", input, threshold, value, inplace=True)


# --- bounded ones ---------------------------------------------------------------------------------------------------------------

def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """The element brought between `min_val` and `max_val`.

    >>> import tapediff as td
    >>> hardtanh(td.tensor([-1.5, 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: hardtanh got {min_val} and {max_val}")
    check_tensor(input, "hardtanh")
    if not input.spec.dtype.is_floating_point:
        min_val, max_val = int(min_val), int(max_val)
    return applied("hardtanh", input, min_val, max_val, inplace=inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh`, in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``x / 6 + 1/2``, brought between 0 and 1.

    >>> import tapediff as td
    >>> hardsigmoid(td.tensor([-4., 0., 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return applied("hardsigmoid", input, inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * hardsigmoid(x)``.

    >>> import tapediff as td
    >>> hardswish(td.tensor([-4., 0., 1.5]))
    tensor([-0.0000, 0.0000, 1.1250])
    """
    return applied("hardswish", input, inplace=inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 within `lambd` of 0, and the element elsewhere.

    >>> import tapediff as td
    >>> hardshrink(td.tensor([-0.25, 2.]))
    tensor([0., 2.])
    """
    return applied("hardshrink", input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """The element moved by `lambd` towards 0, and not past it.

    >>> import tapediff as td
    >>> softshrink(td.tensor([-0.25, 2.]))
    tensor([0.0000, 1.5000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return applied("softshrink", input, lambd)


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``.

    >>> import tapediff as td
    >>> softsign(td.tensor([-1., 3.]))
    tensor([-0.5000,  0.7500])
    """
    check_tensor(input, "softsign")
    return elementwise(ROWS["div"], input, elementwise(ROWS["add"], elementwise(ROWS["abs"], input), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``.

    >>> import tapediff as td
    >>> tanhshrink(td.tensor([0., 1.]))
    tensor([0.0000, 0.2384])
    """
    check_tensor(input, "tanhshrink")
    return elementwise(ROWS["sub"], input, elementwise(ROWS["tanh"], input))


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``.

    >>> import tapediff as td
    >>> sigmoid(td.tensor([0.]))
    tensor([0.5000])
    """
    return FUNCTIONS["sigmoid"](input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    >>> import tapediff as td
    >>> tanh(td.tensor([0., 1.]))
    tensor([0.0000, 0.7616])
    """
    return FUNCTIONS["tanh"](input)


def logsigmoid(input: Tensor) -> Tensor:
    """The logarithm of `sigmoid`, without underflow.

    >>> import tapediff as td
    >>> logsigmoid(td.tensor([-1., 0.]))
    tensor([-1.3133, -0.6931])
    """
    return applied("logsigmoid", input)


# --- along a dimension ----------------------------------------------------------------------------------------------------------

def chosen_dim(name: str, ndim: int, dim: int | None) -> int:
    """The dimension for softmax; without one PyTorch's old choice, with its warning."""
    if dim is None:
        warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                      "argument.",
                      UserWarning, stacklevel=4)
        return 0 if ndim in (0, 1, 3) else 1
    return dim


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) over its sum along `dim`: positive numbers that add up to 1.

    >>> import tapediff as td
    >>> softmax(td.tensor([0., 1000.]), dim=0)
    tensor([0., 1.])
    """
    check_tensor(input, "softmax")
    return FUNCTIONS["softmax"](input, chosen_dim("softmax", input.spec.ndim, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, without underflow.

    >>> import tapediff as td
    >>> log_softmax(td.tensor([0., 1000.]), dim=0)
    tensor([-1000.,     0.])
    """
    check_tensor(input, "log_softmax")
    return FUNCTIONS["log_softmax"](input, chosen_dim("log_softmax", input.spec.ndim, dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The `softmax` of the negative.

    >>> import tapediff as td
    >>> softmin(td.tensor([0., 1000.]), dim=0)
    tensor([1., 0.])
    """
    check_tensor(input, "softmin")
    return FUNCTIONS["softmax"](elementwise(ROWS["neg"], input), chosen_dim("softmin", input.spec.ndim, dim), dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A random draw of a class, relaxed to probabilities (Jang et al. 2017); with `hard` one-hot, with the gradient of the
    relaxed draw.

    >>> import tapediff as td
    >>> gumbel_softmax(td.zeros(2, 3), hard=True).sum(1)
    tensor([1., 1.])
    """
    check_tensor(logits, "gumbel_softmax", "logits")
    uniform = FUNCTIONS["rand_like"](logits)
    noise = -(-(uniform + 1e-20).log()).log()
    soft = FUNCTIONS["softmax"]((logits + noise) / tau, dim)
    if not hard:
        return soft
    largest = soft.detach().max(dim, keepdim=True).values
    return FUNCTIONS["where"](soft.detach() == largest, 1.0, 0.0).to(soft.spec.dtype) - soft.detach() + soft


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of a dimension times the `sigmoid` of the second half.

    >>> import tapediff as td
    >>> glu(td.tensor([2., 4., 0., 0.]))
    tensor([1., 2.])
    """
    check_tensor(input, "glu")
    shape = input.spec.shape
    if not shape:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    dim = normalize_dim(dim, len(shape))
    if shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {shape[dim]}")
    half = (*shape[:dim], shape[dim] // 2, *shape[dim + 1 :])
    strides = contiguous_strides(shape)
    offsets = (0, shape[dim] // 2 * strides[dim])
    first, second = (structural(STRUCTURAL["slice"], (half, strides, offset), input) for offset in offsets)
    return named(elementwise(ROWS["mul"], first, elementwise(ROWS["sigmoid"], second)), "GluBackward0")
