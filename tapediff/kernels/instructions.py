"""Prints instructions of LLVM IR on values that are scalars or, by the same text, vectors.

Every operation is an IEEE operation without fast-math flags, and fused multiply-adds are explicit, so a scalar and a lane have
the same bits.  Equal instructions are printed once.

The IR is text.  `llvmlite.ir` took 31 us for an instruction on 8 lanes where this takes 3 (2026-11-22, 4,000 additions and
multiplications by constants), and a program of the compiled tape has tens of thousands.

>>> block = Instructions(Module(None), lanes=8)
>>> a = Value("float64", "%a")
>>> block.binary(ast.Add, block.binary(ast.Mult, a, a), 1)
Value(dtype='float64', text='%v1')
>>> print(block.text())
  %v0 = fmul <8 x double> %a, %a
  %v1 = fadd <8 x double> %v0, splat (double 0x3FF0000000000000)
"""

from __future__ import annotations

import ast
import math
import operator
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tapediff.kernels.borrowing import declarations, symbol

IR_TYPES = {"float64": "double", "float32": "float", "int64": "i64", "int32": "i32", "bool": "i1"}
INTRINSIC_TYPES = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "i1"}
BITS = {"float64": 64, "float32": 32, "int64": 64, "int32": 32, "bool": 1}
KIND = {"float64": "float", "float32": "float", "int64": "int", "int32": "int", "bool": "bool"}
SAME_SIZE_INT = {"float64": "int64", "float32": "int32"}
SAME_SIZE_FLOAT = {"int64": "float64", "int32": "float32"}

PURE = "nounwind willreturn memory(none)"


@dataclass(frozen=True, slots=True)
class Value:
    """A printed value: its dtype and how the IR refers to it."""

    dtype: str
    text: str


Number = int | float
Operand = Value | Number


class Module:
    """The functions and declarations that the printers of one LLVM module share."""

    def __init__(self, functions: Any, has_fma: bool = True) -> None:
        self.functions = functions
        self.has_fma = has_fma
        self.printed: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._definitions: list[str] = []
        self._declarations: dict[str, None] = {}

    def declare(self, declaration: str) -> None:
        """Have a line such as ``declare double @tanh(double)`` once."""
        self._declarations[declaration] = None

    def define(self, definition: str) -> None:
        """Add the text of a function."""
        self._definitions.append(definition)

    def text(self) -> str:
        """The module as LLVM IR."""
        return "\n".join([*self._declarations, "", *self._definitions])


class Instructions:
    """The instructions of a function on values of `lanes` lanes; `dtype` is that of a choice between two bare numbers."""

    def __init__(self, module: Module, lanes: int, prefix: str = "v", dtype: str = "float64") -> None:
        self.module = module
        self.lanes = lanes
        self.prefix = prefix
        self.dtype = dtype
        self.block = "entry"
        self._lines: list[str] = []
        self._known: dict[tuple[str, str], Value] = {}
        self._count = 0

    def text(self) -> str:
        """The lines printed so far."""
        return "\n".join(self._lines)

    def ir_type(self, dtype: str) -> str:
        """The IR type of a value of `dtype`."""
        return self.vector(IR_TYPES[dtype])

    def vector(self, element: str) -> str:
        """The IR type of `lanes` elements."""
        return element if self.lanes == 1 else f"<{self.lanes} x {element}>"

    def fresh(self) -> str:
        """A new IR name."""
        self._count += 1
        return f"%{self.prefix}{self._count - 1}"

    def line(self, text: str) -> None:
        """Print one line as it is."""
        self._lines.append("  " + text)

    def begin(self, label: str) -> None:
        """Begin a block; what was printed before must be known in it."""
        self._lines.append(f"{label}:")
        self.block = label

    def emit(self, dtype: str, instruction: str) -> Value:
        """Print a pure instruction, or find the equal one printed before."""
        known = self._known.get((dtype, instruction))
        if known is None:
            known = Value(dtype, self.fresh())
            self._lines.append(f"  {known.text} = {instruction}")
            self._known[dtype, instruction] = known
        return known

    def constant(self, dtype: str, number: Number) -> Value:
        """A number as a value of `dtype` in every lane."""
        element = f"{IR_TYPES[dtype]} {constant_text(dtype, number)}"
        return Value(dtype, element.partition(" ")[2] if self.lanes == 1 else f"splat ({element})")

    def value(self, operand: Operand, dtype: str) -> Value:
        """The operand, a bare number taking `dtype`."""
        return operand if isinstance(operand, Value) else self.constant(dtype, operand)

    def splat(self, dtype: str, scalar: str) -> Value:
        """A scalar IR value in every lane."""
        if self.lanes == 1:
            return Value(dtype, scalar)
        element = IR_TYPES[dtype]
        first = self.emit(dtype, f"insertelement {self.vector(element)} poison, {element} {scalar}, i64 0")
        vector = self.vector(element)
        return self.emit(dtype, f"shufflevector {vector} {first.text}, {vector} poison, <{self.lanes} x i32> zeroinitializer")

    def unary(self, op: type[ast.unaryop], operand: Operand) -> Operand:
        """Print ``-x`` or ``~x``."""
        if not isinstance(operand, Value):
            return -operand if op is ast.USub else ~int(operand)
        kind, type_ = KIND[operand.dtype], self.ir_type(operand.dtype)
        if op is ast.USub and kind == "float":
            return self.emit(operand.dtype, f"fneg {type_} {operand.text}")
        if op is ast.USub and kind == "int":
            return self.emit(operand.dtype, f"sub {type_} {self.constant(operand.dtype, 0).text}, {operand.text}")
        if op is ast.Invert and kind != "float":
            return self.emit(operand.dtype, f"xor {type_} {operand.text}, {self.constant(operand.dtype, -1).text}")
        raise TypeError(f"formula: unary {op.__name__} is not defined for {operand.dtype}")

    def binary(self, op: type[ast.operator], left: Operand, right: Operand) -> Operand:
        """Print an arithmetic or bit operation; a bare number takes the dtype of the other side."""
        if not isinstance(left, Value) and not isinstance(right, Value):
            return _PYTHON_OPERATIONS[op](left, right)
        dtype = common_dtype(left, right)
        instruction = _INSTRUCTIONS[KIND[dtype]].get(op)
        if instruction is None:
            raise TypeError(f"formula: {op.__name__} is not defined for {dtype}")
        left, right = self.value(left, dtype), self.value(right, dtype)
        return self.emit(dtype, f"{instruction} {self.ir_type(dtype)} {left.text}, {right.text}")

    def compare(self, op: type[ast.cmpop], left: Operand, right: Operand) -> Any:
        """Print a comparison, which is false with a nan except for ``!=``; one of two numbers is made here."""
        if not isinstance(left, Value) and not isinstance(right, Value):
            return _PYTHON_COMPARISONS[op](left, right)
        dtype = common_dtype(left, right)
        predicate = _PREDICATES[op][KIND[dtype]]
        left, right = self.value(left, dtype), self.value(right, dtype)
        instruction = "fcmp" if KIND[dtype] == "float" else "icmp"
        return self.emit("bool", f"{instruction} {predicate} {self.ir_type(dtype)} {left.text}, {right.text}")

    def where(self, condition: Operand, yes: Operand, no: Operand) -> Operand:
        """Print a selection by lane; the side that is not taken may be inf, nan or poison."""
        if not isinstance(condition, Value):
            return yes if condition else no
        dtype = common_dtype(yes, no) if isinstance(yes, Value) or isinstance(no, Value) else self.dtype
        condition = self.convert(condition, "bool")
        yes, no = self.value(yes, dtype), self.value(no, dtype)
        type_ = self.ir_type(dtype)
        return self.emit(dtype, f"select {self.ir_type('bool')} {condition.text}, {type_} {yes.text}, {type_} {no.text}")

    def convert(self, value: Value, dtype: str) -> Value:
        """Print a change of dtype: to bool it is ``x != 0``, float to int truncates, out of range gives the least int."""
        if value.dtype == dtype:
            return value
        source, target = KIND[value.dtype], KIND[dtype]
        if dtype == "bool":
            return self.compare(ast.NotEq, value, 0)
        if source == "float" and target == "int":
            value = self._inside_int_range(value, dtype)
        instruction = _conversion(source, target, BITS[value.dtype], BITS[dtype])
        return self.emit(dtype, f"{instruction} {self.ir_type(value.dtype)} {value.text} to {self.ir_type(dtype)}")

    def _inside_int_range(self, value: Value, dtype: str) -> Value:
        limit = 2.0 ** (BITS[dtype] - 1)
        inside = self.binary(ast.BitAnd, self.compare(ast.GtE, value, -limit), self.compare(ast.Lt, value, limit))
        result = self.where(inside, value, -limit)
        assert isinstance(result, Value)
        return result

    def bitcast(self, value: Value, dtype: str) -> Value:
        """Print a reinterpretation of the bits."""
        return self.emit(dtype, f"bitcast {self.ir_type(value.dtype)} {value.text} to {self.ir_type(dtype)}")

    def intrinsic(self, name: str, *operands: Operand, dtype: str | None = None) -> Value:
        """Print a call of an LLVM intrinsic whose operands and result have one dtype."""
        dtype = dtype or common_dtype(*operands)
        suffix = INTRINSIC_TYPES[dtype] if self.lanes == 1 else f"v{self.lanes}{INTRINSIC_TYPES[dtype]}"
        values = [self.value(operand, dtype) for operand in operands]
        type_ = self.ir_type(dtype)
        self.module.declare(f"declare {type_} @llvm.{name}.{suffix}({', '.join([type_] * len(values))})")
        return self.emit_call(dtype, f"llvm.{name}.{suffix}", values)

    def muladd(self, a: Operand, b: Operand, c: Operand) -> Operand:
        """Print ``a * b + c``, fused where the host can."""
        if self.module.has_fma:
            return self.intrinsic("fma", a, b, c)
        return self.binary(ast.Add, self.binary(ast.Mult, a, b), c)

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Operand:
        """Print ``c0 + c1 x + ...`` by Estrin's scheme: the chain of dependent operations grows with the logarithm of the
        degree.
        """
        terms: list[Operand] = list(coefficients)
        power: Operand = x
        while len(terms) > 1:
            pairs = [self.muladd(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)]
            terms = pairs + terms[len(pairs) * 2 :]
            if len(terms) > 1:
                power = self.binary(ast.Mult, power, power)
        return terms[0]

    def horner(self, x: Value, coefficients: Sequence[float]) -> Operand:
        """Print the same polynomial by Horner's scheme: the fewest operations and the smallest error."""
        result: Operand = coefficients[-1]
        for coefficient in reversed(coefficients[:-1]):
            result = self.muladd(result, x, coefficient)
        return result

    def mul_high(self, a: Value, b: Value) -> Value:
        """Print the upper half of the product of two unsigned ints."""
        double_width = self.vector(f"i{2 * BITS[a.dtype]}")
        wide = [self.emit("", f"zext {self.ir_type(a.dtype)} {x.text} to {double_width}").text for x in (a, b)]
        product = self.emit("", f"mul {double_width} {wide[0]}, {wide[1]}").text
        shift = f"i{2 * BITS[a.dtype]} {BITS[a.dtype]}"
        shift = shift.partition(" ")[2] if self.lanes == 1 else f"splat ({shift})"
        upper = self.emit("", f"lshr {double_width} {product}, {shift}").text
        return self.emit(a.dtype, f"trunc {double_width} {upper} to {self.ir_type(a.dtype)}")

    def emit_call(self, dtype: str, symbol: str, values: Sequence[Value]) -> Value:
        """Print a call of a pure function."""
        arguments = ", ".join(f"{self.ir_type(value.dtype)} {value.text}" for value in values)
        return self.emit(dtype, f"call {self.ir_type(dtype)} @{symbol}({arguments})")

    def _call_by_lane(self, symbol: str, values: Sequence[Value], last: str = "") -> Value:
        dtype = values[0].dtype
        element = IR_TYPES[dtype]
        if self.lanes == 1:
            arguments = ", ".join(f"{element} {value.text}" for value in values)
            return self.emit(dtype, f"call {element} @{symbol}({arguments}{last})")
        result = "poison"
        for lane in range(self.lanes):
            parts = [self.emit(dtype, f"extractelement {self.ir_type(dtype)} {value.text}, i64 {lane}") for value in values]
            arguments = ", ".join(f"{element} {part.text}" for part in parts)
            scalar = self.emit(dtype, f"call {element} @{symbol}({arguments}{last})")
            result = self.emit(dtype, f"insertelement {self.ir_type(dtype)} {result}, {element} {scalar.text}, i64 {lane}").text
        return Value(dtype, result)

    def libm(self, name: str, values: Sequence[Value]) -> Value:
        """Print a call of a function of C's libm, lane by lane."""
        element = IR_TYPES[values[0].dtype]
        symbol = name + ("f" if values[0].dtype == "float32" else "")
        self.module.declare(f"declare {element} @{symbol}({', '.join([element] * len(values))}) {PURE}")
        return self._call_by_lane(symbol, values)

    def borrowed(self, name: str, values: Sequence[Value]) -> Value:
        """Print a call of a function of SciPy, lane by lane, on doubles."""
        for declaration in declarations(name, PURE):
            self.module.declare(declaration)
        wide = [self.convert(value, "float64") for value in values]
        return self.convert(self._call_by_lane(symbol(name), wide, ", i32 0"), values[0].dtype)

    def int_power(self, base: Value, exponent: Value) -> Value:
        """Print the power of ints, which wraps around as a product does; `exponent` is not negative."""
        element = IR_TYPES[base.dtype]
        self.module.declare(_INT_POWER.replace("i64", element))
        return self._call_by_lane(f"td.int_power.{element}", [base, exponent])

    def any(self, condition: Value) -> Value:
        """Print whether a condition holds in some lane."""
        self.module.declare(f"declare i1 @llvm.vector.reduce.or.v{self.lanes}i1({self.ir_type('bool')})")
        return self.emit("bool", f"call i1 @llvm.vector.reduce.or.v{self.lanes}i1({self.ir_type('bool')} {condition.text})")


_INT_POWER = """define internal i64 @td.int_power.i64(i64 %base, i64 %exponent) nounwind willreturn memory(none) {
entry:
  br label %loop
loop:
  %power = phi i64 [ %base, %entry ], [ %square, %loop ]
  %rest = phi i64 [ %exponent, %entry ], [ %half, %loop ]
  %product = phi i64 [ 1, %entry ], [ %next, %loop ]
  %odd = trunc i64 %rest to i1
  %factor = select i1 %odd, i64 %power, i64 1
  %next = mul i64 %product, %factor
  %square = mul i64 %power, %power
  %half = lshr i64 %rest, 1
  %more = icmp ne i64 %half, 0
  br i1 %more, label %loop, label %exit
exit:
  ret i64 %next
}
"""

_PYTHON_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_PYTHON_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.LShift: lambda a, b: a << b,
}

_INSTRUCTIONS: dict[str, dict[type[ast.operator], str]] = {
    "float": {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"},
    "int": {
        ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
        ast.LShift: "shl", ast.RShift: "ashr",
    },
    "bool": {ast.Add: "or", ast.Mult: "and", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor"},
}  # fmt: skip

_PREDICATES: dict[type[ast.cmpop], dict[str, str]] = {
    ast.Eq: {"float": "oeq", "int": "eq", "bool": "eq"},
    ast.NotEq: {"float": "une", "int": "ne", "bool": "ne"},
    ast.Lt: {"float": "olt", "int": "slt", "bool": "ult"},
    ast.LtE: {"float": "ole", "int": "sle", "bool": "ule"},
    ast.Gt: {"float": "ogt", "int": "sgt", "bool": "ugt"},
    ast.GtE: {"float": "oge", "int": "sge", "bool": "uge"},
}


def _conversion(source: str, target: str, source_bits: int, target_bits: int) -> str:
    if source == target == "float":
        return "fptrunc" if target_bits < source_bits else "fpext"
    if source == target == "int":
        return "trunc" if target_bits < source_bits else "sext"
    return {
        ("float", "int"): "fptosi",
        ("int", "float"): "sitofp",
        ("bool", "float"): "uitofp",
        ("bool", "int"): "zext",
    }[source, target]


def common_dtype(*operands: Operand) -> str:
    dtypes = {operand.dtype for operand in operands if isinstance(operand, Value)}
    if len(dtypes) != 1:
        raise TypeError(f"formula: operands of one operation have the dtypes {sorted(dtypes)}; convert them to one")
    return dtypes.pop()


def constant_text(dtype: str, number: Number) -> str:
    if dtype == "bool":
        return "true" if number else "false"
    if KIND[dtype] == "int":
        if number != int(number):
            raise TypeError(f"formula: the number {number} meets a value of {dtype}")
        bits = BITS[dtype]
        return str((int(number) + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1))
    number = float(number)
    if dtype == "float32":
        number = _rounded_to_float32(number)
    return "0x" + struct.pack(">d", number).hex().upper()


def _rounded_to_float32(number: float) -> float:
    try:
        rounded: float = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return rounded
