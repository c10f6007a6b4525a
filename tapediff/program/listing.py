"""Listings: a closed tape as numbered lines."""

from __future__ import annotations

import linecache
import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from tapediff.ops.views import VIEWS
from tapediff.program.closed import ClosedTape, Leaf, Place
from tapediff.program.operations import Operation
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["listing", "names_of", "source_of_place"]

SHOWN_ELEMENTS = 6  # of a constant
COLUMN = 60  # where source lines begin


def listing(tape: ClosedTape, name: str, limit: int | None = None, source: bool = False) -> str:
    """The tape as text: inputs `x0`, `x1`, ..., constants as they are, a line for every instruction, and guards below the value
    that they ask.

    limit   at most so many instructions are shown, the first and the last ones
    source  the line of source behind each instruction, where it was noted

    >>> import tapediff as td
    >>> print(td.record(lambda x: (x * 2 + 1).sin(), 1.0))
    program <lambda>: 1 input, 1 output, 3 instructions, 24 bytes of values, 16 bytes of constants
      x0: float64
      0: mul(x0, 2.0): float64
      1: add(%0, 1.0): float64
      2: sin(%1): float64
      return %2

    Raises
        ValueError: `limit` is negative.
    """
    if limit is not None and limit < 0:
        raise ValueError(f"lines={limit}: give the number of instructions to show, or None for all")
    named = names_of(tape)
    shown = [k for k, leaf in enumerate(tape.leaves) if leaf.how == "input" or not is_literal(leaf)]
    lines = [heading(tape, name), *(leaf_line(tape.leaves[k], named(-k - 1)) for k in shown[:limit])]
    if limit is not None and len(shown) > limit:
        lines.append(f"  ... {len(shown) - limit} more inputs and constants")
    guards: dict[int, list[str]] = {}
    for guard in tape.guards:
        guards.setdefault(guard.value, []).append(f"     guard: {named(guard.value)}: {guard}")
    lines += [line for value, some in guards.items() if value < 0 for line in some]
    count = len(tape)
    head = count if limit is None or count <= limit else limit - limit // 2
    tail = 0 if head == count else limit // 2 if limit is not None else 0
    before: Place | None = None
    for index in (*range(head), *range(count - tail, count)):
        if index == count - tail and index > head:
            hidden = sum(1 for guard in tape.guards if head <= guard.value < index)
            lines.append(f"  ... {counted(index - head, 'instruction')}" + (f" and {counted(hidden, 'guard')}" if hidden else ""))
        line = f"  {index}: {instruction(tape, index, named)}"
        if source and tape.lines is not None:
            place = tape.lines[index]
            line = f"{line:<{COLUMN}}  # {source_of_place(place)}" if place is not None and place != before else line
            before = place
        lines += [line, *guards.get(index, [])]
    if head < count and not tail:
        lines.append(f"  ... {counted(count - head, 'instruction')}")
    return "\n".join([*lines, f"  return {', '.join(map(named, tape.outputs))}"])


def heading(tape: ClosedTape, name: str) -> str:
    """The first line: what there is, and how much memory it takes."""
    values = sum(operation.spec.nbytes for operation in tape.operations if not operation.is_alias)
    constants = sum(leaf.spec.nbytes for leaf in tape.leaves if leaf.how == "constant")
    parts = [counted(len(tape.inputs()), "input"), counted(len(tape.outputs), "output"), counted(len(tape), "instruction")]
    parts += [counted(len(tape.guards), "guard")] * bool(tape.guards)
    parts += [f"{in_bytes(values)} of values"] * bool(values) + [f"{in_bytes(constants)} of constants"] * bool(constants)
    return f"program {name}: {', '.join(parts)}"


def in_bytes(count: int) -> str:
    """A number of bytes in the unit that suits it."""
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 14, "KiB")):
        if count >= size:
            return f"{count / min(size, 1 << 10 if unit == 'KiB' else size):.1f} {unit}"
    return f"{count} bytes"


def names_of(tape: ClosedTape) -> Callable[[int], str]:
    """How listings name a value: `%3` is the result of instruction 3, `x0` an input, `c2` a large constant."""
    def named(value: int) -> str:
        if value >= 0:
            return f"%{value}"
        leaf = tape.leaves[-value - 1]
        if leaf.how == "input":
            return f"x{leaf.what}"
        return repr(np.asarray(leaf.what).item()) if is_literal(leaf) else f"c{-value - 1}"
    return named


def is_literal(leaf: Leaf) -> bool:
    """Whether a leaf is shown where it is used."""
    return leaf.how == "constant" and leaf.spec.size == 1


def leaf_line(leaf: Leaf, name: str) -> str:
    """The line of an input, a large constant or a captured tensor."""
    line = f"  {name}: {described(leaf.spec)}"
    if leaf.how != "constant":
        return line if leaf.how == "input" else f"{line}, {leaf.how}"
    flat = np.asarray(leaf.what).reshape(-1)
    some = ", ".join(repr(value.item()) for value in flat[:SHOWN_ELEMENTS])
    return f"{line}, constant [{some}{', ...' if flat.size > SHOWN_ELEMENTS else ''}]"


def instruction(tape: ClosedTape, index: int, named: Callable[[int], str]) -> str:
    """One instruction: op, operands, attributes, and its result's shape and dtype."""
    operation = tape.operations[index]
    operands = [named(value) for value in tape.operands[index]]
    shown = index_text(operation)
    if shown is not None:
        operands[0] += shown
        attributes: list[str] = []
    else:
        attributes = attributes_text(operation)
    return f"{operation.name}({', '.join([*operands, *attributes])}): {described(operation.spec)}"


def attributes_text(operation: Operation) -> list[str]:
    """Attributes in words where there are words for them."""
    attributes: Any = operation.attributes
    if attributes is None or (operation.name in VIEWS and (operation.is_alias or operation.name in ("expand", "broadcast", "t"))):
        return []
    if operation.name in VIEWS and operation.name in ("transpose", "permute"):
        order = permutation(operation)
        if order is not None:
            return [f"dims={order}"]
    if operation.name in (*VIEWS, "strided_sum", "strided_write"):
        _, strides, offset = attributes
        return [f"strides={strides}"] + [f"offset={offset}"] * bool(offset)
    if operation.row.kernel == "softmax":
        return [f"dim={attributes}"]
    if not isinstance(attributes, tuple):
        return [repr(attributes)]
    dims = attributes[0] if len(attributes) > 1 and isinstance(attributes[1], bool) else None
    if isinstance(dims, tuple) and all(isinstance(dim, int) for dim in dims):
        is_all = len(dims) == operation.operands[0].ndim
        return [f"dim={dims[0] if len(dims) == 1 else dims}"] * (not is_all) + ["keepdim=True"] * attributes[1] + [
            repr(part) for part in attributes[2:]]
    return [repr(part) for part in attributes]


def permutation(operation: Operation) -> tuple[int, ...] | None:
    """The order of dimensions that a view gives, where it only reorders them."""
    shape, strides, offset = cast(Any, operation.attributes)
    old = operation.operands[0].shape
    left = list(enumerate(zip(old, contiguous_strides(old), strict=True)))
    order = []
    for size, stride in zip(shape, strides, strict=True):
        found = next((entry for entry in left if entry[1][0] == size and (entry[1][1] == stride or size == 1)), None)
        if found is None:
            return None
        left.remove(found)
        order.append(found[0])
    return tuple(order) if not left and not offset else None


def index_text(operation: Operation) -> str | None:
    """A view that takes a part, as an index: `[1:3, 0]`; None where it is another view."""
    if operation.name not in ("select", "slice", "split", "split_with_sizes", "unbind", "as_strided"):
        return None
    shape, strides, offset = cast(Any, operation.attributes)
    old = operation.operands[0].shape
    if 0 in old or 0 in shape:
        return None
    parts: list[str] = []
    position, rest = 0, offset
    for size, stride in zip(old, contiguous_strides(old), strict=True):
        start, rest = divmod(rest, stride)
        taken = shape[position] if position < len(shape) else 0
        step = strides[position] // stride if position < len(shape) and strides[position] % stride == 0 else 0
        if position < len(shape) and (step or taken == 1) and start + (taken - 1) * step < size and (
                len(shape) - position == len(old) - len(parts) or step):
            position += 1
            stop = start + (taken - 1) * step + 1
            is_all = taken == size and step in (0, 1)
            parts.append(":" if is_all else f"{start or ''}:{stop if stop < size else ''}" + (f":{step}" if step > 1 else ""))
        else:
            parts.append(str(start))
    text = f"[{', '.join(parts)}]"
    return text if position == len(shape) and is_index(text, operation) else None


def is_index(text: str, operation: Operation) -> bool:
    """Whether an index takes the elements that a view shows: the text is only shown if it is true."""
    shape, strides, offset = cast(Any, operation.attributes)
    old = operation.operands[0].shape
    places: list[Any] = []
    for part in text[1:-1].split(", "):
        numbers = [int(number) if number else None for number in part.split(":")]
        places.append(slice(*numbers) if len(numbers) > 1 else numbers[0])
    base = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), old, contiguous_strides(old))
    taken = base[(*places, ...)]
    start = taken.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return taken.shape == tuple(shape) and start == offset and all(
        one == other for one, other, size in zip(taken.strides, strides, shape, strict=True) if size > 1)


def source_of_place(place: Place) -> str:
    """File, line and text of a place in the source."""
    file, line, _, *text = place
    shown = text[0] if text else linecache.getline(file, line).strip()
    return f"{os.path.basename(file)}:{line}" + (f": {shown}" if shown else "")


def counted(count: int, what: str) -> str:
    """A number with its noun."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def described(spec: Spec) -> str:
    """Dtype and shape."""
    return spec.dtype.name + (str(list(spec.shape)) if spec.shape else "")
