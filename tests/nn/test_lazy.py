"""Lazy layers become what PyTorch's become, with the first input or with a state that is loaded."""

import pytest
from modules_beside_torch import check_same, filled, message, numbers

import tapediff as td
from tapediff import nn

USES = {
    "LazyLinear": [("3", (2, 4)), ("3, bias=False", (2, 4))],
    "LazyConv1d": [("3, 2", (2, 3, 5))],
    "LazyConv2d": [("4, 2, groups=2, bias=False", (1, 2, 3, 3))],
    "LazyConv3d": [("2, 2", (1, 2, 2, 3, 3))],
    "LazyConvTranspose1d": [("3, 2, 2", (2, 3, 4))],
    "LazyConvTranspose2d": [("3, 2", (1, 2, 3, 3))],
    "LazyConvTranspose3d": [("2, 2", (1, 2, 2, 2, 2))],
    "LazyBatchNorm1d": [("", (3, 4)), ("affine=False", (3, 4, 2))],
    "LazyBatchNorm2d": [("", (2, 3, 4, 2))],
    "LazyBatchNorm3d": [("track_running_stats=False", (2, 2, 2, 2, 2))],
    "LazyInstanceNorm1d": [("", (2, 3, 4))],
    "LazyInstanceNorm2d": [("", (2, 3, 4, 2))],
    "LazyInstanceNorm3d": [("", (2, 2, 2, 2, 2))],
}


@pytest.mark.parametrize(("name", "arguments", "shape"), [(name, *use) for name, uses in USES.items() for use in uses])
def test_lazy_layers_become_pytorchs(name, arguments, shape):
    def call(library):
        layer = eval(f"nn.{name}({arguments})", {"nn": library.nn})
        waiting = [list(layer.state_dict()), layer.has_uninitialized_params(), type(layer).__name__]
        x = numbers(library, *shape, requires_grad=True)
        first = tuple(layer(x).shape)
        filled(library, layer)
        y = layer(x)
        (y * y).sum().backward()
        return [*waiting, first, repr(layer), type(layer).__name__, y, x.grad, [one.grad for one in layer.parameters()],
                dict(layer.state_dict())]

    check_same(call, 5e-5)


def test_every_lazy_layer_is_used():
    assert {name for name in nn.modules.__all__ if name.startswith("Lazy")} == set(USES)


def test_a_parameter_stays_the_same_object():
    layer = nn.LazyLinear(3)
    weight = layer.weight
    assert repr(weight) == "<UninitializedParameter>"
    optimizer = td.optim.SGD(layer.parameters(), 0.5)
    layer(td.ones(2, 4)).sum().backward()
    before = weight.detach().clone()
    optimizer.step()
    assert weight is layer.weight
    assert type(weight) is nn.Parameter
    assert (before - weight).tolist() == [[pytest.approx(1.0, abs=1e-6)] * 4] * 3


def test_first_weights_are_drawn_as_by_the_layer_itself():
    td.manual_seed(0)
    lazy = nn.LazyLinear(3)
    lazy(td.ones(1, 4))
    td.manual_seed(0)
    assert lazy.weight.tolist() == nn.Linear(4, 3).weight.tolist()


def test_a_loaded_state_gives_the_shapes():
    source = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    waiting = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())
    assert str(waiting.load_state_dict(source.state_dict())) == "<All keys matched successfully>"
    x = td.randn(5, 4)
    assert waiting(x).tolist() == source(x).tolist()
    assert repr(waiting) == repr(source)


def test_the_shape_of_a_waiting_parameter_is_refused():
    wanted = message(td, lambda library: library.nn.LazyLinear(3).weight.shape)
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    theirs = message(torch, lambda library: library.nn.LazyLinear(3).weight.shape)
    assert wanted[0] == theirs[0] == "RuntimeError"
    assert theirs[1][:60] == wanted[1][:60]
