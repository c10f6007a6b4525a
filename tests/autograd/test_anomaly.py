"""Anomaly detection names the node that made a nan, and costs nothing when it is off."""

import numpy as np
import pytest

import tapediff as td

LOUD = pytest.mark.filterwarnings("ignore:Anomaly Detection")


@LOUD
@pytest.mark.parametrize(
    ("call", "claim"),
    [
        (lambda x: (x.sqrt() * 1).backward(), "Function 'SqrtBackward0' returned nan values in its 0th output"),
        (lambda x: td.autograd.grad(x.sqrt(), x), "Function 'SqrtBackward0' returned nan values in its 0th output"),
        (lambda x: td.autograd.grad(x.sqrt(), x, create_graph=True), "Function 'SqrtBackward0'"),
        (lambda x: (x * 0 / (x * 0)).backward(), "Function 'DivBackward0' returned nan values in its 1th output"),
    ],
)
def test_a_nan_is_an_error_that_names_the_node(call, claim):
    with td.autograd.detect_anomaly(), pytest.raises(RuntimeError, match=claim):
        call(td.tensor(-1.0, requires_grad=True))


@LOUD
def test_the_gradient_of_a_function_is_checked():
    class Broken(td.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * float("nan")

    with (
        td.autograd.detect_anomaly(),
        pytest.raises(RuntimeError, match="Function 'BrokenBackward' returned nan values in its 0th output"),
    ):
        Broken.apply(td.ones(2, requires_grad=True)).sum().backward()


def test_gradients_are_those_of_a_plain_pass():
    def gradients():
        x = td.tensor([0.5, 1.5, -2.0], dtype=td.float64, requires_grad=True)
        y = (x.exp() * x.sin()).cumsum(0)
        y.retain_grad()
        seen = []
        x.register_hook(lambda grad: seen.append(grad.tolist()))
        (y.view(3, 1) @ y.view(1, 3)).sum().backward()
        return [*seen, x.grad.tolist(), y.grad.tolist()]

    plain = gradients()
    with td.autograd.set_detect_anomaly(True):
        checked = gradients()
    np.testing.assert_allclose(checked, plain, rtol=1e-13)


def test_the_switch_is_a_call_and_a_context():
    assert not td.is_anomaly_enabled()
    td.autograd.set_detect_anomaly(True)
    assert td.is_anomaly_enabled()
    assert td.is_anomaly_check_nan_enabled()
    td.autograd.set_detect_anomaly(False)
    with td.autograd.set_detect_anomaly(True, check_nan=False):
        assert td.is_anomaly_enabled()
        x = td.tensor(-1.0, requires_grad=True)
        x.sqrt().backward()
        assert np.isnan(x.grad.item())
    assert not td.is_anomaly_enabled()


def test_entering_warns():
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        td.autograd.detect_anomaly()
