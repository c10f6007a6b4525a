"""Every row of reductions, scans and softmax: values against NumPy and SciPy, rules to second order by finite differences."""

from math import inf, nan

import numpy as np
import pytest
import scipy.special
from rule_checks import check_first_order, check_second_order

from tapediff.ops import STRUCTURAL
from tapediff.ops.reductions import BLOCK, total
from tapediff.rules import ARRAYS

MODULES = ("reductions", "cumulative", "softmax")
ROWS = [row for row in STRUCTURAL.values() if row.forward.__module__ in {f"tapediff.ops.{module}" for module in MODULES}]

X = np.array([[1.5, -2.0, 3.25, 0.5], [4.0, 0.25, -6.0, 3.0], [2.0, 2.5, 1.0, -1.25]])
FLAT = X[0]
WITH_ZEROS = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.5, 2.0, 4.0]])
CUBE = np.arange(24.0).reshape(2, 3, 4) * 7 % 24 / 5 - 2.3
ALL, ROWS_OF, COLUMNS = ((0, 1), False), ((1,), False), ((0,), True)
FOLDS = [(ALL, X), (ROWS_OF, X), (COLUMNS, X), (((0, 2), False), CUBE), (((), False), np.array(2.5)), (((0,), False), FLAT)]
SPREADS = [((*attributes, correction), x) for (attributes, x), correction in zip(FOLDS, (1, 0, 2, 1, 0, 0.5)) if x.ndim]
NORMS = [((*attributes, p), x) for attributes, x in FOLDS[:4] for p in (2, 1, 3, 1.5, 0.5, inf, -inf, 0, -1)]
SCANS = [((0, False), X), ((1, False), X), ((1, True), X), ((0, False), FLAT), ((1, False), WITH_ZEROS), ((0, True), WITH_ZEROS),
         ((0, False), np.array(1.5)), ((1, False), CUBE)]
SAMPLES = {
    **dict.fromkeys(("sum", "sum_dim", "mean", "mean_dim", "var_mean_mean", "std_mean_mean", "nansum", "logsumexp"), FOLDS),
    **dict.fromkeys(("amax", "amin", "aminmax_max", "aminmax_min"), FOLDS),
    **dict.fromkeys(("max", "min", "median", "nanmedian"), (FOLDS[0], FOLDS[4], FOLDS[5])),
    **dict.fromkeys(("var", "std", "var_mean_var", "std_mean_std"), SPREADS),
    "prod": [(ALL, X), (ALL, WITH_ZEROS), (((0,), False), WITH_ZEROS[0]), (((0,), False), WITH_ZEROS[1]),
             (((), False), np.array(3.0))],
    "prod_dim": [(ROWS_OF, X), (COLUMNS, X), (ROWS_OF, WITH_ZEROS), (((1,), True), CUBE)],
    "trace": [(None, X), (None, X.T.copy()), (None, X[:1])],
    "vector_norm": NORMS, "dist": NORMS[::4],
    "cumsum": SCANS, "cumprod": SCANS, "logcumsumexp": SCANS,
    "linear_recurrence": [((0, False), FLAT, FLAT[::-1].copy()), ((0, True), FLAT, FLAT[::-1].copy()),
                          ((1, False), X, X - 1), ((1, True), CUBE, CUBE * 2),
                          ((0, False), np.ones((3, 10)) / 3, np.arange(30.0).reshape(3, 10))],
    "shifted": [((0, 1, 1.0), X), ((1, -1, 0.0), X), ((0, 1, 0.5), FLAT)],
    **dict.fromkeys(("softmax", "log_softmax"), ((0, X), (1, X), (1, CUBE), (0, np.array(2.0)))),
}


def every_sample(names):
    return [pytest.param(name, attributes, operands, id=f"{name}-{attributes}-{operands[0].shape}".replace(" ", ""))
            for name in names for attributes, *operands in SAMPLES[name]]


def test_every_rule_has_samples():
    sampled = {(STRUCTURAL[name].forward, STRUCTURAL[name].pullback) for name in SAMPLES}
    assert [row.name for row in ROWS if row.pullback is not None and (row.forward, row.pullback) not in sampled] == []


@pytest.mark.parametrize(("name", "attributes", "operands"), every_sample(SAMPLES))
def test_rules_are_the_slopes_of_the_values(name, attributes, operands):
    check_first_order(STRUCTURAL[name], attributes, *operands)


@pytest.mark.parametrize(("name", "attributes", "operands"), every_sample(SAMPLES))
def test_rules_differentiate_to_the_slopes_of_the_rules(name, attributes, operands):
    check_second_order(STRUCTURAL[name], attributes, *operands)


@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_of_several_zeros_have_exact_derivatives(name):
    x = np.array([2.0, 0.0, 3.0, 0.0])
    attributes = ((0,), False) if name == "prod" else (0, False)
    row = STRUCTURAL[name]
    y = row.forward(attributes, x)
    found = row.pullback(ARRAYS, attributes, 0, np.ones(np.shape(y)), y, x)
    # by hand: every partial of the product contains a zero; the second running product reads x[1] with slope 2, the third with 6
    assert found.tolist() == ([0, 0, 0, 0] if name == "prod" else [1, 8, 0, 0])


ORACLES = {
    "sum": lambda a, x: x.sum(a[0], keepdims=a[1]),
    "mean": lambda a, x: x.mean(a[0], keepdims=a[1]),
    "prod_dim": lambda a, x: x.prod(a[0], keepdims=a[1]),
    "logsumexp": lambda a, x: scipy.special.logsumexp(x, a[0], keepdims=a[1]),
    "var": lambda a, x: x.var(a[0], ddof=a[2], keepdims=a[1]),
    "std": lambda a, x: x.std(a[0], ddof=a[2], keepdims=a[1]),
    "amax": lambda a, x: x.max(a[0], keepdims=a[1]),
    "amin": lambda a, x: x.min(a[0], keepdims=a[1]),
    "trace": lambda a, x: np.trace(x),
    "nansum": lambda a, x: np.nansum(x, a[0], keepdims=a[1]),
    "median": lambda a, x: np.sort(x, None)[(x.size - 1) // 2],
    "vector_norm": lambda a, x: np.linalg.norm(x, a[2], a[0], a[1]) if len(a[0]) == 1 else np.linalg.norm(x.reshape(-1), a[2]),
    "softmax": lambda a, x: scipy.special.softmax(x, a if x.ndim else None),
    "log_softmax": lambda a, x: scipy.special.log_softmax(x, a if x.ndim else None),
}


@pytest.mark.parametrize("name", ORACLES)
def test_values_are_the_oracles(name):
    for attributes, x in SAMPLES[name]:
        if name == "vector_norm" and x.ndim == 3:
            continue
        np.testing.assert_allclose(STRUCTURAL[name].forward(attributes, x), ORACLES[name](attributes, x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("columns", [1, 20])
def test_recurrence_is_the_loop(columns, is_reversed):
    generator = np.random.default_rng(3)
    c, b = generator.normal(size=(2, 7, columns))
    expected = b.copy()
    for i in range(1, 7):
        i, before = (6 - i, 7 - i) if is_reversed else (i, i - 1)
        expected[i] += c[i] * expected[before]
    np.testing.assert_allclose(STRUCTURAL["linear_recurrence"].forward((0, is_reversed), c, b), expected, rtol=1e-14)


@pytest.mark.parametrize("shape", [(3_000_000,), (1_000_000, 3), (3, 1000, 1000)], ids=str)
def test_long_sums_of_float32_keep_six_digits(shape):
    x = np.full(shape, 0.1, np.float32)
    dims = (0,) if len(shape) < 3 else (0, 1)
    exact = 0.1 * np.prod([shape[dim] for dim in dims])
    np.testing.assert_allclose(total(x, dims), exact, rtol=1e-6)


def test_totals_over_any_dims_are_exact_on_integers():
    x = np.random.default_rng(0).integers(-9, 9, (3, 2 * BLOCK + 5, 2, 4))
    for dims in [(0,), (1,), (3,), (0, 1), (1, 2), (0, 2), (1, 3), (0, 1, 3), (0, 1, 2, 3), ()]:
        np.testing.assert_array_equal(total(x, dims), x.sum(axis=dims, keepdims=True))


def test_long_cumulative_sums_of_float32_keep_six_digits():
    x = np.full(2_000_000, 0.1, np.float32)
    np.testing.assert_allclose(STRUCTURAL["cumsum"].forward((0, False), x)[-1], 2e5, rtol=5e-7)


def test_running_extrema_take_the_last_of_equals_and_stay_at_nan():
    x = np.array([3.0, 1.0, 3.0, nan, 1.0, nan, 5.0])
    assert STRUCTURAL["cummax_index"].forward(0, x).tolist() == [0, 0, 2, 3, 3, 5, 5]
    assert STRUCTURAL["cummin_index"].forward(0, x).tolist() == [0, 1, 1, 3, 3, 5, 5]


def test_infinite_terms_leave_running_log_sums_of_exponentials_usable():
    x = np.array([-inf, 1.0, 2.0])
    y = STRUCTURAL["logcumsumexp"].forward((0, False), x)
    found = STRUCTURAL["logcumsumexp"].pullback(ARRAYS, (0, False), 0, np.array([1.0, 2.0, 3.0]), y, x)
    weight = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(found, [1, 2 + 3 * (1 - weight), 3 * weight])
