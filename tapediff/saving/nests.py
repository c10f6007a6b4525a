"""What `save` can write: nests of containers, tensors, arrays and plain values, as JSON with a table of objects.

A value is None, a bool, an int, a float or a string as it is, and anything else the list [k] of its place in the table, so that
what was one object is one object again. An entry of the table is a kind and what belongs to it.
"""

from __future__ import annotations

import base64
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.nn.parameter import Buffer, Parameter
from tapediff.saving.storages import Place, Reader, Writer
from tapediff.shapes import Size
from tapediff.tensor import CPU, Device, Tensor

__all__ = ["decoded", "encoded"]

Array = np.ndarray[Any, Any]
TENSORS: dict[type, str] = {Tensor: "Tensor", Parameter: "Parameter", Buffer: "Buffer"}
SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
MOST_DIGITS = 2**53  # larger ints go as hexadecimal text, which other readers of JSON keep exactly
DEEPEST = 200


class Encoder:
    """Builds the table of objects."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self.known: dict[int, tuple[int, Any]] = {}  # by identity; the object is kept, so that its identity stays its own
        self.storages = Writer()
        self.tensors: list[tuple[int, int]] = []  # entries of the table, and the number of their array
        self.arrays: list[tuple[int, Array]] = []

    def value(self, given: Any, path: str) -> Any:
        """A value, or the reference to an entry."""
        kind = type(given)
        if given is None or kind is bool or kind is str or (kind is int and abs(given) < MOST_DIGITS):
            return given
        if kind is float and math.isfinite(given):
            return given
        found = self.known.get(id(given))
        if found is None:
            if path.count("[") > DEEPEST:
                raise ValueError(f"save got a nest that is deeper than {DEEPEST} levels")
            number = len(self.table)
            self.table.append(None)
            self.known[id(given)] = number, given
            self.table[number] = self.entry(given, kind, number, path)
        else:
            number = found[0]
            if self.table[number] is None and not isinstance(given, list | dict):
                raise ValueError(f"save got a {kind.__name__} that holds itself at {path}")
        return [number]

    def entry(self, given: Any, kind: type, number: int, path: str) -> Any:
        """The entry of an object."""
        if kind in TENSORS:
            self.tensors.append((number, self.storages.add(given)))
            return [TENSORS[kind], given.spec.dtype.name, given.spec.requires_grad, getattr(given, "persistent", True)]
        if kind in SEQUENCES:
            return [SEQUENCES[kind], [self.value(one, f"{path}[{place}]") for place, one in enumerate(given)]]
        if kind is dict:
            return ["dict", self.items(given, path)]
        if kind is OrderedDict:
            return ["OrderedDict", self.items(given, path), self.value(getattr(given, "_metadata", None), f"{path}[_metadata]")]
        if kind is np.ndarray and given.dtype.kind in "biufc":
            self.arrays.append((number, given))
            return ["array", given.dtype.newbyteorder("=").str, list(given.shape)]
        if isinstance(given, np.generic) and given.dtype.kind in "biufc":
            return ["scalar", given.dtype.str, given.tobytes().hex()]
        plain = PLAIN.get(kind)
        if plain is None:
            raise TypeError(f"save cannot write a {kind.__module__}.{kind.__qualname__} (at {path}): {advice(given)}")
        return [plain[0], plain[1](given)]

    def items(self, given: dict[Any, Any], path: str) -> list[Any]:
        return [[self.value(key, f"{path}[key {key!r}]"), self.value(one, f"{path}[{key!r}]")] for key, one in given.items()]


# Values of one kind each: its name in the table, how it is written, and how it is read
PLAIN: dict[type, tuple[str, Callable[[Any], Any]]] = {
    int: ("int", hex),
    float: ("float", repr),
    complex: ("complex", lambda z: [repr(z.real), repr(z.imag)]),
    bytes: ("bytes", lambda given: base64.b64encode(given).decode()),
    bytearray: ("bytearray", lambda given: base64.b64encode(given).decode()),
    Size: ("Size", list),
    DType: ("dtype", lambda given: given.name),
    Device: ("device", str),
}
READ_PLAIN: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "complex": lambda parts: complex(*map(float, parts)),
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "bytearray": lambda text: bytearray(base64.b64decode(text, validate=True)),
    "Size": lambda numbers: Size(int(number) for number in numbers),
    "dtype": dtypes.by_name,
    "device": lambda text: CPU,
}


def advice(given: Any) -> str:
    """What to save instead."""
    if hasattr(given, "state_dict"):
        return "save its state_dict(), and load that with load_state_dict()"
    if isinstance(given, dict):
        return "convert it with dict(...)"
    if isinstance(given, tuple | list):
        return f"convert it with {'tuple' if isinstance(given, tuple) else 'list'}(...)"
    if isinstance(given, Tensor):
        return "a subclass of Tensor; save its detach()"
    if callable(given):
        return "functions and classes are code, which a file of values does not hold"
    return ("it takes tensors, arrays, numbers, strings, bytes, None and nests of them in lists, tuples, sets and dictionaries; "
            "convert it first")


def encoded(given: Any) -> tuple[dict[str, Any], Any]:
    """The manifest of an object, and its blobs.

    Raises
        TypeError: something in it cannot be saved.
        ValueError: it is too deep, or a tuple or set holds itself.
    """
    encoder = Encoder()
    root = encoder.value(given, "[obj]")
    storages = encoder.storages
    storages.lay_out()
    for number, array in encoder.tensors:
        encoder.table[number].append([list(part) if isinstance(part, tuple) else part for part in storages.place(array)])
    for place, (number, _) in enumerate(encoder.arrays):
        encoder.table[number].append(len(storages.members) + place)

    def blobs() -> Any:
        yield from storages.blobs()
        for _, array in encoder.arrays:
            yield np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(-1).view(np.uint8)

    return {"table": encoder.table, "root": root}, blobs()


class Decoder:
    """Builds the objects of a table."""

    def __init__(self, table: list[Any], blob: Callable[[int], Array]) -> None:
        self.table = table
        self.blob = blob
        self.storages = Reader(blob)
        self.made: dict[int, Any] = {}
        self.open: set[int] = set()

    def value(self, given: Any) -> Any:
        """What a value stands for."""
        if given is None or type(given) in (bool, int, float, str):
            return given
        number, = given
        if type(number) is not int or not 0 <= number < len(self.table):
            raise ValueError(f"there is no entry {number!r}")
        if number not in self.made:
            if number in self.open:
                raise ValueError(f"entry {number} holds itself")
            self.open.add(number)
            self.made[number] = self.object(number, *self.table[number])
            self.open.discard(number)
        return self.made[number]

    def object(self, number: int, kind: str, *parts: Any) -> Any:
        """The object of an entry."""
        if kind in ("Tensor", "Parameter", "Buffer"):
            return self.tensor(kind, *parts)
        if kind == "array":
            dtype, shape, blob = parts
            return self.blob(blob).view(number_dtype(dtype)).reshape(shape)
        if kind == "scalar":
            return np.frombuffer(bytes.fromhex(parts[1]), number_dtype(parts[0]))[0]
        if kind in READ_PLAIN:
            return READ_PLAIN[kind](*parts)
        members = parts[0]
        if kind == "list":
            filled: list[Any] = []
            self.made[number] = filled  # before its members: one of them may hold it
            filled.extend(self.value(one) for one in members)
            return filled
        if kind in ("dict", "OrderedDict"):
            table: Any = {} if kind == "dict" else OrderedDict()
            self.made[number] = table
            for key, one in members:
                table[self.value(key)] = self.value(one)
            if kind == "OrderedDict" and parts[1] is not None:
                table._metadata = self.value(parts[1])
            return table
        made = {"tuple": tuple, "set": set, "frozenset": frozenset}[kind]
        return made([self.value(one) for one in members])

    def tensor(self, kind: str, dtype: str, requires_grad: bool, persistent: bool, place: Any) -> Tensor:
        storage, shape, strides, offset = place
        made = self.storages.tensor(Place(storage, tuple(shape), tuple(strides), offset), dtypes.by_name(dtype))
        if requires_grad:
            made.requires_grad_()
        if kind == "Parameter":
            return Parameter._wrap(made)
        if kind == "Buffer":
            buffer = Buffer._wrap(made)
            buffer.persistent = bool(persistent)
            return buffer
        return made


def number_dtype(text: str) -> np.dtype[Any]:
    """NumPy's dtype of numbers; never one of objects."""
    dtype = np.dtype(text)
    if dtype.kind not in "biufc":
        raise ValueError(f"an array has the dtype {text!r}")
    return dtype


def decoded(manifest: dict[str, Any], blob: Callable[[int], Array]) -> Any:
    """What `encoded` encoded.

    Raises
        ValueError, TypeError, KeyError, RecursionError: the manifest is none that it gives.
    """
    return Decoder(manifest["table"], blob).value(manifest["root"])
