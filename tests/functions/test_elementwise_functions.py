"""Element-wise functions and operators against PyTorch: signatures beyond a row, promotion, special values, errors."""

import inspect
from math import inf, nan

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers
from scipy.special import polygamma

import tapediff as td
from tapediff.functions.elementwise import ALIASES, EXAMPLES, INTERNAL, NUMBER_FIRST, TENSORS_ONLY
from tapediff.ops import ELEMENTWISE

A, B, C = numbers((3, 4), (4,), (3, 1))
P, Q = np.abs(A) + 0.1, np.abs(B) + 0.2
INTEGERS, SHORT = np.arange(-6, 6).reshape(3, 4), np.array([1, 2, 3, -4])
SPICY = np.array([0.0, -0.0, 1.0, -2.5, inf, -inf, nan, 1e300, 1e-300])

FORMS = {
    "add alpha": (lambda t, a, b: t.add(a, b, alpha=2.5), A, B),
    "add number alpha": (lambda t, a: a.add(3, alpha=-2), A),
    "add integers alpha": (lambda t, a: t.add(a, a, alpha=3), INTEGERS),
    "add integers to floats alpha": (lambda t, a, b: t.add(a, b, alpha=0.5), A, SHORT),
    "add bools": (lambda t, a: t.add(a > 0, a < 0, alpha=True), A),
    "sub alpha": (lambda t, a, b: a.sub(b, alpha=3), A, B),
    "subtract": (lambda t, a: t.subtract(a, 1.5), A),
    "rsub": (lambda t, a: t.rsub(a, 2, alpha=3), A),
    "div": (lambda t, a, b: t.div(a, b), A, Q),
    "divide": (lambda t, a: t.divide(a, 4), A),
    "true_divide": (lambda t, a: a.true_divide(4), INTEGERS),
    "div floor": (lambda t, a, b: t.div(a, b, rounding_mode="floor"), A, Q),
    "div trunc": (lambda t, a, b: a.div(b, rounding_mode="trunc"), A, Q),
    "div integers floor": (lambda t, a, b: t.div(a, b, rounding_mode="floor"), INTEGERS, SHORT),
    "div integers trunc": (lambda t, a, b: t.div(a, b, rounding_mode="trunc"), INTEGERS, SHORT),
    "floor_divide": (lambda t, a, b: t.floor_divide(a.detach(), b.detach()), A, Q),
    "remainder": (lambda t, a, b: t.remainder(a, b), A, Q),
    "remainder of a number": (lambda t, a: t.remainder(5, a.detach()), P),
    "fmod": (lambda t, a, b: a.fmod(b), A, Q),
    "fmod integers": (lambda t, a, b: a.fmod(b), INTEGERS, SHORT),
    "pow": (lambda t, a, b: t.pow(a, b), P, B),
    "pow of a number": (lambda t, a: t.pow(2.5, a), A),
    "pow number": (lambda t, a: a.pow(3), A),
    "pow integers": (lambda t, a: t.pow(a, 3), INTEGERS),
    "pow of integers to negative integers": (lambda t, a: t.pow(a, -t.ones(4, dtype=t.int64)), INTEGERS[-1] + 1),
    "float_power": (lambda t, a: t.float_power(a, -2), INTEGERS[-1] + 1),
    "float_power of a number": (lambda t, a: t.float_power(2, a), A),
    "round": (lambda t, a: a.round(), A),
    "round decimals": (lambda t, a: t.round(a, decimals=2), A * 1.2345),
    "round negative decimals": (lambda t, a: a.round(decimals=-1), A * 123.45),
    "clamp": (lambda t, a: t.clamp(a, -0.5, 1), A),
    "clamp min": (lambda t, a: a.clamp(min=0.3), A),
    "clamp max": (lambda t, a: a.clamp(max=0.3), A),
    "clip": (lambda t, a: t.clip(a, max=1), A),
    "clamp crossed": (lambda t, a: a.clamp(1.0, -1.0), A),
    "clamp tensors": (lambda t, a, b, c: t.clamp(a, b, c), A, B, C),
    "clamp tensor min": (lambda t, a, b: a.clamp(min=b), A, B),
    "clamp tensor max": (lambda t, a, b: a.clamp(max=b), A, B),
    "clamp integers": (lambda t, a: a.clamp(-2, 3), INTEGERS),
    "clamp integers by a float": (lambda t, a: a.clamp(min=0.5), INTEGERS),
    "clamp_min tensor": (lambda t, a, b: t.clamp_min(a, b), A, B),
    "nan_to_num": (lambda t, a: a.nan_to_num(), SPICY[[0, 1, 2, 3, 6, 8]]),
    "nan_to_num numbers": (lambda t, a: t.nan_to_num(a, 1.5, posinf=9.0, neginf=-9.0), SPICY),
    "nan_to_num one": (lambda t, a: t.nan_to_num(a, posinf=2.0), SPICY),
    "nan_to_num integers": (lambda t, a: t.nan_to_num(a, 1.0), INTEGERS),
    "logit": (lambda t, a: t.logit(a), np.array([0.1, 0.5, 0.75])),
    "logit eps": (lambda t, a: a.logit(0.2), np.array([0.1, 0.5, 0.95])),
    "lerp": (lambda t, a, b, c: t.lerp(a, b, c), A, B, C),
    "lerp number": (lambda t, a, b: a.lerp(b, 0.25), A, B),
    "lerp past half": (lambda t, a, b: a.lerp(b, 0.75), A, B),
    "addcmul": (lambda t, a, b, c: t.addcmul(a, b, c, value=2.5), A, B, C),
    "addcmul the same": (lambda t, a: a.addcmul(a, a), A),
    "addcdiv": (lambda t, a, b, c: t.addcdiv(a, b, c, value=0.5), A, B, np.abs(C) + 0.2),
    "where": (lambda t, a, b: t.where(a > b, a, b), A, B),
    "where numbers": (lambda t, a: t.where(a > 0, 1.0, 2.0), A),
    "where number first": (lambda t, a, b: t.where(a > 0, 3, b), A, B),
    "where method": (lambda t, a, b: a.where(a > 0, b), A, B),
    "where promotes": (lambda t, a, b: t.where(a > 0, a, b), A, SHORT),
    "heaviside": (lambda t, a, b: t.heaviside(a.detach(), b.detach()), A, B),
    "xlogy of a number": (lambda t, a: t.xlogy(2, a), P),
    "copysign a number": (lambda t, a: t.copysign(a, -1.0), A),
    "//": (lambda t, a, b: a.detach() // b.detach(), A, Q),
    "number //": (lambda t, a: 7 // a.detach(), P),
    "% number": (lambda t, a: a % 0.7, A),
    "number %": (lambda t, a: 7 % a.detach(), P),
    "+": (lambda t, a: +a, A),
    "abs": (lambda t, a: abs(a), A),
    "~": (lambda t, a: ~a, INTEGERS),
    "~ of bools": (lambda t, a: ~(a > 0), A),
    "&": (lambda t, a, b: a & b, INTEGERS, SHORT),
    "number |": (lambda t, a: 6 | a, INTEGERS),
    "^": (lambda t, a: a ^ 5, INTEGERS),
    "<<": (lambda t, a: a << 2, np.arange(5)),
    "number <<": (lambda t, a: 1 << a, np.arange(5)),
    ">>": (lambda t, a: a >> 1, INTEGERS),
    "<": (lambda t, a, b: a < b, A, B),
    "> a number": (lambda t, a: a > 0.27, A),
    "number <=": (lambda t, a: 1 <= a, A),  # noqa: SIM300
    "== a number": (lambda t, a: a == -1.1, A),
    "!= an array": (lambda t, a: a != 3, INTEGERS),
}


@pytest.mark.parametrize("name", FORMS)
def test_functions_are_pytorchs_to_second_order(name):
    call, *arrays = FORMS[name]
    check(call, *arrays)


@pytest.mark.parametrize(
    "name",
    [
        "add alpha",
        "sub alpha",
        "div",
        "pow",
        "pow number",
        "pow of a number",
        "round",
        "round decimals",
        "clamp",
        "clamp min",
        "clamp tensors",
        "clamp tensor min",
        "nan_to_num",
        "nan_to_num numbers",
        "logit eps",
        "lerp",
        "lerp number",
        "addcmul",
        "addcdiv",
        "where",
        "xlogy of a number",
        "copysign a number",
    ],
)
def test_names_in_the_graph_are_pytorchs(name):
    call, *arrays = FORMS[name]
    wanted, given = graph_name(call, *arrays)
    assert given == wanted


@pytest.mark.parametrize("name", ["add alpha", "lerp", "addcdiv", "clamp", "where", "float_power of a number"])
def test_gradients_are_finite_differences(name):
    call, *arrays = FORMS[name]
    check_finite_differences(call, *arrays)


def test_every_row_has_a_function_or_is_internal():
    for name, row in ELEMENTWISE.items():
        if name in INTERNAL:
            continue
        function = getattr(td, name)
        assert list(inspect.signature(function).parameters)[: row.arity] == list(row.arguments), name
        assert function.__doc__, name
        assert callable(getattr(td.Tensor, name)), name


def test_lists_of_names_name_rows():
    for names in (INTERNAL, TENSORS_ONLY, NUMBER_FIRST, ALIASES, EXAMPLES):
        assert set(names) <= set(ELEMENTWISE)


def test_aliases_are_the_functions_that_they_stand_for():
    for name, others in ALIASES.items():
        for other in others:
            assert getattr(td, other) is getattr(td, name)
            assert hasattr(td.Tensor, other)


def test_a_function_takes_numpy_numbers_as_numbers():
    x = td.tensor([1.0, 2.0])
    for number in (np.float32(2), np.float64(2), np.int64(2)):
        assert td.add(x, number).dtype is td.float32
        assert td.add(x, number).tolist() == [3.0, 4.0]
        assert (x > number).tolist() == [False, False]


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_polygamma_is_scipys(n):
    x = td.tensor(P, requires_grad=True)
    y = td.polygamma(n, x)
    np.testing.assert_allclose(y.detach().numpy(), polygamma(n, P), rtol=1e-12)
    np.testing.assert_allclose(x.polygamma(n).detach().numpy(), polygamma(n, P), rtol=1e-12)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), polygamma(n + 1, P), rtol=1e-12)


def test_where_stops_nan_gradients():
    x = td.tensor([0.0, 4.0], requires_grad=True)
    td.where(x > 0, td.sqrt(x), 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_comparing_with_something_else_is_false():
    x = td.tensor([1.0])
    assert (x == "text") is False
    assert (x != None) is True  # noqa: E711
    assert hash(x) == hash(x)
    assert x in {x: 1}


@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose_is_numpys(equal_nan):
    a = np.array([1.0, 2.0, nan, inf, -inf, inf, 0.0])
    b = np.array([1.0 + 1e-9, 2.1, nan, inf, inf, 1.0, 1e-9])
    wanted = np.isclose(a, b, equal_nan=equal_nan)
    assert td.isclose(td.tensor(a), td.tensor(b), equal_nan=equal_nan).tolist() == wanted.tolist()
    assert td.allclose(td.tensor(a), td.tensor(b), equal_nan=equal_nan) is bool(wanted.all())


def test_equal_compares_shapes_and_elements():
    assert td.equal(td.tensor([1.0, 2.0]), td.tensor([1.0, 2.0]))
    assert not td.equal(td.tensor([1.0, 2.0]), td.tensor([[1.0, 2.0]]))
    assert not td.equal(td.tensor([nan]), td.tensor([nan]))


ERRORS = {
    "sin(): argument 'input' (position 1) must be Tensor, not float": lambda t: t.sin(1.0),
    "add(): argument 'other' (position 2) must be Tensor, not str": lambda t: t.add(t.ones(2), "a"),
    "mul(): argument 'other' (position 2) must be Tensor, not NoneType": lambda t: t.mul(t.ones(2), None),
    "maximum(): argument 'other' (position 2) must be Tensor, not float": lambda t: t.maximum(t.ones(2), 2.5),
    "logical_and(): argument 'other' (position 2) must be Tensor, not float": lambda t: t.logical_and(t.ones(2), 1.0),
    "atan2(): argument 'input' (position 1) must be Tensor, not int": lambda t: t.atan2(2, t.ones(2)),
    "must match the size of tensor b": lambda t: t.add(t.ones(2), t.ones(3), alpha=2),
    "For integral input tensors, argument alpha must not be a floating point number": lambda t: t.add(t.arange(3), 1, alpha=0.5),
    "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'nearest'": lambda t: t.div(
        t.ones(2), 2, rounding_mode="nearest"
    ),
    "Integers to negative integer powers are not allowed.": lambda t: t.pow(t.arange(3), -1),
    "At least one of 'min' or 'max' must not be None": lambda t: t.clamp(t.ones(2)),
    "clamp() received an invalid combination of arguments": lambda t: t.clamp(t.ones(2), t.ones(2), 2.0),
    "where expected condition to be a boolean tensor, but got a tensor with dtype Float": lambda t: t.where(t.ones(2), 1.0, 2.0),
    "expected dtype float for `end` but got dtype double": lambda t: t.lerp(t.ones(2), t.ones(2, dtype=t.float64), 0.5),
    "Integer division with addcdiv is no longer supported": lambda t: t.addcdiv(t.ones(3), t.arange(3), t.arange(3)),
    "polygamma(n, x) does not support negative n.": lambda t: t.polygamma(-1, t.ones(2)),
    "heaviside is not yet implemented for tensors with different dtypes.": lambda t: t.heaviside(t.ones(2), t.arange(2)),
    "Float did not match Double": lambda t: t.isclose(t.ones(2), t.ones(2, dtype=t.float64)),
    "rtol must be greater than or equal to zero, but got -1": lambda t: t.isclose(t.ones(2), t.ones(2), rtol=-1),
    "equal(): argument 'other' (position 2) must be Tensor, not int": lambda t: t.equal(t.ones(2), 2),
    "\"round_cpu\" not implemented for 'Long'": lambda t: t.round(t.arange(3), decimals=1),
    "The `+` operator, on a bool tensor is not supported.": lambda t: +(t.ones(2) > 0),
    "~ (operator.invert) is only implemented on integer and Boolean-type tensors": lambda t: ~t.ones(2),
    "'<' not supported between instances of 'Tensor' and 'str'": lambda t: t.ones(2) < "a",
    "unsupported operand type(s) for %: 'Tensor' and 'NoneType'": lambda t: t.ones(2) % None,
    "unsupported operand type(s) for divmod(): 'Tensor' and 'int'": lambda t: divmod(t.ones(2), 2),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors_are_pytorchs(phrase):
    check_error(ERRORS[phrase], phrase)


@pytest.mark.parametrize(
    "divide",
    [
        lambda t, a: a // 0,
        lambda t, a: a % 0,
        lambda t, a: 5 // a,
        lambda t, a: 5 % a,
        lambda t, a: t.fmod(a, 0),
        lambda t, a: t.floor_divide(a, a),
        lambda t, a: t.remainder(a, a),
        lambda t, a: t.div(a, 0, rounding_mode="floor"),
        lambda t, a: t.div(a, a, rounding_mode="trunc"),
    ],
)
def test_integers_are_not_divided_by_zero(divide):
    check_error(lambda t: divide(t, t.arange(3)), "ZeroDivisionError")


def test_floats_divided_by_zero_are_inf_or_nan():
    assert str((td.tensor([1.0, 0.0, -1.0]) // 0).tolist()) == "[inf, nan, -inf]"
    assert str((td.tensor([1.0]) % 0).tolist()) == "[nan]"


def test_out_is_refused():
    with pytest.raises(TypeError, match="out' is not supported"):
        td.sin(td.ones(2), out=td.ones(2))
    with pytest.raises(TypeError, match="out' is not supported"):
        td.add(td.ones(2), 1, out=td.ones(2))
