"""Reading and writing at indices: values, gradients of two orders, twice-named places, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td
from tapediff.functions.gather import read_index, write_index

M, V, R = numbers((3, 4), (5,), (2, 3, 4))
I = np.array([[0, 2], [2, 2], [1, 0]])  # noqa: E741
K = np.array([2, 0, 2])
S, T = numbers((3, 4), (3, 2), seed=1)  # T has the shape of the index I

CASES = {
    "gather": (lambda t, x, i: x.gather(1, i), M, I),
    "gather columns": (lambda t, x, i: t.gather(x, 0, i), M, I),
    "gather negative dim": (lambda t, x, i: x.gather(-1, i), M, I),
    "gather smaller": (lambda t, x, i: x.gather(0, i[:1]), M, I),
    "gather int32": (lambda t, x, i: x.gather(1, i.int()), M, I),
    "gather of a number": (lambda t, x: x.gather(0, t.tensor([0, 0])), np.array(1.5)),
    "gather number of a vector": (lambda t, x: x.gather(0, t.tensor(3)), V),
    "gather nothing": (lambda t, x: x.gather(1, t.zeros(3, 0, dtype=t.int64)), M),
    "gather three dims": (lambda t, x: x.gather(1, t.tensor([[[0, 2, 1, 1]], [[1, 1, 0, 2]]])), R),
    "scatter": (lambda t, x, y: x.scatter(1, t.tensor([[0, 2], [3, 0], [1, 2]]), y), M, T),
    "scatter number": (lambda t, x, i: x.scatter(1, i, 2.5), M, I),
    "scatter value": (lambda t, x, i: x.scatter(0, i, value=-1), M, I),
    "scatter to the front": (lambda t, x, y: x.scatter(0, t.tensor([[2, 1]]), y[:1]), M, T),
    "scatter add": (lambda t, x, i, y: x.scatter_add(1, i, y), M, I, T),
    "scatter add columns": (lambda t, x, i, y: t.scatter_add(x, 0, i, y), M, I, T),
    "scatter reduce sum": (lambda t, x, i, y: x.scatter_reduce(1, i, y, "sum", include_self=False), M, I, T),
    "scatter reduce mean": (lambda t, x, i, y: x.scatter_reduce(1, i, y, "mean"), M, I, T),
    "scatter reduce mean without": (lambda t, x, i, y: x.scatter_reduce(0, i, y, "mean", include_self=False), M, I, T),
    "scatter reduce amax": (lambda t, x, i, y: x.scatter_reduce(1, i, y, "amax"), M, I, T),
    "scatter reduce amin": (lambda t, x, i, y: x.scatter_reduce(0, i, y, "amin"), M, I, T),
    "scatter reduce prod": (lambda t, x, i, y: x.scatter_reduce(1, i, y, "prod"), M, I, T),
    "index_select": (lambda t, x, k: x.index_select(0, k), M, K),
    "index_select columns": (lambda t, x, k: t.index_select(x, -1, k), M, K),
    "index_select middle": (lambda t, x, k: x.index_select(1, k), R, K),
    "index_select of a number": (lambda t, x: x.index_select(0, t.tensor([0])), np.array(1.5)),
    "index_select nothing": (lambda t, x: x.index_select(0, t.tensor([], dtype=t.int64)), M),
    "index_add": (lambda t, x, k, y: x.index_add(0, k, y), M, K, S),
    "index_add alpha": (lambda t, x, k, y: x.index_add(1, k, y[:, :3], alpha=2.5), M, K, S),
    "index_copy": (lambda t, x, y: x.index_copy(0, t.tensor([2, 0]), y[:2]), M, S),
    "index_copy number": (lambda t, x: x.index_copy(0, t.tensor([1]), t.tensor(7.0, dtype=t.float64)), V),
    "index_fill": (lambda t, x: x.index_fill(1, t.tensor([0, -1]), 3), M),
    "index_fill tensor": (lambda t, x, v: x.index_fill(0, t.tensor([1, 2]), v), M, np.array(0.7)),
    "take": (lambda t, x: x.take(t.tensor([[0, 5], [5, -1]])), M),
    "put": (lambda t, x, y: x.put(t.tensor([0, 7, 2]), y[:3]), M, V),
    "put accumulate": (lambda t, x, y: x.put(t.tensor([0, 7, 7]), y[:3], accumulate=True), M, V),
    "take_along_dim": (lambda t, x: x.take_along_dim(x.argsort(1), 1), M),
    "take_along_dim broadcast": (lambda t, x: t.take_along_dim(x, t.tensor([[1, 0]]), 1), M),
    "take_along_dim flat": (lambda t, x: x.take_along_dim(t.tensor([3, 3])), M),
    "index_put": (lambda t, x, y: x.index_put((t.tensor([0, 2]),), y), M, S[0]),
    "index_put pairs": (lambda t, x, y: x.index_put((t.tensor([0, 2]), t.tensor([1, 1])), y[:2]), M, V),
    "index_put accumulate": (lambda t, x, y: x.index_put((t.tensor([0, 0]), t.tensor([1, 1])), y[:2], accumulate=True), M, V),
    "index_put mask": (lambda t, x: x.index_put((x > 0,), t.tensor(0.5, dtype=t.float64)), M),
    "integers": (lambda t, x: x.gather(0, t.tensor([1, 1])), np.array([4, 5])),
    "bools": (lambda t, x: x.index_select(0, t.tensor([1, 0])), np.array([True, False])),
    "integer scatter cuts fractions": (lambda t, x: x.scatter(0, t.tensor([0]), 2.9), np.array([4, 5])),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case[1].dtype.kind == "f" and not name.startswith("put")]
)
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize(
    "name", ["gather", "scatter", "scatter add", "index_add", "index_select middle", "take", "index_put accumulate"]
)
def test_gradient_is_the_slope(name):
    call, *arrays = CASES[name]
    floats = [array for array in arrays if array.dtype.kind == "f"]

    def of_floats(t, *tensors):
        given = iter(tensors)
        return call(t, *[next(given) if array.dtype.kind == "f" else t.tensor(array) for array in arrays])

    check_finite_differences(of_floats, *floats)


WRITES_TWICE = {
    "scatter": lambda t, x, y: x.scatter(0, t.tensor([1, 1, 0]), y),
    "index_copy": lambda t, x, y: x.index_copy(0, t.tensor([1, 1, 0]), y),
    "put": lambda t, x, y: x.put(t.tensor([1, -4, 0]), y),
    "index_put": lambda t, x, y: x.index_put((t.tensor([1, 1, 0]),), y),
}


@pytest.mark.parametrize("name", WRITES_TWICE)
def test_of_two_writes_to_one_place_the_last_stays_and_has_the_gradient(name):
    x, y = numbers((5,), (3,))
    result = WRITES_TWICE[name](td, td.tensor(x), td.tensor(y))
    np.testing.assert_array_equal(result.numpy()[:2], [y[2], y[1]])
    check_finite_differences(WRITES_TWICE[name], x, y)


@pytest.mark.parametrize(
    "write",
    [
        lambda x, i, y: x.scatter(1, i, y),
        lambda x, i, y: x.scatter_add(1, i, y),
        lambda x, i, y: x.scatter_reduce(1, i, y, "prod"),
    ],
    ids=["scatter", "scatter_add", "scatter_reduce"],
)
def test_a_source_larger_than_the_index_has_a_gradient_where_it_is_read(write):
    check_finite_differences(lambda t, x, y: write(x, t.tensor([[0, 2], [2, 1]]), y), M, S)


def test_a_value_filled_in_twice_counts_once():
    check_finite_differences(lambda t, x, v: x.index_fill(0, t.tensor([1, 1, 0]), v), V, np.array(0.3))


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("base", [[2.0, 0.0, 3.0], [2.0, 1.0, 0.0]])
def test_gradient_of_a_product_with_zeros_is_the_slope(base, include_self):
    check_finite_differences(
        lambda t, x, y: x.scatter_reduce(0, t.tensor([0, 0, 1, 2]), y, "prod", include_self=include_self),
        np.array(base),
        np.array([0.0, 1.5, 2.0, 4.0]),
    )


def test_an_extremum_without_the_base_gives_it_no_part_of_the_gradient():
    y = td.tensor([1.0], requires_grad=True)
    td.tensor([1.0]).scatter_reduce(0, td.tensor([0]), y, "amax", include_self=False).sum().backward()
    assert y.grad.tolist() == [1.0]  # PyTorch gives 0.5: it counts the base that equals the value


def test_ties_share_the_gradient_of_an_extremum():
    x, y = td.tensor([1.0], requires_grad=True), td.tensor([1.0, 1.0, 0.0], requires_grad=True)
    x.scatter_reduce(0, td.tensor([0, 0, 0]), y, "amax").sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1 / 3])
    np.testing.assert_allclose(y.grad.numpy(), [1 / 3, 1 / 3, 0])


INDEXED = {
    "adjacent dims stay in place": ((1, 2), (np.array([0, 2, 1]), np.array([3, 3, 0])), lambda x, i, j: x[:, i, j]),
    "separated dims come first": ((0, 2), (np.array([0, 1, 1]), np.array([3, 3, 0])), lambda x, i, j: x[i, :, j]),
    "one dim": ((1,), (np.array([[0, 2], [1, 1]]),), lambda x, i: x[:, i]),
    "all dims": ((0, 1, 2), (np.array([1, 0]), np.array([2, 2]), np.array([0, -1])), lambda x, i, j, k: x[i, j, k]),
    "broadcast": ((0, 1), (np.array([[0], [1]]), np.array([2, 0, 0])), lambda x, i, j: x[i, j]),
    "no index at all": ((0,), (np.zeros((0,), int),), lambda x, i: x[i]),
}


@pytest.mark.parametrize("name", INDEXED)
def test_read_index_follows_numpy(name):
    dims, indices, form = INDEXED[name]
    found = read_index(td.tensor(R), dims, [td.tensor(index) for index in indices])
    np.testing.assert_array_equal(found.numpy(), form(R, *indices))
    check_finite_differences(lambda t, x: read_index(x, dims, [t.tensor(index) for index in indices]), R)


@pytest.mark.parametrize("accumulate", [True, False])
@pytest.mark.parametrize("name", INDEXED)
def test_write_index_follows_numpy(name, accumulate):
    dims, indices, form = INDEXED[name]
    values = numbers(form(R, *indices).shape, seed=2)[0]
    wanted = R.copy()
    key = [slice(None)] * 3
    for dim, index in zip(dims, indices, strict=True):
        key[dim] = index
    if accumulate:
        np.add.at(wanted, tuple(key), values)
    else:
        wanted[tuple(key)] = values

    def write(t, x, y):
        return write_index(x, dims, [t.tensor(index) for index in indices], y, accumulate)

    np.testing.assert_array_equal(write(td, td.tensor(R), td.tensor(values)).numpy(), wanted)
    check_finite_differences(write, R, values)


ERRORS = {
    "gather out of range": (lambda t: t.ones(3).gather(0, t.tensor([5])), "index 5 is out of bounds for dimension 0 with size 3"),
    "gather negative": (lambda t: t.ones(3).gather(0, t.tensor([-1])), "index -1 is out of bounds for dimension 0 with size 3"),
    "gather dims": (
        lambda t: t.ones(2, 3).gather(0, t.tensor([0])),
        "Index tensor must have the same number of dimensions as input tensor",
    ),
    "gather size": (lambda t: t.ones(2, 3).gather(1, t.zeros(3, 1, dtype=t.int64)), "Size does not match at dimension 0"),
    "gather dtype": (lambda t: t.ones(2).gather(0, t.tensor([0.0])), "gather(): Expected dtype int32/int64 for index"),
    "gather number": (lambda t: t.ones(2).gather(0, 1), "must be Tensor, not int"),
    "gather dim": (
        lambda t: t.ones(2).gather(1, t.tensor([0])),
        "Dimension out of range (expected to be in range of [-1, 0], but got 1)",
    ),
    "scatter out of range": (
        lambda t: t.zeros(3).scatter(0, t.tensor([5]), 1.0),
        "index 5 is out of bounds for dimension 0 with size 3",
    ),
    "scatter dtypes": (
        lambda t: t.zeros(3).scatter(0, t.tensor([1]), t.ones(1, dtype=t.float64)),
        "Expected self.dtype to be equal to src.dtype",
    ),
    "scatter sizes": (
        lambda t: t.zeros(2, 3).scatter(1, t.zeros(2, 2, dtype=t.int64), t.ones(2, 1)),
        "to be no larger size than src [2, 1]",
    ),
    "scatter index too large": (
        lambda t: t.zeros(2, 3).scatter(1, t.zeros(3, 1, dtype=t.int64), t.ones(3, 1)),
        "no larger than self [2, 3]",
    ),
    "scatter dims of index": (
        lambda t: t.zeros(2, 3).scatter(1, t.tensor([0]), t.ones(1)),
        "same number of dimensions as self tensor",
    ),
    "scatter dims of src": (
        lambda t: t.zeros(2, 3).scatter(1, t.tensor([[0]]), t.tensor(1.0)),
        "same number of dimensions as src tensor",
    ),
    "scatter nothing": (lambda t: t.zeros(2, 3).scatter(1, t.tensor([[0]])), "invalid combination of arguments"),
    "scatter reduce word": (
        lambda t: t.zeros(2).scatter(0, t.tensor([0]), 1.0, reduce="max"),
        "reduce argument must be either add or multiply",
    ),
    "scatter_add dtypes": (
        lambda t: t.zeros(3).scatter_add(0, t.tensor([1]), t.ones(1, dtype=t.float64)),
        "to be equal to src.dtype",
    ),
    "scatter_reduce word": (
        lambda t: t.zeros(2).scatter_reduce(0, t.tensor([0]), t.ones(1), "median"),
        "sum, prod, mean, amax or amin, got median",
    ),
    "index_select out of range": (lambda t: t.ones(3).index_select(0, t.tensor([3])), "index out of range in self"),
    "index_select matrix out of range": (lambda t: t.ones(2, 3).index_select(1, t.tensor([3])), "id=3 axis_dim=3"),
    "index_select dtype": (
        lambda t: t.ones(3).index_select(0, t.tensor([1.0])),
        "index_select(): Expected dtype int32 or int64 for index",
    ),
    "index_select matrix": (
        lambda t: t.ones(3).index_select(0, t.tensor([[1]])),
        "index_select(): Index is supposed to be a vector",
    ),
    "index_select two of a number": (
        lambda t: t.tensor(1.0).index_select(0, t.tensor([0, 0])),
        "Index to scalar can have only 1 value",
    ),
    "index_add out of range": (lambda t: t.zeros(3).index_add(0, t.tensor([5]), t.ones(1)), "index out of range in self"),
    "index_add matrix out of range": (
        lambda t: t.zeros(3, 2).index_add(0, t.tensor([5]), t.ones(1, 2)),
        "index 5 is out of bounds for dimension 0",
    ),
    "index_add count": (
        lambda t: t.zeros(3).index_add(0, t.tensor([0, 1]), t.ones(3)),
        "Number of indices (2) should be equal to source.size(dim): (3)",
    ),
    "index_add shapes": (
        lambda t: t.zeros(2, 3).index_add(0, t.tensor([0]), t.ones(1, 2)),
        "source tensor shape must match self tensor shape",
    ),
    "index_add dtypes": (
        lambda t: t.zeros(3).index_add(0, t.tensor([0]), t.ones(1, dtype=t.float64)),
        "self (Float) and source (Double)",
    ),
    "index_add matrix": (lambda t: t.zeros(3).index_add(0, t.tensor([[0]]), t.ones(1)), "Index is supposed to be a vector"),
    "index_add float index": (
        lambda t: t.zeros(3).index_add(0, t.tensor([0.0]), t.ones(1)),
        "Expected dtype int32/int64 for index but got: Float",
    ),
    "index_copy out of range": (
        lambda t: t.zeros(3).index_copy(0, t.tensor([3]), t.ones(1)),
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    "index_copy count": (
        lambda t: t.zeros(3).index_copy(0, t.tensor([0]), t.ones(2)),
        "Number of indices (1) should be equal to source.size(dim) (2)",
    ),
    "index_copy shapes": (lambda t: t.zeros(2, 3).index_copy(0, t.tensor([0]), t.ones(1, 2)), "must have same slice shapes"),
    "index_copy dtypes": (
        lambda t: t.zeros(3).index_copy(0, t.tensor([0]), t.ones(1, dtype=t.float64)),
        "expected to have the same dtype",
    ),
    "index_copy dims": (lambda t: t.zeros(2, 3).index_copy(0, t.tensor([0]), t.ones(1)), "their dimensionality must match"),
    "index_copy index dtype": (
        lambda t: t.zeros(3).index_copy(0, t.tensor([0.0]), t.ones(1)),
        "Expected a long tensor for index, but got Float",
    ),
    "index_fill out of range": (
        lambda t: t.zeros(3).index_fill(0, t.tensor([3]), 1.0),
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    "index_fill dtype": (lambda t: t.zeros(3).index_fill(0, t.tensor([0.0]), 1.0), "Expected dtype int64 for index"),
    "index_fill vector": (
        lambda t: t.zeros(3).index_fill(0, t.tensor([0]), t.ones(1)),
        "only supports a 0-dimensional value tensor",
    ),
    "take out of range": (lambda t: t.ones(3).take(t.tensor([3])), "tried to access index 3 on a tensor of 3 elements"),
    "take of nothing": (lambda t: t.ones(0).take(t.tensor([0])), "tried to take from an empty tensor"),
    "take dtype": (lambda t: t.ones(3).take(t.tensor([0.0])), "take(): Expected a long tensor for index, but got Float"),
    "put sizes": (
        lambda t: t.ones(3).put(t.tensor([0]), t.ones(2)),
        "Expected source and index to have the same number of elements",
    ),
    "take_along_dim dims": (
        lambda t: t.ones(2, 3).take_along_dim(t.tensor([0]), 0),
        "input and indices should have the same number of dimensions",
    ),
    "take_along_dim dtype": (
        lambda t: t.ones(3).take_along_dim(t.tensor([0.0]), 0),
        "dtype of indices should be Long but got Float",
    ),
    "index_put out of range": (
        lambda t: t.zeros(3).index_put((t.tensor([3]),), t.tensor(1.0)),
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    "index_put shape": (
        lambda t: t.zeros(3).index_put((t.tensor([0, 1]),), t.ones(3)),
        "value tensor of shape [3] cannot be broadcast",
    ),
    "index_put dtypes": (
        lambda t: t.zeros(3).index_put((t.tensor([0]),), t.ones(1, dtype=t.float64)),
        "requires the source and destination dtypes match",
    ),
    "index_put too many": (
        lambda t: t.zeros(3).index_put((t.tensor([0]), t.tensor([0])), t.ones(1)),
        "too many indices for tensor of dimension 1",
    ),
    "index_put floats": (
        lambda t: t.zeros(3).index_put((t.ones(1),), t.ones(1)),
        "tensors used as indices must be long, int, byte or bool tensors",
    ),
    "index_put shapes of indices": (
        lambda t: t.zeros(3, 3).index_put((t.tensor([0, 1]), t.tensor([0, 1, 2])), t.ones(1)),
        "indexing tensors could not be broadcast together with shapes [2], [3]",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])
