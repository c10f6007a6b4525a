"""Jacobians whose structure is known are what rows of products in lanes give, and what PyTorch gives."""

import functools

import numpy as np
import pytest
from parity_cases import CASES
from parity_run import is_tensor
from test_programs_of_every_op import results, variant, weighted

import tapediff as td
from tapediff.nested import flatten
from tapediff.program import entries
from tapediff.program.program import Program

torch = pytest.importorskip("torch", reason="PyTorch, the oracle of these tests, is not installed")

RNG = np.random.default_rng(3)
N = 20
W, V = RNG.standard_normal((N, N)), RNG.standard_normal((7, N))
X = RNG.standard_normal(N)
CASES = [case for case in CASES if case.name != "creation-rand shape"]


def in_lanes(monkeypatch):
    monkeypatch.setattr(Program, "matrices", lambda self, seeds, wanted: None)


def like(x, array):
    """A constant beside a tensor."""
    return torch.tensor(array) if isinstance(x, torch.Tensor) else td.tensor(array)


FUNCTIONS = {  # name: function, whether its Jacobian is sparse in part
    "identity": lambda x: x * 1.0,
    "reversed": lambda x: x.flip(0) * x,
    "neighbours": lambda x: x.roll(1) - 2 * x + x.roll(-1) - x**3,
    "dense": lambda x: (like(x, W) @ x).tanh(),
    "both": lambda x: (like(x, W) @ x).tanh() + x.sin() - x[0],
    "two layers": lambda x: like(x, V) @ (like(x, W) @ x).tanh(),
    "turned": lambda x: x @ like(x, W) * x,
    "matrix": lambda x: x.reshape(4, 5).T.sin() * 2,
    "sums": lambda x: x.reshape(4, 5).sin().sum(1) / x[0],
    "number": lambda x: (x[1:] * x[:-1]).sum().exp(),
    "spread": lambda x: x[3] * like(x, X) + x.sum(),
    "of a part": lambda x: x[2:9:3].cos(),
    "joined": lambda x: (torch.cat if isinstance(x, torch.Tensor) else td.cat)([x[:3], x[1:] ** 2, x * 0]),
    "nothing": lambda x: like(x, X) * 2 + (x > 0),
    "divided": lambda x: x / (1 + x[0] ** 2),
}


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_are_pytorchs_and_those_in_lanes(name, mode, monkeypatch):
    f = FUNCTIONS[name]
    program = td.record(f, X)
    found = program.jacobian(X, mode=mode)
    np.testing.assert_allclose(found, torch.func.jacrev(f)(torch.tensor(X)).numpy(), rtol=1e-12, atol=1e-13)
    other = X + 0.25
    np.testing.assert_allclose(program.jacobian(other, mode=mode), torch.func.jacrev(f)(torch.tensor(other)).numpy(),
                               rtol=1e-12, atol=1e-13)
    in_lanes(monkeypatch)
    np.testing.assert_allclose(found, program.jacobian(X, mode=mode), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["neighbours", "both", "number", "sums"])
def test_the_structure_of_these_is_known(name):
    program = td.record(FUNCTIONS[name], X)
    program.jacobian(X, mode="reverse")
    derived = program.derived("vjp", (0,), (0,))
    known = [made is not None for made in derived._matrices.values()]
    assert known == [program.output_specs[0].size > 1] * len(known)


def test_hessians_are_pytorchs():
    def rosenbrock(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    def logistic(x):
        return (like(x, V) @ x).exp().log1p().sum() + (x**4).sum()

    for f in (rosenbrock, logistic):
        expected = torch.func.jacrev(torch.func.jacrev(f))(torch.tensor(X)).numpy()
        np.testing.assert_allclose(td.record(f, X).hessian(X), expected, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(td.func.hessian(f)(td.tensor(X)).numpy(), expected, rtol=1e-11, atol=1e-11)


def test_several_inputs_and_outputs_of_two_dtypes():
    def f(x, y):
        return {"a": x * y.double().sum(), "b": [y * 2, (x[0] * y[0]).reshape(())]}

    x, y = X, RNG.standard_normal(3).astype(np.float32)
    found = td.record(f, x, y).jacobian((x, y), mode="reverse")
    expected = torch.func.jacrev(f, argnums=(0, 1))(torch.tensor(x), torch.tensor(y))
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        assert a.dtype == b.numpy().dtype
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-6)


def test_results_are_the_callers_own():
    program = td.record(FUNCTIONS["both"], X)
    first = program.jacobian(X)
    kept = first.copy()
    program.jacobian(X + 1)
    np.testing.assert_array_equal(first, kept)


def test_guards_hold_in_jacobians():
    program = td.record(lambda x: x.sin() if x[0] > 0 else x.cos(), np.abs(X))
    np.testing.assert_allclose(program.jacobian(np.abs(X)), np.diag(np.cos(np.abs(X))))
    with pytest.raises(td.GuardError, match="lambda"):
        program.jacobian(-np.abs(X))


def test_an_infinite_weight_meets_no_zero_of_the_identity():
    w = W.copy()
    w[2, 3] = np.inf
    found = td.record(lambda x: like(x, w) @ x, X).jacobian(X, mode="reverse")
    np.testing.assert_array_equal(found, w)


def test_large_matrices_take_rows_in_lanes(monkeypatch):
    monkeypatch.setattr(entries, "MOST_ENTRIES", N * N - 1)
    program = td.record(FUNCTIONS["dense"], X)
    np.testing.assert_allclose(program.jacobian(X), torch.func.jacrev(FUNCTIONS["dense"])(torch.tensor(X)).numpy(),
                               rtol=1e-12, atol=1e-13)
    assert list(program.derived("vjp", (0,), (0,))._matrices.values()) == [None]


def vector(case, *tensors):
    """All floats that a case gives, as one vector."""
    parts = [(y * 1.0).reshape(-1) for y in results(case, *tensors) if is_tensor(y) and y.dtype.is_floating_point]
    return td.cat(parts) if parts else None


@pytest.mark.parametrize("case", CASES[::4], ids=[case.name for case in CASES[::4]])
def test_jacobians_of_every_op_are_those_in_lanes(case, monkeypatch):
    values = [variant(operand, k, "float64", 0) for k, operand in enumerate(case.operands)]
    if not any(value.dtype.kind == "f" and value.size for value in values) or vector(case, *map(td.tensor, values)) is None:
        return
    programs = [td.record(functools.partial(f, case), *values) for f in (vector, weighted)]
    if sum(value.size for value in values) + programs[0].output_specs[0].size > 120:
        return
    arguments = tuple(values)
    calls = (lambda: programs[0].jacobian(arguments, mode="reverse"), lambda: programs[0].jacobian(arguments, mode="forward"),
             lambda: programs[1].hessian(arguments))
    with np.errstate(all="ignore"):
        found = [flatten(call())[0] for call in calls]
        in_lanes(monkeypatch)
        expected = [flatten(call())[0] for call in calls]
    for some, others in zip(found, expected, strict=True):
        for a, b in zip(some, others, strict=True):
            largest = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * largest)
