"""Prints kernels of products whose values lie in lanes: sums over inner indices of products of two operands.

A kernel is ``void (ptr parameters, ptr pointers)``; pointers are those of y, a and b. Of every element the terms are added one
after the other, in the order of the inner index, by fused multiply-adds: the bits are the same for every number of lanes. The
vectors lie along the lanes; a block of rows and columns stays in registers. An operand without lanes is read element by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import NamedTuple

import numpy as np

from tapediff.kernels.instructions import IR_TYPES, Module

__all__ = ["Factor", "ProductSpec", "contraction", "print_product"]

Array = np.ndarray[tuple[int], np.dtype[np.int64]]
_LANES, _BATCHES, _ROWS, _COLUMNS, _INNER, _ALPHA, _HEADER = range(7)
_BLOCKS = {"rows": ((8, 4, 2, 1), (1,)), "columns": ((1,), (8, 4, 2, 1)), "both": ((4, 1), (4, 1))}


class ProductSpec(NamedTuple):
    """Which kernel is wanted.

    laned   whether a and b lie in lanes; y does
    width   lanes of one vector
    blocks  what is kept in registers: several rows of one column, several columns of one row, or both
    adds    whether the product is added to y, or replaces it
    """

    dtype: str
    laned: tuple[bool, bool]
    width: int
    blocks: str
    adds: bool


class Factor(NamedTuple):
    """An operand or the result of a contraction: the names of its dimensions and their strides in elements."""

    names: tuple[str, ...]
    strides: tuple[int, ...]
    is_laned: bool = True


def contraction(
    sizes: dict[str, int],
    y: Factor,
    a: Factor,
    b: Factor,
    lanes: int,
    dtype: str,
    *,
    alpha: float = 1.0,
    adds: bool = False,
    width: int = 0,
) -> tuple[ProductSpec, Array]:
    """The kernel, and its parameters, of ``y = alpha * the sum over the names that y lacks of a * b``.

    width  lanes of one vector, a divisor of the lanes; as many as there are by default

    >>> spec, parameters = contraction({"i": 2, "k": 3}, Factor(("i",), (1,)), Factor(("i", "k"), (3, 1)), Factor(("k",), (1,)),
    ...                                8, "float64")
    >>> spec.blocks, parameters[:5].tolist()
    ('rows', [8, 1, 2, 1, 3])
    """
    item = np.dtype(dtype).itemsize
    batch = [name for name in sizes if name in y.names and name in a.names and name in b.names]
    columns = [name for name in sizes if name in y.names and name in b.names and name not in a.names]
    rows = [name for name in sizes if name in y.names and name not in batch and name not in columns]
    inner = [name for name in sizes if name not in y.names and (name in a.names or name in b.names)]

    def offsets(factor: Factor, names: list[str]) -> Array:
        """The bytes from the first element to each one that the names reach, the last name running fastest."""
        found = np.zeros(1, np.int64)
        for name in names:
            stride = factor.strides[factor.names.index(name)] if name in factor.names else 0
            stride *= item * (lanes if factor.is_laned else 1)
            found = (found[:, None] + np.arange(sizes[name]) * stride).reshape(-1)
        return found

    counts = [prod(sizes[name] for name in names) for names in (batch, rows, columns, inner)]
    header = [lanes, *counts, int(np.float64(alpha).view(np.int64))]
    tables = [
        offsets(y, batch),
        offsets(a, batch),
        offsets(b, batch),
        offsets(y, rows),
        offsets(a, rows),
        offsets(y, columns),
        offsets(b, columns),
        offsets(a, inner),
        offsets(b, inner),
    ]
    blocks = "rows" if counts[2] == 1 else "columns" if counts[1] == 1 else "both"
    width = width or min(lanes, 64 // item)
    return ProductSpec(dtype, (a.is_laned, b.is_laned), width, blocks, adds), np.concatenate(
        [np.array(header, np.int64), *tables]
    )


def print_product(module: Module, spec: ProductSpec, symbol: str) -> None:
    """Add the kernel of `spec` to the module as the function `symbol`."""
    module.define(_Product(module, spec).text(symbol))


class _Product:
    def __init__(self, module: Module, spec: ProductSpec) -> None:
        self.module = module
        self.spec = spec
        self.element = IR_TYPES[spec.dtype]
        self.item = np.dtype(spec.dtype).itemsize
        self.vector = f"<{spec.width} x {self.element}>"
        self.lines: list[str] = []
        self.count = 0
        self.block = "entry"

    # --- instructions -----------------------------------------------------------------------------------------------------------

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def emit(self, instruction: str) -> str:
        name = self.name()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def moved(self, pointer: str, nbytes: str) -> str:
        return self.emit(f"getelementptr i8, ptr {pointer}, i64 {nbytes}")

    def word(self, table: str, index: str) -> str:
        return self.emit(f"load i64, ptr {self.emit(f'getelementptr i64, ptr {table}, i64 {index}')}")

    def multiply_add(self, a: str, b: str, c: str) -> str:
        v = self.vector
        if self.module.has_fma:
            suffix = f"v{self.spec.width}f{8 * self.item}"
            self.module.declare(f"declare {v} @llvm.fma.{suffix}({v}, {v}, {v})")
            return self.emit(f"call {v} @llvm.fma.{suffix}({v} {a}, {v} {b}, {v} {c})")
        return self.emit(f"fadd {v} {self.emit(f'fmul {v} {a}, {b}')}, {c}")

    def splat(self, scalar: str) -> str:
        v = self.vector
        first = self.emit(f"insertelement {v} poison, {self.element} {scalar}, i64 0")
        return self.emit(f"shufflevector {v} {first}, {v} poison, <{self.spec.width} x i32> zeroinitializer")

    @contextmanager
    def loop(self, end: str, step: int = 1) -> Iterator[str]:
        """Instructions repeated for 0, step, ... below `end`."""
        self.count += 1
        label, before = f"l{self.count}", self.block
        index, following = self.name(), self.name()
        self.lines.append(f"  br label %{label}.head")
        self.start(f"{label}.head")
        place = len(self.lines)
        self.lines += [
            f"  %{label}.more = icmp slt i64 {index}, {end}",
            f"  br i1 %{label}.more, label %{label}, label %{label}.end",
        ]
        self.start(label)
        yield index
        self.lines += [f"  {following} = add nsw i64 {index}, {step}", f"  br label %{label}.head"]
        self.lines.insert(place, f"  {index} = phi i64 [ 0, %{before} ], [ {following}, %{self.block} ]")
        self.start(f"{label}.end")

    @contextmanager
    def strides(self, start: str, end: str, step: int) -> Iterator[tuple[str, str]]:
        """Instructions repeated while `step` more fit before `end`; gives the index, and the name of where it stopped."""
        self.count += 1
        label, before = f"l{self.count}", self.block
        index, following = self.name(), self.name()
        self.lines.append(f"  br label %{label}.head")
        self.start(f"{label}.head")
        place = len(self.lines)
        self.lines += [
            f"  {following} = add nsw i64 {index}, {step}",
            f"  %{label}.more = icmp sle i64 {following}, {end}",
            f"  br i1 %{label}.more, label %{label}, label %{label}.end",
        ]
        self.start(label)
        yield index, index
        self.lines.append(f"  br label %{label}.head")
        self.lines.insert(place, f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]")
        self.start(f"{label}.end")

    # --- the kernel -------------------------------------------------------------------------------------------------------------

    def text(self, symbol: str) -> str:
        self.sizes = [self.word("%p", str(number)) for number in range(_ALPHA)]
        alpha = self.emit("load double, ptr " + self.emit(f"getelementptr i64, ptr %p, i64 {_ALPHA}"))
        self.alpha = self.splat(alpha if self.element == "double" else self.emit(f"fptrunc double {alpha} to float"))
        _, batches, rows, columns, inner = self.sizes
        at = self.emit(f"getelementptr i64, ptr %p, i64 {_HEADER}")
        self.tables = []
        for size in (batches, batches, batches, rows, rows, columns, columns, inner, inner):
            self.tables.append(at)
            at = self.emit(f"getelementptr i64, ptr {at}, i64 {size}")
        pointers = [self.emit(f"load ptr, ptr {self.emit(f'getelementptr ptr, ptr %q, i64 {k}')}") for k in range(3)]
        heights, widths = _BLOCKS[self.spec.blocks]
        with self.loop(batches) as batch:
            places = [
                self.moved(pointer, self.word(table, batch)) for pointer, table in zip(pointers, self.tables[:3], strict=True)
            ]
            row = "0"
            for height in heights:
                with self.strides(row, rows, height) as (i, row):
                    column = "0"
                    for width in widths:
                        with self.strides(column, columns, width) as (j, column):
                            self.print_block(places, i, j, height, width)
        self.lines.append("  ret void")
        body = "\n".join(self.lines)
        return f"define void @{symbol}(ptr noalias %p, ptr noalias %q) nounwind {{\nentry:\n{body}\n}}\n"

    def print_block(self, places: list[str], i: str, j: str, height: int, width: int) -> None:
        """The products of `height` rows from i on and `width` columns from j on."""
        _, _, _, y_row, a_row, y_column, b_column, a_inner, b_inner = self.tables
        y_at, a_at, b_at = places
        rows = [i if r == 0 else self.emit(f"add nsw i64 {i}, {r}") for r in range(height)]
        columns = [j if c == 0 else self.emit(f"add nsw i64 {j}, {c}") for c in range(width)]
        a_rows = [self.moved(a_at, self.word(a_row, r)) for r in rows]
        b_columns = [self.moved(b_at, self.word(b_column, c)) for c in columns]
        y_rows = [self.moved(y_at, self.word(y_row, r)) for r in rows]
        y_columns = [self.word(y_column, c) for c in columns]
        with self.loop(self.sizes[_LANES], self.spec.width) as lane:
            behind = self.emit(f"mul nsw i64 {lane}, {self.item}")
            totals = self.print_sum(a_rows, b_columns, a_inner, b_inner, behind)
            for r in range(height):
                for c in range(width):
                    place = self.moved(self.moved(y_rows[r], y_columns[c]), behind)
                    total = totals[r * width + c]
                    if self.spec.adds:
                        old = self.emit(f"load {self.vector}, ptr {place}, align {self.item}")
                        total = self.multiply_add(total, self.alpha, old)
                    else:
                        total = self.emit(f"fmul {self.vector} {total}, {self.alpha}")
                    self.lines.append(f"  store {self.vector} {total}, ptr {place}, align {self.item}")

    def print_sum(self, a_rows: list[str], b_columns: list[str], a_inner: str, b_inner: str, behind: str) -> list[str]:
        """The sums over the inner index, in registers."""
        inner = self.sizes[_INNER]
        count = len(a_rows) * len(b_columns)
        totals = [self.name() for _ in range(count)]
        self.count += 1
        label, before = f"l{self.count}", self.block
        self.lines.append(f"  br label %{label}.head")
        self.start(f"{label}.head")
        place = len(self.lines)
        k, following = self.name(), self.name()
        self.lines += [
            f"  %{label}.more = icmp slt i64 {k}, {inner}",
            f"  br i1 %{label}.more, label %{label}, label %{label}.end",
        ]
        self.start(label)
        a_behind, b_behind = self.word(a_inner, k), self.word(b_inner, k)
        a = [self.print_load(at, a_behind, behind, self.spec.laned[0]) for at in a_rows]
        b = [self.print_load(at, b_behind, behind, self.spec.laned[1]) for at in b_columns]
        sums = [self.multiply_add(x, y, totals[r * len(b) + c]) for r, x in enumerate(a) for c, y in enumerate(b)]
        self.lines += [f"  {following} = add nsw i64 {k}, 1", f"  br label %{label}.head"]
        phis = [f"  {k} = phi i64 [ 0, %{before} ], [ {following}, %{label} ]"]
        phis += [
            f"  {total} = phi {self.vector} [ zeroinitializer, %{before} ], [ {new}, %{label} ]"
            for total, new in zip(totals, sums, strict=True)
        ]
        self.lines[place:place] = phis
        self.start(f"{label}.end")
        return totals

    def print_load(self, at: str, inner: str, behind: str, is_laned: bool) -> str:
        place = self.moved(at, inner)
        if not is_laned:
            return self.splat(self.emit(f"load {self.element}, ptr {place}"))
        return self.emit(f"load {self.vector}, ptr {self.moved(place, behind)}, align {self.item}")
