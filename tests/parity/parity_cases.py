"""The table of parity cases: every op in every form, as one-line calls of `t` (the library) and its operands."""

from collections.abc import Callable
from typing import Any

from parity_operands import LAYOUTS, Operand, booleans, fixed, integers, reals
from parity_run import Case

CASES: list[Case] = []


def table(op: str, operands: tuple[Operand, ...] | Operand, calls: dict[str, Callable[..., Any]], **options: Any) -> None:
    """Add one case per call; its name is the op's, a dash, and the call's."""
    chosen = operands if isinstance(operands, tuple) else (operands,)
    CASES.extend(Case(f"{op}-{name}" if name else op, call, chosen, **options) for name, call in calls.items())


def method(name: str, *arguments: Any, **keywords: Any) -> Callable[..., Any]:
    return lambda t, x, *rest: getattr(x, name)(*rest, *arguments, **keywords)


def function(name: str, *arguments: Any, **keywords: Any) -> Callable[..., Any]:
    return lambda t, *rest: getattr(t, name)(*rest, *arguments, **keywords)


def keyword(name: str) -> Callable[..., Any]:
    return lambda t, x: getattr(t, name)(input=x)


def in_place(name: str, *arguments: Any, **keywords: Any) -> Callable[..., Any]:
    def call(t: Any, x: Any, *rest: Any) -> Any:
        y = x.clone()
        returned = getattr(y, name + "_")(*rest, *arguments, **keywords)
        assert returned is y, f"{name}_ must return the tensor itself"
        return y

    return call


ANY, POSITIVE, UNIT, ABOVE_ONE, INSIDE = (-2.0, 2.0), (0.2, 3.0), (-0.9, 0.9), (1.1, 3.0), (0.1, 0.9)
UNARY = {
    "abs": ANY,
    "neg": ANY,
    "positive": ANY,
    "sign": ANY,
    "exp": ANY,
    "exp2": ANY,
    "expm1": ANY,
    "log": POSITIVE,
    "log2": POSITIVE,
    "log10": POSITIVE,
    "log1p": UNIT,
    "sqrt": POSITIVE,
    "rsqrt": POSITIVE,
    "square": ANY,
    "reciprocal": POSITIVE,
    "sin": ANY,
    "cos": ANY,
    "tan": UNIT,
    "asin": UNIT,
    "acos": UNIT,
    "atan": ANY,
    "sinh": ANY,
    "cosh": ANY,
    "tanh": ANY,
    "asinh": ANY,
    "acosh": ABOVE_ONE,
    "atanh": UNIT,
    "sigmoid": ANY,
    "logit": INSIDE,
    "erf": ANY,
    "erfc": ANY,
    "erfinv": UNIT,
    "lgamma": POSITIVE,
    "digamma": POSITIVE,
    "sinc": ANY,
    "relu": ANY,
    "floor": ANY,
    "ceil": ANY,
    "round": ANY,
    "trunc": ANY,
    "frac": ANY,
    "deg2rad": ANY,
    "rad2deg": ANY,
    "nan_to_num": ANY,
}
BOTH = ("float64", "float32")
# PyTorch's trigamma(-1) is finite; its float32 gelu(inf) is nan, and so are its float32 remainder and fmod of 1e30 by 1e-30
SPICY_DTYPES = {"digamma": (), "gelu": BOTH[:1], "gelu tanh": BOTH[:1], "remainder": BOTH[:1], "fmod": BOTH[:1]}
LOOSER = {"lgamma": 20.0, "digamma": 1000.0, "erfinv": 50.0, "erfc": 10.0, "logit": 10.0, "tan": 10.0, "sinc": 20.0, "log1p": 5.0}
for _name, (_low, _high) in UNARY.items():
    _options = {"elementwise": True, "looser": LOOSER.get(_name, 1.0), "spicy": SPICY_DTYPES.get(_name, BOTH)}
    _forms = {"": function(_name), "method": method(_name), "keyword": keyword(_name)}
    if _name not in ("positive", "asinh", "acosh", "atanh"):  # PyTorch has no gradient for the last three in place
        _forms["in_place"] = in_place(_name)
    table(_name, reals(3, 4, low=_low, high=_high), _forms, **_options)
for _name in (
    "exp",
    "sqrt",
    "sin",
    "sigmoid",
    "abs",
    "neg",
    "square",
    "sign",
    "floor",
    "round",
    "relu",
    "isnan",
    "isinf",
    "isfinite",
):
    table(_name, integers(2, 3, low=0, high=6), {"integer": function(_name)})
for _name in ("isnan", "isinf", "isfinite", "logical_not", "signbit"):
    table(_name, reals(3, 4), {"": function(_name), "method": method(_name)}, elementwise=True)
for _alias in ("absolute", "negative", "arcsin", "arccos", "arctan", "arcsinh", "arctanh", "fix"):
    table(_alias, reals(3, low=-0.9, high=0.9), {"": function(_alias), "method": method(_alias)})
table("abs", reals(3), {"operator": lambda t, x: abs(x)})
table("neg", reals(3), {"operator": lambda t, x: -x})
table("positive", reals(3), {"operator": lambda t, x: +x})
table(
    "round",
    reals(4, low=-200, high=200),
    {
        "decimals": lambda t, x: t.round(x, decimals=1),
        "method decimals": lambda t, x: x.round(decimals=2),
    },
)
table(
    "logit",
    reals(4, low=-0.2, high=1.2),
    {"eps": lambda t, x: t.logit(x, eps=0.1), "method eps": lambda t, x: x.logit(0.1)},
    looser=10.0,
)
table(
    "nan_to_num",
    fixed([1.0, float("nan"), float("inf"), -float("inf"), -2.0]),
    {
        "special": lambda t, x: t.nan_to_num(x),
        "numbers": lambda t, x: t.nan_to_num(x, nan=1.5, posinf=9.0, neginf=-9.0),
        "method number": lambda t, x: x.nan_to_num(0.5),
    },
    layouts=(),
)
table(
    "clamp",
    reals(3, 5),
    {
        "": lambda t, x: t.clamp(x, -1, 1),
        "method": lambda t, x: x.clamp(-0.5, 0.5),
        "min": lambda t, x: x.clamp(min=0.0),
        "max": lambda t, x: t.clamp(x, max=0.25),
        "floats of ints": lambda t, x: x.clamp(0, 1),
        "in_place": in_place("clamp", -1.0, 1.0),
        "clip": lambda t, x: t.clip(x, -1.0, 1.0),
        "clip method": lambda t, x: x.clip(min=-1.0),
        "crossed": lambda t, x: x.clamp(1.0, -1.0),
        "clamp_min": lambda t, x: x.clamp_min(0.5),
        "clamp_max": lambda t, x: t.clamp_max(x, 0.5),
        "min_ in place": in_place("clamp", min=0.0),
    },
    elementwise=True,
)
table(
    "clamp",
    (reals(3, 5), reals(5, low=-2, high=0), reals(3, 1, low=0, high=2)),
    {
        "tensors": lambda t, x, low, high: t.clamp(x, low, high),
        "tensor min": lambda t, x, low, high: x.clamp(min=low),
        "tensor max": lambda t, x, low, high: x.clamp(max=high),
        "tensor keywords": lambda t, x, low, high: x.clamp(max=high, min=low),
    },
)
table("clamp", integers(6), {"integer": lambda t, x: x.clamp(-2, 3), "integer by float": lambda t, x: x.clamp(min=0.5)})

ARITHMETIC = {
    "add": (ANY, ANY),
    "sub": (ANY, ANY),
    "mul": (ANY, ANY),
    "div": (ANY, POSITIVE),
    "maximum": (ANY, ANY),
    "minimum": (ANY, ANY),
    "fmax": (ANY, ANY),
    "fmin": (ANY, ANY),
    "atan2": (ANY, POSITIVE),
    "hypot": (ANY, ANY),
    "logaddexp": (ANY, ANY),
    "logaddexp2": (ANY, ANY),
    "xlogy": (ANY, POSITIVE),
    "copysign": (POSITIVE, ANY),
    "pow": (POSITIVE, ANY),
    "fmod": (ANY, POSITIVE),
    "remainder": (ANY, POSITIVE),
    "true_divide": (ANY, POSITIVE),
    "subtract": (ANY, ANY),
    "multiply": (ANY, ANY),
    "divide": (ANY, POSITIVE),
    "float_power": (POSITIVE, ANY),
}
NO_IN_PLACE = ("maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "float_power")
for _name, ((_a, _b), (_c, _d)) in ARITHMETIC.items():
    _pair = (reals(3, 4, low=_a, high=_b), reals(3, 4, low=_c, high=_d))
    _options = {
        "elementwise": True,
        "looser": 20.0 if _name in ("pow", "float_power", "logaddexp2") else 2.0,
        "spicy": SPICY_DTYPES.get(_name, BOTH),
    }
    table(_name, _pair, {"": function(_name), "method": method(_name)}, **_options)
    if _name not in NO_IN_PLACE:
        table(_name, _pair, {"in_place": in_place(_name)}, **_options)
    table(
        _name,
        (reals(2, 1, 3, low=_a, high=_b), reals(4, 1, low=_c, high=_d)),
        {"broadcast": function(_name)},
        looser=20.0,
    )
    table(_name, (reals(3, low=_a, high=_b), reals(low=_c, high=_d)), {"0-dim": function(_name)}, looser=20.0)
    table(_name, (reals(3, low=_a, high=_b), integers(3, low=1, high=4)), {"with integers": function(_name)}, looser=20.0)
    table(
        _name,
        reals(3, low=max(_a, _c), high=min(_b, _d)),
        {"same twice": lambda t, x, f=_name: getattr(t, f)(x, x)},
        looser=20.0,
    )
    if _name not in ("maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "logaddexp", "logaddexp2"):
        table(
            _name,
            reals(3, low=_a, high=_b),
            {
                "number": lambda t, x, f=_name: getattr(t, f)(x, 2),
                "float number": lambda t, x, f=_name: getattr(t, f)(x, 1.5),
                "method number": lambda t, x, f=_name: getattr(x, f)(2.5),
            },
            looser=20.0,
        )
    if _name not in ("logaddexp", "logaddexp2", "hypot"):
        table(_name, (integers(6), integers(6, low=1, high=5)), {"integers": function(_name)})
table(
    "operators",
    (reals(3, 4, low=0.2), reals(3, 4, low=0.2)),
    {
        "+": lambda t, x, y: x + y,
        "-": lambda t, x, y: x - y,
        "*": lambda t, x, y: x * y,
        "div": lambda t, x, y: x / y,
        "**": lambda t, x, y: x**y,
        "compound": lambda t, x, y: (x * y - x / y) ** 2 + 3 * x,
        "+=": lambda t, x, y: x.clone().__iadd__(y),
        "-=": lambda t, x, y: x.clone().__isub__(y),
        "*=": lambda t, x, y: x.clone().__imul__(y),
        "div=": lambda t, x, y: x.clone().__itruediv__(y),
        "**=": lambda t, x, y: x.clone().__ipow__(y),
    },
    elementwise=True,
    looser=20.0,
)
table(
    "operators",
    (reals(3, 4, low=0.2), reals(3, 4, low=0.2)),
    {"%": lambda t, x, y: x % y},
    elementwise=True,
    looser=20.0,
    spicy=SPICY_DTYPES["remainder"],
)
table(
    "operators",
    reals(3, 4, low=0.2),
    {
        "x+1": lambda t, x: x + 1,
        "1+x": lambda t, x: 1 + x,
        "x-1.5": lambda t, x: x - 1.5,
        "1.5-x": lambda t, x: 1.5 - x,
        "2*x": lambda t, x: 2 * x,
        "x*2.5": lambda t, x: x * 2.5,
        "x/3": lambda t, x: x / 3,
        "3/x": lambda t, x: 3 / x,
        "x**2": lambda t, x: x**2,
        "x**3": lambda t, x: x**3,
        "x**0.5": lambda t, x: x**0.5,
        "x**-1": lambda t, x: x**-1,
        "x**0": lambda t, x: x**0,
        "x**1": lambda t, x: x**1,
        "2**x": lambda t, x: 2**x,
        "0.5**x": lambda t, x: 0.5**x,
        "x%0.7": lambda t, x: x % 0.7,
        "True+x": lambda t, x: True + x,
        "x*False": lambda t, x: x * False,
        "x**2.0": lambda t, x: x**2.0,
        "x**-2": lambda t, x: x**-2,
        "pow number base": lambda t, x: t.pow(2.0, x),
    },
    looser=20.0,
)
table(
    "operators",
    reals(3, 4, low=-3, high=3),
    {
        "x//0.7": lambda t, x: x.detach() // 0.7,
        "7//x": lambda t, x: 7 // x.detach(),
        "7%x": lambda t, x: 7 % x.detach(),
        "negative base": lambda t, x: x**3,
        "negative base even": lambda t, x: t.pow(x, 4),
    },
)
table(
    "div",
    (reals(3, 4), reals(4, low=0.3)),
    {
        "floor": lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        "trunc": lambda t, x, y: x.div(y, rounding_mode="trunc"),
        "none": lambda t, x, y: t.div(x, y, rounding_mode=None),
    },
    graph_name=False,
)
table(
    "floor_divide",
    (reals(3, 4), reals(4, low=0.3)),
    {
        "": lambda t, x, y: t.floor_divide(x.detach(), y.detach()),
        "method": lambda t, x, y: x.detach().floor_divide(y.detach()),
        "in_place": lambda t, x, y: x.detach().clone().floor_divide_(y.detach()),
        "operator": lambda t, x, y: x.detach() // y.detach(),
        "number": lambda t, x, y: t.floor_divide(x.detach(), 0.5),
    },
)
table("floor_divide", (integers(6), integers(6, low=1, high=5)), {"integers": function("floor_divide")})
table(
    "div",
    (integers(8), integers(8, low=1, high=4)),
    {
        "integer floor": lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        "integer trunc": lambda t, x, y: t.div(x, y, rounding_mode="trunc"),
        "integer": lambda t, x, y: x / y,
        "integer //": lambda t, x, y: x // y,
        "integer %": lambda t, x, y: x % y,
        "integer fmod": lambda t, x, y: t.fmod(x, y),
        "integer // number": lambda t, x, y: x // 3,
        "integer ** number": lambda t, x, y: x**2,
    },
)
table(
    "add",
    (reals(3, 4), reals(3, 4)),
    {
        "alpha": lambda t, x, y: t.add(x, y, alpha=2.5),
        "method alpha": lambda t, x, y: x.add(y, alpha=-2),
        "sub alpha": lambda t, x, y: x.sub(y, alpha=3),
        "in_place alpha": lambda t, x, y: x.clone().add_(y, alpha=0.5),
        "rsub": lambda t, x, y: t.rsub(x, y),
    },
)
table(
    "lerp",
    (reals(3, 4), reals(3, 4), reals(4, low=0, high=1)),
    {
        "tensor": lambda t, x, y, w: t.lerp(x, y, w),
        "number": lambda t, x, y, w: t.lerp(x, y, 0.25),
        "method": lambda t, x, y, w: x.lerp(y, weight=w),
        "past half": lambda t, x, y, w: x.lerp(y, 0.75),
        "in_place": lambda t, x, y, w: x.clone().lerp_(y, 0.5),
    },
    looser=4.0,
)
table(
    "where",
    (booleans(3, 4), reals(3, 4), reals(4)),
    {
        "": lambda t, c, x, y: t.where(c, x, y),
        "method": lambda t, c, x, y: x.where(c, y),
        "number": lambda t, c, x, y: t.where(c, x, 0.0),
        "number first": lambda t, c, x, y: t.where(c, 1.5, y),
        "two numbers": lambda t, c, x, y: t.where(c, 1.0, 2.0),
        "integer number": lambda t, c, x, y: t.where(c, x, 3),
        "keyword": lambda t, c, x, y: t.where(condition=c, input=x, other=y),
        "indices": lambda t, c, x, y: t.where(c),
        "compared": lambda t, c, x, y: t.where(x > y, x * 2, y * 3),
    },
)
table(
    "addcmul",
    (reals(3, 4), reals(3, 1), reals(4)),
    {
        "": lambda t, x, a, b: t.addcmul(x, a, b),
        "value": lambda t, x, a, b: t.addcmul(x, a, b, value=2.5),
        "method": lambda t, x, a, b: x.addcmul(a, b, value=-1),
        "in_place": lambda t, x, a, b: x.clone().addcmul_(a, b, value=0.5),
    },
    looser=4.0,
)
table(
    "addcdiv",
    (reals(3, 4), reals(3, 1), reals(4, low=0.5)),
    {
        "": lambda t, x, a, b: t.addcdiv(x, a, b),
        "value": lambda t, x, a, b: x.addcdiv(a, b, value=2),
        "in_place": lambda t, x, a, b: x.clone().addcdiv_(a, b, value=0.5),
    },
    looser=4.0,
)

for _name, _symbol in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    table(
        _name,
        (fixed([[1.0, 2.0], [-3.0, 0.0]]), fixed([1.0, -0.0])),
        {
            "": function(_name),
            "method": method(_name),
            "operator": lambda t, x, y, f=f"__{_name}__": getattr(x, f)(y),
            "number": lambda t, x, y, f=_name: getattr(t, f)(x, 1),
            "method number": lambda t, x, y, f=_name: getattr(x, f)(0.0),
        },
        elementwise=True,
    )
    table(_name, (integers(2, 3), reals(3)), {"mixed": function(_name)})
for _name in ("logical_and", "logical_or", "logical_xor"):
    table(_name, (integers(2, 3, low=0, high=2), booleans(3)), {"": function(_name), "method": method(_name)})
    table(_name, (reals(2, 3), booleans(3)), {"reals": function(_name)})
for _name, _operator in {"bitwise_and": "__and__", "bitwise_or": "__or__", "bitwise_xor": "__xor__"}.items():
    table(
        _name,
        (integers(2, 3), integers(3)),
        {
            "": function(_name),
            "operator": lambda t, x, y, f=_operator: getattr(x, f)(y),
            "number": lambda t, x, y, f=_operator: getattr(x, f)(6),
            "in_place": in_place(_name),
        },
    )
    table(
        _name,
        (booleans(2, 3), booleans(3)),
        {"bools": function(_name), "bool operator": lambda t, x, y, f=_operator: getattr(x, f)(y)},
    )
table("bitwise_not", integers(4), {"": function("bitwise_not"), "operator": lambda t, x: ~x})
table("bitwise_not", booleans(4), {"bools": function("bitwise_not"), "bool operator": lambda t, x: ~x})
table("shift", integers(4, low=0, high=9), {"<<": lambda t, x: x << 2, ">>": lambda t, x: x >> 1})
table(
    "isclose",
    (fixed([1.0, 2.0, float("nan")]), fixed([1.0 + 1e-9, 2.1, float("nan")])),
    {
        "": lambda t, x, y: t.isclose(x, y),
        "nan": lambda t, x, y: t.isclose(x, y, equal_nan=True),
        "loose": lambda t, x, y: x.isclose(y, rtol=0.1),
        "allclose": lambda t, x, y: t.allclose(x, y),
        "allclose nan": lambda t, x, y: x.allclose(y, rtol=0.1, equal_nan=True),
        "equal": lambda t, x, y: t.equal(x, y),
        "equal itself": lambda t, x, y: t.equal(y[:2], y[:2]),
    },
)

MATRIX, CUBE = reals(3, 4), reals(2, 3, 4)
for _name in ("sum", "mean"):
    table(
        _name,
        CUBE,
        {
            "": function(_name),
            "method": method(_name),
            "dim": function(_name, 1),
            "negative dim": method(_name, -1),
            "dims": function(_name, (0, 2)),
            "dims list": method(_name, [1, 2]),
            "keepdim": function(_name, 1, True),
            "keyword": function(_name, dim=0, keepdim=True),
            "dtype": function(_name, dtype=None),
            "all dims": method(_name, (0, 1, 2)),
            "keepdim dims": method(_name, dim=(-1, 0), keepdim=True),
            "axis": method(_name, axis=1),
            "empty dims": method(_name, ()),
            "to double": lambda t, x, f=_name: getattr(x, f)(dtype=t.float64),
            "dim to double": lambda t, x, f=_name: getattr(x, f)(1, dtype=t.float64),
        },
    )
table(
    "sum",
    integers(3, 4),
    {"integer": function("sum"), "integer dim": function("sum", 0), "integer to float": lambda t, x: x.sum(dtype=t.float32)},
)
table("sum", booleans(3, 4), {"bool": function("sum"), "bool dim": method("sum", 1)})
table(
    "prod",
    CUBE,
    {
        "": function("prod"),
        "method": method("prod"),
        "dim": function("prod", 1),
        "keepdim": method("prod", -1, keepdim=True),
        "keyword": function("prod", dim=0),
        "to double": lambda t, x: x.prod(dtype=t.float64),
    },
    looser=4.0,
)
table(
    "prod",
    fixed([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.0, 2.0, 4.0]]),
    {
        "zeros": function("prod"),
        "zeros dim": function("prod", 1),
        "one zero": lambda t, x: x[0].prod(),
        "no zero": lambda t, x: x[2].prod(),
    },
    layouts=(),
)
table("prod", integers(5), {"integer": function("prod")})
for _name in ("var", "std"):
    table(
        _name,
        CUBE,
        {
            "": function(_name),
            "method": method(_name),
            "dim": function(_name, 1),
            "dims": function(_name, (0, 2)),
            "keepdim": method(_name, 1, keepdim=True),
            "unbiased": function(_name, unbiased=False),
            "unbiased positional": function(_name, 1, False),
            "correction": function(_name, dim=1, correction=0),
            "correction 2": method(_name, dim=(1, 2), correction=2),
            "no dim correction": method(_name, correction=0),
        },
        looser=20.0,
        layouts=LAYOUTS[1:] if _name == "var" else (),
    )
table("var_mean", MATRIX, {"": function("var_mean", 1), "std_mean": function("std_mean", 0)}, looser=20.0, layouts=())
for _name in ("amax", "amin"):
    table(
        _name,
        CUBE,
        {
            "": function(_name),
            "method": method(_name),
            "dim": function(_name, 1),
            "dims": function(_name, (0, 2)),
            "keepdim": method(_name, -1, keepdim=True),
            "keyword": method(_name, dim=(0, 1), keepdim=True),
        },
    )
for _name in ("max", "min"):
    table(
        _name,
        CUBE,
        {
            "": function(_name),
            "method": method(_name),
            "dim": function(_name, 1),
            "negative dim": method(_name, -1),
            "keepdim": function(_name, 1, keepdim=True),
            "keyword": method(_name, dim=0, keepdim=True),
            "values": lambda t, x, f=_name: getattr(x, f)(2).values,
            "indices": lambda t, x, f=_name: getattr(x, f)(2).indices,
            "first": lambda t, x, f=_name: getattr(x, f)(0)[0],
        },
    )
    table(_name, (reals(3, 4), reals(4)), {"two tensors": function(_name), "two tensors method": method(_name)})
    table(_name, fixed([2.0, 1.0, 2.0, 1.0]), {"ties": function(_name), "ties dim": method(_name, 0)}, layouts=())
    table(_name, integers(3, 4), {"integer": function(_name), "integer dim": function(_name, 1)}, layouts=())
table("amax", fixed([2.0, 1.0, 2.0, 1.0]), {"ties": function("amax"), "amin ties": function("amin")}, layouts=())
for _name in ("argmax", "argmin"):
    table(
        _name,
        CUBE,
        {"": function(_name), "method": method(_name), "dim": function(_name, 1), "keepdim": method(_name, dim=-1, keepdim=True)},
    )
    table(_name, fixed([3, 1, 3, 1]), {"ties": function(_name)})
table(
    "aminmax",
    MATRIX,
    {
        "": lambda t, x: tuple(t.aminmax(x)),
        "dim": lambda t, x: tuple(x.aminmax(dim=1)),
        "keepdim": lambda t, x: t.aminmax(x, dim=0, keepdim=True).max,
    },
)
table(
    "logsumexp",
    CUBE,
    {
        "": function("logsumexp", 1),
        "method": method("logsumexp", -1),
        "dims": function("logsumexp", (0, 2)),
        "keepdim": method("logsumexp", 1, keepdim=True),
        "keyword": function("logsumexp", dim=0),
    },
)
table(
    "norm",
    CUBE,
    {
        "": function("norm"),
        "method": method("norm"),
        "1": function("norm", 1),
        "2": method("norm", 2),
        "3": function("norm", 3),
        "inf": function("norm", float("inf")),
        "-inf": method("norm", -float("inf")),
        "dim": function("norm", dim=1),
        "p dim": method("norm", 1, 2),
        "dims": method("norm", dim=(0, 1)),
        "keepdim": method("norm", dim=-1, keepdim=True),
        "keywords": function("norm", p=2, dim=0),
        "fro": method("norm", "fro"),
        "2.5": method("norm", 2.5, 1),
        "0": lambda t, x: x.detach().norm(0),
        "vector_norm": lambda t, x: t.linalg.vector_norm(x),
        "vector_norm dim": lambda t, x: t.linalg.vector_norm(x, 1, dim=1),
        "linalg": lambda t, x: t.linalg.norm(x[0, 0]),
    },
    looser=10.0,
)
for _name in ("any", "all"):
    table(
        _name,
        booleans(2, 3, 4),
        {
            "": function(_name),
            "method": method(_name),
            "dim": function(_name, 1),
            "keepdim": method(_name, -1, keepdim=True),
            "dims": method(_name, (0, 1)),
        },
    )
    table(_name, reals(3, 4), {"reals": function(_name)})
    table(_name, integers(3, 4, low=0, high=2), {"integers": method(_name, 1)})
for _name in ("cumsum", "cumprod"):
    table(
        _name,
        CUBE,
        {
            "": function(_name, 1),
            "method": method(_name, -1),
            "keyword": function(_name, dim=0),
            "to double": lambda t, x, f=_name: getattr(t, f)(x, 1, dtype=t.float64),
        },
        looser=4.0,
    )
    table(_name, integers(5), {"integer": function(_name, 0)})
table("cumprod", fixed([[1.0, 0.0, 3.0, 2.0], [2.0, 0.5, 0.0, 0.0]]), {"zeros": function("cumprod", 1)}, layouts=())
table(
    "count_nonzero",
    integers(3, 4, low=0, high=2),
    {
        "": function("count_nonzero"),
        "method": method("count_nonzero"),
        "dim": function("count_nonzero", 0),
        "dims": function("count_nonzero", dim=(0, 1)),
    },
)
table(
    "median",
    reals(3, 5),
    {
        "": function("median"),
        "method": method("median"),
        "dim": function("median", 1),
        "keepdim": function("median", 1, True),
    },
)
# PyTorch's answer for an expanded dim is memory that nobody wrote: another one every time
table("median", reals(3, 5), {"even dim": method("median", 0)}, layouts=("transposed", "sliced"))
table("median", reals(4, 6), {"even": function("median"), "even dim 2": function("median", dim=1)})

table(
    "reshape",
    CUBE,
    {
        "": function("reshape", (4, 6)),
        "method": method("reshape", 6, -1),
        "tuple": method("reshape", (2, 12)),
        "flat": method("reshape", -1),
        "keyword": function("reshape", shape=(24,)),
    },
)
table(
    "view",
    CUBE,
    {
        "": lambda t, x: x.contiguous().view(4, 6),
        "minus one": lambda t, x: x.contiguous().view(-1),
        "as": lambda t, x: x.contiguous().view_as(t.zeros(6, 4)),
        "reshape_as": lambda t, x: x.reshape_as(t.zeros(6, 4)),
    },
)
table(
    "flatten",
    CUBE,
    {
        "": function("flatten"),
        "method": method("flatten"),
        "start": method("flatten", 1),
        "range": function("flatten", 0, 1),
        "keyword": function("flatten", start_dim=-2, end_dim=-1),
    },
)
table("unflatten", reals(2, 12), {"": function("unflatten", 1, (3, 4)), "method": method("unflatten", -1, (2, -1))})
table("ravel", CUBE, {"": function("ravel"), "method": method("ravel")})
table(
    "squeeze",
    reals(1, 3, 1, 2),
    {
        "": function("squeeze"),
        "method": method("squeeze"),
        "dim": function("squeeze", 0),
        "negative dim": method("squeeze", -2),
        "not one": method("squeeze", 1),
        "dims": function("squeeze", (0, 2)),
    },
)
table(
    "unsqueeze",
    MATRIX,
    {"": function("unsqueeze", 0), "method": method("unsqueeze", -1), "keyword": function("unsqueeze", dim=1)},
)
table(
    "transpose",
    CUBE,
    {
        "": function("transpose", 0, 2),
        "method": method("transpose", -1, -2),
        "keyword": function("transpose", dim0=0, dim1=1),
        "swapaxes": function("swapaxes", 0, 1),
        "swapdims": method("swapdims", 1, 2),
        "mT": lambda t, x: x.mT,
        "T": lambda t, x: x[0].T,
        "t": lambda t, x: x[0].t(),
    },
)
table(
    "movedim",
    CUBE,
    {"": function("movedim", 0, 2), "tuples": method("movedim", (0, 1), (2, 0)), "moveaxis": function("moveaxis", -1, 0)},
)
table(
    "permute",
    CUBE,
    {
        "": function("permute", (2, 0, 1)),
        "method": method("permute", 1, 2, 0),
        "tuple": method("permute", (0, 2, 1)),
        "negative": method("permute", -1, 0, -2),
        "keyword": function("permute", dims=(1, 0, 2)),
    },
)
table(
    "expand",
    reals(2, 1, 3),
    {
        "": method("expand", 2, 4, 3),
        "tuple": method("expand", (2, 2, 3)),
        "minus one": method("expand", -1, 5, -1),
        "new dim": method("expand", 2, 2, 4, 3),
        "as": lambda t, x: x.expand_as(t.zeros(2, 4, 3)),
        "broadcast_to": function("broadcast_to", (2, 2, 3)),
        "broadcast_to method": method("broadcast_to", (4, 2, 1, 3)),
    },
)
table("broadcast_tensors", (reals(3, 1), reals(4)), {"": function("broadcast_tensors")})
table(
    "repeat",
    MATRIX,
    {
        "": method("repeat", 2, 3),
        "tuple": method("repeat", (1, 2)),
        "new dim": method("repeat", 2, 1, 2),
        "zero": method("repeat", 0, 1),
    },
)
table(
    "repeat_interleave",
    MATRIX,
    {
        "": function("repeat_interleave", 2),
        "dim": method("repeat_interleave", 2, dim=0),
        "last": function("repeat_interleave", 3, dim=-1),
        "counts": lambda t, x: t.repeat_interleave(x, t.tensor([1, 0, 2]), dim=0),
        "zero": method("repeat_interleave", 0, dim=1),
    },
)
table("tile", MATRIX, {"": function("tile", (2,)), "method": method("tile", 2, 2), "more": function("tile", dims=(2, 1, 2))})
PAIR = (reals(2, 3), reals(2, 3))
table(
    "cat",
    PAIR,
    {
        "": lambda t, x, y: t.cat([x, y]),
        "dim": lambda t, x, y: t.cat((x, y), 1),
        "negative dim": lambda t, x, y: t.cat([x, y, x], dim=-1),
        "one": lambda t, x, y: t.cat([x]),
        "keyword": lambda t, x, y: t.cat(tensors=[x, y], dim=0),
        "concat": lambda t, x, y: t.concat([x, y]),
        "concatenate": lambda t, x, y: t.concatenate([x, y], axis=1),
        "with constant": lambda t, x, y: t.cat([x, t.zeros(1, 3)]),
        "with empty": lambda t, x, y: t.cat([t.zeros(0), x]),
    },
)
table("cat", (reals(2, 3), integers(1, 3)), {"mixed": lambda t, x, y: t.cat([x, y])})
table(
    "stack",
    PAIR,
    {
        "": lambda t, x, y: t.stack([x, y]),
        "dim": lambda t, x, y: t.stack((x, y), 1),
        "negative dim": lambda t, x, y: t.stack([x, y], dim=-1),
        "scalars": lambda t, x, y: t.stack([x[0, 0], y[0, 0], x[1, 1]]),
    },
)
table(
    "hstack",
    PAIR,
    {
        "": lambda t, x, y: t.hstack([x, y]),
        "vectors": lambda t, x, y: t.hstack((x[0], y[0])),
        "vstack": lambda t, x, y: t.vstack([x, y[0]]),
        "dstack": lambda t, x, y: t.dstack([x, y]),
    },
    graph_name=False,
)
table(
    "split",
    reals(5, 4),
    {
        "": function("split", 2),
        "method": method("split", 3, dim=1),
        "sizes": function("split", [1, 4]),
        "sizes dim": method("split", (2, 2), -1),
        "tensor_split": function("tensor_split", 3),
        "one piece": lambda t, x: x.split(2)[1],
    },
)
table(
    "chunk",
    reals(5, 4),
    {"": function("chunk", 2), "method": method("chunk", 3, dim=1), "one piece": lambda t, x: t.chunk(x, 2, dim=1)[1]},
)
table(
    "unbind",
    CUBE,
    {
        "": function("unbind"),
        "method": method("unbind", 1),
        "one piece": lambda t, x: x.unbind(-1)[2],
        "iteration": lambda t, x: list(x),
        "unpacking": lambda t, x: [first * second for first, second in [x]],
    },
)
table(
    "flip",
    CUBE,
    {
        "": function("flip", (0,)),
        "method": method("flip", 1),
        "dims": method("flip", 0, 2),
        "negative": function("flip", [-1, 0]),
        "fliplr": lambda t, x: t.fliplr(x[0]),
        "flipud": lambda t, x: x[0].flipud(),
    },
)
table(
    "roll",
    CUBE,
    {
        "": function("roll", 1),
        "dim": method("roll", 2, 1),
        "dims": function("roll", (1, -1), (0, 2)),
        "keyword": function("roll", shifts=-3, dims=-1),
    },
)
table(
    "tril",
    CUBE,
    {
        "": function("tril"),
        "diagonal": method("tril", 1),
        "negative": function("tril", diagonal=-1),
        "triu": function("triu"),
        "triu diagonal": method("triu", diagonal=1),
        "triu negative": method("triu", -1),
    },
)
table(
    "diag",
    reals(4),
    {"": function("diag"), "above": method("diag", 1), "below": function("diag", diagonal=-2), "embed": function("diag_embed")},
    graph_name=False,
)
table("diag", reals(3, 4), {"matrix": function("diag"), "matrix above": method("diag", 2)})
table(
    "diagonal",
    CUBE,
    {
        "": function("diagonal"),
        "offset": method("diagonal", 1),
        "dims": function("diagonal", dim1=1, dim2=2),
        "all": method("diagonal", -1, -1, 0),
    },
)
table(
    "narrow",
    MATRIX,
    {
        "": function("narrow", 1, 1, 2),
        "method": method("narrow", 0, 0, 2),
        "select": function("select", 1, 2),
        "select method": method("select", -1, -1),
    },
)
INDEX = fixed([2, 0, 2])
table(
    "index_select",
    (MATRIX, INDEX),
    {
        "": lambda t, x, i: t.index_select(x, 0, i),
        "method": lambda t, x, i: x.index_select(1, i),
        "negative dim": lambda t, x, i: x.index_select(dim=-1, index=i),
    },
)
GATHERED = fixed([[0, 1, 1], [2, 2, 0], [1, 0, 2]])
table(
    "gather",
    (MATRIX, GATHERED),
    {
        "": lambda t, x, i: t.gather(x, 1, i),
        "method": lambda t, x, i: x.gather(0, i),
        "negative": lambda t, x, i: x.gather(dim=-1, index=i),
        "smaller": lambda t, x, i: x.gather(1, i[:2, :1]),
        "take_along_dim": lambda t, x, i: t.take_along_dim(x, i[:, :1], 1),
        "take_along_dim flat": lambda t, x, i: x.contiguous().take_along_dim(i.flatten()),
    },
)
table(
    "scatter",
    (reals(3, 4), GATHERED, reals(3, 3)),
    {
        "": lambda t, x, i, y: t.scatter(x, 1, t.tensor([[0, 1, 2], [3, 2, 0], [1, 0, 2]]), y),
        "method": lambda t, x, i, y: x.scatter(1, i, 2.5),
        "in_place": lambda t, x, i, y: x.clone().scatter_(1, t.tensor([[3, 1, 2], [0, 1, 2], [2, 0, 1]]), y),
        "in_place number": lambda t, x, i, y: x.clone().scatter_(0, i, -1.0),
        "add": lambda t, x, i, y: t.scatter_add(x, 1, i, y),
        "add method": lambda t, x, i, y: x.scatter_add(0, i, y),
        "add in_place": lambda t, x, i, y: x.clone().scatter_add_(-1, i, y),
        "reduce none": lambda t, x, i, y: t.zeros(3, 4).scatter_add(1, i, y.float()),
    },
)
table(
    "index_add",
    (reals(3, 4), INDEX, reals(3, 4)),
    {
        "": lambda t, x, i, y: t.index_add(x, 0, i, y),
        "alpha": lambda t, x, i, y: x.index_add(0, i, y, alpha=2.5),
        "dim": lambda t, x, i, y: x.index_add(-1, i, y[:, :3]),
        "in_place": lambda t, x, i, y: x.clone().index_add_(0, i, y),
    },
)
table(
    "masked_fill",
    (MATRIX, booleans(3, 4), reals()),
    {
        "": lambda t, x, m, v: t.masked_fill(x, m, 2.5),
        "method": lambda t, x, m, v: x.masked_fill(m, -1),
        "tensor value": lambda t, x, m, v: x.masked_fill(m, v),
        "in_place": lambda t, x, m, v: x.clone().masked_fill_(m, 0.0),
        "broadcast": lambda t, x, m, v: x.masked_fill(m[0], 9.0),
    },
)
table(
    "masked_select",
    (MATRIX, booleans(3, 4)),
    {
        "": lambda t, x, m: t.masked_select(x, m),
        "method": lambda t, x, m: x.masked_select(m),
        "broadcast": lambda t, x, m: x.masked_select(m[:, :1]),
    },
)
table(
    "sort",
    CUBE,
    {
        "": function("sort"),
        "method": method("sort", 1),
        "descending": function("sort", 0, True),
        "keyword": method("sort", dim=-1, descending=True),
        "stable": function("sort", stable=True, dim=1),
        "values": lambda t, x: x.sort().values,
    },
    layouts=(),
)
table(
    "argsort",
    CUBE,
    {
        "": function("argsort"),
        "method": method("argsort", 1),
        "descending": function("argsort", 0, True),
        "keyword": method("argsort", dim=-1, descending=True),
    },
    layouts=(),
)
table("sort", integers(7), {"stable integers": function("sort", stable=True), "stable argsort": function("argsort", stable=True)})
table(
    "topk",
    CUBE,
    {
        "": function("topk", 2),
        "method": method("topk", 1, 1),
        "smallest": function("topk", 2, dim=0, largest=False),
        "keyword": method("topk", k=3, dim=-1, largest=True, sorted=True),
        "all": method("topk", 4),
    },
    layouts=(),
)
table(
    "meshgrid",
    (reals(2), reals(3)),
    {
        "ij": lambda t, x, y: t.meshgrid(x, y, indexing="ij"),
        "xy": lambda t, x, y: t.meshgrid(x, y, indexing="xy"),
        "list": lambda t, x, y: t.meshgrid([x, y], indexing="ij"),
    },
    graph_name=False,
)

table(
    "index",
    CUBE,
    {
        "[0]": lambda t, x: x[0],
        "[-1]": lambda t, x: x[-1],
        "[0, 1, 2]": lambda t, x: x[0, 1, 2],
        "[:, 1]": lambda t, x: x[:, 1],
        "[..., 0]": lambda t, x: x[..., 0],
        "[1:]": lambda t, x: x[1:],
        "[:, ::2]": lambda t, x: x[:, ::2],
        "[None]": lambda t, x: x[None],
        "[:, None, 1]": lambda t, x: x[:, None, 1],
        "[...]": lambda t, x: x[...],
        "[-1, ..., 1:3]": lambda t, x: x[-1, ..., 1:3],
        "[5:]": lambda t, x: x[5:],
        "[True]": lambda t, x: x[True],
        "[False]": lambda t, x: x[False],
        "list": lambda t, x: x[[1, 0, 1]],
        "tensor": lambda t, x: x[t.tensor([0, 1])],
        "negative tensor": lambda t, x: x[:, t.tensor([-1, 0])],
        "two tensors": lambda t, x: x[t.tensor([0, 1, 1]), t.tensor([2, 0, 0])],
        "broadcast": lambda t, x: x[t.tensor([[0], [1]]), t.tensor([0, 2])],
        "apart": lambda t, x: x[t.tensor([0, 1]), :, t.tensor([3, 3])],
        "with slice": lambda t, x: x[1:, t.tensor([0, 2]), ::2],
        "with int": lambda t, x: x[0, t.tensor([0, 2])],
        "with None": lambda t, x: x[None, t.tensor([0, 1])],
        "with ellipsis": lambda t, x: x[..., t.tensor([0, 0])],
        "matrix": lambda t, x: x[0, t.tensor([[0, 1], [2, 2]])],
        "0-dim tensor": lambda t, x: x[t.tensor(1)],
        "mask": lambda t, x: x[x > 0],
        "mask of rows": lambda t, x: x[t.tensor([True, False])],
        "mask of two dims": lambda t, x: x[t.ones(2, 3, dtype=t.bool)],
        "slice and mask": lambda t, x: x[:, t.tensor([True, False, True])],
        "mask and int": lambda t, x: x[t.tensor([True, True]), 0],
        "numpy": lambda t, x: x[__import__("numpy").array([1, 0])],
        "bool list": lambda t, x: x[[True, False]],
        "empty": lambda t, x: x[t.zeros(0, dtype=t.int64)],
        "int32": lambda t, x: x[t.tensor([1], dtype=t.int32)],
        "range": lambda t, x: x[range(2)],
        "slice of tensors": lambda t, x: x[:, t.tensor(0) : t.tensor(2)],
        "take": lambda t, x: t.take(x, t.tensor([0, 5, 23])),
    },
)


def _written(where: Any, value: Any) -> Callable[..., Any]:
    def call(t: Any, x: Any, y: Any) -> Any:
        z = x.clone()
        z[where(t) if callable(where) else where] = value(t, y) if callable(value) else value
        return z

    return call


table(
    "setitem",
    (reals(3, 4), reals(4)),
    {
        "row number": _written(0, 5),
        "row": _written(1, lambda t, y: y),
        "column": _written((slice(None), 1), lambda t, y: y[:3]),
        "element": _written((2, 3), lambda t, y: y[0] * y[1]),
        "slice": _written((slice(0, 2), slice(1, 3)), lambda t, y: y[:2]),
        "step": _written((slice(None, None, 2),), lambda t, y: y * 2),
        "ellipsis": _written((..., 0), 1.5),
        "list": _written([0, 2], lambda t, y: y),
        "tensors": _written(lambda t: (t.tensor([0, 1]), t.tensor([2, 3])), lambda t, y: y[:2]),
        "mask number": _written(lambda t: t.eye(3, 4) > 0, 0.0),
        "mask values": _written(lambda t: t.eye(3, 4) > 0, lambda t, y: y[:3]),
        "mask rows": _written(lambda t: t.tensor([True, False, True]), lambda t, y: y),
        "all": _written(slice(None), lambda t, y: y),
        "integers": _written(0, lambda t, y: t.arange(4)),
        "None": _written((None, 0), lambda t, y: y),
        "itself": lambda t, x, y: _written(0, lambda t, y: x[1] * y)(t, x, y),
    },
    graph_name=False,
)
table(
    "views in place",
    (reals(3, 4), reals(4)),
    {
        "row": lambda t, x, y: (z := x.clone(), z[0].mul_(y), z)[2],
        "transposed": lambda t, x, y: (z := x.clone(), z.t()[1].add_(y[:3]), z)[2],
        "diagonal": lambda t, x, y: (z := x.clone(), z.diagonal().mul_(y[:3]), z)[2],
        "view of view": lambda t, x, y: (z := x.contiguous().clone(), z.view(2, 6)[1].view(3, 2)[:, 0].copy_(y[:3]), z)[2],
        "read after": lambda t, x, y: (z := x.clone(), v := z[1], z.mul_(2.5), v * y)[3],
        "sibling": lambda t, x, y: (z := x.clone(), a := z[:2], z[1:].mul_(3), a * y)[3],
        "fill": lambda t, x, y: (z := x.clone(), z[:, 1:3].fill_(2.0), z * y)[2],
        "zero": lambda t, x, y: (z := x.clone(), z[0].zero_(), z)[2],
        "exp": lambda t, x, y: (z := x.clone(), z[1].exp_(), z * y)[2],
        "chunks": lambda t, x, y: (z := x.clone(), [c.mul_(2) for c in (z[:, :2], z[:, 2:])], z)[2],
        "squeeze": lambda t, x, y: (z := x.clone(), z[:1].squeeze(0).mul_(y), z)[2],
        "write twice": lambda t, x, y: (z := x.clone(), z[0].copy_(y), z[0].mul_(z[1].clone()), z)[3],
    },
    graph_name=False,
)

for _left, _right in [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 2)),
    ((1, 3), (3, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((2, 3), (3, 0)),
]:
    _label = f"{'x'.join(map(str, _left))} by {'x'.join(map(str, _right))}"
    table(
        "matmul",
        (reals(*_left), reals(*_right)),
        {_label: lambda t, x, y: t.matmul(x, y)},
        graph_name=len(_left) < 3 and len(_right) < 3,
        looser=4.0,
    )
SQUARE = reals(3, 3)
table(
    "matmul",
    SQUARE,
    {
        "same twice": lambda t, x: x @ x,
        "transposed": lambda t, x: x @ x.T,
        "chain": lambda t, x: x @ x @ x[0],
        "method": lambda t, x: x.matmul(x),
    },
    looser=4.0,
)
table(
    "mm", (reals(2, 3), reals(3, 4)), {"": function("mm"), "method": method("mm"), "operator": lambda t, x, y: x @ y}, looser=4.0
)
table("mv", (reals(2, 3), reals(3)), {"": function("mv"), "method": method("mv")}, looser=4.0)
table("bmm", (reals(4, 2, 3), reals(4, 3, 2)), {"": function("bmm"), "method": method("bmm")}, looser=4.0)
table(
    "dot",
    (reals(5), reals(5)),
    {"": function("dot"), "method": method("dot"), "vdot": function("vdot"), "inner": function("inner")},
    looser=4.0,
)
table("outer", (reals(3), reals(4)), {"": function("outer"), "method": method("outer"), "ger": function("ger")})
table("inner", (reals(2, 3), reals(4, 3)), {"": function("inner")}, looser=4.0, graph_name=False)
table(
    "einsum",
    (reals(2, 3), reals(3, 4)),
    {
        "matmul": lambda t, x, y: t.einsum("ij,jk->ik", x, y),
        "implicit": lambda t, x, y: t.einsum("ij,jk", x, y),
        "transposed": lambda t, x, y: t.einsum("ij,jk->ki", x, y),
        "sum": lambda t, x, y: t.einsum("ij,jk->", x, y),
        "outer": lambda t, x, y: t.einsum("ij,kl->ijkl", x, y),
        "list": lambda t, x, y: t.einsum("ij,jk->i", [x, y]),
        "one": lambda t, x, y: t.einsum("ij->ji", x),
        "row sums": lambda t, x, y: t.einsum("ij->i", x),
        "spaces": lambda t, x, y: t.einsum("i j, j k -> i k", x, y),
        "upper": lambda t, x, y: t.einsum("Ij,jK->IK", x, y),
        "ellipsis": lambda t, x, y: t.einsum("...j,jk->...k", x, y),
    },
    graph_name=False,
    looser=4.0,
)
table(
    "einsum",
    (SQUARE, reals(3)),
    {
        "trace": lambda t, x, y: t.einsum("ii", x),
        "diagonal": lambda t, x, y: t.einsum("ii->i", x),
        "bilinear": lambda t, x, y: t.einsum("i,ij,j->", y, x, y),
        "batched": lambda t, x, y: t.einsum("bij,bjk->bik", x.expand(2, 3, 3), x.expand(2, 3, 3)),
        "hadamard": lambda t, x, y: t.einsum("ij,ij->ij", x, x),
        "scale": lambda t, x, y: t.einsum("ij,i->ij", x, y),
    },
    graph_name=False,
    looser=4.0,
)
table(
    "tensordot",
    (reals(2, 3, 4), reals(3, 4, 5)),
    {
        "": lambda t, x, y: t.tensordot(x, y, dims=2),
        "lists": lambda t, x, y: t.tensordot(x, y, dims=([1, 2], [0, 1])),
        "zero": lambda t, x, y: t.tensordot(x[0, 0], y[0, 0], dims=0),
    },
    graph_name=False,
    looser=4.0,
)
table(
    "addmm",
    (reals(2, 4), reals(2, 3), reals(3, 4)),
    {
        "": function("addmm"),
        "scaled": function("addmm", beta=0.5, alpha=2.0),
        "method": method("addmm", alpha=-1),
        "broadcast": lambda t, b, x, y: t.addmm(b[0], x, y),
        "beta 0": function("addmm", beta=0),
    },
    looser=4.0,
)
table(
    "addmv",
    (reals(2), reals(2, 3), reals(3)),
    {"": function("addmv"), "scaled": function("addmv", beta=0.5, alpha=2.0)},
    looser=4.0,
    graph_name=False,
)
table(
    "baddbmm",
    (reals(5, 2, 4), reals(5, 2, 3), reals(5, 3, 4)),
    {"": function("baddbmm"), "scaled": function("baddbmm", beta=2.0, alpha=0.5)},
    looser=4.0,
)
table("trace", SQUARE, {"": function("trace"), "method": method("trace")})

F_UNARY = {
    "relu": lambda f, x: f.relu(x),
    "leaky_relu": lambda f, x: f.leaky_relu(x),
    "leaky_relu slope": lambda f, x: f.leaky_relu(x, negative_slope=0.2),
    "elu": lambda f, x: f.elu(x),
    "elu alpha": lambda f, x: f.elu(x, 0.5),
    "gelu": lambda f, x: f.gelu(x),
    "gelu tanh": lambda f, x: f.gelu(x, approximate="tanh"),
    "silu": lambda f, x: f.silu(x),
    "softplus": lambda f, x: f.softplus(x),
    "softplus beta": lambda f, x: f.softplus(x, beta=3, threshold=2),
    "sigmoid": lambda f, x: f.sigmoid(x),
    "tanh": lambda f, x: f.tanh(x),
    "logsigmoid": lambda f, x: f.logsigmoid(x),
}
for _name, _call in F_UNARY.items():
    table(
        f"F.{_name}",
        reals(3, 4, low=-3, high=3),
        {"": lambda t, x, f=_call: f(t.nn.functional, x)},
        elementwise=True,
        looser=4.0,
        spicy=SPICY_DTYPES.get(_name, BOTH),
    )
table(
    "F.softmax",
    CUBE,
    {
        "": lambda t, x: t.nn.functional.softmax(x, dim=1),
        "method": lambda t, x: x.softmax(-1),
        "function": lambda t, x: t.softmax(x, 0),
        "to double": lambda t, x: t.nn.functional.softmax(x, dim=1, dtype=t.float64),
        "log": lambda t, x: t.nn.functional.log_softmax(x, dim=1),
        "log method": lambda t, x: x.log_softmax(-1),
        "log function": lambda t, x: t.log_softmax(x, dim=0),
    },
    looser=4.0,
)
table(
    "F.linear",
    (CUBE, reals(5, 4), reals(5)),
    {
        "": lambda t, x, w, b: t.nn.functional.linear(x, w, b),
        "no bias": lambda t, x, w, b: t.nn.functional.linear(x, w),
        "matrix": lambda t, x, w, b: t.nn.functional.linear(x[0], w, bias=b),
        "vector": lambda t, x, w, b: t.nn.functional.linear(x[0, 0], w, b),
    },
    looser=4.0,
    graph_name=False,
)
for _name, _options in {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.5}],
    "huber_loss": [{}, {"delta": 0.5}],
}.items():
    for _extra in _options:
        _suffix = "".join(f" {key}" for key in _extra)
        for _reduction in ("mean", "sum", "none"):
            table(
                f"F.{_name}",
                (reals(3, 4), reals(3, 4)),
                {
                    f"{_reduction}{_suffix}": lambda t, x, y, f=_name, r=_reduction, k=_extra: getattr(t.nn.functional, f)(
                        x, y, reduction=r, **k
                    )
                },
                looser=4.0,
            )
for _reduction in ("mean", "sum", "none"):
    table(
        "F.binary_cross_entropy",
        (reals(3, 4, low=0.1, high=0.9), reals(3, 4, low=0, high=1), reals(4, low=0.5, high=2)),
        {
            _reduction: lambda t, x, y, w, r=_reduction: t.nn.functional.binary_cross_entropy(x, y, reduction=r),
            f"{_reduction} weight": lambda t, x, y, w, r=_reduction: t.nn.functional.binary_cross_entropy(
                x, y.detach(), weight=w.detach(), reduction=r
            ),
        },
        looser=10.0,
    )
    table(
        "F.binary_cross_entropy_with_logits",
        (reals(3, 4), reals(3, 4, low=0, high=1), reals(4, low=0.5, high=2)),
        {
            _reduction: lambda t, x, y, w, r=_reduction: t.nn.functional.binary_cross_entropy_with_logits(
                x, y.detach(), reduction=r
            ),
            f"{_reduction} weight": lambda t, x, y, w, r=_reduction: t.nn.functional.binary_cross_entropy_with_logits(
                x, y.detach(), weight=w.detach(), reduction=r
            ),
            f"{_reduction} pos_weight": lambda t, x, y, w, r=_reduction: t.nn.functional.binary_cross_entropy_with_logits(
                x, y.detach(), pos_weight=w.detach(), reduction=r
            ),
        },
        looser=10.0,
    )
    _classes = (reals(4, 3), fixed([2, 0, 1, 2]), reals(3, low=0.5, high=2), reals(4, 3, low=0, high=1))
    table(
        "F.cross_entropy",
        _classes,
        {
            _reduction: lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(x, i, reduction=r),
            f"{_reduction} weight": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, i, weight=w.detach(), reduction=r
            ),
            f"{_reduction} ignore_index": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, i, ignore_index=2, reduction=r
            ),
            f"{_reduction} label_smoothing": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, i, label_smoothing=0.2, reduction=r
            ),
            f"{_reduction} smoothing weight": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, i, weight=w.detach(), label_smoothing=0.2, reduction=r
            ),
            f"{_reduction} probabilities": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, p.detach(), reduction=r
            ),
            f"{_reduction} probabilities weight": lambda t, x, i, w, p, r=_reduction: t.nn.functional.cross_entropy(
                x, p.detach(), weight=w.detach(), label_smoothing=0.1, reduction=r
            ),
        },
        looser=10.0,
        graph_name=False,
    )
    table(
        "F.nll_loss",
        _classes,
        {
            _reduction: lambda t, x, i, w, p, r=_reduction: t.nn.functional.nll_loss(x.log_softmax(1), i, reduction=r),
            f"{_reduction} weight": lambda t, x, i, w, p, r=_reduction: t.nn.functional.nll_loss(
                x.log_softmax(1), i, weight=w.detach(), reduction=r
            ),
            f"{_reduction} ignore_index": lambda t, x, i, w, p, r=_reduction: t.nn.functional.nll_loss(
                x.log_softmax(1), i, ignore_index=0, reduction=r
            ),
        },
        looser=10.0,
    )
table(
    "F.cross_entropy",
    (reals(2, 3, 4), integers(2, 4, low=0, high=3)),
    {
        "more dims": lambda t, x, i: t.nn.functional.cross_entropy(x, i),
        "more dims none": lambda t, x, i: t.nn.functional.cross_entropy(x, i, reduction="none"),
        "one sample": lambda t, x, i: t.nn.functional.cross_entropy(x[0, :, 0], i[0, 0]),
    },
    looser=10.0,
    graph_name=False,
)
table(
    "F.normalize",
    CUBE,
    {
        "": lambda t, x: t.nn.functional.normalize(x),
        "dim": lambda t, x: t.nn.functional.normalize(x, dim=-1),
        "p": lambda t, x: t.nn.functional.normalize(x, p=1, dim=0),
    },
    looser=10.0,
)
table(
    "F.cosine_similarity",
    (CUBE, reals(2, 3, 4)),
    {
        "": lambda t, x, y: t.nn.functional.cosine_similarity(x, y),
        "dim": lambda t, x, y: t.nn.functional.cosine_similarity(x, y, dim=-1),
    },
    looser=10.0,
    graph_name=False,
)
# vectors that are parallel, as in an expanded operand, leave gradients of rounding errors
table(
    "F.cosine_similarity",
    (CUBE, reals(2, 3, 4)),
    {"function": lambda t, x, y: t.cosine_similarity(x, y, dim=0)},
    looser=10.0,
    graph_name=False,
    layouts=("transposed", "sliced"),
)
table(
    "F.dropout",
    MATRIX,
    {
        "off": lambda t, x: t.nn.functional.dropout(x, 0.5, training=False) * 1,
        "zero": lambda t, x: t.nn.functional.dropout(x, 0.0) * 1,
        "one": lambda t, x: t.nn.functional.dropout(x, 1.0) * 1,
    },
)
table(
    "F.one_hot",
    fixed([0, 2, 1]),
    {"": lambda t, x: t.nn.functional.one_hot(x), "classes": lambda t, x: t.nn.functional.one_hot(x, 5)},
)

table(
    "creation",
    (),
    {
        "zeros": lambda t: t.zeros(2, 3),
        "zeros tuple": lambda t: t.zeros((2, 3)),
        "zeros dtype": lambda t: t.zeros(2, dtype=t.int64),
        "zeros empty": lambda t: t.zeros(()),
        "ones": lambda t: t.ones(2, 1),
        "ones bool": lambda t: t.ones(2, dtype=t.bool),
        "full": lambda t: t.full((2, 2), 1.5),
        "full int": lambda t: t.full((2,), 3),
        "full bool": lambda t: t.full((2,), True),
        "full dtype": lambda t: t.full((2,), 3, dtype=t.float64),
        "eye": lambda t: t.eye(3),
        "eye n m": lambda t: t.eye(2, 3, dtype=t.float64),
        "arange": lambda t: t.arange(5),
        "arange start": lambda t: t.arange(2, 5),
        "arange step": lambda t: t.arange(1, 10, 3),
        "arange float": lambda t: t.arange(0.0, 1.0, 0.1),
        "arange down": lambda t: t.arange(5, 0, -1),
        "arange float end": lambda t: t.arange(2.5),
        "arange dtype": lambda t: t.arange(3, dtype=t.float64),
        "arange mixed": lambda t: t.arange(1, 2.5),
        "linspace": lambda t: t.linspace(-1, 1, 7),
        "linspace double": lambda t: t.linspace(0, 1, 11, dtype=t.float64),
        "linspace one": lambda t: t.linspace(3, 9, 1),
        "linspace keyword": lambda t: t.linspace(start=0, end=1, steps=3),
        "logspace": lambda t: t.logspace(-2, 2, 5, dtype=t.float64),
        "logspace base": lambda t: t.logspace(0, 3, 4, base=2.0),
        "tensor int": lambda t: t.tensor(3),
        "tensor nested": lambda t: t.tensor([[1, 2], [3, 4]]),
        "tensor mixed": lambda t: t.tensor([1, 2.5, True]),
        "tensor bool": lambda t: t.tensor([True, False]),
        "tensor empty": lambda t: t.tensor([]),
        "tensor tensors": lambda t: t.tensor([t.tensor(1.0), t.tensor(2.0)]),
        "tensor dtype": lambda t: t.tensor([1.7, 2.2], dtype=t.int32),
        "tensor grad": lambda t: t.tensor([1.0], requires_grad=True),
        "as_tensor": lambda t: t.as_tensor([1.0, 2.0]),
        "as_tensor numpy": lambda t: t.as_tensor(__import__("numpy").arange(3)),
        "from_numpy": lambda t: t.from_numpy(__import__("numpy").ones((2, 2))),
        "numpy float32": lambda t: t.tensor(__import__("numpy").float32(2.5)),
        "zeros_like": lambda t: t.zeros_like(t.ones(2, 3, dtype=t.float64)),
        "ones_like": lambda t: t.ones_like(t.arange(3)),
        "ones_like dtype": lambda t: t.ones_like(t.arange(3), dtype=t.float32),
        "full_like": lambda t: t.full_like(t.zeros(2), 7),
        "new_zeros": lambda t: t.zeros(1, dtype=t.float64).new_zeros(2, 2),
        "new_full": lambda t: t.zeros(1).new_full((2,), 3),
        "new_ones": lambda t: t.arange(2).new_ones(3),
        "new_tensor": lambda t: t.zeros(1, dtype=t.float64).new_tensor([1, 2]),
        "rand shape": lambda t: [
            t.rand(2, 3).shape,
            t.randn((4,)).shape,
            t.randint(0, 5, (2, 2)).dtype.is_floating_point,
            t.randperm(5).sort().values,
        ],
        "empty shape": lambda t: [t.empty(2, 0).shape, t.empty_like(t.zeros(3)).shape],
        "tril_indices": lambda t: t.tril_indices(3, 3),
        "scalar_tensor": lambda t: t.scalar_tensor(2.5),
    },
)
table(
    "conversion",
    reals(2, 3, low=-5, high=5),
    {
        "float": lambda t, x: x.float(),
        "double": lambda t, x: x.double(),
        "long": lambda t, x: x.long(),
        "int": lambda t, x: x.int(),
        "bool": lambda t, x: x.bool(),
        "to": lambda t, x: x.to(t.float64),
        "to other": lambda t, x: x.to(t.zeros(1, dtype=t.float64)),
        "to keyword": lambda t, x: x.to(dtype=t.float32),
        "to cpu": lambda t, x: x.to("cpu"),
        "type": lambda t, x: x.type(t.float64),
        "type_as": lambda t, x: x.type_as(t.zeros(1, dtype=t.float64)),
        "clone": lambda t, x: x.clone(),
        "detach": lambda t, x: x.detach(),
        "contiguous": lambda t, x: x.contiguous() * 1,
        "tolist": lambda t, x: x.detach().long().tolist().__len__(),
        "item": lambda t, x: x[0, 0].long().item(),
        "size": lambda t, x: [x.size(), x.size(-1), x.dim(), x.ndim, x.numel(), x.nelement(), len(x)],
        "shape": lambda t, x: [x.shape, x.shape[0], x.shape.numel()],
        "cpu": lambda t, x: x.cpu() * 1,
        "is_floating_point": lambda t, x: [x.is_floating_point(), t.is_tensor(x), t.is_floating_point(x.long())],
    },
    graph_name=True,
)
# what is computed is contiguous; PyTorch's copy of a transposed tensor is transposed in memory, too
table(
    "conversion",
    reals(2, 3),
    {"stride": lambda t, x: [x.clone().stride(), x.clone().is_contiguous()]},
    layouts=("sliced", "expanded"),
)
table(
    "promotion",
    (reals(3), integers(3, low=1, high=4), booleans(3), fixed([1.5])),
    {
        "float int": lambda t, x, i, b, s: x + i,
        "int bool": lambda t, x, i, b, s: i + b,
        "float bool": lambda t, x, i, b, s: x * b,
        "bool bool": lambda t, x, i, b, s: b + b,
        "int float number": lambda t, x, i, b, s: i * 1.5,
        "bool number": lambda t, x, i, b, s: b * 2,
        "int div": lambda t, x, i, b, s: i / 2,
        "int 0-dim float": lambda t, x, i, b, s: i * s[0],
        "double 0-dim": lambda t, x, i, b, s: x * t.tensor(2.0, dtype=t.float64),
        "double vector": lambda t, x, i, b, s: x * t.ones(3, dtype=t.float64),
        "int32": lambda t, x, i, b, s: i.int() + i,
        "int32 number": lambda t, x, i, b, s: i.int() * 3,
        "int exp": lambda t, x, i, b, s: i.exp(),
        "bool sum": lambda t, x, i, b, s: b.sum(),
        "int mean": lambda t, x, i, b, s: i.float().mean(),
        "stack": lambda t, x, i, b, s: t.stack([x, i]),
        "where": lambda t, x, i, b, s: t.where(b, i, x),
        "compare": lambda t, x, i, b, s: x < i,
        "maximum": lambda t, x, i, b, s: t.maximum(x, i),
        "result_type": lambda t, x, i, b, s: str(t.result_type(i, 1.5)).rpartition(".")[2],
        "promote_types": lambda t, x, i, b, s: str(t.promote_types(t.int64, t.float32)).rpartition(".")[2],
    },
)
# some of PyTorch's special functions have 11 digits, and its gradients are wrong at nan
table(
    "special",
    reals(3, 4),
    {
        "i0": lambda t, x: t.i0(x),
        "i0 method": method("i0"),
        "i0 in place": in_place("i0"),
        "i0e": lambda t, x: t.special.i0e(x),
        "i1": lambda t, x: t.special.i1(x),
        "i1e": lambda t, x: t.special.i1e(x),
        "erfcx": lambda t, x: t.special.erfcx(x),
        "log_ndtr": lambda t, x: t.special.log_ndtr(x),
        "bessel": lambda t, x: t.special.bessel_j0(x.detach()) + t.special.bessel_j1(x.detach()),
        "airy_ai": lambda t, x: t.special.airy_ai(x.detach()),
        "spherical": lambda t, x: t.special.spherical_bessel_j0(x.detach()),
        "legendre": lambda t, x: t.special.legendre_polynomial_p(x.detach(), 3),
    },
    looser=50.0,
)
table(
    "special",
    reals(3, 4, low=0.2, high=0.9),
    {
        "ndtri": lambda t, x: t.special.ndtri(x),
        "gammainc": lambda t, x: t.special.gammainc(x.detach() + 1, x),
        "igammac": lambda t, x: t.igammac(x.detach() + 1, x),
        "zeta": lambda t, x: t.special.zeta(2.5, x),
        "modified": lambda t, x: t.special.modified_bessel_k0(x.detach()) * t.special.scaled_modified_bessel_k1(x.detach()),
    },
    looser=50.0,
)
# what does not depend on the signs of vectors; an expanded operand is singular
DECOMPOSED = ("transposed", "sliced")
table(
    "decompositions",
    reals(2, 4, 3),
    {
        "eigh": lambda t, x: t.linalg.eigh(x.mT @ x).eigenvalues,
        "eigvalsh": lambda t, x: t.linalg.eigvalsh(x.mT @ x),
        "svd": lambda t, x: t.linalg.svd(x, full_matrices=False).S,
        "svd method": lambda t, x: x.svd().S,
        "svdvals": lambda t, x: t.linalg.svdvals(x),
        "matrix_norm 2": lambda t, x: t.linalg.matrix_norm(x, 2),
        "matrix_norm nuc": lambda t, x: t.linalg.matrix_norm(x, "nuc"),
        "cond": lambda t, x: t.linalg.cond(x),
        "pinv": lambda t, x: t.linalg.pinv(x),
        "pinverse": lambda t, x: x.pinverse(),
        "lu_factor": lambda t, x: t.linalg.lu_factor(x),
        "lu": lambda t, x: t.linalg.lu(x),
        "cholesky_ex": lambda t, x: t.linalg.cholesky_ex(x.mT @ x + t.eye(3, dtype=x.dtype)),
        "matrix_exp": lambda t, x: t.matrix_exp(x[:, :3] / 2),
        "matrix_rank": lambda t, x: t.linalg.matrix_rank(x),
        "householder": lambda t, x: t.linalg.householder_product(x, x[:, 0]),
        "vander": lambda t, x: t.linalg.vander(x[0], N=3),
        "inv_ex": lambda t, x: t.linalg.inv_ex(x.mT @ x + t.eye(3, dtype=x.dtype)),
    },
    looser=100.0,
    layouts=DECOMPOSED,
)
table(
    "decompositions",
    reals(2, 4, 3),
    {
        "eigenvectors": lambda t, x: t.linalg.eigh(x.mT @ x).eigenvectors ** 2,
        "singular vectors": lambda t, x: t.linalg.svd(x, full_matrices=False).U ** 2,
        "qr": lambda t, x: [part**2 for part in t.linalg.qr(x)],
        "qr wide": lambda t, x: [part**2 for part in t.linalg.qr(x.mT)],
    },
    looser=1000.0,
    layouts=DECOMPOSED,
)
table(
    "decompositions",
    (reals(4, 3), reals(4, 2)),
    {
        "lstsq": lambda t, x, b: t.linalg.lstsq(x, b).solution,
        "lstsq residuals": lambda t, x, b: t.linalg.lstsq(x, b, driver="gels").residuals,
        "lu_solve": lambda t, x, b: t.linalg.lu_solve(*t.linalg.lu_factor(x.mT @ x), x.mT @ b),
        "solve_ex": lambda t, x, b: t.linalg.solve_ex(x.mT @ x, x.mT @ b),
    },
    looser=1000.0,
    layouts=DECOMPOSED,
)
# an expanded operand has the standard deviation 0, or as little as rounding leaves
table(
    "chains",
    (reals(3, 4, low=0.3), reals(4, 2)),
    {"standardise": lambda t, x, w: (x - x.mean(0)) / x.std(0)},
    layouts=("transposed", "sliced"),
)
table(
    "chains",
    (reals(3, 4, low=0.3), reals(4, 2)),
    {
        "tanh net": lambda t, x, w: t.tanh(x @ w).pow(2).mean(),
        "attention": lambda t, x, w: (x @ x.T / 2).softmax(-1) @ x,
        "log-likelihood": lambda t, x, w: -(x.log() - x).sum(1).logsumexp(0),
        "distance": lambda t, x, w: ((x[:, None] - x[None]) ** 2).sum(-1).add(1).sqrt(),
        "gates": lambda t, x, w: t.sigmoid(x) * t.tanh(x) + (1 - t.sigmoid(x)) * x,
        "reuse": lambda t, x, w: (y := x * x, y * y + y)[1],
        "geometric": lambda t, x, w: x.log().mean().exp(),
        "huber": lambda t, x, w: t.where(x.abs() < 1, 0.5 * x**2, x.abs() - 0.5).sum(),
        "cumulative": lambda t, x, w: x.cumsum(0).cumprod(1).flip(1)[:, ::2].sum(),
        "gathered": lambda t, x, w: x.gather(1, x.argsort(1)).diff(dim=1),
        "max pool": lambda t, x, w: x.reshape(3, 2, 2).amax(-1),
    },
    looser=20.0,
    graph_name=False,
)
