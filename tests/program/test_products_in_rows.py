"""An adjoint that is one product and the gradient of a row is computed row by row, where it is wanted in the end."""

import numpy as np
import pytest

import tapediff as td
from tapediff.program.layout import A_CLASS, CALL_ROWS
from tests.program.executors import SHAPES_OF_BATCHES, assert_same_bits

torch = pytest.importorskip("torch", reason="PyTorch, the oracle of these tests, is not installed")

RNG = np.random.default_rng(11)
ROWS = 21


def product(left, right):
    """The sum of the sines of a product of operands of these shapes; only the second has rows."""
    return lambda a, b: (a @ b).sin().sum(), left, right


CASES = {  # function, the shape of what all rows share, the shape of a row, whether it is worth it
    "matrix times vector": (*product((24, 32), (32,)), True),
    "vector times matrix": (lambda w, x: (x @ w).sin().sum(), (24, 32), (24,), True),
    "narrow vectors": (*product((40, 12), (12,)), True),
    "odd": (*product((24, 33), (33,)), False),
    "small": (*product((3, 4), (4,)), False),
    "linear of several": (lambda w, x: linear(w)(x, w).sin().sum(), (24, 16), (3, 16), True),
    "a turned copy": (lambda w, x: (x @ w.T).sin().sum(), (24, 16), (3, 16), False),
    "linear": (lambda w, x: (x @ w).sin().sum(), (16, 32), (3, 16), True),
    "turned": (*product((24, 16), (16, 3)), False),
    "outer": (lambda w, x: (w.reshape(24, 32) @ x).sin().sum(), (768,), (32,), True),
    "einsum": (lambda w, x: einsum(w)("ij,kj->ik", w, x).sin().sum(), (24, 32), (2, 32), True),
    "batches": (lambda w, x: (w @ x).sin().sum(), (2, 8, 32), (2, 32, 1), True),
    "twice": (lambda w, x: (w @ x).sin().sum() + (w @ x.cos()).sum(), (24, 32), (32,), False),
    "itself": (lambda w, x: (w @ w @ x).sin().sum(), (16, 16), (16,), False),
    "beside": (lambda w, x: (w @ x).sin().sum() + w.sum(), (24, 32), (32,), False),
    "alpha": (lambda w, x: addmm(w)(x[:, None], w, x[:24, None], beta=0.5, alpha=2.0).sin().sum(), (32, 24), (32,), True),
}


def einsum(like):
    return torch.einsum if isinstance(like, torch.Tensor) else td.einsum


def linear(like):
    return torch.nn.functional.linear if isinstance(like, torch.Tensor) else td.nn.functional.linear


def addmm(like):
    return torch.addmm if isinstance(like, torch.Tensor) else td.addmm


def steps_in_rows(program, wanted):
    """How many steps of each schedule write rows themselves."""
    schedules = [s for request, s in program._schedules.items() if request.wanted == wanted and request.lanes > 1]
    return [sum(int(s.actions[number][A_CLASS]) == CALL_ROWS for number in range(len(s.actions))) for s in schedules]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_gradients_of_shared_operands_are_pytorchs(name, dtype):
    f, shared, own, is_worth_it = CASES[name]
    w, x = RNG.standard_normal(shared).astype(dtype), RNG.standard_normal((ROWS, *own)).astype(dtype)
    program = td.record(f, w, x[0])
    found = [program.batch(in_dims=(None, 0), lanes=lanes, threads=threads).grad(w, x, argnums=(0, 1))
             for lanes, threads in SHAPES_OF_BATCHES]
    expected = torch.func.vmap(torch.func.grad(f, argnums=(0, 1)), in_dims=(None, 0))(torch.tensor(w), torch.tensor(x))
    for k in range(2):
        np.testing.assert_allclose(found[0][k], expected[k].numpy(), rtol=1e-4 if dtype == "float32" else 1e-11,
                                   atol=1e-4 if dtype == "float32" else 1e-11)
        for other in found[1:]:
            assert_same_bits(other[k], found[0][k])
    one = program.batch(in_dims=(None, 0)).grad(w, x[:1], argnums=(0, 1))
    assert_same_bits(one[0], found[0][0][:1])
    assert all((count > 0) == is_worth_it for count in steps_in_rows(program, (0, 1)))


@pytest.mark.parametrize("lanes", [8, 16])
def test_the_compiled_tape_has_the_same_bits(lanes):
    f, shared, own, _ = CASES["linear"]
    w, x = RNG.standard_normal(shared), RNG.standard_normal((ROWS, *own))
    program = td.record(lambda w, x: f(w, x).exp() * x.sum(), w, x[0])
    found = [program.batch(in_dims=(None, 0), lanes=lanes, executor=executor).value_and_grad(w, x, argnums=(0, 1))
             for executor in ("interpreter", "compiled")]
    for a, b in zip((found[0][0], *found[0][1]), (found[1][0], *found[1][1]), strict=True):
        assert_same_bits(a, b)


def test_a_summed_gradient_is_the_sum_of_the_rows():
    f, shared, own, _ = CASES["matrix times vector"]
    w, x = RNG.standard_normal(shared), RNG.standard_normal((ROWS, *own))
    rows = td.record(f, w, x[0]).batch(in_dims=(None, 0))
    np.testing.assert_allclose(rows.grad(w, x, reduce="sum"), rows.grad(w, x).sum(0), rtol=1e-12, atol=1e-13)


def test_rows_in_lanes_and_in_rows_have_the_same_bits(monkeypatch):
    from tapediff.program import schedule
    f, shared, own, _ = CASES["linear"]
    w, x = RNG.standard_normal(shared), RNG.standard_normal((ROWS, *own))
    found = td.record(f, w, x[0]).batch(in_dims=(None, 0)).grad(w, x)
    monkeypatch.setattr(schedule, "call_in_rows", lambda operation, position: None)
    assert_same_bits(found, td.record(f, w, x[0]).batch(in_dims=(None, 0)).grad(w, x))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.0, -0.0])
def test_spicy_operands(value, monkeypatch):
    from tapediff.program import schedule
    f = lambda w, x: (w @ x).sum()  # noqa: E731
    w, x = RNG.standard_normal((24, 32)), RNG.standard_normal((ROWS, 32))
    w[3], x[2, 5] = value, value
    found = td.record(f, w, x[0]).batch(in_dims=(None, 0)).grad(w, x)
    monkeypatch.setattr(schedule, "call_in_rows", lambda operation, position: None)
    assert_same_bits(found, td.record(f, w, x[0]).batch(in_dims=(None, 0)).grad(w, x))


def test_rows_that_fail_a_guard_hold_nan():
    w, x = RNG.standard_normal((24, 32)), np.abs(RNG.standard_normal((ROWS, 32)))
    x[4, 0] = -1.0
    rows = td.record(lambda w, x: (w @ x).sum() if x[0] > 0 else x.sum(), w, x[0]).batch(in_dims=(None, 0))
    _, gradient, failed = rows.value_and_grad(w, x, mask=True)
    assert failed.tolist() == [k == 4 for k in range(ROWS)]
    assert np.isnan(gradient[4]).all()
    np.testing.assert_array_equal(gradient[5], np.broadcast_to(x[5], (24, 32)))


@pytest.mark.parametrize("shared", [True, False])
def test_outputs_that_are_products_are_numpys(shared):
    f = lambda w, x: (w @ x, w.sum())  # noqa: E731
    w, x = RNG.standard_normal((10, 2) if shared else (ROWS, 10, 2)), RNG.standard_normal((ROWS, 2, 16))
    program = td.record(f, w if shared else w[0], x[0])
    found = [program.batch(in_dims=(None if shared else 0, 0), lanes=lanes, threads=threads)(w, x)[0]
             for lanes, threads in SHAPES_OF_BATCHES]
    np.testing.assert_allclose(found[0], w @ x, rtol=1e-14, atol=1e-15)
    for other in found[1:]:
        assert_same_bits(other, found[0])
    assert all(count == 1 for count in steps_in_rows(program, ()))


def test_an_output_that_something_reads_is_there_twice():
    f = lambda w, x: ((y := td.outer(w, x)), y.sum())  # noqa: E731
    w, x = RNG.standard_normal((ROWS, 10)), RNG.standard_normal((ROWS, 16))
    y, total = td.record(f, w[0], x[0]).batch()(w, x)
    np.testing.assert_allclose(y, w[:, :, None] * x[:, None, :], rtol=1e-15)
    np.testing.assert_allclose(total, y.sum((1, 2)), rtol=1e-12, atol=1e-12)
