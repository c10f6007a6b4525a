"""The table of element-wise ops.

Names, argument names, values and gradients at kinks and ties are PyTorch's.  Columns: name, ``y =``, partials, then the oracle of
the tests and the domains they sample.  A partial of "0" is a derivative that is zero wherever it exists; None says that the op is
not differentiable with respect to that operand.
"""

from __future__ import annotations

from typing import Any

from tapediff.ops.op import BOOL, FLOAT, INT, Domain, Elementwise

ELEMENTWISE: dict[str, Elementwise] = {}

FLOATS = frozenset({FLOAT})
NUMBERS = frozenset({FLOAT, INT})
INTEGERS = frozenset({INT})
DISCRETE = frozenset({INT, BOOL})
ALL = frozenset({FLOAT, INT, BOOL})

REALS = Domain(-4, 4)
KINKED = Domain(-4, 4, (0.0,))
STEPS = Domain(-4, 4, tuple(step / 2 for step in range(-8, 9)))
SMALL = Domain(-2, 2)
POSITIVE = Domain(0.1, 4)
LARGE = Domain(1.05, 6)
INSIDE_ONE = Domain(-0.95, 0.95)
PROBABILITY = Domain(0.02, 0.98)
NONZERO = Domain(-4, 4, (0.0,))
NEGATIVE = Domain(-3, -0.1)
CONDITION = Domain(0, 1)


def row(
    name: str, formula: str, partials: tuple[str | None, ...], oracle: str | None, domain: tuple[Domain, ...], **facts: Any
) -> None:
    """Add one op to the table."""
    ELEMENTWISE[name] = Elementwise(name, formula, partials, oracle, domain, **facts)


def unary(name: str, formula: str, partial: str | None, oracle: str | None, domain: Domain, **facts: Any) -> None:
    """Add an op of one operand whose integers promote to float."""
    row(name, formula, (partial,), oracle, (domain,), **{"result": FLOAT, "kinds": ALL, **facts})


def binary(
    name: str, formula: str, partials: tuple[str | None, ...], oracle: str | None, domain: tuple[Domain, ...], **facts: Any
) -> None:
    """Add an op of two operands that keeps their promoted dtype."""
    row(name, formula, partials, oracle, domain, **facts)


def comparison(name: str, symbol: str, oracle: str) -> None:
    """Add an op of two operands with a bool result."""
    binary(name, f"a {symbol} b", (None, None), oracle, (REALS, REALS), result=BOOL, kinds=ALL)


# Signs, rounding and tests of one operand
unary("abs",         "abs(a)",                      "sign(a)",                     "numpy.abs",            KINKED,      result="same", kinds=NUMBERS)
unary("neg",         "-a",                          "-1",                          "numpy.negative",       REALS,       result="same", kinds=NUMBERS)
unary("positive",    "a",                           "1",                           "numpy.positive",       REALS,       result="same", kinds=NUMBERS)
unary("sign",        "sign(a)",                     "0",                           "numpy.sign",           KINKED,      result="same", kinds=NUMBERS)
unary("floor",       "floor(a)",                    "0",                           "numpy.floor",          STEPS,       result="same", kinds=NUMBERS)
unary("ceil",        "ceil(a)",                     "0",                           "numpy.ceil",           STEPS,       result="same", kinds=NUMBERS)
unary("round",       "round(a)",                    "0",                           "numpy.rint",           STEPS,       result="same", kinds=NUMBERS)
unary("trunc",       "trunc(a)",                    "0",                           "numpy.trunc",          STEPS,       result="same", kinds=NUMBERS)
unary("frac",        "a - trunc(a)",                "1",                           None,                   STEPS,       result="same", kinds=FLOATS)
unary("nan_to_num",  "nan_to_num(a)",               "where(isfinite(a), y_bar, 0)", "numpy.nan_to_num",    REALS,       result="same", kinds=NUMBERS)
unary("isnan",       "a != a",                      None,                          "numpy.isnan",          REALS,       result=BOOL)
unary("isinf",       "isinf(a)",                    None,                          "numpy.isinf",          REALS,       result=BOOL)
unary("isfinite",    "isfinite(a)",                 None,                          "numpy.isfinite",       REALS,       result=BOOL)
unary("signbit",     "signbit(a)",                  None,                          None,                   REALS,       result=BOOL)

# Powers, exponentials and logarithms
unary("square",      "a * a",                       "2 * a",                       "numpy.square",         REALS,       result="same", kinds=NUMBERS,
      grad_fn="PowBackward0")
unary("cube",        "a * a * a",                   "3 * a * a",                   None,                   REALS,       result="same", kinds=NUMBERS,
      grad_fn="PowBackward0")
unary("sqrt",        "sqrt(a)",                     "0.5 / y",                     "numpy.sqrt",           POSITIVE)
unary("rsqrt",       "1 / sqrt(a)",                 "-0.5 * y * y * y",            None,                   POSITIVE)
unary("reciprocal",  "1 / a",                       "-y * y",                      None,                   NONZERO)
unary("exp",         "exp(a)",                      "y",                           "numpy.exp",            REALS)
unary("exp2",        "exp2(a)",                     "y * 0.6931471805599453",      "numpy.exp2",           REALS)
unary("expm1",       "expm1(a)",                    "y + 1",                       "numpy.expm1",          REALS)
unary("log",         "log(a)",                      "1 / a",                       "numpy.log",            POSITIVE)
unary("log2",        "log2(a)",                     "1 / (a * 0.6931471805599453)", "numpy.log2",          POSITIVE)
unary("log10",       "log10(a)",                    "1 / (a * 2.302585092994046)", "numpy.log10",          POSITIVE)
unary("log1p",       "log1p(a)",                    "1 / (a + 1)",                 "numpy.log1p",          POSITIVE)

# Trigonometric and hyperbolic functions
unary("sin",         "sin(a)",                      "cos(a)",                      "numpy.sin",            REALS)
unary("cos",         "cos(a)",                      "-sin(a)",                     "numpy.cos",            REALS)
unary("tan",         "tan(a)",                      "1 + y * y",                   "numpy.tan",            Domain(-1.4, 1.4))
unary("asin",        "asin(a)",                     "1 / sqrt((1 - a) * (1 + a))", "numpy.arcsin",         INSIDE_ONE)
unary("acos",        "acos(a)",                     "-1 / sqrt((1 - a) * (1 + a))", "numpy.arccos",        INSIDE_ONE)
unary("atan",        "atan(a)",                     "1 / (a * a + 1)",             "numpy.arctan",         REALS)
unary("sinh",        "sinh(a)",                     "cosh(a)",                     "numpy.sinh",           REALS)
unary("cosh",        "cosh(a)",                     "sinh(a)",                     "numpy.cosh",           REALS)
unary("tanh",        "tanh(a)",                     "1 - y * y",                   "numpy.tanh",           REALS)
unary("asinh",       "asinh(a)",                    "1 / sqrt(a * a + 1)",         "numpy.arcsinh",        REALS)
unary("acosh",       "acosh(a)",                    "1 / sqrt((a - 1) * (a + 1))", "numpy.arccosh",        LARGE)
unary("atanh",       "atanh(a)",                    "1 / ((1 - a) * (1 + a))",     "numpy.arctanh",        INSIDE_ONE)
unary("sinc",        "sinc(a)",
      "where(abs(a) < 0.0625, 0 + a * (-3.289868133696453 + a * a * (3.2469697011334144 + a * a * (-1.144510944732505"
      " + a * a * (0.20918278254123832 - 0.02346081035455823 * a * a)))), (cos(pi * a) - y) / a)",                                                   "numpy.sinc",           REALS)
unary("deg2rad",     "a * 0.017453292519943295",    "0.017453292519943295",        "numpy.deg2rad",        REALS)
unary("rad2deg",     "a * 57.29577951308232",       "57.29577951308232",           "numpy.rad2deg",        REALS)

# Special functions
unary("sigmoid",     "sigmoid(a)",                  "y * (1 - y)",                 "scipy.special.expit",  REALS)
unary("logit",       "log(a / (1 - a))",            "where((a < 0) | (a > 1), nan, 1 / abs(a * (1 - a)))", "scipy.special.logit", PROBABILITY)
row("logit_eps",     "log(minimum(maximum(a, b), 1 - b) / (1 - minimum(maximum(a, b), 1 - b)))",
    ("where((a < b) | (a > 1 - b), 0, 1 / (a * (1 - a)))", None), None, (PROBABILITY, Domain(0.001, 0.019)), kinds=ALL, result=FLOAT,
    arguments=("input", "eps"), grad_fn="LogitBackward0")
unary("erf",         "erf(a)",                      "1.1283791670955126 * exp(-a * a)", "scipy.special.erf",  REALS)
unary("erfc",        "erfc(a)",                     "-1.1283791670955126 * exp(-a * a)", "scipy.special.erfc", REALS)
unary("erfinv",      "erfinv(a)",                   "0.886226925452758 * exp(y * y)", "scipy.special.erfinv", INSIDE_ONE)
unary("lgamma",      "lgamma(a)",                   "digamma(a)",                  "scipy.special.gammaln", POSITIVE)
unary("digamma",     "digamma(a)",                  "polygamma(1, a)",             "scipy.special.digamma", POSITIVE)
binary("polygamma",  "polygamma(a, b)",             (None, "polygamma(a + 1, b)"), None,                   (Domain(1, 4), POSITIVE),
       arguments=("n", "input"))

# Bessel functions: an order's derivative is made of its neighbours (DLMF 10.6.2, 10.6.1, 10.29.2, 10.29.1), near 0 without division
CYLINDER = Domain(0.2, 6)
unary("i0",          "scipy_i0(a)",                 "i1(a)",                       "scipy.special.i0",     REALS)
unary("i0e",         "scipy_i0e(a)",                "i1e(a) - sign(a) * y",        "scipy.special.i0e",    KINKED,      grad_fn="SpecialI0EBackward0")
unary("i1",          "scipy_i1(a)",                 "where(abs(a) < 2, 0.5 * (i0(a) + bessel_i(2, a)), i0(a) - y / a)", "scipy.special.i1", REALS,
      grad_fn="SpecialI1Backward0")
unary("i1e",         "scipy_i1e(a)",
      "where(abs(a) < 2, 0.5 * (i0e(a) + scaled_bessel_i(2, a)), i0e(a) - y / a) - sign(a) * y", "scipy.special.i1e", REALS,
      grad_fn="SpecialI1EBackward0")
unary("bessel_j0",   "scipy_j0(a)",                 "-bessel_j1(a)",               "scipy.special.j0",     REALS)
unary("bessel_j1",   "scipy_j1(a)",                 "where(abs(a) < 2, 0.5 * (bessel_j0(a) - bessel_j(2, a)), bessel_j0(a) - y / a)", "scipy.special.j1",
      REALS)
unary("bessel_y0",   "scipy_y0(a)",                 "-bessel_y1(a)",               "scipy.special.y0",     CYLINDER)
unary("bessel_y1",   "scipy_y1(a)",                 "bessel_y0(a) - y / a",        "scipy.special.y1",     CYLINDER)
unary("modified_bessel_k0", "scipy_k0(a)",          "-modified_bessel_k1(a)",      "scipy.special.k0",     CYLINDER)
unary("modified_bessel_k1", "scipy_k1(a)",          "-modified_bessel_k0(a) - y / a", "scipy.special.k1",  CYLINDER)
unary("scaled_modified_bessel_k0", "scipy_k0e(a)",  "y - scaled_modified_bessel_k1(a)", "scipy.special.k0e", CYLINDER)
unary("scaled_modified_bessel_k1", "scipy_k1e(a)",  "y - scaled_modified_bessel_k0(a) - y / a", "scipy.special.k1e", CYLINDER)
ORDER = Domain(0, 4)
binary("bessel_j",   "where(abs(b) < 1e-30, where(a == 0, 1, 0), scipy_jv(a, b))", (None, "0.5 * (bessel_j(a - 1, b) - bessel_j(a + 1, b))"),
       "scipy.special.jv", (ORDER, CYLINDER), arguments=("n", "input"))
binary("bessel_i",   "where(abs(b) < 1e-30, where(a == 0, 1, 0), scipy_iv(a, b))", (None, "0.5 * (bessel_i(a - 1, b) + bessel_i(a + 1, b))"),
       "scipy.special.iv", (ORDER, CYLINDER), arguments=("n", "input"))
binary("scaled_bessel_i", "where(abs(b) < 1e-30, where(a == 0, 1, 0), scipy_ive(a, b))",
       (None, "0.5 * (scaled_bessel_i(a - 1, b) + scaled_bessel_i(a + 1, b)) - sign(b) * y"), "scipy.special.ive", (ORDER, CYLINDER),
       arguments=("n", "input"))
unary("spherical_bessel_j0", "where(a == 0, 1, where(abs(a) == inf, 0, sin(a) / a))",
      "where(abs(a) < 0.25, a * (-0.3333333333333333 + a * a * (0.03333333333333333 + a * a * (-0.0011904761904761906"
      " + a * a * (2.2045855379188714e-05 - 2.505210838544172e-07 * a * a)))), where(abs(a) == inf, 0, (cos(a) - y) / a))", None, REALS)
unary("airy_ai",     "where(a > 200, 0, scipy_airy_ai(a))", "airy_ai_slope(a)",    None,                   REALS)
unary("airy_ai_slope", "where(a > 200, 0, scipy_airy_ai_slope(a))", "a * airy_ai(a)", None,                REALS)

# Error, gamma and zeta functions
unary("erfcx",       "scipy_erfcx(a)",              "2 * a * y - 1.1283791670955126", "scipy.special.erfcx", SMALL,     grad_fn="SpecialErfcxBackward0")
unary("ndtri",       "scipy_ndtri(a)",              "2.5066282746310007 * exp(0.5 * y * y)", "scipy.special.ndtri", PROBABILITY,
      grad_fn="SpecialNdtriBackward0")
unary("log_ndtr",    "scipy_log_ndtr(a)",           "0.7978845608028654 / erfcx(-0.7071067811865476 * a)", "scipy.special.log_ndtr", REALS,
      grad_fn="SpecialLogNdtrBackward0")
binary("gammainc",   "scipy_gammainc(a, b)",        (None, "where(b < 0, nan, exp(xlogy(a - 1, b) - b - lgamma(a)))"), "scipy.special.gammainc", (POSITIVE, POSITIVE),
       grad_fn="IgammaBackward0")
binary("gammaincc",  "scipy_gammaincc(a, b)",       (None, "where(b < 0, nan, -exp(xlogy(a - 1, b) - b - lgamma(a)))"), "scipy.special.gammaincc", (POSITIVE, POSITIVE),
       grad_fn="IgammacBackward0")
binary("zeta",       "zeta(a, b)",                  (None, "-a * zeta(a + 1, b)"), "scipy.special.zeta",   (LARGE, POSITIVE), kinds=ALL, result=FLOAT,
       grad_fn="SpecialZetaBackward0")

# Activations
unary("relu",        "where(a < 0, 0, a)",          "where(y <= 0, 0, y_bar)",     None,                   KINKED,      result="same", kinds=NUMBERS)
unary("silu",        "a * sigmoid(a)",              "sigmoid(a) * (1 + a * (1 - sigmoid(a)))", None,       REALS)
unary("gelu",        "0.5 * a * erfc(-0.7071067811865476 * a)",
      "0.5 * erfc(-0.7071067811865476 * a) + a * 0.3989422804014327 * exp(-0.5 * a * a)", None,             REALS)
unary("gelu_tanh",   "a * sigmoid(1.5957691216057308 * a * (1 + 0.044715 * a * a))",
      "sigmoid(1.5957691216057308 * a * (1 + 0.044715 * a * a)) * (1 + a * sigmoid(-1.5957691216057308 * a * (1 + 0.044715 * a * a))"
      " * (1.5957691216057308 + 0.21406444881780074 * a * a))",                    None,                   REALS,
      grad_fn="GeluBackward0")
unary("logsigmoid",  "minimum(a, 0) - log1p(exp(-abs(a)))", "sigmoid(-a)",         "scipy.special.log_expit", REALS, grad_fn="LogSigmoidBackward0")
row("softplus",      "where(a * b > c, a, logaddexp(a * b, 0) / b)", ("where(a * b > c, 1, sigmoid(a * b))", None, None), None,
    (REALS, POSITIVE, Domain(19, 21)), arguments=("input", "beta", "threshold"))
row("leaky_relu",    "where(a > 0, a, a * b)",      ("where(a > 0, 1, b)", "where(a > 0, 0, a)"), None, (KINKED, Domain(0.01, 0.5)),
    arguments=("input", "negative_slope"))
row("elu",           "where(a > 0, a, b * expm1(a))", ("where(a > 0, 1, y + b)", "where(a > 0, 0, expm1(a))"), None, (KINKED, POSITIVE),
    arguments=("input", "alpha"))
row("celu",        "where(a > 0, a, b * expm1(a / b))", ("where(a > 0, 1, exp(a / b))", None), None, (KINKED, POSITIVE), arguments=("input", "alpha"))
unary("selu",        "where(a > 0, 1.0507009873554805 * a, 1.7580993408473766 * expm1(a))",
      "where(a > 0, 1.0507009873554805, y + 1.7580993408473766)",                  None,                   KINKED,      kinds=FLOATS, result="same",
      grad_fn="EluBackward0")
unary("mish",        "a * tanh(logaddexp(a, 0))",
      "tanh(logaddexp(a, 0)) + a * sigmoid(a) * (1 - tanh(logaddexp(a, 0)) * tanh(logaddexp(a, 0)))", None, REALS,      kinds=FLOATS, result="same")
unary("hardsigmoid", "minimum(maximum(a + 3, 0), 6) / 6", "where((a > -3) & (a < 3), y_bar / 6, 0)", None, Domain(-4, 4, (-3.0, 3.0)), kinds=FLOATS, result="same")
unary("hardswish",   "a * minimum(maximum(a + 3, 0), 6) / 6", "where(a <= -3, 0, where(a >= 3, 1, a / 3 + 0.5))", None,
      Domain(-4, 4, (-3.0, 3.0)), kinds=FLOATS, result="same")
row("hardtanh",    "minimum(maximum(a, b), c)", ("where((a > b) & (a < c), y_bar, 0)", None, None), None, (REALS, NEGATIVE, POSITIVE), kinds=NUMBERS,
    arguments=("input", "min_val", "max_val"))
row("threshold",   "where(a <= b, c, a)",       ("where(a <= b, 0, y_bar)", None, None), None, (REALS, NEGATIVE, POSITIVE), kinds=NUMBERS,
    arguments=("input", "threshold", "value"))
row("hardshrink",  "where((a >= -b) & (a <= b), 0, a)", ("where((a < -b) | (a > b), y_bar, 0)", None), None, (REALS, POSITIVE), arguments=("input", "lambd"))
row("softshrink",  "where(a > b, a - b, where(a < -b, a + b, a * 0 + 0))", ("where((a < -b) | (a > b), y_bar, 0)", None), None, (REALS, POSITIVE),
    arguments=("input", "lambd"))
row("prelu",       "where(a > 0, a, b * a)",    ("where(a > 0, 1, b)", "where(a > 0, 0, a)"), None, (KINKED, REALS), arguments=("input", "weight"),
    grad_fn="PreluKernelBackward0")

# Arithmetic of two operands
binary("add",           "a + b",               ("1", "1"),                       "numpy.add",           (REALS, REALS),    kinds=ALL)
binary("sub",           "a - b",               ("1", "-1"),                      "numpy.subtract",      (REALS, REALS),    kinds=NUMBERS)
binary("mul",           "a * b",               ("b", "a"),                       "numpy.multiply",      (REALS, REALS),    kinds=ALL)
binary("div",           "a / b",               ("1 / b", "-y / b"),              "numpy.true_divide",   (REALS, NONZERO),  kinds=ALL, result=FLOAT)
binary("floor_divide",  "floor_divide(a, b)",  ("0", "0"),                       "numpy.floor_divide",  (REALS, NONZERO),  kinds=NUMBERS,
       grad_fn="DivBackward2")
binary("trunc_divide",  "trunc_divide(a, b)",  ("0", "0"),                       None,                  (REALS, NONZERO),  kinds=NUMBERS,
       grad_fn="DivBackward2")
binary("remainder",     "remainder(a, b)",     ("1", "-floor_divide(a, b)"),     "numpy.remainder",     (REALS, NONZERO),  kinds=NUMBERS)
binary("fmod",          "fmod(a, b)",          ("1", "-trunc_divide(a, b)"),     "numpy.fmod",          (REALS, NONZERO),  kinds=NUMBERS)
binary("pow",           "pow(a, b)",
       ("where(b == 0, 0, b * pow(a, b - 1))", "where((a == 0) & (b >= 0), 0, y * log(a))"), "numpy.power", (POSITIVE, REALS), kinds=NUMBERS,
       arguments=("input", "exponent"))
binary("round_decimals", "where(b > 0, round(a * b) / b, round(a / -b) * -b)", ("0", None), None, (STEPS, POSITIVE), arguments=("input", "scale"),
       grad_fn="RoundBackward1")
binary("xlogy",         "where(b != b, nan, where(a == 0, 0, a * log(b)))",
       ("where((a == 0) & (b <= 0), 0, log(b))", "a / b"),                       "scipy.special.xlogy", (REALS, POSITIVE), kinds=ALL, result=FLOAT)
unary("entr",        "where(a > 0, -a * log(a), where(a == 0, 0, where(a < 0, -inf, a)))", "where(a < 0, nan, -log(a) - 1)", "scipy.special.entr", POSITIVE,
      grad_fn="SpecialEntrBackward0")
binary("hypot",         "hypot(a, b)",         ("a / y", "b / y"),               "numpy.hypot",         (REALS, REALS))
binary("atan2",         "atan2(a, b)",
       ("where(a * a + b * b == 0, 0, b / (a * a + b * b))", "where(a * a + b * b == 0, 0, -a / (a * a + b * b))"), "numpy.arctan2",
       (REALS, NONZERO), kinds=ALL, result=FLOAT)
binary("logaddexp",     "logaddexp(a, b)",     ("sigmoid(a - b)", "sigmoid(b - a)"), "numpy.logaddexp", (REALS, REALS))
binary("logaddexp2",    "logaddexp2(a, b)",    ("1 / (1 + exp2(b - a))", "1 / (1 + exp2(a - b))"), "numpy.logaddexp2", (REALS, REALS))
binary("copysign",      "copysign(a, b)",      ("sign(a) * sign(y)", "0"),       "numpy.copysign",      (KINKED, KINKED),  kinds=ALL, result=FLOAT)
binary("heaviside",     "where(a == 0, b, where(a > 0, 1, 0))", (None, None), "numpy.heaviside", (KINKED, REALS), kinds=NUMBERS,
       arguments=("input", "values"))

# Extrema: at a tie maximum and minimum share the adjoint, fmax and fmin give it to the first operand
binary("maximum",       "maximum(a, b)",
       ("where(a == b, y_bar * 0.5, where(a < b, 0, y_bar))", "where(a == b, y_bar * 0.5, where(b < a, 0, y_bar))"),
       "numpy.maximum", (REALS, REALS), kinds=ALL)
binary("minimum",       "minimum(a, b)",
       ("where(a == b, y_bar * 0.5, where(a > b, 0, y_bar))", "where(a == b, y_bar * 0.5, where(b > a, 0, y_bar))"),
       "numpy.minimum", (REALS, REALS), kinds=ALL)
binary("fmax",          "where((a >= b) | (b != b), a, b)",
       ("where((a >= b) | (b != b), y_bar, 0)", "where((a >= b) | (b != b), 0, y_bar)"), "numpy.fmax", (REALS, REALS), kinds=ALL)
binary("fmin",          "where((a <= b) | (b != b), a, b)",
       ("where((a <= b) | (b != b), y_bar, 0)", "where((a <= b) | (b != b), 0, y_bar)"), "numpy.fmin", (REALS, REALS), kinds=ALL)
binary("clamp_min",     "maximum(a, b)",       ("where(a >= b, y_bar, 0)", "where(a < b, y_bar, 0)"), None, (REALS, REALS), kinds=NUMBERS,
       arguments=("input", "min"))
binary("clamp_max",     "minimum(a, b)",       ("where(a <= b, y_bar, 0)", "where(a > b, y_bar, 0)"), None, (REALS, REALS), kinds=NUMBERS,
       arguments=("input", "max"))
row("clamp",            "minimum(maximum(a, b), c)",
    ("where((a >= b) & (a <= c), y_bar, 0)", "where((b < c) & (a < b), y_bar, 0)", "where((a > c) | (c < b), y_bar, 0)"),
    "numpy.clip", (REALS, NEGATIVE, POSITIVE), kinds=NUMBERS, arguments=("input", "min", "max"), grad_fn="ClampBackward1")
row("clamp_tensors",    "minimum(maximum(a, b), c)",
    ("where((a >= b) & (a <= c), y_bar, 0)", "where((b < c) & (a < b), y_bar, 0)", "where((a > c) | (c < b), y_bar, 0)"),
    "numpy.clip", (REALS, NEGATIVE, POSITIVE), kinds=NUMBERS, arguments=("input", "min", "max"), grad_fn="ClampBackward0")

# Comparisons, logic and bits
comparison("eq", "==", "numpy.equal")
comparison("ne", "!=", "numpy.not_equal")
comparison("lt", "<", "numpy.less")
comparison("le", "<=", "numpy.less_equal")
comparison("gt", ">", "numpy.greater")
comparison("ge", ">=", "numpy.greater_equal")
unary("logical_not",    "a == 0",                   None,         "numpy.logical_not", REALS,            result=BOOL)
binary("logical_and",   "(a != 0) & (b != 0)",      (None, None), "numpy.logical_and", (REALS, REALS),   kinds=ALL, result=BOOL)
binary("logical_or",    "(a != 0) | (b != 0)",      (None, None), "numpy.logical_or",  (REALS, REALS),   kinds=ALL, result=BOOL)
binary("logical_xor",   "(a != 0) ^ (b != 0)",      (None, None), "numpy.logical_xor", (REALS, REALS),   kinds=ALL, result=BOOL)
unary("bitwise_not",    "~a",                       None,         "numpy.bitwise_not", REALS,            result="same", kinds=DISCRETE)
binary("bitwise_and",   "a & b",                    (None, None), "numpy.bitwise_and", (REALS, REALS),   kinds=DISCRETE)
binary("bitwise_or",    "a | b",                    (None, None), "numpy.bitwise_or",  (REALS, REALS),   kinds=DISCRETE)
binary("bitwise_xor",   "a ^ b",                    (None, None), "numpy.bitwise_xor", (REALS, REALS),   kinds=DISCRETE)
binary("bitwise_left_shift",  "shift_left(a, b)",   (None, None), "numpy.left_shift",  (REALS, POSITIVE), kinds=INTEGERS)
binary("bitwise_right_shift", "shift_right(a, b)",  (None, None), "numpy.right_shift", (REALS, POSITIVE), kinds=INTEGERS)

# Selection, interpolation and fused arithmetic
row("where",       "where(a, b, c)",   (None, "where(a, y_bar, 0)", "where(a, 0, y_bar)"), "numpy.where", (CONDITION, REALS, REALS), kinds=ALL,
    arguments=("condition", "input", "other"))
row("lerp",        "where(abs(c) < 0.5, a + c * (b - a), b - (b - a) * (1 - c))", ("1 - c", "c", "b - a"), None, (REALS, REALS, REALS),
    arguments=("input", "end", "weight"))
row("addcmul",     "a + b * c",        ("1", "c", "b"),               None, (REALS, REALS, REALS),   arguments=("input", "tensor1", "tensor2"))
row("addcdiv",     "a + b / c",        ("1", "1 / c", "-(b / c) / c"), None, (REALS, REALS, NONZERO), arguments=("input", "tensor1", "tensor2"))

# Losses of one element
row("sq_error",    "(a - b) * (a - b)",         ("2 * (a - b)", "2 * (b - a)"), None, (REALS, REALS), arguments=("input", "target"), grad_fn="MseLossBackward0")
row("bce",         "-c * (b * maximum(log(a), -100) + (1 - b) * maximum(log1p(-a), -100))",
    ("c * (a - b) / maximum(a * (1 - a), 1e-12)", "c * (log1p(-a) - log(a))", None), None, (PROBABILITY, PROBABILITY, POSITIVE),
    arguments=("input", "target", "weight"), grad_fn="BinaryCrossEntropyBackward0")
row("bce_logits",  "(1 - b) * a + (1 + (c - 1) * b) * (log1p(exp(-abs(a))) + maximum(-a, 0))",
    ("(c * b + 1 - b) * sigmoid(a) - c * b", "(c - 1) * (log1p(exp(-abs(a))) + maximum(-a, 0)) - a", "b * (log1p(exp(-abs(a))) + maximum(-a, 0))"), None,
    (REALS, PROBABILITY, POSITIVE), arguments=("input", "target", "pos_weight"), grad_fn="BinaryCrossEntropyWithLogitsBackward0")
row("smooth_l1",   "where(abs(a - b) < c, 0.5 * (a - b) * (a - b) / c, abs(a - b) - 0.5 * c)",
    ("where(abs(a - b) < c, (a - b) / c, where(a > b, 1, where(a < b, -1, a - b)))",
     "where(abs(a - b) < c, (b - a) / c, where(a > b, -1, where(a < b, 1, b - a)))", None), None,
    (REALS, REALS, POSITIVE), arguments=("input", "target", "beta"), grad_fn="SmoothL1LossBackward0")
row("huber",       "where(abs(a - b) <= c, 0.5 * (a - b) * (a - b), c * (abs(a - b) - 0.5 * c))",
    ("where(abs(a - b) <= c, a - b, where(a > b, c, where(a < b, -c, a - b)))",
     "where(abs(a - b) <= c, b - a, where(a > b, -c, where(a < b, c, b - a)))", None), None,
    (REALS, REALS, POSITIVE), arguments=("input", "target", "delta"), grad_fn="HuberLossBackward0")

# For the tape itself: a change of dtype, and the product in which an exactly zero adjoint wins over inf and nan
row("cast",         "a",                          ("1",),     None, (REALS,),       kinds=ALL, grad_fn="ToCopyBackward0")
row("zero_product", "where(a == 0, 0, a * b)",    ("b", "a"), None, (REALS, REALS), grad_fn="MulBackward0")
