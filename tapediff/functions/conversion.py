"""Conversions: dtypes, NumPy, copies, pickles."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tapediff import dtypes, inplace, recording
from tapediff.dtypes import DType
from tapediff.functions.creation import from_numpy
from tapediff.functions.registry import FUNCTIONS, function, method
from tapediff.functions.views import clone
from tapediff.tensor import Device, Tensor, of_array, of_foreign

__all__: list[str] = []


@method("to")
def to(self: Tensor, *arguments: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False,
       memory_format: Any = None) -> Tensor:
    """The tensor as another dtype: `x.to(td.float64)`, `x.to(other)`. Devices are accepted as long as they are the CPU.

    >>> import tapediff as td
    >>> td.tensor([1, 2]).to(td.float64)
    tensor([1., 2.], dtype=torch.float64)
    """
    for argument in arguments:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, bool):
            continue
        elif isinstance(argument, DType) or argument in (float, int):
            dtype = argument
        elif argument is not None:
            device = argument
    if device is not None and not isinstance(device, Device):
        Device(device)
    wanted = self.dtype if dtype is None else dtypes.parse(dtype)
    if wanted is self.dtype:
        return clone(self) if copy else self
    made: Tensor = recording.cast(self, wanted)
    return made


def _conversion(name: str, dtype: DType) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        made: Tensor = recording.cast(self, dtype)
        return made

    convert.__name__ = name
    convert.__doc__ = f"The tensor as {dtype.name}; itself where it is already."
    method(name)(convert)


for _name, _dtype in (("float", dtypes.float32), ("double", dtypes.float64), ("long", dtypes.int64), ("int", dtypes.int32),
                      ("bool", dtypes.bool_)):
    _conversion(_name, _dtype)


@method("type")
def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, as in 'torch.FloatTensor'; with a dtype, the tensor converted to it."""
    if dtype is None:
        return f"torch.{self.dtype.legacy}Tensor"
    if isinstance(dtype, str):
        found = next((one for one in dtypes.ALL if dtype == f"torch.{one.legacy}Tensor"), None)
        if found is None:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = found
    return to(self, dtype)


@method("type_as")
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor as the dtype of another one."""
    return to(self, other.dtype)


@method("cpu")
def cpu(self: Tensor) -> Tensor:
    """The tensor itself: there is no other device."""
    return self


@method("__array__")
def array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """The value for NumPy; refused for tensors that require grad, as PyTorch does."""
    value = self.numpy()
    if dtype is not None and np.dtype(dtype) != value.dtype:
        return value.astype(dtype)
    return value.copy() if copy else value


_UFUNCS = {"multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "power": "pow", "negative": "neg",
           "absolute": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
           "arctanh": "atanh", "arctan2": "atan2", "rint": "round", "fabs": "abs", "equal": "eq", "not_equal": "ne", "less": "lt",
           "less_equal": "le", "greater": "gt", "greater_equal": "ge", "invert": "bitwise_not",
           "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "float_power": "float_power",
           "conjugate": "clone"}


@method("__array_ufunc__")
def array_ufunc(self: Tensor, ufunc: np.ufunc, how: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's universal functions stay on the tape: `np.sin(t)`, `array * t`.

    >>> import numpy as np, tapediff as td
    >>> np.sin(td.tensor([0.0], requires_grad=True))
    tensor([0.], grad_fn=<SinBackward0>)
    """
    if how != "__call__" or options:
        values = [x.numpy() if isinstance(x, Tensor) else x for x in inputs]
        return getattr(ufunc, how)(*values, **{name: x.numpy() if isinstance(x, Tensor) else x for name, x in options.items()})
    name = _UFUNCS.get(ufunc.__name__, ufunc.__name__)
    function = FUNCTIONS.get(name)
    if function is None:
        raise TypeError(f"numpy.{ufunc.__name__} has no counterpart on tensors; convert them first with .detach().numpy()")
    return function(*[_as_operand(x) for x in inputs])


def _as_operand(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return of_array(np.array(x, order="C"))  # a copy: the array may be written before the value is computed
    if isinstance(x, np.generic):
        return x.item()
    return x


_OTHER_NAMES = {"concatenate": "cat", "expand_dims": "unsqueeze"}


@method("__array_function__")
def array_function(self: Tensor, function: Any, types: Any, arguments: Any, options: Any) -> Any:
    """NumPy's other functions: the one of the same name here if there is one, else NumPy on the values."""
    ours = FUNCTIONS.get(_UFUNCS.get(function.__name__,
                                     _OTHER_NAMES.get(function.__name__, function.__name__)))
    if ours is not None and "axis" in options:
        options = {("dim" if name == "axis" else "keepdim" if name == "keepdims" else name): value
                   for name, value in options.items()}
    if ours is not None:
        try:
            return ours(*arguments, **options)
        except TypeError:
            pass

    def plain(x: Any) -> Any:
        if isinstance(x, Tensor):
            return x.numpy()
        if isinstance(x, list | tuple):
            return type(x)(plain(one) for one in x)
        return x
    return function(*plain(tuple(arguments)), **{name: plain(value) for name, value in options.items()})


@method("__deepcopy__")
def deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """A leaf with a copy of the value.

    Raises
        RuntimeError: the tensor was computed from others that require grad.
    """
    if id(self) in memo:
        found: Tensor = memo[id(self)]
        return found
    if not self.is_leaf:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                           "moment.  If you were attempting to deepcopy a module, this may be because of a "
                           "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001")
    made = memo[id(self)] = _restore(type(self), self._array().copy(), self.spec.requires_grad)
    if self.grad is not None:
        made.grad = copy.deepcopy(self.grad, memo)
    return made


@method("__copy__")
def shallow_copy(self: Tensor) -> Tensor:
    """A tensor that shares the memory; a leaf stays a leaf that requires grad."""
    made = inplace.alias(self)
    return made.requires_grad_() if self.spec.requires_grad and self.is_leaf else made


@method("__reduce_ex__")
def reduce(self: Tensor, protocol: Any) -> Any:
    """Pickle the value and requires_grad.

    Raises
        RuntimeError: the tensor was computed from others that require grad.
    """
    if not self.is_leaf:
        raise RuntimeError("Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
                           "crossing process boundaries.  If you just want to transfer the data, call detach() on the tensor "
                           "before serializing (e.g., putting it on the queue).")
    return _restore, (type(self), np.array(self._array(), order="C"), self.spec.requires_grad)


def _restore(kind: Any, value: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    made = of_array(np.asarray(value, order="C"), requires_grad)
    if kind is not Tensor:
        made = kind._wrap(made)
    return made


@method("__dlpack__")
def dlpack(self: Tensor, **options: Any) -> Any:
    """The memory as a DLPack capsule, for other libraries.

    Raises
        BufferError: the tensor requires grad.
    """
    if self.spec.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return inplace.numpy(self).__dlpack__(**options)


@method("__dlpack_device__")
def dlpack_device(self: Tensor) -> tuple[int, int]:
    """The CPU."""
    return (1, 0)


@function(method=False)
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of what speaks DLPack: a tensor of another library, an array.

    >>> import numpy as np, tapediff as td
    >>> td.from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    if isinstance(ext_tensor, Tensor):
        return ext_tensor.detach()
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack got {type(ext_tensor).__name__}, which has no __dlpack__ method: pass the array or tensor "
                        "itself, not a capsule")
    made = of_foreign(np.from_dlpack(ext_tensor))
    return clone(made) if copy else made


@function(method=False)
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector that shares the memory of an object with Python's buffer protocol: bytes, a bytearray, an array.

    count   how many elements; -1 for all
    offset  how many bytes are left out

    >>> import tapediff as td
    >>> td.frombuffer(bytearray([1, 0, 0, 0, 2, 0, 0, 0]), dtype=td.int32)
    tensor([1, 2], dtype=torch.int32)
    """
    found = dtypes.parse(dtype)
    try:
        size = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    item = found.itemsize
    if not size or not count:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) minus 1")
    if count < 0 and (size - offset) % item:
        raise ValueError(f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element "
                         f"size ({item})")
    if count > 0 and offset + count * item > size:
        raise ValueError(f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater "
                         f"than actual buffer length ({size} bytes)")
    shared = from_numpy(np.frombuffer(buffer, found.numpy, count, offset))
    return shared.requires_grad_() if requires_grad else shared


@method("data_ptr")
def data_ptr(self: Tensor) -> int:
    """The address of the first element."""
    found: int = inplace.memory(self).__array_interface__["data"][0]
    return found


