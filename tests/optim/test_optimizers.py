"""Optimizers step as PyTorch's do, keep the same state, and write parameters as any other in-place operation does."""

import copy
import pickle

import numpy as np
import pytest
from modules_beside_torch import check_same, message

import tapediff as td
from tapediff import nn, optim

OPTIONS = {
    "SGD": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
            {"lr": 0.01, "momentum": 0.5, "dampening": 0.3, "maximize": True}],
    "Adam": [{}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}, {"betas": (0.5, 0.9), "eps": 1e-3, "maximize": True}],
    "AdamW": [{"lr": 0.1}, {"lr": 0.1, "weight_decay": 0.3}],
    "Adamax": [{}, {"lr": 0.1, "weight_decay": 0.1}],
    "NAdam": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{"lr": 0.1}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "Adagrad": [{}, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.1}],
    "RMSprop": [{}, {"momentum": 0.5, "centered": True, "weight_decay": 0.1}, {"lr": 0.05, "centered": True}],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.5, "weight_decay": 0.1}],
    "Rprop": [{}, {"etas": (0.4, 1.4), "step_sizes": (1e-3, 0.1)}],
    "Adafactor": [{}, {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-4, 1e-2), "d": 1.5, "weight_decay": 0.1, "maximize": True}],
    "ASGD": [{}, {"t0": 3.0, "lambd": 0.1, "weight_decay": 0.1}],
}
CASES = [(name, options) for name, cases in OPTIONS.items() for options in cases
         if name != "Adafactor"]  # PyTorch's divides by zero for parameters without elements


def leaves(library, dtype="float64"):
    """Parameters of all sorts: matrices, scalars, one that is too large for a pack, an empty one."""
    source = np.random.default_rng(0)
    values = [source.standard_normal(shape) for shape in ((3, 4), (4,), (), (1,), (200, 100), (0, 2))]
    return [library.tensor(value, dtype=getattr(library, dtype), requires_grad=True) for value in values]


def trained(library, name, options, dtype="float64", steps=15):
    """Values and losses of some steps, in which parameters miss a gradient now and then."""
    parameters = leaves(library, dtype)
    optimizer = getattr(library.optim, name)([{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.02}], **options)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = 0
        for position, parameter in enumerate(parameters[:-1]):
            if step < 6 or (step + position) % 4:
                loss = loss + ((parameter * parameter - 0.3 * position) ** 2).mean() + (parameter.sin() * (step + 1)).mean()
        loss = loss + parameters[-1].sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return parameters, losses, optimizer.state_dict(), repr(optimizer)


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda value: value if isinstance(value, str) else ",".join(value))
def test_fifteen_steps_are_pytorchs(name, options):
    check_same(lambda library: trained(library, name, options), 1e-9)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad"])
def test_fifteen_steps_in_float32_are_pytorchs(name):
    check_same(lambda library: trained(library, name, OPTIONS[name][-1], "float32"), 2e-5)


@pytest.mark.parametrize("options", [{}, OPTIONS["Adafactor"][1]], ids=["usual", "others"])
def test_steps_of_adafactor_are_pytorchs(options):
    def call(library):
        values = np.random.default_rng(0)
        shapes = ((3, 4), (4,), (), (2, 3, 2))
        parameters = [library.tensor(values.standard_normal(shape), requires_grad=True) for shape in shapes]
        optimizer = library.optim.Adafactor(parameters, **options)
        for step in range(8):
            optimizer.zero_grad()
            sum((one.sin() * one * (step + 1)).sum() for one in parameters[step % 2:]).backward()
            optimizer.step()
        return parameters, optimizer.state_dict(), repr(optimizer)

    check_same(call, 1e-9)


def test_two_steps_by_hand():
    x = td.tensor([1.0, -2.0], dtype=td.float64, requires_grad=True)
    descent = optim.SGD([x], lr=0.1, momentum=0.5)
    for _ in range(2):
        descent.zero_grad()
        (x * x).sum().backward()
        descent.step()
    # v = 2, x = 0.8; v = 0.5 * 2 + 1.6 = 2.6, x = 0.54
    np.testing.assert_allclose(x.detach().numpy(), [0.54, -1.08], rtol=1e-15)
    np.testing.assert_allclose(descent.state[x]["momentum_buffer"].numpy(), [2.6, -5.2], rtol=1e-15)
    y = td.tensor(3.0, dtype=td.float64, requires_grad=True)
    adam = optim.Adam([y], lr=0.1)
    (y * 5).backward()
    adam.step()
    np.testing.assert_allclose(y.item(), 3 - 0.1 * 5 / (5 + 1e-8), rtol=1e-15)  # both averages are freed of their bias
    assert adam.state[y]["step"].item() == 1


# --- what a step writes ---------------------------------------------------------------------------------------------------------

def parameter_and_step(values, **options):
    x = nn.Parameter(td.tensor(values))
    descent = optim.SGD([x], lr=0.5, **options)

    def step():
        descent.zero_grad()
        (x * x).sum().backward()
        descent.step()

    return x, step


def test_a_step_keeps_the_memory_and_counts_as_a_write():
    x, step = parameter_and_step([4.0, 8.0])
    shown, before, version = x.detach(), x.data_ptr(), x._version
    step()
    assert shown.tolist() == [0, 0]
    assert (x.data_ptr(), x._version) == (before, version + 1)


def test_what_waits_reads_the_values_before_the_step():
    x, step = parameter_and_step([4.0, 8.0])
    with td.no_grad():
        waiting = x * 10
    recorded = x * 10
    step()
    assert waiting.tolist() == [40, 80]
    assert recorded.tolist() == [40, 80]
    x.grad = td.ones(2)
    with td.no_grad():
        waiting = x + 1
        optim.SGD([x], lr=1.0).step()
    assert waiting.tolist() == [1, 1]
    assert x.tolist() == [-1, -1]


def test_a_graph_from_before_the_step_is_refused():
    x, step = parameter_and_step([4.0, 8.0])
    kept = (x * x).sum()
    step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        kept.backward()


def test_views_follow_a_step():
    x, step = parameter_and_step([[4.0, 8.0], [1.0, 2.0]])
    rows, turned = x[1], x.t()
    step()
    assert rows.tolist() == [0, 0]
    assert turned.tolist() == [[0, 0], [0, 0]]


def test_a_view_made_between_steps_follows():
    x = nn.Parameter(td.tensor([[4.0, 8.0], [1.0, 2.0]]))
    descent = optim.SGD([x, nn.Parameter(td.zeros(1))], lr=1.0)
    x.grad = td.ones(2, 2)
    descent.step()
    later, row = x.view(4), x[1]
    descent.step()
    assert later.tolist() == [2, 6, -1, 0]
    assert row.tolist() == [-1, 0]


def test_replaced_memory_is_stepped():
    x, step = parameter_and_step([4.0, 8.0], momentum=0.5)
    step()
    x.data = td.tensor([1.0, 2.0])
    x.grad = td.tensor([2.0, 4.0])
    step()  # momentum is half of the first gradient
    assert x.tolist() == [1 - 0.5 * (2 + 4), 2 - 0.5 * (4 + 8)]


def test_memory_that_is_not_contiguous_is_stepped():
    matrix = np.arange(6.0).reshape(2, 3)
    x = td.from_numpy(matrix).t().requires_grad_()
    y = td.ones(2, dtype=td.float64, requires_grad=True)
    (x.sum() * 2 + y.sum()).backward()
    descent = optim.SGD([x, y], lr=0.5)
    descent.step()
    assert matrix.tolist() == [[-1, 0, 1], [2, 3, 4]]
    descent.step()
    assert matrix.tolist() == [[-2, -1, 0], [1, 2, 3]]


def test_gradients_are_not_changed_and_may_be_replaced():
    x = td.tensor([1.0, 2.0], requires_grad=True)
    adam = optim.AdamW([x], weight_decay=0.5)
    grad = td.tensor([3.0, 4.0])
    for _ in range(3):
        x.grad = grad
        adam.step()
    assert grad.tolist() == [3, 4]


def test_no_gradient_no_step():
    x, y = (td.tensor([1.0], requires_grad=True) for _ in range(2))
    adam = optim.Adam([x, y])
    (x * 2).backward()
    adam.step()
    assert y.item() == 1
    assert y not in adam.state or not adam.state[y]


def test_a_loss_of_scalars_goes_down():
    values = [td.tensor(float(number), requires_grad=True) for number in range(20)]
    adam = optim.Adam(values, lr=0.5)
    losses = []
    for _ in range(60):
        adam.zero_grad()
        loss = sum((value - 7) ** 2 for value in values)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
    assert [value.shape for value in values] == [td.Size([])] * 20


# --- closures, hooks, groups ----------------------------------------------------------------------------------------------------

def test_a_closure_runs_with_gradients_and_its_loss_is_returned():
    x = td.tensor(3.0, requires_grad=True)
    descent = optim.SGD([x], lr=0.25)

    def closure():
        descent.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    with td.no_grad():
        assert descent.step(closure).item() == 9
    assert x.item() == 1.5


def test_hooks_around_a_step():
    x, _ = parameter_and_step([1.0])
    x.grad = td.ones(1)
    descent, seen = optim.SGD([x], lr=1.0), []
    descent.register_step_pre_hook(lambda optimizer, args, kwargs: seen.append(x.item()))
    handle = descent.register_step_post_hook(lambda optimizer, args, kwargs: seen.append(x.item()))
    descent.step()
    handle.remove()
    descent.step()
    assert seen == [1, 0, 0]


def test_groups_have_options_of_their_own():
    def call(library):
        first, second, third = leaves(library)[:3]
        descent = library.optim.SGD([{"params": [first], "lr": 0.5}, {"params": second}], lr=0.1, momentum=0.9)
        descent.add_param_group({"params": [third], "weight_decay": 1.0})
        for _ in range(3):
            descent.zero_grad()
            (first.sum() + second.square().sum() + third).backward()
            descent.step()
            descent.param_groups[0]["lr"] *= 0.5
        return first, second, third, repr(descent), descent.state_dict()["param_groups"]

    check_same(call)


def test_named_parameters_may_be_given():
    net = nn.Linear(2, 1)
    descent = optim.SGD(net.named_parameters(), lr=0.1)
    assert descent.param_groups[0]["param_names"] == ["weight", "bias"]
    assert descent.param_groups[0]["params"] == [net.weight, net.bias]


def test_zero_grad_forgets_or_fills():
    x = td.ones(2, requires_grad=True)
    descent = optim.SGD([x])
    x.sum().backward()
    descent.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0, 0]
    descent.zero_grad()
    assert x.grad is None


ERRORS = {
    "lr": lambda library, x: library.optim.SGD([x], lr=-1.0),
    "momentum": lambda library, x: library.optim.SGD([x], momentum=-1.0),
    "weight decay": lambda library, x: library.optim.Adam([x], weight_decay=-1.0),
    "nesterov": lambda library, x: library.optim.SGD([x], nesterov=True),
    "beta": lambda library, x: library.optim.Adam([x], betas=(0.9, 1.5)),
    "eps": lambda library, x: library.optim.Adam([x], eps=-1.0),
    "alpha": lambda library, x: library.optim.RMSprop([x], alpha=-1.0),
    "lr_decay": lambda library, x: library.optim.Adagrad([x], lr_decay=-1.0),
    "etas": lambda library, x: library.optim.Rprop([x], etas=(2, 1)),
    "rho": lambda library, x: library.optim.Adadelta([x], rho=2.0),
    "momentum_decay": lambda library, x: library.optim.NAdam([x], momentum_decay=-1.0),
    "nothing": lambda library, x: library.optim.SGD([]),
    "a tensor": lambda library, x: library.optim.SGD(x),
    "numbers": lambda library, x: library.optim.SGD([3]),
    "computed": lambda library, x: library.optim.SGD([x * 2]),
    "twice": lambda library, x: library.optim.SGD([{"params": x}, {"params": [x]}]),
    "other groups": lambda library, x: library.optim.SGD([x]).load_state_dict({"param_groups": [], "state": {}}),
    "other sizes": lambda library, x: library.optim.SGD([x]).load_state_dict(
        library.optim.SGD([x, library.ones(1)]).state_dict()),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs(what):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    call = lambda library: ERRORS[what](library, library.ones(2, requires_grad=True))  # noqa: E731
    wanted = message(torch, call)
    assert wanted[0] != "no error"
    assert message(td, call) == wanted


# --- state ----------------------------------------------------------------------------------------------------------------------

def steps_of(optimizer, parameters, count):
    for _ in range(count):
        optimizer.zero_grad()
        sum((value.sin() * value).sum() for value in parameters).backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_a_training_goes_on_from_its_state(name, way):
    straight = leaves(td)[:3]
    steps_of(getattr(optim, name)(straight, **OPTIONS[name][-1]), straight, 7)
    parameters = leaves(td)[:3]
    first = getattr(optim, name)(parameters, **OPTIONS[name][-1])
    steps_of(first, parameters, 3)
    if way == "state_dict":
        parameters = [value.detach().clone().requires_grad_() for value in parameters]
        second = getattr(optim, name)(parameters, lr=0.3)
        second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    else:
        second = copy.deepcopy(first) if way == "deepcopy" else pickle.loads(pickle.dumps(first))
        parameters = second.param_groups[0]["params"]
    steps_of(second, parameters, 4)
    for wanted, given in zip(straight, parameters):
        np.testing.assert_allclose(given.detach().numpy(), wanted.detach().numpy(), rtol=1e-12)


def test_a_changed_state_counts():
    x = td.ones(2, requires_grad=True)
    descent = optim.SGD([x], lr=1.0, momentum=0.5)
    for _ in range(2):
        x.grad = td.ones(2)
        descent.step()
        descent.state[x]["momentum_buffer"].fill_(0)
    x.grad = td.ones(2)
    descent.step()
    assert x.tolist() == [-2, -2]
    descent.state[x]["momentum_buffer"] = td.full((2,), 4.0)
    descent.step()
    assert x.tolist() == [-5, -5]


def test_a_converted_model_is_stepped():
    net = nn.Linear(2, 2)
    adam = optim.Adam(net.parameters())
    for dtype in (td.float32, td.float64, td.float64):
        net.to(dtype)
        adam.zero_grad()
        net(td.ones(1, 2, dtype=dtype)).sum().backward()
        adam.step()
    assert net.weight.dtype is td.float64
    assert adam.state[net.weight]["step"].item() == 3
    assert adam.state[net.weight]["exp_avg"].dtype is td.float64


def test_an_optimizer_of_the_users_own():
    def call(library):
        class Signed(library.optim.Optimizer):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

            @library.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for parameter in group["params"]:
                        state = self.state[parameter]
                        state["count"] = state.get("count", 0) + 1
                        parameter.add_(parameter.grad.sign(), alpha=-group["lr"])

        x = library.tensor([1.0, -2.0], requires_grad=True)
        signed = Signed([x])
        for _ in range(3):
            signed.zero_grad()
            (x * x).sum().backward()
            signed.step()
        return x, repr(signed), signed.state_dict()

    check_same(call)
