"""Prints tapediff/kernels/coefficients.py: the polynomials and long constants of vecmath, fitted with mpmath.

    python tools/fit_polynomials.py > tapediff/kernels/coefficients.py

A polynomial interpolates its function at Chebyshev nodes, which is within a small factor of the best uniform approximation
(Trefethen, Approximation Theory and Approximation Practice, chapter 15); the comment beside it gives the largest error of the
unrounded polynomial relative to the function, measured between the nodes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

import mpmath
from mpmath import mpf

mpmath.mp.dps = 150


class Fit(NamedTuple):
    """A function to fit on an interval by a polynomial of a degree."""

    name: str
    meaning: str
    function: Callable[[mpf], mpf]
    low: mpf
    high: mpf
    degree: int


def series_at_zero(function: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """The function, evaluated beside 0 at 0, where its quotient is undefined."""

    def evaluated(x: mpf) -> mpf:
        return function(x if abs(x) > mpf(10) ** -20 else mpf(10) ** -20)

    return evaluated


def of_square(function: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """The even function of x as a function of z = x**2."""
    return lambda z: function(mpmath.sqrt(abs(z)))


def erfcx(x: mpf) -> mpf:
    """exp(x**2) * erfc(x)"""
    return mpmath.exp(x * x) * mpmath.erfc(x)


LN2_HALF = mpmath.log(2) / 2 * mpf("1.01")
LOG_SQUARE = (3 - 2 * mpmath.sqrt(2)) ** 2 * mpf("1.001")
QUARTER_PI_SQUARE = (mpmath.pi / 4) ** 2 * mpf("1.001")
TAN_EIGHTH_PI_SQUARE = mpmath.tan(mpmath.pi / 8) ** 2 * mpf("1.001")
ERFC_CENTER = mpf("3.75")
DIGAMMA_ROOT = mpmath.findroot(mpmath.digamma, mpf("1.4616321"))

LOG = of_square(series_at_zero(lambda s: (2 * mpmath.atanh(s) - 2 * s) / s**3))
LOG_TAIL = of_square(series_at_zero(lambda s: (mpmath.atanh(s) / s - 1 - s * s / 3) / s**4))
SIN = of_square(series_at_zero(lambda r: (mpmath.sin(r) - r) / r**3))
COS = of_square(series_at_zero(lambda r: (mpmath.cos(r) - 1 + r * r / 2) / r**4))
SINH = of_square(series_at_zero(lambda r: (mpmath.sinh(r) - r) / r**3))
COSH = of_square(series_at_zero(lambda r: (mpmath.cosh(r) - 1) / r**2))
ATAN = of_square(series_at_zero(lambda t: (mpmath.atan(t) - t) / t**3))
ASIN = of_square(series_at_zero(lambda t: (mpmath.asin(t) - t) / t**3))
ERF = of_square(series_at_zero(lambda x: mpmath.erf(x) / x - 1))
EXP = series_at_zero(lambda r: (mpmath.exp(r) - 1 - r) / r**2)
EXP2 = series_at_zero(lambda r: (mpmath.exp(r * mpmath.log(2)) - 1 - r * mpmath.log(2)) / r**2)


def digamma_slope(x: mpf) -> mpf:
    """digamma(x) / (x - root)"""
    return mpmath.digamma(x) / (x - DIGAMMA_ROOT)


def erfc_ratio(t: mpf) -> mpf:
    """(1 + 2 x) erfcx(x) where t = (x - center) / (x + center)."""
    if t >= 1:
        return 2 / mpmath.sqrt(mpmath.pi)
    x = ERFC_CENTER * (1 + t) / (1 - t)
    return (1 + 2 * x) * erfcx(x) if x < 100 else (1 + 2 * x) / (x * mpmath.sqrt(mpmath.pi)) * mpmath.hyp2f0(1, 0.5, -1 / (x * x))


ERFC_MIDDLE = erfc_ratio(mpf(0))
ERFC = series_at_zero(lambda t: (erfc_ratio(t) - ERFC_MIDDLE) / t)

FITS = [
    Fit("EXP_FLOAT64", "(exp(r) - 1 - r) / r**2", EXP, -LN2_HALF, LN2_HALF, 9),
    Fit("EXP_FLOAT32", "(exp(r) - 1 - r) / r**2", EXP, -LN2_HALF, LN2_HALF, 4),
    Fit("EXP2_FLOAT64", "(2**r - 1 - r ln 2) / r**2", EXP2, mpf("-0.5"), mpf("0.5"), 9),
    Fit("EXP2_FLOAT32", "(2**r - 1 - r ln 2) / r**2", EXP2, mpf("-0.5"), mpf("0.5"), 4),
    Fit("LOG_FLOAT64", "(2 atanh(s) - 2 s) / s**3 in s**2", LOG, mpf(0), LOG_SQUARE, 6),
    Fit("LOG_FLOAT32", "(2 atanh(s) - 2 s) / s**3 in s**2", LOG, mpf(0), LOG_SQUARE, 2),
    Fit("LOG_TAIL_FLOAT64", "(atanh(s) / s - 1 - s**2 / 3) / s**4 in s**2", LOG_TAIL, mpf(0), LOG_SQUARE, 6),
    Fit("SIN_FLOAT64", "(sin(r) - r) / r**3 in r**2", SIN, mpf(0), QUARTER_PI_SQUARE, 5),
    Fit("SIN_FLOAT32", "(sin(r) - r) / r**3 in r**2", SIN, mpf(0), QUARTER_PI_SQUARE, 2),
    Fit("COS_FLOAT64", "(cos(r) - 1 + r**2 / 2) / r**4 in r**2", COS, mpf(0), QUARTER_PI_SQUARE, 5),
    Fit("COS_FLOAT32", "(cos(r) - 1 + r**2 / 2) / r**4 in r**2", COS, mpf(0), QUARTER_PI_SQUARE, 2),
    Fit("SINH_FLOAT64", "(sinh(r) - r) / r**3 in r**2", SINH, mpf(0), LN2_HALF**2, 5),
    Fit("COSH_FLOAT64", "(cosh(r) - 1) / r**2 in r**2", COSH, mpf(0), LN2_HALF**2, 5),
    Fit("SINH_FLOAT32", "(sinh(r) - r) / r**3 in r**2", SINH, mpf(0), LN2_HALF**2, 1),
    Fit("COSH_FLOAT32", "(cosh(r) - 1) / r**2 in r**2", COSH, mpf(0), LN2_HALF**2, 2),
    Fit("ATAN_FLOAT64", "(atan(t) - t) / t**3 in t**2", ATAN, mpf(0), TAN_EIGHTH_PI_SQUARE, 11),
    Fit("ATAN_FLOAT32", "(atan(t) - t) / t**3 in t**2", ATAN, mpf(0), TAN_EIGHTH_PI_SQUARE, 4),
    Fit("ASIN_FLOAT64", "(asin(t) - t) / t**3 in t**2", ASIN, mpf(0), mpf("0.2501"), 12),
    Fit("ASIN_FLOAT32", "(asin(t) - t) / t**3 in t**2", ASIN, mpf(0), mpf("0.2501"), 5),
    Fit("ERF_FLOAT32", "erf(x) / x - 1 in x**2", ERF, mpf(0), mpf(1), 6),
    Fit("ERFC_FLOAT32", "((1 + 2 x) exp(x**2) erfc(x) - ERFC_MIDDLE) / t, t as below", ERFC, mpf(-1), mpf(1), 11),
    Fit("ERF_FLOAT64", "erf(x) / x - 1 in x**2", ERF, mpf(0), mpf(1), 12),
    Fit(
        "ERFC_FLOAT64", "((1 + 2 x) exp(x**2) erfc(x) - ERFC_MIDDLE) / t, t = (x - 3.75) / (x + 3.75)", ERFC, mpf(-1), mpf(1), 25
    ),
    Fit(
        "DIGAMMA_FLOAT64",
        "digamma(x) / (x - root) in x - 1.5",
        lambda t: digamma_slope(t + mpf("1.5")),
        mpf("-0.5"),
        mpf("0.5"),
        22,
    ),
]


def interpolate(fit: Fit) -> list[mpf]:
    """The coefficients, constant term first."""
    count = fit.degree + 1
    middle, half = (fit.high + fit.low) / 2, (fit.high - fit.low) / 2
    nodes = [middle + half * mpmath.cos((2 * k + 1) * mpmath.pi / (2 * count)) for k in range(count)]
    matrix = mpmath.matrix(count, count)
    for i, node in enumerate(nodes):
        for j in range(count):
            matrix[i, j] = node**j
    return list(mpmath.lu_solve(matrix, mpmath.matrix([fit.function(node) for node in nodes])))


def largest_error(fit: Fit, coefficients: list[mpf]) -> mpf:
    """The largest relative error on a grid."""
    points = [fit.low + (fit.high - fit.low) * k / 200 for k in range(201)]
    values = [(fit.function(x), mpmath.polyval(coefficients[::-1], x)) for x in points]
    return max(abs(approximation / value - 1) for value, approximation in values)


def parts(number: mpf, count: int, bits: int = 53) -> list[float]:
    """The number as an unevaluated sum of floats of `bits` bits."""
    result = []
    for _ in range(count):
        with mpmath.workprec(bits):
            part = +number
        result.append(float(part))
        number -= part
    return result


def short_sum(number: mpf, short: int, bits: int) -> list[float]:
    """The number as a sum of a float of `short` bits and a float of `bits` bits."""
    (first,) = parts(number, 1, short)
    return [first, *parts(number - first, 1, bits)]


def words_of_two_over_pi(count: int) -> list[int]:
    """The first `count` words of 64 bits of the fraction of 2 / pi."""
    with mpmath.workprec(64 * count + 64):
        fraction = int(mpmath.floor(2 / mpmath.pi * mpf(2) ** (64 * count)))
    return [fraction >> 64 * (count - 1 - k) & (2**64 - 1) for k in range(count)]


def print_tuple(name: str, numbers: list[float] | list[int], comment: str) -> None:
    """One constant of the module."""
    print(f"\n# {comment}\n{name} = (")
    for number in numbers:
        print(f"    {number!r},")
    print(")")


def main() -> None:
    """Print the module."""
    print('"""Polynomials and long constants of vecmath, printed by tools/fit_polynomials.py."""')
    print_formats()
    for fit in FITS:
        coefficients = interpolate(fit)
        error = mpmath.nstr(largest_error(fit, coefficients), 2)
        interval = f"[{mpmath.nstr(fit.low, 4)}, {mpmath.nstr(fit.high, 4)}]"
        print_tuple(fit.name, [float(c) for c in coefficients], f"{fit.meaning} on {interval}, relative error {error}")
    print_tuple("HALF_PI_FLOAT64", parts(mpmath.pi / 2, 3), "pi / 2 as a sum")
    print_tuple("HALF_PI_FLOAT32", parts(mpmath.pi / 2, 4, 24), "pi / 2 as a sum of numbers of 24 bits")
    print_tuple("LN2_FLOAT64", parts(mpmath.log(2), 2), "ln 2 as a sum")
    print_tuple("LN2_FLOAT32", parts(mpmath.log(2), 2, 24), "ln 2 as a sum of numbers of 24 bits")
    for dtype, precision, short in (("FLOAT64", 53, 40), ("FLOAT32", 24, 14)):
        print_tuple(f"ERFC_MIDDLE_{dtype}", parts(ERFC_MIDDLE, 2, precision), "(1 + 2 x) exp(x**2) erfc(x) at 3.75 as a sum")
        print_tuple(f"LOG2_E_{dtype}", parts(1 / mpmath.log(2), 2, precision), "1 / ln 2 as a sum")
        print_tuple(f"LOG10_E_{dtype}", parts(1 / mpmath.log(10), 2, precision), "1 / ln 10 as a sum")
        print_tuple(
            f"LOG10_2_{dtype}",
            short_sum(mpmath.log(2, 10), short, precision),
            f"log10(2) as a sum whose first number has {short} bits",
        )
        print_tuple(f"LN2_SHORT_{dtype}", short_sum(mpmath.log(2), short, precision),
                    f"ln 2 as a sum whose first number has {short} bits: its product with an exponent is exact")  # fmt: skip
    print_tuple("THIRD", parts(mpf(1) / 3, 2), "1 / 3 as a sum")
    stirling = [float(mpmath.bernoulli(2 * k) / (2 * k)) for k in range(1, 8)]
    print_tuple("STIRLING", stirling, "B(2 k) / (2 k), k = 1..7: log(x) - 1 / (2 x) - digamma(x) in powers of x**-2")
    print_tuple("DIGAMMA_ROOT", parts(DIGAMMA_ROOT, 2), "the positive root of digamma as a sum")
    print_tuple("TWO_OVER_PI", [0, *words_of_two_over_pi(20)], "64 zeros, then the bits of 2 / pi after the point, 64 to a word")


def print_formats() -> None:
    """Facts about the two formats."""
    print()
    for dtype, code, bits, mantissa, subnormal in (("FLOAT64", "d", 64, 52, 54), ("FLOAT32", "f", 32, 23, 25)):
        bias = 2 ** (bits - mantissa - 2) - 1
        rounder, whole = 1.5 * 2.0**mantissa, 2.0**mantissa
        facts = {
            "MANTISSA_BITS": mantissa,
            "MANTISSA_MASK": 2**mantissa - 1,
            "BIAS": bias,
            "ONE_BITS": word(1.0, code),
            "SQRT_HALF_BITS": word(float(mpmath.sqrt(mpf("0.5"))), code),
            "ROUNDER": rounder,
            "ROUNDER_BITS": word(rounder, code),
            "WHOLE": whole,
            "WHOLE_BITS": word(whole, code),
            "LEAST_NORMAL": 2.0 ** (1 - bias),
            "SUBNORMAL_SHIFT": subnormal,
            "SUBNORMAL_SCALE": 2.0**subnormal,
            "EXP_LOWEST": -750.0 if code == "d" else -105.0,
            "EXP_HIGHEST": 710.0 if code == "d" else 89.0,
            "EXP2_LOWEST": -1080.0 if code == "d" else -155.0,
            "EXP2_HIGHEST": 1025.0 if code == "d" else 129.0,
            "ANGLE_LIMIT": 2.0**30 if code == "d" else 2.0**17,
            "ERFC_LIMIT": 28.0 if code == "d" else 10.5,
            "LARGE": 1e300 if code == "d" else 1e36,
            "SMALL": 1e-290 if code == "d" else 1e-28,
            "SCALE_DOWN": 2.0**-512 if code == "d" else 2.0**-64,
            "SCALE_UP": 2.0**512 if code == "d" else 2.0**64,
        }
        for name, value in facts.items():
            print(f"{name}_{dtype} = {value!r}")
    print_tuple(
        "TANH_ABOVE_FLOAT64", [675675, 45045, 594, 1], "1 - tanh(x) / x = z above(z) / below(z) in z = x**2, Lambert's fraction"
    )
    print_tuple("TANH_BELOW_FLOAT64", [2027025, 945945, 51975, 630, 1], "its denominator")
    print_tuple("TANH_ABOVE_FLOAT32", [315, 14], "the same, shorter")
    print_tuple("TANH_BELOW_FLOAT32", [945, 420, 15], "its denominator")


def word(number: float, code: str) -> int:
    """The bits of a float as an int."""
    result: int = struct.unpack({"d": "<q", "f": "<i"}[code], struct.pack("<" + code, number))[0]
    return result


if __name__ == "__main__":
    main()
