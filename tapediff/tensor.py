"""The tensor: PyTorch's face of a slot.

What a tensor does without anything above it stands here. Modules above attach the rest with `method`: operators, functions,
memory, hooks, backward.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tapediff import dtypes, recording
from tapediff.dtypes import DType
from tapediff.printing import format_scalar, tensor_text
from tapediff.recording import Handle, new_handle, place_of
from tapediff.shapes import Size, normalize_dim
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import ADJOINTS, SOURCE, Source
from tapediff.tape.spec import Spec, spec_of

if TYPE_CHECKING:
    from tapediff.attached import Attached  # a stub: the methods that modules above attach, printed by tools/write_stubs.py
else:
    Attached = Handle

__all__ = ["CPU", "Device", "Extra", "Tensor", "method", "name_of", "of_array", "of_foreign", "of_slot", "of_source", "origin_of"]

Made = TypeVar("Made")


class TensorType(type):
    """Makes `Tensor(2, 3)` and `Tensor([1., 2.])` PyTorch's legacy constructor, without slowing down how results are made."""

    _construct: Callable[..., Any]

    def __call__(cls, *data: Any, **options: Any) -> Any:
        return cls._construct(*data, **options)


class Tensor(Attached, metaclass=TensorType):
    """A value on the tape, or a leaf."""

    __slots__ = ()
    __array_priority__ = 1000

    # --- what it is -------------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self.spec.shape)

    @property
    def dtype(self) -> DType:
        return self.spec.dtype

    @property
    def is_leaf(self) -> bool:
        return not self.spec.requires_grad or (self.segment is SOURCE and self.source.origin is None)

    @property
    def device(self) -> Device:
        return CPU

    @property
    def ndim(self) -> int:
        return self.spec.ndim

    @property
    def itemsize(self) -> int:
        return self.spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.spec.nbytes

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return Size(self.spec.shape) if dim is None else self.spec.shape[normalize_dim(dim, self.spec.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.spec.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self.spec.size

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.spec.dtype.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is float32 or float64."""
        return self.spec.dtype.is_floating_point

    def is_inference(self) -> bool:
        """Whether the tensor was computed in inference mode."""
        return self.spec.inference

    def is_complex(self) -> bool:
        """Always False: there are no complex dtypes."""
        return False

    # --- values -----------------------------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number.

        Raises
            RuntimeError: there is more than one element, or none.
        """
        spec = self.spec
        if spec.size != 1:
            raise RuntimeError(f"a Tensor with {spec.size} elements cannot be converted to Scalar: item() got shape "
                               f"{list(spec.shape)}; index one element, or use tolist()")
        if recording.recordings:
            recording.watch(self)
        return self._item()

    def _item(self) -> Any:
        segment = self.segment
        spec = self.spec
        if segment is SOURCE:
            return self.source.item()
        flush, slot_item = _sweeps()
        flush(segment)
        slot = self.slot
        if slot < 0:  # a large value that no backward pass needs leaves the tape as soon as it is computed
            return recording.source_of(self).item()
        return slot_item(segment, slot // 3 - 1, spec)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self._array().tolist()

    def _array(self) -> np.ndarray[Any, Any]:
        """The value as an array; it may be the tensor's memory and must not be written."""
        if recording.recordings:
            recording.watch(self)
        return recording.source_of(self).values()

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        spec = self.spec
        grad_fn = None
        if not self.is_leaf:
            grad_fn = name_of(*origin_of(self))
        return tensor_text(recording.source_of(self).values(), dtype=spec.dtype.name,
                           default_dtype=dtypes.get_default_dtype().name, requires_grad=spec.requires_grad, grad_fn=grad_fn)

    def __format__(self, spec: str) -> str:
        return format_scalar(recording.source_of(self).values(), spec, describe=self.__repr__, type_name=type(self).__name__)

    def __bool__(self) -> bool:
        if self.spec.size != 1:
            if self.spec.size == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous: got shape "
                               f"{list(self.spec.shape)}; reduce it with .any() or .all()")
        if recording.recordings:
            recording.watch(self, "truth")
        return bool(self._item())

    def _number(self) -> Any:
        if self.spec.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars: this one has shape "
                             f"{list(self.spec.shape)}")
        return self._item()

    def __float__(self) -> float:
        value = self._number()
        if recording.recordings:
            recording.watch(self)
        return float(value)

    def __int__(self) -> int:
        value = self._number()
        if recording.recordings:
            recording.watch(self, "integer")
        return int(value)

    def __index__(self) -> int:
        if self.spec.size != 1 or self.spec.dtype.is_floating_point:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __len__(self) -> int:
        if not self.spec.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.spec.shape[0]

    __hash__ = object.__hash__

    # --- gradients --------------------------------------------------------------------------------------------------------------

    def extras(self) -> Extra:
        """What only few tensors have; made when first asked for."""
        try:
            found: Extra = self.extra
        except AttributeError:
            found = self.extra = Extra()
        return found

    def _grad_of_computed(self) -> Tensor | None:
        extra: Extra | None = getattr(self, "extra", None)
        if self.spec.requires_grad and (extra is None or (not extra.retains_grad and extra.grad is None)):
            warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                          "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for "
                          "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by "
                          "mistake, make sure you access the leaf Tensor instead.", UserWarning, stacklevel=3)
        return None if extra is None else extra.grad

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up, a tensor like this one; None before the first."""
        if self.segment is not SOURCE or self.source.origin is not None:
            return self._grad_of_computed()
        source = self.source
        found = source.grad
        if found is None or type(found) is np.ndarray:
            with ADJOINTS:
                found = source.grad
                if found is None:
                    value = source.take_gradient_cell()
                    if value is not None:
                        spec = source.spec.twin
                        array = np.full(spec.shape, value, spec.dtype.numpy) if spec.ndim else None
                        found = source.grad = of_source(Source(spec, value, array))
                elif type(found) is np.ndarray:
                    found = source.grad = of_source(Source(source.spec.twin, array=found))
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is None:  # what every step of every training loop does for every leaf
            if self.segment is SOURCE and (source := self.source).origin is None:
                source.grad = None
                source.give_back_gradient_cell()
                return
        else:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value.spec.dtype is not self.spec.dtype:
                raise RuntimeError(f"attempting to assign a gradient with dtype '{value.dtype.legacy.lower()}' to a tensor with "
                                   f"dtype '{self.dtype.legacy.lower()}'. Please ensure that the gradient and the tensor have "
                                   "the same dtype")
            if value.spec.shape != self.spec.shape:
                raise RuntimeError(f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                                   f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size")
            if recording.recordings and recording.is_traced():
                recording.modes.recorder.check_write(self)
        if self.segment is not SOURCE or self.source.origin is not None:
            self.extras().grad = value
            return
        with ADJOINTS:
            self.source.grad = value
            self.source.take_gradient_cell()

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        return self.spec.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def retains_grad(self) -> bool:
        """Whether `.grad` of this computed tensor will be kept."""
        extra = getattr(self, "extra", None)
        return extra is not None and extra.retains_grad

class Extra:
    """What only few tensors have.

    grad, retains_grad  the gradient of a computed tensor, where somebody wants it
    view, views         the tensor that this one is a view of, and how; the views of this one, weakly
    """

    __slots__ = ("grad", "retains_grad", "version", "view", "views")

    def __init__(self) -> None:
        self.grad: Tensor | None = None
        self.retains_grad = False
        self.view: Any = None
        self.views: list[Any] = []
        self.version = 0


class Device:
    """The CPU, the one device there is."""

    type = "cpu"
    index = None

    def __init__(self, name: Any = "cpu", index: Any = None) -> None:
        if str(name).split(":")[0] != "cpu":
            raise RuntimeError(f"tapediff computes on the CPU only: got device {name!r}, use 'cpu'")

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")


CPU = Device()


def _sweeps() -> Any:
    """`flush` and `slot_item`; the sweeps, and Numba with them, are loaded when a value is first asked for."""
    global _sweeps
    from tapediff.forward import flush
    from tapediff.memory import slot_item
    found = (flush, slot_item)
    _sweeps = lambda: found  # noqa: E731
    return found


def method(*names: str) -> Callable[[Made], Made]:
    """Attach a function, under its own name or `names`, or a property, which has to be named, to the tensor: for modules above
    this one.

    >>> @method()
    ... def twice(self: Tensor) -> Tensor:
    ...     return self + self
    >>> import tapediff as td
    >>> td.tensor(3.).twice()
    tensor(6.)
    >>> del Tensor.twice
    """

    def attach(made: Made) -> Made:
        for name in names or (made.__name__,):  # type: ignore[attr-defined]
            setattr(Tensor, name, made)
        return made

    return attach


def of_source(source: Source) -> Tensor:
    """The tensor that shows a source."""
    made: Tensor = new_handle(Tensor)
    made.segment = SOURCE
    made.source = source
    made.slot = source.operand
    made.spec = source.spec
    return made


def of_slot(segment: Any, index: int, spec: Spec) -> Tensor:
    """A tensor that shows a slot."""
    made: Tensor = new_handle(Tensor)
    made.segment = segment
    made.slot = 3 * index + 3
    made.spec = spec
    return made


def of_array(array: np.ndarray[Any, Any], requires_grad: bool = False) -> Tensor:
    """A leaf that shares the memory of an array of one of the five dtypes."""
    return of_source(Source(spec_of(array.shape, dtypes.from_numpy_dtype(array.dtype), requires_grad), array=array))


def of_foreign(array: np.ndarray[Any, Any]) -> Tensor:
    """A leaf that shares the memory of an array that somebody else may write."""
    made = of_array(array)
    made.source.export()
    return made


def origin_of(tensor: Tensor) -> tuple[Any, int]:
    """What computed a tensor, and its slot there; (None, 0) for a leaf."""
    segment, slot = place_of(tensor)
    if segment is SOURCE:
        return tensor.source.origin, tensor.source.slot
    return segment, slot // 3 - 1


def name_of(origin: Any, slot: int) -> str:
    """The name in the graph of what computed a slot, as `origin_of` gives it."""
    return KINDS.kinds[origin.kind_number(slot)].grad_fn if type(origin) is Segment else origin.name


recording.tensor_type = Tensor
