"""Clipping, parameters as a vector, and calls with other parameters do what PyTorch's do."""

import math

import pytest
from modules_beside_torch import check_same, filled, message

import tapediff as td
from tapediff import nn
from tapediff.nn.functional_call import functional_call


def with_gradients(library, scale=1.0):
    net = filled(library, library.nn.Sequential(library.nn.Linear(3, 2), library.nn.Linear(2, 2)))
    net[1].bias.requires_grad_(False)
    (net(library.ones(4, 3)).square().sum() * scale).backward()
    return net


@pytest.mark.parametrize("norm", [2.0, 1, 3.0, math.inf])
@pytest.mark.parametrize("limit", [0.5, 1e9])
def test_gradients_are_clipped_by_their_norm(norm, limit):
    def call(library):
        net = with_gradients(library)
        total = library.nn.utils.clip_grad_norm_(net.parameters(), limit, norm_type=norm)
        return total, [parameter.grad for parameter in net.parameters() if parameter.grad is not None]

    check_same(call, 1e-5)


def test_gradients_are_clipped_by_value():
    def call(library):
        net = with_gradients(library)
        library.nn.utils.clip_grad_value_(net.parameters(), 0.7)
        return [parameter.grad for parameter in net.parameters() if parameter.grad is not None]

    check_same(call, 1e-5)


def test_norms_of_nothing_and_of_infinities():
    def call(library):
        x = library.ones(2, requires_grad=True)
        total = library.nn.utils.clip_grad_norm_([x], 1.0)
        x.grad = library.tensor([math.inf, 1.0])
        return total, library.nn.utils.clip_grad_norm_(x, 1.0), x.grad, library.nn.utils.get_total_norm([library.ones(4)])

    check_same(call)
    x = td.ones(2, requires_grad=True)
    x.grad = td.tensor([math.inf, 1.0])
    with pytest.raises(RuntimeError, match="non-finite, so it cannot be clipped"):
        nn.utils.clip_grad_norm_(x, 1.0, error_if_nonfinite=True)


def test_parameters_go_to_a_vector_and_back():
    def call(library):
        net = with_gradients(library)
        vector = library.nn.utils.parameters_to_vector(net.parameters())
        library.nn.utils.vector_to_parameters(vector.detach() * 2, net.parameters())
        return vector, vector.requires_grad, list(net.parameters()), net(library.ones(1, 3))

    check_same(call)


# --- calls with other parameters ------------------------------------------------------------------------------------------------

def tied(library):
    """A model with one weight in three places, a buffer, and a batch normalization."""
    nn = library.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2)
            self.second.weight = self.shared = self.first.weight
            self.norm = nn.BatchNorm1d(2)
            self.register_buffer("shift", library.zeros(2))

        def forward(self, x, scale=1):
            return self.norm(self.second(self.first(x))) * scale + self.shift + self.shared.sum()

    return filled(library, Net())


def called(library, *args, **kwargs):
    if library is td:
        return functional_call(*args, **kwargs)
    return library.func.functional_call(*args, **kwargs)


CALLS = {
    "one of the tied": lambda t, net, x, w: called(t, net, {"shared": w}, x),
    "keyword arguments": lambda t, net, x, w: called(t, net, {"first.weight": w}, (x,), {"scale": 3}),
    "two dictionaries": lambda t, net, x, w: called(t, net, [{"first.weight": w}, {"shift": w[0]}], (x,)),
    "untied": lambda t, net, x, w: called(t, net, {"first.weight": w, "shared": w * 2}, x, tie_weights=False),
    "nothing": lambda t, net, x, w: called(t, net, {}, (x,)),
}
ERRORS = {
    "missing": lambda t, net, x, w: called(t, net, {"first.weight": w}, x, strict=True),
    "left over": lambda t, net, x, w: called(t, net, {**net.state_dict(), "z": w}, x, strict=True),
    "twice": lambda t, net, x, w: called(t, net, [{"shared": w}, {"shared": w}], x),
    "a number": lambda t, net, x, w: called(t, net, 3, x),
    "numbers": lambda t, net, x, w: called(t, net, [3], x),
    "number for a tensor": lambda t, net, x, w: called(t, net, {"shared": 3}, x),
    "no module there": lambda t, net, x, w: called(t, net, {"third.weight": w}, x),
    "no tensor there": lambda t, net, x, w: called(t, net, {"training": w}, x),
}


@pytest.mark.parametrize("what", CALLS)
def test_calls_are_pytorchs_and_leave_no_trace(what):
    def call(library):
        net = tied(library)
        before = [id(one) for one in (*net.parameters(), *net.buffers())]
        w = library.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
        x = library.tensor([[1.0, 2.0], [-1.0, 0.5], [3.0, 1.0]])
        y = CALLS[what](library, net, x, w)
        y.square().sum().backward()
        after = [id(one) for one in (*net.parameters(), *net.buffers())]
        return y, w.grad, before == after, net.first.weight is net.shared, net.norm.running_mean

    check_same(call, 1e-5)


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs_and_leave_no_trace(what):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")

    def call(library):
        net = tied(library)
        before = [id(one) for one in net.state_dict(keep_vars=True).values()]
        try:
            ERRORS[what](library, net, library.ones(3, 2), library.ones(2, 2))
        finally:
            assert [id(one) for one in net.state_dict(keep_vars=True).values()] == before

    wanted = message(torch, call)
    assert wanted[0] not in ("no error", "AssertionError")
    assert message(td, call) == wanted


def test_tied_paths_take_one_tensor():
    with pytest.raises(ValueError, match="got multiple values for keys"):
        functional_call(tied(td), {"first.weight": td.ones(2, 2), "shared": td.zeros(2, 2)}, td.ones(3, 2))


def test_an_error_in_forward_leaves_no_trace():
    net = nn.Linear(2, 2)
    before = net.weight
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        functional_call(net, {"weight": td.ones(2, 3)}, td.ones(1, 2))
    assert net.weight is before


def test_gradients_by_the_given_tensors_of_second_order():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    values = {name: value.detach().clone().requires_grad_() for name, value in net.named_parameters()}
    x = td.tensor([[0.3, -0.7]], dtype=td.float64)
    loss = functional_call(net, values, x).sum()
    grad, = td.autograd.grad(loss, values["0.weight"], create_graph=True)
    second, = td.autograd.grad(grad.square().sum(), values["2.weight"])
    step = 1e-6
    ends = []
    for sign in (1, -1):
        moved = {**values, "2.weight": (values["2.weight"].detach() + td.tensor([[sign * step, 0, 0]], dtype=td.float64))}
        grad, = td.autograd.grad(functional_call(net, moved, x).sum(), values["0.weight"])
        ends.append(grad.square().sum().item())
    assert second[0, 0].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)
