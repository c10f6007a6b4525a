"""The tensor: PyTorch's face of a slot. The only module of the core that says grad, backward and grad_fn."""

from __future__ import annotations

import warnings
from threading import get_ident
from typing import Any

import numpy as np

from tapediff import dtypes, record
from tapediff.dtypes import DType
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.printing import format_scalar, tensor_text
from tapediff.record import Handle, elementwise, modes, new_handle
from tapediff.shapes import Size, normalize_dim
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
    def is_leaf(self) -> bool:
        return not self.spec.requires_grad or (self.segment is SOURCE and self.source.origin is None)

    @property
    def grad_fn(self) -> Any:
        """The node that computed the tensor; None for a leaf."""
        if self.is_leaf:
            return None
        from tapediff.autograd.graph import node_of
        return node_of(self)

    @property
    def output_nr(self) -> int:
        """Which output of its node the tensor is."""
        from tapediff.autograd.graph import output_number
        return output_number(self)

    @property
    def _version(self) -> int:
        return inplace.version(self)

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

    def is_complex(self) -> bool:
        """Always False: there are no complex dtypes."""
        return False

    # --- values -----------------------------------------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number.

        Raises
            RuntimeError: there is more than one element, or none.
        """
        spec = self.spec
        if spec.size != 1:
            raise RuntimeError(f"a Tensor with {spec.size} elements cannot be converted to Scalar: item() got shape {list(spec.shape)}; index one element, "
                               "or use tolist()")
        segment = self.segment
        if segment is SOURCE:
            return self.source.item()
        flush, slot_item = _execute()
        flush(segment)
        if self.segment is SOURCE:  # a large value that no backward pass needs leaves the tape as soon as it is computed
            return self.source.item()
        return slot_item(segment, self.slot // 3 - 1, spec)

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The value as a NumPy array that shares the tensor's memory.

        Raises
            RuntimeError: the tensor requires grad, unless `force` is given.
        """
        if self.spec.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return inplace.memory(self)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self._array().tolist()

    def _array(self) -> np.ndarray[Any, Any]:
        """The value as an array; it may be the tensor's memory and must not be written."""
        return record.source_of(self).values()

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        spec = self.spec
        grad_fn = None
        if not self.is_leaf:
            from tapediff.autograd.graph import name_of
            grad_fn = name_of(*origin_of(self))
        return tensor_text(self._array(), dtype=spec.dtype.name, default_dtype=dtypes.get_default_dtype().name, requires_grad=spec.requires_grad,
                           grad_fn=grad_fn)

    def __format__(self, spec: str) -> str:
        return format_scalar(self._array(), spec, describe=self.__repr__, type_name=type(self).__name__)

    def __bool__(self) -> bool:
        if self.spec.size != 1:
            if self.spec.size == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError(f"Boolean value of Tensor with more than one value is ambiguous: got shape {list(self.spec.shape)}; reduce it with .any() or .all()")
        return bool(self.item())

    def _number(self) -> Any:
        if self.spec.size != 1:
            raise ValueError(f"only one element tensors can be converted to Python scalars: this one has shape {list(self.spec.shape)}")
        return self.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

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

    def __hash__(self) -> int:
        return id(self)

    # --- gradients --------------------------------------------------------------------------------------------------------------------------

    def extras(self) -> Extra:
        """What only few tensors have; made when first asked for."""
        try:
            found: Extra = self.extra
        except AttributeError:
            found = self.extra = Extra()
        return found

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up, a tensor like this one; None before the first."""
        if self.segment is not SOURCE or self.source.origin is not None:
            return self._grad_of_computed()
        source = self.source
        found = source.grad
        if found is None:
            value = source.take_gradient_cell()
            if value is not None:
                spec = source.spec.twin
                found = source.grad = of_source(Source(spec, value, np.full(spec.shape, value, spec.dtype.numpy) if spec.ndim else None))
        elif type(found) is np.ndarray:
            found = source.grad = of_array(found)
        return found

    def _grad_of_computed(self) -> Tensor | None:
        extra: Extra | None = getattr(self, "extra", None)
        if self.spec.requires_grad and (extra is None or not extra.retains_grad and extra.grad is None):
            warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during "
                          "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the "
                          "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead.", UserWarning, stacklevel=3)
        return None if extra is None else extra.grad

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
                raise RuntimeError(f"attempting to assign a gradient with dtype '{value.dtype.legacy.lower()}' to a tensor with dtype '{self.dtype.legacy.lower()}'. "
                                   "Please ensure that the gradient and the tensor have the same dtype")
            if value.spec.shape != self.spec.shape:
                raise RuntimeError(f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size '{list(self.shape)}'. Please ensure that the "
                                   "gradient and the tensor are the same size")
        if self.segment is not SOURCE or self.source.origin is not None:
            self.extras().grad = value
            return
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

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Let gradients flow to this leaf, or no longer.

        Raises
            RuntimeError: the dtype is not floating, or the tensor is no leaf and should cease to require grad.
        """
        spec = self.spec
        if spec.requires_grad is bool(requires_grad):
            return self
        if not self.is_leaf:
            raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't "
                               "require differentiation use var_no_grad = var.detach().")
        if requires_grad and not spec.dtype.is_floating_point:
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients: this one is {spec.dtype}; convert it with .float() or .double()")
        source = record.source_of(self)
        source.origin = None
        if source.array is None and source.owner is not None:
            inplace.memory(self)
            source = self.source
        if source.stamp is modes.segment.stamp:
            record.close()
        self.spec = spec.twin
        source.set_wanted(self.spec)
        return self

    @property
    def retains_grad(self) -> bool:
        """Whether `.grad` of this computed tensor will be kept."""
        extra = getattr(self, "extra", None)
        return extra is not None and extra.retains_grad

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad`."""
        if not self.spec.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self.retains_grad:
            return
        self.extras().retains_grad = True
        hooks.retain(self)

    def register_hook(self, hook: Any) -> Any:
        """Call `hook(grad)` whenever the gradient of this tensor has been computed; what it returns, unless None, replaces the gradient.

        >>> import tapediff as td
        >>> x = td.tensor(2., requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> (x * 3).backward()
        >>> x.grad
        tensor(30.)
        """
        if not self.spec.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return hooks.register(self, hook)

    def backward(self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves that it depends on.

        gradient      the weights of the vector-Jacobian product, in this tensor's shape; may be left out for one element
        retain_graph  keep the graph, so that another pass can follow; defaults to create_graph
        create_graph  record the pass, so that the gradients can be differentiated
        inputs        accumulate into these tensors only

        >>> import tapediff as td
        >>> x = td.tensor([1., 2.], requires_grad=True)
        >>> (x * x).backward(td.tensor([1., 10.]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        if gradient is None and inputs is None and not create_graph and self.segment is not SOURCE and self.spec.size == 1 and self.spec.requires_grad:
            _engine().backward_from_scalar(self, bool(retain_graph))
        else:
            _engine().backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same value, sharing memory, through which no gradient flows."""
        return inplace.alias(self)

    @property
    def data(self) -> Tensor:
        """The same value, sharing memory, whose in-place changes no backward pass notices."""
        return inplace.alias(self, counts_writes=False)

    @data.setter
    def data(self, value: Tensor) -> None:
        inplace.set_data(self, value)

    def detach_(self) -> Tensor:
        """Cut this tensor from its graph; it becomes a leaf."""
        return inplace.detach_(self)


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


def _execute() -> Any:
    """`flush` and `slot_item`; the sweeps, and Numba with them, are loaded when a value is first asked for."""
    global _execute
    from tapediff.execute import flush, slot_item
    found = (flush, slot_item)
    _execute = lambda: found  # noqa: E731
    return found


def _engine() -> Any:
    """The backward engine, loaded when first needed."""
    global _engine
    from tapediff.autograd import engine
    _engine = lambda: engine  # noqa: E731
    return engine


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


def origin_of(tensor: Tensor) -> tuple[Any, int]:
    """What computed a tensor, and its slot there; (None, 0) for a leaf."""
    if tensor.segment is SOURCE:
        return tensor.source.origin, tensor.source.slot
    return tensor.segment, tensor.slot // 3 - 1


record.tensor_type = Tensor
from tapediff import hooks, inplace  # noqa: E402  they need Tensor


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
            close()
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

# the quick table of powers goes by the exponent, since some powers are rows of their own
_POWER = _BINARY.replace("self.spec.{name}[kind_of]", "self.spec.{name}[other]")

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
    a, b, operands = {_BINARY: ("self.slot", "number", "self, other"), _POWER: ("self.slot", "number", "self, other"), _REFLECTED: ("number", "self.slot", "other, self"),
                      _UNARY: ("self.slot", "0", "self")}[template]
    namespace: dict[str, Any] = {"Tensor": Tensor, "SOURCE": SOURCE, "slow": slow, "row": ROWS[name], "get_ident": get_ident, "new_handle": new_handle,
                                 "SEGMENT_CODE": record.SEGMENT_CODE, "close": record.close, "modes": modes}
    exec(template.format(name=name, method=method, a=a, b=b, operands=operands), namespace)
    return namespace[method]


def slow(row: Any, *operands: Any) -> Any:
    """Record by the general path; NotImplemented for what is neither tensor nor number nor array."""
    made = [x if isinstance(x, Tensor) or type(x) in (int, float, bool) else foreign_operand(x) for x in operands]
    if any(x is NotImplemented for x in made):
        return NotImplemented
    if row.name == "pow":
        return power(*made)
    return elementwise(row, *made)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`; leaves the kind of a power with a number for the quick path."""
    check_integer_power(base, exponent)
    result = elementwise(ROWS["pow"], base, exponent)
    if type(exponent) in (int, float) and result.spec is base.spec and base.dtype.is_floating_point and result.segment.code is not None and not result.spec.is_large:
        table = base.spec.quick_table("pow")
        record.constant(float(exponent), base.dtype)
        if len(table) < 64 and exponent in base.spec.constants:
            table[exponent] = (result.segment.recorded[-3], result.spec)
    return result


def foreign_operand(value: Any) -> Any:
    """NumPy's arrays and numbers as tensors and Python numbers."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return of_array(np.ascontiguousarray(value).reshape(value.shape))
    if isinstance(value, bool | int | float):
        return float(value) if isinstance(value, float) else int(value)
    return NotImplemented


def check_integer_power(base: Any, exponent: Any) -> None:
    """Refuse an integer tensor to a negative integer power, as PyTorch does."""
    if type(exponent) is int and exponent < 0 and not (base.dtype.is_floating_point or base.dtype.category == 0):
        raise RuntimeError(f"Integers to negative integer powers are not allowed: got a tensor of dtype {base.dtype} to the power {exponent}; convert it with .float()")


for _name, _method in (("add", "__add__"), ("sub", "__sub__"), ("mul", "__mul__"), ("div", "__truediv__")):
    setattr(Tensor, _method, quick(_BINARY, _name, _method))
Tensor.__pow__ = quick(_POWER, "pow", "__pow__")  # type: ignore[attr-defined]
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
