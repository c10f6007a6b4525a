"""L-BFGS takes PyTorch's steps, finds minima, and goes on from its state."""

import numpy as np
import pytest
from modules_beside_torch import check_same

import tapediff as td
from tapediff import optim

FUNCTIONS = {
    "bowl": lambda library, x, y: ((x - 1) ** 2 * library.tensor([1.0, 10.0, 100.0]).double()).sum() + (y * y).sum(),
    "Rosenbrock": lambda library, x, y: (100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + (x[2] - y.sum()) ** 2
                                         + (y - 1).square().sum()),
    "waves": lambda library, x, y: (x.sin() + 0.1 * x * x).sum() + (y.cos() * 2 + y.square()).mean(),
}
OPTIONS = [{"line_search_fn": "strong_wolfe"}, {"lr": 0.1}, {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 6},
           {"line_search_fn": "strong_wolfe", "lr": 5.0, "max_eval": 9}, {"lr": 0.001, "history_size": 3}]


def trained(library, name, options, steps=4):
    x = library.tensor([-1.2, 1.0, 0.5], dtype=library.float64, requires_grad=True)
    y = library.tensor([[0.3], [-0.8]], dtype=library.float64, requires_grad=True)
    newton = library.optim.LBFGS([x, y], **options)
    calls = []

    def closure():
        newton.zero_grad()
        loss = FUNCTIONS[name](library, x, y)
        loss.backward()
        calls.append(loss.item())
        return loss

    losses = [newton.step(closure).item() for _ in range(steps)]
    state = newton.state_dict()["state"][0]
    return losses, len(calls), x, y, {key: state[key] for key in ("func_evals", "n_iter", "H_diag", "old_dirs", "d")}, calls


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_steps_are_pytorchs(name, options):
    check_same(lambda library: trained(library, name, options), 1e-5)


def test_the_minimum_of_rosenbrocks_function_is_found():
    x = td.tensor([-1.2, 1.0], dtype=td.float64, requires_grad=True)
    newton = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe", tolerance_grad=1e-10, tolerance_change=1e-14)

    def closure():
        newton.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        loss.backward()
        return loss

    assert newton.step(closure).item() == pytest.approx(24.2)
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], rtol=1e-6)


def test_steps_go_on_from_their_state():
    def start():
        x = td.tensor([-1.2, 1.0], dtype=td.float64, requires_grad=True)
        return x, optim.LBFGS([x], max_iter=5, line_search_fn="strong_wolfe")

    def steps(x, newton, count):
        def closure():
            newton.zero_grad()
            loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
            loss.backward()
            return loss
        for _ in range(count):
            newton.step(closure)

    straight, newton = start()
    steps(straight, newton, 4)
    x, first = start()
    steps(x, first, 2)
    other = x.detach().clone().requires_grad_()
    second = optim.LBFGS([other], max_iter=5, line_search_fn="strong_wolfe")
    second.load_state_dict(first.state_dict())
    steps(other, second, 2)
    np.testing.assert_allclose(other.detach().numpy(), straight.detach().numpy(), rtol=1e-9)


def test_one_group_only():
    x = td.zeros(1, requires_grad=True)
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        optim.LBFGS([{"params": [x]}, {"params": [td.zeros(1)]}])
