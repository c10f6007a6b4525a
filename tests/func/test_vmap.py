"""vmap without an oracle: branches, random numbers, many models at once."""

import numpy as np
import pytest

import tapediff as td

A = np.random.default_rng(7).standard_normal((5, 3))


def test_vmap_follows_every_branch_of_every_row():
    def f(x):
        if x > 1:
            return x.sin()
        while x < -1:
            x = x / 2
        return x * x if x > 0 else x.exp()

    rows = td.linspace(-5, 5, 101, dtype=td.float64).requires_grad_()
    mapped = td.func.vmap(f)(rows)
    mapped.sum().backward()
    gradients = rows.grad.clone()
    for k, row in enumerate(rows.detach()):
        x = row.clone().requires_grad_()
        y = f(x)
        y.backward()
        assert y.item() == mapped[k].item()
        assert gradients[k].item() == pytest.approx(x.grad.item(), rel=1e-14)


def test_vmap_of_more_paths_than_the_limit_names_the_line(monkeypatch):
    monkeypatch.setattr(td.func.vmap, "limit", 3)
    with pytest.raises(RuntimeError, match=r"(?s)more than 3 paths.*float\(x\)"):
        td.func.vmap(lambda x: x * float(x))(td.arange(10.0))


def test_different_randomness_draws_for_every_row():
    drawn = td.func.vmap(lambda x: x * 0 + td.rand(3), randomness="different")(td.zeros(4, 3))
    assert len({tuple(row) for row in drawn.tolist()}) == 4
    same = td.func.vmap(lambda x: x * 0 + td.rand(3), randomness="same")(td.zeros(4, 3))
    assert len({tuple(row) for row in same.tolist()}) == 1


def test_same_randomness_is_the_same_on_every_path():
    drawn = td.func.vmap(lambda x: td.rand(()) + (1 if x > 0 else 0), randomness="same")(td.tensor([-1.0, 1.0, -2.0]))
    assert drawn[0] == drawn[2]
    assert (drawn[1] - 1).item() == pytest.approx(drawn[0].item())


def test_an_ensemble_of_models():
    """The code of PyTorch's tutorial on ensembling."""
    models = [td.nn.Sequential(td.nn.Linear(3, 4), td.nn.Tanh(), td.nn.Linear(4, 2)) for _ in range(3)]
    parameters, buffers = td.func.stack_module_state(models)
    base = models[0]
    x = td.tensor(A, dtype=td.float32)
    predict_all = td.func.vmap(lambda p, b, x: td.func.functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))
    predictions = predict_all(parameters, buffers, x)
    for model, prediction in zip(models, predictions, strict=True):
        np.testing.assert_allclose(prediction.detach().numpy(), model(x).detach().numpy(), rtol=1e-5, atol=1e-6)
