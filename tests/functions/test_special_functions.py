"""Special functions beside mpmath and PyTorch: values, gradients of two orders, special arguments, errors."""

import numpy as np
import pytest
import scipy.special
from beside_torch import check, check_error, check_finite_differences
from mpmath import mp, mpf

import tapediff as td
from tapediff.functions.polynomials import POLYNOMIALS

X = np.array([-2.5, -1.0, -0.3, 0.2, 0.9, 1.7, 3.1])
INSIDE = np.array([-0.9, -0.4, -0.1, 0.2, 0.5, 0.8, 0.95])
P = np.array([0.2, 0.7, 1.3, 2.6, 4.1])
EXACT = {
    "i0": (lambda x: mp.besseli(0, x), (-30, 30)),
    "i0e": (lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), (-300, 300)),
    "i1": (lambda x: mp.besseli(1, x), (-30, 30)),
    "i1e": (lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), (-300, 300)),
    "bessel_j0": (lambda x: mp.besselj(0, x), (-20, 20)),
    "bessel_j1": (lambda x: mp.besselj(1, x), (-20, 20)),
    "bessel_y0": (lambda x: mp.bessely(0, x), (0.01, 20)),
    "bessel_y1": (lambda x: mp.bessely(1, x), (0.01, 20)),
    "modified_bessel_k0": (lambda x: mp.besselk(0, x), (0.01, 30)),
    "modified_bessel_k1": (lambda x: mp.besselk(1, x), (0.01, 30)),
    "scaled_modified_bessel_k0": (lambda x: mp.exp(x) * mp.besselk(0, x), (0.01, 300)),
    "scaled_modified_bessel_k1": (lambda x: mp.exp(x) * mp.besselk(1, x), (0.01, 300)),
    "spherical_bessel_j0": (lambda x: mp.sin(x) / x, (-20, 20)),
    "airy_ai": (mp.airyai, (-10, 10)),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), (-5, 100)),
    "log_ndtr": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), (-50, 5)),
    "ndtri": (lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1), (0.001, 0.999)),
}
ABSOLUTE = {"bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai", "spherical_bessel_j0", "ndtri"}  # they have zeros


@pytest.mark.parametrize("name", EXACT)
def test_values_have_fourteen_digits(name):
    exact, (low, high) = EXACT[name]
    points = np.random.default_rng(0).uniform(low, high, 200)
    found = getattr(td.special, name)(td.tensor(points)).numpy()
    with mp.workprec(200):
        wanted = [exact(mpf(float(point))) for point in points]
        for point, value, right in zip(points, found, wanted, strict=True):
            scale = max(abs(right), mpf(1)) if name in ABSOLUTE else abs(right)
            assert abs(mpf(float(value)) - right) <= 2e-14 * scale, f"{name}({point!r}) is {value!r}"


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "zeta"])
def test_functions_of_two_operands_have_thirteen_digits(name):
    generator = np.random.default_rng(1)
    a, x = generator.uniform(1.1, 20, 200), generator.uniform(0.1, 20, 200)
    found = getattr(td.special, name)(td.tensor(a), td.tensor(x)).numpy()
    with mp.workprec(200):
        for s, q, value in zip(a, x, found, strict=True):
            s, q = mpf(float(s)), mpf(float(q))
            if name == "zeta":
                right = mp.zeta(s, q)
            else:
                right = mp.gammainc(s, 0, q, regularized=True) if name == "gammainc" else mp.gammainc(s, q, regularized=True)
            assert abs(mpf(float(value)) - right) <= 1e-13 * abs(right)


@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e", "erfcx", "log_ndtr"])
def test_as_pytorch(name):
    check(lambda t, x: getattr(t.special, name)(x), X)
    check(lambda t, x: getattr(t.special, name)(x.T), X[:6].reshape(2, 3))
    check(lambda t, x: getattr(t.special, name)(x), np.zeros((0, 3)))


def test_functions_of_two_operands_are_as_pytorchs():
    check(lambda t, a, x: t.special.gammainc(a.detach(), x), P, P[::-1].copy())
    check(lambda t, a, x: t.special.gammaincc(a.detach(), x), P[:, None].copy(), P[::-1].copy())
    check(lambda t, a, x: t.igamma(a.detach(), x), P, P[::-1].copy())
    check(lambda t, a, x: x.igammac(a).detach(), P, P[::-1].copy())
    check(lambda t, a, x: t.special.zeta(a.detach(), x), P + 1, P[::-1].copy())
    check(lambda t, x: t.special.zeta(2.5, x), P)
    check(lambda t, a: t.special.zeta(a.detach(), 2), P + 1)
    check(lambda t, x: t.special.ndtri(x), np.array([0.01, 0.3, 0.5, 0.8]))
    check(lambda t, x: t.i0(x) + x.i0(), X)


def test_integers_become_floats():
    found = td.special.i0(td.arange(4))
    assert found.dtype is td.float32
    np.testing.assert_allclose(found.numpy(), scipy.special.i0(np.arange(4)), rtol=2e-7)


@pytest.mark.parametrize("name", sorted(EXACT))
def test_gradients_are_finite_differences(name):
    points = P if EXACT[name][1][0] > 0 else INSIDE
    points = np.array([0.1, 0.4, 0.9]) if name == "ndtri" else points
    check_finite_differences(lambda t, x: getattr(t.special, name)(x), points)


@pytest.mark.parametrize("name", sorted(EXACT))
def test_second_derivatives_are_those_of_the_first(name):
    points = np.array([0.1, 0.4, 0.9]) if name == "ndtri" else P
    slope = td.func.grad(lambda x: getattr(td.special, name)(x).sum())
    step = 1e-6
    wanted = (slope(td.tensor(points + step)) - slope(td.tensor(points - step))) / (2 * step)
    found = td.func.grad(lambda x: slope(x).sum())(td.tensor(points))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["i1", "i1e", "bessel_j1", "spherical_bessel_j0", "i0", "bessel_j0"])
def test_derivatives_at_zero_are_the_limits(name):
    x = td.tensor([0.0, -0.0, 1e-310, 1e-8], dtype=td.float64, requires_grad=True)
    getattr(td.special, name)(x).sum().backward()
    near = float({"i1": 0.5, "i1e": 0.5, "bessel_j1": 0.5}.get(name, 0.0))
    np.testing.assert_allclose(x.grad.numpy(), [near] * 4, atol=2e-8)


SPICY = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-310, 1e30])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e", "erfcx", "log_ndtr", "ndtri"])
def test_special_arguments_give_what_scipy_gives(name, dtype):
    numbers = SPICY.astype(dtype)
    with np.errstate(all="ignore"):
        wanted = getattr(scipy.special, name)(numbers.astype("float64")).astype(dtype)
    found = getattr(td.special, name)(td.tensor(numbers)).numpy()
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("n", [-1, 0, 1, 2, 3, 5, 2.7])
def test_polynomials_are_pytorchs(name, n):
    check(lambda t, x: getattr(t.special, name)(x.detach(), n), X)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_of_several_degrees_are_pytorchs(name):
    check(lambda t, x, n: getattr(t.special, name)(x.detach(), n), X[:5], np.array([0, 1, 4, 2, -1]))
    check(lambda t, n: getattr(t.special, name)(0.5, n), np.array([0, 1, 4, 2, -1]))
    check(lambda t, x: getattr(t.special, name)(x, 2), np.array([1, 2, 3]))


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_gradients_of_polynomials_are_finite_differences(name):
    check_finite_differences(lambda t, x: getattr(t.special, name)(x, 4), abs(INSIDE))
    check_finite_differences(lambda t, x: getattr(t.special, name)(x, td.tensor([0, 3, 1, 2, 5, 4, 3])), abs(INSIDE))


def test_rows_of_programs_are_single_calls():
    def f(x):
        y = td.special.i0(x) + td.special.airy_ai(x) + td.special.erfcx(x) * td.special.bessel_j1(x) + td.special.zeta(2.5, x)
        return y.sum() + td.special.gammainc(td.tensor(2.0, dtype=td.float64), x).sum()

    rows = td.tensor(np.stack([P, P + 0.1, P * 1.1]))
    values, gradients = td.func.vmap(f)(rows), td.func.vmap(td.func.grad(f))(rows)
    for row, value, gradient in zip(rows, values, gradients, strict=True):
        assert value.item() == pytest.approx(f(row).item(), rel=1e-14)
        np.testing.assert_allclose(gradient.numpy(), td.func.grad(f)(row).numpy(), rtol=1e-14)
    program = td.record(f, P)
    for executor in ("interpreter", "compiled"):
        assert program.using(executor)(P).item() == pytest.approx(f(td.tensor(P)).item(), rel=1e-15)


ERRORS = {
    "i0 of a number": (lambda t: t.special.i1(3), "special_i1(): argument 'input' (position 1) must be Tensor, not int"),
    "gammainc of a number": (
        lambda t: t.special.gammainc(t.ones(2), 1),
        "special_gammainc(): argument 'other' (position 2) must be Tensor",
    ),
    "gammainc of integers": (
        lambda t: t.special.gammainc(t.tensor([1]), t.tensor([2])),
        "\"igamma_cpu\" not implemented for 'Long'",
    ),
    "zeta of numbers": (lambda t: t.special.zeta(2, 3), "special_zeta() received an invalid combination of arguments"),
    "polynomial of numbers": (
        lambda t: t.special.hermite_polynomial_h(2.0, 3),
        "special_hermite_polynomial_h() received an invalid combination of arguments",
    ),
    "gammainc by its parameter": (
        lambda t: t.special.gammainc(t.ones(2, requires_grad=True), t.ones(2)).sum().backward(),
        "the derivative for 'igamma: input' is not implemented.",
    ),
    "gammaincc by its parameter": (
        lambda t: t.special.gammaincc(t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)).sum().backward(),
        "the derivative for 'igammac: input' is not implemented.",
    ),
    "zeta by its exponent": (
        lambda t: t.special.zeta(t.full((2,), 3.0, requires_grad=True), 2).sum().backward(),
        "the derivative for 'zeta' is not implemented.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    check_error(*ERRORS[name])
