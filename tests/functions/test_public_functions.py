"""Names of the package that everyday notebooks use, against PyTorch: integrals, statistics, windows, parts of numbers, writes."""

import warnings

import numpy as np
import pytest
import torch_names
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td

M, V, W = numbers((3, 4), (5,), (4,), seed=1)
X = np.array([0.0, 0.5, 2.0, 2.5, 4.0])
SPICY = np.array([0.0, -0.0, 1.5, -3.0, np.inf, -np.inf, np.nan, 5e-324, 1.7e308])
INTEGERS = np.array([0, -4, 6, 12, 7])

CASES = {
    "trapezoid": (lambda t, y: t.trapezoid(y), M),
    "trapezoid dx": (lambda t, y: t.trapz(y, dx=0.5, dim=0), M),
    "trapezoid x": (lambda t, y, x: t.trapezoid(y, x), V, X),
    "trapezoid x along the first dim": (lambda t, y, x: t.trapezoid(y, x[:3], dim=0), M, X),
    "trapezoid full x": (lambda t, y, x: t.trapezoid(y, x, dim=0), M, np.cumsum(np.abs(M) + 1, 0)),
    "trapezoid of nothing": (lambda t, y: t.trapezoid(y), np.zeros((2, 0))),
    "trapezoid of one": (lambda t, y: t.trapezoid(y), np.ones((2, 1))),
    "cumulative": (lambda t, y: t.cumulative_trapezoid(y), M),
    "cumulative x": (lambda t, y, x: t.cumulative_trapezoid(y, x), V, X),
    "gradient": (lambda t, y: t.gradient(y), M),
    "gradient of second order at the ends": (lambda t, y: t.gradient(y, edge_order=2, spacing=0.5), M),
    "gradient along a dim": (lambda t, y: t.gradient(y, dim=1, spacing=2.0), M),
    "gradient along dims": (lambda t, y: t.gradient(y, dim=(1, 0), spacing=[2.0, 0.5]), M),
    "gradient at places": (lambda t, y: t.gradient(y, spacing=(t.tensor(X),)), V),
    "gradient at places, second order": (lambda t, y: t.gradient(y, spacing=(t.tensor(X),), edge_order=2), V),
    "gradient at places of a matrix": (lambda t, y: t.gradient(y, spacing=(t.tensor(X[:3]), t.tensor(X[:4]))), M),
    "cov": (lambda t, x: t.cov(x), M),
    "cov of a vector": (lambda t, x: x.cov(), V),
    "cov without correction": (lambda t, x: t.cov(x, correction=0), M),
    "cov weighted": (lambda t, x: t.cov(x, fweights=t.tensor([1, 2, 1, 3]), aweights=t.tensor([0.5, 1.0, 2.0, 0.25])), M),
    "cov of integers": (lambda t, x: t.cov(x), np.array([[1, 2, 3], [4, 1, 1]])),
    "corrcoef": (lambda t, x: x.corrcoef(), M),
    "vander": (lambda t, x: t.vander(x.detach()), W),
    "vander rising": (lambda t, x: t.vander(x.detach(), 3, increasing=True), W),
    "vander of integers": (lambda t, x: t.vander(x, N=2), INTEGERS),
    "vander without columns": (lambda t, x: t.vander(x, N=0), W),
    "gcd": (lambda t, x: t.gcd(x, x.flip(0)), INTEGERS),
    "lcm": (lambda t, x: x.lcm(x.flip(0).int()), INTEGERS),
    "gcd broadcasts": (lambda t, x: t.gcd(x[:, None], x), INTEGERS),
    "unravel_index": (lambda t, x: t.unravel_index(x, (2, 3, 4)), np.array([[0, 5], [23, 12]])),
    "ldexp": (lambda t, x: t.ldexp(x, t.tensor([1, 2, 0, 3])), W),
    "ldexp by a tensor of floats": (lambda t, x, y: x.ldexp(y), W, W),
    "frexp": (lambda t, x: tuple(t.frexp(x)), V),
    "frexp of special numbers": (lambda t, x: tuple(t.frexp(x.detach())), SPICY),
    "nextafter": (lambda t, x: t.nextafter(x.detach(), t.zeros(9, dtype=t.float64)), SPICY),
    "histogram": (lambda t, x: tuple(t.histogram(x.detach(), 4)), V),
    "histogram in a range": (lambda t, x: tuple(t.histogram(x.detach(), 3, range=(-1.0, 1.0), density=True)), M),
    "histogram between edges": (lambda t, x: tuple(t.histogram(x.detach(), t.tensor(X))), V),
    "histogram weighted": (lambda t, x: tuple(t.histogram(x.detach(), 3, weight=t.ones_like(x) * 0.5)), V),
    "pdist, values": (lambda t, x: (t.pdist(x.detach()), t.nn.functional.pdist(x.detach(), 1)), M),
    "renorm": (lambda t, x: t.renorm(x, 2, 0, 1.5), M),
    "renorm, p = 1": (lambda t, x: x.renorm(1, 1, 0.5), M),
    "diagonal_scatter": (lambda t, x, y: t.diagonal_scatter(x, y[:3], 1), M, W),
    "as_strided_scatter": (lambda t, x, y: t.as_strided_scatter(x.detach(), y[:3].detach(), (3,), (4,), 1), M, W),
    "index_reduce prod": (lambda t, x, y: t.index_reduce(x, 0, t.tensor([1, 1, 3]), y[:3], "prod"), W, W),
    "index_reduce mean": (lambda t, x, y: x.index_reduce(0, t.tensor([1, 1, 3]), y[:3], "mean", include_self=False), W, W),
    "index_reduce amax": (lambda t, x: t.index_reduce(x, 1, t.tensor([0, 0]), x[:, 2:], "amax"), M),
    "fill": (lambda t, x, y: t.fill(x, y[0]), M, W),
    "split_with_sizes": (lambda t, x: t.split_with_sizes(x, [1, 3], 1), M),
    "put_": (lambda t, x, y: (x * 1).put_(t.tensor([3, 0]), y[:2]), M, W),
    "apply_": (lambda t, x: x.detach().clone().apply_(lambda v: v * 2 + 1), M),
    "map_": (lambda t, x, y: x.detach().clone().map_(y.detach(), lambda a, b: a * b), M, W),
    "resize_ to less": (lambda t, x: x.detach().clone().resize_(2, 2), M),
    "in-place functions": (lambda t, x: t.exp_(t.sin_(x * 1)), M),
    "zero_": (lambda t, x: t.zero_(x * 1), M),
    "detach_": (lambda t, x: t.detach_(x * 1), M),
    "sgn_": (lambda t, x: x.detach().clone().sgn_(), M),
    "gcd_": (lambda t, x: x.clone().gcd_(x.flip(0)), INTEGERS),
    "bartlett": (lambda t: (t.bartlett_window(6, False, dtype=t.float64), t.bartlett_window(1)),),
    "hann": (lambda t: (t.hann_window(7, dtype=t.float64), t.hann_window(6, periodic=False, dtype=t.float64), t.hann_window(0)),),
    "hamming": (lambda t: (t.hamming_window(7, dtype=t.float64), t.hamming_window(6, True, 0.5, 0.4, dtype=t.float64)),),
    "frombuffer": (lambda t: t.frombuffer(bytearray(range(16)), dtype=t.int32, count=2, offset=4),),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize("name", ["trapezoid", "trapezoid x", "cumulative", "cumulative x", "cov", "renorm", "frexp",
                                  "ldexp", "diagonal_scatter"])
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), [("blackman_window", (9,)), ("blackman_window", (6, False)),
                                                 ("kaiser_window", (9,)), ("kaiser_window", (6, False, 3.5)),
                                                 ("hann_window", (8,)), ("hamming_window", (8,))])
def test_windows_agree_with_torch(name, arguments, dtype):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    wanted, given = (getattr(t, name)(*arguments, dtype=getattr(t, dtype)).numpy() for t in (torch, td))
    # PyTorch rounds each step to the dtype: 1e-7 beside 1 for float32
    rtol, atol = (2e-5, 2e-7) if dtype == "float32" else (1e-13, 1e-15)
    np.testing.assert_allclose(given, wanted, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("call", "phrase"), [
    (lambda t: t.trapezoid(t.ones(3), t.ones(2)), "There must be one `x` value for each sample point"),
    (lambda t: t.gradient(t.ones(1)), "expected each dimension size to be at least edge_order+1"),
    (lambda t: t.gradient(t.ones(3), edge_order=3), "torch.gradient only supports edge_order=1 and edge_order=2"),
    (lambda t: t.cov(t.ones(1, 1, 1)), "expected input to have two or fewer dimensions"),
    (lambda t: t.cov(t.ones(2), fweights=t.ones(2)), "expected fweights to have integral dtype"),
    (lambda t: t.cov(t.ones(2), aweights=-t.ones(2)), "aweights cannot be negative"),
    (lambda t: t.vander(t.ones(1, 1)), "x must be a one-dimensional tensor."),
    (lambda t: t.vander(t.ones(1), -1), "N must be non-negative."),
    (lambda t: t.gcd(t.ones(2), t.ones(2)), "not implemented for 'Float'"),
    (lambda t: t.frexp(t.tensor(1)), "torch.frexp() only supports floating-point dtypes"),
    (lambda t: t.unravel_index(t.tensor([1]), (-1,)), "'shape' cannot have negative values"),
    (lambda t: t.unravel_index(t.tensor([1.0]), (3,)), "expected 'indices' to be integer dtype"),
    (lambda t: t.histogram(t.ones(2), 0), "bins must be > 0, but got 0"),
    (lambda t: t.histogram(t.ones(2), 2, range=(2.0, 1.0)), "min should not exceed max"),
    (lambda t: t.pdist(t.ones(3)), "pdist only supports 2D tensors, got: 1D"),
    (lambda t: t.pdist(t.ones(3, 2), -1), "pdist only supports non-negative p values"),
    (lambda t: t.renorm(t.ones(2), 2, 0, 1.0), "renorm: input needs at least 2 dimensions"),
    (lambda t: t.renorm(t.ones(2, 2), 0, 0, 1.0), "renorm: non-positive-norm not supported"),
    (lambda t: t.diagonal_scatter(t.zeros(2, 2), t.ones(3)), "expected src to have a size equal to the slice of self"),
    (lambda t: t.ones(2).index_reduce(0, t.tensor([0]), t.ones(1), "sum"), "Expected reduce to be one of prod, mean,"),
    (lambda t: t.detach(3), "detach(): argument 'input' (position 1) must be Tensor, not int"),
    (lambda t: t.sin_(3), "sin_(): argument 'input' (position 1) must be Tensor, not int"),
    (lambda t: t.sin_(t.ones(2, requires_grad=True)), "a leaf Variable that requires grad"),
    (lambda t: t.ones(2, requires_grad=True).apply_(abs), "Can't call apply_() on Variable that requires grad"),
    (lambda t: t.ones(2).map_(t.ones(2).double(), max), "map_: expected torch.FloatTensor for 'other'"),
    (lambda t: t.ones(2, requires_grad=True).resize_(1), "cannot resize variables that require grad"),
    (lambda t: t.hann_window(-1), "requires non-negative window_length, got window_length=-1"),
    (lambda t: t.hann_window(3, dtype=t.int64), "expects floating point dtypes"),
    (lambda t: t.frombuffer(b"", dtype=t.int32), "both buffer length (0) and count (-1) must not be 0"),
    (lambda t: t.frombuffer(b"123", dtype=t.int32), "must be a multiple of element size (4)"),
    (lambda t: t.frombuffer(b"12345678", dtype=t.int32, offset=8), "must be non-negative and no greater than buffer length"),
    (lambda t: t.frombuffer(b"12345678", dtype=t.int32, count=3), "must not be greater than actual buffer length (8 bytes)"),
    (lambda t: t.frombuffer(3, dtype=t.int32), "object does not implement Python buffer protocol."),
])
def test_error(call, phrase):
    check_error(call, phrase)


@pytest.mark.parametrize("name", ["as_strided_scatter", "ldexp", "pdist", "vander"])
def test_gradients_against_finite_differences(name):
    """Where PyTorch 2.13 has none of this order, or a wrong one: for a negative integer exponent, and beside what is written."""
    call = {"as_strided_scatter": lambda t, x: t.as_strided_scatter(x, x[:, 0], (3,), (4,), 1),
            "ldexp": lambda t, x: t.ldexp(x, t.tensor([1, -2, 0, 3])),
            "pdist": lambda t, x: t.pdist(x, 3.0),
            "vander": lambda t, x: t.vander(x[0])}[name]
    check_finite_differences(call, M)


def test_range_ends_with_its_end_and_warns():
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        assert td.range(1, 4).tolist() == [1.0, 2.0, 3.0, 4.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert td.range(0, 1, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
        assert td.range(3, 1, -1, dtype=td.int64).tolist() == [3, 2, 1]


def test_frombuffer_shares_memory():
    memory = bytearray(8)
    x = td.frombuffer(memory, dtype=td.float32)
    x.fill_(1.0)
    assert memory == np.ones(2, np.float32).tobytes()


def test_resize_keeps_the_elements_and_what_shares_them():
    x = td.arange(6.0)
    other = x.detach()
    x.resize_(2, 2)
    x[0, 0] = 9.0
    assert other.tolist() == [9.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    y = td.arange(2.0)
    assert y.resize_(3).tolist() == [0.0, 1.0, 0.0]
    assert y.resize_as_(td.ones(1, 1)).tolist() == [[0.0]]
    with pytest.raises(RuntimeError, match="other tensors show the memory"):
        other.resize_(7)


def test_the_precision_of_products_is_remembered():
    td.set_float32_matmul_precision("high")
    assert td.get_float32_matmul_precision() == "high"
    with pytest.warns(UserWarning, match="has no effect"):
        td.set_float32_matmul_precision("low")
    td.set_float32_matmul_precision("highest")


def test_facts():
    x = td.ones(2)
    assert td.typename(x) == "torch.FloatTensor"
    assert td.typename(3) == "int"
    assert td.typename(td.nn.Linear) == "tapediff.nn.modules.linear.Linear"
    assert not td.is_inference(x)
    with td.inference_mode():
        assert td.is_inference(x * 2)
    assert td.is_signed(x)
    assert not td.is_signed(x > 0)
    assert td.get_device(x) == -1


# --- functions of networks under the package's own name -------------------------------------------------------------------------

@pytest.mark.parametrize("name", torch_names.CALLS)
def test_functions_of_networks_take_torch_s_arguments(name):
    check(*torch_names.CALLS[name])


def test_dropout_at_the_top_level():
    td.manual_seed(0)
    x = td.ones(1000)
    assert td.dropout(x, 0.5, False) is x
    assert set(td.dropout(x, 0.5, True).tolist()) == {0.0, 2.0}
    assert set(td.dropout_(x.clone(), 0.5, True).tolist()) == {0.0, 2.0}
    whole = td.feature_dropout(td.ones(40, 5, 3), 0.5, True)
    assert (whole.amax(2) == whole.amin(2)).all()
    assert set(whole.flatten().tolist()) == {0.0, 2.0}
    channels = td.feature_alpha_dropout(td.ones(40, 5, 3), 0.5, True)
    assert (channels.amax(2) == channels.amin(2)).all()
    assert channels.unique().numel() == 2


def test_rrelu_draws_slopes_between_its_bounds():
    td.manual_seed(0)
    x = td.full((1000,), -1.0, requires_grad=True)
    y = td.rrelu(x, 0.25, 0.5, True)
    y.sum().backward()
    assert 0.25 <= x.grad.min().item() < 0.27
    assert 0.48 < x.grad.max().item() <= 0.5
    assert y.tolist() == (-x.grad).tolist()
    assert td.rrelu(td.ones(3), 0.25, 0.5, True).tolist() == [1.0] * 3
