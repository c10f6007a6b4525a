"""Program files: a program saved and loaded, without running anything that the file says.

What a file holds is described in docs/program_files.md.
"""

from __future__ import annotations

import gc
import hashlib
import json
import linecache
import os
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tapediff import dtypes
from tapediff.errors import ProgramFileError
from tapediff.functions.return_types import ReturnType, return_type
from tapediff.nested import LEAF, Structure
from tapediff.ops.custom import own_row
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Elementwise
from tapediff.ops.structural import STRUCTURAL
from tapediff.program.closed import ClosedTape, Leaf, Place
from tapediff.program.container import decoded_attribute, encoded_attribute, read, write
from tapediff.program.guards import Guard
from tapediff.program.operations import Operation, operation_of
from tapediff.program.validation import check_operation, checked_spec
from tapediff.shapes import Size
from tapediff.tape.spec import Spec, spec_of
from tapediff.version import __version__

__all__ = ["Parts", "load", "save", "signature"]

Array = np.ndarray[Any, Any]
Path = str | os.PathLike[str]
GUARDS = ("truth", "integer", "value")
LEAVES = ("input", "constant")


class Parts(NamedTuple):
    """What a program is made of, in the order that `Program` takes them."""

    tape: ClosedTape
    examples: Sequence[Array]
    in_structure: Structure
    out_structure: Structure
    name: str


def save(parts: Parts, path: Path) -> None:
    """Write a program into a file; see `Program.save`."""
    header, sections = _Writer(parts).content()
    write(path, header, sections)


def load(path: Path) -> Parts:
    """What is in a file; see `program.load_program`."""
    header, sections = read(path)
    collects = gc.isenabled()
    gc.disable()  # which would look at a million new tuples again and again
    try:
        return _Reader(header, sections).parts()
    except Exception as error:
        what = str(error) if isinstance(error, ProgramFileError | ValueError) else f"{type(error).__name__}: {error}"
        raise ProgramFileError(f"{os.fspath(path)!r} holds no valid program: {what}") from None
    finally:
        if collects:
            gc.enable()


def signature(parts: Parts) -> str:
    """A digest of what a program computes and decides: the same in every process, for every example and for every folder that
    the source lies in.

    >>> import tapediff as td
    >>> def of(f, x):
    ...     program = td.record(f, x)
    ...     return signature(Parts(program.tape, (), program.in_structure, program.out_structure, ""))
    >>> of(lambda x: x * 2, 1.0) == of(lambda x: x * 2, 3.0), of(lambda x: x * 2, 1.0) == of(lambda x: x * 4, 1.0)
    (True, False)

    Raises
        ProgramFileError: the program has something that a file cannot hold.
    """
    header, sections = _Writer(parts._replace(examples=(), name="")).content()
    del header["library"]
    header["places"] = [(os.path.basename(file), *rest) for file, *rest in header["places"]]
    digest = hashlib.blake2b(json.dumps(header).encode(), digest_size=16)
    for name, section in sections.items():
        digest.update(f"{name} {section.dtype} {section.shape}".encode())
        digest.update(np.ascontiguousarray(section).tobytes())
    return digest.hexdigest()


# --- writing --------------------------------------------------------------------------------------------------------------------

class _Numbered(dict[Any, int]):
    """Numbers things in the order in which they are first asked for."""

    def __missing__(self, key: Any) -> int:
        self[key] = len(self)
        return self[key]


class _Writer:
    """Takes a program apart into a header and sections."""

    def __init__(self, program: Parts) -> None:
        self.program = program
        self.specs: _Numbered = _Numbered()
        self.places: _Numbered = _Numbered()
        self.values: list[Array] = []

    def content(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What is to be written."""
        program, tape = self.program, self.program.tape
        if tape.captured():
            raise ProgramFileError(f"{program.name} reads tensors from outside of it, which a file cannot hold: save a program "
                                   "of td.record, which freezes them")
        operations = _Numbered()
        numbers = np.array([operations[operation] for operation in tape.operations], np.int32)
        kinds = [self.operation(operation) for operation in operations]
        leaves = np.array([self.leaf(leaf) for leaf in tape.leaves], np.int32).reshape(-1, 3)
        guards = np.array([self.guard(guard) for guard in tape.guards], np.int64).reshape(-1, 4)
        examples = [self.value(example) for example in program.examples]
        lines = [] if tape.lines is None else [-1 if place is None else self.place(*place) for place in tape.lines]
        value_specs = np.array([self.spec(value) for value in self.values], np.int32)
        offsets, data = packed(self.values)
        header = {
            "library": {"tapediff": __version__, "numpy": np.__version__},
            "name": program.name,
            "inputs": encoded_structure(program.in_structure),
            "results": encoded_structure(program.out_structure),
            "ops": kinds,
            "custom": {operation.name: own_formulas(operation.row) for operation in operations
                       if own_row(operation.name) is operation.row},
            "outputs": tape.outputs,
            "examples": examples,
            "has_lines": tape.lines is not None,
            "places": list(self.places),
            "specs": [[list(spec.shape), spec.dtype.name] for spec in self.specs],
        }
        operands = np.fromiter(chain.from_iterable(tape.operands), np.int32)
        return header, {"instructions": numbers, "operands": operands, "leaves": leaves, "guards": guards,
                        "lines": np.array(lines, np.int32), "value_specs": value_specs, "value_offsets": offsets, "values": data}

    def operation(self, operation: Operation) -> dict[str, Any]:
        """An operation as the header has it."""
        try:
            attributes = encoded_attribute(operation.numbers if operation.is_elementwise else operation.attributes)
        except TypeError as error:
            raise ProgramFileError(f"{self.program.name}: {operation.name} has an attribute that a file cannot hold: "
                                   f"{error}") from None
        return {"op": operation.name, "attributes": attributes, "operands": [self.specs[spec] for spec in operation.operands],
                "result": self.specs[operation.spec], "flows": operation.flows}

    def spec(self, value: Array) -> int:
        """The number of an array's spec."""
        return self.specs[spec_of(value.shape, dtypes.from_numpy_dtype(value.dtype), False)]

    def value(self, value: Array) -> int:
        """The number of an array."""
        self.values.append(np.asarray(value))
        return len(self.values) - 1

    def leaf(self, leaf: Leaf) -> tuple[int, int, int]:
        """How, spec, and the position of the input or the number of the value."""
        spec = self.specs[spec_of(leaf.spec.shape, leaf.spec.dtype, False)]
        return LEAVES.index(leaf.how), spec, leaf.what if leaf.how == "input" else self.value(leaf.what)

    def place(self, file: str, line: int, function: str, source: str | None = None) -> int:
        """The number of a place in the source, kept with its text."""
        return self.places[file, line, function, linecache.getline(file, line).strip() if source is None else source]

    def guard(self, guard: Guard) -> tuple[int, int, int, int]:
        """How, value, what is expected or the number of the value that is, place."""
        expected = self.value(guard.expected) if guard.how == "value" else int(guard.expected)
        if not -1 << 63 <= expected < 1 << 63:
            raise ProgramFileError(f"{self.program.name}: a guard expects {expected}, which has no 64 bits")
        return GUARDS.index(guard.how), guard.value, expected, self.place(guard.file, guard.line, guard.function, guard.source)


def own_formulas(row: Any) -> list[str | None] | None:
    """Formula and partials of an op of the user's own; None where it is made of functions."""
    return [row.formula, *row.partials] if isinstance(row, Elementwise) else None


def packed(values: Sequence[Array]) -> tuple[Array, Array]:
    """Arrays one behind the other, large ones at multiples of 64 bytes: their offsets, and the bytes."""
    offsets = []
    end = 0
    for value in values:
        step = 64 if value.nbytes >= 64 else 8
        end = -(-end // step) * step
        offsets.append(end)
        end += value.nbytes
    data = np.zeros(end, np.uint8)
    for offset, value in zip(offsets, values, strict=True):
        stored = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        data[offset:offset + value.nbytes] = np.frombuffer(stored.tobytes(), np.uint8)
    return np.array(offsets, np.int64), data


def encoded_structure(structure: Structure) -> Any:
    """A nest of arguments or results as JSON.

    Raises
        ProgramFileError: it has containers or keys that a file has no name for.
    """
    container = structure.container
    if container is None:
        return "*"
    children = [encoded_structure(child) for child in structure.children]
    for name, known in _CONTAINERS.items():
        if container is known:
            try:
                return [name, [encoded_attribute(key) for key in structure.keys], children]
            except TypeError as error:
                raise ProgramFileError(f"a file cannot hold a dict with the key {error}: use strings, numbers and tuples of "
                                       "them") from None
    if issubclass(container, ReturnType):
        return ["result of", [container.__name__, *container.__match_args__], children]
    if issubclass(container, tuple) and hasattr(container, "_fields"):
        return ["named tuple", [container.__name__, *container._fields], children]
    raise ProgramFileError(f"a file cannot hold a {container.__name__}: use tuples, lists and dicts for arguments and results")


_CONTAINERS: dict[str, type] = {"tuple": tuple, "list": list, "dict": dict, "OrderedDict": OrderedDict, "Size": Size}


# --- reading --------------------------------------------------------------------------------------------------------------------

class _Reader:
    """Puts a program together from a header and sections, which may say anything."""

    def __init__(self, header: dict[str, Any], sections: dict[str, Array]) -> None:
        self.header = header
        self.sections = sections
        self.specs: list[Spec] = [spec_of(*checked_spec(*entry), False) for entry in listed(header["specs"])]
        self.places: list[Place] = [(printable(file), int(line), printable(function), printable(text))
                                    for file, line, function, text in listed(header["places"])]
        self.values = self.arrays()

    def parts(self) -> Parts:
        """The program."""
        header = self.header
        leaves = self.leaves()
        operations = [self.operation(**entry) for entry in listed(header["ops"])]
        numbers = self.column("instructions")
        need_range(numbers, 0, len(operations), "an instruction names operation")
        operands = self.operands(numbers, operations, leaves)
        value_count = len(numbers)
        outputs = listed(header["outputs"])
        need(all(type(value) is int and -len(leaves) <= value < value_count for value in outputs), "an output is no value")
        lines = None
        if header["has_lines"]:
            column = self.column("lines")
            need(len(column) == value_count, "there is not a line for every instruction")
            need_range(column, -1, len(self.places), "a line is place")
            places: list[Place | None] = [*self.places, None]
            lines = [places[number] for number in column.tolist()]
        tape = ClosedTape(leaves, [operations[number] for number in numbers.tolist()], operands, outputs, [], lines)
        tape.guards = [self.guard(tape, *line) for line in self.table("guards", 4).tolist()]
        inputs, results = decoded_structure(header["inputs"]), decoded_structure(header["results"])
        positions = sorted(leaf.what for leaf in leaves if leaf.how == "input")
        need(inputs.container is tuple and positions == list(range(inputs.count)), "the inputs are not those of the arguments")
        need(results.count == len(outputs), "the outputs are not those of the result")
        examples = [self.values[number] for number in listed(header["examples"])]
        specs = [tape.spec(x) for x in tape.inputs()]
        need([(example.shape, example.dtype) for example in examples] == [(spec.shape, spec.dtype.numpy) for spec in specs],
             "the examples are not of the inputs' shapes")
        return Parts(tape, examples, inputs, results, printable(header["name"]))

    def column(self, name: str) -> Array:
        """A section of one column."""
        found = self.sections[name]
        need(found.ndim == 1, f"{name} is a table")
        return found

    def table(self, name: str, width: int) -> Array:
        """A section of several columns."""
        found = self.sections[name]
        need(found.ndim == 2 and found.shape[1] == width, f"{name} has not {width} columns")
        return found

    def arrays(self) -> list[Array]:
        """The arrays of the file, which share its memory."""
        numbers, offsets, data = self.column("value_specs"), self.column("value_offsets"), self.column("values")
        need(len(numbers) == len(offsets) and data.dtype == np.uint8, "values have no offsets")
        need_range(numbers, 0, len(self.specs), "a value has spec")
        sizes = np.array([spec.nbytes for spec in self.specs] or [0], np.int64)
        is_inside = (offsets >= 0) & (offsets % 8 == 0) & (offsets <= data.nbytes - sizes[numbers])
        need(bool(is_inside.all()), "a value lies outside of the file")
        memory, shapes = data.data, [spec.shape for spec in self.specs]
        stored = [spec.dtype.numpy.newbyteorder("<") for spec in self.specs]
        values: list[Array] = [np.ndarray(shapes[number], stored[number], memory, offset)
                               for number, offset in zip(numbers.tolist(), offsets.tolist(), strict=True)]
        need(all((value.view(np.uint8) <= 1).all() for value in values if value.dtype == bool), "a bool is neither 0 nor 1")
        return values if sys.byteorder == "little" else [value.astype(value.dtype.newbyteorder("=")) for value in values]

    def leaves(self) -> list[Leaf]:
        """The leaves of the tape."""
        table = self.table("leaves", 3)
        hows, specs, whats = table.T
        need_range(hows, 0, len(LEAVES), "a leaf is of kind")
        need_range(specs, 0, len(self.specs), "a leaf has spec")
        constants = table[hows == LEAVES.index("constant")]
        need_range(constants[:, 2], 0, len(self.values), "a constant is value")
        is_like = self.column("value_specs")[constants[:, 2]] == constants[:, 1]
        need(bool(is_like.all()), "a constant has another shape or dtype")
        known, values = self.specs, self.values
        return [Leaf("constant", known[spec], values[what]) if how else Leaf("input", known[spec], what)
                for how, spec, what in zip(hows.tolist(), specs.tolist(), whats.tolist(), strict=True)]

    @staticmethod
    def is_like(value: Array, spec: Spec) -> bool:
        """Whether an array has the shape and dtype of a spec."""
        return value.shape == spec.shape and value.dtype == spec.dtype.numpy

    def operation(self, op: Any, attributes: Any, operands: Any, result: Any, flows: Any) -> Operation:
        """An operation, whose shapes and dtypes are inferred again."""
        row: Any = ELEMENTWISE.get(op) or STRUCTURAL.get(op)
        if op in self.header["custom"]:
            row = own_row(op)
            need(row is not None, f"it uses the op {op!r} of the user's own: register it with td.custom_op before loading, as "
                 "where the program was saved")
            wished, known = self.header["custom"][op], own_formulas(row)
            need(known == wished, f"it was saved with another op called {op!r}: {wished} instead of {known}")
        if row is None:
            raise ProgramFileError(f"it uses the op {op!r}, which this tapediff ({__version__}) has not; the file was written by "
                                   f"tapediff {self.header['library']['tapediff']}")
        need(all(type(number) is int and 0 <= number < len(self.specs) for number in (*listed(operands), result)), "no such spec")
        specs = tuple(self.specs[number] for number in operands)
        attributes = decoded_attribute(attributes)
        try:
            check_operation(row, attributes, specs, self.specs[result], flows)
        except ValueError as error:
            given = ", ".join(map(repr, specs))
            raise ProgramFileError(f"{op}({given}) with attributes {attributes!r} and result {self.specs[result]!r} cannot be: "
                                   f"{error}") from None
        return operation_of(row, attributes, specs, self.specs[result], flows)

    def operands(self, numbers: Array, operations: Sequence[Operation], leaves: Sequence[Leaf]) -> list[tuple[int, ...]]:
        """The operands of every instruction: earlier values, of the shapes and dtypes that the operation says."""
        spec_number = {spec: number for number, spec in enumerate(self.specs)}
        flat = self.column("operands")
        arities = np.array([len(operation.operands) for operation in operations] or [0], np.int64)
        counts = arities[numbers]
        need(len(flat) == counts.sum(), "there are more or fewer operands than the operations take")
        owner = np.repeat(np.arange(len(numbers)), counts)
        need(bool(((flat < owner) & (flat >= -len(leaves))).all()), "an operand is no earlier value")
        made = np.array([spec_number[operation.spec] for operation in operations] or [0], np.int64)
        of_leaves = np.array([spec_number[leaf.spec] for leaf in leaves] or [0], np.int64)
        specs = np.concatenate([made[numbers], of_leaves[::-1]])  # value -1 - k is the last but k
        starts = np.concatenate([[0], np.cumsum(arities)])
        wished = np.array([spec_number[spec] for operation in operations for spec in operation.operands] or [0], np.int64)
        first = np.concatenate([[0], np.cumsum(counts)])
        position = np.arange(len(flat)) - first[owner]
        is_like = specs[flat] == wished[starts[numbers[owner]] + position]
        need(bool(is_like.all()), "an operand is not of the shape and dtype that its operation says")
        found = np.empty(len(numbers), object)
        found.fill(())
        for arity in np.unique(counts[counts > 0]).tolist():
            chosen = np.flatnonzero(counts == arity)
            lines = np.empty(len(chosen), object)
            lines[:] = list(zip(*[flat[first[chosen] + k].tolist() for k in range(arity)], strict=True))
            found[chosen] = lines
        return found.tolist()

    def guard(self, tape: ClosedTape, how: int, value: int, expected: Any, place: int) -> Guard:
        """A guard."""
        need(0 <= how < len(GUARDS) and -len(tape.leaves) <= value < len(tape), "a guard of no value")
        need(0 <= place < len(self.places), "a guard at no place")
        spec = tape.spec(value)
        if GUARDS[how] == "value":
            need(0 <= expected < len(self.values) and self.is_like(self.values[expected], spec), "a guard expects another shape")
            expected = self.values[expected]
        else:
            need(spec.size == 1 or (GUARDS[how] == "truth" and spec.size > 1), "a guard asks for the number that an array is")
            expected = bool(expected) if GUARDS[how] == "truth" else expected
        file, line, function, source = self.places[place]
        return Guard(GUARDS[how], value, expected, file, line, function, source=source)


def need(condition: bool, what: str) -> None:
    """Refuse a file."""
    if not condition:
        raise ProgramFileError(what)


def need_range(numbers: Array, low: int, high: int, what: str) -> None:
    """Refuse numbers outside of a range."""
    wrong = (numbers < low) | (numbers >= high)
    if wrong.any():
        raise ProgramFileError(f"{what} {numbers[np.argmax(wrong)]} of {high}")


def listed(value: Any) -> list[Any]:
    """A list of the header."""
    need(isinstance(value, list), "the header has no list where one belongs")
    found: list[Any] = value
    return found


def printable(text: Any) -> str:
    """A string of a file that may be shown: what a terminal would obey is escaped."""
    need(isinstance(text, str), "a name is no string")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def decoded_structure(entry: Any) -> Structure:
    """What `encoded_structure` encoded."""
    if entry == "*":
        return LEAF
    name, keys, parts = entry
    children = tuple([decoded_structure(part) for part in listed(parts)])
    if name in _CONTAINERS:
        container = _CONTAINERS[name]
        decoded = tuple([decoded_attribute(key) for key in listed(keys)])
        is_dict = issubclass(container, dict)
        need(len(set(decoded)) == len(decoded) == (len(children) if is_dict else 0), "a dict has not a key for every part")
        return Structure(container, decoded, children)
    make: dict[str, Callable[..., Any]] = {"result of": return_type, "named tuple": _named_tuple}
    need(name in make, f"a container called {name!r}")
    kind, *fields = (printable(key) for key in listed(keys))
    need(len(fields) == len(children), "a named tuple has not a name for every part")
    return Structure(make[name](kind, *fields), (), children)


_named_tuples: dict[tuple[str, ...], type] = {}


def _named_tuple(name: str, *fields: str) -> type:
    """A named tuple type; one for each name and fields."""
    found = _named_tuples.get((name, *fields))
    if found is None:
        found = _named_tuples[name, *fields] = namedtuple(name, fields)
    return found
