"""What cannot be replayed is refused with a reason, at the place that did it, and leaves nothing behind."""

import numpy as np
import pytest

import tapediff as td
from tapediff import recording

F = td.nn.functional
OUTER = td.ones(3)
LEAF = td.tensor(1.0, dtype=td.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = OUTER.tolist(), LEAF.item(), LEAF.grad, td.is_grad_enabled()
    yield
    assert (OUTER.tolist(), LEAF.item(), LEAF.grad, td.is_grad_enabled()) == before
    assert recording.recordings == 0
    assert recording.modes.recorder is None


def assigns(x):
    OUTER[0] = x
    return x


def multiplies(x):
    OUTER.mul_(x)
    return x


def writes_a_view(x):
    OUTER[1:].add_(1)
    return x


def writes_through_detach(x):
    OUTER.detach().zero_()
    return x


def writes_through_data(x):
    OUTER.data[0] = 3.0
    return x


def replaces_data(x):
    OUTER.data = td.zeros(3)
    return x


def sets_a_gradient(x):
    LEAF.grad = x.detach()
    return x


def detaches_in_place(x):
    LEAF.detach_()
    return x


def writes_what_it_detached(x):
    y = x * 2
    other = y.detach()
    y.add_(1)
    return y + other


def writes_into_what_it_detached(x):
    y = x * 2
    y.detach().zero_()
    return y


WRITES = [assigns, multiplies, writes_a_view, writes_through_detach, writes_through_data, replaces_data, sets_a_gradient,
          detaches_in_place, writes_what_it_detached, writes_into_what_it_detached]


@pytest.mark.parametrize("f", WRITES, ids=lambda f: f.__name__)
def test_writes_that_a_replay_would_lose_are_refused(f):
    with pytest.raises(RuntimeError, match="the replay would lose the write") as caught:
        td.record(f, 2.0)
    assert f"{__file__}:" in str(caught.value)
    assert f"in {f.__name__}" in str(caught.value)


def test_writes_into_arrays_of_outer_tensors_are_refused():
    def f(x):
        OUTER.numpy()[0] = 5.0
        return x

    with pytest.raises(ValueError, match="read-only"):
        td.record(f, 2.0)


RANDOM = {
    "rand": lambda x: x + td.rand(()),
    "rand_like": lambda x: x * td.rand_like(x),
    "randn": lambda x: x + td.randn(()),
    "randint": lambda x: x + td.randint(0, 5, ()),
    "randperm": lambda x: x + td.randperm(3),
    "normal": lambda x: td.normal(x, 1.0),
    "normal_": lambda x: (x * 1).normal_(),
    "uniform_": lambda x: (x * 1).uniform_(),
    "bernoulli": lambda x: x * td.bernoulli(x * 0 + 0.5),
    "multinomial": lambda x: x * td.multinomial(td.ones(3), 1),
    "poisson": lambda x: td.poisson(x),
    "dropout": lambda x: F.dropout(x, 0.5),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_numbers_are_refused(name):
    with pytest.raises(RuntimeError, match="called random operation while in randomness error mode"):
        td.record(RANDOM[name], 1.0)


def test_dropout_in_evaluation_is_recorded():
    assert td.record(lambda x: F.dropout(x, 0.5, training=False), 1.0)(3.0) == 3.0


class Doubled(td.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


@pytest.mark.parametrize(("f", "says"), [
    (lambda x: (x * x).backward(), r"calls backward\(\)"),
    (lambda x: (x * LEAF).backward(), r"calls backward\(\)"),
    (lambda x: (x * 2).detach().requires_grad_(), r"requires_grad_\(\)"),
    (lambda x: LEAF.detach().requires_grad_(), r"requires_grad_\(\)"),
    (Doubled.apply, "Doubled.apply in a recorded function"),
], ids=["backward", "backward to a leaf", "requires_grad_", "requires_grad_ of an outer tensor", "Function"])
def test_gradients_that_cannot_be_replayed_are_refused(f, says):
    with pytest.raises(RuntimeError, match=says):
        td.record(f, 2.0)


@pytest.mark.parametrize("result", [None, "text", object(), {1}, 1j, [None], {"a": None}], ids=repr)
def test_results_that_are_no_tensors_are_refused(result):
    with pytest.raises(TypeError, match="must return tensors"):
        td.record(lambda x: result, 1.0)


@pytest.mark.parametrize("name", ["SGD", "Adam", "LBFGS"])
def test_a_step_of_an_optimizer_is_refused(name):
    model = td.nn.Linear(3, 1)
    optimizer = getattr(td.optim, name)(model.parameters(), lr=0.1)
    before = [p.tolist() for p in model.parameters()]

    def f(x):
        loss = model(x).sum()
        optimizer.step(lambda: loss)
        return loss

    for call in (lambda: td.record(f, np.ones(3, np.float32)), lambda: td.func.vmap(f)(td.ones(2, 3)),
                 lambda: td.compile(f)(td.ones(3)), lambda: td.func.jacrev(f)(td.ones(3))):
        with pytest.raises(RuntimeError, match=rf"a recorded function calls {name}\.step\(\): the replay would lose"):
            call()
    assert [p.tolist() for p in model.parameters()] == before


def test_generators_are_refused():
    def f(x):
        yield x

    with pytest.raises(TypeError, match=r"must return tensors.*generator"):
        td.record(f, 1.0)


@pytest.mark.parametrize("example", ["text", None, 1j, object(), np.array("text"), np.zeros(2, complex), np.zeros(2, object),
                                     [1.0, None]], ids=repr)
def test_examples_that_are_no_tensors_are_refused(example):
    with pytest.raises(TypeError, match="a program takes"):
        td.record(lambda x: 1.0, example)


# --- calls ----------------------------------------------------------------------------------------------------------------------

def pair():
    return td.record(lambda x, p: (x * p["a"]).sum() + p["b"][0], np.ones(3), {"a": np.ones(3), "b": [2.0]})


@pytest.mark.parametrize(("arguments", "error"), [
    ((np.ones(3),), TypeError),
    ((), TypeError),
    ((np.ones(3), {"a": np.ones(3), "b": [2.0]}, 1.0), TypeError),
    ((np.ones(3), {"a": np.ones(3), "b": (2.0,)}), TypeError),
    ((np.ones(3), {"a": np.ones(3), "c": [2.0]}), TypeError),
    ((np.ones(3), [np.ones(3), [2.0]]), TypeError),
    ((np.ones(4), {"a": np.ones(3), "b": [2.0]}), ValueError),
    ((np.ones((1, 3)), {"a": np.ones(3), "b": [2.0]}), ValueError),
    ((1.0, {"a": np.ones(3), "b": [2.0]}), ValueError),
    ((np.ones(3), {"a": np.ones(3), "b": [np.ones(1)]}), ValueError),
    ((np.ones(3, complex), {"a": np.ones(3), "b": [2.0]}), TypeError),
    ((np.array(["a", "b", "c"]), {"a": np.ones(3), "b": [2.0]}), TypeError),
    ((np.ones(3), {"a": np.ones(3), "b": [None]}), TypeError),
    ((np.ones(3), {"a": np.ones(3), "b": ["1"]}), TypeError),
], ids=range(14))
def test_arguments_that_differ_from_the_examples_are_refused(arguments, error):
    program = pair()
    for call in (program, program.value_and_grad):
        with pytest.raises(error, match="recorded"):
            call(*arguments)


def test_floats_are_refused_where_integers_were_recorded():
    program = td.record(lambda n: n * 2, 3)
    for given in (2.5, np.float64(2.5), td.tensor(2.5), np.array(2.0)):
        with pytest.raises(TypeError, match="int64"):
            program(given)


def test_numbers_are_refused_where_bools_were_recorded():
    program = td.record(lambda n: n.logical_not(), True)
    for given in (2, 2.5, np.int64(2), td.tensor(1)):
        with pytest.raises(TypeError, match="bool"):
            program(given)
    assert not program(True)


@pytest.mark.parametrize(("arguments", "error"), [
    ((np.ones((5, 3)), np.ones(4)), ValueError),
    ((np.ones((5, 4)), np.ones(5)), ValueError),
    ((np.ones(3), np.ones(3)), ValueError),
    ((1.0, np.ones(3)), ValueError),
    ((np.ones((5, 3)), 1.0), ValueError),
    ((np.ones((5, 3)),), TypeError),
    ((np.ones((5, 3)), np.ones(5, complex)), TypeError),
    ((np.ones((5, 3)), [1.0] * 5), TypeError),
], ids=range(8))
def test_rows_that_differ_from_the_examples_are_refused(arguments, error):
    rows = td.record(lambda x, y: (x * y).sum(), np.ones(3), 1.0).batch()
    for call in (rows, rows.value_and_grad):
        with pytest.raises(error):
            call(*arguments)


@pytest.mark.parametrize(("options", "error"), [
    ({"in_dims": (None, None)}, ValueError),
    ({"in_dims": (0,)}, ValueError),
    ({"in_dims": (0, 0, 0)}, ValueError),
    ({"in_dims": (0, (0, 0))}, ValueError),
    ({"in_dims": (3, 0)}, ValueError),
    ({"lanes": 0}, ValueError),
    ({"lanes": -8}, ValueError),
    ({"lanes": 1 << 20}, ValueError),
    ({"threads": 0}, ValueError),
    ({"threads": -1}, ValueError),
], ids=str)
def test_options_of_batches_that_make_no_sense_are_refused(options, error):
    program = td.record(lambda x, y: (x * y).sum(), np.ones(3), 1.0)
    with pytest.raises(error):
        program.batch(**options)(np.ones((5, 3)), np.ones(5))


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)], ids=str)
def test_gradients_by_arguments_that_are_not_there_are_refused(argnums):
    program = td.record(lambda x, n: x * n, 1.0, 2)
    with pytest.raises(ValueError, match="argnums"):
        program.grad(1.0, 2, argnums=argnums)


def test_gradients_by_integers_are_refused():
    program = td.record(lambda x, n: x * n, 1.0, 2)
    with pytest.raises(TypeError, match="only floats"):
        program.grad(1.0, 2, argnums=1)
    with pytest.raises(TypeError, match="only floats"):
        program.batch().grad(np.ones(2), np.ones(2, int), argnums=1)


@pytest.mark.parametrize("f", [lambda x: x * td.ones(2), lambda x: (x, x), lambda x: x > 0, lambda x: (x * 2).long()],
    ids=["vector", "pair", "bool", "int"])
def test_gradients_of_what_is_no_scalar_are_refused(f):
    program = td.record(f, 1.0)
    for call, given in ((program.value_and_grad, 1.0), (program.batch().value_and_grad, np.ones(2))):
        with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
            call(given)


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="reduce='max'"):
        td.record(lambda x: x * x, 1.0).batch().grad(np.ones(3), reduce="max")
