"""Prints restricted Python, a row's formula or a function of vecmath, as straight-line LLVM IR.

One text serves a scalar and a vector: a `Printer` is told the number of lanes, and every value it prints is ``double`` or
``<8 x double>`` accordingly.  The operations are IEEE operations without fast-math flags, and fused multiply-adds are explicit, so a
scalar and a lane have the same bits.  Equal instructions are printed once, which shares subexpressions between the partials of
a row.

The IR is printed as text: llvmlite.ir takes 10 times as long to build the same instructions, cannot compare vectors before it knows their
lanes, and has no splat constants.

>>> module = Module(FUNCTIONS_OF_NOTHING)
>>> printer = Printer(module, lanes=8)
>>> printer.formula("a * a + 1", {"a": Value("float64", "%a")})
Value(dtype='float64', text='%v1')
>>> print(printer.text())
  %v0 = fmul <8 x double> %a, %a
  %v1 = fadd <8 x double> %v0, splat (double 0x3FF0000000000000)
"""

from __future__ import annotations

import ast
import functools
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class Functions(Protocol):
    """Where a printer finds what a formula calls."""

    def definition(self, name: str, dtype: str) -> ast.FunctionDef | None:
        """The function that serves `name` for operands of `dtype`."""

    def constant(self, name: str, dtype: str) -> Any:
        """The number, or the numbers, that a name in capitals stands for among operands of `dtype`."""

    def row(self, name: str) -> str | None:
        """The formula of the op called `name`."""


class _NoFunctions:
    def definition(self, name: str, dtype: str) -> None:
        return None

    def constant(self, name: str, dtype: str) -> Any:
        raise NameError(f"formula: {name} is not defined")

    def row(self, name: str) -> None:
        return None


FUNCTIONS_OF_NOTHING = _NoFunctions()


class Module:
    """The functions and declarations that the printers of one LLVM module share."""

    def __init__(self, functions: Functions, has_fma: bool = True) -> None:
        self.functions = functions
        self.has_fma = has_fma
        self._results: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._definitions: list[str] = []
        self._declarations: dict[str, None] = {}

    def declare(self, declaration: str) -> None:
        """Have a line such as ``declare double @tanh(double)`` once."""
        self._declarations[declaration] = None

    def define(self, definition: str) -> None:
        """Add the text of a function."""
        self._definitions.append(definition)

    def function(self, definition: ast.FunctionDef, dtypes: tuple[str, ...], lanes: int) -> tuple[str, str]:
        """The IR name and the result dtype of a vecmath function for these operands, printed when first asked for."""
        key = (definition.name, dtypes, lanes)
        if key not in self._results:
            self._results[key] = self._print_function(definition, dtypes, lanes)
        return self._results[key]

    def _print_function(self, definition: ast.FunctionDef, dtypes: tuple[str, ...], lanes: int) -> tuple[str, str]:
        printer = Printer(self, lanes, dtype=dtypes[0])
        names = [argument.arg for argument in definition.args.args]
        values = {name: Value(dtype, f"%{name}") for name, dtype in zip(names, dtypes)}
        result = printer.run(definition, values)
        assert isinstance(result, Value), f"{definition.name} returns a number or a tuple, which is no LLVM function"
        symbol = ".".join(["td", definition.name, *dtypes, str(lanes)])
        parameters = ", ".join(f"{printer.type(value.dtype)} {value.text}" for value in values.values())
        inline = "noinline cold" if is_cold(definition) else "alwaysinline"
        self.define(
            f"define internal {printer.type(result.dtype)} @{symbol}({parameters}) {inline} {PURE} {{\nentry:\n{printer.text()}\n"
            f"  ret {printer.type(result.dtype)} {result.text}\n}}\n"
        )
        return symbol, result.dtype

    def text(self) -> str:
        """The module as LLVM IR."""
        return "\n".join([*self._declarations, "", *self._definitions])


def is_cold(definition: ast.FunctionDef) -> bool:
    """Whether a function is decorated with ``@cold``: called, not inlined."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "cold" for decorator in definition.decorator_list)


class Printer:
    """Prints straight-line IR on values of `lanes` lanes; `dtype` is that of a choice between two bare numbers."""

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

    def type(self, dtype: str) -> str:
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
        element = f"{IR_TYPES[dtype]} {_constant_text(dtype, number)}"
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
        return self.emit(
            dtype,
            f"shufflevector {self.vector(element)} {first.text}, {self.vector(element)} poison, <{self.lanes} x i32> zeroinitializer",
        )

    # Formulas and functions

    def formula(self, formula: str, names: Mapping[str, Operand]) -> Operand:
        """Print a row's formula; a bare number is returned as it is."""
        return self._scalar(_parsed(formula), dict(names))

    def run(self, definition: ast.FunctionDef, names: Mapping[str, Operand]) -> Operand | tuple[Operand, ...]:
        """Print the body of a function with its arguments bound to `names`."""
        local: dict[str, Any] = dict(names)
        for statement in definition.body:
            if isinstance(statement, ast.Assign):
                self._assign(statement.targets[0], self.expression(statement.value, local), local)
            elif isinstance(statement, ast.Return) and statement.value is not None:
                return self.expression(statement.value, local)
            elif not _is_docstring(statement):
                raise SyntaxError(
                    f"{definition.name} has `{ast.unparse(statement)}`: a formula function is made of assignments and one return"
                )
        raise SyntaxError(f"{definition.name} has no return")

    def _assign(self, target: ast.expr, value: Any, local: dict[str, Any]) -> None:
        if isinstance(target, ast.Tuple):
            for element, part in zip(target.elts, value, strict=True):
                self._assign(element, part, local)
        else:
            assert isinstance(target, ast.Name)
            local[target.id] = value

    def _scalar(self, node: ast.expr, names: Mapping[str, Any]) -> Operand:
        value = self.expression(node, names)
        assert not isinstance(value, tuple), f"{ast.unparse(node)} is a tuple, not a value"
        return value

    def expression(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        """Print an expression: a value, a bare number, or a tuple of those."""
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                return number
            case ast.Name(id=name):
                return self._named(name, names)
            case ast.Tuple(elts=elements):
                return tuple(self.expression(element, names) for element in elements)
            case ast.UnaryOp(op=op, operand=operand):
                return self.unary(type(op), self._scalar(operand, names))
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(type(op), self._scalar(left, names), self._scalar(right, names))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.compare(type(op), self._scalar(left, names), self._scalar(right, names))
            case ast.Call(func=ast.Name(id="rarely"), args=[condition, exception, usual]):
                return self._rarely(condition, exception, usual, names)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, *[self.expression(argument, names) for argument in arguments])
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._element(name, self._scalar(index, names))
        raise SyntaxError(f"`{ast.unparse(node)}` is not part of the language of formulas, see tapediff/ops/op.py")

    def _named(self, name: str, names: Mapping[str, Any]) -> Any:
        if name in names:
            return names[name]
        if name in NUMBERS:
            return NUMBERS[name]
        return self.module.functions.constant(name, self.dtype)

    def unary(self, op: type[ast.unaryop], operand: Operand) -> Operand:
        """Print ``-x`` or ``~x``."""
        if not isinstance(operand, Value):
            return -operand if op is ast.USub else ~int(operand)
        kind, type_ = KIND[operand.dtype], self.type(operand.dtype)
        if op is ast.USub and kind == "float":
            return self.emit(operand.dtype, f"fneg {type_} {operand.text}")
        if op is ast.USub and kind == "int":
            return self.emit(operand.dtype, f"sub {type_} {self.constant(operand.dtype, 0).text}, {operand.text}")
        if op is ast.Invert and kind != "float":
            return self.emit(operand.dtype, f"xor {type_} {operand.text}, {self.constant(operand.dtype, -1).text}")
        raise TypeError(f"formula: unary {op.__name__} is not defined for {operand.dtype}")

    def binary(self, op: type[ast.operator], left: Operand, right: Operand) -> Operand:
        """Print an arithmetic or bit operation; a bare number takes the dtype of the other side."""
        if op is ast.Pow:
            return self._power(left, right)
        if not isinstance(left, Value) and not isinstance(right, Value):
            return _PYTHON_OPERATIONS[op](left, right)
        dtype = _common_dtype(left, right)
        instruction = _INSTRUCTIONS[KIND[dtype]].get(op)
        if instruction is None:
            raise TypeError(f"formula: {op.__name__} is not defined for {dtype}")
        left, right = self.value(left, dtype), self.value(right, dtype)
        return self.emit(dtype, f"{instruction} {self.type(dtype)} {left.text}, {right.text}")

    def compare(self, op: type[ast.cmpop], left: Operand, right: Operand) -> Value:
        """Print a comparison, which is false with a nan except for ``!=``."""
        dtype = _common_dtype(left, right)
        predicate = _PREDICATES[op][KIND[dtype]]
        left, right = self.value(left, dtype), self.value(right, dtype)
        instruction = "fcmp" if KIND[dtype] == "float" else "icmp"
        return self.emit("bool", f"{instruction} {predicate} {self.type(dtype)} {left.text}, {right.text}")

    def _power(self, base: Operand, exponent: Operand) -> Operand:
        if isinstance(exponent, int) and 1 <= exponent <= 4:
            product = base
            for _ in range(exponent - 1):
                product = self.binary(ast.Mult, product, base)
            return product
        result: Operand = self.call("pow", base, exponent)
        return result

    def call(self, name: str, *arguments: Any) -> Any:
        """Print a call of a primitive, of a vecmath function, or of another row."""
        primitive = PRIMITIVES.get(name)
        if primitive is not None:
            return primitive(self, *arguments)
        dtype = _leading_dtype(arguments)
        definition = self.module.functions.definition(name, dtype)
        if definition is not None:
            return self._call_function(definition, dtype, arguments)
        if name.startswith("libm_"):
            return self._call_libm(name.removeprefix("libm_"), [self.value(argument, dtype) for argument in arguments])
        formula = self.module.functions.row(name)
        if formula is not None:
            return self.formula(formula, dict(zip("abc", arguments)))
        raise NameError(f"formula calls {name}({dtype}), which is neither a primitive, a function of vecmath nor a row")

    def _call_function(self, definition: ast.FunctionDef, dtype: str, arguments: Sequence[Any]) -> Any:
        names = [argument.arg for argument in definition.args.args]
        if _returns_tuple(definition) or any(isinstance(argument, tuple) for argument in arguments):
            outer, self.dtype = self.dtype, dtype
            result = self.run(definition, dict(zip(names, arguments)))
            self.dtype = outer
            return result
        values = [self.value(argument, dtype) for argument in arguments]
        symbol, result_dtype = self.module.function(definition, tuple(value.dtype for value in values), self.lanes)
        return self._emit_call(result_dtype, symbol, values)

    def _emit_call(self, dtype: str, symbol: str, values: Sequence[Value]) -> Value:
        arguments = ", ".join(f"{self.type(value.dtype)} {value.text}" for value in values)
        return self.emit(dtype, f"call {self.type(dtype)} @{symbol}({arguments})")

    def _call_libm(self, name: str, values: Sequence[Value]) -> Value:
        element = IR_TYPES[values[0].dtype]
        symbol = name + ("f" if values[0].dtype == "float32" else "")
        self.module.declare(f"declare {element} @{symbol}({', '.join([element] * len(values))}) {PURE}")
        return self._call_by_lane(symbol, values)

    def int_power(self, base: Value, exponent: Value) -> Value:
        """Print the power of ints, which wraps around as a product does; `exponent` is not negative."""
        element = IR_TYPES[base.dtype]
        self.module.declare(_INT_POWER.replace("i64", element))
        return self._call_by_lane(f"td.int_power.{element}", [base, exponent])

    def _call_by_lane(self, symbol: str, values: Sequence[Value]) -> Value:
        dtype = values[0].dtype
        element = IR_TYPES[dtype]
        if self.lanes == 1:
            return self._emit_call(dtype, symbol, values)
        result = "poison"
        for lane in range(self.lanes):
            parts = [self.emit(dtype, f"extractelement {self.type(dtype)} {value.text}, i64 {lane}") for value in values]
            scalar = self.emit(dtype, f"call {element} @{symbol}({', '.join(f'{element} {part.text}' for part in parts)})")
            result = self.emit(dtype, f"insertelement {self.type(dtype)} {result}, {element} {scalar.text}, i64 {lane}").text
        return Value(dtype, result)

    def intrinsic(self, name: str, *operands: Operand, dtype: str | None = None) -> Value:
        """Print a call of an LLVM intrinsic whose operands and result have one dtype."""
        dtype = dtype or _common_dtype(*operands)
        suffix = INTRINSIC_TYPES[dtype] if self.lanes == 1 else f"v{self.lanes}{INTRINSIC_TYPES[dtype]}"
        values = [self.value(operand, dtype) for operand in operands]
        type_ = self.type(dtype)
        self.module.declare(f"declare {type_} @llvm.{name}.{suffix}({', '.join([type_] * len(values))})")
        return self._emit_call(dtype, f"llvm.{name}.{suffix}", values)

    def where(self, condition: Operand, yes: Operand, no: Operand) -> Operand:
        """Print a selection by lane; the side that is not taken may be inf, nan or poison."""
        if not isinstance(condition, Value):
            return yes if condition else no
        dtype = _common_dtype(yes, no) if isinstance(yes, Value) or isinstance(no, Value) else self.dtype
        condition = self.convert(condition, "bool")
        yes, no = self.value(yes, dtype), self.value(no, dtype)
        type_ = self.type(dtype)
        return self.emit(dtype, f"select {self.type('bool')} {condition.text}, {type_} {yes.text}, {type_} {no.text}")

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
        return self.emit(dtype, f"{instruction} {self.type(value.dtype)} {value.text} to {self.type(dtype)}")

    def _inside_int_range(self, value: Value, dtype: str) -> Value:
        limit = 2.0 ** (BITS[dtype] - 1)
        inside = self.binary(ast.BitAnd, self.compare(ast.GtE, value, -limit), self.compare(ast.Lt, value, limit))
        result = self.where(inside, value, -limit)
        assert isinstance(result, Value)
        return result

    def bitcast(self, value: Value, dtype: str) -> Value:
        """Print a reinterpretation of the bits."""
        return self.emit(dtype, f"bitcast {self.type(value.dtype)} {value.text} to {self.type(dtype)}")

    def muladd(self, a: Operand, b: Operand, c: Operand) -> Operand:
        """Print ``a * b + c``, fused where the host can."""
        if self.module.has_fma:
            return self.intrinsic("fma", a, b, c)
        return self.binary(ast.Add, self.binary(ast.Mult, a, b), c)

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Operand:
        """Print ``c0 + c1 x + c2 x**2 + ...`` by Estrin's scheme: the chain of dependent operations grows with the logarithm of the degree."""
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
        wide = [self.emit("", f"zext {self.type(a.dtype)} {x.text} to {double_width}").text for x in (a, b)]
        product = self.emit("", f"mul {double_width} {wide[0]}, {wide[1]}").text
        shift = f"i{2 * BITS[a.dtype]} {BITS[a.dtype]}"
        shift = shift.partition(" ")[2] if self.lanes == 1 else f"splat ({shift})"
        upper = self.emit("", f"lshr {double_width} {product}, {shift}").text
        return self.emit(a.dtype, f"trunc {double_width} {upper} to {self.type(a.dtype)}")

    def _rarely(self, condition: ast.expr, exception: ast.expr, usual: ast.expr, names: Mapping[str, Any]) -> Value:
        """Print ``where(condition, exception, usual)`` such that `exception` is computed only if some lane needs it."""
        usual_value = self.expression(usual, names)
        condition_value = self.expression(condition, names)
        dtype = usual_value.dtype
        rare, after = self.fresh()[1:] + ".rare", self.fresh()[1:] + ".after"
        before = self.block
        flag = condition_value if self.lanes == 1 else self._any(condition_value)
        self.line(f"br i1 {flag.text}, label %{rare}, label %{after}, !prof !0")
        self.module.declare('!0 = !{!"branch_weights", i32 1, i32 100000}')
        self._lines.append(f"{rare}:")
        outside = dict(self._known)
        self.block = rare
        exception_value = self.where(condition_value, self.expression(exception, names), usual_value)
        assert isinstance(exception_value, Value)
        self.line(f"br label %{after}")
        exit_of_rare, self.block, self._known = self.block, after, outside
        self._lines.append(f"{after}:")
        result = Value(dtype, self.fresh())
        self.line(f"{result.text} = phi {self.type(dtype)} [ {usual_value.text}, %{before} ], [ {exception_value.text}, %{exit_of_rare} ]")
        return result

    def _any(self, condition: Value) -> Value:
        self.module.declare(f"declare i1 @llvm.vector.reduce.or.v{self.lanes}i1({self.type('bool')})")
        return self.emit("bool", f"call i1 @llvm.vector.reduce.or.v{self.lanes}i1({self.type('bool')} {condition.text})")

    def _element(self, name: str, index: Operand) -> Any:
        table = self.module.functions.constant(name, self.dtype)
        if not isinstance(index, Value):
            return table[int(index)]
        return self._gather(name, table, index)

    def _gather(self, name: str, table: Sequence[int], index: Value) -> Value:
        words = ", ".join(f"i64 {_constant_text('int64', word)}" for word in table)
        self.module.declare(f"@td.{name} = internal constant [{len(table)} x i64] [{words}]")
        if self.lanes == 1:
            address = self.emit("", f"getelementptr i64, ptr @td.{name}, i64 {index.text}").text
            return self.emit("int64", f"load i64, ptr {address}")
        result = "poison"
        for lane in range(self.lanes):
            place = self.emit("int64", f"extractelement {self.type('int64')} {index.text}, i64 {lane}").text
            address = self.emit("", f"getelementptr i64, ptr @td.{name}, i64 {place}").text
            word = self.emit("int64", f"load i64, ptr {address}").text
            result = self.emit("int64", f"insertelement {self.type('int64')} {result}, i64 {word}, i64 {lane}").text
        return Value("int64", result)


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

NUMBERS = {"pi": math.pi, "inf": math.inf, "nan": math.nan}

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


def _intrinsic(name: str) -> Callable[..., Value]:
    return lambda printer, *operands: printer.intrinsic(name, *operands)


def _rounding(name: str) -> Callable[..., Value]:
    def rounded(printer: Printer, x: Value) -> Value:
        return x if KIND[x.dtype] != "float" else printer.intrinsic(name, x)

    return rounded


def _absolute(printer: Printer, x: Value) -> Value:
    if KIND[x.dtype] == "float":
        return printer.intrinsic("fabs", x)
    negative = printer.compare(ast.Lt, x, 0)
    result = printer.where(negative, printer.unary(ast.USub, x), x)
    assert isinstance(result, Value)
    return result


def _to(dtype: str) -> Callable[..., Value]:
    return lambda printer, x: printer.convert(x, dtype)


def _fast_int(printer: Printer, x: Value) -> Value:
    dtype = SAME_SIZE_INT[x.dtype]
    return printer.emit(dtype, f"fptosi {printer.type(x.dtype)} {x.text} to {printer.type(dtype)}")


def _logical_shift_right(printer: Printer, x: Value, count: Operand) -> Value:
    return printer.emit(x.dtype, f"lshr {printer.type(x.dtype)} {x.text}, {printer.value(count, x.dtype).text}")


def _integer_division(instruction: str) -> Callable[..., Value]:
    def divide(printer: Printer, a: Value, b: Value) -> Value:
        return printer.emit(a.dtype, f"{instruction} {printer.type(a.dtype)} {a.text}, {b.text}")

    return divide


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "where": Printer.where,
    "sqrt": _intrinsic("sqrt"),
    "fma": _intrinsic("fma"),
    "copysign": _intrinsic("copysign"),
    "abs": _absolute,
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "round": _rounding("roundeven"),
    "muladd": Printer.muladd,
    "polynomial": Printer.polynomial,
    "horner": Printer.horner,
    "int_power": Printer.int_power,
    "mul_high": Printer.mul_high,
    "bits": lambda printer, x: printer.bitcast(x, SAME_SIZE_INT[x.dtype]),
    "from_bits": lambda printer, x: printer.bitcast(x, SAME_SIZE_FLOAT[x.dtype]),
    "fast_int": _fast_int,
    "float64": _to("float64"),
    "float32": _to("float32"),
    "int64": _to("int64"),
    "int32": _to("int32"),
    "shift_right_logical": _logical_shift_right,
    "below_unsigned": lambda printer, a, b: printer.emit("bool", f"icmp ult {printer.type(a.dtype)} {a.text}, {b.text}"),
    "quotient": _integer_division("sdiv"),
    "width": lambda printer, x: BITS[x.dtype],
    "rest": _integer_division("srem"),
}


def _common_dtype(*operands: Operand) -> str:
    dtypes = {operand.dtype for operand in operands if isinstance(operand, Value)}
    if len(dtypes) != 1:
        raise TypeError(f"formula: operands of one operation have the dtypes {sorted(dtypes)}; convert them to one")
    return dtypes.pop()


def _leading_dtype(arguments: Sequence[Any]) -> str:
    """The dtype that chooses a function: that of the first float operand, else of the first operand."""
    dtypes = [argument.dtype for argument in arguments if isinstance(argument, Value)]
    return next((dtype for dtype in dtypes if KIND[dtype] == "float"), dtypes[0])


def _constant_text(dtype: str, number: Number) -> str:
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


@functools.cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _returns_tuple(definition: ast.FunctionDef) -> bool:
    last = definition.body[-1]
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple)
