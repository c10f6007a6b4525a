"""One call made with PyTorch and with tapediff: results, gradients, gradients of gradients and errors beside each other."""

import warnings
from itertools import zip_longest

import numpy as np
import pytest

import tapediff as td


def numbers(*shapes, seed=0):
    """Distinct float64 arrays, one for each shape."""
    source = np.random.default_rng(seed)
    return [np.asarray(source.permutation(int(np.prod(shape))).reshape(shape) * 0.37 - 1.1) for shape in shapes]


def flat(result):
    return [each for part in result for each in flat(part)] if isinstance(result, tuple | list) else [result]


def is_float(value):
    return hasattr(value, "requires_grad") and value.requires_grad


def evaluate(library, call, arrays):
    """Results as arrays, then first and second gradients of a weighted sum of the results."""
    leaves = [library.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    results = flat(call(library, *leaves))
    outputs = [result for result in results if is_float(result)]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    values = [as_array(result) for result in results]
    if not outputs or not wanted:
        return values, [], []
    loss = 0
    for output in outputs:
        weights = np.cos(np.arange(output.numel(), dtype=np.float64)).reshape(tuple(output.shape))
        loss = loss + (library.tensor(weights) * output * output).sum()
    first = library.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    gradients = [None if g is None else as_array(g) for g in first]
    curved = [g for g in first if g is not None and g.requires_grad]
    if not curved:
        return values, gradients, []
    total = 0
    for g in curved:
        weights = np.sin(1 + np.arange(g.numel(), dtype=np.float64)).reshape(tuple(g.shape))
        total = total + (library.tensor(weights) * g).sum()
    second = library.autograd.grad(total, wanted, allow_unused=True)
    return values, gradients, [None if g is None else as_array(g) for g in second]


def as_array(value):
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def same(wanted, given, what):
    if wanted is None or given is None:
        found = given if wanted is None else wanted
        assert found is None or not np.any(found), f"{what}: one has no gradient, the other {found}"
        return
    assert wanted.dtype == given.dtype, f"{what}: wanted {wanted.dtype}, got {given.dtype}"
    np.testing.assert_allclose(given, wanted, rtol=1e-12, atol=1e-12, err_msg=what)


def check(call, *arrays):
    """PyTorch and tapediff agree on values, dtypes, shapes and gradients up to the second order."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, given = (evaluate(library, call, arrays) for library in (torch, td))
    for order, (a, b) in enumerate(zip(wanted, given, strict=True)):
        assert order or len(a) == len(b), f"{len(a)} and {len(b)} results"
        for position, (x, y) in enumerate(zip_longest(a, b)):  # a library may see that a second gradient is zero and give none
            same(x, y, f"order {order}, result {position}")


def graph_name(call, *arrays):
    """The name of the node behind the first result, in both libraries."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    names = []
    for library in (torch, td):
        leaves = [library.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
        names.append(flat(call(library, *leaves))[0].grad_fn.name())
    return names


def check_error(call, phrase):
    """Both raise the same type, with the phrase in both messages."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    found = []
    for library in (torch, td):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, OverflowError)) as caught:
                call(library)
        assert phrase in str(caught.value), f"{library.__name__}: {caught.value}"
        found.append(caught.type)
    assert found[0] is found[1], f"PyTorch raises {found[0].__name__}, tapediff {found[1].__name__}"


def check_finite_differences(call, *arrays, step=1e-6):
    """Gradients of a weighted sum against central differences; needs no other library."""
    leaves = [td.tensor(array, requires_grad=True) for array in arrays]

    def value(inputs):
        outputs = [output for output in flat(call(td, *inputs)) if output.dtype.is_floating_point]
        return sum(
            (output * output * td.tensor(np.cos(np.arange(output.numel())).reshape(tuple(output.shape)))).sum()
            for output in outputs
        )

    value(leaves).backward()
    for position, array in enumerate(arrays):
        slopes = np.zeros_like(array)
        for at in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = [other.copy() for other in arrays]
                moved[position][at] += sign * step
                ends.append(value([td.tensor(each) for each in moved]).item())
            slopes[at] = (ends[0] - ends[1]) / (2 * step)
        gradient = leaves[position].grad
        found = np.zeros_like(array) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(found, slopes, rtol=1e-6, atol=1e-6, err_msg=f"operand {position}")
