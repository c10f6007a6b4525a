"""Prints tapediff/kernels/coefficients.py: the polynomials and long constants of vecmath, fitted with mpmath.

    python tools/fit_polynomials.py > tapediff/kernels/coefficients.py

A polynomial interpolates its function at Chebyshev nodes, which is within a small factor of the best uniform approximation
(Trefethen, Approximation Theory and Approximation Practice, chapter 15); the comment beside it gives the largest error of the unrounded
polynomial relative to the function, measured between the nodes.
"""

from __future__ import annotations

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
    Fit("LOG_FLOAT64", "(2 atanh(s) - 2 s) / s**3 in s**2", LOG, mpf(0), LOG_SQUARE, 6),
    Fit("LOG_FLOAT32", "(2 atanh(s) - 2 s) / s**3 in s**2", LOG, mpf(0), LOG_SQUARE, 2),
    Fit("LOG_TAIL_FLOAT64", "(atanh(s) / s - 1 - s**2 / 3) / s**4 in s**2", LOG_TAIL, mpf(0), LOG_SQUARE, 6),
    Fit("SIN_FLOAT64", "(sin(r) - r) / r**3 in r**2", SIN, mpf(0), QUARTER_PI_SQUARE, 5),
    Fit("SIN_FLOAT32", "(sin(r) - r) / r**3 in r**2", SIN, mpf(0), QUARTER_PI_SQUARE, 2),
    Fit("COS_FLOAT64", "(cos(r) - 1 + r**2 / 2) / r**4 in r**2", COS, mpf(0), QUARTER_PI_SQUARE, 5),
    Fit("COS_FLOAT32", "(cos(r) - 1 + r**2 / 2) / r**4 in r**2", COS, mpf(0), QUARTER_PI_SQUARE, 2),
    Fit("SINH_FLOAT64", "(sinh(r) - r) / r**3 in r**2", SINH, mpf(0), LN2_HALF**2, 5),
    Fit("COSH_FLOAT64", "(cosh(r) - 1) / r**2 in r**2", COSH, mpf(0), LN2_HALF**2, 5),
    Fit("ATAN_FLOAT64", "(atan(t) - t) / t**3 in t**2", ATAN, mpf(0), TAN_EIGHTH_PI_SQUARE, 11),
    Fit("ATAN_FLOAT32", "(atan(t) - t) / t**3 in t**2", ATAN, mpf(0), TAN_EIGHTH_PI_SQUARE, 4),
    Fit("ASIN_FLOAT64", "(asin(t) - t) / t**3 in t**2", ASIN, mpf(0), mpf("0.2501"), 12),
    Fit("ASIN_FLOAT32", "(asin(t) - t) / t**3 in t**2", ASIN, mpf(0), mpf("0.2501"), 5),
    Fit("ERF_FLOAT64", "erf(x) / x - 1 in x**2", ERF, mpf(0), mpf(1), 12),
    Fit("ERFC_FLOAT64", "((1 + 2 x) exp(x**2) erfc(x) - ERFC_MIDDLE) / t, t = (x - 3.75) / (x + 3.75)", ERFC, mpf(-1), mpf(1), 25),
    Fit("DIGAMMA_FLOAT64", "digamma(x) / (x - root) in x - 1.5", lambda t: digamma_slope(t + mpf("1.5")), mpf("-0.5"), mpf("0.5"), 22),
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
    for fit in FITS:
        coefficients = interpolate(fit)
        error = mpmath.nstr(largest_error(fit, coefficients), 2)
        interval = f"[{mpmath.nstr(fit.low, 4)}, {mpmath.nstr(fit.high, 4)}]"
        print_tuple(fit.name, [float(c) for c in coefficients], f"{fit.meaning} on {interval}, relative error {error}")
    print_tuple("ERFC_MIDDLE", parts(ERFC_MIDDLE, 2), "(1 + 2 x) exp(x**2) erfc(x) at 3.75 as a sum")
    print_tuple("HALF_PI_FLOAT64", parts(mpmath.pi / 2, 3), "pi / 2 as a sum")
    print_tuple("HALF_PI_FLOAT32", parts(mpmath.pi / 2, 4, 24), "pi / 2 as a sum of numbers of 24 bits")
    print_tuple("LN2_FLOAT64", parts(mpmath.log(2), 2), "ln 2 as a sum")
    print_tuple("LN2_SHORT_FLOAT64", [*parts(mpmath.log(2), 1, 40), *parts(mpmath.log(2) - parts(mpmath.log(2), 1, 40)[0], 1)],
                "ln 2 as a sum whose first number has 40 bits: its product with an exponent is exact")  # fmt: skip
    print_tuple("LN2_FLOAT32", parts(mpmath.log(2), 2, 24), "ln 2 as a sum of numbers of 24 bits")
    print_tuple("LN2_SHORT_FLOAT32", [*parts(mpmath.log(2), 1, 14), *parts(mpmath.log(2) - parts(mpmath.log(2), 1, 14)[0], 1, 24)],
                "ln 2 as a sum whose first number has 14 bits")  # fmt: skip
    print_tuple("LOG2_E", parts(1 / mpmath.log(2), 2), "1 / ln 2 as a sum")
    print_tuple("LOG10_E", parts(1 / mpmath.log(10), 2), "1 / ln 10 as a sum")
    print_tuple("LOG10_2", [*parts(mpmath.log(2, 10), 1, 40), *parts(mpmath.log(2, 10) - parts(mpmath.log(2, 10), 1, 40)[0], 1)],
                "log10(2) as a sum whose first number has 40 bits")  # fmt: skip
    print_tuple("THIRD", parts(mpf(1) / 3, 2), "1 / 3 as a sum")
    print_tuple("DIGAMMA_ROOT", parts(DIGAMMA_ROOT, 2), "the positive root of digamma as a sum")
    print_tuple("TWO_OVER_PI", [0, *words_of_two_over_pi(20)], "64 zeros, then the bits of 2 / pi after the point, 64 to a word")


if __name__ == "__main__":
    main()
