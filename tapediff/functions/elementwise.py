"""Element-wise functions: one for every row of the table of element-wise ops; by hand only those that take more than operands."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.elementwise_examples import EXAMPLES
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor, function, method
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.op import Elementwise
from tapediff.ops.structural import STRUCTURAL
from tapediff.quick import BINARY, UNARY, quick, serve
from tapediff.recording import cast, elementwise, is_traced, result_dtype, structural
from tapediff.tensor import Tensor

__all__ = [
    "add", "addcdiv", "addcmul", "allclose", "clamp", "div", "equal", "float_power", "isclose", "lerp", "pow", "sub", "where",
]

# Rows that other functions record: no function of PyTorch's top namespace has their name.
INTERNAL = {
    "airy_ai", "airy_ai_slope", "bce", "bce_logits", "bessel_i", "bessel_j", "bessel_j0", "bessel_j1", "bessel_y0",
    "bessel_y1", "cast", "celu", "cube", "clamp_tensors", "elu", "entr", "erfcx", "gammainc", "gammaincc", "gelu", "gelu_tanh",
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "huber", "i0e", "i1", "i1e", "leaky_relu", "log_ndtr", "logit_eps",
    "logsigmoid", "mish", "modified_bessel_k0", "modified_bessel_k1", "ndtri", "prelu", "round_decimals", "scaled_bessel_i",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "selu", "silu", "smooth_l1", "softplus",
    "softshrink", "spherical_bessel_j0", "sq_error", "threshold", "trunc_divide", "zero_product", "zeta",
}
# Facts of PyTorch's signatures: the second operand must be a tensor; the first may be a number.
TENSORS_ONLY = {
    "atan2", "fmax", "fmin", "heaviside", "hypot", "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor",
    "maximum", "minimum",
}
NUMBER_FIRST = {
    "add", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "div", "floor_divide",
    "mul", "pow", "remainder", "sub", "xlogy",
}
ALIASES = {
    "abs": ("absolute",), "acos": ("arccos",), "acosh": ("arccosh",), "asin": ("arcsin",), "asinh": ("arcsinh",), "atan":
    ("arctan",), "atan2": ("arctan2",), "atanh": ("arctanh",), "ge": ("greater_equal",), "gt": ("greater",), "le":
    ("less_equal",), "lt": ("less",), "mul": ("multiply",), "ne": ("not_equal",), "neg": ("negative",), "sign": ("sgn",),
    "trunc": ("fix",),
}


# --- arguments ------------------------------------------------------------------------------------------------------------------

def is_number(value: Any) -> bool:
    """Whether `value` is a Python or NumPy number that may stand beside a tensor."""
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def plain(value: Any) -> Any:
    """A NumPy number as a Python one; anything else unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def refuse_out(name: str, out: Any) -> None:
    """Refuse an `out` that is given."""
    if out is not None:
        raise TypeError(f"{name}(): argument 'out' is not supported, got {type(out).__name__}: take the result, or write it "
                        "with out.copy_(...)")


def operand(value: Any, name: str, argument: str, position: int, accepts_numbers: bool = True) -> Any:
    """An operand of a function of two: a tensor, or a number where the function takes numbers."""
    if isinstance(value, Tensor):
        return value
    if accepts_numbers and is_number(value):
        return plain(value)
    remedy = " (a number would do, too)" if accepts_numbers else f": got {value!r}"
    raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}{remedy}")


def checked(row: Elementwise, first: Any, second: Any, out: Any) -> Tensor:
    """The general path of a function of two operands."""
    name = row.name
    refuse_out(name, out)
    a, b = row.arguments
    numbers = name not in TENSORS_ONLY
    first = operand(first, name, a, 1, name in NUMBER_FIRST)
    second = operand(second, name, b, 2, numbers)
    if not isinstance(first, Tensor) and not isinstance(second, Tensor):
        raise TypeError(f"{name}(): argument '{a}' (position 1) must be Tensor, not {type(first).__name__}")
    return elementwise(row, first, second)


def array_of(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The value of a tensor, computed now; what is recorded depends on it."""
    return tensor._array()


# --- generated functions --------------------------------------------------------------------------------------------------------

def of_one(row: Elementwise, fast: Callable[..., Any]) -> Callable[..., Tensor]:
    """The function of a row of one operand; `fast` is its quick path."""
    def function(input: Tensor, *, out: None = None) -> Tensor:
        if out is not None or not isinstance(input, Tensor):
            check_tensor(input, row.name)
            refuse_out(row.name, out)
        return fast(input)
    return function


def of_two(row: Elementwise, fast: Callable[..., Any]) -> Callable[..., Tensor]:
    """The function of a row of two operands."""
    def function(input: Any, other: Any, *, out: None = None) -> Tensor:
        kind_of = type(other)
        if out is None and type(input) is Tensor and (kind_of is Tensor or kind_of is float or kind_of is int):
            return fast(input, other)
        return checked(row, input, other, out)
    return function


def of_two_tensors(row: Elementwise, fast: Callable[..., Any]) -> Callable[..., Tensor]:
    """The function of a row of two operands that must be tensors."""
    def function(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
        if out is None and type(input) is Tensor and type(other) is Tensor:
            return fast(input, other)
        return checked(row, input, other, out)
    return function


def with_arguments(made: Any, names: tuple[str, ...]) -> None:
    """Give the first arguments of a function other names."""
    old = made.__code__.co_varnames
    if old[:len(names)] != names:
        made.__code__ = made.__code__.replace(co_varnames=names + old[len(names):])
        made.__annotations__ = {dict(zip(old, names)).get(name, name): annotation
                                for name, annotation in made.__annotations__.items()}


def documentation(row: Elementwise, name: str) -> str:
    """The docstring of a row's function: what it computes, its formula, an example."""
    sentence, arguments, printed = EXAMPLES.get(row.name, (row.doc, "", ""))
    variables = ", ".join(f"{letter} = {argument}" for letter, argument in zip("abc", row.arguments))
    lines = [sentence or f"{name}, element by element.", "", f"Formula: ``{row.formula}`` with {variables}."]
    if row.arity == 2:
        lines.append("The operands broadcast and promote.")
    if arguments:
        lines += ["", ">>> import tapediff as td", f">>> td.{name}({arguments})", *printed.splitlines()]
    return "\n".join(lines) + "\n"


def generated(row: Elementwise) -> Callable[..., Tensor]:
    """The public function of a row of one or two operands."""
    name = row.name
    fast = quick(UNARY if row.arity == 1 else BINARY, name, name)
    made = (of_one if row.arity == 1 else of_two_tensors if name in TENSORS_ONLY else of_two)(row, fast)
    serve(fast, made)
    with_arguments(made, row.arguments)
    made.__name__ = made.__qualname__ = name
    made.__doc__ = documentation(row, name)
    if row.arity == 1:
        fast.__doc__ = made.__doc__
        setattr(Tensor, name, fast)
    return made


def publish(name: str, made: Callable[..., Tensor]) -> None:
    """Make a generated function public under its name and its aliases."""
    is_unary = ROWS[name].arity == 1
    for public in (name, *ALIASES.get(name, ())):
        FUNCTIONS[public] = made
        setattr(Tensor, public, getattr(Tensor, name) if is_unary else made)


for _row in ROWS.values():
    if _row.arity < 3 and _row.name not in INTERNAL:
        publish(_row.name, generated(_row))

__test__ = {name: made.__doc__ for name, made in FUNCTIONS.items() if made.__module__ == __name__}


# --- arithmetic that takes more than its row ------------------------------------------------------------------------------------

_add, _sub, _div, _pow = FUNCTIONS["add"], FUNCTIONS["sub"], FUNCTIONS["div"], FUNCTIONS["pow"]


def scaled(name: str, alpha: Any, input: Any, other: Any) -> Any:
    """`alpha * other`, for `input + alpha * other`, in the dtype that the sum will have."""
    if not is_number(alpha):
        raise TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    alpha = plain(alpha)
    other = operand(other, name, "other", 2)
    dtype = result_dtype((operand(input, name, "input", 1), other))
    if isinstance(alpha, float) and not dtype.is_floating_point:
        raise RuntimeError(f"For integral input tensors, argument alpha must not be a floating point number: {name} got "
                           f"alpha={alpha}")
    if isinstance(alpha, bool) and dtype.category:
        raise RuntimeError(f"Boolean alpha only supported for Boolean results: {name} got alpha={alpha}")
    if not isinstance(other, Tensor):
        return other * alpha
    return cast(elementwise(ROWS["mul"], cast(other, dtype), alpha), dtype)


@function("add", "add")
def add(input: Tensor, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
    """``input + alpha * other``; the operands broadcast and promote.

    >>> import tapediff as td
    >>> td.add(td.tensor([1., 2.]), td.tensor([10., 20.]), alpha=0.5)
    tensor([ 6., 12.])
    """
    if alpha == 1 and type(alpha) is int:
        return _add(input, other, out=out)
    return _add(input, scaled("add", alpha, input, other), out=out)


@function("sub", "subtract")
def sub(input: Tensor, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
    """``input - alpha * other``; the operands broadcast and promote.

    >>> import tapediff as td
    >>> td.sub(td.tensor([1., 2.]), 1)
    tensor([0., 1.])
    """
    if alpha == 1 and type(alpha) is int:
        return _sub(input, other, out=out)
    return _sub(input, scaled("sub", alpha, input, other), out=out)


@function(method=False)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``.

    >>> import tapediff as td
    >>> td.rsub(td.tensor([1., 2.]), 1)
    tensor([ 0., -1.])
    """
    check_tensor(input, "rsub")
    result = sub(other, input, alpha=alpha)
    return named(result, "RsubBackward0") if isinstance(other, Tensor) else result


@function("div", "divide")
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
    """``input / other``, rounded down ("floor") or towards zero ("trunc") if asked for; a quotient of integers is floating
    without rounding.

    >>> import tapediff as td
    >>> td.div(td.tensor([7, -7]), 2), td.div(td.tensor([7, -7]), 2, rounding_mode="trunc")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -3]))
    """
    if rounding_mode is None:
        return _div(input, other, out=out)
    if rounding_mode == "floor":
        return FUNCTIONS["floor_divide"](input, other, out=out)
    if rounding_mode == "trunc":
        check_division("div", input, other)
        return checked(ROWS["trunc_divide"], input, other, out)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")


@function()
def true_divide(input: Tensor, other: Any, *, out: None = None) -> Tensor:
    """``input / other``, always floating.

    >>> import tapediff as td
    >>> td.true_divide(td.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    """
    return _div(input, other, out=out)


def check_division(name: str, input: Any, other: Any) -> None:
    """Refuse to divide integers by zero, as PyTorch does; reads the divisor if both are integers.

    Raises
        RuntimeError: a divisor is zero.
    """
    for value in (input, other):
        if isinstance(value, float) or (isinstance(value, Tensor) and value.spec.dtype.is_floating_point):
            return
    if isinstance(other, Tensor):
        has_zero = some(other == 0) if is_traced() else not array_of(other).all()
    else:
        has_zero = is_number(other) and not other
    if has_zero:
        raise RuntimeError(f"ZeroDivisionError: {name} got an integer divisor that is zero; divide as floats to get inf or nan")


def divided(name: str) -> None:
    """Replace an integer division by one that checks its divisor."""
    unchecked = FUNCTIONS[name]
    floating = (dtypes.float32, dtypes.float64)

    def division(input: Tensor, other: Any, *, out: None = None) -> Tensor:
        if type(input) is not Tensor or input.spec.dtype not in floating:
            check_division(name, input, other)
        return unchecked(input, other, out=out)

    division.__name__ = division.__qualname__ = name
    division.__doc__ = unchecked.__doc__
    function(name)(division)


for _name in ("floor_divide", "remainder", "fmod"):
    divided(_name)


@function()
def pow(input: Any, exponent: Any, *, out: None = None) -> Tensor:
    """``input ** exponent``; either may be a number, not both.

    Raises
        RuntimeError: a tensor of integers and a negative number as exponent.

    >>> import tapediff as td
    >>> td.pow(td.tensor([1., 2., 3.]), 2), td.pow(2, td.tensor([1., 2.]))
    (tensor([1., 4., 9.]), tensor([2., 4.]))
    """
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Tensor):
        check_exponent(input, exponent)
    return _pow(input, exponent, out=out)


def check_exponent(base: Tensor, exponent: int) -> None:
    """Refuse a negative integer power of integers."""
    if not base.spec.dtype.is_floating_point:
        raise RuntimeError(f"Integers to negative integer powers are not allowed. pow got {base.spec.dtype} ** {exponent}; use "
                           "a floating tensor")


@function()
def float_power(input: Any, exponent: Any, *, out: None = None) -> Tensor:
    """``input ** exponent`` in double precision.

    >>> import tapediff as td
    >>> td.float_power(td.tensor([1, 2, 4]), -1)
    tensor([1.0000, 0.5000, 0.2500], dtype=torch.float64)
    """
    refuse_out("float_power", out)
    a, b = (cast(x, dtypes.float64) if isinstance(x, Tensor) else float(operand(x, "float_power", argument, position))
            for position, (argument, x) in enumerate((("input", input), ("exponent", exponent)), 1))
    return _pow(a, b)


@function(method=False)
def positive(input: Tensor) -> Tensor:
    """The tensor itself.

    Raises
        RuntimeError: a bool tensor.

    >>> import tapediff as td
    >>> td.positive(td.tensor([1., -2.]))
    tensor([ 1., -2.])
    """
    check_tensor(input, "positive")
    if input.spec.dtype.category == 0:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


method("positive")(positive)
FUNCTIONS["positive"] = positive


# --- rounding, limits and replacement -------------------------------------------------------------------------------------------

_round = FUNCTIONS["round"]


@function()
def round(input: Tensor, *, decimals: int = 0, out: None = None) -> Tensor:
    """Each element rounded to the nearest integer, a tie to the even one; or to `decimals` decimal places.

    >>> import tapediff as td
    >>> td.round(td.tensor([0.5, 1.5, 2.345])), td.round(td.tensor([2.345]), decimals=1)
    (tensor([0., 2., 2.]), tensor([2.3000]))
    """
    if decimals == 0:
        return _round(input, out=out)
    check_tensor(input, "round")
    refuse_out("round", out)
    if not input.spec.dtype.is_floating_point:
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{input.spec.dtype.legacy}': round with decimals takes "
                                  "floating tensors")
    scale = 10.0 ** decimals if decimals > 0 else -(10.0 ** -decimals)
    return elementwise(ROWS["round_decimals"], input, scale)


@function("clamp", "clip")
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
    """Each element brought between `min` and `max`, numbers or tensors; an element that is moved passes no gradient on.

    Raises
        RuntimeError: neither limit is given.

    >>> import tapediff as td
    >>> td.clamp(td.tensor([-2., 0.5, 3.]), -1, 1), td.clamp(td.tensor([-2., 3.]), min=0)
    (tensor([-1.0000,  0.5000,  1.0000]), tensor([0., 3.]))
    """
    check_tensor(input, "clamp")
    refuse_out("clamp", out)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    limits = [limit for limit in (min, max) if limit is not None]
    of_tensors = isinstance(limits[0], Tensor)
    for limit in limits:
        if isinstance(limit, Tensor) is not of_tensors or not (of_tensors or is_number(limit)):
            raise TypeError("clamp() received an invalid combination of arguments - got "
                            f"(Tensor, {type(min).__name__}, {type(max).__name__}): min and max must both be tensors or both "
                            "be numbers")
    if of_tensors:
        return clamp_to_tensors(input, min, max)
    if len(limits) == 2:
        return elementwise(ROWS["clamp"], input, plain(min), plain(max))
    limit = plain(limits[0])
    if not input.spec.dtype.is_floating_point:
        return elementwise(ROWS["clamp_min" if max is None else "clamp_max"], input, limit)
    endless = builtins.float("inf")
    low, high = (limit, endless) if max is None else (-endless, limit)
    return elementwise(ROWS["clamp"], input, low, high)


def clamp_to_tensors(input: Tensor, min: Tensor | None, max: Tensor | None) -> Tensor:
    """Clamp between tensors, either of which may be missing."""
    if not result_dtype(tuple(x for x in (input, min, max) if x is not None)).is_floating_point:
        lower = input if min is None else elementwise(ROWS["clamp_min"], input, min)
        return lower if max is None else elementwise(ROWS["clamp_max"], lower, max)
    endless = builtins.float("inf")
    return elementwise(ROWS["clamp_tensors"], input, -endless if min is None else min, endless if max is None else max)


@function()
def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *,
               out: None = None) -> Tensor:
    """Each nan replaced by `nan` (0 by default) and each infinity by `posinf` or `neginf` (by default the largest and smallest
    finite numbers).

    >>> import tapediff as td
    >>> td.nan_to_num(td.tensor([float("nan"), 1., float("inf")]), posinf=9.)
    tensor([0., 1., 9.])
    """
    refuse_out("nan_to_num", out)
    check_tensor(input, "nan_to_num")
    if input.spec.dtype.category == 0:
        return elementwise(ROWS["logical_or"], input, False)
    if (nan is None and posinf is None and neginf is None) or not input.spec.dtype.is_floating_point:
        return elementwise(ROWS["nan_to_num"], input)
    limits = np.finfo(input.spec.dtype.numpy)
    replacements = (0.0 if nan is None else float(nan), builtins.float(limits.max) if posinf is None else float(posinf),
                    builtins.float(limits.min) if neginf is None else float(neginf))
    return structural(STRUCTURAL["nan_to_numbers"], replacements, input)


_logit = FUNCTIONS["logit"]


@function()
def logit(input: Tensor, eps: float | None = None, *, out: None = None) -> Tensor:
    """``log(x / (1 - x))``, with x first brought into ``[eps, 1 - eps]`` if `eps` is given.

    >>> import tapediff as td
    >>> td.logit(td.tensor([0.5, 1.]), eps=0.25)
    tensor([0.0000, 1.0986])
    """
    if eps is None:
        return _logit(input, out=out)
    check_tensor(input, "logit")
    refuse_out("logit", out)
    return elementwise(ROWS["logit_eps"], input, float(eps))


def floating(input: Tensor) -> dtypes.DType:
    """The dtype in which a function of floats takes `input`."""
    dtype = input.spec.dtype
    return dtype if dtype.is_floating_point else dtypes.get_default_dtype()


# --- three operands -------------------------------------------------------------------------------------------------------------

@function(method=False)
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: None = None) -> Any:
    """`input` where `condition` is true and `other` elsewhere; with the condition alone, the indices of its true elements.

    The condition is a bool tensor; `input` and `other` are tensors or numbers. An element that is not taken passes no gradient
    on, not even nan.

    >>> import tapediff as td
    >>> x = td.tensor([-1., 4.])
    >>> td.where(x > 0, x, 0.)
    tensor([0., 4.])
    """
    check_tensor(condition, "where", "condition")
    refuse_out("where", out)
    if input is None and other is None:
        return FUNCTIONS["nonzero"](condition, as_tuple=True)
    input, other = operand(input, "where", "input", 2), operand(other, "where", "other", 3)
    if condition.spec.dtype is not dtypes.bool_:
        raise RuntimeError("where expected condition to be a boolean tensor, but got a tensor with dtype "
                           f"{condition.spec.dtype.legacy}; "
                           "compare it with something, as in condition != 0")
    return elementwise(ROWS["where"], condition, input, other)


@method("where")
def where_of(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """``where(condition, self, other)``."""
    return where(condition, self, other)


_DTYPE_WORDS = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int", "bool": "bool"}


@function()
def lerp(input: Tensor, end: Tensor, weight: Any, *, out: None = None) -> Tensor:
    """``input + weight * (end - input)``: the point between two tensors at `weight`, a number or a tensor.

    >>> import tapediff as td
    >>> td.lerp(td.tensor([0., 10.]), td.tensor([1., 20.]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    check_tensor(input, "lerp")
    check_tensor(end, "lerp", "end", 2)
    weight = operand(weight, "lerp", "weight", 3)
    refuse_out("lerp", out)
    for argument, value in (("end", end), ("weight", weight)):
        if isinstance(value, Tensor) and value.spec.dtype is not input.spec.dtype:
            raise RuntimeError(f"expected dtype {_DTYPE_WORDS[input.spec.dtype.name]} for `{argument}` but got dtype "
                               f"{_DTYPE_WORDS[value.spec.dtype.name]}: lerp does not promote; convert with .to(...)")
    return elementwise(ROWS["lerp"], input, end, weight)


def fused(name: str, input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any, out: Any) -> Tensor:
    """addcmul and addcdiv."""
    for position, (argument, given) in enumerate((("input", input), ("tensor1", tensor1), ("tensor2", tensor2)), 1):
        check_tensor(given, name, argument, position)
    refuse_out(name, out)
    if value != 1:
        tensor1 = scaled(name, value, input, tensor1)
    return elementwise(ROWS[name], input, tensor1, tensor2)


@function()
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
    """``input + value * tensor1 * tensor2``.

    >>> import tapediff as td
    >>> td.addcmul(td.tensor([1., 1.]), td.tensor([2., 3.]), td.tensor([4., 5.]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    return fused("addcmul", input, tensor1, tensor2, value, out)


@function()
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
    """``input + value * tensor1 / tensor2``.

    Raises
        RuntimeError: tensor1 and tensor2 are both of integers.

    >>> import tapediff as td
    >>> td.addcdiv(td.tensor([1., 1.]), td.tensor([2., 3.]), td.tensor([4., 6.]))
    tensor([1.5000, 1.5000])
    """
    if all(isinstance(x, Tensor) and not x.spec.dtype.is_floating_point for x in (tensor1, tensor2)):
        raise RuntimeError("Integer division with addcdiv is no longer supported: addcdiv got tensor1 and tensor2 of "
                           f"{tensor1.spec.dtype} and {tensor2.spec.dtype}; convert one with .float(), or write input + value "
                           "* (tensor1 / tensor2)")
    return fused("addcdiv", input, tensor1, tensor2, value, out)


# --- special signatures ---------------------------------------------------------------------------------------------------------

@function(method=False)
def polygamma(n: int, input: Tensor, *, out: None = None) -> Tensor:
    """The n-th derivative of the digamma function.

    >>> import tapediff as td
    >>> td.polygamma(1, td.tensor([1.]))
    tensor([1.6449])
    """
    if isinstance(n, Tensor):
        n, input = input, n
    check_tensor(input, "polygamma", "input", 2)
    refuse_out("polygamma", out)
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n. Got {n}")
    input = cast(input, floating(input))
    return elementwise(ROWS["polygamma"], int(n), input)


@method("polygamma")
def polygamma_of(self: Tensor, n: int) -> Tensor:
    """``polygamma(n, self)``."""
    return polygamma(n, self)


_heaviside = FUNCTIONS["heaviside"]


@function()
def heaviside(input: Tensor, values: Tensor, *, out: None = None) -> Tensor:
    """0 where `input` is negative, 1 where it is positive, and `values` where it is zero.

    >>> import tapediff as td
    >>> td.heaviside(td.tensor([-1., 0., 2.]), td.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if isinstance(input, Tensor) and isinstance(values, Tensor) and input.spec.dtype is not values.spec.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes. "
                           f"Got {input.spec.dtype} and {values.spec.dtype}; convert one with .to(...)")
    return _heaviside(input, values, out=out)


# --- comparisons of whole tensors -----------------------------------------------------------------------------------------------

def close_elements(name: str, input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> np.ndarray[Any, Any]:
    """Which elements are close, as an array."""
    check_tensor(input, name)
    check_tensor(other, name, "other", 2)
    if input.spec.dtype is not other.spec.dtype:
        raise RuntimeError(f"{input.spec.dtype.legacy} did not match {other.spec.dtype.legacy}: {name} compares tensors of one "
                           "dtype; convert one with .to(...)")
    for argument, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{argument} must be greater than or equal to zero, but got {value}")
    if is_traced():
        return close_tensors(input, other, rtol, atol, equal_nan)
    a, b = np.broadcast_arrays(array_of(input), array_of(other))
    with np.errstate(all="ignore"):
        close = a == b
        if input.spec.dtype.category == 0:
            return np.asarray(close)
        difference = np.abs(a - b)
        close = close | (np.isfinite(difference) & (difference <= atol + np.abs(rtol * b)))
        return np.asarray(close | (a != a) & (b != b) if equal_nan else close)


def close_tensors(a: Tensor, b: Tensor, rtol: float, atol: float, equal_nan: bool) -> Any:
    """As `close_elements`, recorded."""
    close = a == b
    if a.spec.dtype.category == 0:
        return close
    if a.spec.dtype.category == 1:
        a, b = cast(a, dtypes.float64), cast(b, dtypes.float64)
    difference = abs(a - b)
    bound = abs(b * float(rtol)) + float(atol)
    close = close | ((difference < inf) & (difference <= bound))
    return close | ((a != a) & (b != b)) if equal_nan else close


@function()
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; infinities are close to themselves.

    >>> import tapediff as td
    >>> td.isclose(td.tensor([1., 2.]), td.tensor([1. + 1e-6, 2.1]))
    tensor([ True, False])
    """
    close = close_elements("isclose", input, other, rtol, atol, equal_nan)
    return close if isinstance(close, Tensor) else FUNCTIONS["from_numpy"](np.ascontiguousarray(close))


@function()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as `isclose` tells.

    >>> import tapediff as td
    >>> td.allclose(td.tensor([1., 2.]), td.tensor([1. + 1e-6, 2.]))
    True
    """
    close = close_elements("allclose", input, other, rtol, atol, equal_nan)
    return not some(~close) if isinstance(close, Tensor) else bool(close.all())


@function()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements.

    >>> import tapediff as td
    >>> td.equal(td.tensor([1., 2.]), td.tensor([1., 2.]))
    True
    """
    check_tensor(input, "equal")
    check_tensor(other, "equal", "other", 2)
    if input.spec.shape != other.spec.shape:
        return False
    return not some(~(input == other)) if is_traced() else bool((array_of(input) == array_of(other)).all())
