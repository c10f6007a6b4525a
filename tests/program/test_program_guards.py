"""Guards: a replay that would decide differently from the recording is reported, and never computes on from there."""

import numpy as np
import pytest
from executors import assert_close, eager

import tapediff as td

F = td.nn.functional


# --- what comes after a guard that failed ---------------------------------------------------------------------------------------

def test_a_class_out_of_range_is_reported_before_memory_is_read():
    scores = np.random.default_rng(0).normal(size=(3, 4))
    program = td.record(lambda x, t: F.cross_entropy(x, t), scores, np.array([0, 1, 2]))
    with pytest.raises(td.GuardError):
        program(scores, np.array([0, 1, 1 << 40]))


def test_a_mask_of_another_count_is_reported():
    x = np.arange(4.0)
    program = td.record(lambda x, mask: x.masked_select(mask), x, x > 1)
    with pytest.raises(td.GuardError):
        program(x, x > 2)
    result, failed = program.batch(in_dims=(None, 0))(x, np.stack([x > 1, x > 2, x > 1]), mask=True)
    assert failed.tolist() == [False, True, False]
    np.testing.assert_array_equal(result, [[2, 3], [np.nan, np.nan], [2, 3]])


def test_a_shared_mask_of_another_count_is_reported_in_every_row():
    x = np.arange(4.0)
    rows = td.record(lambda x, mask: x.masked_select(mask), x, x > 1).batch(in_dims=(0, None))
    with pytest.raises(td.GuardError) as caught:
        rows(np.stack([x, x]), x > 2)
    assert caught.value.failed.all()


# --- checks that functions make of their arguments ------------------------------------------------------------------------------

X = np.random.default_rng(1).normal(size=(3, 4))
P = 1 / (1 + np.exp(-X))
CHECKED = {
    "cross_entropy": (lambda t: F.cross_entropy(td.tensor(X), t), [0, 1, 2], [3, 0, 0], [0, 4, 1]),
    "cross_entropy of a negative class": (lambda t: F.cross_entropy(td.tensor(X), t), [0, 1, 2], [3, -100, 0], [0, -1, 1]),
    "smoothed, weighted cross_entropy": (
        lambda t: F.cross_entropy(td.tensor(X), t, td.tensor([0.5, 1.0, 2.0, 3.0], dtype=td.float64), label_smoothing=0.25),
        [0, 1, 2], [3, -100, 0], [0, 4, 1]),
    "nll_loss": (lambda t: F.nll_loss(td.tensor(X), t, reduction="none"), [0, 1, 2], [3, 3, 0], [0, 1 << 40, 1]),
    "multi_margin_loss": (lambda t: F.multi_margin_loss(td.tensor(X), t), [0, 1, 2], [3, 3, 0], [0, 1, 4]),
    "embedding": (lambda t: F.embedding(t, td.tensor(X)), [0, 1], [2, 2], [0, 3]),
    "one_hot": (lambda t: F.one_hot(t, 4), [0, 1, 3], [2, 2, 1], [4, 0, 0]),
    "binary_cross_entropy": (lambda p: F.binary_cross_entropy(p, td.tensor(P)), P, P * 0.5, P + 1),
    "binary_cross_entropy of nan": (lambda p: F.binary_cross_entropy(p, td.tensor(P)), P, P * 0.5, P * np.nan),
    "gaussian_nll_loss": (lambda v: F.gaussian_nll_loss(td.tensor(X), td.tensor(P), v), P, P * 2, -P),
    "floor_divide": (lambda n: td.tensor([7, -7]) // n, [2, 3], [-3, 1], [0, 1]),
    "remainder": (lambda n: td.tensor([7, -7]) % n, [2, 3], [-3, 1], [1, 0]),
    "index": (lambda i: td.tensor(X)[i], [0, 1], [-3, 2], [3, 0]),
    "index below": (lambda i: td.tensor(X)[i], [0, 1], [-3, 2], [-4, 0]),
    "index_select": (lambda i: td.tensor(X).index_select(0, i), [0, 1], [2, 2], [3, 0]),
    "gather": (lambda i: td.tensor(X).gather(0, i), [[0, 1]], [[2, 2]], [[3, 0]]),
    "take": (lambda i: td.tensor(X).take(i), [0, 1], [-12, 11], [12, 0]),
    "index_add": (lambda i: td.tensor(X).index_add(0, i, td.tensor(X[:2])), [0, 1], [2, 2], [3, 0]),
    "scatter": (lambda i: td.tensor(X).scatter(0, i, 1.0), [[0, 1]], [[2, 2]], [[3, 0]]),
    "allclose": (lambda x: td.allclose(x, td.tensor(X)), X, X + 1e-9, X + 1),
    "equal": (lambda x: td.equal(x, td.tensor(X)), X, X.copy(), X + 1),
    "contains": (lambda x: 0 in x, [0.0, 1.0], [-0.0, 5.0], [2.0, 1.0]),
    "repeat_interleave": (lambda n: td.tensor([1.0, 2.0]).repeat_interleave(n), [1, 2], [1, 2], [2, 1]),
    "nonzero": (lambda x: x.nonzero(), [1.0, 0.0], [2.0, 0.0], [0.0, 1.0]),
    "unique": (lambda x: x.unique(), [1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [3.0, 1.0, 2.0]),
    "bincount": (lambda x: x.bincount(), [1, 2, 3], [1, 2, 3], [7, 1, 3]),
    "histc": (lambda x: x.histc(3), [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.5, 4.0]),
    "tolist": (lambda x: td.tensor(x.tolist()) * 2, [1.0, 2.0], [1.0, 2.0], [1.0, 2.5]),
    "numpy": (lambda x: td.tensor(np.sin(x.detach().numpy())), [1.0, 2.0], [1.0, 2.0], [1.0, 2.5]),
    "full": (lambda x: td.full((2,), x[0].item()), [1.0, 2.0], [1.0, 3.0], [1.5, 2.0]),
    "linspace": (lambda x: td.linspace(0, 1, int(x[0])), [3, 2], [3, 9], [4, 9]),
    "quantile": (lambda q: td.tensor(X).quantile(q), [0.25, 0.5], [0.25, 0.5], [0.75, 0.5]),
    "split": (lambda n: td.tensor(X[0]).split(n.tolist())[0], [2, 2], [2, 2], [1, 3]),
    "range": (lambda n: td.tensor(X[0])[:n], 2, 2, 3),
    "inv": (lambda a: td.linalg.inv(a), [[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.5, 2.0]], [[1.0, 2.0], [2.0, 4.0]]),
    "solve": (lambda a: td.linalg.solve(a, td.tensor([1.0, 2.0], dtype=td.float64)),
              [[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.5, 2.0]], [[1.0, 2.0], [2.0, 4.0]]),
    "cholesky": (lambda a: td.linalg.cholesky(a), [[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]),
    "svdvals": (lambda a: td.linalg.svdvals(a), [[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 2.0]], [[1.0, np.nan], [2.0, 1.0]]),
    "lu_factor": (lambda a: td.linalg.lu_factor(a).LU,
                  [[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.5, 2.0]], [[1.0, 2.0], [2.0, 4.0]]),
    "polynomial": (lambda n: td.special.hermite_polynomial_h(td.tensor(0.5, dtype=td.float64), n), [2, 3], [3, 1], [4, 1]),
    "reshape": (lambda n: td.tensor(X).reshape(n, -1), 2, 2, 3),
}


@pytest.mark.parametrize("name", CHECKED)
def test_checks_that_hold_hold_in_replays_and_others_are_reported(name):
    f, *values = CHECKED[name]
    example, passing, failing = map(np.asarray, values)
    program = td.record(f, example)
    wanted = eager(f, passing)[0]
    assert_close(program(passing), wanted)
    with pytest.raises(td.GuardError) as caught:
        program(failing)
    assert "lambda" in caught.value.guard.function
    rows = np.stack([passing, failing, example, passing])
    results, failed = program.batch()(rows, mask=True)
    assert failed.tolist() == [False, True, False, False]
    assert_close(results[0], wanted)
    assert_close(results[3], wanted)


# --- what errors say ------------------------------------------------------------------------------------------------------------

def branching(x):
    return (x.sin() if x.sum() > 1 else x).sum()


def vector(x):
    return x.sin() if x.sum() > 1 else x


ROWS = np.array([[1.0, 1.0], [2.0, 0.0], [0.25, 0.25]])
FAILING = {
    "call": (lambda p: p(ROWS[2]), branching),
    "value_and_grad": (lambda p: p.value_and_grad(ROWS[2]), branching),
    "vjp": (lambda p: p.vjp(ROWS[2], 1.0), branching),
    "jvp": (lambda p: p.jvp(ROWS[2], ROWS[0]), branching),
    "hvp": (lambda p: p.hvp(ROWS[2], ROWS[0]), branching),
    "hessian": (lambda p: p.hessian(ROWS[2]), branching),
    "jacobian, reverse": (lambda p: p.jacobian(ROWS[2], mode="reverse"), vector),
    "jacobian, forward": (lambda p: p.jacobian(ROWS[2], mode="forward"), vector),
    "batch": (lambda p: p.batch()(ROWS), branching),
    "gradients of a batch": (lambda p: p.batch().grad(ROWS), branching),
    "vjp of a batch": (lambda p: p.batch().vjp(ROWS, np.ones(3)), branching),
    "jvp of a batch": (lambda p: p.batch().jvp(ROWS, ROWS), branching),
    "jacobian of a batch": (lambda p: p.batch().jacobian(ROWS), vector),
    "hessian of a batch": (lambda p: p.batch().hessian(ROWS), branching),
}


@pytest.mark.parametrize("lanes", [False, True])
@pytest.mark.parametrize("name", FAILING)
def test_errors_say_what_was_compared(name, lanes, monkeypatch):
    if lanes:
        monkeypatch.setattr(type(td.record(vector, ROWS[0])), "matrices", lambda self, seeds, wanted: None)
    call, f = FAILING[name]
    message = r"First changed \(0\.5 > 1\.0\): bool\(value\) is True at .*test_program_guards"
    with pytest.raises(td.GuardError, match=message) as caught:
        call(td.record(f, ROWS[0]))
    assert ("In row 2: First" in str(caught.value)) == ("batch" in name)


def test_errors_of_too_many_paths_say_what_was_compared(monkeypatch):
    def stairs(x):
        return x * sum(bool(x > step) for step in (1.5, 2.5, 3.5))

    compiled = td.compile(stairs, limit=1)
    compiled(td.tensor(1.0))
    with pytest.raises(RuntimeError, match=r"the last guard that failed: changed \(2\.0 > 1\.5\): bool\(value\) is False at "):
        compiled(td.tensor(2.0))
    monkeypatch.setattr(td.func.vmap, "limit", 1)
    with pytest.raises(RuntimeError, match=r"they part here: changed \(2\.0 > 1\.5\): bool\(value\) is False at "):
        td.func.vmap(stairs)(td.tensor([1.0, 2.0, 3.0]))
