"""Rearranged elements: values, gradients of two orders, and every error."""

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td

M, V, R = numbers((3, 4), (5,), (2, 3, 4))
N = np.array(1.5)
NAN = np.array([[np.nan, np.inf], [1.0, np.nan]])

CASES = {
    "flip": (lambda t, x: x.flip(0), M),
    "flip dims": (lambda t, x: t.flip(x, (0, -1)), R),
    "flip arguments": (lambda t, x: x.flip(0, 2), R),
    "flip keyword": (lambda t, x: t.flip(x, dims=[1]), M),
    "flip nothing": (lambda t, x: x.flip(()), M),
    "flip number": (lambda t, x: x.flip(0), N),
    "fliplr": (lambda t, x: x.fliplr(), M),
    "flipud": (lambda t, x: t.flipud(x), V),
    "roll": (lambda t, x: x.roll(1), M),
    "roll dim": (lambda t, x: x.roll(-2, 1), M),
    "roll dims": (lambda t, x: t.roll(x, (1, 2), (0, -1)), R),
    "roll one dim twice": (lambda t, x: x.roll((1, 1), (0, 0)), M),
    "roll keywords": (lambda t, x: t.roll(x, shifts=7, dims=0), V),
    "roll number": (lambda t, x: x.roll(1), N),
    "rot90": (lambda t, x: x.rot90(), M),
    "rot90 three times": (lambda t, x: t.rot90(x, 3, [0, 1]), M),
    "rot90 back": (lambda t, x: t.rot90(x, -1, (2, 0)), R),
    "rot90 twice": (lambda t, x: x.rot90(k=2, dims=(1, 2)), R),
    "tril": (lambda t, x: x.tril(), M),
    "tril above": (lambda t, x: t.tril(x, diagonal=1), R),
    "triu": (lambda t, x: x.triu(-1), M),
    "triu far": (lambda t, x: t.triu(x, 9), M),
    "tril of nan": (lambda t, x: x.tril(-1), NAN),
    "repeat": (lambda t, x: x.repeat(2, 3), M),
    "repeat to more dims": (lambda t, x: x.repeat((2, 1, 2)), V),
    "repeat keyword": (lambda t, x: x.repeat(repeats=(2,)), V),
    "repeat no times": (lambda t, x: x.repeat(0, 2), M),
    "repeat number": (lambda t, x: x.repeat(3), N),
    "tile": (lambda t, x: t.tile(x, (2,)), M),
    "tile arguments": (lambda t, x: x.tile(2, 1, 2), M),
    "repeat_interleave": (lambda t, x: x.repeat_interleave(2), M),
    "repeat_interleave dim": (lambda t, x: t.repeat_interleave(x, 3, dim=-1), M),
    "repeat_interleave counts": (lambda t, x: x.repeat_interleave(t.tensor([2, 0, 1]), dim=0), M),
    "repeat_interleave flat counts": (lambda t, x: x.repeat_interleave(t.tensor([2, 0, 1, 1, 3])), V),
    "repeat_interleave one count": (lambda t, x: x.repeat_interleave(t.tensor([2]), dim=1), M),
    "repeat_interleave size": (lambda t, x: x.repeat_interleave(t.tensor([2, 0, 1]), 0, output_size=3), M),
    "repeat_interleave number": (lambda t, x: x.repeat_interleave(2), N),
    "repeat_interleave positions": (lambda t: t.repeat_interleave(t.tensor([1, 0, 3])),),
    "diag of a vector": (lambda t, x: x.diag(), V),
    "diag above": (lambda t, x: t.diag(x, 2), V),
    "diag of a matrix": (lambda t, x: x.diag(), M),
    "diag of a matrix below": (lambda t, x: x.diag(diagonal=-1), M),
    "diag of a matrix outside": (lambda t, x: x.diag(7), M),
    "diag_embed": (lambda t, x: x.diag_embed(), M),
    "diag_embed dims": (lambda t, x: t.diag_embed(x, offset=-1, dim1=0, dim2=2), M),
    "diag_embed exchanged": (lambda t, x: t.diag_embed(x, 1, 1, 0), M),
    "tril_indices": (lambda t: (t.tril_indices(2, 3, 1), t.tril_indices(3, 2, offset=-1), t.tril_indices(0, 2)),),
    "triu_indices": (lambda t: (t.triu_indices(2, 3), t.triu_indices(3, 2, 1, dtype=t.int32)),),
    "integers": (lambda t, x: (x.flip(0), x.roll(1), x.repeat(2), x.diag()), np.array([1, 2, 3])),
    "bools": (lambda t, x: (x.flip(0), x.triu(), x.diag(), x.diag_embed()), np.array([[True, False], [True, True]])),
    "empty": (lambda t, x: (x.flip(0), x.roll(1), x.repeat(2), x.repeat_interleave(2), x.diag()), np.zeros(0)),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_to_second_order(name):
    check(*CASES[name])


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if len(case) > 1 and case[1].dtype.kind == "f" and "nothing" not in name]
)
def test_graph_name(name):
    wanted, given = graph_name(*CASES[name])
    assert given == wanted


@pytest.mark.parametrize(
    "name",
    [
        "roll dims",
        "rot90 back",
        "triu",
        "repeat to more dims",
        "repeat_interleave counts",
        "diag_embed dims",
        "diag of a matrix below",
    ],
)
def test_gradient_is_the_slope(name):
    check_finite_differences(*CASES[name])


ERRORS = {
    "flip twice": (lambda t: t.ones(2, 3).flip(0, 0), "appears multiple times in the list of dims"),
    "flip dim": (lambda t: t.ones(2, 3).flip(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    "fliplr vector": (lambda t: t.fliplr(t.ones(2)), "Input must be >= 2-d."),
    "flipud number": (lambda t: t.flipud(t.tensor(1.0)), "Input must be >= 1-d."),
    "roll dims": (lambda t: t.ones(2, 3).roll((1, 2), 0), "shifts and dimensions must align. shifts: 2, dims:1"),
    "roll nothing": (lambda t: t.ones(2).roll(()), "`shifts` required"),
    "roll dim of a number": (lambda t: t.tensor(1.0).roll(1, 0), "Dimension specified as 0 but tensor has no dimensions"),
    "rot90 one dim": (lambda t: t.ones(2, 3).rot90(1, [0]), "expected total rotation dims == 2, but got dims = 1"),
    "rot90 vector": (lambda t: t.ones(2).rot90(), "expected total dims >= 2, but got total dims = 1"),
    "rot90 same dims": (
        lambda t: t.ones(2, 3).rot90(1, [0, 0]),
        "expected rotation dims to be different, but got dim0 = 0 and dim1 = 0",
    ),
    "tril vector": (lambda t: t.ones(3).tril(), "tril: input tensor must have at least 2 dimensions"),
    "repeat few": (
        lambda t: t.ones(2, 3).repeat(2),
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
    ),
    "repeat negative": (lambda t: t.ones(2, 3).repeat(-1, 1), "Trying to create tensor with negative dimension -2: [-2, 3]"),
    "repeat nothing": (lambda t: t.ones(2).repeat(), 'repeat() missing 1 required positional arguments: "repeats"'),
    "repeat_interleave negative": (lambda t: t.ones(2).repeat_interleave(-1), "Repeats must be non-negative"),
    "repeat_interleave negative count": (lambda t: t.ones(2).repeat_interleave(t.tensor([1, -1])), "repeats can not be negative"),
    "repeat_interleave counts": (
        lambda t: t.ones(3).repeat_interleave(t.tensor([1, 2]), dim=0),
        "repeats must have the same size as input along dim",
    ),
    "repeat_interleave floats": (
        lambda t: t.ones(2).repeat_interleave(t.ones(2)),
        "\"repeat_interleave_cpu\" not implemented for 'Float'",
    ),
    "repeat_interleave matrix": (
        lambda t: t.ones(2).repeat_interleave(t.tensor([[1, 2]]), 0),
        "repeats must be 0-dim or 1-dim tensor",
    ),
    "repeat_interleave size": (
        lambda t: t.ones(2).repeat_interleave(t.tensor([1, 2]), 0, output_size=4),
        "allocated size does not match required size",
    ),
    "diag dims": (lambda t: t.ones(2, 2, 2).diag(), "diag(): Supports 1D or 2D tensors. Got 3D"),
    "diag number": (lambda t: t.tensor(1.0).diag(), "diag(): Supports 1D or 2D tensors. Got 0D"),
    "diag_embed dims": (lambda t: t.ones(2).diag_embed(0, 1, 1), "diagonal dimensions cannot be identical 1, 1"),
    "tril_indices negative": (lambda t: t.tril_indices(-1, 2), "row must be non-negative"),
    "triu_indices floats": (lambda t: t.triu_indices(2, 2, dtype=t.float32), "\"triu_indices\" not implemented for 'Float'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])


def test_a_rearranged_copy_does_not_share_memory():
    x = td.arange(3)
    y = x.flip(())
    assert x.tolist() == y.tolist() == [0, 1, 2]
