"""Linear algebra beside PyTorch: values, gradients of two orders, names of nodes, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name

import tapediff as td

G = np.random.default_rng(5)
A = G.normal(size=(3, 3)) + 3 * np.eye(3)
B = G.normal(size=(3, 2))
V = G.normal(size=3)
STACK = G.normal(size=(2, 3, 3)) + 3 * np.eye(3)
BLOCK = G.normal(size=(4, 2, 2, 2)) + 2 * np.eye(2)
RANK_TWO = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.5]]) @ np.diag([1.0, 1.0, 0.0])


def definite(x):
    return x @ x.mT


CASES = {
    "inv": (lambda t, a: t.linalg.inv(a), A),
    "inverse method": (lambda t, a: a.inverse(), STACK),
    "inv of none": (lambda t, a: t.linalg.inv(a), np.zeros((2, 0, 0))),
    "inv of blocks": (lambda t, a: t.linalg.inv(a), BLOCK),
    "solve": (lambda t, a, b: t.linalg.solve(a, b), A, B),
    "solve vector": (lambda t, a, b: t.linalg.solve(a, b), A, V),
    "solve batch of vectors": (lambda t, a, b: t.linalg.solve(a, b), STACK, G.normal(size=(2, 3))),
    "solve batch": (lambda t, a, b: t.linalg.solve(a, b), STACK, B),
    "solve one for all": (lambda t, a, b: t.linalg.solve(a, b), A, STACK),
    "solve from the right": (lambda t, a, b: t.linalg.solve(a, b, left=False), A, B.T.copy()),
    "det": (lambda t, a: t.linalg.det(a), A),
    "det method": (lambda t, a: a.det(), STACK),
    "det of 1": (lambda t, a: t.det(a), A[:1, :1].copy()),
    "det of blocks": (lambda t, a: t.det(a), BLOCK),
    "slogdet": (lambda t, a: t.linalg.slogdet(a), STACK),
    "slogdet old": (lambda t, a: t.slogdet(-a), A),
    "logdet": (lambda t, a: a.logdet(), A @ A.T),
    "cholesky": (lambda t, a: t.linalg.cholesky(definite(a)), A),
    "cholesky upper": (lambda t, a: t.linalg.cholesky(definite(a), upper=True), STACK),
    "cholesky reads a triangle": (lambda t, a: t.linalg.cholesky(a), A @ A.T + np.triu(np.ones((3, 3)), 1)),
    "cholesky_solve": (lambda t, a, b: t.cholesky_solve(b, t.linalg.cholesky(definite(a))), A, B),
    "triangular upper": (lambda t, a, b: t.linalg.solve_triangular(a, b, upper=True), A, B),
    "triangular lower": (lambda t, a, b: t.linalg.solve_triangular(a, b, upper=False), STACK, B),
    "triangular right": (lambda t, a, b: t.linalg.solve_triangular(a, b, upper=False, left=False), A, B.T.copy()),
    "triangular unit": (lambda t, a, b: t.linalg.solve_triangular(a, b, upper=True, unitriangular=True), A, B),
    "matrix_power": (lambda t, a: t.linalg.matrix_power(a, 3), A),
    "matrix_power negative": (lambda t, a: t.linalg.matrix_power(a, -2), STACK),
    "matrix_norm": (lambda t, a: t.linalg.matrix_norm(a), STACK),
    "matrix_norm 1": (lambda t, a: t.linalg.matrix_norm(a, 1), STACK),
    "matrix_norm inf keep": (lambda t, a: t.linalg.matrix_norm(a, float("inf"), keepdim=True), STACK),
    "matrix_norm -1": (lambda t, a: t.linalg.matrix_norm(a, -1), A),
    "matrix_norm dims": (lambda t, a: t.linalg.matrix_norm(a, float("inf"), dim=(0, 1)), STACK),
    "norm": (lambda t, a: t.linalg.norm(a), STACK),
    "norm 1": (lambda t, a: t.linalg.norm(a, 1), A),
    "norm vector": (lambda t, a: t.linalg.norm(a, 3), V),
    "norm dim": (lambda t, a: t.linalg.norm(a, 1, dim=1), A),
    "norm dims": (lambda t, a: t.linalg.norm(a, "fro", dim=(0, 2), keepdim=True), STACK),
    "multi_dot": (lambda t, a, b: t.linalg.multi_dot([a, a, b]), A, B),
    "diagonal": (lambda t, a: t.linalg.diagonal(a), STACK),
    "gaussian log-density": (lambda t, a, v: -0.5 * v @ t.linalg.solve(definite(a), v) - 0.5 * t.logdet(definite(a)), A, V),
}


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    call, *arrays = CASES[name]
    check(call, *arrays)


@pytest.mark.parametrize(
    "name", ["inv", "solve", "solve from the right", "det", "slogdet", "cholesky", "triangular upper", "triangular right"]
)
def test_gradients_are_finite_differences(name):
    call, *arrays = CASES[name]
    check_finite_differences(call, *arrays)


@pytest.mark.parametrize(
    "name", ["inv", "det", "slogdet", "logdet", "cholesky", "triangular upper", "matrix_norm", "norm", "norm 1"]
)
def test_nodes_have_pytorchs_names(name):
    call, *arrays = CASES[name]
    wanted, given = graph_name(call, *arrays)
    assert given == wanted


def test_a_singular_matrix_has_a_determinant_with_a_gradient():
    check_finite_differences(lambda t, a: t.det(a), RANK_TWO)
    a = td.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    a.det().backward()
    assert np.allclose(a.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-5)


def test_float32_stays_float32():
    a = td.tensor(A.astype(np.float32), requires_grad=True)
    y = td.linalg.inv(a)
    y.sum().backward()
    assert y.dtype is td.float32
    assert a.grad.dtype is td.float32


ERRORS = {
    "inv singular": (
        lambda t: t.linalg.inv(t.zeros(2, 2)),
        "linalg.inv: The diagonal element 1 is zero, the inversion could not be completed",
    ),
    "inv second singular": (
        lambda t: t.linalg.inv(t.stack([t.eye(2), t.ones(2, 2)])),
        "linalg.inv: (Batch element 1): The diagonal element 2 is zero",
    ),
    "inv not square": (
        lambda t: t.linalg.inv(t.ones(2, 3)),
        "linalg.inv: A must be batches of square matrices, but they are 2 by 3 matrices",
    ),
    "inv of a vector": (lambda t: t.linalg.inv(t.ones(3)), "linalg.inv: The input tensor A must have at least 2 dimensions."),
    "inv of integers": (
        lambda t: t.linalg.inv(t.ones(2, 2, dtype=t.int64)),
        "Expected a floating point or complex tensor as input. Got Long",
    ),
    "solve singular": (
        lambda t: t.linalg.solve(t.zeros(2, 2), t.ones(2)),
        "The solver failed because the input matrix is singular.",
    ),
    "solve shapes": (
        lambda t: t.linalg.solve(t.eye(2), t.ones(3, 1)),
        "Incompatible shapes of A and B for the equation AX = B (2x2 and 3x1)",
    ),
    "solve dtypes": (
        lambda t: t.linalg.solve(t.eye(2), t.ones(2, dtype=t.float64)),
        "found A of type Float and B of type Double instead",
    ),
    "det not square": (
        lambda t: t.linalg.det(t.ones(2, 3)),
        "linalg.det: A must be batches of square matrices, but they are 2 by 3 matrices",
    ),
    "cholesky": (
        lambda t: t.linalg.cholesky(-t.eye(2)),
        "input is not positive-definite (the leading minor of order 1 is not positive-definite)",
    ),
    "cholesky second": (
        lambda t: t.linalg.cholesky(t.stack([t.eye(2), t.tensor([[1.0, 2], [2, 1]])])),
        "(Batch element 1): The factorization",
    ),
    "triangular vector": (
        lambda t: t.linalg.solve_triangular(t.eye(2), t.ones(2), upper=True),
        "The input tensor B must have at least 2 dimensions.",
    ),
    "matrix_norm vector": (
        lambda t: t.linalg.matrix_norm(t.ones(2)),
        "linalg.matrix_norm: The input tensor A must have at least 2 dimensions.",
    ),
    "matrix_norm order": (lambda t: t.linalg.matrix_norm(t.ones(2, 2), 3), "linalg.matrix_norm: Order 3 not supported."),
    "matrix_norm name": (lambda t: t.linalg.matrix_norm(t.ones(2, 2), "x"), "linalg.matrix_norm: Order x not supported."),
    "norm of three dims": (
        lambda t: t.linalg.norm(t.ones(2, 2, 2), 2),
        "If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.",
    ),
}


@pytest.mark.parametrize("name", [name for name in ERRORS if "singular" not in name and "cholesky" not in name])
def test_errors(name):
    check_error(*ERRORS[name])


@pytest.mark.parametrize("name", [name for name in ERRORS if "singular" in name or "cholesky" in name])
def test_linalg_errors(name):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    call, phrase = ERRORS[name]
    for library in (torch, td):
        with pytest.raises(library.linalg.LinAlgError) as caught:
            call(library)
        assert phrase in str(caught.value)
