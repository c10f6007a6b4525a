"""Modules register, list, save, load, print and call as PyTorch's do."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from modules_beside_torch import check_same, filled, message, numbers

import tapediff as td
from tapediff import nn


def network(library):
    """A model with parameters, buffers of both sorts, containers, a shared module and an empty place."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.linear = nn.Linear(width, width)
            self.scale = nn.Parameter(library.ones(width))
            self.register_parameter("shift", None)
            self.register_buffer("seen", library.zeros(()))
            self.register_buffer("scratch", library.zeros(2), persistent=False)

        def forward(self, x):
            return self.linear(x).tanh() * self.scale

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.blocks = nn.ModuleList([Block(4), Block(4)])
            self.again = self.first
            self.nothing = None
            self.head = nn.Sequential(OrderedDict([("act", nn.ReLU()), ("out", nn.Linear(4, 2, bias=False))]))
            self.table = nn.ModuleDict({"a": nn.Identity(), "b": nn.Dropout(0.1)})

        def forward(self, x):
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    return filled(library, Net())


def shapes(named):
    return [(name, tuple(value.shape)) for name, value in named]


LISTINGS = {
    "parameters": lambda net: shapes(net.named_parameters()),
    "parameters of the module alone": lambda net: shapes(net.blocks[0].named_parameters(prefix="b", recurse=False)),
    "parameters that are there twice": lambda net: shapes(net.named_parameters(remove_duplicate=False)),
    "buffers": lambda net: shapes(net.named_buffers()),
    "modules": lambda net: [(name, type(module).__name__) for name, module in net.named_modules()],
    "children": lambda net: [name for name, _ in net.named_children()],
    "state": lambda net: shapes(net.state_dict().items()),
    "state with a prefix": lambda net: shapes(net.state_dict(prefix="p.").items()),
    "repr": repr,
    "paths": lambda net: [tuple(net.get_parameter("blocks.1.scale").shape), type(net.get_submodule("head.out")).__name__,
                          tuple(net.get_buffer("blocks.0.seen").shape), net.get_submodule("") is net],
    "training": lambda net: [module.training for module in net.eval().modules()],
    "training below": lambda net: [net.train().blocks.eval().training, net.training],
    "applied": lambda net: (lambda seen: [net.apply(lambda module: seen.append(type(module).__name__)) is net, seen])([]),
}


@pytest.mark.parametrize("what", LISTINGS)
def test_listings_are_pytorchs(what):
    check_same(lambda library: LISTINGS[what](network(library)))


def test_a_module_computes_and_its_parameters_get_gradients():
    def call(library):
        net = network(library)
        loss = net(numbers(library, 5, 3)).square().sum()
        loss.backward()
        return loss, {name: value.grad for name, value in net.named_parameters() if value.grad is not None}

    check_same(call, 1e-5)


def test_a_line_by_hand():
    line = nn.Linear(2, 1)
    with td.no_grad():
        line.weight.copy_(td.tensor([[2.0, -1.0]]))
        line.bias.fill_(0.5)
    y = line(td.tensor([3.0, 4.0]))
    y.sum().backward()
    assert (y.item(), line.weight.grad.tolist(), line.bias.grad.tolist()) == (2.5, [[3.0, 4.0]], [1.0])


# --- registering ----------------------------------------------------------------------------------------------------------------

def assign(**attributes):
    def call(library):
        net = library.nn.Linear(2, 2)
        net.register_buffer("seen", library.zeros(1))
        net.child = library.nn.ReLU()
        for name, value in attributes.items():
            setattr(net, name, value(library) if callable(value) else value)
    return call


def unready(attribute, value):
    def call(library):
        class Net(library.nn.Module):
            def __init__(self):
                setattr(self, attribute, value(library))
        Net()
    return call


def on_linear(call):
    return lambda library: call(library.nn.Linear(2, 2), library)


ERRORS = {
    "parameter by number": assign(weight=3.0),
    "parameter by tensor": assign(weight=lambda library: library.ones(2, 2)),
    "buffer by number": assign(seen=3.0),
    "child by number": assign(child=3),
    "parameter too early": unready("p", lambda library: library.nn.Parameter(library.ones(1))),
    "module too early": unready("m", lambda library: library.nn.ReLU()),
    "name with dot": on_linear(lambda net, library: net.register_parameter("a.b", None)),
    "empty name": on_linear(lambda net, library: net.register_parameter("", None)),
    "no name": on_linear(lambda net, library: net.register_parameter(3, None)),
    "name taken": on_linear(lambda net, library: net.register_parameter("in_features", None)),
    "tensor as parameter": on_linear(lambda net, library: net.register_parameter("p", library.ones(1))),
    "computed parameter": on_linear(lambda net, library: net.register_buffer("weight", library.ones(1))),
    "buffer name with dot": on_linear(lambda net, library: net.register_buffer("a.b", None)),
    "number as buffer": on_linear(lambda net, library: net.register_buffer("b", 3)),
    "number as module": on_linear(lambda net, library: net.add_module("m", 3)),
    "module name with dot": on_linear(lambda net, library: net.add_module("a.b", None)),
    "module name taken": on_linear(lambda net, library: net.add_module("weight", None)),
    "no attribute": on_linear(lambda net, library: net.missing),
    "no submodule": on_linear(lambda net, library: net.get_submodule("x.y")),
    "no module at the path": on_linear(lambda net, library: net.get_submodule("weight")),
    "no parameter at the path": on_linear(lambda net, library: net.get_parameter("in_features")),
    "no forward": lambda library: library.nn.Module()(1),
    "integer dtype": on_linear(lambda net, library: net.to(library.int64)),
    "training mode": on_linear(lambda net, library: net.train(1)),
    "arguments of the base": lambda library: type("Net", (library.nn.Module,), {})(3),
    "list of numbers": lambda library: library.nn.ModuleList([3]),
    "beyond the end": lambda library: library.nn.Sequential(library.nn.ReLU())[1],
    "load a number": on_linear(lambda net, library: net.load_state_dict(3)),
    "load another model": lambda library: network(library).load_state_dict(library.nn.Linear(2, 2).state_dict()),
    "load other shapes": lambda library: library.nn.Linear(2, 3).load_state_dict(library.nn.Linear(3, 3).state_dict()),
    "load no tensor": on_linear(lambda net, library: net.load_state_dict({"weight": 3, "bias": library.zeros(2)})),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs(what):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    wanted, given = message(torch, ERRORS[what]), message(td, ERRORS[what])
    assert wanted[0] != "no error"
    assert given == wanted


def test_a_name_means_one_thing_at_a_time():
    def call(library):
        net = library.nn.Module()
        net.x = 3
        net.x = library.nn.ReLU()
        found = [list(net._modules), "x" in net.__dict__]
        net.x = library.nn.Parameter(library.ones(1))
        found += [[name for name, _ in net.named_parameters()], list(net._modules)]
        net.x = None
        found += [repr(net), net.x]
        del net.x
        return [*found, hasattr(net, "x")]

    check_same(call)


def test_parameters_share_memory_and_are_leaves():
    data = td.ones(2)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, td.Tensor)
    assert parameter.is_leaf
    assert parameter.requires_grad
    with td.no_grad():
        parameter += 1
    assert data.tolist() == [2.0, 2.0]
    assert type(parameter * 2) is td.Tensor
    assert type(parameter.data) is td.Tensor
    assert repr(nn.Parameter(td.tensor(1.5), requires_grad=False)) == "Parameter containing:\ntensor(1.5000)"
    with pytest.raises(RuntimeError, match="Only Tensors of floating point"):
        nn.Parameter(td.tensor([1]))


def test_buffers_are_made_by_assignment():
    def call(library):
        net = library.nn.Module()
        net.kept = library.nn.Buffer(library.ones(2))
        net.left_out = library.nn.Buffer(library.ones(3), persistent=False)
        return shapes(net.named_buffers()), list(net.state_dict())

    check_same(call)


# --- state ----------------------------------------------------------------------------------------------------------------------

def test_state_goes_from_one_model_to_another():
    source, target = network(td), network(td).apply(lambda module: [value.data.zero_() for value in module.parameters()])
    before = target.first.weight
    answer = target.load_state_dict(source.state_dict())
    assert repr(answer) == "<All keys matched successfully>"
    assert target.first.weight is before
    for name, value in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name].numpy(), value.numpy(), err_msg=name)


def test_what_does_not_fit_is_told_or_passed_over():
    def call(library):
        net = library.nn.Linear(2, 2)
        answer = net.load_state_dict({"weight": library.ones(2, 2), "extra": library.ones(1)}, strict=False)
        return repr(answer).replace("_IncompatibleKeys", ""), answer.missing_keys, answer.unexpected_keys, net.weight

    check_same(call)


def test_assigning_takes_the_tensors_themselves():
    net = nn.Linear(2, 2)
    weight = td.ones(2, 2, dtype=td.float64)
    net.load_state_dict({"weight": weight, "bias": td.zeros(2)}, assign=True)
    assert isinstance(net.weight, nn.Parameter)
    assert net.weight.dtype is td.float64
    weight[0, 0] = 7
    assert net.weight[0, 0].item() == 7


def test_state_dict_shares_memory():
    net = nn.Linear(2, 2)
    net.state_dict()["bias"].fill_(3)
    assert net.bias.tolist() == [3, 3]
    assert net.state_dict(keep_vars=True)["bias"] is net.bias


def test_extra_state_and_hooks_of_the_state():
    def call(library):
        seen = []

        class Counted(library.nn.Module):
            def __init__(self):
                super().__init__()
                self.count = 5

            def get_extra_state(self):
                return library.tensor(self.count)

            def set_extra_state(self, state):
                self.count = state.item()

        net = library.nn.Sequential(Counted())
        net.register_state_dict_post_hook(lambda module, state, prefix, metadata: seen.append(sorted(state)))
        net.register_load_state_dict_post_hook(lambda module, keys: seen.append(list(keys.missing_keys)))
        state = net.state_dict()
        net[0].count = 0
        net.load_state_dict(state)
        return seen, net[0].count, list(state)

    check_same(call)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"])
def test_copies_are_equal_and_apart(copied):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.CrossEntropyLoss(weight=td.ones(3)))
    net[0].weight.requires_grad_(False)
    other = copied(net)
    assert repr(other) == repr(net)
    assert [type(value) for value in other.parameters()] == [nn.Parameter] * 4
    assert [value.requires_grad for value in other.parameters()] == [False, True, True, True]
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name].numpy(), value.numpy(), err_msg=name)
    with td.no_grad():
        other[0].bias.fill_(9)
    assert 9 not in net[0].bias.tolist()


def test_a_shared_parameter_stays_shared_in_a_copy():
    net = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    net[1].weight = net[0].weight
    other = copy.deepcopy(net)
    assert other[1].weight is other[0].weight
    assert len(list(other.parameters())) == 3


# --- changing all of it ---------------------------------------------------------------------------------------------------------

def test_conversions_keep_parameters_and_convert_gradients():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    net(td.ones(3, 2)).sum().backward()
    weight = net[0].weight
    assert net.double() is net
    assert net[0].weight is weight
    assert (weight.dtype, weight.grad.dtype, net[1].running_mean.dtype) == (td.float64,) * 3
    assert net[1].num_batches_tracked.dtype is td.int64
    net(td.ones(3, 2, dtype=td.float64)).sum().backward()
    assert net.to(td.ones(1)).to("cpu").float()[0].weight.dtype is td.float32
    with pytest.raises(RuntimeError, match="CPU only"):
        net.to("cuda")


def test_gradients_are_forgotten_or_set_to_zero():
    net = nn.Linear(2, 1)
    net(td.ones(2)).backward()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0, 0]]
    net.zero_grad()
    assert net.weight.grad is None


def test_frozen_parameters_get_no_gradient():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[0].requires_grad_(False)
    net(td.ones(1, 2)).backward()
    assert net[0].weight.grad is None
    assert net[1].weight.grad is not None


# --- hooks ----------------------------------------------------------------------------------------------------------------------

def test_forward_hooks_see_and_change_what_passes():
    def call(library):
        net, seen = network(library), []
        handles = [
            net.register_forward_pre_hook(lambda module, args: seen.append(("pre", len(args)))),
            net.register_forward_pre_hook(lambda module, args: (args[0] * 2,)),
            net.first.register_forward_hook(lambda module, args, output: seen.append(("first", output.sum()))),
            net.head.register_forward_hook(lambda module, args, output: output + 1),
            net.register_forward_hook(lambda module, args, kwargs, output: seen.append(("kwargs", sorted(kwargs))),
                                      with_kwargs=True),
            net.register_forward_hook(lambda module, args, output: seen.append(("early", 0)), prepend=True),
        ]
        hooked = net(numbers(library, 2, 3))
        for handle in handles:
            handle.remove()
        return hooked, net(numbers(library, 2, 3)), [list(one) for one in seen]

    check_same(call)


def test_backward_hooks_see_and_change_gradients():
    def call(library):
        net, seen = network(library), []
        note = lambda name: lambda module, grad_input, grad_output: seen.append((name, grad_input, grad_output))  # noqa: E731
        net.blocks[1].register_full_backward_hook(note("block"))
        net.first.register_full_backward_hook(note("first"))
        net.head.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 3,))
        net.blocks[0].register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 2,))
        x = numbers(library, 2, 3, requires_grad=True)
        net(x).sum().backward()
        return [list(one) for one in seen], x.grad, net.first.weight.grad, net.blocks[0].scale.grad

    check_same(call)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_backward_hook_without_gradient_of_the_input():
    def call(library):
        net, seen = library.nn.Linear(2, 1), []
        filled(library, net)
        net.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append((grad_input, grad_output)))
        net(library.ones(3, 2)).sum().backward()
        return [list(one) for one in seen], net.weight.grad

    check_same(call)


def test_a_hook_that_must_run_does_so_after_an_error():
    seen = []
    net = nn.Module()
    net.register_forward_hook(lambda module, args, output: seen.append(output), always_call=True)
    with pytest.raises(NotImplementedError):
        net(1)
    assert seen == [None]


# --- containers -----------------------------------------------------------------------------------------------------------------

def containers(library):
    nn = library.nn
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    yield repr(net[:2])
    yield repr(net[-1])
    del net[1]
    yield repr(net)
    net.append(nn.Tanh()).insert(0, nn.Identity())
    yield repr(net)
    net[0] = nn.Sigmoid()
    yield repr(net + nn.Sequential(nn.ReLU()))
    yield repr(net.pop(1)), len(net)
    many = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 1)])
    many += [nn.Linear(1, 1), nn.Sequential(nn.ReLU(), nn.Tanh())]
    many.insert(1, nn.Tanh())
    yield repr(many)
    yield repr(many[1:3]), len(many), [type(one).__name__ for one in many]
    table = nn.ModuleDict([("a", nn.ReLU()), ("b", nn.Tanh())])
    table["c"] = nn.Sigmoid()
    table.update({"a": nn.Identity()})
    yield repr(table), list(table), repr(table.pop("b")), "b" in table, len(table), list(table.keys())
    values = nn.ParameterList([library.ones(2), nn.Parameter(library.zeros(1, 2))])
    yield repr(values)
    values.append(3)
    yield repr(values), shapes(values.named_parameters()), values[-1], len(values[:2])
    yield repr(nn.ParameterList([library.ones(2)])), repr(nn.ParameterList()), repr(nn.Sequential())
    named = nn.ParameterDict({"left": library.ones(2), "right": library.ones(1)})
    yield repr(named), shapes(named.named_parameters()), "left" in named, list(named), len(named)
    yield tuple(named.pop("left").shape), list(named.keys())


def test_containers_are_pytorchs():
    check_same(lambda library: list(containers(library)))
