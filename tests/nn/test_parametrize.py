"""Parametrized weights behave as PyTorch's: names, shapes, values, gradients, and what is left when they are removed."""

import copy

import pytest
from modules_beside_torch import check_same, filled, message, numbers

import tapediff as td
from tapediff import nn
from tapediff.nn.utils import parametrize


def used(library, layer, *shape):
    """What a layer prints, keeps and computes."""
    layer = filled(library, layer)
    x = numbers(library, *shape, requires_grad=True)
    y = layer(x)
    (y * y).sum().backward()
    return [repr(layer), list(layer.state_dict()), y, x.grad, {name: one.grad for name, one in layer.named_parameters()},
            layer.weight, dict(layer.state_dict())]


LAYERS = {
    "lengths of rows": lambda t: (t.nn.utils.parametrizations.weight_norm(t.nn.Linear(4, 3)), 2, 4),
    "one length": lambda t: (t.nn.utils.parametrizations.weight_norm(t.nn.Linear(4, 3), dim=None), 2, 4),
    "lengths of kernels": lambda t: (t.nn.utils.parametrizations.weight_norm(t.nn.Conv1d(2, 3, 2), dim=1), 2, 2, 5),
    "singular value": lambda t: (t.nn.utils.parametrizations.spectral_norm(t.nn.Linear(4, 3)), 2, 4),
    "singular value, evaluated": lambda t: (t.nn.utils.parametrizations.spectral_norm(t.nn.Linear(4, 3)).eval(), 2, 4),
    "singular value of a kernel": lambda t: (t.nn.utils.parametrizations.spectral_norm(
        t.nn.Conv2d(2, 3, 2), n_power_iterations=3), 1, 2, 3, 3),
    "singular value of a transpose": lambda t: (t.nn.utils.parametrizations.spectral_norm(
        t.nn.ConvTranspose1d(2, 3, 2)), 1, 2, 3),
    "old lengths": lambda t: (t.nn.utils.weight_norm(t.nn.Linear(4, 3)), 2, 4),
    "one old length": lambda t: (t.nn.utils.weight_norm(t.nn.Linear(4, 3), dim=None), 2, 4),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyTorch deprecates the old way
@pytest.mark.parametrize("name", LAYERS)
def test_normalized_weights_are_pytorchs(name):
    check_same(lambda library: used(library, *LAYERS[name](library)), 2e-5)


def symmetric(library):
    """A parametrization of the user's own."""
    class Symmetric(library.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

        def right_inverse(self, value):
            return value.triu()

    return Symmetric()


class Doubled(nn.Module):
    """Two times the original."""

    def forward(self, x):
        return 2 * x

    def right_inverse(self, value):
        return value / 2


def parametrize_of(library):
    return library.nn.utils.parametrize


def test_a_parametrization_of_ones_own():
    def call(library):
        layer = library.nn.Linear(3, 3)
        register = parametrize_of(library).register_parametrization
        register(layer, "weight", symmetric(library))
        found = used(library, layer, 2, 3)
        with library.no_grad():
            layer.weight = library.tensor([[1.0, 2, 3], [2, 4, 5], [3, 5, 6]])
        found += [layer.weight, layer.parametrizations.weight.original, parametrize_of(library).is_parametrized(layer),
                  parametrize_of(library).is_parametrized(layer, "bias")]
        parametrize_of(library).remove_parametrizations(layer, "weight")
        return [*found, repr(layer), list(layer.state_dict()), layer.weight, parametrize_of(library).is_parametrized(layer)]

    check_same(call)


def test_two_parametrizations_are_applied_in_order():
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert layer.weight.tolist() == before.tolist()
    parametrize.register_parametrization(layer, "weight", Doubled())
    layer.parametrizations.weight.original.data = td.ones(2, 2)
    assert layer.weight.tolist() == [[4.0, 4.0], [4.0, 4.0]]


def test_optimizers_go_on_with_the_original():
    layer = nn.Linear(2, 1, bias=False)
    optimizer = td.optim.SGD(layer.parameters(), 0.5)
    parametrize.register_parametrization(layer, "weight", nn.Identity())
    before = layer.weight.detach().clone()
    layer(td.ones(1, 2)).sum().backward()
    optimizer.step()
    assert (before - layer.weight).tolist() == [[pytest.approx(0.5)] * 2]
    parametrize.remove_parametrizations(layer, "weight")
    assert optimizer.param_groups[0]["params"][0] is layer.weight


def test_other_layers_of_the_class_are_not_changed():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    nn.utils.parametrizations.weight_norm(first)
    assert type(second) is nn.Linear
    assert not parametrize.is_parametrized(second)
    copied = copy.deepcopy(first)
    assert copied.weight.tolist() == first.weight.tolist()
    assert isinstance(first, nn.Linear)


def test_removing_the_old_way_leaves_the_weight():
    layer = nn.utils.weight_norm(nn.Linear(2, 3))
    value = layer.weight.tolist()
    nn.utils.remove_weight_norm(layer)
    assert layer.weight.tolist() == [pytest.approx(row) for row in value]
    assert list(layer.state_dict()) == ["bias", "weight"]
    assert isinstance(layer.weight, nn.Parameter)


ERRORS = {
    "no such tensor": lambda t: parametrize_of(t).register_parametrization(t.nn.Linear(2, 2), "w", t.nn.Identity()),
    "another shape": lambda t: parametrize_of(t).register_parametrization(t.nn.Linear(2, 2), "weight", t.nn.Flatten(0)),
    "not parametrized": lambda t: parametrize_of(t).remove_parametrizations(t.nn.Linear(2, 2), "weight"),
    "not normalized": lambda t: t.nn.utils.remove_weight_norm(t.nn.Linear(2, 2)),
    "several originals": lambda t: parametrize_of(t).remove_parametrizations(
        t.nn.utils.parametrizations.weight_norm(t.nn.Linear(2, 2)), "weight", leave_parametrized=False),
    "no iterations": lambda t: t.nn.utils.parametrizations.spectral_norm(t.nn.Linear(2, 2), n_power_iterations=0),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_pytorchs(name):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    wanted, given = message(torch, ERRORS[name]), message(td, ERRORS[name])
    assert given[0] == wanted[0], given
    assert given[1][:40] == wanted[1][:40]
