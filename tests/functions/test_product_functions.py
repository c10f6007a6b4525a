"""Products against PyTorch: every rank, names in the graph, two orders of gradients, errors; and against finite differences."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td
from tapediff.functions.products import cheapest_splits, multi_dot, vecdot

FORMS = {
    "dot": (lambda t, a, b: t.dot(a, b), (3,), (3,)),
    "vdot": (lambda t, a, b: a.vdot(b), (3,), (3,)),
    "mv": (lambda t, a, b: a.mv(b), (2, 3), (3,)),
    "mm": (lambda t, a, b: t.mm(a, b), (2, 3), (3, 4)),
    "bmm": (lambda t, a, b: t.bmm(a, b), (4, 2, 3), (4, 3, 2)),
    "1@1": (lambda t, a, b: a @ b, (3,), (3,)),
    "1@2": (lambda t, a, b: a @ b, (3,), (3, 2)),
    "2@1": (lambda t, a, b: t.matmul(a, b), (2, 3), (3,)),
    "2@2": (lambda t, a, b: a.matmul(b), (2, 3), (3, 4)),
    "3@1": (lambda t, a, b: a @ b, (5, 2, 3), (3,)),
    "3@2": (lambda t, a, b: a @ b, (4, 2, 3), (3, 2)),
    "1@3": (lambda t, a, b: a @ b, (3,), (5, 3, 2)),
    "2@3": (lambda t, a, b: a @ b, (2, 3), (4, 3, 1)),
    "3@3": (lambda t, a, b: a @ b, (5, 2, 3), (5, 3, 2)),
    "4@3": (lambda t, a, b: a @ b, (4, 1, 2, 3), (5, 3, 2)),
    "stack of one": (lambda t, a, b: a @ b, (1, 2, 3), (5, 3, 4)),
    "no rows": (lambda t, a, b: a @ b, (0, 3), (3, 2)),
    "no inner": (lambda t, a, b: a @ b, (2, 0), (0, 3)),
    "no stack": (lambda t, a, b: a @ b, (0, 2, 3), (0, 3, 2)),
    "same twice": (lambda t, a: a @ a @ a[0], (3, 3)),
    "transposed": (lambda t, a: a @ a.T, (2, 3)),
    "addmm": (lambda t, c, a, b: t.addmm(c, a, b, beta=0.5, alpha=2), (2, 4), (2, 3), (3, 4)),
    "addmm row": (lambda t, c, a, b: c.addmm(a, b), (4,), (2, 3), (3, 4)),
    "addmm column": (lambda t, c, a, b: t.addmm(c, a, b), (2, 1), (2, 3), (3, 4)),
    "addmm number": (lambda t, c, a, b: t.addmm(c, a, b), (), (2, 3), (3, 4)),
    "addmm beta 0": (lambda t, c, a, b: t.addmm(c, a, b, beta=0), (2, 4), (2, 3), (3, 4)),
    "baddbmm": (lambda t, c, a, b: t.baddbmm(c, a, b, beta=2, alpha=3), (5, 2, 4), (5, 2, 3), (5, 3, 4)),
    "baddbmm row": (lambda t, c, a, b: t.baddbmm(c, a, b), (1, 4), (5, 2, 3), (5, 3, 4)),
    "addmv": (lambda t, c, a, b: t.addmv(c, a, b, beta=0.5, alpha=2), (2,), (2, 3), (3,)),
    "addr": (lambda t, c, a, b: t.addr(c, a, b, beta=0.5, alpha=2), (2, 3), (2,), (3,)),
    "addbmm": (lambda t, c, a, b: t.addbmm(c, a, b, beta=0.5, alpha=2), (2, 4), (5, 2, 3), (5, 3, 4)),
    "outer": (lambda t, a, b: t.outer(a, b), (2,), (3,)),
    "ger": (lambda t, a, b: a.ger(b), (2,), (3,)),
    "inner": (lambda t, a, b: t.inner(a, b), (2, 3), (4, 3)),
    "inner of vectors": (lambda t, a, b: t.inner(a, b), (3,), (3,)),
    "inner of a number": (lambda t, a, b: t.inner(a, b), (), (3,)),
    "tensordot": (lambda t, a, b: t.tensordot(a, b, dims=2), (2, 3, 4), (3, 4, 5)),
    "tensordot lists": (lambda t, a, b: t.tensordot(a, b, dims=([2, 1], [1, 0])), (2, 3, 4), (3, 4, 5)),
    "tensordot all": (lambda t, a, b: t.tensordot(a, b, dims=([0, 1], [1, 0])), (2, 3), (3, 2)),
    "tensordot none": (lambda t, a, b: t.tensordot(a, b, dims=0), (2,), (3,)),
    "kron": (lambda t, a, b: t.kron(a, b), (2, 3), (3, 2)),
    "kron of ranks": (lambda t, a, b: t.kron(a, b), (2,), (3, 2)),
    "cross": (lambda t, a, b: t.cross(a, b, dim=1), (2, 3), (2, 3)),
    "cross broadcast": (lambda t, a, b: t.cross(a, b, dim=0), (3, 2), (3, 1)),
    "matrix_power": (lambda t, a: t.matrix_power(a, 5), (3, 3)),
    "matrix_power of a stack": (lambda t, a: t.matrix_power(a, 3), (2, 3, 3)),
    "chain_matmul": (lambda t, a, b, c: t.chain_matmul(a, b, c), (2, 3), (3, 4), (4, 5)),
}
# PyTorch's names of these depend on how its operands lie in memory
UNNAMED = {
    "2@3",
    "stack of one",
    "same twice",
    "transposed",
    "inner of vectors",
    "tensordot all",
    "chain_matmul",
    "kron",
    "kron of ranks",
    "matrix_power of a stack",
}
EINSUMS = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "ij,jk": ((2, 3), (3, 4)),
    "ij,jk->ki": ((2, 3), (3, 4)),
    "i j, j k -> i k": ((2, 3), (3, 4)),
    "Ij,jK->IK": ((2, 3), (3, 4)),
    "ij,ji->": ((2, 3), (3, 2)),
    "ij,jk->": ((2, 3), (3, 4)),
    "ij,kl->ijkl": ((2, 3), (3, 2)),
    "ij,ij->ij": ((2, 3), (2, 3)),
    "ij,ij->i": ((2, 3), (2, 3)),
    "ij,i->ij": ((2, 3), (2,)),
    "i,->i": ((3,), ()),
    "i,i->": ((3,), (3,)),
    "ii": ((3, 3),),
    "ii->i": ((3, 3),),
    "ij->ji": ((2, 3),),
    "ij->": ((2, 3),),
    "ij->i": ((2, 3),),
    "...": ((2, 3),),
    "iij,jk->ik": ((2, 2, 3), (3, 4)),
    "i,ij,j->": ((3,), (3, 3), (3,)),
    "ij,jk,kl->il": ((2, 3), (3, 4), (4, 2)),
    "a,b,c,d->": ((2,), (3,), (2,), (2,)),
    "ij,j,ij->j": ((2, 3), (3,), (2, 3)),
    "bij,bjk->bik": ((2, 2, 3), (2, 3, 2)),
    "bij,bjk->b": ((2, 2, 3), (2, 3, 2)),
    "...j,jk->...k": ((2, 2, 3), (3, 4)),
    "...ij,...jk->...ik": ((2, 2, 3), (1, 3, 4)),
    "...,...": ((2, 3), (3,)),
    "i...->...": ((2, 3, 4),),
    "ij,jk->ik ": ((2, 3), (1, 4)),
}


@pytest.mark.parametrize("name", FORMS)
def test_products_are_pytorchs_to_second_order(name):
    call, *shapes = FORMS[name]
    check(call, *numbers(*shapes))


@pytest.mark.parametrize("name", [name for name in FORMS if name not in UNNAMED])
def test_names_in_the_graph_are_pytorchs(name):
    call, *shapes = FORMS[name]
    wanted, given = graph_name(call, *numbers(*shapes))
    assert given == wanted


@pytest.mark.parametrize("equation", EINSUMS)
def test_einsums_are_pytorchs_to_second_order(equation):
    check(lambda t, *operands: t.einsum(equation, *operands), *numbers(*EINSUMS[equation]))


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ii->i", "ii", "ij->ji", "i,j->ij", "i,ij,j->"])
def test_einsums_end_in_pytorchs_node(equation):
    shapes = {"i,j->ij": ((2,), (3,))}.get(equation) or EINSUMS[equation]
    wanted, given = graph_name(lambda t, *operands: t.einsum(equation, *operands), *numbers(*shapes))
    assert given == wanted


def test_einsum_takes_lists_of_numbers_for_letters():
    check(lambda t, a, b: t.einsum(a, [0, 1], b, [1, 2], [2, 0]), *numbers((2, 3), (3, 4)))
    check(lambda t, a, b: t.einsum(a, [..., 1], b, [1, 2]), *numbers((2, 3), (3, 4)))
    check(lambda t, a, b: t.einsum("ij,jk", [a, b]), *numbers((2, 3), (3, 4)))


@pytest.mark.parametrize("name", ["2@2", "3@3", "1@3", "addmm", "baddbmm row", "mv", "cross", "kron", "tensordot lists"])
def test_gradients_are_finite_differences(name):
    call, *shapes = FORMS[name]
    check_finite_differences(call, *numbers(*shapes))


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_integers_are_multiplied_exactly(dtype):
    a, b = np.arange(6, dtype=dtype).reshape(2, 3), np.arange(12, dtype=dtype).reshape(3, 4) * 1_000_003
    assert (td.tensor(a) @ td.tensor(b)).tolist() == (a.astype(np.int64) @ b).tolist()
    assert td.einsum("ij,jk->k", td.tensor(a), td.tensor(b)).tolist() == (a.sum(0) @ b).tolist()
    total = td.addmm(td.tensor(np.ones(4, dtype)), td.tensor(a), td.tensor(b), alpha=2)
    assert total.tolist() == (1 + 2 * (a.astype(np.int64) @ b)).tolist()


def test_beta_0_hides_what_the_input_holds():
    total = td.addmm(td.tensor([[float("nan")]]), td.tensor([[2.0]]), td.tensor([[3.0]]), beta=0)
    assert total.item() == 6


def test_values_that_are_inf_or_nan_pass_through_products():
    a = td.tensor([[1.0, float("inf")], [float("nan"), 1.0]])
    assert str((a @ td.tensor([1.0, 1.0])).tolist()) == "[inf, nan]"


def test_a_numpy_array_may_stand_on_either_side():
    a = td.tensor([[1.0, 2.0]])
    assert (a @ np.array([[3.0], [4.0]], np.float32)).item() == 11
    assert (np.array([[3.0], [4.0]], np.float32) @ a).tolist() == [[3.0, 6.0], [4.0, 8.0]]


def test_the_cheapest_order_of_a_chain_is_found():
    assert cheapest_splits([10, 100, 5, 50])[0, 2] == 1  # (A B) C: 7,500 multiplications; A (B C): 75,000
    assert cheapest_splits([50, 5, 100, 10])[0, 2] == 0
    a, b, c = (td.tensor(x) for x in numbers((2, 3), (3, 4), (4,)))
    assert np.allclose(multi_dot([a, b, c]).tolist(), (a @ b @ c).tolist())


def test_vecdot_is_a_sum_of_products():
    a, b = numbers((2, 3), (2, 3))
    assert vecdot(td.tensor(a), td.tensor(b)).tolist() == pytest.approx((a * b).sum(-1).tolist())


ERRORS = {
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)": lambda t: t.ones(2, 3) @ t.ones(2, 3),
    "mat1 and mat2 shapes cannot be multiplied (10x3 and 2x2)": lambda t: t.ones(5, 2, 3) @ t.ones(2, 2),
    "mat1 and mat2 shapes cannot be multiplied (1x3 and 2x2)": lambda t: t.ones(3) @ t.ones(2, 2),
    "size mismatch, got input (2), mat (2x3), vec (2)": lambda t: t.ones(2, 3) @ t.ones(2),
    "inconsistent tensor size, expected tensor [3] and src [2]": lambda t: t.ones(3) @ t.ones(2),
    "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].": lambda t: (
        t.ones(2, 3, 4) @ t.ones(2, 3, 4)
    ),
    "must match the size of tensor b": lambda t: t.ones(2, 3, 4) @ t.ones(5, 4, 3),
    "both arguments to matmul need to be at least 1D, but they are 0D and 1D": lambda t: t.tensor(1.0) @ t.ones(3),
    "expected m1 and m2 to have the same dtype, but got: float != double": lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64),
    "expected scalar type Float but found Double": lambda t: t.ones(2, 2, 2) @ t.ones(2, 2, 2, dtype=t.float64),
    "dot : expected both vectors to have same dtype, but found Float and Double": lambda t: t.ones(2).dot(
        t.ones(2, dtype=t.float64)
    ),
    "addmv input tensors must have the same dtype": lambda t: t.ones(2, 2).mv(t.ones(2, dtype=t.float64)),
    "not implemented for 'Bool'": lambda t: t.ones(2, 2, dtype=t.bool) @ t.ones(2, 2, dtype=t.bool),
    "self must be a matrix": lambda t: t.mm(t.ones(2), t.ones(2, 2)),
    "mat2 must be a matrix": lambda t: t.mm(t.ones(2, 2), t.ones(2)),
    "vector + matrix @ vector expected": lambda t: t.mv(t.ones(2), t.ones(2)),
    "batch1 must be a 3D tensor": lambda t: t.bmm(t.ones(2, 3), t.ones(3, 2)),
    "to be: [2, 4] but got: [3, 4].": lambda t: t.bmm(t.ones(2, 3, 4), t.ones(3, 4, 2)),
    "1D tensors expected, but got 2D and 1D tensors": lambda t: t.dot(t.ones(2, 2), t.ones(2)),
    "Expected 1-D argument self, but got 2-D": lambda t: t.outer(t.ones(2, 2), t.ones(2)),
    "the last dimension must match on both input tensors but got shapes [2, 3] and [4]": lambda t: t.inner(
        t.ones(2, 3), t.ones(4)
    ),
    "must be Tensor, not int": lambda t: t.mm(3, t.ones(2, 2)),
    "unsupported operand type(s) for @: 'Tensor' and 'int'": lambda t: t.ones(2) @ 3,
    "The expanded size of the tensor (4) must match the existing size (2)": lambda t: t.addmm(
        t.ones(2), t.ones(2, 3), t.ones(3, 4)
    ),
    "mat1 must be a matrix, got 1-D tensor": lambda t: t.addmm(t.ones(2), t.ones(3), t.ones(3, 4)),
    "size mismatch, got input (4), mat (2x3), vec (3)": lambda t: t.addmv(t.ones(4), t.ones(2, 3), t.ones(3)),
    "inputs dimension 0 must have length 3. Got 2 and 2": lambda t: t.cross(t.ones(2, 2), t.ones(2, 2), dim=0),
    "contracted dimensions need to match": lambda t: t.tensordot(t.ones(2, 3), t.ones(2, 3), dims=1),
    "both dimension lists should have same length": lambda t: t.tensordot(t.ones(2, 3), t.ones(2, 3), dims=([0], [0, 1])),
    "subscript j has size 2 for operand 1 which does not broadcast with previously seen size 3": lambda t: t.einsum(
        "ij,jk->ik", t.ones(2, 3), t.ones(2, 3)
    ),
    "fewer operands were provided than specified in the equation": lambda t: t.einsum("ij,jk->ik", t.ones(2, 3)),
    "more operands were provided than specified in the equation": lambda t: t.einsum("ij", t.ones(2, 3), t.ones(2)),
    "the number of subscripts in the equation (3) does not match the number of dimensions (2) for operand 0": lambda t: t.einsum(
        "ijk->i", t.ones(2, 3)
    ),
    "output subscript k does not appear in the equation for any input operand": lambda t: t.einsum("ij->k", t.ones(2, 3)),
    "output subscript i appears more than once in the output": lambda t: t.einsum("ij->ii", t.ones(2, 3)),
    "subscripts must be in [a-zA-Z]": lambda t: t.einsum("i1->i", t.ones(2, 3)),
    "subscript i is repeated for operand 0 but the sizes don't match": lambda t: t.einsum("ii", t.ones(2, 3)),
    "found '.' for operand 0 that is not part of any ellipsis": lambda t: t.einsum("..ij->i", t.ones(2, 3)),
    "covered by ellipsis in operand 1": lambda t: t.einsum("...,...", t.ones(2), t.ones(3)),
    "must specify the equation string and at least one operand": lambda t: t.einsum("ij"),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors_are_pytorchs(phrase):
    check_error(ERRORS[phrase], phrase)


LINALG = {
    "cross": lambda t, a, b: t.linalg.cross(a, b),
    "vecdot": lambda t, a, b: t.linalg.vecdot(a, b),
    "multi_dot": lambda t, a, b: t.linalg.multi_dot([a, b.T, a]),
    "norm": lambda t, a, b: t.linalg.norm(a),
    "norm of vectors": lambda t, a, b: t.linalg.norm(a, 1, dim=0),
    "norm of a matrix": lambda t, a, b: t.linalg.norm(b, "fro"),
}


@pytest.mark.parametrize("name", LINALG)
def test_linalg_is_pytorchs_to_second_order(name):
    check(LINALG[name], *numbers((2, 3), (2, 3)))
