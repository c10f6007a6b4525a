"""The five element types, their promotion, and the default floating type."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

__all__ = [
    "DType", "bool_", "by_name", "finfo", "float32", "float64", "from_numpy_dtype", "get_default_dtype", "iinfo",
    "int32", "int64", "of_number", "parse", "promote", "result_category", "set_default_dtype",
]


class DType:
    """An element type; prints as PyTorch's does, so that `import tapediff as torch` prints the same.

    >>> import tapediff
    >>> tapediff.float32
    torch.float32
    >>> tapediff.float32.itemsize, tapediff.float32.is_floating_point
    (4, True)
    """

    __slots__ = ("category", "index", "is_floating_point", "itemsize", "legacy", "name", "numpy")

    def __init__(self, index: int, name: str, numpy_name: str, category: int, legacy: str) -> None:
        self.index = index
        self.name = name
        self.numpy = np.dtype(numpy_name)
        self.itemsize: int = self.numpy.itemsize
        self.category = category  # 0 bool, 1 integer, 2 floating: a higher category wins a promotion
        self.is_floating_point = category == 2
        self.legacy = legacy  # PyTorch's type() string names it this way

    @property
    def is_complex(self) -> builtins.bool:
        return False

    @property
    def is_signed(self) -> builtins.bool:
        return self.category > 0

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (by_name, (self.name,))


bool_ = DType(0, "bool", "bool", 0, "Bool")
int32 = DType(1, "int32", "int32", 1, "Int")
int64 = DType(2, "int64", "int64", 1, "Long")
float32 = DType(3, "float32", "float32", 2, "Float")
float64 = DType(4, "float64", "float64", 2, "Double")

ALL = (bool_, int32, int64, float32, float64)
_BY_NAME = {dtype.name: dtype for dtype in ALL}
_BY_NUMPY = {dtype.numpy: dtype for dtype in ALL}

_default = float32


def by_name(name: str) -> DType:
    """The dtype called `name`, as in `float64`."""
    return _BY_NAME[name]


def from_numpy_dtype(dtype: np.dtype[Any]) -> DType:
    """The dtype of NumPy's `dtype`; a TypeError that names the five that exist otherwise."""
    found = _BY_NUMPY.get(dtype)
    if found is None:
        found = _BY_NUMPY.get(dtype.newbyteorder("=")) if dtype.kind in "biuf" else None
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{dtype}. The only supported types are: float64, float32, int64, "
            f"int32, and bool; convert it first, for example with array.astype('float64')"
        )
    return found


def parse(dtype: Any) -> DType:
    """A dtype given by a user: one of the five, Python's `float`, `int`, `bool`, or NumPy's dtypes are refused by name.

    Raises
        TypeError: what was given is no dtype.
    """
    if type(dtype) is DType:
        return dtype
    if dtype is builtins.float:
        return float64
    if dtype is builtins.int:
        return int64
    if dtype is builtins.bool:
        return bool_
    raise TypeError(
        f"dtype must be torch.dtype, not {type(dtype).__name__} {dtype!r}: use one of "
        "float32, float64, int64, int32, bool"
    )


def get_default_dtype() -> DType:
    """The floating dtype that Python floats become: float32 unless `set_default_dtype` changed it."""
    return _default


def set_default_dtype(dtype: DType) -> None:
    """Make `dtype` (float32 or float64) the dtype that Python floats become."""
    global _default
    dtype = parse(dtype)
    if not dtype.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {dtype}")
    _default = dtype


def of_number(value: builtins.bool | int | float) -> DType:
    """The dtype that a Python number alone becomes: bool, int64 or the default floating dtype."""
    if isinstance(value, builtins.bool):
        return bool_
    if isinstance(value, builtins.int):
        return int64
    return _default


def promote(a: DType, b: DType) -> DType:
    """The smallest of the five dtypes that holds both, as PyTorch promotes.

    >>> import tapediff
    >>> promote(tapediff.int64, tapediff.float32)
    torch.float32
    """
    return a if a.index >= b.index else b


def result_category(value: Any) -> int:
    """The promotion category of a Python number: 0 bool, 1 int, 2 float."""
    if isinstance(value, builtins.bool):
        return 0
    return 1 if isinstance(value, builtins.int) else 2


class finfo:
    """Limits of a floating dtype: `bits eps max min tiny smallest_normal resolution dtype`.

    >>> import tapediff
    >>> tapediff.finfo(tapediff.float64).eps
    2.220446049250313e-16
    """

    def __init__(self, dtype: DType | None = None) -> None:
        dtype = _default if dtype is None else parse(dtype)
        if not dtype.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{dtype}'")
        limits = np.finfo(dtype.numpy)
        self.bits = int(limits.bits)
        self.dtype = dtype.name
        self.eps = float(limits.eps)
        self.max = float(limits.max)
        self.min = float(limits.min)
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = float(limits.resolution)

    def __repr__(self) -> str:
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo:
    """Limits of an integer dtype: `bits max min dtype`.

    >>> import tapediff
    >>> tapediff.iinfo(tapediff.int64).max
    9223372036854775807
    """

    def __init__(self, dtype: DType) -> None:
        dtype = parse(dtype)
        if dtype.category != 1:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{dtype}'")
        limits = np.iinfo(dtype.numpy)
        self.bits = int(limits.bits)
        self.dtype = dtype.name
        self.max = int(limits.max)
        self.min = int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
