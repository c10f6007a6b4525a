"""Initial values of parameters: in-place fillers under the names of torch.nn.init."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.functions.registry import FUNCTIONS
from tapediff.grad_modes import no_grad
from tapediff.tensor import Tensor

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal", "kaiming_normal_",
    "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_", "sparse", "sparse_",
    "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]

_GAINS: dict[str, Callable[[Any], float]] = {
    "tanh": lambda param: 5.0 / 3,
    "relu": lambda param: math.sqrt(2.0),
    "leaky_relu": lambda param: math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2)),
    "selu": lambda param: 0.75,
    **dict.fromkeys(("linear", "sigmoid", *(f"conv{way}{n}d" for way in ("", "_transpose") for n in (1, 2, 3))), lambda param: 1),
}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor by which a weight is scaled up to make good what a nonlinearity takes from the variance.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}: there are {', '.join(_GAINS)}")
    if nonlinearity == "leaky_relu" and (isinstance(param, bool) or not isinstance(param, int | float | None)):
        raise ValueError(f"negative_slope {param} not a valid number")
    return _GAINS[nonlinearity](param)


# --- draws and constants --------------------------------------------------------------------------------------------------------

@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws between `a` and `b`."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from a normal distribution."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Any = None) -> Tensor:
    """Fill with draws from a normal distribution that are between `a` and `b`: the quantiles of uniform draws.

    >>> import tapediff as td
    >>> bool((trunc_normal_(td.empty(100)).abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
                      "incorrect.", stacklevel=2)
    low, high = (math.erf((bound - mean) / std / math.sqrt(2)) for bound in (a, b))
    tensor.uniform_(low, high, generator=generator).erfinv_().mul_(std * math.sqrt(2)).add_(mean)
    return tensor.clamp_(a, b)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> import tapediff as td
    >>> constant_(td.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity.

    >>> import tapediff as td
    >>> eye_(td.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(FUNCTIONS["eye"](*tensor.shape))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make the weight of a convolution hand its inputs on, group by group."""
    shape = tensor.spec.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    values = np.zeros(shape)
    height = shape[0] // groups
    for group in range(groups):
        for channel in range(min(height, shape[1])):
            values[(group * height + channel, channel, *(size // 2 for size in shape[2:]))] = 1
    return tensor.copy_(FUNCTIONS["from_numpy"](values))


# --- scaled to the layer --------------------------------------------------------------------------------------------------------

def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output of a layer with this weight has, and how many outputs one input.

    >>> import tapediff as td
    >>> fans(td.empty(8, 3, 5, 5))
    (75, 200)
    """
    shape = tensor.spec.shape
    if len(shape) < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


_calculate_fan_in_and_fan_out = fans


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill uniformly with the variance ``2 gain**2 / (fan_in + fan_out)`` (Glorot and Bengio 2010)."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill normally with the variance ``2 gain**2 / (fan_in + fan_out)`` (Glorot and Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator)


def kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """The standard deviation ``gain / sqrt(fan)`` (He et al. 2015)."""
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of ['fan_in', 'fan_out']")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode.lower() == "fan_out"])


def is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.spec.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Any = None) -> Tensor:
    """Fill uniformly with the standard deviation ``gain / sqrt(fan)`` (He et al. 2015)."""
    if is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Any = None) -> Tensor:
    """Fill normally with the standard deviation ``gain / sqrt(fan)`` (He et al. 2015)."""
    if is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Make the rows or the columns, whichever are fewer, orthonormal times `gain` (Saxe et al. 2013).

    >>> import tapediff as td
    >>> matrix = orthogonal_(td.empty(2, 3, dtype=td.float64))
    >>> bool(((matrix @ matrix.T - td.eye(2)).abs() < 1e-12).all())
    True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.spec.shape[0]
    columns = tensor.numel() // rows
    drawn = FUNCTIONS["empty"](rows, columns, dtype=tensor.dtype).normal_(0, 1, generator=generator).numpy()
    basis, upper = np.linalg.qr(drawn.T if rows < columns else drawn)
    basis = basis * np.sign(np.diag(upper))
    values = basis.T if rows < columns else basis
    return tensor.copy_(FUNCTIONS["from_numpy"](np.ascontiguousarray(values * gain).reshape(tensor.spec.shape)))


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix normally, then set a fraction `sparsity` of every column to 0 (Martens 2010)."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.spec.shape
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        chosen = FUNCTIONS["randperm"](rows, generator=generator)[:math.ceil(sparsity * rows)]
        tensor[chosen, column] = 0
    return tensor


# --- PyTorch's names of old -----------------------------------------------------------------------------------------------------

def _old(name: str) -> Callable[..., Tensor]:
    """A function under its old name, without the underscore."""
    made = globals()[f"{name}_"]

    @functools.wraps(made)
    def call(*arguments: Any, **options: Any) -> Tensor:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        found: Tensor = made(*arguments, **options)
        return found

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`{name}_` under its old name."
    return call


uniform, normal, constant, eye, dirac = _old("uniform"), _old("normal"), _old("constant"), _old("eye"), _old("dirac")
xavier_uniform, xavier_normal = _old("xavier_uniform"), _old("xavier_normal")
kaiming_uniform, kaiming_normal = _old("kaiming_uniform"), _old("kaiming_normal")
orthogonal, sparse = _old("orthogonal"), _old("sparse")
