"""Mathematical functions written once as restricted Python, printed by `formula` for scalars and for vectors.

A function is made of assignments and one return.  ``name_float64``, ``name_float`` and ``name`` are searched in this order.
"""

from __future__ import annotations

# ruff: noqa: F821, ANN001, ANN201, D103
# mypy: ignore-errors


def sigmoid_float(x):
    return 1 / (1 + exp(-x))


def sign_float(x):
    return where(x > 0, 1, where(x < 0, -1, x))


def sign_int(x):
    return where(x > 0, 1, where(x < 0, -1, 0))


def isinf_float(x):
    return abs(x) == inf


def isinf_int(x):
    return x != x


def isfinite_float(x):
    return abs(x) < inf


def isfinite_int(x):
    return x == x


def signbit_float(x):
    return bits(x) < 0


def signbit_int(x):
    return x < 0


def maximum(a, b):
    return where((a >= b) | (a != a), a, b)


def minimum(a, b):
    return where((a <= b) | (a != a), a, b)


def nan_to_num_float64(x):
    largest = 1.7976931348623157e308
    return where(x != x, 0, where(x > largest, largest, where(x < -largest, -largest, x)))


def nan_to_num_float32(x):
    largest = 3.4028234663852886e38
    return where(x != x, 0, where(x > largest, largest, where(x < -largest, -largest, x)))


def nan_to_num_int(x):
    return x


def sinc(x):
    angle = pi * x
    return where(x == 0, 1, sin(angle) / angle)


def logaddexp(a, b):
    larger = maximum(a, b)
    difference = abs(a - b)
    return larger + where(a == b, 0.6931471805599453, log1p(exp(-difference)))


def logaddexp2(a, b):
    larger = maximum(a, b)
    difference = abs(a - b)
    return larger + where(a == b, 1, 1.4426950408889634 * log1p(exp2(-difference)))


def fmod_int(a, b):
    # the machine traps on division by zero and on the least int divided by -1
    harmless = (b != 0) & (b != -1)
    return where(harmless, rest(a, where(harmless, b, 1)), 0)


def trunc_divide_int(a, b):
    harmless = (b != 0) & (b != -1)
    return where(harmless, quotient(a, where(harmless, b, 1)), where(b == 0, 0, -a))


def remainder_int(a, b):
    r = fmod(a, b)
    return where((r != 0) & ((r ^ b) < 0), r + b, r)


def floor_divide_int(a, b):
    r = fmod(a, b)
    q = trunc_divide(a, b)
    return where((r != 0) & ((r ^ b) < 0), q - 1, q)


def trunc_divide_float(a, b):
    return trunc(a / b)


def remainder_float(a, b):
    r = fmod(a, b)
    return where((r != 0) & ((r < 0) != (b < 0)), r + b, r)


def floor_divide_float(a, b):
    r = fmod(a, b)
    q = (a - r) / b
    lowered = where((r != 0) & ((r < 0) != (b < 0)), q - 1, q)
    near = floor(lowered)
    nearest = where(lowered - near > 0.5, near + 1, near)
    return where(b == 0, a / b, where(lowered != 0, nearest, copysign(0, a / b)))


def shift_left(a, count):
    inside = (count >= 0) & (count < width(a))
    return where(inside, a << where(inside, count, 0), 0)


def shift_right(a, count):
    last = width(a) - 1
    return a >> where((count < 0) | (count > last), last, count)
