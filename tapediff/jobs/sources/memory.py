"""Rows of an array that is in memory already."""

from typing import Any

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.files import digest_of
from tapediff.jobs.sources.source import require_dtype, require_range

PIECE = 1 << 20  # bytes that are digested at a time, so that an array in another order is never copied whole


class ArrayRows:
    """The rows of an array along its first axis.

    >>> rows = ArrayRows("x", np.arange(6.0).reshape(3, 2))
    >>> rows.length, rows.shape, rows.read(1, 3).tolist()
    (3, (2,), [[2.0, 3.0], [4.0, 5.0]])
    """

    def __init__(self, name: str, array: np.ndarray):
        require_dtype(name, array.dtype)
        if array.ndim == 0:
            raise JobError(f"{name} is a single number, but a row input has one entry per row; give it as a shared input")
        self.label = name
        self.array = array
        self.length = len(array)
        self.shape = array.shape[1:]
        self.dtype = array.dtype.newbyteorder("=")

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        return np.ascontiguousarray(self.array[first:last], dtype=self.dtype)

    def identity(self) -> dict[str, Any]:
        step = max(1, PIECE // max(1, self.array[:1].nbytes))
        digest = digest_of(self.read(row, min(row + step, self.length)) for row in range(0, self.length, step))
        return {"kind": "array", "dtype": self.dtype.name, "shape": [self.length, *self.shape], "digest": digest}

    def close(self) -> None:
        pass


def as_array(name: str, given: Any) -> np.ndarray:
    """The array that an object in memory stands for: an array, a tensor, a number, a list of numbers, a column of a table.

    >>> as_array("x", [[1.0, 2.0]])
    array([[1., 2.]])
    >>> as_array("x", td.tensor([True]))
    array([ True])
    """
    if isinstance(given, np.ma.MaskedArray) and given.mask.any():
        raise JobError(f"{name} has masked elements; fill them, or leave out their rows")
    if isinstance(given, td.Tensor):
        return given.detach().numpy()
    try:
        array = np.asarray(given)
    except Exception as error:  # ragged lists, or whatever an object's __array__ raises
        raise JobError(f"{name} can't be made an array: {error}") from error
    if array.dtype.kind == "O" and not isinstance(given, np.ndarray):
        raise JobError(f"{name} is of type {type(given).__name__}, not an array, a list of numbers or the path of a file")
    require_dtype(name, array.dtype)
    return array
