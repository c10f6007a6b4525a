"""Leaves from data, shapes and ranges: values, inferred dtypes, shared memory, and every error."""

import math
import warnings

import numpy as np
import pytest
from beside_torch import check, check_error

import tapediff as td


class Sequence:
    """Something with a length and elements, and no more."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index > 2:
            raise IndexError
        return index / 2


DATA = {
    "int": 3,
    "negative": -7,
    "float": 2.5,
    "bool": True,
    "nan": math.nan,
    "infinite": -math.inf,
    "zero": -0.0,
    "huge": 1e300,
    "tiny": 1e-300,
    "ints": [1, 2],
    "mixed": [1, 2.5],
    "bools": [True, False],
    "bool and int": [True, 2],
    "all three": [True, 2, 2.5],
    "tuple": ((1, 2), [3, 4]),
    "empty": [],
    "nested empty": [[], []],
    "deep": [[[1]]],
    "range": range(3),
    "sequence": Sequence(),
    "large ints": [2**62, -(2**63)],
    "int beyond int64 among floats": [2**63, 1.0],
    "float32": np.float32(2),
    "float64": np.float64(2),
    "int32": np.int32(2),
    "numpy bools": [np.bool_(True)],
    "numpy floats": [np.float32(2), np.float32(1)],
    "numpy double and int": [np.float64(2), 1],
    "array": np.arange(3),
    "array of floats": np.arange(3.0),
    "matrix": np.arange(6).reshape(2, 3),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "strided": np.arange(6.0)[::2],
    "array without dims": np.array(3.0),
    "list of arrays": [np.arange(3), np.arange(3)],
    "array of bools": np.array([True]),
    "empty array": np.zeros((0, 2)),
}


@pytest.mark.parametrize("name", DATA)
def test_tensor_infers_as_torch_does(name):
    check(lambda t: t.tensor(DATA[name]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool"])
@pytest.mark.parametrize(
    "name", ["int", "float", "bool", "mixed", "bools", "empty", "deep", "all three", "array of floats", "sequence"]
)
def test_tensor_of_a_dtype(name, dtype):
    check(lambda t: t.tensor(DATA[name], dtype=getattr(t, dtype)))


def test_tensors_inside_a_list_are_elements():
    check(
        lambda t: (
            t.tensor([t.tensor(1.0), t.tensor(2)]),
            t.tensor([[t.tensor(1, dtype=t.float64)], [t.ones(1)]]),
            t.tensor([t.tensor(1), 2]),
        )
    )


def test_python_types_name_dtypes():
    check(lambda t: (t.tensor(1, dtype=float), t.zeros(2, dtype=int), t.ones(1, dtype=bool)))


def test_tensor_copies():
    array, data = np.zeros(2), [1.0]
    of_array, of_list = td.tensor(array), td.tensor(data)
    array[0], data[0] = 5, 5
    assert of_array.tolist() == [0, 0]
    assert of_list.tolist() == [1.0]


def test_tensor_of_a_tensor_copies_and_warns():
    x = td.tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="To copy construct from a tensor, it is recommended to use sourceTensor"):
        y = td.tensor(x, dtype=td.float64)
    assert y.tolist() == [1.0, 2.0]
    assert y.is_leaf
    assert not y.requires_grad


def test_tensor_is_a_leaf_that_may_require_grad():
    x = td.tensor(2.0, requires_grad=True)
    (x * x).backward()
    assert x.is_leaf
    assert x.grad.item() == 4.0


def test_default_dtype_decides_for_floats():
    td.set_default_dtype(td.float64)
    try:
        assert td.tensor(0.1).dtype is td.float64
        assert (
            td.tensor([0.1, 1]).dtype
            is td.zeros(1).dtype
            is td.arange(0.5).dtype
            is td.full((1,), 0.5).dtype
            is td.rand(1).dtype
            is td.float64
        )
    finally:
        td.set_default_dtype(td.float32)
    assert td.tensor(0.1).dtype is td.float32


def test_from_numpy_shares_memory():
    array = np.zeros((2, 3), np.float32)
    x = td.from_numpy(array)
    array[1, 2] = 7
    assert x.tolist()[1][2] == 7
    assert np.shares_memory(x.numpy(), array)
    assert np.shares_memory(td.as_tensor(array).numpy(), array)
    assert not np.shares_memory(td.as_tensor(array, dtype=td.float64).numpy(), array)


def test_from_numpy_of_a_number_shares_memory():
    array = np.array(3.0)
    x = td.from_numpy(array)
    array[...] = 4
    assert x.item() == 4.0


def test_from_numpy_of_what_is_not_contiguous_copies():
    assert td.from_numpy(np.arange(6.0).reshape(2, 3).T).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert td.from_numpy(np.arange(3, dtype=">i4")).tolist() == [0, 1, 2]


def test_from_numpy_warns_of_memory_that_must_not_be_written():
    array = np.zeros(2)
    array.setflags(write=False)
    with pytest.warns(UserWarning, match="The given NumPy array is not writable"):
        td.from_numpy(array)


def test_as_tensor_hands_on_what_fits():
    x = td.tensor([1.0], requires_grad=True)
    assert td.as_tensor(x) is x
    assert td.as_tensor(x, dtype=td.float32) is x
    assert td.as_tensor(x, dtype=td.float64).requires_grad
    assert td.as_tensor([1, 2]).dtype is td.int64
    assert td.asarray(x) is x
    assert td.asarray([1.0], requires_grad=True).requires_grad


FACTORIES = {
    "zeros": lambda t: (
        t.zeros(2),
        t.zeros(2, 3),
        t.zeros((2, 1)),
        t.zeros([1]),
        t.zeros(()),
        t.zeros(0),
        t.zeros(size=(2,)),
        t.zeros(2, dtype=t.int64),
    ),
    "numpy sizes": lambda t: (t.zeros(np.int64(2)), t.zeros(t.tensor(2)), t.zeros(t.zeros(2, 3).shape)),
    "ones": lambda t: (t.ones(2, 2), t.ones(1, dtype=t.bool), t.ones(())),
    "full": lambda t: (
        t.full((2,), 3),
        t.full((2,), 3.5),
        t.full((), True),
        t.full((1, 2), 1, dtype=t.float64),
        t.full([2], t.tensor(3)),
        t.full((2,), -math.inf),
    ),
    "full converts": lambda t: (t.full((2,), 2.7, dtype=t.int64), t.full((2,), 2, dtype=t.bool)),
    "empty": lambda t: (t.empty(0, 3), t.empty(2, 0, dtype=t.int32)),
    "eye": lambda t: (t.eye(2), t.eye(2, 3), t.eye(3, 2, dtype=t.int64), t.eye(0)),
    "arange": lambda t: (
        t.arange(4),
        t.arange(1, 4),
        t.arange(1, 10, 3),
        t.arange(3.0),
        t.arange(0, 1, 0.25),
        t.arange(5, 0, -2),
        t.arange(0),
        t.arange(1, 2.5),
    ),
    "arange keywords": lambda t: (
        t.arange(start=1, end=3),
        t.arange(end=3),
        t.arange(1, end=7, step=2),
        t.arange(3, dtype=t.float64),
        t.arange(3.7, dtype=t.int64),
    ),
    "arange of tensors": lambda t: (t.arange(t.tensor(3)), t.arange(t.tensor(3.0)), t.arange(2**53, 2**53 + 3)),
    "linspace": lambda t: (
        t.linspace(0, 1, 5),
        t.linspace(-1, 1, 7),
        t.linspace(2, 9, 1),
        t.linspace(0, 1, 0),
        t.linspace(0, 1, steps=3, dtype=t.float64),
    ),
    "linspace of integers": lambda t: (t.linspace(0, 10, 5, dtype=t.int64), t.linspace(0, 9, 5, dtype=t.int64)),
    "logspace": lambda t: (
        t.logspace(0, 2, 3),
        t.logspace(0, 3, 4, base=2),
        t.logspace(-1, 1, 5, dtype=t.float64),
        t.logspace(0, 1, 0),
    ),
    "scalar_tensor": lambda t: (t.scalar_tensor(2), t.scalar_tensor(2.5, dtype=t.float64)),
    "like": lambda t: (
        t.zeros_like(t.arange(3)),
        t.ones_like(t.ones(2, 2), dtype=t.int64),
        t.full_like(t.arange(2), 2.5),
        t.full_like(t.zeros(2), 7),
    ),
    "new": lambda t: (
        t.arange(2).new_tensor([1.5]),
        t.ones(2).new_tensor([1, 2]),
        t.ones(2).new_zeros(2, 3),
        t.arange(2).new_ones((2,)),
        t.ones(2).new_full((2,), 3),
        t.ones(1).new_zeros(size=(2,), dtype=t.bool),
        t.ones(1).new_empty(0),
    ),
    "ignored": lambda t: t.zeros(2, device="cpu", pin_memory=False),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_factory_agrees_with_torch(name):
    check(FACTORIES[name])


@pytest.mark.parametrize(
    "make",
    [
        lambda: td.zeros(2, requires_grad=True),
        lambda: td.full((2,), 1.0, requires_grad=True),
        lambda: td.eye(2, requires_grad=True),
        lambda: td.arange(2.0, requires_grad=True),
        lambda: td.linspace(0, 1, 2, requires_grad=True),
        lambda: td.ones_like(td.zeros(2), requires_grad=True),
        lambda: td.ones(1).new_zeros(2, requires_grad=True),
        lambda: td.randn(2, requires_grad=True),
    ],
)
def test_factories_make_leaves_that_may_require_grad(make):
    x = make()
    assert x.is_leaf
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * x.detach().numpy())


def test_like_does_not_inherit_requires_grad():
    assert not td.zeros_like(td.ones(2, requires_grad=True)).requires_grad


ERRORS = {
    "ragged": (lambda t: t.tensor([[1, 2], [3]]), "expected sequence of length 2 at dim 1 (got 1)"),
    "ragged deep": (lambda t: t.tensor([[[1, 2], [3, 4]], [[1, 2], [3]]]), "expected sequence of length 2 at dim 2 (got 1)"),
    "number among lists": (lambda t: t.tensor([[1], 2]), "not a sequence"),
    "list among numbers": (lambda t: t.tensor([1, [2]]), "'list' object cannot be interpreted as an integer"),
    "text": (lambda t: t.tensor("abc"), "new(): invalid data type 'str'"),
    "texts": (lambda t: t.tensor(["a"]), "too many dimensions 'str'"),
    "text among numbers": (lambda t: t.tensor([1.0, "a"]), "new(): invalid data type 'str'"),
    "text in a list": (lambda t: t.tensor([[1, "a"]]), "new(): invalid data type 'str'"),
    "bytes": (lambda t: t.tensor(b"ab"), "new(): invalid data type 'bytes'"),
    "None": (lambda t: t.tensor(None), "Could not infer dtype of NoneType"),
    "None among numbers": (lambda t: t.tensor([1, None]), "Could not infer dtype of NoneType"),
    "dict": (lambda t: t.tensor({}), "Could not infer dtype of dict"),
    "set": (lambda t: t.tensor({1}), "Could not infer dtype of set"),
    "generator": (lambda t: t.tensor(each for each in [1]), "Could not infer dtype of generator"),
    "object": (lambda t: t.tensor(object()), "Could not infer dtype of object"),
    "overflow": (lambda t: t.tensor(2**64), "Overflow when unpacking long"),
    "overflow in a list": (lambda t: t.tensor([2**63]), "Overflow when unpacking long"),
    "overflow of int32": (lambda t: t.tensor([2**31], dtype=t.int32), "value cannot be converted to type int32 without overflow"),
    "nan as an integer": (
        lambda t: t.tensor(math.nan, dtype=t.int64),
        "value cannot be converted to type int64 without overflow",
    ),
    "array of text": (lambda t: t.tensor(np.array(["a"])), "can't convert np.ndarray of type numpy."),
    "vectors in a list": (
        lambda t: t.tensor([t.ones(2), t.ones(2)]),
        "only one element tensors can be converted to Python scalars",
    ),
    "integers that require grad": (
        lambda t: t.tensor([1], requires_grad=True),
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    "integer zeros that require grad": (
        lambda t: t.zeros(2, dtype=t.int64, requires_grad=True),
        "Only Tensors of floating point and complex dtype",
    ),
    "integer range that requires grad": (
        lambda t: t.arange(3, requires_grad=True),
        "Only Tensors of floating point and complex dtype",
    ),
    "dtype": (lambda t: t.tensor([1.0], dtype="float64"), "must be torch.dtype, not str"),
    "dtype of zeros": (lambda t: t.zeros(2, dtype="float32"), "must be torch.dtype, not str"),
    "positional dtype": (lambda t: t.tensor([1.0], t.float64), "tensor() takes 1 positional argument but 2 were given"),
    "from_numpy of a list": (lambda t: t.from_numpy([1]), "expected np.ndarray (got list)"),
    "from_numpy of reversed": (
        lambda t: t.from_numpy(np.arange(3)[::-1]),
        "At least one stride in the given numpy array is negative",
    ),
    "negative size": (lambda t: t.zeros(-1), "Dimension size must be non-negative"),
    "negative size of ones": (lambda t: t.ones(2, -1), "Trying to create tensor with negative dimension -1: [2, -1]"),
    "size of float": (lambda t: t.zeros(2.5), "zeros(): argument 'size' (position 1) must be tuple of ints, not float"),
    "size of text": (lambda t: t.zeros("a"), "zeros(): argument 'size' (position 1) must be tuple of ints, not str"),
    "size of bool": (lambda t: t.zeros(True), "zeros(): argument 'size' (position 1) must be tuple of ints, not bool"),
    "no size": (lambda t: t.zeros(), 'zeros() missing 1 required positional arguments: "size"'),
    "full size": (lambda t: t.full(2, 3.0), "full(): argument 'size' (position 1) must be tuple of ints, not int"),
    "full text": (lambda t: t.full((2,), "a"), "full(): argument 'fill_value' (position 2) must be Number, not str"),
    "full overflow": (lambda t: t.full((2,), 2**40, dtype=t.int32), "value cannot be converted to type int without overflow"),
    "full float overflow": (lambda t: t.full((2,), 1e300), "value cannot be converted to type float without overflow"),
    "eye negative": (lambda t: t.eye(-1), "n must be greater or equal to 0, got -1"),
    "eye negative columns": (lambda t: t.eye(2, -1), "m must be greater or equal to 0, got -1"),
    "eye float": (lambda t: t.eye(2.0), "eye(): argument 'n' (position 1) must be int, not float"),
    "arange sign": (lambda t: t.arange(3, 1), "upper bound and lower bound inconsistent with step sign"),
    "arange zero": (lambda t: t.arange(0, 3, 0), "step must be nonzero"),
    "arange infinite": (lambda t: t.arange(math.inf), "unsupported range: 0 -> inf"),
    "arange nothing": (lambda t: t.arange(), "arange() received an invalid combination of arguments"),
    "arange bool": (lambda t: t.arange(3, dtype=t.bool), "\"arange_cpu\" not implemented for 'Bool'"),
    "linspace negative": (lambda t: t.linspace(0, 1, -1), "number of steps must be non-negative"),
    "linspace no steps": (lambda t: t.linspace(0, 1), "linspace() received an invalid combination of arguments"),
    "linspace vector": (lambda t: t.linspace(t.ones(2), 1, 3), "linspace only supports 0-dimensional start and end tensors"),
    "logspace negative": (lambda t: t.logspace(0, 3, -4), "number of steps must be non-negative"),
    "zeros_like number": (lambda t: t.zeros_like(1.0), "zeros_like(): argument 'input' (position 1) must be Tensor, not float"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])


@pytest.mark.parametrize(
    "make",
    [
        lambda: td.tensor(1.0, device="cuda"),
        lambda: td.zeros(2, device="cuda:1"),
        lambda: td.rand(2, device="mps"),
        lambda: td.as_tensor([1], device=0),
        lambda: td.arange(2, device="meta"),
        lambda: td.Generator("cuda"),
    ],
)
def test_other_devices_are_refused(make):
    with pytest.raises(RuntimeError, match="CPU only"):
        make()


def test_a_number_is_made_without_warnings_whatever_its_size():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert td.tensor(1e300).item() == math.inf
        assert td.tensor(-1e300).item() == -math.inf
        assert td.tensor([1e300, 1e-300]).tolist() == [math.inf, 0.0]
