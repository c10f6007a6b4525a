"""Parts of numbers: common divisors of integers, places in a shape, fractions and exponents, neighbours among floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import recording
from tapediff.functions.composing import checked, leaf, read
from tapediff.functions.naming import named
from tapediff.functions.registry import check_tensor, function
from tapediff.functions.return_types import return_type
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.shapes import parse_shape
from tapediff.tensor import Tensor

__all__ = ["frexp", "gcd", "lcm", "ldexp", "nextafter", "unravel_index"]


def two_arrays(name: str, input: Any, other: Any) -> tuple[Any, Any, Any]:
    """The arrays of two tensors in their common dtype, and the dtype."""
    check_tensor(input, name)
    check_tensor(other, name, "other", 2)
    dtype = recording.result_dtype((input, other))
    return read(recording.cast(input, dtype)), read(recording.cast(other, dtype)), dtype


def of_integers(name: str, ufunc: Any, input: Any, other: Any) -> Tensor:
    """A ufunc of two tensors of integers."""
    a, b, dtype = two_arrays(name, input, other)
    if dtype.category != 1:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{dtype.legacy}': {name} takes int64 or int32 tensors")
    return leaf(np.asarray(ufunc(a, b)))


@function()
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor of integers, which broadcast; of 0 and 0 it is 0.

    >>> import tapediff as td
    >>> td.gcd(td.tensor([5, 10, -15]), td.tensor([3, 4, 5]))
    tensor([1, 2, 5])
    """
    return of_integers("gcd", np.gcd, input, other)


@function()
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple of integers, which broadcast.

    >>> import tapediff as td
    >>> td.lcm(td.tensor([5, 10, 15]), td.tensor([3, 4, 5]))
    tensor([15, 20, 15])
    """
    return of_integers("lcm", np.lcm, input, other)


@function(method=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The places in an array of `shape` of elements counted in row order: a tensor for each dimension.

    >>> import tapediff as td
    >>> td.unravel_index(td.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    checked(indices, "unravel_index", "indices")
    if indices.spec.dtype.category != 1:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.spec.dtype}")
    if not isinstance(shape, int | tuple | list):
        raise ValueError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = parse_shape((shape,))
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    found: list[Tensor] = []
    rest = indices
    for size in reversed(sizes):
        found.append(rest % size)
        rest = rest // size
    return tuple(reversed(found))


# --- floats ---------------------------------------------------------------------------------------------------------------------

@function()
def ldexp(input: Tensor, other: Any) -> Tensor:
    """``input * 2**other``.

    >>> import tapediff as td
    >>> td.ldexp(td.tensor([1., 3.]), td.tensor([2, -1]))
    tensor([4.0000, 1.5000])
    """
    check_tensor(input, "ldexp")
    power = elementwise(ROWS["pow"], 2.0, other) if isinstance(other, Tensor) else 2.0**other
    return named(elementwise(ROWS["mul"], input, power), "LdexpBackward0")


@function()
def frexp(input: Tensor) -> Any:
    """The fraction, of a size from 1/2 to below 1, and the integer exponent of ``input = mantissa * 2**exponent``.

    >>> import tapediff as td
    >>> td.frexp(td.tensor([8., -3.]))
    torch.return_types.frexp(
    mantissa=tensor([ 0.5000, -0.7500]),
    exponent=tensor([4, 2], dtype=torch.int32))
    """
    check_tensor(input, "frexp")
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    exponent = np.asarray(np.frexp(read(input))[1], np.int32)
    # in two steps: 2**-exponent itself may be beyond the floats
    half = exponent // 2
    mantissa = input
    for part in (half, exponent - half):
        mantissa = elementwise(ROWS["mul"], mantissa, leaf(np.ldexp(input.spec.dtype.numpy.type(1), -part)))
    return return_type("frexp", "mantissa", "exponent")((named(mantissa, "FrexpBackward0"), leaf(exponent)))


@function()
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The float next to `input` in the direction of `other`; without derivative.

    >>> import tapediff as td
    >>> bool(td.nextafter(td.tensor(1.), td.tensor(2.)) == 1 + td.finfo(td.float32).eps)
    True
    """
    a, b, dtype = two_arrays("nextafter", input, other)
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"nextafter_cpu\" not implemented for '{dtype.legacy}': nextafter takes floating tensors")
    return leaf(np.asarray(np.nextafter(a, b)))
