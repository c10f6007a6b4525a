"""Random numbers: generators with a seed, and leaves filled with draws. NumPy's PCG64 stands behind them; the same seed gives
the same numbers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType, get_default_dtype
from tapediff.functions.composing import checked, leaf, read
from tapediff.functions.creation import check_device, dtype_argument, made, size_argument
from tapediff.functions.registry import function
from tapediff.recording import is_traced, modes
from tapediff.shapes import Shape, broadcast
from tapediff.tensor import Tensor

__all__ = [
    "FILLERS",
    "Generator",
    "bernoulli",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]

FIRST_SEED = 67280421310721  # of every new generator, as PyTorch's
WORD = 1 << 64
Array = np.ndarray[Any, Any]


class Generator:
    """A source of random numbers with a state of its own; several threads may draw from one.

    >>> generator = Generator().manual_seed(3)
    >>> generator.initial_seed()
    3
    """

    def __init__(self, device: Any = "cpu") -> None:
        check_device(device)
        self.lock = threading.RLock()
        self.manual_seed(FIRST_SEED)

    device = "cpu"

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`, an integer from -2**63 to 2**64 - 1."""
        number = int(seed)
        if not -(1 << 63) <= number < WORD:
            raise ValueError(f"Overflow when unpacking long long: a seed is an integer from -2**63 to 2**64 - 1, got {number}")
        with self.lock:
            self._seed = number % WORD
            self._draws: np.random.Generator | None = None
        return self

    @property
    def draws(self) -> np.random.Generator:
        """What draws; made when first asked for, since NumPy loads its random numbers late, too."""
        if self._draws is None:
            self._draws = np.random.Generator(np.random.PCG64(self._seed))
        return self._draws

    def seed(self) -> int:
        """Start again from a seed that nobody can foresee, which is returned."""
        return self.manual_seed(int.from_bytes(os.urandom(8)) >> 1).initial_seed()

    def initial_seed(self) -> int:
        """The seed last started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state as a vector of int64, for `set_state`."""
        with self.lock:
            state: Any = self.draws.bit_generator.state
        words = [
            self._seed,
            *split_words(state["state"]["state"]),
            *split_words(state["state"]["inc"]),
            state["has_uint32"],
            state["uinteger"],
        ]
        return leaf(np.array(words, np.uint64).view(np.int64))

    def set_state(self, state: Tensor) -> Generator:
        """Go on from a state that `get_state` returned."""
        if not isinstance(state, Tensor) or state.spec.dtype is not dtypes.int64 or state.spec.shape != (7,):
            raise TypeError("RNG state must be the int64 vector that get_state returned")
        seed, high, low, high_step, low_step, has_half, half = read(state).view(np.uint64).tolist()
        with self.lock:
            self.manual_seed(seed)
            self.draws.bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": high * WORD + low, "inc": high_step * WORD + low_step},
                "has_uint32": has_half,
                "uinteger": half,
            }
        return self

    def __repr__(self) -> str:
        return f"<tapediff.Generator seed={self._seed}>"


def split_words(number: int) -> tuple[int, int]:
    """A number of 128 bits as two of 64."""
    return divmod(number, WORD)


default_generator = Generator()
default_generator.seed()


@function(method=False)
def manual_seed(seed: int) -> Generator:
    """Start the default generator from `seed`; returns the generator.

    >>> manual_seed(0).initial_seed()
    0
    """
    return default_generator.manual_seed(seed)


@function(method=False)
def seed() -> int:
    """Start the default generator from a seed that nobody can foresee, which is returned."""
    return default_generator.seed()


@function(method=False)
def initial_seed() -> int:
    """The seed from which the default generator was started last."""
    return default_generator.initial_seed()


@function(method=False)
def get_rng_state() -> Tensor:
    """The state of the default generator, for `set_rng_state`."""
    return default_generator.get_state()


@function(method=False)
def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator go on from a state that `get_rng_state` returned."""
    default_generator.set_state(new_state)


def draw(generator: Generator | None, name: str, take: Callable[[np.random.Generator], Any]) -> Any:
    """What `take` draws, while no other thread draws from the same generator."""
    source = default_generator if generator is None else generator
    if not isinstance(source, Generator):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: argument 'generator' must be Generator, not "
            f"{type(generator).__name__}"
        )
    if is_traced():
        modes.recorder.check_random(name)
    with source.lock:
        return take(source.draws)


# --- values of a shape and dtype, drawn into new arrays; the in-place forms are these, too --------------------------------------


def need_floating(dtype: DType, kernel: str) -> None:
    """Refuse integers and bools."""
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}': use float32 or float64")


def uniform_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """Equally distributed from `from` (0) up to but not including `to` (1)."""
    low, high = arguments("uniform_", args, named, {"from": 0.0, "to": 1.0})
    need_floating(dtype, "check_uniform_bounds")
    if not low <= high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    drawn: Array = draw(generator, "uniform_", lambda source: source.random(shape, dtype.numpy))
    if (low, high) == (0, 1):
        return drawn
    return np.minimum(
        drawn * dtype.numpy.type(high - low) + dtype.numpy.type(low), np.nextafter(dtype.numpy.type(high), dtype.numpy.type(low))
    )


def normal_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """Normally distributed with `mean` (0) and standard deviation `std` (1)."""
    mean, std = arguments("normal_", args, named, {"mean": 0.0, "std": 1.0})
    need_floating(dtype, "normal_kernel_cpu")
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    drawn: Array = draw(generator, "normal_", lambda source: source.standard_normal(shape, dtype.numpy))
    if (mean, std) == (0, 1):
        return drawn
    return drawn * dtype.numpy.type(std) + dtype.numpy.type(mean)


def bernoulli_values(shape: Shape, dtype: DType, *args: Any, generator: Generator | None = None, **named: Any) -> Array:
    """1 with probability `p` (0.5), a number or a tensor that broadcasts to the shape, else 0."""
    (p,) = arguments("bernoulli_", args, named, {"p": 0.5})
    chance = read(p) if isinstance(p, Tensor) else np.float64(p)
    if not np.all((chance >= 0) & (chance <= 1)):
        given = f"p={p}" if not isinstance(p, Tensor) else "a tensor with others"
        raise RuntimeError(
            f"bernoulli_ expects p to be in [0, 1], but got {given}. Expected p_in >= 0 && p_in <= 1 to be true, but got false."
        )
    return (draw(generator, "bernoulli_", lambda source: source.random(shape)) < chance).astype(dtype.numpy)


def integer_values(shape: Shape, dtype: DType, *args: Any, generator: Generator | None = None, **named: Any) -> Array:
    """Integers from `from` (0) up to but not including `to` (as far as the dtype counts exactly)."""
    if len(args) == 1 and not named:
        args = (0, *args)
    low, high = arguments("random_", args, named, {"from": 0, "to": None})
    if high is None:
        high = {"bool": 2, "int32": 2**31, "int64": 2**63, "float32": 2**24 + 1, "float64": 2**53 + 1}[dtype.name]
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    least, most = {"bool": (0, 1), "int32": (-(2**31), 2**31 - 1)}.get(dtype.name, (-(2**63), 2**63 - 1))
    for what, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise RuntimeError(
                f"{what} is out of bounds for {dtype.name.removesuffix('32')}: got {value}, {dtype.name} holds {least} to {most}"
            )
    drawn: Array = draw(generator, "random_", lambda source: source.integers(low, high, shape))
    return np.asarray(drawn).astype(dtype.numpy)


def exponential_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """Exponentially distributed with rate `lambd` (1)."""
    (rate,) = arguments("exponential_", args, named, {"lambd": 1.0})
    if not dtype.is_floating_point:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified "
            f"{dtype.legacy}"
        )
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    return np.asarray(
        draw(generator, "exponential_", lambda source: source.standard_exponential(shape, dtype.numpy)) / dtype.numpy.type(rate)
    )


def log_normal_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """The exponential of a normal distribution with `mean` (1) and `std` (2)."""
    mean, std = arguments("log_normal_", args, named, {"mean": 1.0, "std": 2.0})
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    return np.asarray(np.exp(normal_values(shape, dtype, mean, std, generator=generator)))


def cauchy_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """Cauchy distributed about `median` (0) with width `sigma` (1)."""
    median, sigma = arguments("cauchy_", args, named, {"median": 0.0, "sigma": 1.0})
    need_floating(dtype, "cauchy_cpu")
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    return np.asarray(draw(generator, "cauchy_", lambda source: source.standard_cauchy(shape)) * sigma + median).astype(
        dtype.numpy
    )


def geometric_values(shape: Shape, dtype: DType, *args: float, generator: Generator | None = None, **named: float) -> Array:
    """The number of trials up to the first success, each with probability `p`."""
    (p,) = arguments("geometric_", args, named, {"p": None})
    if p is None or not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return np.asarray(draw(generator, "geometric_", lambda source: source.geometric(p, shape))).astype(dtype.numpy)


def arguments(name: str, args: tuple[Any, ...], named: dict[str, Any], defaults: dict[str, Any]) -> list[Any]:
    """Arguments by place or name; `from` is a word of Python's, so no parameter can have this name."""
    if len(args) > len(defaults):
        raise TypeError(f"{name}() takes {len(defaults)} positional arguments but {len(args)} were given")
    given = dict(zip(defaults, args))
    for key, value in named.items():
        if key not in defaults:
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
        given[key] = value
    return [given.get(key, default) for key, default in defaults.items()]


FILLERS: dict[str, Callable[..., Array]] = {
    "uniform_": uniform_values,
    "normal_": normal_values,
    "bernoulli_": bernoulli_values,
    "random_": integer_values,
    "exponential_": exponential_values,
    "log_normal_": log_normal_values,
    "cauchy_": cauchy_values,
    "geometric_": geometric_values,
}


# --- factories ------------------------------------------------------------------------------------------------------------------


@function(method=False)
def rand(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers equally distributed in [0, 1).

    >>> manual_seed(0) and rand(2, 3).shape
    torch.Size([2, 3])
    """
    check_device(device)
    shape, found = size_argument(args, size, "rand"), dtype_argument(dtype, get_default_dtype())
    need_floating(found, "check_uniform_bounds")
    return made(np.asarray(draw(generator, "rand", lambda source: source.random(shape, found.numpy))), requires_grad)


@function(method=False)
def randn(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of the standard normal distribution.

    >>> manual_seed(0) and randn(3).dtype
    torch.float32
    """
    check_device(device)
    shape, found = size_argument(args, size, "randn"), dtype_argument(dtype, get_default_dtype())
    need_floating(found, "normal_kernel_cpu")
    return made(np.asarray(draw(generator, "randn", lambda source: source.standard_normal(shape, found.numpy))), requires_grad)


@function(method=False)
def randint(
    *args: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from `low` (0) up to but not including `high`: `randint(high, size)` or `randint(low, high, size)`.

    >>> manual_seed(0) and randint(3, (2,)).dtype
    torch.int64
    """
    check_device(device)
    given = {"low": low, "high": high, "size": size}
    free = [name for name in ("low", "high", "size") if given[name] is None]
    if len(args) < len(free) and "low" in free:
        free.remove("low")
    if len(args) != len(free):
        raise TypeError(
            f"randint() received an invalid combination of arguments - got {args!r}: use randint(high, size) or randint(low, "
            "high, size)"
        )
    given.update(zip(free, args))
    if not isinstance(given["size"], tuple | list):
        raise TypeError(
            "randint() received an invalid combination of arguments: argument 'size' must be tuple of ints, not "
            f"{type(given['size']).__name__}"
        )
    bounds = [whole(0 if given[name] is None else given[name], name) for name in ("low", "high")]
    found = dtype_argument(dtype, dtypes.int64)
    shape = size_argument((given["size"],), None, "randint")
    return made(integer_values(shape, found, *bounds, generator=generator), requires_grad)


def whole(value: Any, argument: str) -> int:
    """A bound of random integers."""
    if isinstance(value, Tensor):
        value = value.item()
    if not hasattr(value, "__index__"):
        raise TypeError(
            f"randint() received an invalid combination of arguments: argument '{argument}' must be int, not "
            f"{type(value).__name__}"
        )
    return int(value)


@function(method=False)
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from 0 to n - 1 in random order.

    >>> manual_seed(0) and randperm(3).sort().values
    tensor([0, 1, 2])
    """
    check_device(device)
    if not hasattr(n, "__index__"):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    found = dtype_argument(dtype, dtypes.int64)
    return made(
        np.asarray(draw(generator, "randperm", lambda source: source.permutation(n))).astype(found.numpy, copy=False),
        requires_grad,
    )


@function(method=False)
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Normally distributed numbers with the means and standard deviations of two tensors, or two numbers and a shape. No
    gradient flows to them.

    >>> manual_seed(0) and normal(0.0, 1.0, (2,)).shape
    torch.Size([2])
    """
    check_device(device)
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError(
                "normal() received an invalid combination of arguments: two numbers need a size, as in normal(0.0, 1.0, (2, 3))"
            )
        found = dtype_argument(dtype, get_default_dtype())
        return made(normal_values(size_argument((size,), None, "normal"), found, mean, std, generator=generator), requires_grad)
    found = tensors[0].spec.dtype
    need_floating(found, "normal_kernel_cpu")
    shape = broadcast(*[x.spec.shape if isinstance(x, Tensor) else () for x in (mean, std)])
    center, width = (read(x) if isinstance(x, Tensor) else x for x in (mean, std))
    if not np.all(np.asarray(width) >= 0):
        raise RuntimeError(
            "normal expects all elements of std >= 0.0"
            if isinstance(std, Tensor)
            else f"normal expects std >= 0.0, but found std {std:g}"
        )
    drawn = draw(generator, "normal", lambda source: source.standard_normal(shape, found.numpy))
    return leaf(np.asarray(drawn * width + center).astype(found.numpy, copy=False))


@function()
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives, or `p` everywhere in its shape, else 0.

    >>> import tapediff as td
    >>> td.bernoulli(td.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    shape = checked(input, "bernoulli")
    if p is None:
        need_floating(input.spec.dtype, "bernoulli_tensor_cpu_p_")
    return leaf(bernoulli_values(shape, input.spec.dtype, input if p is None else p, generator=generator))


@function()
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of a Poisson distribution with the rates that `input` gives.

    >>> import tapediff as td
    >>> td.poisson(td.zeros(2))
    tensor([0., 0.])
    """
    checked(input, "poisson")
    need_floating(input.spec.dtype, "poisson_cpu")
    rates = read(input)
    if not np.all(rates >= 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return leaf(np.asarray(draw(generator, "poisson", lambda source: source.poisson(rates))).astype(input.spec.dtype.numpy))


@function()
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """`num_samples` positions, drawn with probabilities proportional to a vector of weights, or to each row of a matrix.

    >>> import tapediff as td
    >>> td.multinomial(td.tensor([0.0, 1.0, 0.0]), 1)
    tensor([1])
    """
    shape = checked(input, "multinomial")
    if len(shape) not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got shape {list(shape)}")
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {input.spec.dtype.legacy}")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: got {num_samples}")
    if not replacement and num_samples > shape[-1]:
        raise RuntimeError(
            f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {num_samples} > {shape[-1]}"
        )
    weights = np.asarray(read(input), np.float64).reshape(-1, shape[-1])
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not np.all(weights.sum(axis=1) > 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    pick = picked_with_replacement if replacement else picked_without_replacement
    found = draw(generator, "multinomial", lambda source: pick(source, weights, num_samples))
    return leaf(found.reshape(*shape[:-1], num_samples))


def picked_with_replacement(source: np.random.Generator, weights: Array, count: int) -> Array:
    """Positions where the running sums of the weights pass equally distributed points."""
    sums = np.cumsum(weights, axis=1)
    points = source.random((len(weights), count)) * sums[:, -1:]
    return np.array([np.searchsorted(row, each, "right") for row, each in zip(sums, points, strict=True)], np.int64)


def picked_without_replacement(source: np.random.Generator, weights: Array, count: int) -> Array:
    """Positions of the shortest waiting times, which are exponential with the weights as rates."""
    with np.errstate(divide="ignore"):
        waits = source.standard_exponential(weights.shape) / weights
    return np.argsort(waits, axis=1, kind="stable")[:, :count]


# --- like another tensor --------------------------------------------------------------------------------------------------------


@function(method=False)
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """As `rand`, in the shape and dtype of `input`."""
    return rand(
        checked(input, "rand_like"),
        generator=generator,
        dtype=dtype_argument(dtype, input.spec.dtype),
        device=device,
        requires_grad=requires_grad,
    )


@function(method=False)
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """As `randn`, in the shape and dtype of `input`."""
    return randn(
        checked(input, "randn_like"),
        generator=generator,
        dtype=dtype_argument(dtype, input.spec.dtype),
        device=device,
        requires_grad=requires_grad,
    )


@function(method=False)
def randint_like(
    input: Tensor,
    *args: Any,
    low: Any = None,
    high: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """As `randint`, in the shape and dtype of `input`: `randint_like(input, high)` or `randint_like(input, low, high)`."""
    return randint(
        *args,
        low=low,
        high=high,
        size=checked(input, "randint_like"),
        generator=generator,
        dtype=dtype_argument(dtype, input.spec.dtype),
        device=device,
        requires_grad=requires_grad,
    )


function("Generator", method=False)(Generator)
