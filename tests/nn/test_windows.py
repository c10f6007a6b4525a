"""Convolutions, pooling, unfold and fold: PyTorch's values, both orders of derivative, names and errors."""

import itertools

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td
from tapediff.nn import functional as F


def small(*shapes):
    """Distinct numbers between -1 and 1: sums of their products stay near 1, too."""
    return [array / np.abs(array).max(initial=1) for array in numbers(*shapes)]


def use(name, *shapes, **options):
    """A call of a function of nn.functional on tensors of these shapes."""
    return (lambda library, *tensors: getattr(library.nn.functional, name)(*tensors, **options)), small(*shapes)


SETTINGS = itertools.product((1, (2, 1)), (0, (1, 0)), (1, 2), (1, 2))
CASES = {
    **{f"{name} stride={stride} padding={padding} dilation={dilation} groups={groups}":
       use(name, (2, 4, 6, 5), shape, (6,), stride=stride, padding=padding, dilation=dilation, groups=groups)
       for stride, padding, dilation, groups in SETTINGS
       for name, shape in (("conv2d", (6, 4 // groups, 3, 2)), ("conv_transpose2d", (4, 6 // groups, 3, 2)))},
    "conv1d same": use("conv1d", (2, 3, 6), (4, 3, 3), padding="same"),
    "conv1d valid": use("conv1d", (2, 3, 6), (4, 3, 2), padding="valid"),
    "conv1d without a batch": use("conv1d", (3, 6), (4, 3, 2), (4,), stride=2),
    "conv2d of no samples": use("conv2d", (0, 4, 5, 5), (8, 4, 3, 3)),
    "conv2d channel by channel": use("conv2d", (2, 4, 5, 5), (8, 1, 3, 3), groups=4, padding=1),
    "conv2d of points": use("conv2d", (2, 3, 4, 4), (5, 3, 1, 1), stride=3),
    "conv3d": use("conv3d", (2, 2, 3, 4, 3), (2, 2, 2, 2, 3), padding=1, stride=2),
    "conv_transpose1d": use("conv_transpose1d", (2, 2), (2, 3, 2), (3,), stride=3, output_padding=2),
    "conv_transpose3d": use("conv_transpose3d", (2, 2, 3, 2, 3), (2, 2, 2, 2, 3), padding=1, stride=2, output_padding=1),
    "max_pool1d": use("max_pool1d", (2, 3, 7), kernel_size=3, stride=2, padding=1, return_indices=True),
    "max_pool1d without a batch": use("max_pool1d", (3, 7), kernel_size=3),
    "max_pool2d": use("max_pool2d", (2, 3, 7, 6), kernel_size=2),
    "max_pool2d overlapping": use("max_pool2d", (2, 3, 7, 6), kernel_size=3, stride=1, return_indices=True),
    "max_pool2d padded": use("max_pool2d", (2, 3, 7, 6), kernel_size=3, stride=2, padding=1),
    "max_pool2d dilated": use("max_pool2d", (3, 7, 6), kernel_size=(2, 3), stride=(1, 2), padding=(1, 0), dilation=(2, 1)),
    "max_pool2d beyond the end": use("max_pool2d", (2, 3, 7, 6), kernel_size=2, stride=2, padding=1, ceil_mode=True),
    "max_pool3d": use("max_pool3d", (2, 3, 3, 4, 4), kernel_size=2, padding=1),
    "avg_pool1d": use("avg_pool1d", (2, 3, 7), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    "avg_pool2d": use("avg_pool2d", (2, 3, 7, 6), kernel_size=2),
    "avg_pool2d padded": use("avg_pool2d", (2, 3, 7, 6), kernel_size=3, stride=2, padding=1),
    "avg_pool2d beyond the end": use("avg_pool2d", (2, 3, 7, 6), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    "avg_pool2d without padding": use("avg_pool2d", (2, 3, 7, 6), kernel_size=3, stride=2, padding=1, ceil_mode=True,
                                      count_include_pad=False),
    "avg_pool2d divided": use("avg_pool2d", (3, 7, 6), kernel_size=(2, 3), stride=(1, 2), divisor_override=5),
    "avg_pool3d": use("avg_pool3d", (2, 3, 3, 4, 4), kernel_size=2, padding=1),
    **{f"{name} {size}": use(name, (2, 3, 7, 5), output_size=size)
       for name in ("adaptive_avg_pool2d", "adaptive_max_pool2d") for size in (1, 3, (None, 2), (5, 1), (7, 9))},
    "adaptive_avg_pool1d": use("adaptive_avg_pool1d", (2, 3, 7), output_size=3),
    "adaptive_max_pool1d": use("adaptive_max_pool1d", (3, 7), output_size=3, return_indices=True),
    "unfold": use("unfold", (2, 3, 7, 6), kernel_size=(2, 3), dilation=2, padding=1, stride=(1, 2)),
    "unfold without a batch": use("unfold", (3, 4, 4), kernel_size=2),
    "fold": use("fold", (2, 12, 9), output_size=(5, 4), kernel_size=2, padding=1, stride=2),
    "fold without a batch": use("fold", (12, 6), output_size=(3, 4), kernel_size=2),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_both_orders_of_derivative_are_pytorchs(name):
    call, arrays = CASES[name]
    check(call, *arrays)


@pytest.mark.parametrize("name", [name for name in CASES if "no samples" not in name and "=" not in name])
def test_nodes_have_pytorchs_names(name):
    call, arrays = CASES[name]
    wanted, given = graph_name(call, *arrays)
    assert given == wanted


@pytest.mark.parametrize("name", ["conv2d stride=(2, 1) padding=(1, 0) dilation=2 groups=2", "conv_transpose1d", "unfold", "fold",
                                  "max_pool2d padded", "avg_pool2d without padding", "adaptive_avg_pool2d 3"])
def test_gradients_are_finite_differences(name):
    call, arrays = CASES[name]
    check_finite_differences(call, *arrays)


def test_a_convolution_by_hand():
    x = td.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]], requires_grad=True)
    w = td.tensor([[[[1.0, 0.0], [0.0, -1.0]]]], requires_grad=True)
    y = F.conv2d(x, w, td.tensor([10.0]))
    assert y.tolist() == [[[6, 6], [6, 6]]]
    y.sum().backward()
    assert w.grad.tolist() == [[[[12, 16], [24, 28]]]]
    assert x.grad.tolist() == [[[1, 1, 0], [1, 0, -1], [0, -1, -1]]]


def test_integers_are_convolved():
    x = td.arange(6).reshape(1, 1, 6)
    assert F.conv1d(x, td.tensor([[[1, 2]]])).tolist() == [[[2, 5, 8, 11, 14]]]
    assert F.max_pool1d(x, 4).tolist() == [[[3]]]


def test_many_blocks_of_samples_are_one_convolution():
    x, w = (td.randn(*shape, dtype=td.float64, requires_grad=True) for shape in ((40, 8, 16, 16), (4, 8, 3, 3)))
    y = F.conv2d(x, w, padding=1)
    (y * y).sum().backward()
    whole = x.grad.clone(), w.grad.clone()
    x.grad = w.grad = None
    for part in range(0, 40, 8):
        each = F.conv2d(x[part:part + 8], w, padding=1)
        np.testing.assert_allclose(each.detach().numpy(), y[part:part + 8].detach().numpy(), atol=1e-12)
        (each * each).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), whole[0].numpy(), atol=1e-10)
    np.testing.assert_allclose(w.grad.numpy(), whole[1].numpy(), atol=1e-10)


def test_a_nan_is_larger_than_any_number():
    def call(library):
        x = np.float64([[[0, 1, 2, 3], [4, np.nan, 6, 7], [8, 9, np.nan, 11], [np.inf, 13, 14, -np.inf]]])
        return [np.asarray(one) for one in library.nn.functional.max_pool2d(library.tensor(x), 2, 1, return_indices=True)]

    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    for wanted, given in zip(call(torch), call(td)):
        np.testing.assert_array_equal(given, wanted)


def test_the_largest_of_negative_infinities_is_no_padding():
    def call(library):
        x = library.full((1, 4, 4), -np.inf)
        return np.asarray(library.nn.functional.max_pool2d(x, 2, 2, 1, return_indices=True)[1])

    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    np.testing.assert_array_equal(call(td), call(torch))


def test_first_of_equals_takes_the_gradient():
    x = td.zeros(1, 2, 2, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[1, 0], [0, 0]]]


def ones(library, *shape):
    return library.ones(*shape, requires_grad=True)


ERRORS = {
    "Given groups=1, weight of size [4, 3, 3, 3], expected input[1, 2, 5, 5] to have 3 channels, but got 2 channels instead":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 2, 5, 5), ones(t, 4, 3, 3, 3)),
    "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual input "
    "size":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 2, 2), ones(t, 4, 3, 3, 3)),
    "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [5]":
        lambda t: t.nn.functional.conv2d(ones(t, 5), ones(t, 4, 3, 3, 3)),
    "Given weight of size [4, 3, 3, 3], expected bias to be 1-dimensional with 4 elements, but got bias of size [3] instead":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), ones(t, 3)),
    "expected scalar type Double but found Float":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5).double(), ones(t, 4, 3, 3, 3)),
    "Input type (float) and bias type (double) should be the same":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), ones(t, 4).double()),
    "padding='same' is not supported for strided convolutions":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), stride=2, padding="same"),
    "Invalid padding string: 'most'":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), padding="most"),
    "non-positive stride is not supported":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), stride=0),
    "negative padding is not supported":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), padding=-1),
    "Given groups=2, expected weight to be divisible by 2 at dimension 0, but got weight of size [[3, 2, 3, 3]] instead":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 4, 5, 5), ones(t, 3, 2, 3, 3), groups=2),
    "non-positive groups is not supported":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 4, 5, 5), ones(t, 3, 2, 3, 3), groups=0),
    "expected stride to be a single integer value or a list of 2 values to match the convolution dimensions, but got "
    "stride=[1, 2, 3]":
        lambda t: t.nn.functional.conv2d(ones(t, 1, 3, 5, 5), ones(t, 4, 3, 3, 3), stride=(1, 2, 3)),
    "Given transposed=1, weight of size [2, 4, 2, 2], expected input[2, 3, 5, 5] to have 2 channels, but got 3 channels instead":
        lambda t: t.nn.functional.conv_transpose2d(ones(t, 2, 3, 5, 5), ones(t, 2, 4, 2, 2)),
    "output padding must be smaller than either stride or dilation":
        lambda t: t.nn.functional.conv_transpose2d(ones(t, 2, 3, 5, 5), ones(t, 3, 4, 2, 2), output_padding=1),
    "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1":
        lambda t: t.nn.functional.max_pool2d(ones(t, 1, 3, 5, 5), 2, padding=2),
    "Given input size: (3x1x1). Calculated output size: (3x0x0). Output size is too small":
        lambda t: t.nn.functional.max_pool2d(ones(t, 1, 3, 1, 1), 2),
    "divisor must be not zero": lambda t: t.nn.functional.avg_pool2d(ones(t, 1, 3, 5, 5), 2, divisor_override=0),
    "(batch mode) tensor expected for input": lambda t: t.nn.functional.max_pool2d(ones(t, 5, 5), 2),
    "adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got [5]": lambda t: t.nn.functional.adaptive_avg_pool2d(ones(t, 5), 2),
    "calculated shape of the array of sliding blocks as (0, 0), but its components must be at least one.":
        lambda t: t.nn.functional.unfold(ones(t, 1, 3, 1, 1), 2),
    "expected size of input's dimension 2 to match the calculated number of sliding blocks 4 * 4 = 16, but got input.size(2)=15.":
        lambda t: t.nn.functional.fold(ones(t, 2, 12, 15), (5, 5), 2),
    "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=11":
        lambda t: t.nn.functional.fold(ones(t, 2, 11, 16), (5, 5), 2),
    "in_channels must be divisible by groups": lambda t: t.nn.Conv2d(3, 4, 3, groups=2),
    "out_channels must be divisible by groups": lambda t: t.nn.Conv2d(4, 3, 3, groups=2),
    "groups must be a positive integer": lambda t: t.nn.Conv2d(4, 3, 3, groups=0),
    "Invalid padding string 'most', should be one of": lambda t: t.nn.Conv2d(3, 4, 3, padding="most"),
    "padding_mode must be one of": lambda t: t.nn.Conv2d(3, 4, 3, padding_mode="most"),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors_are_pytorchs(phrase):
    check_error(ERRORS[phrase], phrase)
