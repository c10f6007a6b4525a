"""Creation: leaf tensors from data, shapes, ranges and other tensors."""

from __future__ import annotations

import operator
import warnings
from math import ceil, floor, isfinite
from typing import Any

import numpy as np

from tapediff import dtypes, recording
from tapediff.dtypes import DType, get_default_dtype
from tapediff.functions.composing import checked, element, leaf, number
from tapediff.functions.inference import array_of
from tapediff.functions.registry import function, method
from tapediff.shapes import Shape
from tapediff.tape.source import Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_source

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "closed_range",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]


# --- checks that all factories share --------------------------------------------------------------------------------------------


def check_device(device: Any) -> None:
    """Refuse every device but the CPU.

    Raises
        RuntimeError: it is another one.
    """
    if device is None:
        return
    name = device if isinstance(device, str) else getattr(device, "type", device)
    if not isinstance(name, str) or name.partition(":")[0] != "cpu":
        raise RuntimeError(f"tapediff computes on the CPU only: got device {device!r}; leave device out or pass 'cpu'")


def made(array: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    """A leaf of an array.

    Raises
        RuntimeError: it is to require grad and its dtype is not floating.
    """
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients: "
            f"got {dtypes.from_numpy_dtype(array.dtype)}; pass dtype=float32 or float64"
        )
    return leaf(array, requires_grad)


def size_argument(sizes: tuple[Any, ...], size: Any, name: str) -> Shape:
    """The shape in `zeros(2, 3)`, `zeros((2, 3))` and `zeros(size=(2, 3))`.

    Raises
        TypeError: sizes that are not integers.
        RuntimeError: a negative size.
    """
    if size is not None:
        sizes = tuple(size) if isinstance(size, tuple | list) else (size,)
    elif not sizes:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    elif len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        sizes = tuple(sizes[0])
    shape = []
    for position, each in enumerate(sizes, 1):
        if isinstance(each, Tensor):
            each = each.item()
        if isinstance(each, bool) or not hasattr(each, "__index__"):
            raise TypeError(
                f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(each).__name__}: got {each!r} at "
                f"position {position}"
            )
        shape.append(operator.index(each))
    for each in shape:
        if each < 0:
            raise RuntimeError(
                f"{name}: Dimension size must be non-negative. Trying to create tensor with negative dimension {each}: {shape}"
            )
    return tuple(shape)


def dtype_argument(dtype: Any, otherwise: DType) -> DType:
    """The dtype that was asked for, or another."""
    return otherwise if dtype is None else dtypes.parse(dtype)


# --- from data ------------------------------------------------------------------------------------------------------------------


# what a Python float becomes: looked up, since scalar code makes such leaves by the thousand
_NUMBER_SPECS = {flag: {dtype: spec_of((), dtype, flag) for dtype in (dtypes.float32, dtypes.float64)} for flag in (False, True)}


@function(method=False)
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A leaf that copies a number, nested sequences of numbers, an array or a tensor.

    Without `dtype`, bools become bool, integers int64, and floats the default dtype, where the widest element decides; arrays
    keep theirs.

    Raises
        ValueError: sequences of different lengths, or an integer beyond int64.
        TypeError: text.
        RuntimeError: other data that are no numbers, or `requires_grad` of a dtype that is not floating.

    >>> tensor([[1, 2.5], [True, 4]])
    tensor([[1.0000, 2.5000],
            [1.0000, 4.0000]])
    """
    if type(data) is float and device is None and requires_grad in _NUMBER_SPECS:
        spec = _NUMBER_SPECS[requires_grad].get(dtype or get_default_dtype())
        if spec is not None:
            try:
                return of_source(Source(spec, data))
            except OverflowError:  # beyond float32
                return of_source(Source(spec, float("inf") if data > 0 else float("-inf")))
    check_device(device)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return made(array_of(data, None if dtype is None else dtypes.parse(dtype)), requires_grad)


@function(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a tensor of this dtype already, or an array whose memory can be shared.

    >>> as_tensor([1, 2])
    tensor([1, 2])
    """
    check_device(device)
    wished = None if dtype is None else dtypes.parse(dtype)
    if isinstance(data, Tensor):
        found: Tensor = data if wished is None else recording.cast(data, wished)
        return found
    if isinstance(data, np.ndarray) and (wished is None or data.dtype == wished.numpy):
        return from_numpy(data)
    return made(array_of(data, wished), False)


@function(method=False)
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False) -> Tensor:
    """`obj` as a tensor; copied where `copy` is true or where it must be.

    >>> asarray([1, 2])
    tensor([1, 2])
    """
    check_device(device)
    wished = None if dtype is None else dtypes.parse(dtype)
    if isinstance(obj, Tensor) and not copy and not requires_grad:
        return as_tensor(obj, wished)
    if copy is False and not isinstance(obj, np.ndarray):
        raise ValueError(
            f"can't alias arbitrary sequence into a tensor: got {type(obj).__name__} with copy=False; pass an array or a tensor"
        )
    if isinstance(obj, np.ndarray) and not copy and not requires_grad:
        return as_tensor(obj, wished)
    return made(array_of(obj, wished), requires_grad)


@function(method=False)
def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of an array: a change of one shows in the other. An array that is not contiguous is copied.

    Raises
        TypeError: no array, or an array of a dtype without counterpart.

    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> shared = from_numpy(array)
    >>> array[0] = 5
    >>> shared
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__}): use tensor or as_tensor for other data")
    dtype = dtypes.from_numpy_dtype(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides) and ndarray.size:
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can "
            "probably work around this by making a copy of your array  with array.copy().)"
        )
    if not (ndarray.flags.c_contiguous and ndarray.flags.aligned and ndarray.dtype.isnative):
        return leaf(np.array(ndarray, dtype.numpy, order="C"))
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to "
            "this tensor will result "
            "in undefined behavior. You may want to copy the array to protect its data or make it writable before converting "
            "it to a tensor.",
            UserWarning,
            stacklevel=2,
        )
    source = Source(spec_of(ndarray.shape, dtype, False), array=ndarray)
    source.export()
    return of_source(source)


@function(method=False)
def scalar_tensor(
    s: Any, *, dtype: Any = None, device: Any = None, layout: Any = None, pin_memory: bool = False, requires_grad: bool = False
) -> Tensor:
    """A tensor without dimensions, of the default dtype unless another is asked for.

    >>> scalar_tensor(2)
    tensor(2.)
    """
    return full((), s, dtype=dtype_argument(dtype, get_default_dtype()), device=device, requires_grad=requires_grad)


# --- from a shape ---------------------------------------------------------------------------------------------------------------


@function(method=False)
def zeros(
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the shape `size`.

    >>> zeros(2)
    tensor([0., 0.])
    """
    check_device(device)
    return made(np.zeros(size_argument(args, size, "zeros"), dtype_argument(dtype, get_default_dtype()).numpy), requires_grad)


@function(method=False)
def ones(
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the shape `size`.

    >>> ones(1, 2)
    tensor([[1., 1.]])
    """
    check_device(device)
    return made(np.ones(size_argument(args, size, "ones"), dtype_argument(dtype, get_default_dtype()).numpy), requires_grad)


@function(method=False)
def empty(
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of the shape `size` whose elements are whatever lay in its memory.

    >>> empty(0, 2).shape
    torch.Size([0, 2])
    """
    check_device(device)
    return made(np.empty(size_argument(args, size, "empty"), dtype_argument(dtype, get_default_dtype()).numpy), requires_grad)


@function(method=False)
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """One number everywhere in the shape `size`; its type gives the dtype: bool, int64 or the default.

    >>> full((2,), 3)
    tensor([3, 3])
    """
    check_device(device)
    if not isinstance(size, tuple | list):
        raise TypeError(
            f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}: write full(({size},), ...)"
        )
    wished = None if dtype is None else dtypes.parse(dtype)
    if isinstance(fill_value, Tensor) and not fill_value.spec.ndim:
        wished = wished or fill_value.spec.dtype
        fill_value = fill_value.item()
    value = number(fill_value, "full", "fill_value", 2)
    wished = wished or dtypes.of_number(value)
    return made(np.full(size_argument((size,), None, "full"), element(value, wished, "full"), wished.numpy), requires_grad)


@function(method=False)
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of an `n` x `m` matrix of zeros.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device(device)
    for position, (name, value) in enumerate((("n", n), ("m", n if m is None else m)), 1):
        if not hasattr(value, "__index__") or isinstance(value, bool):
            raise TypeError(f"eye(): argument '{name}' (position {position}) must be int, not {type(value).__name__}")
        if value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    return made(np.eye(n, m, dtype=dtype_argument(dtype, get_default_dtype()).numpy), requires_grad)


# --- ranges ---------------------------------------------------------------------------------------------------------------------


def bound(value: Any, name: str, argument: str) -> Any:
    """The start, end or step of a range as a Python number."""
    if isinstance(value, Tensor):
        if value.spec.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {argument} with {value.spec.ndim} "
                "dimension(s)."
            )
        return value.item()
    if isinstance(value, int | float):
        return value
    return number(value, name, argument)


@function("range", method=False)
def closed_range(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, layout: Any = None, device: Any = None,
                 requires_grad: bool = False) -> Tensor:
    """The numbers from `start` to and with `end`, `step` apart, of the default dtype; deprecated for `arange`.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     closed_range(1, 3)
    tensor([1., 2., 3.])
    """
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's "
        "range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    check_device(device)
    if end is None:
        start, end = 0, start
    low, high, width = bound(start, "range", "start"), bound(end, "range", "end"), bound(step, "range", "step")
    if width == 0:
        raise RuntimeError("step must be nonzero")
    if not (isfinite(low) and isfinite(high)):
        raise RuntimeError(f"unsupported range: {low} -> {high}")
    if (high - low) * (1 if width > 0 else -1) < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: range got ({low}, {high}, {width})")
    found = dtype_argument(dtype, get_default_dtype())
    return made((low + np.arange(floor((high - low) / width) + 1) * np.float64(width)).astype(found.numpy), requires_grad)


@function(method=False)
def arange(
    *args: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` (0) up to but not including `end`, `step` (1) apart: `arange(end)`, `arange(start, end)`,
    `arange(start, end, step)`.

    Integers give int64, any float the default dtype.

    >>> arange(1, 7, 2)
    tensor([1, 3, 5])
    """
    check_device(device)
    given = {"start": start, "end": end, "step": step}
    names = ("end",) if len(args) == 1 and end is None else ("start", "end", "step")
    for name, value in zip(names, args):
        given[name] = value
    if given["end"] is None or len(args) > 3:
        raise TypeError(
            f"arange() received an invalid combination of arguments - got {args!r}: use arange(end), arange(start, end) or "
            "arange(start, end, step)"
        )
    low: Any = 0 if given["start"] is None else bound(given["start"], "arange", "start")
    high = bound(given["end"], "arange", "end")
    width: Any = 1 if given["step"] is None else bound(given["step"], "arange", "step")
    is_integer = all(isinstance(value, int) for value in (low, high, width))
    found = dtype_argument(dtype, dtypes.int64 if is_integer else get_default_dtype())
    if not found.category:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool': use an integer or floating dtype")
    if found.category == 1:
        low, high, width = (checked_integer(value, low, high) for value in (low, high, width))
    if width == 0:
        raise RuntimeError(f"step must be nonzero: arange got ({low}, {high}, {width})")
    if not (isfinite(low) and isfinite(high)):
        raise RuntimeError(f"unsupported range: {low} -> {high}")
    if (high - low) * (1 if width > 0 else -1) < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: arange got ({low}, {high}, {width})")
    if found.category == 1:
        return made(np.arange(int(low), int(high), int(width)).astype(found.numpy, copy=False), requires_grad)
    count = ceil((high - low) / width)
    return made((low + np.arange(count) * np.float64(width)).astype(found.numpy), requires_grad)


def checked_integer(value: Any, low: Any, high: Any) -> int:
    """A bound of an integer range."""
    if not isfinite(value):
        raise RuntimeError(f"unsupported range: {low} -> {high}")
    return int(value)


def steps_argument(steps: Any, name: str) -> int:
    """The number of points of a range."""
    if isinstance(steps, Tensor):
        steps = steps.item()
    if steps is None or isinstance(steps, bool) or not hasattr(steps, "__index__"):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: argument 'steps' must be int, not {type(steps).__name__}"
        )
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative: {name} got {steps}")
    return operator.index(steps)


def spaced(start: Any, end: Any, count: int, dtype: DType) -> np.ndarray[Any, Any]:
    """Points at equal distances, counted from the nearer end, so that both ends are exact."""
    work = dtype.numpy if dtype.is_floating_point else np.dtype(np.float64)
    first, last = work.type(start), work.type(end)
    if count == 1:
        return np.array([first])
    wider = np.float64 if work.itemsize == 4 else np.longdouble  # rounds once, as a fused multiply-add does
    with np.errstate(all="ignore"):
        step = wider((last - first) / work.type(max(count - 1, 1)))
        places = np.arange(count)
        return np.asarray(np.where(places < count // 2, first + step * places, last - step * (count - 1 - places)), work)


@function(method=False)
def linspace(
    start: Any,
    end: Any,
    steps: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` points at equal distances from `start` to `end`, both included.

    >>> linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    check_device(device)
    count = steps_argument(steps, "linspace")
    found = dtype_argument(dtype, get_default_dtype())
    return made(
        spaced(bound(start, "linspace", "start"), bound(end, "linspace", "end"), count, found).astype(found.numpy), requires_grad
    )


@function(method=False)
def logspace(
    start: Any,
    end: Any,
    steps: Any = None,
    base: float = 10.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the power of `steps` points at equal distances from `start` to `end`.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_device(device)
    count = steps_argument(steps, "logspace")
    found = dtype_argument(dtype, get_default_dtype())
    powers = spaced(bound(start, "logspace", "start"), bound(end, "logspace", "end"), count, dtypes.float64)
    with np.errstate(all="ignore"):
        return made(np.power(float(base), powers).astype(found.numpy), requires_grad)


# --- like another tensor --------------------------------------------------------------------------------------------------------


@function(method=False)
def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros of the shape and dtype of `input`.

    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    return zeros(
        checked(input, "zeros_like"), dtype=dtype_argument(dtype, input.spec.dtype), device=device, requires_grad=requires_grad
    )


@function(method=False)
def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones of the shape and dtype of `input`.

    >>> ones_like(tensor([0.5]))
    tensor([1.])
    """
    return ones(
        checked(input, "ones_like"), dtype=dtype_argument(dtype, input.spec.dtype), device=device, requires_grad=requires_grad
    )


@function(method=False)
def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of the shape and dtype of `input` whose elements are whatever lay in its memory.

    >>> empty_like(tensor([1., 2.])).shape
    torch.Size([2])
    """
    return empty(
        checked(input, "empty_like"), dtype=dtype_argument(dtype, input.spec.dtype), device=device, requires_grad=requires_grad
    )


@function(method=False)
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """One number everywhere in the shape of `input`, in its dtype.

    >>> full_like(tensor([1., 2.]), 7)
    tensor([7., 7.])
    """
    return full(
        checked(input, "full_like"),
        fill_value,
        dtype=dtype_argument(dtype, input.spec.dtype),
        device=device,
        requires_grad=requires_grad,
    )


@method()
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A leaf that copies `data`, in the dtype of this tensor unless another is asked for.

    >>> tensor([1.]).new_tensor([1, 2])
    tensor([1., 2.])
    """
    check_device(device)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than tensor.new_tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return made(array_of(data, dtype_argument(dtype, self.spec.dtype)), requires_grad)


@method()
def new_zeros(
    self: Tensor,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Zeros of the shape `size`, in the dtype of this tensor.

    >>> tensor([1]).new_zeros(2)
    tensor([0, 0])
    """
    return zeros(*args, size=size, dtype=dtype_argument(dtype, self.spec.dtype), device=device, requires_grad=requires_grad)


@method()
def new_ones(
    self: Tensor,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Ones of the shape `size`, in the dtype of this tensor.

    >>> tensor([1]).new_ones(2)
    tensor([1, 1])
    """
    return ones(*args, size=size, dtype=dtype_argument(dtype, self.spec.dtype), device=device, requires_grad=requires_grad)


@method()
def new_empty(
    self: Tensor,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the shape `size`, in the dtype of this tensor, whose elements are whatever lay in its memory.

    >>> tensor([1]).new_empty(2, 0).shape
    torch.Size([2, 0])
    """
    return empty(*args, size=size, dtype=dtype_argument(dtype, self.spec.dtype), device=device, requires_grad=requires_grad)


@method()
def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """One number everywhere in the shape `size`, in the dtype of this tensor.

    >>> tensor([1.]).new_full((2,), 3)
    tensor([3., 3.])
    """
    return full(size, fill_value, dtype=dtype_argument(dtype, self.spec.dtype), device=device, requires_grad=requires_grad)
