"""Prints the kernel of a spec: a row's formulas inside a loop over n elements.

A kernel is ``void (i64 n, ptr y, ...)`` on contiguous arrays with the arguments of `ARGUMENTS`: forward writes y, reverse adds
to the adjoints of the operands, tangent writes y_dot.  Where bit 56 + k of n is set, nothing was added to the adjoint of operand
k before: a reverse kernel writes it.  One element takes a scalar path.  More take a loop over whole vectors
whose loads and stores are masked, so that the last, partial vector needs no code of its own: 7 elements cost what 8 cost, and
nothing is compiled twice.  The vectors are explicit rather than LLVM's loop vectoriser's choice: the number of lanes, and with
it the order of a sum, does not depend on the host.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tapediff.kernels.formula import Printer
from tapediff.kernels.instructions import BITS, INTRINSIC_TYPES, IR_TYPES, KIND, Module, Operand, Value
from tapediff.ops.custom import formula_row
from tapediff.ops.op import BOOL, Elementwise, names_in
from tapediff.tape.layout import FIRST

ARGUMENTS = {
    "forward": ("y", "a", "b", "c"),
    "reverse": ("y_bar", "y", "a", "b", "c", "a_bar", "b_bar", "c_bar"),
    "tangent": ("y_dot", "y", "a", "b", "c", "a_dot", "b_dot", "c_dot"),
}


class KernelSpec(NamedTuple):
    """Which kernel is wanted.

    `scalars`: bit k says that operand k is one element for all n; `wanted`: bit k says that its adjoint or tangent is wanted;
    `same`: for each operand the first operand that is the same slot; `fresh`: bit k says that a reverse kernel writes the
    adjoint of operand k, where nothing was before, instead of adding to it.
    """

    name: str
    which: str
    operands: tuple[str, ...]
    result: str
    scalars: int = 0
    wanted: int = 7
    same: tuple[int, ...] = ()
    fresh: int = 0


def print_kernel(module: Module, spec: KernelSpec, symbol: str) -> None:
    """Add the kernel of `spec` to the module as the function `symbol`."""
    module.define(Kernel(module, spec).text(symbol))


class Kernel:
    """Prints the kernel of a spec, or what it does to one element."""

    def __init__(self, module: Module, spec: KernelSpec) -> None:
        self.module = module
        self.spec = spec
        row = formula_row(spec.name)
        assert row is not None, f"no row of formulas is called {spec.name}"
        self.row: Elementwise = row
        self.same = spec.same or tuple(range(self.row.arity))
        self.lanes = _lanes((*spec.operands, spec.result))
        self.wanted = [
            k
            for k in range(self.row.arity)
            if spec.wanted >> k & 1 and self.row.partials[k] is not None and KIND[spec.operands[k]] == "float"
        ]

    def text(self, symbol: str) -> str:
        pointers = ", ".join(f"ptr noalias %{name}.at" for name in ARGUMENTS[self.spec.which])
        return "\n".join(
            [
                f"define void @{symbol}(i64 %n.flags, {pointers}) nounwind {{",
                "entry:",
                f"  %n = and i64 %n.flags, {FIRST - 1}",
                *self._flags(),
                "  %is.one = icmp eq i64 %n, 1",
                "  br i1 %is.one, label %one, label %check",
                "one:",
                self._one(),
                "  ret void",
                "check:",
                "  %is.empty = icmp slt i64 %n, 1",
                "  br i1 %is.empty, label %done, label %prepare",
                *self._many(),
                "done:",
                "  ret void",
                "}\n",
            ]
        )

    def _flags(self) -> list[str]:
        """For each operand whose adjoint the kernel may write or add to: whether it adds."""
        lines = []
        for k in self._may_be_first():
            lines += [f"  %flag.{k} = and i64 %n.flags, {FIRST << k}", f"  %adds.{k} = icmp eq i64 %flag.{k}, 0"]
        return lines

    def _may_be_first(self) -> list[int]:
        if self.spec.which != "reverse":
            return []
        firsts = sorted({self.same[k] for k in self.wanted})
        return [k for k in firsts if not (self.spec.scalars | self.spec.fresh) >> k & 1]

    def _one(self) -> str:
        printer = Printer(self.module, 1, "s", self.spec.result)
        places = _Scalar(printer, {f"{'abc'[k]}_bar": Value("bool", f"%adds.{k}") for k in self._may_be_first()})
        self.element(printer, {name: places.load(name, dtype) for name, dtype in self.loaded().items()}, places, {})
        return printer.text()

    def _many(self) -> list[str]:
        before = Printer(self.module, self.lanes, "p", self.spec.result)
        fixed = {}
        for name, dtype in self.loaded().items():
            if self._is_scalar(name):
                fixed[name] = before.splat(dtype, _Scalar(before).load(name, dtype).text)
        ids = ", ".join(f"i64 {lane}" for lane in range(self.lanes))
        inside = Printer(self.module, self.lanes, "v", self.spec.result)
        left = inside.splat("int64", "%left")
        mask = inside.emit("bool", f"icmp ult {inside.ir_type('int64')} <{ids}>, {left.text}")
        adds = {f"{'abc'[k]}_bar": before.splat("bool", f"%adds.{k}") for k in self._may_be_first()}
        places = _Masked(inside, mask, adds)
        values = {name: places.load(name, dtype) for name, dtype in self.loaded().items() if name not in fixed}
        sums = {k: self.spec.operands[k] for k in self._summed()}
        totals: dict[int, Value] = {}
        self.element(inside, {**values, **fixed}, places, totals)
        phis = [
            f"  %sum.{k} = phi {inside.ir_type(dtype)} [ zeroinitializer, %prepare ], [ {totals[k].text}, %loop ]"
            for k, dtype in sums.items()
        ]
        after = Printer(self.module, 1, "t", self.spec.result)
        for k, dtype in sums.items():
            self._deliver(_Scalar(after), k, _total(after, totals[k].text, dtype, self.lanes))
        return [
            "prepare:",
            before.text(),
            "  br label %loop",
            "loop:",
            "  %i = phi i64 [ 0, %prepare ], [ %i.next, %loop ]",
            *phis,
            "  %left = sub nuw i64 %n, %i",
            inside.text(),
            f"  %i.next = add nuw i64 %i, {self.lanes}",
            "  %is.more = icmp ult i64 %i.next, %n",
            "  br i1 %is.more, label %loop, label %finish",
            "finish:",
            after.text(),
            "  br label %done",
        ]

    def element(self, printer: Printer, values: dict[str, Value], places: Any, totals: dict[int, Value]) -> None:
        """What happens to one element, or to one vector of elements."""
        names = self._promoted(printer, values)
        if self.spec.which == "forward":
            places.store("y", self._result(printer, printer.formula(self.row.formula, names)))
        elif self.spec.which == "tangent":
            places.store("y_dot", self._tangent(printer, names))
        else:
            self._reverse(printer, names, places, totals)

    def _reverse(self, printer: Printer, names: dict[str, Operand], places: Any, totals: dict[int, Value]) -> None:
        for first in sorted({self.same[k] for k in self.wanted}):
            dtype = self.spec.operands[first]
            parts = [printer.formula(self.row.pullback(k), names) for k in self.wanted if self.same[k] == first]
            contribution = functools.reduce(functools.partial(printer.binary, ast.Add), parts)
            if contribution == 0 and f"{'abc'[first]}_bar" not in places.adds:
                continue
            value = printer.convert(printer.value(contribution, self.spec.result), dtype)
            if printer.lanes > 1 and self.spec.scalars >> first & 1:
                masked = printer.where(places.mask, value, 0)
                totals[first] = printer.binary(ast.Add, Value(dtype, f"%sum.{first}"), masked)  # type: ignore[assignment]
            else:
                self._deliver(places, first, value)

    def _deliver(self, places: Any, k: int, value: Value) -> None:
        """Add to the adjoint of operand k, or write it."""
        (places.store if self.spec.fresh >> k & 1 else places.add)(f"{'abc'[k]}_bar", value)

    def _tangent(self, printer: Printer, names: dict[str, Operand]) -> Value:
        total: Operand = 0
        for k in self.wanted:
            part = printer.formula(self.row.pullback(k, f"{'abc'[k]}_dot"), names)
            total = part if total == 0 else printer.binary(ast.Add, total, part)
        return printer.value(total, self.spec.result)

    def _result(self, printer: Printer, result: Operand) -> Value:
        return printer.convert(printer.value(result, self.spec.result), self.spec.result)

    def _promoted(self, printer: Printer, values: dict[str, Value]) -> dict[str, Operand]:
        """Operands in the dtype in which the formula computes."""
        if self.row.name == "cast" or (self.row.result == BOOL and len(set(self.spec.operands)) == 1):
            promoted: dict[str, Operand] = {
                name: printer.convert(value, self.spec.result) if name.endswith("_dot") else value
                for name, value in values.items()
            }
            return promoted
        promoted = {}
        for name, value in values.items():
            stays = self.row.name == "where" and name == "a"
            promoted[name] = printer.convert(value, "bool" if stays else self.spec.result)
        return promoted

    def _summed(self) -> list[int]:
        """Operands whose adjoint is a sum over the elements."""
        if self.spec.which != "reverse":
            return []
        firsts = sorted({self.same[k] for k in self.wanted if self.row.pullback(k) != "0"})
        return [k for k in firsts if self.spec.scalars >> k & 1]

    def _is_scalar(self, name: str) -> bool:
        return name[0] in "abc" and bool(self.spec.scalars >> "abc".index(name[0]) & 1)

    def loaded(self) -> dict[str, str]:
        """The arrays that the kernel reads, with their dtypes."""
        dtypes = {**dict(zip("abc", self.spec.operands)), "y": self.spec.result, "y_bar": self.spec.result}
        dtypes |= {f"{name}_dot": dtype for name, dtype in zip("abc", self.spec.operands)}
        if self.spec.which == "forward":
            read = names_in(self.row.formula)
        else:
            read = frozenset().union(*(self._read_by(k) for k in self.wanted))
        return {name: dtype for name, dtype in dtypes.items() if name in read}

    def _read_by(self, k: int) -> frozenset[str]:
        return names_in(self.row.pullback(k, f"{'abc'[k]}_dot" if self.spec.which == "tangent" else "y_bar"))


class _Scalar:
    """Reads and writes the first element."""

    mask = Value("bool", "true")

    def __init__(self, printer: Printer, adds: Mapping[str, Value] = MappingProxyType({})) -> None:
        self.printer = printer
        self.adds = adds

    def load(self, name: str, dtype: str) -> Value:
        if dtype == "bool":
            byte = self.printer.emit("", f"load i8, ptr %{name}.at").text
            return self.printer.emit("bool", f"icmp ne i8 {byte}, 0")
        return self.printer.emit(dtype, f"load {IR_TYPES[dtype]}, ptr %{name}.at")

    def store(self, name: str, value: Value) -> None:
        element = IR_TYPES[value.dtype]
        if value.dtype == "bool":
            value, element = self.printer.emit("", f"zext i1 {value.text} to i8"), "i8"
        self.printer.line(f"store {element} {value.text}, ptr %{name}.at")

    def add(self, name: str, value: Value) -> None:
        known = self.load(name, value.dtype)
        if name in self.adds:
            type_ = IR_TYPES[value.dtype]
            known = self.printer.emit(value.dtype, f"select i1 {self.adds[name].text}, {type_} {known.text}, {type_} -0.0")
        self.store(name, self.printer.binary(ast.Add, known, value))  # type: ignore[arg-type]


class _Masked:
    """Reads and writes one vector of elements at ``%i``, as far as the mask allows."""

    def __init__(self, printer: Printer, mask: Value, adds: Mapping[str, Value]) -> None:
        self.printer = printer
        self.mask = mask
        self.adds = adds

    def load(self, name: str, dtype: str) -> Value:
        return self._load(name, dtype, self.mask, "zeroinitializer")

    def _load(self, name: str, dtype: str, mask: Value, otherwise: str) -> Value:
        element, suffix, size = _memory(dtype)
        type_ = self.printer.vector(element)
        mask_type = self.printer.ir_type("bool")
        self.printer.module.declare(
            f"declare {type_} @llvm.masked.load.v{self.printer.lanes}{suffix}.p0(ptr, {mask_type}, {type_})"
        )
        value = self.printer.emit(
            dtype,
            f"call {type_} @llvm.masked.load.v{self.printer.lanes}{suffix}.p0(ptr align {size} {self._address(name, element)}, "
            f"{mask_type} {mask.text}, {type_} {otherwise})",
        )
        if dtype != "bool":
            return value
        return self.printer.emit("bool", f"icmp ne {type_} {value.text}, zeroinitializer")

    def store(self, name: str, value: Value) -> None:
        element, suffix, size = _memory(value.dtype)
        type_ = self.printer.vector(element)
        mask_type = self.printer.ir_type("bool")
        if value.dtype == "bool":
            value = self.printer.emit("", f"zext {mask_type} {value.text} to {type_}")
        self.printer.module.declare(
            f"declare void @llvm.masked.store.v{self.printer.lanes}{suffix}.p0({type_}, ptr, {mask_type})"
        )
        self.printer.line(
            f"call void @llvm.masked.store.v{self.printer.lanes}{suffix}.p0({type_} {value.text}, ptr align {size} "
            f"{self._address(name, element)}, {mask_type} {self.mask.text})"
        )

    def add(self, name: str, value: Value) -> None:
        if name in self.adds:  # what is not there is -0, which changes no sum
            mask_type = self.printer.ir_type("bool")
            mask = self.printer.emit("bool", f"and {mask_type} {self.mask.text}, {self.adds[name].text}")
            nothing = ", ".join([f"{_memory(value.dtype)[0]} -0.0"] * self.printer.lanes)
            known = self._load(name, value.dtype, mask, f"<{nothing}>")
        else:
            known = self.load(name, value.dtype)
        self.store(name, self.printer.binary(ast.Add, known, value))  # type: ignore[arg-type]

    def _address(self, name: str, element: str) -> str:
        return self.printer.emit("", f"getelementptr {element}, ptr %{name}.at, i64 %i").text


def _memory(dtype: str) -> tuple[str, str, int]:
    """The IR type, the intrinsic suffix and the size in bytes of an element in memory."""
    return ("i8", "i8", 1) if dtype == "bool" else (IR_TYPES[dtype], INTRINSIC_TYPES[dtype], BITS[dtype] // 8)


def _lanes(dtypes: tuple[str, ...]) -> int:
    """As many lanes as elements of the widest dtype fill 64 bytes."""
    return min(512 // BITS[dtype] for dtype in dtypes)


def _total(printer: Printer, vector: str, dtype: str, lanes: int) -> Value:
    """The sum over the lanes, halves added to halves."""
    element = IR_TYPES[dtype]
    while lanes > 1:
        type_, half = f"<{lanes} x {element}>", lanes // 2
        masks = [", ".join(f"i32 {lane}" for lane in range(start, start + half)) for start in (0, half)]
        low, high = (
            printer.emit(dtype, f"shufflevector {type_} {vector}, {type_} poison, <{half} x i32> <{mask}>").text for mask in masks
        )
        vector, lanes = printer.emit(dtype, f"fadd <{half} x {element}> {low}, {high}").text, half
    return Value(dtype, printer.emit(dtype, f"extractelement <1 x {element}> {vector}, i64 0").text)
