"""Handles: programs called by compiled code and by SciPy's optimisers."""

import ctypes

import numba
import numpy as np
import pytest
import scipy.optimize

import tapediff as td
from tapediff.errors import TapediffError


def f(x, y):
    return (x * y).sum() + x[0].sin() * y[2]


X, Y = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.5, -0.7])


def test_what_only_numpy_does_has_no_handle():
    program = td.record(lambda a: td.linalg.eigvalsh(a).sum(), np.eye(3))
    with pytest.raises(TapediffError, match="only NumPy"):
        program.handle()


def test_a_handle_calls_the_kernels_of_structural_operations():
    program = td.record(f, X, Y)
    value, gradients = program.value_and_grad(X + 1, Y, argnums=(0, 1))
    handles = [program.handle() for _ in range(2)]  # both are one function, whose tables are those of the first
    del program
    for handle in handles:
        np.testing.assert_array_equal(handle(np.concatenate([X + 1, Y])), [value, *gradients[0], *gradients[1]])


def scalar(x, y, z):
    return (x * y).exp() + z * x - y.sin() / z


def test_a_handle_gives_what_the_program_gives():
    program = td.record(scalar, 1.0, 2.0, 3.0)
    value, gradients = program.value_and_grad(0.4, -0.2, 1.5, argnums=(0, 1, 2))
    handle = program.handle()
    assert (handle.inputs, handle.results) == (3, 4)
    np.testing.assert_array_equal(handle(np.array([0.4, -0.2, 1.5])), [value, *gradients])
    np.testing.assert_array_equal(program.handle(argnums=1)(np.array([0.4, -0.2, 1.5])), [value, gradients[1]])
    results = np.empty(4)
    inputs = np.array([0.4, -0.2, 1.5])
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(handle.address)
    code = function(inputs.ctypes.data, results.ctypes.data)
    assert code == 0
    np.testing.assert_array_equal(results, [value, *gradients])


def test_a_handle_is_called_by_numba():
    handle = td.record(scalar, 1.0, 2.0, 3.0).handle()

    @numba.njit
    def total(function, points):
        results = np.empty(4)
        values = 0.0
        for k in range(len(points)):
            function(points[k].ctypes.data, results.ctypes.data)
            values += results[0]
        return values

    points = np.random.default_rng(0).standard_normal((50, 3))
    x, y, z = points.T
    assert total(handle, points) == pytest.approx((np.exp(x * y) + z * x - np.sin(y) / z).sum(), rel=1e-12)


def test_a_handle_reports_the_guard_that_failed():
    handle = td.record(lambda x: x.sin() if x > 0 else x, 1.0).handle()
    assert handle(np.array([2.0])).tolist() == [np.sin(2.0), np.cos(2.0)]
    with pytest.raises(TapediffError, match="guard 0"):
        handle(np.array([-2.0]))


def test_a_handle_refuses_other_arrays():
    handle = td.record(lambda x: x.sin(), 1.0).handle()
    with pytest.raises(ValueError, match="contiguous array of 1 float64"):
        handle(np.array([1.0, 2.0]))
    with pytest.raises(TapediffError, match="float64"):
        td.record(lambda x: x.sin(), np.float32(1)).handle()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(("method", "names"), [("BFGS", "both"), ("L-BFGS-B", "both"), ("trust-ncg", "hess"),
                                               ("Newton-CG", "hessp")])
def test_minimize_finds_the_minimum(method, names):
    functions = td.record(rosenbrock, np.zeros(5)).scipy()
    options = {"both": {"fun": functions.both, "jac": True}, "hess": {"fun": functions.fun, "jac": functions.jac,
                                                                      "hess": functions.hess},
               "hessp": {"fun": functions.fun, "jac": functions.jac, "hessp": functions.hessp}}[names]
    found = scipy.optimize.minimize(x0=np.zeros(5), method=method, tol=1e-10, **options)
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-3)


def test_least_squares_fits_a_curve():
    t = np.linspace(0, 1, 20)
    program = td.record(lambda p, t, y: p[0] * (p[1] * t).exp() - y, np.ones(2), t, t)
    functions = program.scipy(t, 2 * np.exp(-1.5 * t))
    found = scipy.optimize.least_squares(functions.fun, [1.0, -1.0], jac=functions.jac)
    np.testing.assert_allclose(found.x, [2, -1.5], rtol=1e-6)
