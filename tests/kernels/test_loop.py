"""Kernels of every row: a lane has the bits of a scalar, reverse is the transpose of tangent, variants do what they say."""

import numpy as np
import pytest

from tapediff.kernels.calling import call_kernel
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.ops import ELEMENTWISE
from tapediff.tape.layout import FIRST

SPICES = [0.0, -0.0, np.inf, np.nan, -1.0, 0.3, 5e-324, -np.inf, 1.0, -2.5, 7.0, 1e-40, 1e5, -1e10, 1e300, -1e300]
FLOAT_ROWS = [name for name, row in ELEMENTWISE.items() if "float" in row.kinds]
SMOOTH_ROWS = [name for name in FLOAT_ROWS if ELEMENTWISE[name].is_differentiable]


def draw(row, n, dtype="float64", seed=0):
    """Operands from the row's domains."""
    import random

    generator = random.Random(seed)
    operands = [np.array(domain.sample(n, generator)).astype(dtype) for domain in row.domain]
    if row.name == "where":
        operands[0] = operands[0] > 0.5
    if row.name == "polygamma":
        operands[0] = np.floor(operands[0])
    return operands


def spicy(row, dtype):
    """All combinations of special arguments, for three operands of fewer."""
    with np.errstate(over="ignore"):
        spices = np.array(SPICES if row.arity == 1 else SPICES[: 13 - 3 * row.arity]).astype(dtype)
    operands = [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(*[spices] * row.arity)]
    if row.name == "where":
        operands[0] = operands[0] > 0
    return operands


def result_dtype(row, dtype="float64"):
    return "bool" if row.result == "bool" else dtype


def spec_of(row, which, operands, **variant):
    dtype = next(operand.dtype.name for operand in operands if operand.dtype != bool)
    return KernelSpec(row.name, which, tuple(operand.dtype.name for operand in operands), result_dtype(row, dtype), **variant)


def forward(row, operands, **variant):
    n = max(len(operand) for operand in operands)
    spec = spec_of(row, "forward", operands, **variant)
    y = np.zeros(n, spec.result)
    call_kernel(get_library(), spec, n, y=y, **dict(zip("abc", operands)))
    return y


def reverse(row, operands, y, y_bar, adjoints=None, first=0, **variant):
    """The adjoints, which the kernel adds to; it writes those whose bit in `first` is set."""
    if adjoints is None:
        adjoints = [np.zeros_like(operand, dtype=y.dtype) for operand in operands]
    bars = {f"{name}_bar": adjoint for name, adjoint in zip("abc", adjoints)}
    call_kernel(
        get_library(),
        spec_of(row, "reverse", operands, **variant),
        len(y) | first * FIRST,
        y_bar=y_bar,
        y=y,
        **dict(zip("abc", operands)),
        **bars,
    )
    return adjoints


def tangent(row, operands, y, tangents, **variant):
    y_dot = np.full_like(y, 7.0)
    dots = {f"{name}_dot": dot for name, dot in zip("abc", tangents)}
    call_kernel(
        get_library(),
        spec_of(row, "tangent", operands, **variant),
        len(y),
        y_dot=y_dot,
        y=y,
        **dict(zip("abc", operands)),
        **dots,
    )
    return y_dot


def bits(array):
    """The bits, all nans alike."""
    if array.dtype == bool:
        return array.tolist()
    return np.where(np.isnan(array), 0, array).view(f"int{8 * array.itemsize}").tolist() + np.isnan(array).tolist()


def moving(row):
    return [k for k, partial in enumerate(row.partials) if partial is not None]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FLOAT_ROWS)
def test_a_lane_has_the_bits_of_a_scalar(name, dtype):
    row = ELEMENTWISE[name]
    operands = [np.concatenate(pair) for pair in zip(draw(row, 40, dtype), spicy(row, dtype))]
    y = forward(row, operands)
    single = [forward(row, [operand[i : i + 1] for operand in operands])[0] for i in range(len(y))]
    assert bits(y) == bits(np.array(single, y.dtype))
    if not row.is_differentiable:
        return
    y_bar = np.linspace(-1, 2, len(y)).astype(dtype)
    together = reverse(row, operands, y, y_bar)
    for i in range(len(y)):
        alone = reverse(row, [operand[i : i + 1] for operand in operands], y[i : i + 1], y_bar[i : i + 1])
        for k in moving(row):
            assert bits(together[k][i : i + 1]) == bits(alone[k]), [operand[i] for operand in operands]


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1000])
@pytest.mark.parametrize("name", FLOAT_ROWS)
def test_exactly_n_elements_are_touched(name, n):
    row = ELEMENTWISE[name]
    operands = draw(row, n + 9)
    whole = forward(row, operands)
    for which in ("forward", "reverse", "tangent") if row.is_differentiable else ("forward",):
        output = np.full(n + 9, 3, whole.dtype)
        others = np.full((3, n + 9), 3.0)
        arrays = dict(zip("abc", operands))
        if which == "forward":
            arrays |= {"y": output}
        elif which == "reverse":
            arrays |= {"y": whole, "y_bar": np.ones(n + 9), "a_bar": others[0], "b_bar": others[1], "c_bar": others[2]}
        else:
            arrays |= {"y": whole, "y_dot": output, "a_dot": others[0], "b_dot": others[1], "c_dot": others[2]}
        call_kernel(get_library(), spec_of(row, which, operands), n, **arrays)
        assert (output[n:] == np.array(3, whole.dtype)).all(), which
        if which == "forward":
            assert bits(output[:n]) == bits(whole[:n])
        if which == "reverse":
            assert (others[:, n:] == 3).all()


@pytest.mark.parametrize("name", SMOOTH_ROWS)
def test_reverse_is_the_transpose_of_tangent(name):
    row = ELEMENTWISE[name]
    operands = draw(row, 100)
    y = forward(row, operands)
    y_bar, *tangents = np.random.default_rng(1).normal(size=(1 + row.arity, 100))
    adjoints = reverse(row, operands, y, y_bar)
    pushed = tangent(row, operands, y, tangents)
    pulled = sum(adjoints[k] * tangents[k] for k in moving(row))
    np.testing.assert_allclose(y_bar * pushed, pulled, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", SMOOTH_ROWS)
def test_an_exactly_zero_adjoint_contributes_zero(name):
    row = ELEMENTWISE[name]
    operands = spicy(row, "float64")
    y = forward(row, operands)
    for zero in (0.0, -0.0):
        for k, adjoint in enumerate(reverse(row, operands, y, np.full_like(y, zero))):
            assert (adjoint == 0).all(), f"operand {k} got {adjoint[adjoint != 0][0]}"
        dots = [np.full_like(y, zero)] * row.arity
        assert (tangent(row, operands, y, dots) == 0).all()


@pytest.mark.parametrize("name", [name for name in SMOOTH_ROWS if ELEMENTWISE[name].arity > 1])
def test_a_scalar_operand_is_broadcast_and_its_adjoint_summed(name):
    row = ELEMENTWISE[name]
    operands = draw(row, 37)
    masks = sorted({*(2**k for k in range(row.arity)), 2**row.arity - 1})
    get_library().addresses(
        [spec_of(row, which, operands, scalars=m) for m in masks for which in ("forward", "reverse", "tangent")]
    )
    for scalars in masks:
        narrow = [operand[:1] if scalars >> k & 1 else operand for k, operand in enumerate(operands)]
        wide = [np.repeat(operand, 37) if len(operand) == 1 else operand for operand in narrow]
        n = 37
        y = np.zeros(n)
        call_kernel(get_library(), spec_of(row, "forward", narrow, scalars=scalars), n, y=y, **dict(zip("abc", narrow)))
        assert bits(y) == bits(forward(row, wide))
        y_bar = np.random.default_rng(2).normal(size=n)
        start = [np.full(len(operand), 0.5) for operand in narrow]
        adjoints = reverse(row, narrow, y, y_bar, start, scalars=scalars)
        expected = reverse(row, wide, y, y_bar)
        for k in moving(row):
            total = expected[k].sum(keepdims=True) if scalars >> k & 1 else expected[k]
            np.testing.assert_allclose(adjoints[k], 0.5 + total, rtol=1e-12, atol=1e-12)
        dots = [np.random.default_rng(3).normal(size=len(operand)) for operand in narrow]
        pushed = tangent(row, narrow, y, dots, scalars=scalars)
        wide_dots = [np.repeat(dot, n) if len(dot) == 1 else dot for dot in dots]
        np.testing.assert_allclose(pushed, tangent(row, wide, y, wide_dots), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 13])
def test_one_slot_as_both_operands_gets_both_contributions(n):
    x = np.linspace(1, 2, n)
    for name, expected in [
        ("mul", 2 * x),
        ("add", np.full(n, 2.0)),
        ("sub", np.zeros(n)),
        ("div", np.zeros(n)),
        ("pow", x**x * (1 + np.log(x))),
    ]:
        row = ELEMENTWISE[name]
        y = forward(row, [x, x], same=(0, 0))
        x_bar = np.full(n, 0.5)
        reverse(row, [x, x], y, np.ones(n), [x_bar, x_bar], same=(0, 0))
        np.testing.assert_allclose(x_bar, 0.5 + expected, rtol=1e-13, err_msg=name)


def test_one_scalar_as_both_operands_gets_the_sum_of_both_contributions():
    row, x, x_bar = ELEMENTWISE["mul"], np.array([3.0]), np.array([0.5])
    reverse(row, [x, x], np.full(10, 9.0), np.ones(10), [x_bar, x_bar], same=(0, 0), scalars=3)
    assert x_bar == 0.5 + 10 * 6


@pytest.mark.parametrize("name", SMOOTH_ROWS)
@pytest.mark.parametrize("n", [1, 7, 20])
def test_the_first_contribution_is_written_over_what_was_there(name, n):
    row = ELEMENTWISE[name]
    operands = draw(row, n)
    y, y_bar = forward(row, operands), np.linspace(-1, 1, n)
    added = reverse(row, operands, y, y_bar)
    for flags in range(1 << row.arity):
        garbage = [np.full(n, np.nan if flags >> k & 1 else 0.0) for k in range(row.arity)]
        reverse(row, operands, y, y_bar, garbage, first=flags)
        for k in moving(row):
            np.testing.assert_array_equal(garbage[k], added[k], err_msg=f"{name}, operand {k}, flags {flags:b}")


def test_a_first_contribution_of_minus_zero_stays_minus_zero():
    row = ELEMENTWISE["neg"]
    for n in (1, 7):
        (a_bar,) = reverse(row, [np.ones(n)], -np.ones(n), np.zeros(n), [np.full(n, np.nan)], first=1)
        assert np.signbit(a_bar).all()


def test_only_wanted_adjoints_are_written():
    row = ELEMENTWISE["mul"]
    operands = draw(row, 20)
    a_bar, b_bar = reverse(row, operands, forward(row, operands), np.ones(20), wanted=2)
    assert not a_bar.any()
    np.testing.assert_array_equal(b_bar, operands[0])
    dots = [np.ones(20), np.full(20, np.nan)]
    np.testing.assert_array_equal(tangent(row, operands, forward(row, operands), dots, wanted=1), operands[1])


def test_nothing_wanted_is_a_zero_tangent():
    row = ELEMENTWISE["mul"]
    operands = draw(row, 20)
    assert not tangent(row, operands, forward(row, operands), [np.ones(20)] * 2, wanted=0).any()


def test_a_sum_over_lanes_is_the_same_every_time():
    row, a, b = ELEMENTWISE["mul"], np.random.default_rng(4).normal(size=1001), np.array([2.0])
    sums = set()
    for offset in range(4):
        shifted = np.concatenate([np.zeros(offset), a])[offset:]
        b_bar = np.zeros(1)
        reverse(row, [shifted, b], 2 * a, np.ones(1001), [np.zeros(1001), b_bar], scalars=2)
        sums.add(float(b_bar[0]))
    assert len(sums) == 1


NUMBERS_TO_CAST = {
    "float64": [0.0, -0.0, 0.6, -0.6, 2.5, -3.9, 1e3, np.nan],
    "float32": [0.0, -0.0, 0.6, -0.6, 2.5, -3.9, 1e3, np.nan],
    "int64": [0, 1, -1, 5, -7, 2**31 - 1, -(2**31), 100],
    "int32": [0, 1, -1, 5, -7, 2**31 - 1, -(2**31), 100],
    "bool": [False, True, True, False, False, False, True, True],
}


@pytest.mark.parametrize("target", NUMBERS_TO_CAST)
@pytest.mark.parametrize("source", NUMBERS_TO_CAST)
@pytest.mark.parametrize("n", [1, 8])
def test_cast_truncates_and_nan_is_true(source, target, n):
    a = np.array(NUMBERS_TO_CAST[source], source)
    if target.startswith("int"):
        a = np.nan_to_num(a, nan=1.0)
    for start in range(0, 8, n):
        part = a[start : start + n].copy()
        y = np.zeros(n, target)
        call_kernel(get_library(), KernelSpec("cast", "forward", (source,), target), n, y=y, a=part)
        np.testing.assert_array_equal(y, part.astype(target))


def test_a_float_out_of_range_becomes_the_least_int():
    a, y = np.array([np.nan, np.inf, -np.inf, 1e300, 2.0**63, -(2.0**63), 5.0]), np.zeros(7, "int64")
    call_kernel(get_library(), KernelSpec("cast", "forward", ("float64",), "int64"), 7, y=y, a=a)
    assert y.tolist() == [-(2**63)] * 6 + [5]


def test_the_pullback_of_a_cast_casts_back():
    a_bar, y_bar = np.ones(9, "float32"), np.arange(9.0)
    call_kernel(get_library(), KernelSpec("cast", "reverse", ("float32",), "float64"), 9, y_bar=y_bar, a_bar=a_bar)
    np.testing.assert_array_equal(a_bar, 1 + np.arange(9, dtype="float32"))
    y_dot = np.zeros(9)
    call_kernel(get_library(), KernelSpec("cast", "tangent", ("float32",), "float64"), 9, y_dot=y_dot, a_dot=a_bar)
    np.testing.assert_array_equal(y_dot, a_bar.astype("float64"))


def test_ints_promote_where_the_result_is_float():
    y = np.zeros(9, "float32")
    call_kernel(get_library(), KernelSpec("exp", "forward", ("int64",), "float32"), 9, y=y, a=np.arange(9))
    np.testing.assert_allclose(y, np.exp(np.arange(9, dtype="float32")), rtol=3e-7)
