"""The tensor: PyTorch's face of a slot. The only module of the core that says grad, backward and grad_fn."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import numpy as np

from tapediff import dtypes, record
from tapediff.dtypes import DType
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.printing import tensor_text
from tapediff.record import Handle, elementwise, modes, new_handle
from tapediff.shapes import Size
from tapediff.tape.source import SOURCE, Source
from tapediff.tape.spec import Spec, spec_of

__all__ = ["Tensor"]


class TensorType(type):
    """Makes `Tensor(2, 3)` and `Tensor([1., 2.])` work as PyTorch's legacy constructor, without slowing down how results are made."""

    def __call__(cls, *data: Any, **options: Any) -> Any:
        return cls._construct(*data, **options)


class Tensor(Handle, metaclass=TensorType):
    """A value on the tape, or a leaf."""

    __slots__ = ()
    __array_priority__ = 1000

    # --- what it is -------------------------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self.spec.shape)

    @property
    def dtype(self) -> DType:
        return self.spec.dtype

    @property
    def requires_grad(self) -> bool:
        return self.spec.requires_grad

    @property
    def is_leaf(self) -> bool:
        return not self.spec.requires_grad or (self.segment is SOURCE and self.source.origin is None)

    # --- values -----------------------------------------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number."""
        segment = self.segment
        if segment is SOURCE:
            return self.source.item()
        from tapediff.execute import flush, slot_item
        flush(segment)
        return slot_item(segment, self.slot // 3 - 1, self.spec)

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The value as a NumPy array that shares the tensor's memory.

        Raises
            RuntimeError: the tensor requires grad, unless `force` is given.
        """
        if self.spec.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._array()

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self._array().tolist()

    def __repr__(self) -> str:
        grad_fn = None if self.is_leaf else self._grad_fn_name()
        return tensor_text(self._array(), dtype=self.spec.dtype.name, default_dtype=dtypes.get_default_dtype().name,
                           requires_grad=self.spec.requires_grad, grad_fn=grad_fn)

    def _grad_fn_name(self) -> str:
        origin, slot = (self.source.origin, self.source.slot) if self.segment is SOURCE else (self.segment, self.slot // 3 - 1)
        name: str = origin.node_name(slot)
        return name

    def _array(self) -> np.ndarray[Any, Any]:
        """The value as an array that shares the tensor's memory."""
        return record.source_of(self).values()

    # --- gradients --------------------------------------------------------------------------------------------------------------------------

    @property
    def grad(self) -> Tensor | None:
        source = record.source_of(self)
        found = source.grad
        if type(found) is np.ndarray:
            found = source.grad = of_source(Source(source.spec.twin, array=found))
        if found is None and source.spec.requires_grad:
            value = source.take_gradient_cell()
            if value is not None:
                spec = source.spec.twin
                array = np.full(spec.shape, value, spec.dtype.numpy) if spec.ndim else None
                found = source.grad = of_source(Source(spec, value, array))
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        source = record.source_of(self)
        source.grad = value
        if value is None:
            source.give_back_gradient_cell()

    def backward(self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None) -> None:
        from tapediff.autograd.engine import backward
        backward(self, gradient, retain_graph, create_graph, inputs)


def of_source(source: Source) -> Tensor:
    """The tensor that shows a source."""
    made: Tensor = new_handle(Tensor)
    made.segment = SOURCE
    made.source = source
    made.slot = source.operand
    made.spec = source.spec
    return made


record.tensor_type = Tensor


# --- operators ------------------------------------------------------------------------------------------------------------------------------
# The quick path of an operator appends the instruction itself. It serves operands for which record.elementwise has left the kind in
# `spec.<name>[other spec or number type]`: those of small results that need no cast and no expansion, while gradients are recorded.
# Everything else goes through record.elementwise, which records the same instruction.

_APPEND = """\
        code = segment.code
        code.append(kind)
        code.append({a})
        code.append({b})
        made = new_handle(Tensor)
        made.segment = segment
        made.spec = spec
        made.slot = slot = len(code)
        if slot >= SEGMENT_CODE:
            segment.close()
        return made
    except (KeyError, AttributeError):
        return slow(row, {operands})
"""

_BINARY = """
def {method}(self, other):
    try:
        kind_of = type(other)
        if kind_of is Tensor:
            kind, spec = self.spec.{name}[other.spec]
            segment = self.segment
            if segment is SOURCE:
                source = self.source
                segment = other.segment
                if segment is SOURCE:
                    segment = modes.segment
                    if source.stamp is not segment.stamp:
                        source.stamp = segment.stamp
                        segment.held.append(source)
                    source = other.source
                elif segment.thread != get_ident():
                    return slow(row, self, other)
                if source.stamp is not segment.stamp:
                    source.stamp = segment.stamp
                    segment.held.append(source)
            else:
                if segment.thread != get_ident():
                    return slow(row, self, other)
                if other.segment is not segment:
                    source = other.source
                    if source.stamp is not segment.stamp:
                        source.stamp = segment.stamp
                        segment.held.append(source)
            number = other.slot
        elif kind_of is float or kind_of is int:
            number = self.spec.constants[other]
            kind, spec = self.spec.{name}[kind_of]
            segment = self.segment
            if segment is SOURCE:
                segment = modes.segment
                source = self.source
                if source.stamp is not segment.stamp:
                    source.stamp = segment.stamp
                    segment.held.append(source)
            elif segment.thread != get_ident():
                return slow(row, self, other)
        else:
            return slow(row, self, other)
""" + _APPEND

_REFLECTED = """
def {method}(self, other):
    try:
        kind_of = type(other)
        if kind_of is not float and kind_of is not int:
            return slow(row, other, self)
        number = self.spec.constants[other]
        kind, spec = self.spec.{name}_reflected[kind_of]
        segment = self.segment
        if segment is SOURCE:
            segment = modes.segment
            source = self.source
            if source.stamp is not segment.stamp:
                source.stamp = segment.stamp
                segment.held.append(source)
        elif segment.thread != get_ident():
            return slow(row, other, self)
""" + _APPEND

_UNARY = """
def {method}(self):
    try:
        kind, spec = self.spec.{name}[None]
        segment = self.segment
        if segment is SOURCE:
            segment = modes.segment
            source = self.source
            if source.stamp is not segment.stamp:
                source.stamp = segment.stamp
                segment.held.append(source)
        elif segment.thread != get_ident():
            return slow(row, self)
""" + _APPEND


def quick(template: str, name: str, method: str) -> Any:
    """An operator or method of the tensor from a template of the quick path."""
    a, b, operands = {_BINARY: ("self.slot", "number", "self, other"), _REFLECTED: ("number", "self.slot", "other, self"),
                      _UNARY: ("self.slot", "0", "self")}[template]
    namespace: dict[str, Any] = {"Tensor": Tensor, "SOURCE": SOURCE, "slow": slow, "row": ROWS[name], "get_ident": get_ident, "new_handle": new_handle,
                                 "SEGMENT_CODE": record.SEGMENT_CODE, "modes": modes}
    exec(template.format(name=name, method=method, a=a, b=b, operands=operands), namespace)
    return namespace[method]


def slow(row: Any, *operands: Any) -> Any:
    """Record by the general path, and leave the kind for the quick one where that applies."""
    return elementwise(row, *operands)


for _name, _method in (("add", "__add__"), ("sub", "__sub__"), ("mul", "__mul__"), ("div", "__truediv__"), ("pow", "__pow__")):
    setattr(Tensor, _method, quick(_BINARY, _name, _method))
for _name, _method in (("sub", "__rsub__"), ("div", "__rtruediv__"), ("pow", "__rpow__")):
    setattr(Tensor, _method, quick(_REFLECTED, _name, _method))
Tensor.__radd__ = Tensor.__add__
Tensor.__rmul__ = Tensor.__mul__
for _name in ("sin", "cos", "exp", "log", "tanh", "relu", "sqrt", "sigmoid"):
    setattr(Tensor, _name, quick(_UNARY, _name, _name))
Tensor.__neg__ = quick(_UNARY, "neg", "__neg__")


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    dtype = dtype or dtypes.get_default_dtype()
    if isinstance(data, (int, float)):
        return of_source(Source(spec_of((), dtype, requires_grad), data))
    array = np.array(data, dtype.numpy)
    return of_source(Source(spec_of(array.shape, dtype, requires_grad), array=array))
