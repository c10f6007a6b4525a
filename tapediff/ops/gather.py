"""Rows of the ops that read or write elements at computed places.

An addressing says which places of an operand index tensors name. From each addressing follow a row that reads the places, one that writes or adds
values there, and one that fills them with one value. They are each other's transposes, so no other rule is needed at any order.

Operands      reading: base, *indices; writing: base, values, *indices; filling: base, value (no dimensions), *indices. Indices are int64.
Attributes    reading and filling: the address (a dim, a tuple of dims, ...); writing: (address, accumulate).

Where a place is named twice, reading adds adjoints up, adding adds values up, and writing keeps the last value, which alone receives the adjoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tapediff.dtypes import DType, bool_
from tapediff.ops.structural import Structural, add_row
from tapediff.shapes import broadcast_all, contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["ADDRESSINGS", "ALONG", "GATHER", "Addressing", "addressing_of", "indexed_shape", "reading"]

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]
MOST_INDICES = 56  # more indexed dimensions than NumPy has


@dataclass(frozen=True)
class Addressing:
    """How index tensors name places of a base.

    name      of the reading row that it was made for
    shape     (address, base shape, *index shapes) -> shape of what is read
    places    (address, base shape, *indices) -> the places, of that shape, in the flat base
    read      (address, base, *indices) -> what is read, where NumPy has a quicker way than through the places
    extent    (address, base shape, position) -> what an index must be less than
    """

    name: str
    shape: Callable[..., Shape]
    places: Callable[..., Array]
    read: Callable[..., Array] | None = None
    extent: Callable[[Any, Shape, int], int] = lambda address, base, position: along_extent(address, base)


ADDRESSINGS: dict[str, Addressing] = {}
_of_row: dict[str, Addressing] = {}


def addressing_of(row: Structural) -> Addressing:
    """How the indices of a row name places."""
    return _of_row[row.name]


def along_extent(address: Any, base: Shape) -> int:
    """The size of the dimension that an address begins with."""
    return base[address[0] if isinstance(address, tuple) else address] if base else 1


def saves_indices(first: int) -> Callable[[int], frozenset[Any]]:
    """The `saves` of a row whose operands from `first` on are indices."""
    saved = frozenset(range(first, first + MOST_INDICES))
    return lambda position: saved


def reading(name: str, where: Addressing, adding: str, doc: str, **facts: Any) -> None:
    """Add the row that reads places; `adding` names the row that adds to them."""
    ADDRESSINGS.setdefault(where.name, where)
    _of_row[name] = where

    def infer(address: Any, base: Spec, *indices: Spec) -> tuple[Shape, DType]:
        return where.shape(address, base.shape, *[index.shape for index in indices]), base.dtype

    def forward(address: Any, base: Array, *indices: Array) -> Array:
        if where.read is not None and base.ndim:
            return where.read(address, base, *indices)
        return base.reshape(-1)[where.places(address, base.shape, *indices)]

    def pullback(F: Any, address: Any, k: int, y_bar: Any, y: Any, base: Any, *indices: Any) -> Any:
        return getattr(F, adding)(F.zeros_like(base), y_bar, *indices, (address, True))

    add_row(name, infer, forward, pullback, saves=saves_indices(1), operands=(0,), lanes="reads", doc=doc, **facts)


def writing(name: str, where: Addressing, read_by: str, doc: str, **facts: Any) -> None:
    """Add a row that writes or adds values at places; `read_by` names the row that reads them."""
    _of_row[name] = where

    def infer(attributes: Any, base: Spec, *others: Spec) -> tuple[Shape, DType]:
        return base.shape, base.dtype

    def forward(attributes: Any, base: Array, values: Array, *indices: Array) -> Array:
        address, accumulate = attributes
        out = base.copy()
        flat = out.reshape(-1)
        places = where.places(address, base.shape, *indices).reshape(-1)
        if accumulate:
            np.add.at(flat, places, values.reshape(-1))
        else:
            flat[places] = values.reshape(-1)
        return out

    def pullback(F: Any, attributes: Any, k: int, y_bar: Any, y: Any, base: Any, values: Any, *indices: Any) -> Any:
        address, accumulate = attributes
        if k == 0:
            return y_bar if accumulate else getattr(F, name)(y_bar, F.zeros_like(values), *indices, attributes)
        found = getattr(F, read_by)(y_bar, *indices, address)
        return found if accumulate else F.where(F.is_last_write(*indices, (where.name, address, tuple(base.shape))), found, 0)

    add_row(name, infer, forward, pullback, saves=saves_indices(2), operands=(0, 1), lanes="writes", doc=doc, **facts)


def filling(name: str, where: Addressing, read_by: str, doc: str, **facts: Any) -> None:
    """Add a row that writes one value at places; `read_by` names the row that reads them."""
    _of_row[name] = where

    def infer(attributes: Any, base: Spec, *others: Spec) -> tuple[Shape, DType]:
        return base.shape, base.dtype

    def forward(attributes: Any, base: Array, value: Array, *indices: Array) -> Array:
        out = base.copy()
        out.reshape(-1)[where.places(attributes, base.shape, *indices).reshape(-1)] = value
        return out

    def pullback(F: Any, attributes: Any, k: int, y_bar: Any, y: Any, base: Any, value: Any, *indices: Any) -> Any:
        if k == 0:
            return getattr(F, name)(y_bar, F.zeros_like(value), *indices, attributes)
        found = getattr(F, read_by)(y_bar, *indices, attributes)
        kept = F.where(F.is_last_write(*indices, (where.name, attributes, tuple(base.shape))), found, 0)
        return F.sum(kept, (tuple(range(len(kept.shape))), False))

    add_row(name, infer, forward, pullback, saves=saves_indices(2), operands=(0, 1), lanes="fills", doc=doc, **facts)


def infer_is_last_write(attributes: tuple[str, Any, Shape], *indices: Spec) -> tuple[Shape, DType]:
    name, address, base = attributes
    return ADDRESSINGS[name].shape(address, base, *[index.shape for index in indices]), bool_


def is_last_write_forward(attributes: tuple[str, Any, Shape], *indices: Array) -> Array:
    name, address, base = attributes
    places = ADDRESSINGS[name].places(address, base, *indices)
    order = np.arange(places.size).reshape(places.shape)
    writer = np.empty(prod(base), np.int64)
    writer[places.reshape(-1)] = order.reshape(-1)
    return writer[places] == order


add_row("is_last_write", infer_is_last_write, is_last_write_forward, None, lanes="is_last_write",
        doc="Which of the values written at places stay there. Attributes: (addressing, its attributes, base shape); operands: the indices.")


# --- gather: the index replaces the position along one dimension, all other positions stay -----------------------------------------------------

def gather_shape(dim: int, base: Shape, index: Shape) -> Shape:
    return index


def gather_places(dim: int, base: Shape, index: Array) -> Array:
    if not base:
        return np.zeros_like(index)
    strides = contiguous_strides(base)
    places = index * strides[dim]
    for other in range(index.ndim):
        if other != dim:
            places += (np.arange(index.shape[other]) * strides[other]).reshape((-1,) + (1,) * (index.ndim - other - 1))
    return np.asarray(places)


GATHER = Addressing("gather", gather_shape, gather_places)
reading("gather", GATHER, "scatter_add", "The elements at `index` along a dimension. Attributes: dim.")
writing("scatter", GATHER, "gather", "The base with values written at `index` along a dimension. Attributes: (dim, False).")
writing("scatter_add", GATHER, "gather", "The base with values added at `index` along a dimension. Attributes: (dim, True).")
filling("scatter_value", GATHER, "gather", "The base with one value written at `index` along a dimension. Attributes: dim.", grad_fn="ScatterBackward1")


# --- along: as gather, for the results of sort, topk and kthvalue, which may have lost the dimension -------------------------------------------

def along_shape(attributes: tuple[int, bool], base: Shape, index: Shape) -> Shape:
    return index


def along_places(attributes: tuple[int, bool], base: Shape, index: Array) -> Array:
    dim, keepdim = attributes
    if keepdim or not base:
        return gather_places(dim, base, index)
    return gather_places(dim, base, np.expand_dims(index, dim)).reshape(index.shape)


ALONG = Addressing("along", along_shape, along_places)
ADDRESSINGS["along"] = ALONG
writing("add_along", ALONG, "read_along", "The transpose of sort, topk and kthvalue. Attributes: ((dim, keepdim), True).", grad_fn="ScatterAddBackward0")
reading("read_along", ALONG, "add_along", "The transpose of add_along. Attributes: (dim, keepdim).", grad_fn="GatherBackward0")


# --- index_select: whole slices of one dimension -----------------------------------------------------------------------------------------------

def select_shape(dim: int, base: Shape, index: Shape) -> Shape:
    return (*base[:dim], prod(index), *base[dim + 1:]) if base else ()


def select_places(dim: int, base: Shape, index: Array) -> Array:
    if not base:
        return np.zeros((), np.int64)
    return index_places((dim,), base, index.reshape(-1))


def select_read(dim: int, base: Array, index: Array) -> Array:
    return np.asarray(np.take(base, index.reshape(-1), axis=dim))


SELECT = Addressing("index_select", select_shape, select_places, select_read)
reading("index_select", SELECT, "index_add", "Slices of a dimension. Attributes: dim.")
writing("index_add", SELECT, "index_select", "The base with slices added to slices of a dimension. Attributes: (dim, True).")
writing("index_copy", SELECT, "index_select", "The base with slices of a dimension replaced. Attributes: (dim, False).")
filling("index_fill", SELECT, "index_select", "The base with slices of a dimension filled with one number. Attributes: dim.")
filling("index_fill_tensor", SELECT, "index_select", "The base with slices of a dimension filled with one element. Attributes: dim.",
        grad_fn="IndexFillBackward1")


# --- take: places of the flat base -------------------------------------------------------------------------------------------------------------

def take_shape(attributes: None, base: Shape, index: Shape) -> Shape:
    return index


def take_places(attributes: None, base: Shape, index: Array) -> Array:
    return np.where(index < 0, index + prod(base), index)


TAKE = Addressing("take", take_shape, take_places, extent=lambda address, base, position: prod(base))
reading("take", TAKE, "put", "Elements of the flat operand. Attributes: None.")
writing("put", TAKE, "take", "The base with elements of the flat base replaced, or added to. Attributes: (None, accumulate).")


# --- index: several dimensions at once, by NumPy's rules of advanced indexing ------------------------------------------------------------------

def indexed_shape(dims: Shape, base: Shape, *indices: Shape) -> Shape:
    """The shape of a base indexed in `dims`: the indices' common shape takes the place of adjacent dims, and stands in front of all others.

    >>> indexed_shape((1, 2), (5, 3, 4), (7,), (7,)), indexed_shape((0, 2), (5, 3, 4), (7,), (7,))
    ((5, 7), (7, 3))
    """
    common = broadcast_all(indices)
    rest = tuple(size for dim, size in enumerate(base) if dim not in dims)
    is_adjacent = dims[-1] - dims[0] == len(dims) - 1
    front = dims[0] if is_adjacent else 0
    return rest[:front] + common + rest[front:]


def index_key(dims: Shape, ndim: int, indices: tuple[Array, ...]) -> tuple[Any, ...]:
    key: list[Any] = [slice(None)] * ndim
    for dim, index in zip(dims, indices, strict=True):
        key[dim] = index
    return tuple(key)


def index_places(dims: Shape, base: Shape, *indices: Array) -> Array:
    strides = contiguous_strides(base)
    common = sum(np.where(index < 0, index + base[dim], index) * strides[dim] for dim, index in zip(dims, indices, strict=True))
    ndim = np.ndim(common)
    front = dims[0] if dims[-1] - dims[0] == len(dims) - 1 else 0
    rest = [dim for dim in range(len(base)) if dim not in dims]
    places = np.asarray(common).reshape(np.shape(common) + (1,) * (len(rest) - front))
    for position, dim in enumerate(rest):
        behind = len(rest) - 1 - position + (ndim if position < front else 0)
        places = places + (np.arange(base[dim]) * strides[dim]).reshape((-1,) + (1,) * behind)
    return places


def index_read(dims: Shape, base: Array, *indices: Array) -> Array:
    return np.asarray(base[index_key(dims, base.ndim, indices)])


INDEX = Addressing("index", indexed_shape, index_places, index_read, lambda dims, base, position: base[dims[position]])
reading("index", INDEX, "index_put", "Elements at positions given for several dimensions. Attributes: the dims that are indexed, ascending; operands: base, an index per dim.")
writing("index_put", INDEX, "index", "The base with elements at positions given for several dimensions replaced, or added to. Attributes: (dims, accumulate); "
        "operands: base, values of the shape that `index` would read, an index per dim.")
