"""Explanations name the instruction that made the first inf or nan: the one that was given such an argument."""

import numpy as np
import pytest

import tapediff as td


def model(x, w):
    z = x @ w
    p = z.exp()
    q = p / p.sum(1, keepdim=True)
    return -(q.log()).mean()


X, W = np.ones((2, 3)), np.ones((3, 2))


def test_finite_results_need_no_explanation():
    found = td.record(model, X, W).explain(X, W)
    assert found.is_finite
    assert (found.forward, found.harmless, found.reverse, found.change) == (None, None, None, None)
    assert str(found) == "the result and its gradient are finite"


def test_the_instruction_the_element_the_line_and_a_hint():
    x = X.copy()
    x[1] = 400
    found = td.record(model, X, W, lines=True).explain(x, W)
    event = found.forward
    assert (event.name, event.index, event.count, event.operands, event.value) == ("exp", (1, 0), 2, (1200.0,), np.inf)
    assert event.place[1] == model.__code__.co_firstlineno + 2
    assert "subtract the largest exponent" in event.hint
    assert "p = z.exp()" in str(found)
    assert not found.is_finite


@pytest.mark.parametrize(("function", "x", "name", "words"), [
    (lambda x: x.log().sum(), [1.0, 0.0], "log", "logarithm"), (lambda x: x.log1p().sum(), [1.0, -1.0], "log1p", "logarithm"),
    (lambda x: x.sqrt().sum(), [1.0, -1.0], "sqrt", "from 0 on"),
    (lambda x: (1 / x).sum(), [1.0, 0.0], "reciprocal|div", "division"),
    (lambda x: (x / x).sum(), [1.0, 0.0], "div", "division"), (lambda x: x.acos().sum(), [0.0, 2.0], "acos", "from -1 to 1"),
    (lambda x: (x**1.5).sum(), [1.0, -1.0], "pow", "negative number"),
    (lambda x: (x**-1.5).sum(), [1.0, 0.0], "pow", "power of 0"),
    (lambda x: (x * 1e200 * x).sum(), [1.0, 1e200], "mul", "overflow"),
    (lambda x: x.exp().sum(), [1.0, 710.0], "exp", "exponent"),
    (lambda x: (x * 1e308).sum(), [1.0, 1.0], "sum", "overflow"), (lambda x: x.atanh().sum(), [0.5, 1.0], "atanh", "pole"),
])
def test_hints(function, x, name, words):
    program = td.record(function, np.array([0.5, 0.25]))
    found = program.explain(np.array(x))
    assert found.forward.name in name.split("|")
    assert words in found.forward.hint
    assert np.isfinite(program(np.array(x))) == found.result


def test_the_trail_goes_back_to_the_element_that_matters():
    def function(x):
        y = x.exp()
        z = (x - 5).sqrt()
        return y.sum() * 0 + z[1] + (y - y)[0]
    found = td.record(function, np.array([6.0, 7.0])).explain(np.array([10.0, 1.0]))
    assert (found.forward.name, found.forward.index, found.forward.operands) == ("sqrt", (1,), (-4.0,))


def test_inf_that_becomes_nan_is_traced_to_the_inf():
    found = td.record(lambda x: x.exp() - x.exp() * 2, 1.0).explain(1000.0)
    assert found.forward.name in ("exp", "sub")
    assert found.forward.value == np.inf


def test_what_does_not_reach_the_result_is_said_to_be_harmless():
    program = td.record(lambda x: td.where(x > 0, x.log(), 0.0).sum(), np.ones(2))
    found = program.explain(np.array([0.0, 1.0]))
    assert found.is_finite
    assert found.harmless.name == "log"
    assert np.isfinite(program.grad(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(("function", "x", "name", "index"), [
    (lambda x: (x * x).sum().sqrt(), [0.0, 0.0], "sqrt", ()), (lambda x: x.sqrt().sum(), [1.0, 0.0], "sqrt", (1,)),
    (lambda x: (x**0.5).sum(), [1.0, 0.0], "pow", (1,)), (lambda x: x.asin().sum(), [0.0, 1.0], "asin", (1,)),
    (lambda x: td.hypot(x, x * 0).sum(), [1.0, 0.0], "hypot", (1,)),
    (lambda x: (x.sum() * 1e-320).log(), [1.0, 1.0], "log", ()),
])
def test_the_derivative_that_is_not_finite_first(function, x, name, index):
    program = td.record(function, np.array([0.5, 0.25]), lines=True)
    found = program.explain(np.array(x))
    assert found.result
    assert found.gradient is False
    assert (found.reverse.name, found.reverse.index) == (name, index)
    assert found.reverse.hint
    assert not np.isfinite(program.grad(np.array(x))).all()
    assert "test_explain.py" in str(found)


def test_inputs_and_constants_that_are_not_finite():
    constant = td.tensor([np.inf, 1.0], dtype=td.float64)
    found = td.record(lambda x, y: (x * y * constant).sum(), np.ones(2), np.ones(2)).explain(np.array([1.0, np.nan]), np.ones(2))
    assert found.inputs == (0,)
    assert found.constants == 1
    assert found.forward is None
    assert "input 0 holds" in str(found)


def test_the_recorded_path_and_what_changed():
    program = td.record(lambda x: x.log() if x > 1 else x, 2.0)
    found = program.explain(-1.0)
    assert found.forward.name == "log"
    assert "the program does not apply, changed (-1.0 > 1.0)" in str(found)


@pytest.mark.parametrize("values", [[0.5, 1.5], [0.0, -1.0], [800.0, 1.0], [np.nan, 1.0]])
def test_finiteness_is_that_of_the_program(values):
    def function(x):
        y = td.stack([x, x * 2]).logsumexp(0) + x.softmax(0)
        return (y.exp() / (x.abs() + y).sqrt()).sum() + td.cat([x, y])[1:].prod()
    program = td.record(function, np.array([0.3, 0.4]))
    value, gradient = program.value_and_grad(np.array(values))
    found = program.explain(np.array(values))
    assert found.result == np.isfinite(value)
    assert found.gradient == np.isfinite(gradient).all()


def test_a_row_of_a_batch():
    rows = td.record(model, X, W).batch(in_dims=(0, None))
    x = np.stack([X, 400 * X])
    assert rows.explain(0, x, W).is_finite
    assert rows.explain(-1, x, W).forward.name == "exp"
    with pytest.raises(IndexError, match="row 2 of 2"):
        rows.explain(2, x, W)


def test_float32_overflows_sooner():
    found = td.record(lambda x: x * x, np.float32(1)).explain(np.float32(1e30))
    assert "float64 goes to" in found.forward.hint
    assert found.forward.value == np.inf


def test_programs_of_integers():
    found = td.record(lambda x: x * 2, np.array([1, 2])).explain(np.array([1, 2]))
    assert found.is_finite
    assert str(found) == "the result is finite"


def test_a_custom_op():
    op = td.custom_op("test_explained", "log(a) * b", ("b / a", "log(a)"))
    found = td.record(lambda x: op(x, 2.0), 1.0).explain(0.0)
    assert found.forward.name == "test_explained"


def test_the_first_of_several_instructions_is_named():
    def entropy(x):
        p = x.exp() / x.exp().sum()
        return -(p * p.log()).sum()  # log(0), since 1 / inf is 0
    assert td.record(entropy, np.zeros(2)).explain(np.array([1.0, 800.0])).forward.name == "exp"
