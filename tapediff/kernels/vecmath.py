"""Mathematical functions written once as restricted Python, which `formula` prints for scalars and for vectors.

A function is made of assignments and one return.  The dtype of the first float operand finds ``name_float64``, ``name_float`` or
``name``, and for each name in capitals its value in tapediff/kernels/coefficients.py.  There are no branches: a special case is a
selection, and `rarely` computes its second argument only when some lane needs it.  ``fma`` is exact; ``muladd`` is fused where
the host can.  A name with ``_low`` beside one without stands for the small part of an unevaluated sum.

tests/kernels/test_vecmath.py holds the functions to 2 ulp over the whole range (the gamma functions to a few more, and
absolutely near their zeros), and to C's libm at infinities, nans, signed zeros and subnormals.
"""

from __future__ import annotations

# ruff: noqa: F821, RUF059
# mypy: ignore-errors


def cold(function):
    """Marks what is called out of line: only `rarely` asks for it."""
    return function


# Exponentials: x = k ln 2 + r with |r| <= ln(2) / 2.  Adding 1.5 * 2**52 rounds to an integer and leaves it in the low bits.


def exp_reduction_float(x):
    """The integer k, shifted into a float; k; and r."""
    shifted = muladd(x, LOG2_E[0], ROUNDER)
    k = shifted - ROUNDER
    r = fma(k, -LN2[1], fma(k, -LN2[0], x))
    return shifted, k, r


def expm1_of_reduced_float(r):
    return muladd(r * r, polynomial(r, EXP), r)


def scaled_float(x, shifted):
    """x * 2**k in two steps, so that a subnormal result is rounded once."""
    k = bits(shifted) - ROUNDER_BITS
    half = k >> 1
    first = from_bits((half + BIAS) << MANTISSA_BITS)
    second = from_bits((k - half + BIAS) << MANTISSA_BITS)
    return x * first * second


def power_of_two_float(k):
    """2**k of a normal number, for an integer k given as a float."""
    return from_bits(bits(k + (ROUNDER + BIAS)) << MANTISSA_BITS)


def clamped(x, low, high):
    return where(low > x, low, where(high < x, high, x))


def exp_float(x):
    shifted, k, r = exp_reduction(clamped(x, EXP_LOWEST, EXP_HIGHEST))
    return scaled(1 + expm1_of_reduced(r), shifted)


def expm1_of_sum(high, low):
    """k, shifted, and p as a sum in exp(high + low) = 2**k (1 + p), for high in [-760, 711] and a small low."""
    shifted, k, r = exp_reduction(high)
    first = fma(k, -LN2[0], high)
    r_low = fma(k, -LN2[1], first - r) + low
    growth = expm1_of_reduced(r)
    return shifted, growth, muladd(growth, r_low, r_low)


def exp2_float(x):
    near = clamped(x, EXP2_LOWEST, EXP2_HIGHEST)
    shifted = near + ROUNDER
    r = near - (shifted - ROUNDER)
    curve = muladd(r * r, polynomial(r, EXP2), r * LN2[1])
    return scaled(1 + muladd(r, LN2[0], curve), shifted)


def expm1_float(x):
    near = clamped(x, -40, EXP_HIGHEST)
    shifted, k, r = exp_reduction(near)
    # where k = 1 most of 2**k p + (2**k - 1) cancels, so p and r keep what they round off
    r_low = fma(k, -LN2[1], fma(k, -LN2[0], near) - r)
    curve = r * r * polynomial(r, EXP)
    p = r + curve
    p_low = (r - p) + curve + r_low
    half = power_of_two(k - 1)
    return copysign(2 * (fma(p, half, half - 0.5) + half * p_low), x)


def sigmoid_float(x):
    # 1 / (1 + 2**k (1 + p)) = 2**-k / (2**-k + 1 + p) neither overflows nor loses subnormal results
    shifted, k, r = exp_reduction(clamped(x, EXP_LOWEST, 40))
    scale = power_of_two(where(k < 1 - BIAS, 1 - BIAS, k))
    p = expm1_of_reduced(-r)
    return scaled(1 / where(scale > 1, scale + (1 + p), 1 + scale + p), shifted)


# Hyperbolic functions


def tanh_float(x):
    """Near 0 Lambert's continued fraction, beyond it 1 - 2 / (exp(2 x) + 1): one division for both."""
    a = abs(x)
    z = a * a
    shifted, k, r = exp_reduction(2 * where(a > 20, 20, a))
    scale = power_of_two(k)
    is_small = a < 0.625
    numerator = where(is_small, a * z * polynomial(z, TANH_ABOVE), 2)
    denominator = where(is_small, polynomial(z, TANH_BELOW), muladd(scale, expm1_of_reduced(r), scale + 1))
    return copysign(where(is_small, a, 1) - numerator / denominator, x)


def hyperbolic_reduction_float(a):
    """What sinh and cosh of a = k ln 2 + r share: 2**(k - 1), 1 - 4**-k, 1 + 4**-k, sinh(r) and cosh(r) - 1."""
    shifted, k, r = exp_reduction(where(a > EXP_HIGHEST + 10, EXP_HIGHEST + 10, a))
    square = power_of_two(-2 * where(k > 60, 60, k))
    z = r * r
    sinh_r = muladd(r * z, polynomial(z, SINH), r)
    cosh_r = z * polynomial(z, COSH)
    return shifted - 1, 1 - square, 1 + square, sinh_r, cosh_r


def sinh_float(x):
    shifted, difference, total, sinh_r, cosh_r = hyperbolic_reduction(abs(x))
    return copysign(scaled(difference + muladd(total, sinh_r, difference * cosh_r), shifted), x)


def cosh_float(x):
    shifted, difference, total, sinh_r, cosh_r = hyperbolic_reduction(abs(x))
    return scaled(total + muladd(difference, sinh_r, total * cosh_r), shifted)


# Logarithms: x = 2**k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f), log(m) = 2 atanh(s)


def log_reduction_float(x):
    """k and f."""
    is_subnormal = x < LEAST_NORMAL
    word = bits(where(is_subnormal, x * SUBNORMAL_SCALE, x)) + (ONE_BITS - SQRT_HALF_BITS)
    exponent = from_bits(shift_right_logical(word, MANTISSA_BITS) | WHOLE_BITS) - (WHOLE + BIAS)
    k = where(is_subnormal, exponent - SUBNORMAL_SHIFT, exponent)
    m = from_bits((word & MANTISSA_MASK) + SQRT_HALF_BITS)
    return k, m - 1


def log_correction_float(f):
    """f - log(1 + f), and s."""
    s = f / (2 + f)
    z = s * s
    square = 0.5 * f * f
    return square, s * (square + z * polynomial(z, LOG))


def log_specials(x, y):
    return where((x > 0) & (x < inf), y, where(x == 0, -inf, where(x < 0, nan, x)))


def log_float(x):
    k, f = log_reduction(x)
    square, rest_of_log = log_correction(f)
    return log_specials(x, k * LN2_SHORT[0] - ((square - (rest_of_log + k * LN2_SHORT[1])) - f))


def log_mantissa_sum_float(f):
    """log(1 + f) as a sum."""
    square, rest_of_log = log_correction(f)
    small = rest_of_log - square
    high = f + small
    return high, (f - high) + small


def log2_float(x):
    k, f = log_reduction(x)
    high, low = log_mantissa_sum(f)
    product = high * LOG2_E[0]
    small = fma(high, LOG2_E[0], -product) + muladd(high, LOG2_E[1], low * LOG2_E[0])
    return log_specials(x, k + product + (((k - (k + product)) + product) + small))


def log10_float(x):
    k, f = log_reduction(x)
    high, low = log_mantissa_sum(f)
    whole = k * LOG10_2[0]
    product = high * LOG10_E[0]
    small = fma(high, LOG10_E[0], -product) + muladd(high, LOG10_E[1], low * LOG10_E[0]) + k * LOG10_2[1]
    return log_specials(x, whole + product + (((whole - (whole + product)) + product) + small))


def log1p_float(x):
    return log1p_of_sum(x, 0)


def log1p_of_sum(x, low):
    """log(1 + x + low) for a low that is small beside x."""
    u = 1 + x
    k, f = log_reduction(u)
    is_near_one = k == 0
    lost = where(x < 1, x - (u - 1), 1 - (u - x)) + low
    correction = where(is_near_one, low, lost) / u
    square, rest_of_log = log_correction(where(is_near_one, x, f))
    y = k * LN2_SHORT[0] - ((square - (rest_of_log + (k * LN2_SHORT[1] + correction))) - where(is_near_one, x, f))
    return where(x == 0, x, log_specials(u, y))


def log_sum_float64(x):
    """log(x) of a positive finite x as a sum, to 2**-65 of it."""
    k, f = log_reduction(x)
    d = 2 + f
    d_low = f - (d - 2)
    inverse = 1 / d
    s = f * inverse
    s_low = (fma(-s, d, f) - s * d_low) * inverse
    z = s * s
    z_low = fma(s, s, -z) + 2 * s * s_low
    tail = z * polynomial(z, LOG_TAIL)
    w = THIRD[0] + tail
    w_low = (THIRD[0] - w) + tail + THIRD[1]
    p = z * w
    p_low = fma(z, w, -p) + (z * w_low + z_low * w)
    a = 2 * s
    a_low = 2 * s_low
    b = a * p
    b_low = fma(a, p, -b) + (a * p_low + a_low * p)
    high = a + b
    low = ((a - high) + b) + (a_low + b_low)
    whole = k * LN2_SHORT[0]
    total = whole + high
    rest_of_log = ((whole - total) + high) + (low + k * LN2_SHORT[1])
    return total, rest_of_log


# Powers


def power_or_special(x, y, magnitude):
    """The power, given that of |x| for ordinary operands."""
    is_usual = (x > 0) & (x < inf) & (abs(y) < inf)
    return rarely(is_usual == False, special_power(x, y, magnitude), magnitude)  # noqa: E712


@cold
def special_power(x, y, magnitude):
    a = abs(x)
    magnitude = where(a == 0, where(y > 0, 0, inf), where(a == inf, where(y > 0, inf, 0), magnitude))
    is_whole = floor(y) == y
    is_odd = is_whole & (2 * floor(0.5 * y) != y)
    signed = where(is_odd, copysign(magnitude, x), magnitude)
    real = where((x < 0) & (a < inf) & (a > 0) & ((y == y) & (floor(y) != y)), nan, signed)
    unit = (x == 1) | (y == 0) | ((x == -1) & (abs(y) == inf))
    return where(unit, 1, where((x != x) | (y != y), nan, real))


def pow_float64(x, y):
    high, low = log_sum(abs(x))
    product = y * high
    product_low = fma(y, high, -product) + y * low
    is_inside = abs(product) < 760
    shifted, growth, growth_low = expm1_of_sum(clamped(product, -760, 711), where(is_inside, product_low, 0))
    return power_or_special(x, y, scaled(1 + (growth + growth_low), shifted))


def pow_float32(x, y):
    a = float64(abs(x))
    k, f = log_reduction(a)
    square, rest_of_log = log_correction(f)
    logarithm = k * 0.6931471805599453 - ((square - rest_of_log) - f)
    magnitude = exp(float64(y) * logarithm)
    return power_or_special(x, y, float32(magnitude))


def pow_int(a, n):
    unit = where(a == 1, 1, where(a == -1, where((n & 1) == 0, 1, -1), 0))
    return where(n < 0, unit, int_power(a, where(n < 0, 0, n)))


# Trigonometric functions: x = q pi / 2 + r with |r| <= pi / 4


def half_pi_reduction_float(x):
    """q in the low bits of an int, and r as a sum; Cody and Waite's reduction with a fused multiply-add for |x| < ANGLE_LIMIT."""
    shifted = muladd(x, 0.6366197723675814, ROUNDER)
    q = shifted - ROUNDER
    first = fma(q, -HALF_PI[0], x)
    product = -HALF_PI[1] * q
    product_low = fma(q, -HALF_PI[1], -product)
    r = first + product
    kept = r - first
    # the whole two-sum: near a multiple of pi / 2 nearly all of first and product cancels
    r_low = (first - (r - kept)) + (product - kept) + fma(q, -HALF_PI[2], product_low)
    return bits(shifted), r, r_low


def half_pi_reduction_huge(x):
    """The same for |x| >= 2**30: the 53 bits of x times those 192 bits of 2 / pi that matter (Payne and Hanek, 1983)."""
    word = bits(x)
    exponent = shift_right_logical(word, 52) & 2047
    mantissa = (word & 4503599627370495) | 4503599627370496
    first_bit = where(exponent > 1053, exponent, 1053) - 1013
    index = shift_right_logical(first_bit, 6)
    shift = first_bit & 63
    w1 = TWO_OVER_PI[index + 1]
    w2 = TWO_OVER_PI[index + 2]
    b0 = joined_words(TWO_OVER_PI[index], w1, shift)
    b1 = joined_words(w1, w2, shift)
    b2 = joined_words(w2, TWO_OVER_PI[index + 3], shift)
    low = mantissa * b1
    middle = low + mul_high(mantissa, b2)
    high = mantissa * b0 + mul_high(mantissa, b1) + where(below_unsigned(middle, low), 0 * low + 1, 0)
    q = shift_right_logical(high + 2305843009213693952, 62)
    fraction = (high << 2) | shift_right_logical(middle, 62)
    large = float64(fraction)
    small = float64(fraction - int64(large)) + 1.0842021724855044e-19 * float64(shift_right_logical(middle << 2, 1))
    turns = large + small
    turns_low = (large - turns) + small
    r = turns * HALF_PI[0]
    r_low = fma(turns, HALF_PI[0], -r) + (turns * HALF_PI[1] + turns_low * HALF_PI[0])
    scale = where(abs(x) < inf, where(word < 0, -5.421010862427522e-20, 5.421010862427522e-20), nan)
    return where(word < 0, -q, q), r * scale, r_low * scale


def joined_words(first, second, shift):
    return (first << shift) | (shift_right_logical(shift_right_logical(second, 1), 63 - shift))


def sine_of_reduced_float(r, r_low):
    z = r * r
    return r, muladd(r * z, polynomial(z, SIN), muladd(-0.5 * z, r_low, r_low))


def cosine_of_reduced_float(r, r_low):
    z = r * r
    w = 1 - 0.5 * z
    return w, ((1 - w) - 0.5 * z) + muladd(z * z, polynomial(z, COS), -r * r_low)


def sine_of_quadrant(q, r, r_low):
    sine, sine_low = sine_of_reduced(r, r_low)
    cosine, cosine_low = cosine_of_reduced(r, r_low)
    y = where((q & 1) == 0, sine + sine_low, cosine + cosine_low)
    return where((q & 2) == 0, y, -y)


def tangent_of_quadrant(q, r, r_low):
    """sin / cos or -cos / sin, both as sums, by one division and a correction."""
    sine, sine_low = sine_of_reduced(r, r_low)
    cosine, cosine_low = cosine_of_reduced(r, r_low)
    is_even = (q & 1) == 0
    s = sine + sine_low
    s_low = (sine - s) + sine_low
    c = cosine + cosine_low
    c_low = (cosine - c) + cosine_low
    n = where(is_even, s, -c)
    n_low = where(is_even, s_low, -c_low)
    d = where(is_even, c, s)
    d_low = where(is_even, c_low, s_low)
    inverse = 1 / d
    y = n * inverse
    return muladd(fma(-y, d, n) + (n_low - y * d_low), inverse, y)


def sin_float(x):
    q, r, r_low = half_pi_reduction(x)
    return where(x == 0, x, rarely(abs(x) > ANGLE_LIMIT, sin_huge(x), sine_of_quadrant(q, r, r_low)))


def cos_float(x):
    q, r, r_low = half_pi_reduction(x)
    return rarely(abs(x) > ANGLE_LIMIT, cos_huge(x), sine_of_quadrant(q + 1, r, r_low))


def tan_float(x):
    q, r, r_low = half_pi_reduction(x)
    return where(x == 0, x, rarely(abs(x) > ANGLE_LIMIT, tan_huge(x), tangent_of_quadrant(q, r, r_low)))


@cold
def sin_huge_float64(x):
    q, r, r_low = half_pi_reduction_huge(x)
    return sine_of_quadrant(q, r, r_low)


@cold
def cos_huge_float64(x):
    q, r, r_low = half_pi_reduction_huge(x)
    return sine_of_quadrant(q + 1, r, r_low)


@cold
def tan_huge_float64(x):
    q, r, r_low = half_pi_reduction_huge(x)
    return tangent_of_quadrant(q, r, r_low)


@cold
def sin_huge_float32(x):
    return float32(sin(float64(x)))


@cold
def cos_huge_float32(x):
    return float32(cos(float64(x)))


@cold
def tan_huge_float32(x):
    return float32(tan(float64(x)))


# Inverse trigonometric and hyperbolic functions


def atan_of_ratio_float(n, d):
    """atan(n / d) for 0 <= n and 0 <= d as a sum, by one division: beyond tan(pi / 8) of pi / 4 or pi / 2."""
    is_large = n > 2.414213562373095 * d
    is_middle = n > 0.41421356237309503 * d
    numerator = where(is_large, -d, where(is_middle, n - d, n))
    denominator = where(is_large, n, where(is_middle, n + d, d))
    t = numerator / denominator
    z = t * t
    base = where(is_large, HALF_PI[0], where(is_middle, 0.5 * HALF_PI[0], 0))
    base_low = where(is_large, HALF_PI[1], where(is_middle, 0.5 * HALF_PI[1], 0))
    return base, t, muladd(t * z, polynomial(z, ATAN), base_low)


def atan_float(x):
    a = abs(x)
    base, t, low = atan_of_ratio(a, where(a == inf, a, 1))
    return where(a == inf, copysign(HALF_PI[0], x), copysign(base + (t + low), x))


def atan2_float(y, x):
    n = abs(y)
    d = abs(x)
    # the quotient of subnormals or of numbers near overflow is taken after an exact scaling
    larger = where(n > d, n, d)
    scale = where(larger > LARGE, SCALE_DOWN, where(larger < SMALL, SCALE_UP, 1))
    both_infinite = (n == inf) & (d == inf)
    n = where(both_infinite, 1, where(d == inf, 0 * scale, where(n == inf, 1, n * scale)))
    d = where(both_infinite, 1, where(abs(y) == inf, 0 * scale, where(abs(x) == inf, 1, d * scale)))
    base, t, low = atan_of_ratio(n, where((n == 0) & (d == 0), 1, d))
    angle = base + (t + low)
    left = (HALF_PI[0] * 2 - base) - ((t + low) - HALF_PI[1] * 2)
    y_or_nan = where((x != x) | (y != y), nan, where(bits(x) < 0, left, angle))
    return copysign(y_or_nan, y)


def asin_parts_float(x):
    """asin is t + t c where |x| <= 1/2, pi / 2 - 2 (t + t c) beyond; t as a sum."""
    a = abs(x)
    is_small = a <= 0.5
    z = where(is_small, a * a, 0.5 * (1 - a))
    root = sqrt(z)
    t = where(is_small, a, root)
    t_low = where(is_small, 0, fma(-root, root, z) / where(root > 0, 2 * root, 1))
    return is_small, t, muladd(t * z, polynomial(z, ASIN), t_low)


def asin_float(x):
    is_small, t, low = asin_parts(x)
    beyond = 0.5 * HALF_PI[0] - t
    beyond_low = (0.5 * HALF_PI[0] - beyond) - t
    large = 2 * (beyond + (beyond_low - (low - 0.5 * HALF_PI[1])))
    return copysign(where(is_small, t + low, large), x)


def acos_float(x):
    is_small, t, low = asin_parts(x)
    sign = copysign(1, x)
    middle = HALF_PI[0] - sign * t
    middle_low = (HALF_PI[0] - middle) - sign * t
    near_zero = middle + (middle_low - (sign * low - HALF_PI[1]))
    near_one = 2 * (t + low)
    near_minus_one = 2 * HALF_PI[0] - (2 * t + (2 * low - 2 * HALF_PI[1]))
    return where(is_small, near_zero, where(x > 0, near_one, near_minus_one))


def asinh_float(x):
    a = abs(x)
    is_large = a > 1e16
    square = a * a
    root = sqrt(1 + square)
    other = square / (1 + root)
    u = where(is_large, a, a + other)
    u_low = where(is_large, 0, where(a > other, (a - u) + other, (other - u) + a))
    y = log1p_of_sum(u, u_low)
    return copysign(where(is_large, y + LN2[0], y), x)


def acosh_float(x):
    is_large = x > 1e16
    t = x - 1
    root = sqrt(2 * t + t * t)
    u = where(is_large, x, t + root)
    u_low = where(is_large, 0, where(t > root, (t - u) + root, (root - u) + t))
    y = log1p_of_sum(u, u_low)
    return where(x < 1, nan, where(is_large, y + LN2[0], y))


def atanh_float(x):
    a = abs(x)
    d = 1 - a
    d_low = (1 - d) - a
    u = 2 * a / d
    u_low = where(u < inf, (fma(-u, d, 2 * a) - u * d_low) / d, 0)
    return copysign(0.5 * log1p_of_sum(u, u_low), x)


# Special functions


def erfc_tail_float(a):
    """erfc(a) for a >= 0 (Shepherd and Laframboise, 1981): exp(-a**2) P(t) / (1 + 2 a), t = (a - 3.75) / (a + 3.75)."""
    near = where(a > ERFC_LIMIT, ERFC_LIMIT, a)
    square = near * near
    shifted, growth, growth_low = expm1_of_sum(-square, -fma(near, near, -square))
    t = (near - 3.75) / (near + 3.75)
    slope = t * horner(t, ERFC)
    p = ERFC_MIDDLE[0] + slope
    p_low = (ERFC_MIDDLE[0] - p) + slope + ERFC_MIDDLE[1]
    d = 1 + 2 * near
    d_low = where(near < 0.5, (1 - d) + 2 * near, (2 * near - d) + 1)
    inverse = 1 / d
    y = p * inverse
    y_low = (fma(-y, d, p) + (p_low - y * d_low)) * inverse
    return scaled(y + muladd(y, growth, muladd(y, growth_low, y_low)), shifted)


def erf_float(x):
    a = abs(x)
    z = a * a
    near = muladd(a, polynomial(z, ERF), a)
    return copysign(where(a < 1, near, 1 - erfc_tail(a)), x)


def erfc_float(x):
    a = abs(x)
    z = a * a
    near = 1 - muladd(x, polynomial(z, ERF), x)
    tail = erfc_tail(a)
    return where(a < 0.25, near, where(x < 0, 2 - tail, tail))


def erfinv_float64(x):
    """Winitzki's closed form (2008), made exact by two steps of Halley's method on whichever of erf and erfc keeps the digits."""
    a = abs(x)
    logarithm = log((1 - a) * (1 + a))
    half = 4.330746750799873 + 0.5 * logarithm
    start = where(a < 0.01, 0.886226925452758 * a, sqrt(sqrt(half * half - 6.802721088435374 * logarithm) - half))
    y = erfinv_step(erfinv_step(start, a), a)
    return copysign(where(a < 1, y, where(a == 1, inf, nan)), x)


def erfinv_step(y, a):
    z = y * y
    near = muladd(y, polynomial(z, ERF), y) - a
    error = where(y < 0.5, near, (1 - a) - erfc_tail(y))
    u = 0.886226925452758 * error * exp(z)
    return y - u / (1 + u * y)


def erfinv_float32(x):
    return float32(erfinv(float64(x)))


def lgamma_float(x):
    return libm_lgamma(x)


def digamma_float64(x):
    """On [1, 2] (x - root) times a polynomial; below, recurrence or reflection; above, recurrences and Stirling's series."""
    is_reflected = x < 0
    mirrored = where(is_reflected, 1 - x, x)
    is_small = mirrored < 1
    t = where(is_small, mirrored + 1, mirrored)
    near = ((t - DIGAMMA_ROOT[0]) - DIGAMMA_ROOT[1]) * horner(t - 1.5, DIGAMMA)
    near = where(is_small, near - 1 / mirrored, near)
    value = where(t <= 2, near, digamma_of_large(t))
    remainder_of_turn = x - floor(x + 0.5)
    reflected = value - pi / tan(pi * remainder_of_turn)
    pole = where(x == 0, copysign(inf, -x), nan)
    return where((x <= 0) & (floor(x) == x), pole, where(is_reflected, reflected, where(x == inf, x, value)))


def digamma_of_large(x):
    is_shifted = x < 10
    a = x * (x + 7)
    # the sum of 1 / (x + i), i = 0..7, as (2 x + 7) times the sum of 1 / (a + c) over pairs i and 7 - i
    first = a + 6
    second = a + 10
    third = a + 12
    pairs = (first + a) / (first * a) + (second + third) / (second * third)
    w = where(is_shifted, x + 8, x)
    z = 1 / (w * w)
    series = z * polynomial(z, STIRLING)
    value = log(w) - (0.5 / w + series)
    return where(is_shifted, value - (2 * x + 7) * pairs, value)


def digamma_float32(x):
    return float32(digamma(float64(x)))


def polygamma_float64(n, x):
    """(-1)**(n + 1) n! zeta(n + 1, x), Hurwitz's zeta function by ten terms and Euler and Maclaurin's formula.

    For n = 1 a negative x is reflected, for n > 1 it gives nan.
    """
    is_reflected = (n == 1) & (x < 0)
    a = where(is_reflected, 1 - x, x)
    s = n + 1
    head = pow(a, -s) + pow(a + 1, -s) + pow(a + 2, -s) + pow(a + 3, -s) + pow(a + 4, -s) + pow(a + 5, -s)
    head = head + (pow(a + 6, -s) + pow(a + 7, -s) + pow(a + 8, -s) + pow(a + 9, -s))
    w = a + 10
    z = 1 / (w * w)
    c1 = s / w
    c2 = c1 * (s + 1) * (s + 2) * z
    c3 = c2 * (s + 3) * (s + 4) * z
    c4 = c3 * (s + 5) * (s + 6) * z
    c5 = c4 * (s + 7) * (s + 8) * z
    c6 = c5 * (s + 9) * (s + 10) * z
    c7 = c6 * (s + 11) * (s + 12) * z
    series = c1 / 12 - c2 / 720 + c3 / 30240 - c4 / 1209600 + c5 / 47900160 - c6 / 1892437580.3183792 + c7 / 74724249600
    zeta = head + pow(w, -s) * (w / (s - 1) + 0.5 + series)
    value = where(2 * floor(0.5 * n) == n, -1, 1) * libm_tgamma(s) * zeta
    sine = sin(pi * (x - floor(x + 0.5)))
    reflected = 9.869604401089358 / (sine * sine) - value
    at_pole = where((x <= 0) & (floor(x) == x), inf, where(x < 0, where(n == 1, reflected, nan), value))
    return where(n == 0, digamma(x), at_pole)


def zeta_float64(s, q):
    """Hurwitz's zeta function by ten terms and Euler and Maclaurin's formula (DLMF 25.11.5); nan for s < 1 and for negative q."""
    head = pow(q, -s) + pow(q + 1, -s) + pow(q + 2, -s) + pow(q + 3, -s) + pow(q + 4, -s) + pow(q + 5, -s)
    head = head + (pow(q + 6, -s) + pow(q + 7, -s) + pow(q + 8, -s) + pow(q + 9, -s))
    w = q + 10
    z = 1 / (w * w)
    c1 = s / w
    c2 = c1 * (s + 1) * (s + 2) * z
    c3 = c2 * (s + 3) * (s + 4) * z
    c4 = c3 * (s + 5) * (s + 6) * z
    c5 = c4 * (s + 7) * (s + 8) * z
    c6 = c5 * (s + 9) * (s + 10) * z
    c7 = c6 * (s + 11) * (s + 12) * z
    series = c1 / 12 - c2 / 720 + c3 / 30240 - c4 / 1209600 + c5 / 47900160 - c6 / 1892437580.3183792 + c7 / 74724249600
    last = pow(w, -s)
    value = where(last == 0, head, head + last * (w / (s - 1) + 0.5 + series))
    at_pole = where((q <= 0) & (floor(q) == q), inf, where(q > 0, value, nan))
    return where(s == 1, inf, where(s > 1, at_pole, nan))


def zeta_float32(s, q):
    return float32(zeta(float64(s), float64(q)))


def polygamma_float32(n, x):
    return float32(polygamma(float64(n), float64(x)))


def sinc(x):
    angle = pi * x
    return where(x == 0, 1, sin(angle) / angle)


def logaddexp(a, b):
    larger = maximum(a, b)
    return where(a == b, a + 0.6931471805599453, larger + log1p(exp(-abs(a - b))))


def logaddexp2(a, b):
    larger = maximum(a, b)
    return where(a == b, a + 1, larger + 1.4426950408889634 * log1p(exp2(-abs(a - b))))


def hypot_float64(a, b):
    larger = maximum(abs(a), abs(b))
    smaller = minimum(abs(a), abs(b))
    scale = where(larger > 1e150, 7.458340731200207e-155, where(larger < 1e-140, 5.260135901548374e210, 1))
    back = where(larger > 1e150, 1.3407807929942597e154, where(larger < 1e-140, 1.90109156629516e-211, 1))
    c = larger * scale
    d = smaller * scale
    root = sqrt(muladd(d, d, c * c)) * back
    return where((abs(a) == inf) | (abs(b) == inf), inf, root)


def hypot_float32(a, b):
    wide = float32(sqrt(float64(a) * float64(a) + float64(b) * float64(b)))
    return where((abs(a) == inf) | (abs(b) == inf), inf, wide)


# Signs, rounding, extrema, division


def sign_float(x):
    return where(x > 0, 1, where(x < 0, -1, 0))


def sign_int(x):
    return where(x > 0, 1, where(x < 0, -1, 0))


def isinf_float(x):
    return abs(x) == inf


def isinf(x):
    return x != x


def isfinite_float(x):
    return abs(x) < inf


def isfinite(x):
    return x == x


def signbit_float(x):
    return bits(x) < 0


def signbit_int(x):
    return x < 0


def signbit_bool(x):
    return x != x


def nan_to_num_float64(x):
    largest = 1.7976931348623157e308
    return where(x != x, 0, where(x > largest, largest, where(x < -largest, -largest, x)))


def nan_to_num_float32(x):
    largest = 3.4028234663852886e38
    return where(x != x, 0, where(x > largest, largest, where(x < -largest, -largest, x)))


def nan_to_num_int(x):
    return x


def maximum(a, b):
    return where((a > b) | (a != a), a, b)


def minimum(a, b):
    return where((a < b) | (a != a), a, b)


def fmod_float(a, b):
    """Exact by one fused multiply-add while the quotient is below 2**22; libm's division by subtraction beyond."""
    dividend = abs(a)
    divisor = abs(b)
    whole = trunc(dividend / divisor)
    r = fma(-whole, divisor, dividend)
    r = where(r < 0, r + divisor, where(r >= divisor, r - divisor, r))
    is_usual = (whole < 4194304.0) & (divisor < inf)
    return rarely(is_usual == False, libm_fmod(a, b), copysign(r, a))  # noqa: E712


def fmod_int(a, b):
    # the machine traps on division by zero and on the least int divided by -1
    is_harmless = (b != 0) & (b != -1)
    return where(is_harmless, rest(a, where(is_harmless, b, 1)), 0)


def trunc_divide_float(a, b):
    return trunc(a / b)


def trunc_divide_int(a, b):
    is_harmless = (b != 0) & (b != -1)
    return where(is_harmless, quotient(a, where(is_harmless, b, 1)), where(b == 0, 0, -a))


def remainder_float(a, b):
    r = fmod(a, b)
    return where((r != 0) & ((r < 0) != (b < 0)), r + b, r)


def remainder_int(a, b):
    r = fmod(a, b)
    return where((r != 0) & ((r ^ b) < 0), r + b, r)


def floor_divide_float(a, b):
    r = fmod(a, b)
    q = (a - r) / b
    q = where((r != 0) & ((r < 0) != (b < 0)), q - 1, q)
    below = floor(q)
    nearest = where(q - below > 0.5, below + 1, below)
    return where(b == 0, a / b, where(q != 0, nearest, copysign(0 * q, a / b)))


def floor_divide_int(a, b):
    r = fmod(a, b)
    q = trunc_divide(a, b)
    return where((r != 0) & ((r ^ b) < 0), q - 1, q)


def shift_left(a, count):
    is_inside = (count >= 0) & (count < width(a))
    return where(is_inside, a << where(is_inside, count, 0), 0)


def shift_right(a, count):
    last = width(a) - 1
    return a >> where((count < 0) | (count > last), last, count)
