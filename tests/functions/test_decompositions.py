"""Decompositions beside PyTorch: values, gradients of two orders, names of nodes, and every error.

What is compared does not depend on the signs of vectors: LAPACK's builds choose different ones.
"""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name

import tapediff as td

G = np.random.default_rng(11)
A = G.normal(size=(3, 3)) + 3 * np.eye(3)
TALL = G.normal(size=(4, 3))
WIDE = G.normal(size=(2, 4))
STACK = G.normal(size=(2, 3, 3)) + 3 * np.eye(3)
TALLS = G.normal(size=(2, 1, 4, 2))
B = G.normal(size=(3, 2))
V = G.normal(size=3)
RANK_ONE = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.5, 1.0, 0.0]])


def symmetric(x):
    return x + x.mT


def eigen(t, a, uplo="L"):
    values, vectors = t.linalg.eigh(symmetric(a), uplo)
    return vectors[..., :1, :] * vectors, values


def singular(t, a, full=False):
    u, s, vh = t.linalg.svd(a, full_matrices=full)
    size = min(a.shape[-2:])
    u, vh = u[..., :size], vh[..., :size, :]
    return u[..., :1, :] * u, s, vh * vh[..., :1], (u[..., :1, :] * vh.mT[..., :1, :])


def triangular(t, a, mode="reduced"):
    q, r = t.linalg.qr(a, mode)
    size = min(a.shape[-2:])
    return q[..., :size] * r.diagonal(0, -2, -1)[..., None, :].sign(), r[..., :size, :] * r.diagonal(0, -2, -1)[..., None].sign()


CASES = {
    "eigh": (eigen, A),
    "eigh of a batch": (eigen, STACK),
    "eigh upper": (lambda t, a: eigen(t, a, "U"), A),
    "eigh of 1": (eigen, A[:1, :1].copy()),
    "eigh of none": (lambda t, a: t.linalg.eigh(a), np.zeros((2, 0, 0))),
    "eigh reads a triangle": (lambda t, a: t.linalg.eigh(a).eigenvalues, A),
    "eigh of transposed": (lambda t, a: t.linalg.eigh(a.mT).eigenvalues, STACK),
    "eigvalsh": (lambda t, a: t.linalg.eigvalsh(symmetric(a)), STACK),
    "eigvalsh upper": (lambda t, a: t.linalg.eigvalsh(a, UPLO="u"), A),
    "svd": (singular, A),
    "svd tall": (singular, TALL),
    "svd wide": (singular, WIDE),
    "svd batch": (singular, TALLS),
    "svd full": (lambda t, a: singular(t, a, True), TALL),
    "svd full wide": (lambda t, a: singular(t, a, True), WIDE),
    "svd of none": (lambda t, a: t.linalg.svd(a), np.zeros((2, 0, 3))),
    "svd old": (lambda t, a: [x * x[..., :1, :] for x in t.svd(a)[::2]], TALL),
    "svd method": (lambda t, a: a.svd().S, STACK),
    "svd without vectors": (lambda t, a: t.svd(a, compute_uv=False), TALLS),
    "svdvals": (lambda t, a: t.linalg.svdvals(a), TALLS),
    "svdvals of equals": (lambda t, a: t.linalg.svdvals(a), np.eye(3)[:, :2].copy()),
    "svdvals of one": (lambda t, a: t.linalg.svdvals(a), V[None].copy()),
    "qr": (triangular, A),
    "qr tall": (triangular, TALL),
    "qr wide": (triangular, WIDE),
    "qr batch": (triangular, TALLS),
    "qr complete square": (lambda t, a: triangular(t, a, "complete"), A),
    "qr complete wide": (lambda t, a: triangular(t, a, "complete"), WIDE),
    "qr of none": (lambda t, a: t.linalg.qr(a), np.zeros((3, 0, 2))),
    "qr old": (lambda t, a: t.qr(a)[1] ** 2, TALL),
    "qr method": (lambda t, a: a.qr()[0] ** 2, TALL),
    "lu": (lambda t, a: t.linalg.lu(a), A),
    "lu tall": (lambda t, a: t.linalg.lu(a), TALL),
    "lu wide": (lambda t, a: t.linalg.lu(a), WIDE),
    "lu batch": (lambda t, a: t.linalg.lu(a), TALLS),
    "lu of none": (lambda t, a: t.linalg.lu(a), np.zeros((0, 2))),
    "lu_factor": (lambda t, a: t.linalg.lu_factor(a), STACK),
    "lu_factor wide": (lambda t, a: t.linalg.lu_factor(a), WIDE),
    "lu_factor_ex": (lambda t, a: t.linalg.lu_factor_ex(a), TALL),
    "lu old": (lambda t, a: t.lu(a), STACK),
    "lu method": (lambda t, a: a.lu(get_infos=True), A),
    "lu_unpack": (lambda t, a: t.lu_unpack(*t.linalg.lu_factor(a)), TALLS),
    "lu_unpack data": (lambda t, a: t.lu_unpack(*t.linalg.lu_factor(a), unpack_pivots=False), A),
    "lu_unpack pivots": (lambda t, a: t.lu_unpack(*t.linalg.lu_factor(a), unpack_data=False)[0], WIDE),
    **{
        f"lu_solve {left} {adjoint}": (
            lambda t, a, b, left=left, adjoint=adjoint: t.linalg.lu_solve(
                *t.linalg.lu_factor(a), b if left else b.mT, left=left, adjoint=adjoint
            ),
            STACK,
            B,
        )
        for left in (True, False)
        for adjoint in (True, False)
    },
    "lu_solve old": (lambda t, a, b: t.lu_solve(b, *t.lu(a)), A, B),
    "lu_solve method": (lambda t, a, b: b.lu_solve(*t.lu(a)), A, B),
    "cholesky_ex": (lambda t, a: t.linalg.cholesky_ex(a @ a.mT), STACK),
    "cholesky_ex upper": (lambda t, a: t.linalg.cholesky_ex(a @ a.mT, upper=True, check_errors=True), A),
    "cholesky_ex info": (
        lambda t, a: t.linalg.cholesky_ex(a).info,
        np.stack([np.diag([1.0, 2, -1]), np.eye(3), np.ones((3, 3))]),
    ),
    "cholesky_inverse": (lambda t, a: t.cholesky_inverse(t.linalg.cholesky(a @ a.mT)), STACK),
    "cholesky_inverse upper": (lambda t, a: a.triu().cholesky_inverse(upper=True), A),
    "householder": (lambda t, a, b: t.linalg.householder_product(a, b), TALL, V),
    "householder fewer": (lambda t, a, b: t.linalg.householder_product(a, b), TALL, V[:1].copy()),
    "householder batch": (lambda t, a, b: t.linalg.householder_product(a, b), TALLS, TALLS[..., 0, :].copy()),
    "orgqr": (lambda t, a, b: a.orgqr(b), TALL, V),
    "pinv": (lambda t, a: t.linalg.pinv(a), A),
    "pinv tall": (lambda t, a: t.linalg.pinv(a), TALLS),
    "pinv wide": (lambda t, a: t.linalg.pinv(a), WIDE),
    "pinv of rank one": (lambda t, a: t.linalg.pinv(a, rtol=1e-10), RANK_ONE),
    "pinv hermitian": (lambda t, a: t.linalg.pinv(symmetric(a), hermitian=True), STACK),
    "pinv atol": (lambda t, a: t.linalg.pinv(a, atol=2.0), STACK),
    "pinv atol and rtol": (lambda t, a: t.linalg.pinv(a, atol=0.1, rtol=0.6), STACK),
    "pinv tensor": (lambda t, a: t.linalg.pinv(a, atol=t.tensor([0.0, 2.0])), A),
    "pinv rcond": (lambda t, a: t.linalg.pinv(a, 0.5), STACK),
    "pinv of none": (lambda t, a: t.linalg.pinv(a), np.zeros((2, 0, 3))),
    "pinverse": (lambda t, a: t.pinverse(a), TALL),
    "pinverse method": (lambda t, a: a.pinverse(0.5), STACK),
    "matrix_rank": (lambda t, a: t.linalg.matrix_rank(a), STACK),
    "matrix_rank of rank one": (lambda t, a: t.linalg.matrix_rank(a), RANK_ONE),
    "matrix_rank hermitian": (lambda t, a: t.linalg.matrix_rank(symmetric(a), hermitian=True), A),
    "matrix_rank tol": (lambda t, a: t.linalg.matrix_rank(a, 2.0), STACK),
    "matrix_rank atol": (lambda t, a: t.linalg.matrix_rank(a, atol=t.tensor([2.0, 0.1])), STACK),
    "matrix_rank rtol": (lambda t, a: t.linalg.matrix_rank(a, rtol=0.5), STACK),
    "matrix_rank of none": (lambda t, a: t.linalg.matrix_rank(a), np.zeros((2, 0, 3))),
    **{f"cond {p}": (lambda t, a, p=p: t.linalg.cond(a, p), STACK) for p in (None, 2, -2, "nuc")},
    **{  # PyTorch's own gradient fails: it overwrites the inverse
        f"cond {p} value": (lambda t, a, p=p: t.linalg.cond(a.detach(), p), STACK)
        for p in (1, -1, float("inf"), float("-inf"), "fro")
    },
    "cond tall": (lambda t, a: t.linalg.cond(a), TALLS),
    "cond of none": (lambda t, a: t.linalg.cond(a), np.zeros((2, 0, 0))),
    **{
        f"lstsq {driver}": (lambda t, a, b, d=driver: t.linalg.lstsq(a, b, driver=d), TALL, G.normal(size=(4, 2)))
        for driver in ("gels", "gelsy", "gelsd", "gelss")
    },
    "lstsq wide": (lambda t, a, b: t.linalg.lstsq(a, b), WIDE, B[:2].copy()),
    "lstsq square": (lambda t, a, b: t.linalg.lstsq(a, b)[:3], STACK, G.normal(size=(2, 3, 1))),
    "lstsq vectors": (lambda t, a, b: t.linalg.lstsq(a, b).solution, STACK, G.normal(size=(2, 3))),
    "lstsq batch": (lambda t, a, b: t.linalg.lstsq(a, b, driver="gelsd"), TALLS, G.normal(size=(2, 1, 4, 2))),
    "lstsq nothing": (lambda t, a, b: t.linalg.lstsq(a, b).solution, np.zeros((0, 2)), np.zeros((0, 1))),
    "lstsq rcond": (lambda t, a, b: t.linalg.lstsq(a, b, 1e-8).rank, RANK_ONE, B),
    "inv_ex": (lambda t, a: t.linalg.inv_ex(a), STACK),
    "inv_ex checked": (lambda t, a: t.linalg.inv_ex(a, check_errors=True), A),
    "inv_ex info": (lambda t, a: t.linalg.inv_ex(a).info, np.stack([RANK_ONE, np.eye(3), np.zeros((3, 3))])),
    "solve_ex": (lambda t, a, b: t.linalg.solve_ex(a, b), STACK, B),
    "solve_ex right": (lambda t, a, b: t.linalg.solve_ex(a, b.mT, left=False), A, B),
    "tensorinv": (lambda t, a: t.linalg.tensorinv(a, ind=1), G.normal(size=(4, 2, 2))),
    "tensorinv 2": (lambda t, a: t.linalg.tensorinv(a), G.normal(size=(2, 3, 6))),
    "tensorsolve": (lambda t, a, b: t.linalg.tensorsolve(a, b), G.normal(size=(2, 3, 6)), B.T.copy()),
    "tensorsolve dims": (lambda t, a, b: t.linalg.tensorsolve(a, b, dims=(1,)), G.normal(size=(2, 6, 3)), B.T.copy()),
    "matrix_exp": (lambda t, a: t.matrix_exp(a), STACK),
    "matrix_exp method": (lambda t, a: (a * 0.01).matrix_exp(), A),
    "matrix_exp linalg": (lambda t, a: t.linalg.matrix_exp(a), A[:1, :1].copy()),
    "matrix_exp of none": (lambda t, a: t.linalg.matrix_exp(a), np.zeros((2, 0, 0))),
    "vander": (lambda t, a: t.linalg.vander(a), B),
    "vander N": (lambda t, a: t.linalg.vander(a, N=5), V),
    "vander of integers": (lambda t, a: t.linalg.vander(a), np.arange(4)),
    "vander old": (lambda t, a: t.vander(a.detach()), V),
    "vander old increasing": (lambda t, a: t.vander(a.detach(), 4, increasing=True), V),
    "vander old 1": (lambda t, a: t.vander(a, 1), V),
    "matrix_norm 2": (lambda t, a: t.linalg.matrix_norm(a, 2), TALLS),
    "matrix_norm -2": (lambda t, a: t.linalg.matrix_norm(a, -2, dim=(0, 2)), STACK),
    "matrix_norm nuc": (lambda t, a: t.linalg.matrix_norm(a, "nuc", dim=(2, 0), keepdim=True), STACK),
    "norm nuc": (lambda t, a: t.linalg.norm(a, "nuc"), WIDE),
    "norm 2": (lambda t, a: t.linalg.norm(a, 2), A),
}


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    call, *arrays = CASES[name]
    check(call, *arrays)


SMOOTH = [
    "eigh", "eigvalsh", "svd", "svd tall", "svd full wide", "svdvals", "qr", "qr wide", "lu", "lu wide", "lu tall",
    "lu_solve True False",
    "householder", "pinv tall", "cond None", "lstsq gels", "lstsq wide", "matrix_exp", "tensorinv", "cholesky_inverse",
]  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_finite_differences(name):
    call, *arrays = CASES[name]
    check_finite_differences(call, *arrays)


NAMED = [
    "eigh reads a triangle", "eigvalsh", "svdvals", "svd method", "qr old", "lu_factor", "lu_solve True False", "pinv",
    "matrix_exp", "inv_ex", "solve_ex", "cholesky_ex", "householder", "lstsq gelsd", "cond None", "vander", "matrix_norm 2",
    "norm nuc", "tensorsolve", "cholesky_inverse",
]  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        lambda t, a: t.linalg.cond(a, 1),
        lambda t, a: t.linalg.cond(a, float("-inf")),
        lambda t, a: t.linalg.cond(a, "fro"),
        lambda t, a: t.vander(a[0]),
    ],
)
def test_gradients_that_pytorch_refuses_are_finite_differences(call):
    check_finite_differences(call, A)


@pytest.mark.parametrize("name", NAMED)
def test_nodes_have_pytorchs_names(name):
    call, *arrays = CASES[name]
    wanted, given = graph_name(call, *arrays)
    assert given == wanted


def test_decompositions_multiply_to_the_matrix():
    a = td.tensor(TALL)
    u, s, vh = td.linalg.svd(a)
    assert u.shape == (4, 4)
    assert np.allclose((u[:, :3] * s @ vh).numpy(), TALL)
    assert np.allclose((u.mT @ u).numpy(), np.eye(4))
    for mode, sizes in (("reduced", (4, 3)), ("complete", (4, 4))):
        q, r = td.linalg.qr(a, mode)
        assert q.shape == sizes
        assert np.allclose((q @ r).numpy(), TALL)
    p, lower, upper = td.linalg.lu(a)
    assert np.allclose((p @ lower @ upper).numpy(), TALL)
    values, vectors = td.linalg.eigh(td.tensor(A + A.T))
    assert np.allclose((vectors * values @ vectors.mT).numpy(), A + A.T)


def test_what_does_not_depend_on_vectors_has_a_derivative_at_equal_eigenvalues():
    a = td.eye(3, dtype=td.float64).requires_grad_()
    values, _ = td.linalg.eigh(a)
    (values**2).sum().backward()
    assert np.allclose(a.grad.numpy(), 2 * np.eye(3))
    a = td.eye(3, dtype=td.float64).requires_grad_()
    td.linalg.svd(a).S.sum().backward()
    assert np.allclose(a.grad.numpy(), np.eye(3))


def test_float32_stays_float32():
    for call in (
        lambda x: td.linalg.eigh(x)[1],
        lambda x: td.linalg.svd(x)[0],
        td.linalg.svdvals,
        lambda x: td.linalg.qr(x)[1],
        lambda x: td.linalg.lu(x)[2],
        td.linalg.pinv,
        td.matrix_exp,
        lambda x: td.linalg.lstsq(x, td.ones(3, 2)).solution,
        td.linalg.cond,
    ):
        a = td.tensor(A.astype(np.float32), requires_grad=True)
        y = call(a)
        y.sum().backward()
        assert y.dtype is td.float32
        assert a.grad.dtype is td.float32


def test_tangents_are_those_of_finite_differences():
    direction, step = td.tensor(G.normal(size=(3, 3))), 1e-6
    for function in (td.linalg.eigvalsh, td.linalg.svdvals, td.linalg.pinv, td.matrix_exp, lambda x: td.linalg.lu(x)[2]):
        _, tangent = td.func.jvp(function, (td.tensor(A),), (direction,))
        ends = [function(td.tensor(A) + sign * step * direction) for sign in (1, -1)]
        if function is td.linalg.eigvalsh:  # a rule for symmetric matrices
            ends = [function(td.tensor(A + A.T) / 2 + sign * step * (direction + direction.mT) / 2) for sign in (1, -1)]
            _, tangent = td.func.jvp(function, (td.tensor(A + A.T) / 2,), ((direction + direction.mT) / 2,))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert np.allclose(tangent.numpy(), slope.numpy(), rtol=1e-6, atol=1e-6)


def test_batches_of_programs_are_loops():
    rows = td.tensor(np.stack([STACK[0], STACK[1], A]))

    def loss(a):
        s = td.linalg.svd(a + a.mT).S
        values, vectors = td.linalg.eigh(a @ a.mT)
        return (s * s).sum() + (vectors[0] ** 2 * values).sum() + td.linalg.pinv(a).sum() + td.linalg.lu(a).U.sum()

    found = td.func.vmap(td.func.grad(loss))(rows)
    for row, gradient in zip(rows, found, strict=True):
        assert np.allclose(gradient.numpy(), td.func.grad(loss)(row).numpy())


def test_the_complete_q_of_a_tall_matrix_has_no_derivative():
    a = td.tensor(TALL, requires_grad=True)
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete' and nrows > ncols"):
        td.linalg.qr(a, "complete").Q.sum().backward()


NAN = float("nan")
ERRORS = {
    "eigh not square": (
        lambda t: t.linalg.eigh(t.ones(2, 3)),
        "linalg.eigh: A must be batches of square matrices, but they are 2 by 3",
    ),
    "eigh of a vector": (lambda t: t.linalg.eigh(t.ones(2)), "linalg.eigh: The input tensor A must have at least 2 dimensions."),
    "eigh of integers": (lambda t: t.linalg.eigh(t.ones(2, 2).long()), "\"linalg_eigh_cpu\" not implemented for 'Long'"),
    "eigh triangle": (lambda t: t.linalg.eigh(t.ones(2, 2), "X"), "Expected UPLO argument to be 'L' or 'U', but got X"),
    "svd of a vector": (lambda t: t.linalg.svd(t.ones(2)), "linalg.svd: The input tensor A must have at least 2 dimensions."),
    "svd of integers": (
        lambda t: t.linalg.svd(t.ones(2, 2).long()),
        "Expected a floating point or complex tensor as input. Got Long",
    ),
    "svd driver": (
        lambda t: t.linalg.svd(t.eye(2), driver="gesvd"),
        "keyword argument `driver=` is only supported on CUDA inputs",
    ),
    "qr mode": (lambda t: t.linalg.qr(t.eye(2), "x"), "qr received unrecognized mode 'x' but expected one of 'reduced'"),
    "qr of a vector": (lambda t: t.linalg.qr(t.ones(2)), "linalg.qr: The input tensor A must have at least 2 dimensions."),
    "lu_factor singular": (
        lambda t: t.linalg.lu_factor(t.ones(2, 2)),
        "torch.linalg.lu_factor: U[2,2] is zero and using it on lu_solve",
    ),
    "lu_factor_ex checked": (
        lambda t: t.linalg.lu_factor_ex(t.zeros(2, 2), check_errors=True),
        "torch.linalg.lu_factor_ex: U[1,1] is zero and using it on lu_solve",
    ),
    "lu without pivots": (lambda t: t.linalg.lu(t.eye(2), pivot=False), "LU without pivoting is not implemented on the CPU"),
    "lu of a vector": (
        lambda t: t.linalg.lu(t.ones(2)),
        "linalg.lu: Expected tensor with 2 or more dimensions. Got size: [2] instead",
    ),
    "lu_solve pivots": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 2]), t.ones(2, 1)),
        "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32",
    ),
    "lu_solve large pivot": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 7]).int(), t.ones(2, 1)),
        "Pivots given to lu_solve must all be smaller or equal to LU.size(-2)",
    ),
    "lu_solve small pivot": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 0]).int(), t.ones(2, 1)),
        "Pivots given to lu_solve must all be greater or equal to 1",
    ),
    "lu_solve vector": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 2]).int(), t.ones(2)),
        "linalg.lu_solve: The input tensor B must have at least 2 dimensions.",
    ),
    "lu_solve shapes": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 2]).int(), t.ones(3, 1)),
        "linalg.lu_solve: Incompatible shapes of A and B for the equation AX = B (2x2 and 3x1)",
    ),
    "lu_solve counts": (
        lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1]).int(), t.ones(2, 1)),
        "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix",
    ),
    "lu_unpack pivots": (
        lambda t: t.lu_unpack(t.eye(2), t.tensor([1, 2])),
        "torch.lu_unpack: LU_pivots is expected to be a contiguous",
    ),
    "lu_unpack large pivot": (
        lambda t: t.lu_unpack(t.eye(2), t.tensor([1, 5]).int()),
        "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.",
    ),
    "householder wide": (
        lambda t: t.linalg.householder_product(t.ones(2, 3), t.ones(2)),
        "input.shape[-2] must be greater than or equal to input.shape[-1]",
    ),
    "householder tau": (
        lambda t: t.linalg.householder_product(t.ones(3, 2), t.ones(3)),
        "input.shape[-1] must be greater than or equal to tau.shape[-1]",
    ),
    "householder dims": (
        lambda t: t.linalg.householder_product(t.ones(3, 2), t.ones(2, 1)),
        "Expected tau to have one dimension less than input, but got tau.ndim equal to 2 and input.ndim is equal to 2",
    ),
    "householder batch": (
        lambda t: t.linalg.householder_product(t.ones(2, 3, 2), t.ones(1, 2)),
        "Expected batch dimensions of tau to be equal to input.shape[:-2], but got [1]",
    ),
    "pinv of a vector": (
        lambda t: t.linalg.pinv(t.ones(2)),
        "linalg.pinv(Float{[2]}): expected a tensor with 2 or more dimensions",
    ),
    "pinv hermitian": (
        lambda t: t.linalg.pinv(t.ones(2, 3), hermitian=True),
        "linalg.eigh: A must be batches of square matrices",
    ),
    "matrix_rank of a vector": (
        lambda t: t.linalg.matrix_rank(t.ones(2)),
        "The input tensor input must have at least 2 dimensions.",
    ),
    "matrix_rank of integers": (
        lambda t: t.linalg.matrix_rank(t.ones(2, 2).long()),
        "This function doesn't handle types other than float and double",
    ),
    "cond of a vector": (lambda t: t.linalg.cond(t.ones(2)), "linalg.cond: The input tensor must have at least 2 dimensions."),
    "cond norm": (lambda t: t.linalg.cond(t.ones(2, 2), 3), "linalg.cond got an invalid norm type: 3"),
    "cond not square": (lambda t: t.linalg.cond(t.ones(2, 3), 1), "linalg.cond(ord=1): A must be batches of square matrices"),
    "lstsq of a vector": (
        lambda t: t.linalg.lstsq(t.ones(2), t.ones(2)),
        "torch.linalg.lstsq: input must have at least 2 dimensions.",
    ),
    "lstsq number": (
        lambda t: t.linalg.lstsq(t.eye(2), t.tensor(1.0)),
        "torch.linalg.lstsq: other must have at least 1 dimension.",
    ),
    "lstsq shapes": (
        lambda t: t.linalg.lstsq(t.eye(2), t.ones(3, 1)),
        "torch.linalg.lstsq: input.size(-2) should match other.size(-2)",
    ),
    "lstsq vector": (
        lambda t: t.linalg.lstsq(t.eye(2), t.ones(3)),
        "torch.linalg.lstsq: input.size(-2) should match other.size(-1)",
    ),
    "lstsq dims": (lambda t: t.linalg.lstsq(t.ones(4, 3, 2), t.ones(3)), "input.dim() must be greater or equal to other.dim()"),
    "lstsq batches": (
        lambda t: t.linalg.lstsq(t.ones(4, 2, 2), t.ones(3, 2, 1)),
        "The size of tensor a (4) must match the size of tensor b (3)",
    ),
    "lstsq dtypes": (
        lambda t: t.linalg.lstsq(t.eye(2), t.ones(2, 1).double()),
        "Expected input and other to have the same dtype",
    ),
    "lstsq driver": (
        lambda t: t.linalg.lstsq(t.eye(2), t.ones(2, 1), driver="q"),
        "should be one of (gels, gelsy, gelsd, gelss)",
    ),
    "matrix_exp not square": (lambda t: t.matrix_exp(t.ones(2, 3)), "linalg.matrix_exp: A must be batches of square matrices"),
    "matrix_exp of integers": (
        lambda t: t.matrix_exp(t.ones(2, 2).long()),
        "Expected a floating point or complex tensor as input. Got Long",
    ),
    "tensorinv": (lambda t: t.linalg.tensorinv(t.ones(2, 3)), "prod(self.shape[ind:]) == prod(self.shape[:ind]), but got 1 != 6"),
    "tensorinv ind": (
        lambda t: t.linalg.tensorinv(t.ones(2, 2), ind=0),
        "Expected a strictly positive integer for 'ind', but got 0",
    ),
    "tensorsolve": (lambda t: t.linalg.tensorsolve(t.ones(2, 3), t.ones(2)), "prod(self.shape[:other.ndim]), but got 3 != 2"),
    "vander": (lambda t: t.linalg.vander(t.ones(2), N=1), "N must be greater than 1."),
    "vander old dims": (lambda t: t.vander(t.ones(2, 2)), "x must be a one-dimensional tensor."),
    "vander old N": (lambda t: t.vander(t.ones(2), N=-1), "N must be non-negative."),
    "inv_ex": (lambda t: t.linalg.inv_ex(t.ones(2, 3)), "linalg.inv: A must be batches of square matrices"),
    "cholesky_ex": (lambda t: t.linalg.cholesky_ex(t.ones(2, 3)), "linalg.cholesky: A must be batches of square matrices"),
    "cholesky_inverse": (lambda t: t.cholesky_inverse(t.ones(2, 3)), "cholesky_inverse: A must be batches of square matrices"),
}
LINALG_ERRORS = {
    "svd nan": (lambda t: t.linalg.svd(t.full((2, 2), NAN)), "linalg.svd: The algorithm failed to converge"),
    "svdvals second nan": (
        lambda t: t.linalg.svdvals(t.stack([t.eye(2), t.full((2, 2), NAN)])),
        "linalg.svd: (Batch element 1): The algorithm failed to converge because the input matrix contained non-finite values.",
    ),
    "pinv nan": (lambda t: t.linalg.pinv(t.full((2, 2), NAN)), "because the input matrix contained non-finite values."),
    "inv_ex": (lambda t: t.linalg.inv_ex(t.ones(2, 2), check_errors=True), "linalg.inv_ex: The diagonal element 2 is zero"),
    "solve_ex": (
        lambda t: t.linalg.solve_ex(t.zeros(2, 2), t.ones(2), check_errors=True),
        "torch.linalg.solve_ex: The solver failed because the input matrix is singular.",
    ),
    "cholesky_ex": (
        lambda t: t.linalg.cholesky_ex(-t.eye(2), check_errors=True),
        "linalg.cholesky_ex: The factorization could not be",
    ),
    "tensorsolve": (
        lambda t: t.linalg.tensorsolve(t.ones(2, 2), t.ones(2)),
        "The solver failed because the input matrix is singular.",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    check_error(*ERRORS[name])


@pytest.mark.parametrize("name", LINALG_ERRORS)
def test_linalg_errors(name):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    call, phrase = LINALG_ERRORS[name]
    for library in (torch, td):
        with pytest.raises(library.linalg.LinAlgError) as caught:
            call(library)
        assert phrase in str(caught.value)


def test_nan_spreads_where_pytorch_raises_nothing():
    a = td.full((2, 2), NAN)
    for found in (*td.linalg.eigh(a), td.linalg.eigvalsh(a), td.matrix_exp(a), td.linalg.qr(a).Q, td.linalg.lu(a).U[0]):
        assert np.isnan(found.numpy()).all()
    values = td.linalg.svdvals(td.tensor([[[1.0, 0.0], [0.0, 2.0]], [[float("inf"), 0.0], [0.0, 1.0]]]))
    assert values[0].tolist() == [2.0, 1.0]
    assert np.isnan(values[1].numpy()).all()


def test_a_matrix_that_is_not_definite_leaves_the_others_of_a_batch_alone():
    a = np.stack([np.diag([4.0, 9.0]), np.diag([1.0, -1.0])])
    factor, info = td.linalg.cholesky_ex(td.tensor(a))
    assert factor[0].tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert np.isnan(factor[1].numpy()).all()
    assert info.tolist() == [0, 2]
