"""The vector functions against mpmath in ulp, and against C's libm at the special points.

TAPEDIFF_ULP_SAMPLES says how many points a function gets (default 250 in each of four ranges).
"""

import ctypes
import ctypes.util
import os

import numpy as np
import pytest
from mpmath import mp, mpf

from tapediff.kernels.calling import call_kernel
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.ops import ELEMENTWISE

SAMPLES = int(os.environ.get("TAPEDIFF_ULP_SAMPLES", "250"))
DTYPES = ("float64", "float32")

REFERENCES = {
    "exp": mp.exp, "exp2": lambda x: mpf(2) ** x, "expm1": mp.expm1, "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log": mp.log, "log2": lambda x: mp.log(x, 2), "log10": mp.log10, "log1p": mp.log1p,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "erf": mp.erf, "erfc": mp.erfc, "erfinv": mp.erfinv,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))) if x < 100 else mp.loggamma(x), "digamma": mp.digamma,
    "pow": lambda a, b: a**b, "atan2": mp.atan2, "hypot": mp.hypot,
    "logaddexp": lambda a, b: max(a, b) + mp.log1p(mp.exp(-abs(a - b))),
    "polygamma": lambda n, x: mp.polygamma(int(n), x), "zeta": mp.zeta,
}  # fmt: skip

# where the result is neither infinite nor a plain limit
RANGES = {
    "exp": (-746, 710), "exp2": (-1075, 1024), "expm1": (-40, 710), "sigmoid": (-746, 40), "sinh": (-711, 711),
    "cosh": (-711, 711),
    "tanh": (-22, 22), "erf": (-6, 6), "erfc": (-6, 27.3), "asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1), "erfinv": (-1, 1),
    "log": (0, np.inf), "log2": (0, np.inf), "log10": (0, np.inf), "log1p": (-1, np.inf), "acosh": (1, np.inf),
    "lgamma": (0.01, 170), "digamma": (0.01, np.inf), "pow": (0, np.inf), "polygamma": (0.05, 1e6),
}  # fmt: skip

# ulp, where it is not 2
LIMITS = {"lgamma": 6.0, "digamma": 12.0, "polygamma": 8.0, "zeta": 6.0}


def points(low, high, dtype, generator):
    """Numbers of every magnitude, of the middle, around 1 and around 0, within the range."""
    exponents = generator.uniform(-300 if dtype == "float64" else -40, 300 if dtype == "float64" else 37, SAMPLES)
    sign = generator.choice([-1.0, 1.0], SAMPLES)
    near_one = 1 + generator.uniform(-0.6, 1.0, SAMPLES) * 2.0 ** generator.uniform(-40, 0, SAMPLES)
    middle = generator.uniform(max(low, -50), min(high, 50), SAMPLES)
    whole = generator.uniform(max(low, -1000), min(high, 1000), SAMPLES)
    numbers = np.concatenate([sign * 10.0**exponents, near_one, middle, whole]).astype(dtype)
    return numbers[(numbers >= low) & (numbers <= high)]


def forward(name, *operands):
    dtype = operands[0].dtype.name
    y = np.empty_like(operands[0])
    arrays = dict(zip("abc", operands))
    call_kernel(get_library(), KernelSpec(name, "forward", (dtype,) * len(operands), dtype), len(y), y=y, **arrays)
    return y


def ulp_distance(value, exact, dtype):
    """The error in units of the last place of the exact result, subnormals included."""
    facts = np.finfo(dtype)
    if not np.isfinite(value) or abs(exact) > float(facts.max):
        rounded = facts.dtype.type(float(exact)) if abs(exact) < mpf(2) ** 1025 else np.inf * float(mp.sign(exact))
        return 0.0 if value == rounded or abs(exact) > float(facts.max) * (1 - float(facts.eps)) else np.inf
    exponent = max(mp.frexp(exact)[1] - 1 if exact else -(10**6), facts.minexp)
    return float(abs(mpf(float(value)) - exact) / mpf(2) ** (exponent - facts.nmant))


def worst(name, dtype, *operands):
    """The largest error in ulp, and where."""
    values = forward(name, *operands)
    errors = []
    with mp.workprec(160):
        for value, *arguments in zip(values, *operands):
            exact = REFERENCES[name](*[mpf(float(argument)) for argument in arguments])
            errors.append((ulp_distance(value, mp.mpf(exact.real), dtype), *map(float, arguments), float(value)))
    return max(errors)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in REFERENCES if ELEMENTWISE[name].arity == 1])
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_function_is_as_close_as_promised(name, dtype):
    low, high = RANGES.get(name, (-np.inf, np.inf))
    error, *where = worst(name, dtype, points(low, high, dtype, np.random.default_rng(7)))
    assert error <= LIMITS.get(name, 2.0), f"{name} of {where[0]!r} is {where[1]!r}, {error:.2f} ulp off"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in REFERENCES if ELEMENTWISE[name].arity == 2])
def test_a_function_of_two_operands_is_as_close_as_promised(name, dtype):
    generator = np.random.default_rng(8)
    if name == "pow":
        a = 2.0 ** generator.uniform(-60, 60, 2 * SAMPLES)
        b = generator.uniform(-1, 1, len(a)) * (700 if dtype == "float64" else 80) / np.maximum(abs(np.log(a)), 1e-3)
        a[::4] = 1 + 2.0 ** generator.uniform(-30, -1, len(a[::4]))
        b = np.where(abs(b * np.log(a)) < (700 if dtype == "float64" else 80), b, 1.0)
    elif name == "polygamma":
        a, b = generator.integers(1, 6, SAMPLES).astype(float), 10 ** generator.uniform(-1, 3, SAMPLES)
    elif name == "zeta":
        a, b = generator.uniform(1.05, 8, SAMPLES), 10 ** generator.uniform(-1, 3, SAMPLES)
    elif name == "logaddexp":
        a, b = generator.uniform(0.5, 50, (2, SAMPLES))
    else:
        a, b = generator.choice([-1, 1], (2, SAMPLES)) * 10.0 ** generator.uniform(-30, 30, (2, SAMPLES))
    error, *where = worst(name, dtype, a.astype(dtype), b.astype(dtype))
    assert error <= LIMITS.get(name, 2.0), f"{name}({where[0]!r}, {where[1]!r}) is {where[2]!r}, {error:.2f} ulp off"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles_are_reduced_exactly(name, dtype):
    generator = np.random.default_rng(9)
    facts = np.finfo(dtype)
    powers = 2.0 ** generator.integers(15, facts.maxexp - 1, SAMPLES)
    angles = np.concatenate([generator.uniform(0.5, 1, SAMPLES) * powers, -powers, np.arange(1, SAMPLES) * np.pi / 2]).astype(
        dtype
    )
    # the doubles and floats nearest to a multiple of pi / 2
    angles = np.append(
        angles, np.array([6381956970095103 * 2.0**797 if dtype == "float64" else 16367173 * 2.0**72]).astype(dtype)
    )
    error = 0.0
    with mp.workprec(1300):
        for value, angle in zip(forward(name, angles), angles):
            error = max(error, ulp_distance(value, REFERENCES[name](mpf(float(angle))), dtype))
    assert error <= 2.0


LIBM = ctypes.CDLL(ctypes.util.find_library("m"))
SPICES = [
    0.0, np.inf, np.nan, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-45, 1e-40, 1.1754944e-38, 1e-20, 0.5, 1.0, 1.5,
    2.0, 3.0, 7.0, 20.0, np.nextafter(1, 2), np.nextafter(1, 0),
    88.72283, 88.72284, 103.97208, 103.97209, 709.782712893384, 709.7827128933841, 710.4758600739439,
    710.475860073944, 745.1332191019411, 745.1332191019412, 1e10, 1e17, 1e30, 3.4028235e38, 1e300, 1.7976931348623157e308,
]  # fmt: skip
NOT_IN_LIBM = {"sigmoid", "erfinv", "digamma", "polygamma", "zeta", "logaddexp"}
IN_LIBM = [name for name in REFERENCES if name not in NOT_IN_LIBM] + ["fmod"]


def c_function(name, dtype, arity):
    function = getattr(LIBM, name + ("f" if dtype == "float32" else ""))
    number = ctypes.c_float if dtype == "float32" else ctypes.c_double
    function.restype, function.argtypes = number, [number] * arity
    return function


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", IN_LIBM)
@pytest.mark.filterwarnings("ignore:overflow")
def test_special_arguments_give_what_libm_gives(name, dtype):
    spices = np.array(SPICES).astype(dtype)
    spices = np.concatenate([spices, -spices])
    arity = ELEMENTWISE[name].arity
    operands = [spices] if arity == 1 else [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(spices, spices)]
    function = c_function(name, dtype, arity)
    expected = np.array([function(*map(float, arguments)) for arguments in zip(*operands)]).astype(dtype)
    actual = forward(name, *operands)
    with np.errstate(all="ignore"):
        close = abs(actual - expected) <= 4 * np.spacing(abs(expected))
    same_sign = np.signbit(actual) == np.signbit(expected)
    fine = (np.isnan(actual) & np.isnan(expected)) | (((actual == expected) | close) & same_sign)
    wrong = [(*[float(operand[i]) for operand in operands], float(actual[i]), float(expected[i])) for i in np.flatnonzero(~fine)]
    assert not wrong, f"{name}: (arguments, ours, libm's) {wrong[:5]}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "at"), [("sigmoid", (0.5, 1.0, 0.0)), ("erfinv", (0.0, np.nan, np.nan)), ("digamma", (-np.inf, np.inf, np.nan))]
)
def test_functions_that_libm_lacks_have_their_limits(name, at, dtype):
    np.testing.assert_array_equal(forward(name, np.array([0.0, np.inf, -np.inf], dtype)), np.array(at, dtype))


def test_the_inverse_error_function_reaches_both_ends():
    np.testing.assert_array_equal(forward("erfinv", np.array([1.0, -1.0, 1.5])), [np.inf, -np.inf, np.nan])


def test_ints_are_raised_to_powers_with_wraparound():
    a = np.array([0, 1, -1, -1, 2, 3, 10, -2, 7, 5, 2, 3])
    n = np.array([0, -5, -3, -4, 10, 40, 18, 63, 1, -1, 64, 100])
    expected = [
        1,
        1,
        -1,
        1,
        1024,
        3**40 - 2**64 * round(3**40 / 2**64),
        10**18,
        -(2**63),
        7,
        0,
        0,
        (3**100 + 2**63) % 2**64 - 2**63,
    ]
    np.testing.assert_array_equal(forward("pow", a, n), np.array(expected))


def test_the_coefficients_are_those_that_the_tool_prints():
    import subprocess
    import sys
    from pathlib import Path

    root = Path(__file__).parent.parent.parent
    printed = subprocess.run(
        [sys.executable, root / "tools" / "fit_polynomials.py"], capture_output=True, text=True, check=True
    ).stdout
    assert printed == (root / "tapediff" / "kernels" / "coefficients.py").read_text()
