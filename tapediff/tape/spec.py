"""A spec: the shape, dtype and requires_grad that many slots share, interned so that identity is equality."""

from __future__ import annotations

from math import prod
from typing import Any

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.shapes import Shape
from tapediff.tape.layout import LARGE_BYTES

__all__ = ["Spec", "spec_of"]


class Spec:
    """Shape, dtype and requires_grad of a slot. Two slots alike in the three share one Spec object.

    Besides, it is where the tensor's quick path finds kinds: `spec.mul[other.spec]` and `spec.mul[float]` are (kind number,
    result spec) of a product with a tensor or a number on the right, `spec.sub_reflected[float]` with the number on the left,
    `spec.sin[None]` of a sine.
    """

    __slots__ = (*ROWS, *(name + "_reflected" for name in ROWS), "constants", "dtype", "inference", "is_large", "nbytes", "ndim",
                 "requires_grad", "shape", "size", "twin_", "word_bytes")

    def __init__(self, shape: Shape, dtype: DType, requires_grad: bool, inference: bool) -> None:
        self.shape = shape
        self.dtype = dtype
        self.requires_grad = requires_grad
        self.inference = inference  # computed in inference mode: no backward pass may save it
        self.ndim = len(shape)
        self.size = prod(shape)
        self.nbytes = self.size * dtype.itemsize
        self.word_bytes = (self.nbytes + 7) & ~7
        self.is_large = self.nbytes > LARGE_BYTES
        self.constants: dict[float, int] = _CONSTANTS[dtype.index]
        self.twin_: Spec | None = None

    def quick_table(self, name: str) -> dict[Any, tuple[int, Spec]]:
        """The table of the quick path for an op, made when first asked for."""
        table: dict[Any, tuple[int, Spec]] | None = getattr(self, name, None)
        if table is None:
            table = {}
            setattr(self, name, table)
        return table

    @property
    def twin(self) -> Spec:
        """The spec that differs in requires_grad only."""
        twin = self.twin_
        if twin is None:
            twin = self.twin_ = spec_of(self.shape, self.dtype, not self.requires_grad, self.inference)
        return twin

    def __repr__(self) -> str:
        return f"{self.dtype.name}{list(self.shape)}{'*' if self.requires_grad else ''}"


_CONSTANTS: tuple[dict[float, int], ...] = tuple({} for _ in dtypes.ALL)
_specs: dict[tuple[Shape, DType, bool, bool], Spec] = {}


def spec_of(shape: Shape, dtype: DType, requires_grad: bool, inference: bool = False) -> Spec:
    """The one Spec of this shape, dtype and requires_grad."""
    key = (shape, dtype, requires_grad, inference)
    found = _specs.get(key)
    if found is None:
        found = _specs.setdefault(key, Spec(tuple(int(size) for size in shape), dtype, requires_grad, inference))
    return found
