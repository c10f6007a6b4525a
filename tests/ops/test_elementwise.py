"""Every row of the table against NumPy, SciPy, finite differences and PyTorch.

What the loops do not show: a row that is wrong in the same way in PyTorch and in its oracle, and arguments outside the row's
domain other than the special ones below.
"""

import random

import numpy as np
import pytest

from tapediff.kernels.calling import call_kernel
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.ops import ELEMENTWISE

FLOAT_ROWS = [name for name, row in ELEMENTWISE.items() if "float" in row.kinds]
SMOOTH_ROWS = [name for name in FLOAT_ROWS if ELEMENTWISE[name].is_differentiable]
INT_ROWS = [name for name, row in ELEMENTWISE.items() if "int" in row.kinds]
BOOL_ROWS = [name for name, row in ELEMENTWISE.items() if "bool" in row.kinds]
INTERNAL = {"cast", "zero_product"}
RTOL = {"float64": 3e-14, "float32": 2e-6}


def draw(row, n, dtype="float64", seed=0):
    generator = random.Random(seed)
    operands = [np.array(domain.sample(n, generator)).astype(dtype) for domain in row.domain]
    if row.name == "where":
        operands[0] = operands[0] > 0.5
    if row.name == "polygamma":
        operands[0] = np.floor(operands[0])
    return operands


def result_dtype(row, dtype):
    if row.result == "bool":
        return "bool"
    return "float32" if row.result == "float" and not dtype.startswith("float") else dtype


def forward(row, operands):
    dtype = next((operand.dtype.name for operand in operands if operand.dtype != bool), "bool")
    spec = KernelSpec(row.name, "forward", tuple(operand.dtype.name for operand in operands), result_dtype(row, dtype))
    y = np.zeros(len(operands[0]), spec.result)
    call_kernel(get_library(), spec, len(y), y=y, **dict(zip("abc", operands)))
    return y


def reverse(row, operands, y, y_bar):
    adjoints = [np.zeros_like(operand, dtype=y.dtype) for operand in operands]
    bars = {f"{name}_bar": adjoint for name, adjoint in zip("abc", adjoints)}
    spec = KernelSpec(row.name, "reverse", tuple(operand.dtype.name for operand in operands), y.dtype.name)
    call_kernel(get_library(), spec, len(y), y_bar=y_bar, y=y, **dict(zip("abc", operands)), **bars)
    return adjoints


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name in FLOAT_ROWS if ELEMENTWISE[name].oracle])
def test_values_are_the_oracles(name, dtype):
    row = ELEMENTWISE[name]
    operands = draw(row, 200, dtype)
    expected = row.oracle_function()(*[operand if operand.dtype == bool else operand.astype("float64") for operand in operands])
    np.testing.assert_allclose(forward(row, operands), expected, rtol=RTOL[dtype], atol=RTOL[dtype] * 0.1)


@pytest.mark.parametrize("name", SMOOTH_ROWS)
def test_partials_are_the_slopes_of_the_values(name):
    row = ELEMENTWISE[name]
    operands = draw(row, 100)
    partials = reverse(row, operands, forward(row, operands), np.ones(100))
    for k, partial in enumerate(row.partials):
        if partial is None or (name == "heaviside" and k == 1):
            continue
        step = 1e-5
        low, high = ([operand + (sign * step if j == k else 0) for j, operand in enumerate(operands)] for sign in (-1, 1))
        if name == "where":
            low[0] = high[0] = operands[0]
        slope = (forward(row, high) - forward(row, low)) / (2 * step)
        # a difference across a jump says nothing about the slope
        smooth = abs(slope) < 1e4
        assert smooth.mean() > 0.8
        np.testing.assert_allclose(partials[k][smooth], slope[smooth], rtol=2e-6, atol=3e-8, err_msg=f"operand {k}")


@pytest.mark.parametrize("name", SMOOTH_ROWS)
def test_formulas_run_on_numpy_arrays_too(name):
    row = ELEMENTWISE[name]
    operands = draw(row, 20)
    y = forward(row, operands)
    y_bar = np.linspace(-1, 1, 20)
    expected = reverse(row, operands, y, y_bar)
    namespace = {name: calls_kernel(other) for name, other in ELEMENTWISE.items()} | {"pi": np.pi, "inf": np.inf, "nan": np.nan}
    namespace |= dict(zip("abc", operands)) | {"y": y, "y_bar": y_bar}
    for k, partial in enumerate(row.partials):
        if partial is not None:
            value = row.evaluate(row.pullback(k), namespace)
            np.testing.assert_allclose(np.broadcast_to(value, 20), expected[k], rtol=1e-13, atol=1e-14)


def calls_kernel(row):
    def function(*operands):
        arrays = np.broadcast_arrays(*operands)
        return forward(row, [np.ascontiguousarray(array if array.dtype == bool else array.astype("float64")) for array in arrays])

    return function


@pytest.mark.parametrize("name", FLOAT_ROWS)
def test_a_row_describes_itself(name):
    row = ELEMENTWISE[name]
    assert len(row.arguments) == row.arity == len(row.domain)
    assert row.grad_fn[:-1].endswith("Backward")
    assert row.result in ("float", "same", "bool")
    assert row.result != "bool" or not row.is_differentiable


@pytest.mark.parametrize("name", [name for name in INT_ROWS if ELEMENTWISE[name].oracle and ELEMENTWISE[name].result != "float"])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_values_of_ints_are_the_oracles(name, dtype):
    row = ELEMENTWISE[name]
    numbers = np.array([0, 1, -1, 2, -2, 3, 7, -8, 100, -100, np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    operands = [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(*[numbers] * row.arity)]
    if name in ("floor_divide", "remainder", "fmod"):
        keep = operands[1] != 0
        operands = [operand[keep] for operand in operands]
    if name == "pow":
        operands[1] = abs(operands[1] % 5)
    if name.endswith("shift"):
        operands[1] = abs(operands[1] % 30)
    if name == "where":
        operands[0] = operands[0] > 0
    with np.errstate(all="ignore"):
        expected = row.oracle_function()(*operands)
    np.testing.assert_array_equal(forward(row, operands), expected)


@pytest.mark.parametrize("name", [name for name in BOOL_ROWS if ELEMENTWISE[name].oracle and ELEMENTWISE[name].result != "float"])
def test_values_of_bools_are_the_oracles(name):
    row = ELEMENTWISE[name]
    operands = [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(*[np.array([False, True])] * row.arity)]
    np.testing.assert_array_equal(forward(row, operands), row.oracle_function()(*operands))


@pytest.mark.parametrize("name", ["floor_divide", "trunc_divide", "remainder", "fmod"])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_dividing_ints_by_zero_or_overflowing_does_not_trap(name, dtype):
    least = np.iinfo(dtype).min
    quotient = forward(ELEMENTWISE[name], [np.array([5, 0, least, least], dtype), np.array([0, 0, -1, 0], dtype)])
    assert quotient[2] == (0 if name in ("remainder", "fmod") else least)


# PyTorch as the oracle, at kinks, ties and edges

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of what follows")

SPICES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e5, 1e300]
FUNCTIONAL = torch.nn.functional
IN_TORCH = {
    "gelu": FUNCTIONAL.gelu,
    "gelu_tanh": lambda a: FUNCTIONAL.gelu(a, approximate="tanh"),
    "silu": FUNCTIONAL.silu,
    "logsigmoid": FUNCTIONAL.logsigmoid,
    "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "cube": lambda a: torch.pow(a, 3),
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "clamp_min": torch.clamp_min,
    "clamp_max": torch.clamp_max,
    "mish": FUNCTIONAL.mish,
    "hardsigmoid": FUNCTIONAL.hardsigmoid,
    "hardswish": FUNCTIONAL.hardswish,
    "clamp_tensors": torch.clamp,
    "sq_error": lambda a, b: FUNCTIONAL.mse_loss(a, b, reduction="none"),
    "logit": torch.logit,
    "relu": torch.relu,
    "erf": torch.special.erf,
    "erfc": torch.special.erfc,
    "erfinv": torch.special.erfinv,
    "sinc": torch.special.sinc,
    "entr": torch.special.entr,
    "xlogy": torch.special.xlogy,
    "i0e": torch.special.i0e,
    "i1": torch.special.i1,
    "i1e": torch.special.i1e,
    "erfcx": torch.special.erfcx,
    "ndtri": torch.special.ndtri,
    "log_ndtr": torch.special.log_ndtr,
    "gammainc": torch.special.gammainc,
    "gammaincc": torch.special.gammaincc,
    "zeta": torch.special.zeta,
    **{
        name: getattr(torch.special, name)
        for name in (
            "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
            "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
        )
    },
}  # fmt: skip
# which PyTorch does not differentiate
WITHOUT_GRADIENT = {name for name in IN_TORCH if "bessel" in name} | {"airy_ai"}
# rows whose last operands are numbers for PyTorch, at the numbers given here
WITH_NUMBERS = {
    "softplus": (FUNCTIONAL.softplus, (1.5, 20.0)),
    "leaky_relu": (FUNCTIONAL.leaky_relu, (0.1,)),
    "elu": (FUNCTIONAL.elu, (0.7,)),
    "celu": (FUNCTIONAL.celu, (0.7,)),
    "hardtanh": (FUNCTIONAL.hardtanh, (-0.5, 2.0)),
    "threshold": (FUNCTIONAL.threshold, (0.5, 3.0)),
    "hardshrink": (FUNCTIONAL.hardshrink, (0.5,)),
    "softshrink": (FUNCTIONAL.softshrink, (0.5,)),
    "logit_eps": (torch.logit, (0.25,)),
    "smooth_l1": (lambda a, b, c: FUNCTIONAL.smooth_l1_loss(a, b, reduction="none", beta=c), (1.0,)),
    "huber": (lambda a, b, c: FUNCTIONAL.huber_loss(a, b, reduction="none", delta=c), (1.0,)),
    "polygamma": None,
    **dict.fromkeys(("bessel_j", "bessel_i", "scaled_bessel_i", "airy_ai_slope")),
    "prelu": None,
    "round_decimals": None,
    "bce": None,
    "bce_logits": None,
    "cast": None,
    "zero_product": None,
}

# where PyTorch is not followed, and why
DEVIATES = {
    "sinh": "PyTorch overflows too early",
    "cosh": "PyTorch overflows too early",
    "fmod": "PyTorch gives nan for a huge quotient",
    "remainder": "as fmod",
    "gelu": "erfc keeps the digits of the lower tail",
    "gelu_tanh": "sigmoid keeps the digits of the lower tail",
    "lerp": "the sign of zero",
    "logaddexp2": "PyTorch rounds differently at cancellation",
    "digamma": "PyTorch's error near its roots",
    **dict.fromkeys(("bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"), "PyTorch has 11 digits"),
    "airy_ai": "PyTorch gives nan at inf",
    "gammainc": "PyTorch gives numbers for nan",
    "gammaincc": "as gammainc",
    "zeta": "PyTorch gives inf for nan; here negative numbers are refused",
}

# the gradients where PyTorch's formula makes a nan or loses a limit that the row keeps
GRADIENT_DEVIATES = DEVIATES | {
    "celu": "PyTorch's constants have 24 bits",
    "hardsigmoid": "PyTorch's constants have 24 bits",
    "logit_eps": "PyTorch hides a nan",
    "copysign": "the slope at inf is 1 or -1",
    "i1": "PyTorch's is -1 at nan, and nan for large numbers",
    "i1e": "as i1, and fewer digits for large numbers",
    "log_ndtr": "the slope at -inf is inf",
    "sinc": "series near 0",
    "logaddexp": "both -inf",
    "lgamma": "poles",
    "erfinv": "at 1",
    "tan": "rounding at huge values",
}


IN_BOTH = [name for name in FLOAT_ROWS if WITH_NUMBERS.get(name, True)]
DIFFERENTIATED = [name for name in IN_BOTH if name in SMOOTH_ROWS and name not in WITHOUT_GRADIENT]


def torch_function(name):
    if name in WITH_NUMBERS:
        function, numbers = WITH_NUMBERS[name]
        return lambda *tensors: function(*tensors[: -len(numbers)], *numbers)
    return IN_TORCH.get(name) or getattr(torch, name)


def spicy(row):
    numbers = WITH_NUMBERS[row.name][1] if row.name in WITH_NUMBERS else ()
    moving = row.arity - len(numbers)
    spices = np.array(SPICES if moving < 3 else SPICES[:12])
    operands = [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(*[spices] * moving)]
    if row.name == "where":
        operands[0] = operands[0] > 0
    return operands + [np.full(len(operands[0]), number) for number in numbers]


def differences(actual, expected, operands, rtol):
    expected = np.asarray(expected)
    if actual.dtype == bool:
        return [(*[float(operand[i]) for operand in operands], actual[i]) for i in np.flatnonzero(actual != expected)]
    with np.errstate(all="ignore"):
        fine = (
            (actual == expected)
            | (np.isnan(actual) & np.isnan(expected))
            | (abs(actual - expected) <= rtol * abs(expected) + 1e-319)
        )
        fine &= (np.signbit(actual) == np.signbit(expected)) | (expected != 0)
    return [(*[float(operand[i]) for operand in operands], actual[i], expected[i]) for i in np.flatnonzero(~fine)]


@pytest.mark.parametrize("name", [name for name in IN_BOTH if name not in DEVIATES])
def test_special_values_are_pytorchs(name):
    row = ELEMENTWISE[name]
    operands = spicy(row)
    expected = torch_function(name)(*[torch.from_numpy(operand) for operand in operands]).numpy()
    wrong = differences(forward(row, operands), expected, operands, 1e-14)
    assert not wrong, f"{name}: (operands, ours, PyTorch's) {wrong[:4]}"


@pytest.mark.parametrize("name", [name for name in DIFFERENTIATED if name not in GRADIENT_DEVIATES])
def test_gradients_at_kinks_ties_and_edges_are_pytorchs(name):
    row = ELEMENTWISE[name]
    operands = spicy(row)
    y_bar = np.where(np.arange(len(operands[0])) % 2 == 0, 1.0, -2.0)
    tensors = [torch.from_numpy(operand.copy()) for operand in operands]
    for tensor, partial in zip(tensors, row.partials):
        tensor.requires_grad_(partial is not None)
    torch_function(name)(*tensors).backward(torch.from_numpy(y_bar))
    adjoints = reverse(row, operands, forward(row, operands), y_bar)
    for k, tensor in enumerate(tensors):
        if tensor.grad is not None:
            wrong = differences(adjoints[k] + 0.0, tensor.grad.numpy() + 0.0, operands, 1e-11)
            assert not wrong, f"{name}, operand {k}: (operands, ours, PyTorch's) {wrong[:4]}"


@pytest.mark.parametrize("name", [name for name in DIFFERENTIATED if name != "positive"])
def test_grad_fn_is_called_as_in_pytorch(name):
    row = ELEMENTWISE[name]
    tensors = [torch.from_numpy(operand) for operand in draw(row, 3)]
    for tensor, partial in zip(tensors, row.partials):
        tensor.requires_grad_(partial is not None)
    theirs = torch_function(name)(*tensors).grad_fn
    assert row.grad_fn[:-1] == theirs.name()[:-1], "the digit tells overloads for tensors and for numbers apart"
