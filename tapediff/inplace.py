"""Memory that tensors share, and writing into it: views, aliases, in-place operations.

The tape itself never changes a value: an in-place operation records a new slot, and the tensor, the tensors it is a view of and
their other views move on to slots computed from it. Where no gradient flows, memory is written as NumPy writes it.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from tapediff import hooks, recording
from tapediff.ops.structural import STRUCTURAL
from tapediff.ops.views import overlaps, strided
from tapediff.recording import modes, structural
from tapediff.tape.kinds import KINDS
from tapediff.tape.layout import ELEMENTWISE
from tapediff.tape.segment import Segment
from tapediff.tape.source import SOURCE, SOURCES, WRITING, Source
from tapediff.tensor import Tensor, method, of_source, origin_of

__all__ = [
    "View", "alias", "assign", "detach_", "in_place", "mark_written", "memory", "numpy", "requires_grad_", "set_data",
    "version", "view", "write",
]


class View(NamedTuple):
    """How a tensor shows another one.

    attributes      (shape, strides, offset) of the view in the parent's contiguous elements
    shares_memory   whether both are arrays of one memory; else the view is a slot of its own
    """

    parent: Tensor
    attributes: tuple[tuple[int, ...], tuple[int, ...], int]
    shares_memory: bool


def memory(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The array that a tensor and all that share memory with it write to.

    A tensor on the tape gets one, for itself, its base and all its views. While a program is recorded, it is a copy that must not
    be written.
    """
    if recording.recordings and recording.is_traced():
        value = tensor._array().copy()
        value.flags.writeable = False
        return value
    if not is_all_one_memory(tensor):
        base = _base_of(tensor)
        _own_memory(base)
        _share_one_memory(base)
    return _own_memory(tensor)


def _own_memory(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The array of a tensor whose base and views are looked after."""
    source = recording.source_of(tensor)
    if source.owner is not None:  # the value lies on the tape, which never changes; the tensor gets memory of its own
        with SOURCES.lock:
            if source.owner is not None:
                source.move(source.values().copy())
    return source.values()


def write(tensor: Tensor, change: Callable[[np.ndarray[Any, Any]], Any]) -> None:
    """Let `change` write into a tensor's memory; gradients take no notice."""
    if recording.recordings and recording.is_traced():
        recording.modes.recorder.refuse_write(tensor)
    array = memory(tensor)
    recording.settle()
    change(array)
    mark_written([recording.source_of(tensor)])


def mark_written(sources: Iterable[Source]) -> None:
    """Let all who show the memory of these sources know that it was written just now."""
    for written in sources:
        storage = written.share()
        storage.mark_written()
        for source in storage.take_computed():
            if type(source.origin) is Segment and not source.origin.is_released:
                source.origin.mark_overwritten(source.slot, storage.version, len(source.origin))


def version(tensor: Tensor) -> int:
    """How many times the memory of a tensor was written in place."""
    if tensor.segment is SOURCE and tensor.source.storage is not None:
        return tensor.source.storage.version
    extra = getattr(tensor, "extra", None)
    return 0 if extra is None else extra.version


method("_version")(property(version))


@method()
def numpy(self: Tensor, *, force: bool = False) -> np.ndarray[Any, Any]:
    """The value as a NumPy array that shares the tensor's memory.

    Raises
        RuntimeError: the tensor requires grad, unless `force` is given.
    """
    if self.spec.requires_grad and not force:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    array = memory(self)
    if not recording.recordings or not recording.is_traced():
        recording.export(recording.source_of(self))
    return array


def alias(tensor: Tensor, *, counts_writes: bool = True) -> Tensor:
    """A tensor without gradient that shares the memory."""
    if recording.recordings and recording.is_traced():
        made: Tensor = recording.constant_copy(tensor)
        modes.recorder.note_detached(made, _base_of(tensor))
        return made
    array = memory(tensor)
    source = recording.source_of(tensor)
    spec = tensor.spec.twin if tensor.spec.requires_grad else tensor.spec
    shown = Source(spec, array=array)
    if counts_writes:
        source.share().add(shown)
    else:
        shown.former = source  # the memory's owner, which learns nothing of writes, but does if NumPy is given the memory
    return of_source(shown)


@method()
def detach(self: Tensor) -> Tensor:
    """The same value, sharing memory, through which no gradient flows."""
    return alias(self)


def _data(self: Tensor) -> Tensor:
    """The same value, sharing memory, whose in-place changes no backward pass notices."""
    return alias(self, counts_writes=False)


def set_data(tensor: Tensor, value: Tensor) -> None:
    """Let a tensor show the memory of another one."""
    if recording.recordings and recording.is_traced():
        recording.modes.recorder.refuse_write(tensor)
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    if value.spec.dtype is not tensor.spec.dtype and tensor.spec.requires_grad and not value.spec.dtype.is_floating_point:
        raise RuntimeError("data set to a tensor that requires gradients must be floating point")
    array = memory(value)
    recording.settle()
    old = tensor.source if tensor.segment is SOURCE else None
    source = Source(recording.spec_of(value.spec.shape, value.spec.dtype, tensor.spec.requires_grad), array=array,
                    origin=old.origin if old else None, slot=old.slot if old else 0)
    if old is not None:
        source.hooks = old.hooks
        source.grad = tensor.grad if old.origin is None else None
        if source.grad is not None or source.hooks is not None:
            source.take_gradient_cell()
    tensor.segment, tensor.source, tensor.slot, tensor.spec = SOURCE, source, source.operand, source.spec


method("data")(property(_data, set_data))


@method()
def detach_(self: Tensor) -> Tensor:
    """Cut this tensor from its graph; it becomes a leaf."""
    extra = getattr(self, "extra", None)
    if extra is not None and extra.view is not None and self.spec.requires_grad:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    if self.spec.requires_grad:
        if recording.is_traced():
            modes.recorder.check_write(self)
            detached = recording.constant_copy(self)
            self.segment, self.slot, self.spec = detached.segment, detached.slot, detached.spec
            return self
        detached = alias(self)
        self.segment, self.source, self.slot, self.spec = SOURCE, detached.source, detached.slot, detached.spec
    return self


@method()
def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Let gradients flow to this leaf, or no longer.

    Raises
        RuntimeError: the dtype is not floating, or the tensor is no leaf and should cease to require grad.
    """
    spec = self.spec
    if spec.requires_grad is bool(requires_grad):
        return self
    if not self.is_leaf:
        raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                           "a subgraph that doesn't require differentiation use var_no_grad = var.detach().")
    if requires_grad and not spec.dtype.is_floating_point:
        raise RuntimeError(f"only Tensors of floating point dtype can require gradients: this one is {spec.dtype}; convert it "
                           "with .float() or .double()")
    if recording.recordings and recording.is_traced():
        recording.modes.recorder.refuse_leaf(self)
    source = recording.source_of(self)
    source.origin = None
    if source.array is None and source.owner is not None:
        memory(self)
        source = self.source
    if not source.is_lent and source.stamp is modes.segment.stamp:
        recording.close()
    self.spec = spec.twin
    source.set_wanted(self.spec)
    return self


# --- views ----------------------------------------------------------------------------------------------------------------------

def view(name: str, tensor: Tensor, attributes: tuple[tuple[int, ...], tuple[int, ...], int]) -> Tensor:
    """A view of a tensor, by the row of the view op called `name`."""
    is_recorded = (tensor.spec.requires_grad and modes.grad_enabled) or recording.is_traced()
    shares_memory = tensor.segment is SOURCE and tensor.source.origin is None and not is_recorded
    if shares_memory:
        made = _memory_view(tensor, attributes)
    else:
        made = structural(STRUCTURAL[name], attributes, tensor)
        shares_memory = _is_shared(tensor) and not recording.is_traced()
        if shares_memory:  # a detached tensor or an array shows the memory too: the view must lie in it
            origin, slot = origin_of(made)
            source = Source(made.spec, array=_shown(_own_memory(tensor), attributes), origin=origin, slot=slot)
            tensor.source.share().add(source)
            made.segment, made.source, made.slot = SOURCE, source, source.operand
    made.extras().view = View(tensor, attributes, shares_memory)
    views = tensor.extras().views
    views.append(weakref.ref(made))
    if len(views) & 63 == 0:
        tensor.extras().views = [known for known in views if known() is not None]
    return made


def _is_shared(tensor: Tensor) -> bool:
    """Whether other sources show the tensor's memory."""
    if tensor.segment is not SOURCE or tensor.source.storage is None:
        return False
    return any(known() not in (None, tensor.source) for known in tensor.source.storage.members)


def _memory_view(tensor: Tensor, attributes: tuple[tuple[int, ...], tuple[int, ...], int]) -> Tensor:
    source = Source(recording.spec_of(attributes[0], tensor.spec.dtype, False), array=_shown(memory(tensor), attributes))
    recording.source_of(tensor).share().add(source)
    return of_source(source)


def _shown(array: np.ndarray[Any, Any], attributes: tuple[tuple[int, ...], tuple[int, ...], int]) -> np.ndarray[Any, Any]:
    """A view of an array."""
    return strided(array, *attributes) if array.flags.c_contiguous else _strided_of_strided(array, *attributes)


def _strided_of_strided(array: np.ndarray[Any, Any], shape: tuple[int, ...], strides: tuple[int, ...],
                        offset: int) -> np.ndarray[Any, Any]:
    """A view, stated in the elements of a contiguous array, of an array that is not contiguous.

    Every stride must be the stride of one dimension, or of a run of dimensions that lie behind each other, which every view of
    one dimension at a time is.
    """
    if 0 in shape:
        return np.empty(shape, array.dtype)
    places = strided(np.arange(array.size), shape, strides, offset)
    first = np.unravel_index(int(places.reshape(-1)[0]), array.shape)
    base = sum(int(i) * s for i, s in zip(first, array.strides, strict=True))
    steps = []
    for dim, size in enumerate(shape):
        if size == 1:
            steps.append(0)
            continue
        second = np.unravel_index(int(places[tuple(1 if d == dim else 0 for d in range(len(shape)))]), array.shape)
        steps.append(sum(int(i) * s for i, s in zip(second, array.strides, strict=True)) - base)
    root = array
    start = np.lib.stride_tricks.as_strided(root, (1,) * root.ndim, root.strides)
    moved = start.__array_interface__["data"][0] + base
    interface = {"shape": shape, "typestr": array.dtype.str, "data": (moved, not array.flags.writeable), "strides": tuple(steps),
                 "version": 3}
    holder = type("_Memory", (), {"__array_interface__": interface, "owner": array})()
    return np.asarray(holder)


# --- in-place operations --------------------------------------------------------------------------------------------------------

def check_writable(tensor: Tensor) -> None:
    """Refuse an in-place operation that would lose a leaf's gradient, in PyTorch's words."""
    if not modes.grad_enabled:
        return
    if tensor.spec.requires_grad and tensor.is_leaf:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    extra = getattr(tensor, "extra", None)
    shown = extra.view if extra is not None else None
    while shown is not None:
        parent = shown.parent
        if parent.spec.requires_grad and parent.is_leaf:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        extra = getattr(parent, "extra", None)
        shown = extra.view if extra is not None else None


def in_place(operation: Callable[..., Tensor], tensor: Tensor, *arguments: Any, **options: Any) -> Tensor:
    """Let a tensor take the value of operation(tensor, ...), and everything that shares its memory with it."""
    check_writable(tensor)
    extra = getattr(tensor, "extra", None)
    if extra is not None and extra.view is not None and overlaps(*extra.view.attributes[:2]):
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory "
                           "location. Please clone() the tensor before performing the operation.")
    if modes.grad_enabled and (tensor.segment is SOURCE or extra is not None):  # what reads sources of old values comes first
        recording.settle()
    before = (modes.segment, len(modes.segment))
    new = operation(tensor, *arguments, **options)
    if new.spec.requires_grad and _is_saved(tensor, before):
        new = operation(structural(STRUCTURAL["clone"], None, tensor), *arguments, **options)
    return assign(tensor, new, before)


def _is_saved(tensor: Tensor, before: tuple[Segment, int]) -> bool:
    """Whether the reverse pass of an instruction recorded since `before` reads a tensor whose memory is about to be written."""
    base = _base_of(tensor)
    if base.segment is not SOURCE or base.source.owner is not None or recording.is_traced():
        return False
    segment = modes.segment
    code = segment.recorded
    for index in range(before[1] if segment is before[0] else 0, len(code) // 3):
        kind = KINDS.kinds[code[3 * index]]
        if kind.saves >> 1 and any(code[3 * (index - k // 2) + 1 + k % 2] == tensor.slot and kind.saves >> 1 >> min(k, 60) & 1
                                   for k in range(len(kind.operands))):
            return True
    return False


def assign(tensor: Tensor, new: Tensor, before: tuple[Segment, int]) -> Tensor:
    """Let a tensor take the value of `new`, a tensor of its shape, in place.

    before  the running segment and its length before `new` was recorded: what was recorded since belongs to the operation and may
            read old values
    """
    spec = tensor.spec
    if new.spec.shape != spec.shape:
        raise RuntimeError(f"output with shape {list(spec.shape)} doesn't match the broadcast shape {list(new.spec.shape)}: an "
                           "in-place operation cannot change a shape")
    if new.spec.dtype is not spec.dtype:
        if new.spec.dtype.category > spec.dtype.category:
            raise RuntimeError(f"result type {new.spec.dtype.legacy} can't be cast to the desired output type "
                               f"{spec.dtype.legacy}")
        new = recording.cast(new, spec.dtype)
    if recording.recordings and recording.is_traced():
        modes.recorder.check_write(_base_of(tensor))
        _move(tensor, new, before)
    elif modes.grad_enabled and (spec.requires_grad or new.spec.requires_grad):
        _move(tensor, new, before)
    elif not _redirect(tensor, new, before):
        value = new._array()
        write(tensor, lambda array: np.copyto(array, value))
    return tensor


def _redirect(tensor: Tensor, new: Tensor, before: tuple[Segment, int]) -> bool:
    """Let the instruction that computes a new value write straight into the memory of a tensor.

    Only where `new` is the last element-wise instruction of a segment that records no gradients, and where no other source shows
    the memory; False otherwise. The write waits with all that is pending, unless somebody might look at the memory meanwhile.
    """
    segment = new.segment
    if (segment is not modes.segment or segment.grad_enabled or new.slot != len(segment.recorded)
        or (segment is before[0] and new.slot <= 3 * before[1])):
        return False
    kind = KINDS.kinds[segment.recorded[-3]]
    if not _owns_memory(tensor) or kind.kind_class != ELEMENTWISE or not kind.spec.size:
        return False
    source = tensor.source
    index = new.slot // 3 - 1
    with segment.lock:
        if segment.count > index:  # another thread was faster
            return False
        if new.spec.is_large:
            del segment.owners[index]
            segment.unplaced.remove(index)
            segment.large_bytes -= new.spec.nbytes
        changed = KINDS.in_place(kind)
        segment.recorded[-3] = changed.number
        segment.targets[index] = source
        WRITING.add(segment)
    if len(kind.operands) == 2 and kind.operands[0] is tensor.spec and kind.attributes in (0, 2) and not modes.inference:
        if tensor.spec.dtype.is_floating_point:
            _updates[kind.row.name, tensor.spec, float if kind.attributes else kind.operands[1]] = changed.number
    new.segment, new.source, new.slot = SOURCE, source, source.operand
    _mark_waiting(source)
    return True


def _owns_memory(tensor: Tensor) -> bool:
    """Whether a tensor is a leaf whose memory can be written and is shown by no other source."""
    if tensor.segment is not SOURCE:
        return False
    source = tensor.source
    return (source.origin is None and source.owner is None and source.snapshot is None and source.share().is_alone()
            and (source.array is None or source.array.flags.writeable) and is_all_one_memory(tensor))


def _mark_waiting(source: Source) -> None:
    """Count a write that waits; where an array shows the memory, compute it at once."""
    source.storage.mark_written()  # type: ignore[union-attr]
    array = source.array
    # references: the source, the local variable, the argument
    if array is not None and (array.base is not None or sys.getrefcount(array) > 3):
        recording.settle()


_updates: dict[Any, int] = {}  # kinds, by row, the tensor's spec and the other's spec or type


def update(name: str, tensor: Tensor, other: Any) -> bool:
    """Record ``tensor = row(tensor, other)`` in place, where no gradients are recorded and the same was done before.

    What `assign` does in the same case, without a tensor for the new value; False where the general path has to do it.
    """
    segment = modes.segment
    if (segment.grad_enabled or not segment.is_open or modes.inference or segment.recorder is not None
        or len(segment.recorded) >= recording.SEGMENT_CODE):
        return False
    spec = tensor.spec
    kind_of = type(other)
    if kind_of is Tensor:
        kind = _updates.get((name, spec, other.spec))
        number = None
    else:
        kind = _updates.get((name, spec, kind_of))
        number = spec.constants.get(other)
    if kind is None or (number is None and kind_of is not Tensor) or not _owns_memory(tensor):
        return False
    source = tensor.source
    target = recording.operand_of(tensor, segment)
    if number is None:
        number = recording.operand_of(other, segment)
        if segment is not modes.segment or not segment.is_open:
            return False
    with segment.lock:
        code = segment.recorded
        segment.targets[len(code) // 3] = source
        WRITING.add(segment)
        code += (kind, target, number)
    if segment.is_hasty:
        recording.hurry(segment)
    _mark_waiting(source)
    return True


def is_all_one_memory(tensor: Tensor) -> bool:
    """Whether writing the tensor's memory reaches the tensors it is a view of and all their views."""
    extra = getattr(tensor, "extra", None)
    if extra is None:
        return True
    if extra.view is not None and not (extra.view.shares_memory and is_all_one_memory(extra.view.parent)):
        return False
    living = (known() for known in extra.views)
    return all(child is None or child.extra.view.shares_memory for child in living)


def _base_of(tensor: Tensor) -> Tensor:
    """The tensor that a view of a view of ... is a view of."""
    extra = getattr(tensor, "extra", None)
    while extra is not None and extra.view is not None:
        tensor = extra.view.parent
        extra = getattr(tensor, "extra", None)
    return tensor


def _share_one_memory(parent: Tensor) -> None:
    """Let all living views of a tensor show its memory; what gradients know of them stays."""
    array = _own_memory(parent)
    for known in parent.extras().views:
        child = known()
        if child is None:
            continue
        shown = child.extra.view
        if not shown.shares_memory:
            origin, slot = origin_of(child)
            source = Source(child.spec, array=_shown(array, shown.attributes), origin=origin, slot=slot)
            parent.source.share().add(source)
            child.segment, child.source, child.slot = SOURCE, source, source.operand
            child.extra.view = shown._replace(shares_memory=True)
        _share_one_memory(child)


def _move(tensor: Tensor, new: Tensor, before: tuple[Segment, int]) -> None:
    """Move a tensor, the tensors it is a view of and all their views on to slots computed from `new`."""
    extra = getattr(tensor, "extra", None)
    shown = extra.view if extra is not None else None
    if shown is None:
        _rebind(tensor, new, before)
        _follow(tensor, before)
        return
    parent = shown.parent
    written = structural(STRUCTURAL["strided_write"], shown.attributes, parent, new)
    _move(parent, written, before)


def _follow(parent: Tensor, before: tuple[Segment, int]) -> None:
    """Let all living views of a tensor show its new value."""
    for known in parent.extras().views:
        child = known()
        if child is not None:
            _rebind(child, structural(STRUCTURAL["as_strided"], child.extra.view.attributes, parent), before)
            _follow(child, before)


def _rebind(tensor: Tensor, new: Tensor, before: tuple[Segment, int]) -> None:
    """Let a tensor show the slot of another one; its old slot counts as overwritten, its old memory is written."""
    origin, slot = origin_of(tensor)
    extra = tensor.extras()
    extra.version = version(tensor) + 1
    if type(origin) is Segment and not origin.is_released:
        origin.mark_overwritten(slot, extra.version, before[1] if origin is before[0] else len(origin))
    old = tensor.source if tensor.segment is SOURCE else None
    if old is not None and old.array is not None and old.owner is None and not recording.is_traced():
        value = new._array()
        np.copyto(old.array, value)
        mark_written([old])
        next_origin, next_slot = origin_of(new) if new.spec.requires_grad else (None, 0)
        source = Source(new.spec, array=old.array, origin=next_origin, slot=next_slot)
        old.share().add(source)
        tensor.source, tensor.slot, tensor.spec = source, source.operand, new.spec
    else:
        if old is not None:  # its value stays on the tape, but counts as written: what read it was computed before (`in_place`)
            old.share().mark_written()
        tensor.slot = new.slot
        tensor.spec = new.spec
        if new.segment is SOURCE:
            tensor.source = new.source
        else:
            new.segment.pass_on(new.slot // 3 - 1, tensor)
        tensor.segment = new.segment
    if extra.retains_grad and new.spec.requires_grad:
        hooks.move_retained(tensor, origin, slot)
