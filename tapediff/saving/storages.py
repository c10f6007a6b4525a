"""Memory that saved tensors share: found by addresses, written once, and shared again when read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tapediff import dtypes, inplace
from tapediff.dtypes import DType
from tapediff.functions.views import as_strided
from tapediff.shapes import contiguous_strides
from tapediff.tensor import Tensor, of_array

__all__ = ["Place", "Reader", "Writer"]

Array = np.ndarray[Any, Any]
ALIGNMENT = 8  # the largest element; NumPy's memory begins at a multiple of it


class Place(NamedTuple):
    """Where the elements of a tensor lie: which storage, and the arrangement in elements."""

    storage: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


class Writer:
    """Collects arrays; those whose memory overlaps go into one storage."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.members: list[list[int]] = []  # of each storage
        self.starts: list[int] = []
        self.sizes: list[int] = []
        self.storage_of: dict[int, int] = {}

    def add(self, tensor: Tensor) -> int:
        """Take in a tensor's memory; returns its number for `place`."""
        array = inplace.memory(tensor)
        if address(array) % array.itemsize:
            array = array.copy()
        self.arrays.append(array)
        return len(self.arrays) - 1

    def lay_out(self) -> None:
        """Decide which arrays share a storage, once all are known."""
        ends: list[int] = []
        for start, end, number in sorted((*extent(array), number) for number, array in enumerate(self.arrays)):
            if not ends or start >= ends[-1]:
                self.members.append([])
                self.starts.append(start - start % ALIGNMENT)
                ends.append(end)
            ends[-1] = max(ends[-1], end)
            self.members[-1].append(number)
            self.storage_of[number] = len(ends) - 1
        self.sizes = [end - start for start, end in zip(self.starts, ends)]

    def place(self, number: int) -> Place:
        """Where an array lies, after `lay_out`."""
        array, storage = self.arrays[number], self.storage_of[number]
        if not array.size:
            return Place(storage, array.shape, contiguous_strides(array.shape), 0)
        strides = tuple(stride // array.itemsize for stride in array.strides)
        return Place(storage, array.shape, strides, (address(array) - self.starts[storage]) // array.itemsize)

    def blobs(self) -> Iterator[Array]:
        """The bytes of each storage; what no array shows is zero."""
        for storage, members in enumerate(self.members):
            content = np.zeros(self.sizes[storage], np.uint8)
            for number in members:
                array, place = self.arrays[number], self.place(number)
                if array.size:
                    np.copyto(arranged(content, array.dtype, place), array)
            yield content


def address(array: Array) -> int:
    """Where an array begins."""
    found: int = array.__array_interface__["data"][0]
    return found


def extent(array: Array) -> tuple[int, int]:
    """The first byte of an array and the one behind its last."""
    start = address(array)
    if not array.size:
        return start, start
    return start, start + sum((size - 1) * stride for size, stride in zip(array.shape, array.strides)) + array.itemsize


def arranged(content: Array, dtype: Any, place: Place) -> Array:
    """The elements at a place of a storage, sharing its memory."""
    flat = content[place.offset * dtype.itemsize:]
    flat = flat[:flat.size // dtype.itemsize * dtype.itemsize].view(dtype)
    return np.lib.stride_tricks.as_strided(flat, place.shape, [stride * dtype.itemsize for stride in place.strides])


class Reader:
    """Makes tensors over storages that are read when first asked for."""

    def __init__(self, blob: Callable[[int], Array]) -> None:
        self.blob = blob
        self.contents: dict[int, Array] = {}
        self.bases: dict[tuple[int, DType], Tensor] = {}

    def tensor(self, place: Place, dtype: DType) -> Tensor:
        """The tensor at a place.

        Raises
            ValueError: the place lies outside of its storage.
        """
        base = self.base(place.storage, dtype)
        size = base.spec.size
        check_place(place, size)
        if not math.prod(place.shape):
            return of_array(np.empty(place.shape, dtype.numpy))
        whole = as_strided(base, place.shape, place.strides, place.offset)
        return inplace.alias(whole)

    def base(self, storage: int, dtype: DType) -> Tensor:
        """A storage as a vector."""
        key = (storage, dtype)
        if key not in self.bases:
            if storage not in self.contents:
                self.contents[storage] = self.blob(storage)
            content = self.contents[storage]
            array = content[:content.size // dtype.itemsize * dtype.itemsize].view(dtype.numpy)
            if dtype is dtypes.bool_ and array.view(np.uint8).max(initial=0) > 1:
                raise ValueError("a bool is neither 0 nor 1")
            self.bases[key] = of_array(array)
        return self.bases[key]


def check_place(place: Place, size: int) -> None:
    """Refuse what does not lie in a storage of `size` elements."""
    numbers = (*place.shape, *place.strides, place.offset)
    if not all(type(number) is int and number >= 0 for number in numbers) or len(place.shape) != len(place.strides):
        raise ValueError("a tensor has an impossible place")
    last = place.offset + sum((count - 1) * stride for count, stride in zip(place.shape, place.strides))
    if math.prod(place.shape) and last >= size:
        raise ValueError(f"a tensor ends at element {last} of a storage of {size}")
