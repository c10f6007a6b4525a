"""Reductions, scans, extrema, norms, softmax against PyTorch: values, dtypes, names, gradients, special values, errors."""

import pickle
import warnings
from math import inf, nan

import numpy as np
import pytest

import tapediff as td
from tapediff.functions.norms import vector_norm
from tapediff.functions.return_types import ReturnType
from tapediff.tape.kinds import KINDS

torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")

REALS = np.array([[1.0, -2.0, 3.0, 0.5], [4.0, 0.25, -6.0, 3.5], [2.0, 2.5, 1.25, -1.0]])
CUBE = np.arange(24.0).reshape(2, 3, 4) * 7 % 24 / 5 - 2.3
SPICY = [
    np.array([3.0, 1.0, 3.0, 0.0]),
    np.array([3.0, nan, 1.0, nan]),
    np.array([0.0, 0.0, 2.0, 3.0]),
    np.array([inf, 1.0, 2.0]),
    np.array([-inf, 1.0, 2.0]),
    np.array([-0.0, 0.0]),
    np.array([1e300, 1e300]),
    np.array([5.0]),
    np.array(5.0),
    np.array(nan),
    np.zeros((0, 3)),
    np.zeros(0),
]
norm_of = {td: vector_norm, torch: torch.linalg.vector_norm}

FORMS = {
    "sum": lambda t, x: t.sum(x),
    "sum dim": lambda t, x: x.sum(1),
    "sum None": lambda t, x: x.sum(dim=None),
    "sum ()": lambda t, x: x.sum(()),
    "sum list": lambda t, x: x.sum([-1, 0], keepdim=True),
    "sum axis": lambda t, x: x.sum(axis=0, keepdims=True),
    "sum double": lambda t, x: x.sum(dtype=t.float64),
    "sum long": lambda t, x: x.detach().sum(0, dtype=t.int64),
    "mean": lambda t, x: t.mean(x),
    "mean dim": lambda t, x: x.mean(-1, True),
    "mean ()": lambda t, x: x.mean(dim=()),
    "mean double": lambda t, x: x.mean(0, dtype=t.float64),
    "nansum": lambda t, x: x.nansum(),
    "nansum dim": lambda t, x: t.nansum(x, 1),
    "nanmean": lambda t, x: x.nanmean(),
    "nanmean dim": lambda t, x: x.nanmean(0, keepdim=True),
    "prod": lambda t, x: x.prod(),
    "prod dim": lambda t, x: x.prod(0, keepdim=True),
    "prod double": lambda t, x: x.prod(dtype=t.float64),
    "var": lambda t, x: x.var(),
    "var dim": lambda t, x: t.var(x, 1),
    "var biased": lambda t, x: x.var(False),
    "var dims": lambda t, x: x.var((0, 1), False, True),
    "var correction": lambda t, x: x.var(0, correction=0.5),
    "var correction None": lambda t, x: x.var(correction=None),
    "std": lambda t, x: x.std(),
    "std dim": lambda t, x: x.std(dim=0, correction=2, keepdim=True),
    "std biased": lambda t, x: x.std(unbiased=False),
    "var_mean": lambda t, x: t.var_mean(x),
    "std_mean": lambda t, x: t.std_mean(x, 1, correction=0),
    "amax": lambda t, x: x.amax(),
    "amax dims": lambda t, x: t.amax(x, (0, 1), True),
    "amin": lambda t, x: x.amin(-1),
    "max": lambda t, x: x.max(),
    "min": lambda t, x: t.min(x),
    "max dim": lambda t, x: x.max(1),
    "min dim": lambda t, x: x.min(dim=0, keepdim=True),
    "max other": lambda t, x: t.max(x, x - 1),
    "min other": lambda t, x: x.min(other=t.tensor(0.5, dtype=x.dtype)),
    "argmax": lambda t, x: x.argmax(),
    "argmin": lambda t, x: x.argmin(1, True),
    "argmax keepdim": lambda t, x: t.argmax(x, None, True),
    "aminmax": lambda t, x: x.aminmax(),
    "aminmax dim": lambda t, x: t.aminmax(x, dim=1, keepdim=True),
    "median": lambda t, x: x.median(),
    "median dim": lambda t, x: x.median(1, keepdim=True),
    "nanmedian": lambda t, x: x.nanmedian(),
    "nanmedian dim": lambda t, x: x.nanmedian(0),
    "mode": lambda t, x: t.mode(x),
    "mode dim": lambda t, x: x.mode(0, True),
    "quantile": lambda t, x: x.quantile(0.3),
    "quantile dim": lambda t, x: x.quantile(0.4, 1, keepdim=True),
    "quantiles": lambda t, x: t.quantile(x, t.tensor([0.1, 0.75], dtype=x.dtype), 1),
    "quantiles keepdim": lambda t, x: t.quantile(x, t.tensor([0.1, 0.75], dtype=x.dtype), keepdim=True),
    "quantile lower": lambda t, x: x.quantile(0.3, interpolation="lower"),
    "quantile higher": lambda t, x: x.quantile(0.3, interpolation="higher"),
    "quantile nearest": lambda t, x: x.quantile(0.3, interpolation="nearest"),
    "quantile midpoint": lambda t, x: x.quantile(0.3, 0, interpolation="midpoint"),
    "logsumexp": lambda t, x: x.logsumexp(0),
    "logsumexp dims": lambda t, x: t.logsumexp(x, (0, 1), True),
    "norm": lambda t, x: x.norm(),
    "norm 1": lambda t, x: x.norm(1),
    "norm inf": lambda t, x: t.norm(x, inf),
    "norm -inf": lambda t, x: x.norm(-inf, 1),
    "norm 3": lambda t, x: x.norm(3, 1),
    "norm fro": lambda t, x: x.norm("fro", dim=(0, 1)),
    "norm 0.5": lambda t, x: x.norm(0.5),
    "norm 0": lambda t, x: x.detach().norm(0) if t is torch else x.norm(0),
    "norm double": lambda t, x: x.norm(dtype=t.float64),
    "vector_norm": lambda t, x: norm_of[t](x, 2.5, -1, True),
    "dist": lambda t, x: t.dist(x, x * 0.5 + 1, 3),
    "any": lambda t, x: x.any(),
    "any dims": lambda t, x: x.any((0, 1), True),
    "any ()": lambda t, x: x.any(()),
    "all": lambda t, x: x.all(dim=1),
    "count_nonzero": lambda t, x: x.count_nonzero(),
    "count_nonzero dim": lambda t, x: t.count_nonzero(x, dim=(0,)),
    "trace": lambda t, x: t.trace(x),
    "cumsum": lambda t, x: x.cumsum(1),
    "cumsum double": lambda t, x: x.cumsum(0, dtype=t.float64),
    "cumprod": lambda t, x: t.cumprod(x, -1),
    "cummax": lambda t, x: x.cummax(1),
    "cummin": lambda t, x: t.cummin(x, dim=0),
    "logcumsumexp": lambda t, x: x.logcumsumexp(1),
    "softmax": lambda t, x: x.softmax(-1),
    "softmax double": lambda t, x: t.softmax(x, 0, t.float64),
    "log_softmax": lambda t, x: x.log_softmax(dim=1),
}
# forms that PyTorch composes of other ops than tapediff, so that their last node has another name
COMPOSED = {name for name in FORMS if name.startswith("quantile")}
ALONG_0 = {
    "sum": lambda t, x: x.sum(0),
    "mean": lambda t, x: x.mean(0),
    "nansum": lambda t, x: x.nansum(0),
    "prod": lambda t, x: x.prod(0),
    "prod all": lambda t, x: x.prod(),
    "amax": lambda t, x: x.amax(0),
    "amin": lambda t, x: x.amin(),
    "max": lambda t, x: x.max(),
    "max dim": lambda t, x: x.max(0),
    "min dim": lambda t, x: x.min(0),
    "argmax": lambda t, x: x.argmax(),
    "argmin": lambda t, x: x.argmin(0),
    "aminmax": lambda t, x: x.aminmax(dim=0),
    "median": lambda t, x: x.median(),
    "median dim": lambda t, x: x.median(0),
    "nanmedian": lambda t, x: x.nanmedian(),
    "nanmedian dim": lambda t, x: x.nanmedian(0),
    "mode": lambda t, x: x.mode(0),
    "quantile": lambda t, x: x.quantile(0.4),
    "logsumexp": lambda t, x: x.logsumexp(0),
    "norm": lambda t, x: x.norm(),
    "norm inf": lambda t, x: x.norm(inf),
    "norm 1": lambda t, x: x.norm(1),
    "norm 3": lambda t, x: x.norm(3, 0),
    "cumsum": lambda t, x: x.cumsum(0),
    "cumprod": lambda t, x: x.cumprod(0),
    "cummax": lambda t, x: x.cummax(0),
    "cummin": lambda t, x: x.cummin(0),
    "logcumsumexp": lambda t, x: x.logcumsumexp(0),
    "softmax": lambda t, x: x.softmax(0),
    "log_softmax": lambda t, x: x.log_softmax(0),
    "std": lambda t, x: x.std(0, correction=0),
    "var": lambda t, x: x.var(correction=0),
    "any": lambda t, x: x.any(0),
    "all": lambda t, x: x.all(),
}
DTYPES = ("float32", "float64")


def flat(result):
    return list(result) if isinstance(result, tuple) else [result]


def run(t, form, x, dtype="float64"):
    """The results as arrays, the names of their nodes, and the gradient of their weighted sum."""
    leaf = t.tensor(x.tolist() if x.size else x, dtype=getattr(t, dtype), requires_grad=True)
    results = flat(form(t, leaf))
    names = [graph_name(y) for y in results if y.requires_grad]
    loss = 0.0
    for y in results:
        if y.requires_grad:
            weights = 1.0 + np.arange(float(np.prod(y.shape))).reshape(tuple(y.shape))
            loss = loss + (y * t.tensor(weights, dtype=y.dtype)).sum()
    if names:
        loss.backward()
    arrays = [y.detach().numpy() if t is torch else y.numpy(force=True) for y in results]
    gradient = leaf.grad.numpy() if names and leaf.grad is not None else None
    return arrays, names, gradient


def graph_name(y):
    return y.grad_fn.name() if hasattr(y, "grad_fn") else KINDS.kinds[y.segment.recorded[y.slot - 3]].row.grad_fn


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FORMS)
def test_forms_agree(name, dtype):
    (found, names, gradient), (expected, wanted_names, wanted) = (
        run(td, FORMS[name], REALS, dtype),
        run(torch, FORMS[name], REALS, dtype),
    )
    rtol = 1e-12 if dtype == "float64" else 4e-6
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)
    if name != "norm 0":
        assert name in COMPOSED or names == wanted_names
        assert (gradient is None) == (wanted is None)
    if wanted is not None:
        np.testing.assert_allclose(gradient, wanted, rtol=10 * rtol, atol=rtol)


@pytest.mark.parametrize("dim", [0, 1, 2, -2])
@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "mean",
        "prod",
        "var",
        "std",
        "amax",
        "amin",
        "max",
        "min",
        "median",
        "logsumexp",
        "cumsum",
        "cumprod",
        "cummax",
        "logcumsumexp",
        "softmax",
        "log_softmax",
        "argmax",
        "mode",
        "nansum",
        "any",
    ],
)
def test_every_dim_agrees(name, dim):
    def form(t, x):
        return getattr(x, name)(dim)

    (found, _, gradient), (expected, _, wanted) = run(td, form, CUBE), run(torch, form, CUBE)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)
    if wanted is not None:
        np.testing.assert_allclose(gradient, wanted, rtol=1e-11, atol=1e-12)


# a product whose other factors are finite has a finite slope; a norm of 1e300s is no infinity; a log-sum with an inf has a limit
BETTER_VALUES = {("norm", 6), ("norm 3", 6)}
BETTER_SLOPES = {
    ("logcumsumexp", 3),
    ("logcumsumexp", 4),
    *((name, place) for name in ("prod", "prod all", "cumprod") for place in (3, 4, 6)),
}
# the slope of what is nan, or of a difference that rounding has swallowed
UNDEFINED_SLOPES = {("quantile", 1), ("norm 1", 1), ("norm 1", 9), ("norm inf", 1), ("norm inf", 9), ("logcumsumexp", 6)}


@pytest.mark.parametrize("place", range(len(SPICY)))
@pytest.mark.parametrize("name", ALONG_0)
def test_special_values_agree(name, place):
    x = SPICY[place]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected, _, wanted = run(torch, ALONG_0[name], x)
        except (RuntimeError, IndexError) as error:
            with pytest.raises(type(error)):
                run(td, ALONG_0[name], x)
            return
        found, _, gradient = run(td, ALONG_0[name], x)
    if (name, place) in BETTER_VALUES:
        assert np.isfinite(found[0])
        return
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-15)
    if wanted is not None and (name, place) not in BETTER_SLOPES | UNDEFINED_SLOPES:
        np.testing.assert_allclose(gradient, wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool"])
@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "prod",
        "max",
        "min",
        "amax",
        "amin",
        "argmax",
        "median",
        "any",
        "all",
        "count_nonzero",
        "nansum",
        "aminmax",
        "mean",
        "var",
        "std",
        "norm",
        "trace",
    ],
)
def test_integers_and_bools_agree(name, dtype):
    x = np.array([[3, 1, 0], [2, 2, 1]])
    outcomes = []
    for t in (td, torch):
        try:
            outcomes.append([(y.tolist(), str(y.dtype)) for y in flat(getattr(t.tensor(x, dtype=getattr(t, dtype)), name)())])
        except (RuntimeError, NotImplementedError) as error:
            outcomes.append((type(error), str(error)[:20]))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool"])
@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "prod",
        "cumsum",
        "cumprod",
        "cummax",
        "cummin",
        "max",
        "min",
        "median",
        "mode",
        "argmin",
        "logsumexp",
        "softmax",
        "log_softmax",
        "logcumsumexp",
        "any",
        "count_nonzero",
    ],
)
def test_integers_and_bools_agree_along_a_dim(name, dtype):
    x = np.array([[3, 1, 0], [2, 2, 1]])
    outcomes = []
    for t in (td, torch):
        try:
            found = flat(getattr(t.tensor(x, dtype=getattr(t, dtype)), name)(1))
            outcomes.append([(np.round(y.numpy().astype(float), 5).tolist(), str(y.dtype)) for y in found])
        except (RuntimeError, NotImplementedError) as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


EMPTY, INTEGERS = np.zeros((0, 3)), np.array([[1, 2], [3, 4]])
ERRORS = {
    "max(): Expected reduction dim to be specified for input.numel() == 0": lambda t, e, x, i: e.max(),
    "max(): Expected reduction dim 0 to have non-zero size": lambda t, e, x, i: e.max(0),
    "amin(): Expected reduction dim to be specified": lambda t, e, x, i: e.amin(),
    "amax(): Expected reduction dim 0 to have non-zero size": lambda t, e, x, i: e.amax((0, 1)),
    "argmax(): Expected reduction dim to be specified for input.numel() == 0.": lambda t, e, x, i: e.argmax(),
    "argmin(): Expected reduction dim 0 to have non-zero size": lambda t, e, x, i: e.argmin(0),
    "aminmax(): cannot compute aminmax over an empty dimension": lambda t, e, x, i: e.aminmax(),
    "median(): Expected reduction dim 0": lambda t, e, x, i: e.median(0),
    "mode(): Expected reduction dim 0": lambda t, e, x, i: e.mode(0),
    "cannot compute the inf norm on an empty tensor": lambda t, e, x, i: e.norm(inf),
    "quantile() input tensor must be non-empty": lambda t, e, x, i: e.quantile(0.5),
    "quantile() q must be in the range [0, 1] but got 1.5": lambda t, e, x, i: x.quantile(1.5),
    "quantile() q tensor must be same dtype": lambda t, e, x, i: x.quantile(t.tensor(0.5, dtype=t.float32)),
    "quantile() interpolation must be one of": lambda t, e, x, i: x.quantile(0.5, interpolation="cubic"),
    "Dimension out of range (expected to be in range of [-2, 1], but got 2)": lambda t, e, x, i: x.sum(2),
    "(expected to be in range of [-2, 1], but got -3)": lambda t, e, x, i: x.max(-3),
    "dim 0 appears multiple times in the list of dims": lambda t, e, x, i: x.sum((0, -2)),
    "prod() received an invalid combination of arguments": lambda t, e, x, i: x.prod((0, 1)),
    "sum() received an invalid combination of arguments - got (float)": lambda t, e, x, i: x.sum(1.0),
    "sum() received an invalid combination of arguments - got (bool)": lambda t, e, x, i: x.sum(True),
    "max() received an invalid combination of arguments": lambda t, e, x, i: t.max(x, 3.0),
    "max() received an invalid combination of arguments - got (tuple)": lambda t, e, x, i: x.max((0, 1)),
    "min() received an invalid combination of arguments": lambda t, e, x, i: x.min(keepdim=True),
    "must be int, not tuple": lambda t, e, x, i: x.argmax((0, 1)),
    "missing 1 required positional argument": lambda t, e, x, i: x.softmax(),
    "sum(): argument 'input' (position 1) must be Tensor, not int": lambda t, e, x, i: t.sum(3),
    "must be Tensor, not list": lambda t, e, x, i: t.softmax([1.0], 0),
    "Input dtype must be either a floating point or complex dtype. Got: Long": lambda t, e, x, i: i.mean(),
    "Optional dtype must be either a floating point or complex dtype. Got: Long": lambda t, e, x, i: x.mean(dtype=t.int64),
    "std and var only support floating point and complex dtypes": lambda t, e, x, i: i.std(),
    "var() received an invalid combination of arguments": lambda t, e, x, i: x.var(0, correction=1, unbiased=True),
    "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long": lambda t, e, x, i: i.norm(),
    "(Double) should be convertible without narrowing to the specified dtype (Float)": lambda t, e, x, i: x.norm(dtype=t.float32),
    "Order abc not supported": lambda t, e, x, i: x.norm("abc"),
    "trace: expected a matrix, but got tensor with dim 1": lambda t, e, x, i: x.sum(0).trace(),
    "argmax(): does not support bool input": lambda t, e, x, i: x.any(0).argmax(),
    "softmax_kernel_impl\" not implemented for 'Long'": lambda t, e, x, i: i.softmax(0),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors_have_pytorchs_type_and_phrase(phrase):
    operands = {
        t: [t.tensor(EMPTY, dtype=t.float64), t.tensor(REALS, dtype=t.float64), t.tensor(INTEGERS, dtype=t.int64)]
        for t in (td, torch)
    }
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        ERRORS[phrase](torch, *operands[torch])
    with pytest.raises(Exception) as mine:  # noqa: PT011
        ERRORS[phrase](td, *operands[td])
    assert phrase in str(theirs.value)
    assert phrase in str(mine.value)
    assert mine.type is theirs.type


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_too_few_degrees_of_freedom_warn_and_give_nan(name):
    with pytest.warns(UserWarning, match=rf"{name}\(\): degrees of freedom is <= 0. Correction should be strictly less than"):
        found = flat(getattr(td, name)(td.tensor([5.0])))
    assert np.isnan(found[0].item())


def test_pairs_print_as_pytorchs():
    for form in (
        lambda t: t.tensor([[1.0, 5.0], [4.0, 3.0]]).max(1),
        lambda t: t.tensor([3.0, 1.0]).aminmax(),
        lambda t: t.tensor([1.0, 2.0]).cummin(0),
    ):
        assert repr(form(td)) == repr(form(torch))


def test_pairs_have_names_positions_and_pickle():
    pair = td.tensor([[1.0, 5.0], [4.0, 3.0]]).max(0)
    values, indices = pair
    assert values is pair.values is pair[0]
    assert indices is pair.indices
    assert isinstance(pair, tuple)
    assert not hasattr(pair, "_fields")
    assert type(pair).__name__ == "max"
    copied = pickle.loads(pickle.dumps(type(pair)((1, 2))))
    assert copied == (1, 2)
    assert type(copied) is type(pair)
    with pytest.raises(TypeError, match="2-sequence"):
        type(pair)((1,))
    assert issubclass(type(pair), ReturnType)


def test_the_gradient_of_a_quantile_reaches_q():
    q, x = td.tensor([0.25, 0.6], requires_grad=True), td.tensor([0.0, 1.0, 3.0, 7.0])
    x.quantile(q).sum().backward()
    # by hand: ranks 0.75 and 1.8 lie between elements 0, 1 and 1, 3; dq is (n - 1) times the distance
    np.testing.assert_allclose(q.grad.tolist(), [3.0, 6.0])


SMOOTH = [name for name in FORMS if not name.startswith(("arg", "any", "all", "count", "norm 0", "sum long"))]


def second_derivatives(t, form, x):
    leaf = t.tensor(x.tolist(), dtype=t.float64, requires_grad=True)
    loss = 0.0
    for y in flat(form(t, leaf)):
        if y.requires_grad:
            loss = loss + (y * y * y).sum()
    (gradient,) = t.autograd.grad(loss, leaf, create_graph=True)
    weights = 1.0 + np.arange(float(x.size)).reshape(x.shape)
    (second,) = t.autograd.grad((gradient * t.tensor(weights, dtype=t.float64)).sum(), leaf)
    return second.numpy()


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_agree(name):
    expected = second_derivatives(torch, FORMS[name], REALS)
    np.testing.assert_allclose(second_derivatives(td, FORMS[name], REALS), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["prod", "prod dim", "cumprod"])
def test_second_derivatives_of_products_with_zeros_agree(name):
    x = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.5, 2.0, 4.0]])
    expected = second_derivatives(torch, FORMS[name], x)
    np.testing.assert_allclose(second_derivatives(td, FORMS[name], x), expected, rtol=1e-12, atol=1e-12)
