"""Prints restricted Python, a row's formula or a function of vecmath, as instructions.

A formula is one expression.  A function is made of assignments and one return.  A name that is called is looked for among
`PRIMITIVES`, the functions of vecmath, and the rows, in this order.

>>> from tapediff.kernels.instructions import Module
>>> printer = Printer(Module(FUNCTIONS_OF_NOTHING), lanes=4)
>>> printer.formula("sqrt(a) * sqrt(a)", {"a": Value("float32", "%a")})
Value(dtype='float32', text='%v1')
>>> print(printer.text())
  %v0 = call <4 x float> @llvm.sqrt.v4f32(<4 x float> %a)
  %v1 = fmul <4 x float> %v0, %v0
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tapediff.kernels.instructions import (
    BITS,
    KIND,
    PURE,
    SAME_SIZE_FLOAT,
    SAME_SIZE_INT,
    Instructions,
    Operand,
    Value,
    constant_text,
)
from tapediff.ops.borrowed import BORROWED, PREFIX


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


class Printer(Instructions):
    """Prints formulas and functions among the instructions of a function."""

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
                return self._operation(type(op), self._scalar(left, names), self._scalar(right, names))
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

    def _operation(self, op: type[ast.operator], left: Operand, right: Operand) -> Operand:
        return self._power(left, right) if op is ast.Pow else self.binary(op, left, right)

    def _power(self, base: Operand, exponent: Operand) -> Operand:
        if isinstance(exponent, int) and 1 <= exponent <= 4:
            return functools.reduce(functools.partial(self.binary, ast.Mult), [base] * exponent)
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
            return self.libm(name.removeprefix("libm_"), [self.value(argument, dtype) for argument in arguments])
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) in BORROWED:
            return self.borrowed(name.removeprefix(PREFIX), [self.value(argument, dtype) for argument in arguments])
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
        key = (definition.name, dtype, *(value.dtype for value in values), self.lanes)
        if key not in self.module.printed:
            self.module.printed[key] = self._print_function(definition, dtype, dict(zip(names, values)))
        symbol, result_dtype = self.module.printed[key]
        return self.emit_call(result_dtype, symbol, values)

    def _print_function(self, definition: ast.FunctionDef, dtype: str, operands: Mapping[str, Value]) -> tuple[str, str]:
        """Add a function of vecmath to the module, for operands of these dtypes; its symbol and the dtype of its result."""
        printer = Printer(self.module, self.lanes, dtype=dtype)
        parameters = {name: Value(value.dtype, f"%{name}") for name, value in operands.items()}
        result = printer.run(definition, parameters)
        assert isinstance(result, Value), f"{definition.name} returns a number or a tuple, which is no LLVM function"
        symbol = ".".join(["td", definition.name, *(value.dtype for value in parameters.values()), str(self.lanes)])
        signature = ", ".join(f"{self.ir_type(value.dtype)} {value.text}" for value in parameters.values())
        inlining = "noinline cold" if _is_cold(definition) else "alwaysinline"
        type_ = self.ir_type(result.dtype)
        self.module.define(
            f"define internal {type_} @{symbol}({signature}) {inlining} {PURE} {{\n"
            f"entry:\n{printer.text()}\n  ret {type_} {result.text}\n}}\n"
        )
        return symbol, result.dtype

    def _rarely(self, condition: ast.expr, exception: ast.expr, usual: ast.expr, names: Mapping[str, Any]) -> Value:
        """Print ``where(condition, exception, usual)`` such that `exception` is computed only if some lane needs it."""
        usual_value = self.expression(usual, names)
        condition_value = self.expression(condition, names)
        dtype = usual_value.dtype
        rare, after = self.fresh()[1:] + ".rare", self.fresh()[1:] + ".after"
        before = self.block
        flag = condition_value if self.lanes == 1 else self.any(condition_value)
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
        choices = f"[ {usual_value.text}, %{before} ], [ {exception_value.text}, %{exit_of_rare} ]"
        self.line(f"{result.text} = phi {self.ir_type(dtype)} {choices}")
        return result

    def _element(self, name: str, index: Operand) -> Any:
        table = self.module.functions.constant(name, self.dtype)
        if not isinstance(index, Value):
            return table[int(index)]
        return self._gather(name, table, index)

    def _gather(self, name: str, table: Sequence[int], index: Value) -> Value:
        words = ", ".join(f"i64 {constant_text('int64', word)}" for word in table)
        self.module.declare(f"@td.{name} = internal constant [{len(table)} x i64] [{words}]")
        if self.lanes == 1:
            address = self.emit("", f"getelementptr i64, ptr @td.{name}, i64 {index.text}").text
            return self.emit("int64", f"load i64, ptr {address}")
        result = "poison"
        for lane in range(self.lanes):
            place = self.emit("int64", f"extractelement {self.ir_type('int64')} {index.text}, i64 {lane}").text
            address = self.emit("", f"getelementptr i64, ptr @td.{name}, i64 {place}").text
            word = self.emit("int64", f"load i64, ptr {address}").text
            result = self.emit("int64", f"insertelement {self.ir_type('int64')} {result}, i64 {word}, i64 {lane}").text
        return Value("int64", result)


NUMBERS = {"pi": math.pi, "inf": math.inf, "nan": math.nan}


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
    return printer.emit(dtype, f"fptosi {printer.ir_type(x.dtype)} {x.text} to {printer.ir_type(dtype)}")


def _logical_shift_right(printer: Printer, x: Value, count: Operand) -> Value:
    return printer.emit(x.dtype, f"lshr {printer.ir_type(x.dtype)} {x.text}, {printer.value(count, x.dtype).text}")


def _integer_division(instruction: str) -> Callable[..., Value]:
    def divide(printer: Printer, a: Value, b: Value) -> Value:
        return printer.emit(a.dtype, f"{instruction} {printer.ir_type(a.dtype)} {a.text}, {b.text}")

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
    "below_unsigned": lambda printer, a, b: printer.emit("bool", f"icmp ult {printer.ir_type(a.dtype)} {a.text}, {b.text}"),
    "quotient": _integer_division("sdiv"),
    "width": lambda printer, x: BITS[x.dtype],
    "rest": _integer_division("srem"),
}


def _leading_dtype(arguments: Sequence[Any]) -> str:
    """The dtype that chooses a function: that of the first float operand, else of the first operand."""
    dtypes = [argument.dtype for argument in arguments if isinstance(argument, Value)]
    return next((dtype for dtype in dtypes if KIND[dtype] == "float"), dtypes[0])


@functools.cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _returns_tuple(definition: ast.FunctionDef) -> bool:
    last = definition.body[-1]
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple)


def _is_cold(definition: ast.FunctionDef) -> bool:
    """Whether a function is decorated with ``@cold``: called, not inlined."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "cold" for decorator in definition.decorator_list)
