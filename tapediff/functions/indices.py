"""Checks of index operands: their dtype, their number of dimensions, and that they name places that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapediff import dtypes, recording
from tapediff.functions.checking import some
from tapediff.functions.registry import check_tensor
from tapediff.recording import is_traced, source_of
from tapediff.tensor import Tensor

__all__ = ["as_index", "check_range", "first_outside"]


def as_index(
    index: Any,
    name: str,
    message: str,
    *,
    position: int = 3,
    takes: Sequence[dtypes.DType] = (dtypes.int64, dtypes.int32),
    error: type[Exception] = RuntimeError,
) -> Tensor:
    """An index operand as int64; `message` is what PyTorch says of a wrong dtype, `{}` stands for the dtype.

    Raises
        TypeError: it is no tensor.
        error: its dtype is not among `takes`.
    """
    check_tensor(index, name, "index", position)
    dtype = index.spec.dtype
    if dtype not in takes:
        raise error(f"{name}(): {message.format(dtype.legacy)}: got an index tensor of {dtype}; convert it with .long()")
    made: Tensor = recording.cast(index, dtypes.int64)
    return made


def first_outside(index: Tensor, low: int, high: int) -> int | None:
    """The first element that is not in low <= element < high."""
    if is_traced() and not some((index < low) | (index >= high)):
        return None
    values = source_of(index).values()
    if not values.size or (low <= values.min() and values.max() < high):
        return None
    return int(values[(values < low) | (values >= high)].flat[0])


def check_range(
    index: Tensor, size: int, dim: int, *, from_end: bool = False, error: type[Exception] = RuntimeError, prefix: str = ""
) -> None:
    """Refuse an index outside of a dimension of `size`; with `from_end` negative ones count from its end.

    Raises
        error: an element is out of bounds.
    """
    low = -size if from_end else 0
    wrong = first_outside(index, low, size)
    if wrong is not None:
        raise error(
            f"{prefix}index {wrong} is out of bounds for dimension {dim} with size {size}: indices go from {low} to {size - 1}"
        )
