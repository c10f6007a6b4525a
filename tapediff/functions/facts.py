"""Facts about tensors and dtypes, and the constructors of old."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapediff import dtypes, recording
from tapediff.dtypes import DType
from tapediff.functions.registry import FUNCTIONS, check_tensor, function, method
from tapediff.shapes import parse_shape
from tapediff.tensor import CPU, Device, Tensor, of_array

__all__ = ["can_cast", "is_tensor", "promote_types", "result_type"]


@function(method=False)
def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


@function(method=False)
def numel(input: Tensor) -> int:
    """The number of elements."""
    check_tensor(input, "numel")
    return input.spec.size


@function(method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is float32 or float64."""
    check_tensor(input, "is_floating_point")
    return input.spec.dtype.is_floating_point


@function(method=False)
def is_complex(input: Tensor) -> bool:
    """Always False: there are no complex dtypes."""
    check_tensor(input, "is_complex")
    return False


@function()
def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not zero."""
    check_tensor(input, "is_nonzero")
    return bool(input)


@function(method=False)
def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of an arithmetic operation on two operands, tensors or numbers.

    >>> import tapediff as td
    >>> td.result_type(td.tensor([1, 2]), 1.0)
    torch.float32
    """
    return recording.result_dtype((tensor1, tensor2))


@function(method=False)
def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest dtype that holds both.

    >>> import tapediff as td
    >>> td.promote_types(td.int64, td.float32)
    torch.float32
    """
    return dtypes.promote(dtypes.parse(type1), dtypes.parse(type2))


@function(method=False)
def can_cast(from_: DType, to: DType) -> bool:
    """Whether an in-place operation may store a result of one dtype in a tensor of another: no category is lost.

    >>> import tapediff as td
    >>> td.can_cast(td.float64, td.float32), td.can_cast(td.float32, td.int64)
    (True, False)
    """
    return from_.category <= to.category


@function(method=False)
def set_num_threads(threads: int) -> None:
    """Accepted for PyTorch's sake: eager operations run on one thread."""


@function(method=False)
def get_num_threads() -> int:
    """1: eager operations run on one thread."""
    return 1


@function(method=False)
def set_default_tensor_type(kind: Any) -> None:
    """PyTorch's old way to set the default dtype, by a tensor type or its name, `torch.DoubleTensor`."""
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", repr(kind))
    for dtype in (dtypes.float32, dtypes.float64):
        if name.endswith(f"{dtype.legacy}Tensor"):
            dtypes.set_default_dtype(dtype)
            return
    raise TypeError(f"only floating-point types are supported as the default type, got {name}")


def _legacy(dtype: DType | None, data: tuple[Any, ...]) -> Tensor:
    """The old constructors: sizes make an uninitialised tensor, a sequence or an array a tensor of its values."""
    dtype = dtype or dtypes.get_default_dtype()
    if not data:
        return of_array(np.empty(0, dtype.numpy))
    if all(isinstance(size, int) and not isinstance(size, bool) for size in data):
        return of_array(np.zeros(parse_shape(data), dtype.numpy))
    if len(data) > 1:
        raise TypeError(f"new() received an invalid combination of arguments - got {tuple(type(one).__name__ for one in data)}: "
                        "give sizes, or one sequence of values")
    if isinstance(data[0], Tensor):
        made: Tensor = recording.cast(data[0], dtype).detach()
        return made
    if isinstance(data[0], float | str) or data[0] is None:
        raise TypeError(f"new(): data must be a sequence (got {type(data[0]).__name__})")
    return FUNCTIONS["tensor"](np.asarray(data[0]) if isinstance(data[0], np.ndarray) else data[0], dtype=dtype)


def _construct(*data: Any, **options: Any) -> Tensor:
    return _legacy(None, data)


Tensor._construct = staticmethod(_construct)


class _TypedTensor(type):
    """Types such as FloatTensor: they construct, and isinstance asks for the dtype."""

    dtype: DType

    def __call__(cls, *data: Any, **options: Any) -> Tensor:
        return _legacy(cls.dtype, data)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


for _dtype in dtypes.ALL:
    _name = f"{_dtype.legacy}Tensor"
    FUNCTIONS[_name] = _TypedTensor(_name, (), {"dtype": _dtype, "__doc__": f"The tensors of dtype {_dtype.name}, and PyTorch's "
                                                                            "old way to make one."})


class Layout:
    """How elements lie in memory: there is one way."""

    def __repr__(self) -> str:
        return "torch.strided"


FUNCTIONS["layout"] = Layout
FUNCTIONS["strided"] = strided = Layout()  # type: ignore[assignment]

# facts that programs ask of tensors, and that are the same for all of them here
for _name, _value in (("layout", strided), ("is_cpu", True), ("is_cuda", False), ("is_mps", False), ("is_sparse", False),
                      ("is_quantized", False),
                      ("is_meta", False), ("is_nested", False), ("names", None)):
    setattr(Tensor, _name, _value)


method("real")(property(lambda self: self))


@function()
def get_device(input: Tensor) -> int:
    """-1, which stands for the CPU."""
    check_tensor(input, "get_device")
    return -1


@function(method=False)
def is_inference(input: Tensor) -> bool:
    """Whether the tensor was computed in inference mode."""
    check_tensor(input, "is_inference")
    return input.spec.inference


@function(method=False)
def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers: every one but bool."""
    check_tensor(input, "is_signed")
    return input.spec.dtype.is_signed


@function(method=False)
def typename(obj: Any) -> str:
    """The name of an object's type with its module; of a class or function its own name.

    >>> import tapediff as td
    >>> td.typename(td.ones(1)), td.typename(1)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return f"torch.{obj.spec.dtype.legacy}Tensor"
    thing = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(obj, "__module__", None) or thing.__module__
    return thing.__qualname__ if module == "builtins" else f"{module}.{thing.__qualname__}"


@method("pin_memory", "share_memory_")
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: its memory is the process's own."""
    return self


@function("is_conj", "is_neg")
def is_lazy(input: Tensor) -> bool:
    """False: values are never conjugated or negated later."""
    check_tensor(input, "is_conj")
    return False


@method("is_pinned", "is_shared")
def is_special(self: Tensor) -> bool:
    """False: no memory of a special kind."""
    return False


@method("cuda")
def cuda(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
    """Refused: there is no such device.

    Raises
        AssertionError: always.
    """
    raise AssertionError("Torch not compiled with CUDA enabled: tapediff computes on the CPU only; leave the .cuda() out")


@function(method=False)
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted for PyTorch's sake: results never depend on chance or on the number of threads."""


@function(method=False)
def are_deterministic_algorithms_enabled() -> bool:
    """True: results never depend on chance or on the number of threads."""
    return True


PRECISIONS = ("highest", "high", "medium")
_precision = ["highest"]


@function(method=False)
def set_float32_matmul_precision(precision: str) -> None:
    """Accepted for PyTorch's sake: products of float32 matrices are always computed in float32."""
    if precision not in PRECISIONS:
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has "
                      "no effect.", UserWarning, stacklevel=2)
        return
    _precision[0] = precision


@function(method=False)
def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told last; without effect."""
    return _precision[0]


@function(method=False)
def get_default_device() -> Any:
    """The CPU."""
    return CPU


@function(method=False)
def set_default_device(device: Any) -> None:
    """Accepted as long as it is the CPU."""
    Device(device)


@function(method=False)
def set_num_interop_threads(threads: int) -> None:
    """Accepted for PyTorch's sake: eager operations run on one thread."""
