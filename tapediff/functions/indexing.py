"""Indexing and indexed assignment, as NumPy and PyTorch define them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapediff import dtypes, inplace, recording
from tapediff.functions.checking import some
from tapediff.functions.indices import first_outside
from tapediff.functions.overwriting import overwrite
from tapediff.functions.registry import FUNCTIONS, method
from tapediff.functions.views import expand, reshape, reshaped, select, show, slice_dim
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import is_traced, source_of, structural
from tapediff.shapes import broadcast_all, contiguous_strides
from tapediff.tensor import Tensor, of_array

__all__: list[str] = []


_KINDS_OF_INDEX = "integers, slices, None, ellipsis, and lists or tensors of integers or bools"


def _is_integer(index: Any) -> bool:
    if isinstance(index, bool | np.bool_):
        return False
    return isinstance(index, int | np.integer)


@method("__getitem__")
def getitem(self: Tensor, index: Any) -> Tensor:
    """`x[i]`, `x[1:3, ..., None]`: a view. `x[mask]`, `x[[0, 2]]`: a copy.

    Raises
        IndexError: an index is out of range, or there are too many.
    """
    if type(index) is int:
        return _select_first(self, index)
    basic, arrays = _basic(self, index if isinstance(index, tuple) else (index,))
    if not arrays:
        return basic
    return _gather(basic, arrays)


def _select_first(self: Tensor, index: int) -> Tensor:
    shape = self.spec.shape
    if not shape:
        raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert "
                         "a 0-dim tensor to a number")
    size = shape[0]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension 0 with size {size}")
    rest = shape[1:]
    strides = contiguous_strides(shape)
    return show("select", self, rest, strides[1:], (index + size if index < 0 else index) * strides[0])


def _as_index(entry: Any) -> Any:
    """An index as a tensor of int64 or bool, where it is no int, slice, None or Ellipsis."""
    if isinstance(entry, Tensor):
        if entry.dtype.category == 2:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors: got one of dtype "
                             + repr(entry.dtype))
        return entry
    if isinstance(entry, list | tuple | range | np.ndarray):
        array = np.asarray([int(e) if isinstance(e, Tensor) else e for e in entry] if isinstance(entry, list | tuple) else entry)
        if array.size == 0 and array.dtype.kind == "f":
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            if array.dtype.kind in "SU":
                raise TypeError(f"new(): invalid data type 'str': {_KINDS_OF_INDEX} index a tensor, got {entry!r}")
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors: got {array.dtype} values")
        return of_array(np.ascontiguousarray(array if array.dtype == np.bool_ else array.astype(np.int64)))
    if isinstance(entry, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(entry).__name__}': {_KINDS_OF_INDEX} index a tensor, got {entry!r}")
    raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                     f"{type(entry).__name__})")


def _basic(self: Tensor, index: tuple[Any, ...]) -> tuple[Tensor, list[tuple[int, Tensor]]]:
    """Apply the ints, slices, None and Ellipsis of an index.

    Returns the view and, by its dimension, the index tensors that remain.
    """
    entries: list[Any] = []
    for entry in index:
        if entry is None or entry is Ellipsis or isinstance(entry, slice) or _is_integer(entry):
            entries.append(entry)
        elif isinstance(entry, bool | np.bool_):
            entries.append(of_array(np.array(bool(entry))))
        elif isinstance(entry, Tensor) and entry.spec.ndim == 0 and entry.dtype.category == 1:
            entries.append(int(entry.item()))
        else:
            entries.append(_as_index(entry))
    taken = sum(1 if _is_integer(e) or isinstance(e, slice) else (e.spec.ndim if e.dtype is dtypes.bool_ else 1) for e in entries
                if e is not None and e is not Ellipsis)
    ndim = self.spec.ndim
    if taken > ndim:
        if ndim == 0:
            raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                             "convert a 0-dim tensor to a number")
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    if sum(1 for e in entries if e is Ellipsis) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    out = self
    dim = source_dim = 0
    arrays: list[tuple[int, Tensor]] = []
    for entry in entries:
        if entry is None:
            shape = out.spec.shape
            out = reshaped("unsqueeze", out, (*shape[:dim], 1, *shape[dim:]))
            dim += 1
        elif entry is Ellipsis:
            skipped = ndim - taken
            dim += skipped
            source_dim += skipped
        elif isinstance(entry, slice):
            size = out.spec.shape[dim]
            if entry.step is not None and operator.index(entry.step) <= 0:
                raise ValueError("step must be greater than zero")
            bounds = (None if e is None else operator.index(e) for e in (entry.start, entry.stop, entry.step))
            start, stop, step = slice(*bounds).indices(size)
            if (start, stop, step) != (0, size, 1):
                out = slice_dim(out, dim, start, max(stop, start), step)
            elif out is self:
                out = slice_dim(out, dim, 0, size, 1)
            dim += 1
            source_dim += 1
        elif _is_integer(entry):
            size = out.spec.shape[dim]
            if not -size <= entry < size:
                raise IndexError(f"index {entry} is out of bounds for dimension {source_dim} with size {size}")
            out = select(out, dim, int(entry))
            source_dim += 1
        elif entry.dtype is dtypes.bool_:
            mask = entry._array()
            shown = out.spec.shape[dim:dim + mask.ndim]
            for position, (size, wanted) in enumerate(zip(mask.shape, shown, strict=True)):
                if size != wanted:
                    raise IndexError(f"The shape of the mask {list(mask.shape)} at index {position} does not match the shape of "
                                     f"the indexed tensor {list(self.spec.shape)} at index {source_dim + position}")
            if mask.ndim == 0:
                shape = out.spec.shape
                out = reshaped("unsqueeze", out, (*shape[:dim], 1, *shape[dim:]))
                arrays.append((dim, of_array(np.zeros(int(mask), np.int64))))
                dim += 1
            else:
                for offset, places in enumerate(mask.nonzero()):
                    arrays.append((dim + offset, of_array(np.ascontiguousarray(places))))
                dim += mask.ndim
                source_dim += mask.ndim
        else:
            arrays.append((dim, entry))
            dim += 1
            source_dim += 1
    if out is self and not arrays:
        out = reshaped("alias", self, self.spec.shape)
    return out, arrays


def _prepared(base: Tensor, arrays: list[tuple[int, Tensor]]) -> tuple[tuple[int, ...], list[Tensor]]:
    """The indexed dimensions, and their index tensors checked, broadcast together and counted from the front."""
    try:
        shape = broadcast_all(index.spec.shape for _, index in arrays)
    except RuntimeError:
        shapes = ", ".join(str(list(index.spec.shape)) for _, index in arrays)
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}") from None
    prepared = []
    for dim, index in arrays:
        places = source_of(index).values()
        size = base.spec.shape[dim]
        if places.size:
            low, high = int(places.min()), int(places.max())
            if low < -size or high >= size:
                raise IndexError(f"index {low if low < -size else high} is out of bounds for dimension {dim} with size {size}")
            if is_traced():
                first_outside(index, -size, size)
                index = FUNCTIONS["where"](index < 0, index + size, index)
            elif low < 0:
                index = of_array(np.where(places < 0, places + size, places).astype(np.int64))
        elif size == 0 and 0 not in shape:
            raise IndexError(f"index is out of bounds for dimension {dim} with size 0")
        index = recording.cast(index, dtypes.int64)
        prepared.append(index if index.spec.shape == shape else expand(index, shape))
    return tuple(dim for dim, _ in arrays), prepared


def _gather(base: Tensor, arrays: list[tuple[int, Tensor]]) -> Tensor:
    dims, indices = _prepared(base, arrays)
    return structural(STRUCTURAL["index"], dims, base, *indices)


@method("__setitem__")
def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Indexed assignment: `x[i] = value` writes into the tensor's memory."""
    inplace.check_writable(self)
    basic, arrays = _basic(self, index if isinstance(index, tuple) else (index,))
    is_tensor = isinstance(value, Tensor)
    if not is_tensor:
        value = of_array(np.array(value, self.spec.dtype.numpy))
    if value.spec.dtype is not self.spec.dtype:
        value = recording.cast(value, self.spec.dtype)
    if arrays:
        dims, indices = _prepared(basic, arrays)
        target = STRUCTURAL["index"].infer(dims, basic.spec, *(i.spec for i in indices))[0]
        value = _fitted(value, target, "shape mismatch: value tensor of shape {given} cannot be broadcast to indexing result of "
                                       "shape {wanted}")
        inplace.in_place(lambda x: structural(STRUCTURAL["index_put"], (dims, False), x, value, *indices), basic)
        return
    value = _fitted(value, basic.spec.shape, "The expanded size of the tensor ({size}) must match the existing size ({existing}) "
                                             "at non-singleton dimension {dim}")
    if basic.spec.shape != self.spec.shape:
        inplace.in_place(lambda x: value, basic)
    else:  # all of it: what was there gets zeros
        overwrite("copy_" if is_tensor else "fill_tensor_", self, value)


def _fitted(value: Tensor, shape: tuple[int, ...], message: str) -> Tensor:
    """A value repeated to the shape of what it is written to; leading dimensions of size 1 may be too many."""
    given = value.spec.shape
    while len(given) > len(shape) and given[0] == 1:
        given = given[1:]
    if given != value.spec.shape:
        value = reshape(value, given)
    if given == shape:
        return value
    wide = (1,) * (len(shape) - len(given)) + given
    if len(given) > len(shape) or any(old not in (1, new) for old, new in zip(wide, shape, strict=True)):
        dim = next((at for at, (old, new) in enumerate(zip(wide, shape, strict=False)) if old not in (1, new)), 0)
        facts = {"size": shape[dim] if shape else 1, "existing": wide[dim] if wide else 1, "dim": dim}
        said = message.format(given=list(given), wanted=list(shape), **facts)
        raise RuntimeError(f"{said}: cannot assign shape {list(given)} to a place of shape {list(shape)}")
    return expand(value, shape)


@method("__iter__")
def iterate(self: Tensor) -> Any:
    """The slices along the first dimension."""
    if not self.spec.ndim:
        raise TypeError("iteration over a 0-d tensor")
    from tapediff.functions.views import unbind
    return iter(unbind(self, 0))


@method("__contains__")
def contains(self: Tensor, element: Any) -> bool:
    """Whether some element equals `element`."""
    if is_traced():
        return some(self == element)
    return bool((self._array() == (element._array() if isinstance(element, Tensor) else element)).any())
