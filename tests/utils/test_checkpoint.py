"""A checkpoint changes nothing but what is kept."""

import gc
import weakref

import numpy as np
import pytest

import tapediff as td
from tapediff import nn
from tapediff.utils.checkpoint import checkpoint, checkpoint_sequential


def block():
    td.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()


def gradients(call, *leaves):
    loss = call()
    return [loss.item(), *[grad.numpy() for grad in td.autograd.grad(loss, leaves)]]


def check_equal(wanted, given):
    for a, b in zip(wanted, given, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12)


def x_of(*shape):
    return td.linspace(-1, 1, int(np.prod(shape)), dtype=td.float64).reshape(shape).requires_grad_()


@pytest.mark.parametrize("use_reentrant", [True, False, None])
def test_gradients_reach_arguments_and_parameters(use_reentrant):
    net, x = block(), x_of(2, 3)
    leaves = [x, *net.parameters()]
    wanted = gradients(lambda: net(x * 2).square().sum(), *leaves)
    given = gradients(lambda: checkpoint(net, x * 2, use_reentrant=use_reentrant).square().sum(), *leaves)
    check_equal(wanted, given)


def test_parameters_alone_get_gradients():
    net, x = block(), x_of(2, 3).detach()
    net(x).square().sum().backward()
    wanted = [parameter.grad.numpy().copy() for parameter in net.parameters()]
    net.zero_grad()
    checkpoint(net, x, use_reentrant=False).square().sum().backward()
    check_equal(wanted, [parameter.grad.numpy() for parameter in net.parameters()])


def test_what_the_function_reads_from_outside_gets_gradients():
    x, y = x_of(3), x_of(3)
    outside = y.exp()
    call = lambda z: z * outside + y  # noqa: E731
    wanted = gradients(lambda: call(x * 1).sin().sum(), x, y)
    outside = y.exp()
    check_equal(wanted, gradients(lambda: checkpoint(call, x * 1).sin().sum(), x, y))


def test_several_results_and_other_arguments():
    x = x_of(4)

    def call(a, k, *, b, name):
        return a * k, name, (a + b).exp(), b > 0

    first, name, second, positive = checkpoint(call, x, 3, b=x * 2, name="n")
    assert name == "n"
    assert positive.tolist() == [False, False, True, True]
    assert not positive.requires_grad
    wanted = gradients(lambda: (x * 3).sum() + (x + x * 2).exp().sum(), x)
    check_equal(wanted, gradients(lambda: first.sum() + second.sum(), x))


def test_chained_checkpoints():
    net, x = block(), x_of(2, 3)
    wanted = gradients(lambda: net(net(net(x))).sum(), x, *net.parameters())
    given = gradients(lambda: checkpoint(net, checkpoint(net, checkpoint(net, x))).sum(), x, *net.parameters())
    check_equal(wanted, given)
    several = nn.Sequential(*[block() for _ in range(4)])
    check_equal(gradients(lambda: several(x).sum(), x), gradients(lambda: checkpoint_sequential(several, 3, x).sum(), x))


def test_gradients_of_gradients():
    x = x_of(3)
    call = lambda z: z.sin() * z  # noqa: E731
    results = []
    for y in (call(x), checkpoint(call, x, use_reentrant=False)):
        grad, = td.autograd.grad(y.sum(), x, create_graph=True)
        results.append(td.autograd.grad(grad.square().sum(), x)[0].numpy())
    check_equal(results[:1], results[1:])


def test_dropout_is_the_same_the_second_time():
    td.manual_seed(5)
    x = td.ones(200, requires_grad=True)
    y = checkpoint(nn.functional.dropout, x, 0.5)
    td.rand(3)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_inner_values_are_let_go():
    kept = []

    def call(z):
        inner = z.exp()
        kept.append(weakref.ref(inner))
        return (inner * inner).sum()

    x = x_of(5000)
    y = checkpoint(call, x)
    y.item()
    gc.collect()
    assert kept[0]() is None
    y.backward()
    assert len(kept) == 2


def test_without_gradients_the_function_is_called():
    with td.no_grad():
        assert not checkpoint(block(), x_of(1, 3)).requires_grad
    assert not checkpoint(lambda z: z * 2, td.ones(2)).requires_grad
