"""The running tape: one open segment per thread, grad modes, and how an operation becomes an instruction."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import copysign
from typing import Any

from tapediff import dtypes
from tapediff.compiling import IS_COMPILED
from tapediff.dtypes import DType
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.op import Elementwise, names_in
from tapediff.ops.structural import STRUCTURAL, Structural
from tapediff.shapes import broadcast, contiguous_strides, folded_extents
from tapediff.tape import layout
from tapediff.tape.kinds import ARGUMENT_KIND, KINDS, Kind
from tapediff.tape.segment import Segment
from tapediff.tape.source import NUMBER, SOURCE, WRITING, Source
from tapediff.tape.spec import Spec, spec_of

__all__ = ["SOURCE", "Handle", "Modes", "elementwise", "modes", "running"]

SEGMENT_CODE = 3 * layout.SEGMENT_INSTRUCTIONS
SEGMENT_BYTES = 1 << 26  # large results that a segment may hold


class Handle:
    """What a tensor is to the tape: a slot of a segment, or a source.

    segment  a Segment, or SOURCE
    slot     position of the instruction's end in the segment's code (3, 6, ...); for a source its negative operand number
    spec     the shared record of shape, dtype and requires_grad
    source   the Source, where `segment` is SOURCE
    extra    what few tensors have: views, hooks, retained gradients
    """

    __slots__ = ("__weakref__", "extra", "segment", "slot", "source", "spec")

    segment: Any
    slot: int
    spec: Spec
    source: Source
    extra: Any


new_handle: Callable[[type], Any] = object.__new__
tensor_type: type = Handle  # the wrapper puts its Tensor here


class Modes(threading.local):
    """Grad mode, inference mode, anomaly mode, the open segment of a thread, and the recording of a program that runs."""

    def __init__(self) -> None:
        self.grad_enabled = True
        self.inference = False
        self.anomaly = False
        self.recorder: Any = None
        self.segment: Segment = Segment(True)
        self.segment.close()
        self.end = ThreadEnd(self.segment)


class ThreadEnd:
    """Closes the segment of a thread that ends: the system may give its number to another one."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    def __del__(self) -> None:
        self.segment.close()
        self.segment.thread = 0


modes = Modes()
recordings = 0  # how many programs are being recorded now, in all threads


def watch(handle: Any, how: str = "value") -> None:
    """Tell the recording that runs in this thread, if one does, that Python decides by a value; see `program.recorder`."""
    if recordings and modes.recorder is not None:
        modes.recorder.watch(handle, how)


def is_traced() -> bool:
    """Whether a program is being recorded in this thread: then everything goes onto the tape, and memory is not written."""
    return bool(recordings) and modes.recorder is not None


def running() -> Segment:
    """The open segment of this thread; a new one if the last one was closed or serves the other grad mode."""
    segment = modes.segment
    if (segment.is_open and segment.grad_enabled is modes.grad_enabled and len(segment.recorded) < SEGMENT_CODE
        and segment.large_bytes < SEGMENT_BYTES):
        return segment
    close()
    return _open()


class Latest:
    """The running segment that the native recorder looked at last, which spares it the look into `modes`."""

    __slots__ = ("segment",)

    def __init__(self) -> None:
        self.segment: Segment | None = None


latest = Latest()
at_open: list[Callable[[], None]] = []  # to be called when a segment is opened
at_host: list[Callable[[Kind], None]] = []  # to be called with a new kind that NumPy would have to do


def _open() -> Segment:
    for call in at_open:
        call()
    modes.segment = modes.end.segment = segment = Segment(modes.grad_enabled)
    latest.segment = None
    if recordings:
        segment.recorder = modes.recorder
        if modes.recorder is not None:
            modes.recorder.segments.append(segment)
    return segment


def _finish_writes() -> None:
    from tapediff.forward import finish_writes
    finish_writes()


WRITING.finish = _finish_writes


def settle() -> None:
    """Compute what is pending in this thread, before memory that it may read is written.

    Of other threads' segments only they know.
    """
    segment = modes.segment
    if len(segment.recorded) // 3 > segment.count:
        from tapediff.forward import flush
        flush(segment)


def export(source: Source) -> None:
    """Before NumPy is given the memory of a source: compute what reads it, now and from now on at once."""
    if source.storage is not None or source.former is not None or (not source.is_lent and source.stamp is modes.segment.stamp):
        settle()
    source.export()


def reopen() -> None:
    """After a backward pass: a new segment, ready for the tensor's quick path."""
    if modes.grad_enabled and not modes.segment.is_open:
        close()
        _open()


def set_grad_enabled(enabled: bool) -> None:
    """Change the grad mode of this thread; instructions of the two modes never share a segment."""
    if modes.grad_enabled is not enabled:
        modes.grad_enabled = enabled
        close()


def close() -> None:
    """Let the next operation open a new segment. What is pending is computed: nobody keeps count of closed segments that wait."""
    segment = modes.segment
    if not segment.thread:
        return
    segment.is_open = False
    segment.code = None
    if segment.recorded:
        if len(segment.recorded) // 3 > segment.count:
            from tapediff.forward import flush
            flush(segment)
        segment.recorded = []
    if segment.settling or segment.unplaced:
        from tapediff.forward import settle_large
        with segment.lock:
            while segment.settling or segment.unplaced:
                settle_large(segment)
    segment.thread = 0
    if segment.is_finished:
        from tapediff.freeing import release_finished
        release_finished(segment)
    is_full = segment.count >= layout.SEGMENT_INSTRUCTIONS or segment.large_bytes >= SEGMENT_BYTES
    if is_full and segment.held and segment.recorder is None:
        from tapediff.freeing import forget_unreached
        forget_unreached(segment)


def set_aside() -> None:
    """Let the next operation open a new segment, and leave what is pending to whoever asks for it: after a recording."""
    segment = modes.segment
    segment.close()
    segment.thread = 0
    _close_nothing()


def _close_nothing() -> None:
    """Let a closed and empty segment be the running one."""
    modes.segment = modes.end.segment = empty = Segment(True)
    empty.close()
    empty.thread = 0


@contextmanager
def apart() -> Iterator[None]:
    """What is recorded inside goes to segments of its own; the running segment goes on afterwards as if nothing had been."""
    before = modes.segment
    _close_nothing()
    latest.segment = None
    try:
        yield
    finally:
        close()
        modes.segment = modes.end.segment = before
        latest.segment = None


def operand_of(handle: Any, segment: Segment) -> int:
    """The number by which instructions of `segment` name the value of `handle`."""
    if handle.segment is segment:
        slot: int = handle.slot
        return slot
    source = handle.source if handle.segment is SOURCE else source_of(handle)
    if source.origin is not None and source.origin.number > segment.number:
        close()  # another thread computed it since: what reads it must be younger
    if source.is_lent:
        if source.is_exported():
            segment.is_hasty = True
            segment.held.append(source)
            return source.operand
        source.withdraw()
    if source.stamp is not segment.stamp:
        source.stamp = segment.stamp
        segment.held.append(source)
    return source.operand


def source_of(handle: Any) -> Source:
    """The source that names the value of `handle`; a slot of another segment becomes one, by computing that segment."""
    segment = place_of(handle)[0]
    if WRITING:
        WRITING.finish()
    if segment is SOURCE:
        source: Source = handle.source
        return source
    if segment.number > modes.segment.number:
        close()  # what reads the source must be younger than what computes it
    from tapediff.forward import flush, leave_tape  # above us: only a slot of another segment needs it
    flush(segment)
    with segment.lock:
        if handle.slot < 0:  # a large value that no backward pass needs leaves the tape as soon as it is computed
            return handle.source
        index = handle.slot // 3 - 1
        known = segment.shown.get(index) if segment.shown else None
        source = known() if known is not None else None  # type: ignore[assignment]
        if segment.is_foreign:  # an operation that its thread is recording may be about to read the handle's slot
            if source is None:
                source = source_of_slot(segment, index, handle.spec)
                if segment.shown is None:
                    segment.shown = {}
                segment.shown[index] = weakref.ref(source)
            return source
        if source is None and index in segment.large and not segment.is_on_tape:
            leave_tape(segment, index)
            if handle.slot < 0:
                return handle.source
        if source is None:
            source = source_of_slot(segment, index, handle.spec)
        source.take_over(handle)
    return source


def source_of_slot(segment: Segment, index: int, spec: Spec) -> Source:
    """A source that shows the computed value of an instruction."""
    from tapediff.memory import slot_address, slot_value
    large = segment.large.get(index)
    return Source(spec, array=None if large is None else slot_value(large, spec), address=slot_address(segment, index),
                  origin=segment if spec.requires_grad or segment.recorder is not None else None, slot=index,
                  owner=segment.chunks if large is None else large)


def place_of(handle: Any) -> tuple[Any, int]:
    """The segment and the slot of a handle, also while another thread turns it into a source (`Source.take_over`)."""
    segment, slot = handle.segment, handle.slot
    if segment is SOURCE:
        return SOURCE, handle.slot
    if slot < 0:
        with segment.lock:
            return SOURCE, slot
    return segment, slot


def constant(value: float, dtype: DType) -> int:
    """The operand number of a Python number as a tensor of no dimensions; the first thousand different ones live for ever."""
    known = dtype.is_floating_point and value == 0
    table = _ZEROS if known else spec_of((), dtype, False).constants
    key: Any = (dtype, copysign(1.0, value)) if known else value
    found = table.get(key)
    if found is None:
        source = Source(spec_of((), dtype, False), value, owner=NUMBER)
        if value != value or len(_constants) >= 1024:
            segment = running()
            segment.held.append(source)
            return source.operand
        _constants.append(source)
        found = table[key] = source.operand
    return found


_constants: list[Source] = []
_ZEROS: dict[Any, int] = {}


def hurry(segment: Segment) -> None:
    """Compute an instruction that reads memory which NumPy may write."""
    from tapediff.forward import flush
    segment.is_hasty = False
    flush(segment)


def append(segment: Segment, kind: Kind, *numbers: int) -> Any:
    """Record one instruction, in one step that no other thread's sweep can cut, and hand out the tensor that shows its slot.

    Operands beyond the first two go into ARGUMENT instructions before it. None where the segment was closed meanwhile.
    """
    count = len(numbers)
    made = new_handle(tensor_type)
    made.segment = segment
    spec = made.spec = kind.spec
    line: tuple[int, ...] = (kind.number, numbers[0] if count else 0, numbers[1] if count > 1 else 0)
    for k in range(2, count, 2):
        line = (ARGUMENT_KIND, numbers[k], numbers[k + 1] if k + 1 < count else 0, *line)
    reference = weakref.ref(made) if spec.is_large else None
    # nothing is made from here on: the garbage collector might call a finalizer that records, too, or runs a pass
    if not segment.is_open:
        return None
    code = segment.recorded
    slot = made.slot = len(code) + len(line)
    if reference is not None:  # before the instruction, so that every sweep finds it announced
        index = slot // 3 - 1
        segment.owners[index] = reference
        segment.unplaced.append(index)
        segment.large_bytes += spec.nbytes
    code += line
    if segment.is_hasty:
        hurry(segment)
    return made


def append_large(segment: Segment, kind: int, spec: Spec, a: int, b: int) -> Any:
    """As `append`, for the quick path: an instruction of at most two operands with a large result.

    Raises
        KeyError: the segment takes no more.
    """
    made = new_handle(tensor_type)
    made.segment = segment
    made.spec = spec
    reference = weakref.ref(made)
    line = (kind, a, b)
    code = segment.code  # last, as in `append`
    if code is None or segment.large_bytes >= SEGMENT_BYTES or len(code) >= SEGMENT_CODE:
        raise KeyError
    slot = made.slot = len(code) + 3
    index = slot // 3 - 1
    segment.owners[index] = reference
    segment.unplaced.append(index)
    segment.large_bytes += spec.nbytes
    code += line
    return made


# --- element-wise ---------------------------------------------------------------------------------------------------------------

POW = ROWS["pow"]
POWERS = {2: ROWS["square"], 3: ROWS["cube"]}  # products are ten times faster than pow
POWERS_TYPES = (int, float)
NUMBER_SPECS: dict[type, str] = {bool: "bool", int: "int", float: "float"}
_plans: dict[Any, Any] = {}


class Plan:
    """How an element-wise op is recorded for operands of given specs: casts, expansions, then one instruction of `kind`."""

    __slots__ = ("compute", "expand", "is_direct", "kind", "offered", "shape")

    def __init__(self, kind: Kind, compute: tuple[DType | None, ...], expand: tuple[bool, ...], shape: tuple[int, ...]) -> None:
        self.kind = kind
        self.compute = compute
        self.expand = expand
        self.shape = shape
        self.offered: Kind | None = None
        self.is_direct = not any(expand) and all(dtype is None for dtype in compute)


def elementwise(row: Elementwise, *operands: Any, out_dtype: DType | None = None) -> Any:
    """Record an element-wise op of tensors and Python numbers; returns the tensor of its result."""
    if row is POW and type(operands[1]) in POWERS_TYPES and operands[1] in POWERS and operands[0].spec.dtype.category:
        row, operands = POWERS[operands[1]], operands[:1]
    segment = running()
    key = (row.name, segment.grad_enabled, modes.inference, dtypes.get_default_dtype(), out_dtype,
           *[x.spec if isinstance(x, Handle) else type(x) for x in operands])
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = make_plan(row, operands, segment.grad_enabled, out_dtype)
    kind = plan.kind
    numbers = []
    for position, x in enumerate(operands):
        if isinstance(x, Handle):
            dtype = plan.compute[position]
            if dtype is not None:
                x = cast(x, dtype)
            if plan.expand[position]:
                x = expand(x, plan.shape)
            numbers.append(operand_of(x, segment) if segment is modes.segment and segment.is_open else 0)
        else:
            numbers.append(number_operand(x, kind.operands[position].dtype, row))
    # an operand's own recording closed the segment: start again in the new one
    if segment is not modes.segment or not segment.is_open:
        return elementwise(row, *operands, out_dtype=out_dtype)
    if plan.is_direct and plan.kind is not plan.offered:
        offer(plan, row, operands, segment)
    if len(numbers) == 3 and (numbers[0] == numbers[1] or numbers[2] in numbers[:2]):
        return elementwise(row, *separate(operands), out_dtype=out_dtype)
    made = append(segment, kind, *numbers)
    return elementwise(row, *operands, out_dtype=out_dtype) if made is None else made


def offer(plan: Plan, row: Elementwise, operands: tuple[Any, ...], segment: Segment) -> None:
    """Leave the kind where the tensor's quick path looks for it."""
    plan.offered = kind = plan.kind
    if len(operands) > 2 or row.name not in ROWS:  # a spec has no place for ops of the user's own
        return
    first = operands[0]
    if not segment.grad_enabled:
        if not modes.inference and row is not POW:
            _unrecorded[row.name, *(x.spec if isinstance(x, Handle) else type(x) for x in operands)] = kind
        return
    if not isinstance(first, Handle):
        table = "_reflected"
        key: Any = type(first)
        spec = operands[1].spec
    else:
        spec = first.spec
        table, key = ("", None if len(operands) == 1 else operands[1].spec
                      if isinstance(operands[1], Handle) else type(operands[1]))
    if key is bool:
        return
    spec.quick_table(row.name + table)[key] = (kind.number, kind.spec)


_unrecorded: dict[Any, Kind] = {}


def unrecorded(row: Elementwise, first: Any, second: Any = None) -> Any:
    """As `elementwise`, where no gradients are recorded, for one or two operands like those that it has met before.

    Raises
        KeyError: it has not.
    """
    segment = modes.segment
    if modes.inference or not segment.is_open or len(segment.recorded) >= SEGMENT_CODE or segment.large_bytes >= SEGMENT_BYTES:
        raise KeyError
    if second is None:
        kind = _unrecorded[row.name, first.spec]
        numbers: tuple[int, ...] = (operand_of(first, segment),)
    elif not isinstance(first, Handle):
        kind = _unrecorded[row.name, type(first), second.spec]
        numbers = (second.spec.constants[first], operand_of(second, segment))
    elif isinstance(second, Handle):
        kind = _unrecorded[row.name, first.spec, second.spec]
        numbers = (operand_of(first, segment), operand_of(second, segment))
    else:
        kind = _unrecorded[row.name, first.spec, type(second)]
        numbers = (operand_of(first, segment), first.spec.constants[second])
    if segment is not modes.segment or not segment.is_open:  # an operand's own segment had to be computed first
        raise KeyError
    made = append(segment, kind, *numbers)
    if made is None:
        raise KeyError
    return made


def separate(operands: tuple[Any, ...]) -> list[Any]:
    """The operands with every repeated tensor or number replaced by a copy of its own, which three-operand kernels require."""
    seen: list[Any] = []
    out = []
    for x in operands:
        if isinstance(x, Handle):
            if any(x is other for other in seen) or any(isinstance(o, Handle) and o.slot == x.slot and o.segment is x.segment
                                                        for o in seen):
                if x.spec.dtype.category:
                    x = elementwise(ROWS["positive"], x)
                else:
                    x = cast(elementwise(ROWS["logical_not"], elementwise(ROWS["logical_not"], x)), x.spec.dtype)
        elif any(type(x) in NUMBER_SPECS and type(o) in NUMBER_SPECS and x == o for o in seen):
            tensor = new_handle(tensor_type)
            dtype = dtypes.of_number(x)
            other = next((o.spec.dtype for o in operands if isinstance(o, Handle)), dtype)
            dtype = dtypes.promote(dtype, other) if dtypes.result_category(x) <= other.category else dtype
            source = Source(spec_of((), dtype, False), x, owner=NUMBER)
            tensor.source, tensor.segment, tensor.slot, tensor.spec = source, SOURCE, source.operand, source.spec
            x = tensor
        seen.append(x)
        out.append(x)
    return out


def number_operand(value: Any, dtype: DType, row: Elementwise) -> int:
    """The operand number of a Python number that takes part as `dtype`."""
    if dtype.category == 1 and not -(1 << (8 * dtype.itemsize - 1)) <= value < 1 << (8 * dtype.itemsize - 1):
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: {row.name} got {value}")
    if dtype.category == 2:
        try:
            value = float(value)
        except OverflowError:
            raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: {row.name} got "
                               f"{value}") from None
        if dtype is dtypes.float32 and abs(value) > 3.4028235677973366e38 and value - value == 0:
            value = copysign(float("inf"), value)
    elif dtype.category == 1:
        value = int(value)
    return constant(value, dtype)


def result_dtype(operands: tuple[Any, ...]) -> DType:
    """PyTorch's promotion: tensors with dimensions outrank tensors without, which outrank Python numbers, within a category."""
    best: list[DType | None] = [None, None, None]  # with dimensions, without, numbers
    for x in operands:
        if isinstance(x, Handle):
            rank, dtype = (0 if x.spec.ndim else 1), x.spec.dtype
        else:
            rank, dtype = 2, dtypes.of_number(x)
        known = best[rank]
        best[rank] = dtype if known is None else dtypes.promote(known, dtype)
    found = best[0]
    for lesser in best[1:]:
        if lesser is not None and (found is None or lesser.category > found.category):
            found = lesser
    assert found is not None
    return found


def make_plan(row: Elementwise, operands: tuple[Any, ...], grad_enabled: bool, out_dtype: DType | None) -> Plan:
    """Work out dtypes, broadcasting and the kind for operands like these."""
    selected = operands[1:] if row.name == "where" else operands
    dtype = operands[0].spec.dtype if row.name == "cast" else result_dtype(selected)
    if row.result == "float" and not dtype.is_floating_point:
        dtype = dtypes.get_default_dtype()
    if dtype is dtypes.bool_ and row.name in ("square", "cube"):
        dtype = dtypes.int64
    check_dtype(row, dtype)
    compute: list[DType] = [dtype] * len(operands)
    if row.name == "where":
        compute[0] = dtypes.bool_
    result = dtypes.bool_ if row.result == "bool" else out_dtype or dtype
    shape: tuple[int, ...] = ()
    for x in operands:
        if isinstance(x, Handle):
            shape = broadcast(shape, x.spec.shape)
    size = spec_of(shape, result, False).size
    casts: list[DType | None] = []
    expands = []
    scalars = 0
    wanted = 0
    specs = []
    for position, (x, wished) in enumerate(zip(operands, compute, strict=True)):
        if not isinstance(x, Handle):
            casts.append(None)
            expands.append(False)
            specs.append(spec_of((), wished, False))
            if size != 1:
                scalars |= 1 << position
            continue
        casts.append(wished if x.spec.dtype is not wished else None)
        is_one = x.spec.size == 1
        expands.append(not is_one and x.spec.shape != shape)
        if is_one and size != 1:
            scalars |= 1 << position
        requires_grad = x.spec.requires_grad and wished.is_floating_point
        if grad_enabled and requires_grad and result.is_floating_point and row.partials[position] is not None:
            wanted |= 1 << position
        specs.append(spec_of(x.spec.shape if is_one else shape, wished, requires_grad, x.spec.inference))
    spec = spec_of(shape, result, wanted != 0, modes.inference)
    saves = 0
    if wanted:
        names = {name for position, partial in enumerate(row.partials) if wanted >> position & 1 and partial
                 for name in names_in(partial)}
        saves = ("y" in names) | ("a" in names) << 1 | ("b" in names) << 2 | ("c" in names) << 3
    check_saved(saves, specs)
    numbers = sum(1 << position for position, x in enumerate(operands) if not isinstance(x, Handle))
    kind = KINDS.add(layout.ELEMENTWISE, row, tuple(specs), spec, numbers, scalars, wanted, saves, len(operands))
    return Plan(kind, tuple(casts), tuple(expands), shape)


def check_saved(saves: int, specs: Sequence[Spec]) -> None:
    """Refuse an instruction whose reverse pass would read a value computed in inference mode."""
    if any(spec.inference and saves >> 1 >> min(position, 60) & 1 for position, spec in enumerate(specs)):
        raise RuntimeError("Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode "
                           "in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor "
                           "and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.")


def check_dtype(row: Elementwise, dtype: DType) -> None:
    """Refuse a dtype class that the op has no meaning for."""
    allowed = ("bool", "int", "float")[dtype.category]
    if allowed in row.kinds or row.name == "cast":
        return
    if row.name == "neg":
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, "
                           "use the `~` or `logical_not()` operator instead.")
    if row.name == "sub":
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                           "`logical_xor()` operator instead.")
    error = NotImplementedError if row.name.startswith("bitwise") else RuntimeError
    raise error(f'"{row.name}_cpu" not implemented for \'{dtype.legacy}\': {row.name} takes {" or ".join(sorted(row.kinds))} '
                'tensors')


def cast(x: Any, dtype: DType) -> Any:
    """Record the conversion of `x` to `dtype`."""
    return x if x.spec.dtype is dtype else elementwise(ROWS["cast"], x, out_dtype=dtype)


def constant_copy(x: Any) -> Any:
    """Record the same value, through which no gradient flows."""
    before = modes.grad_enabled
    set_grad_enabled(False)
    try:
        return structural(STRUCTURAL["alias"], (x.spec.shape, contiguous_strides(x.spec.shape), 0), x)
    finally:
        set_grad_enabled(before)


def expand(x: Any, shape: tuple[int, ...]) -> Any:
    """Record the repetition of `x` to a shape that it broadcasts to."""
    ndim = len(shape)
    old = (1,) * (ndim - x.spec.ndim) + x.spec.shape
    strides = tuple(0 if size == 1 else stride for size, stride in zip(old, contiguous_strides(old), strict=True))
    return structural(STRUCTURAL["broadcast"], (shape, strides, 0), x)


# --- structural -----------------------------------------------------------------------------------------------------------------

_structural_kinds: dict[Any, Kind] = {}


def structural(row: Structural, attributes: Any, *operands: Any) -> Any:
    """Record a structural op of tensors; `attributes` must be hashable. Returns the tensor of its result."""
    segment = running()
    key = (row, attributes, segment.grad_enabled, modes.inference, *[x.spec for x in operands])
    kind = _structural_kinds.get(key)
    if kind is None:
        kind = _structural_kinds[key] = make_structural_kind(row, attributes, operands, segment.grad_enabled)
    numbers = [operand_of(x, segment) for x in operands]
    if segment is not modes.segment or not segment.is_open:
        return structural(row, attributes, *operands)
    made = append(segment, kind, *numbers)
    return structural(row, attributes, *operands) if made is None else made


def make_structural_kind(row: Structural, attributes: Any, operands: tuple[Any, ...], grad_enabled: bool) -> Kind:
    """The kind of a structural op on operands like these."""
    specs = tuple(x.spec for x in operands)
    shape, dtype = row.infer(attributes, *specs)
    wanted = saves = 0
    if grad_enabled and dtype.is_floating_point:
        for position, spec in enumerate(specs):
            if spec.requires_grad and row.is_differentiable(position):
                wanted |= 1 << min(position, 60)
                for saved in row.saved_by(position):
                    saves |= 1 if saved == "y" else 2 << min(saved, 60)
    check_saved(saves, specs)
    spec = spec_of(shape, dtype, wanted != 0, modes.inference)
    kind_class = layout.ALIAS if row.is_alias else layout.STRUCTURAL if serves(row, attributes, specs, spec) else layout.HOST
    if kind_class == layout.STRUCTURAL and row.kernel in ("sum", "mean") and spec.size == 1:
        kind_class = layout.REDUCTION
    kind = KINDS.add(kind_class, row, specs, spec, attributes, 0, wanted, saves, len(specs))
    if kind_class == layout.HOST:
        for call in at_host:
            call(kind)
    return kind


def serves(row: Structural, attributes: Any, specs: tuple[Spec, ...], spec: Spec) -> bool:
    """Whether the op's compiled kernel takes operands like these; NumPy does the work otherwise."""
    if row.kernel is None or not IS_COMPILED or spec.size == 0 or any(operand.size == 0 for operand in specs):
        return False
    if row.kernel == "strided":
        return True
    if row.kernel == "nll_loss":
        return len(specs) == 2 and specs[0].ndim == 2 and specs[1].dtype is dtypes.int64
    if not all(operand.dtype is spec.dtype for operand in specs) or not spec.dtype.is_floating_point:
        return False
    if row.kernel == "softmax":
        return attributes == spec.ndim - 1
    return row.kernel not in ("sum", "mean", "extreme") or folded_extents(specs[0].shape, attributes[0]) is not None
