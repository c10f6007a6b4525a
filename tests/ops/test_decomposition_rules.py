"""Rules of the matrix decompositions to second order, by finite differences.

Those of eigh and eigvalsh, which read one triangle only, are tested as functions of symmetric matrices in
tests/functions/test_decompositions.py.
"""

import numpy as np
import pytest
from rule_checks import check_first_order, check_second_order

from tapediff.ops import STRUCTURAL
from tapediff.rules import ARRAYS

G = np.random.default_rng(3)
ZERO, ZEROS = np.zeros((1,)), np.zeros((2,))


def normal(*shape):
    return G.normal(size=shape)


SAMPLES = {
    "svd": [(None, normal(4, 3)), (None, normal(3, 4)), (None, normal(2, 3, 3)), (None, normal(1, 1))],
    "svdvals": [(None, normal(2, 4, 3)), (None, normal(3, 4)), (None, normal(3, 3))],
    "qr": [(None, normal(4, 3)), (None, normal(2, 3, 3)), (None, normal(3, 1))],
    "lu_factor": [(None, normal(3, 3)), (None, normal(2, 4, 3)), (None, normal(2, 3, 4)), (None, normal(1, 1))],
    "pinv": [
        (False, normal(1, 3, 3), ZERO, ZERO + 1e-10),
        (False, normal(2, 4, 3), ZEROS, ZEROS + 1e-10),
        (False, normal(2, 3, 4), ZEROS, ZEROS + 1e-10),
    ],
    "lstsq": [
        (("gelsd", 1e-10), normal(4, 3), normal(4, 2)),
        (("gelsy", 1e-10), normal(2, 3, 4), normal(2, 3, 1)),
        (("gelss", 1e-10), normal(3, 3), normal(3, 2)),
    ],
    "matrix_exp": [(None, normal(3, 3)), (None, normal(2, 2, 2)), (None, normal(1, 1))],
}
RULES = [
    pytest.param(name, attributes, operands, id=f"{name}-{operands[0].shape}".replace(" ", ""))
    for name in SAMPLES
    for attributes, *operands in SAMPLES[name]
]


def test_every_rule_has_samples():
    rows = [row for row in STRUCTURAL.values() if row.forward.__module__ == "tapediff.ops.decompositions"]
    assert {row.name for row in rows if row.pullback is not None} - set(SAMPLES) == {"eigh", "eigvalsh"}


@pytest.mark.parametrize(("name", "attributes", "operands"), RULES)
def test_rules_are_the_slopes_of_the_values(name, attributes, operands):
    check_first_order(STRUCTURAL[name], attributes, *operands)


@pytest.mark.parametrize(("name", "attributes", "operands"), RULES)
def test_rules_differentiate_to_the_slopes_of_the_rules(name, attributes, operands):
    check_second_order(STRUCTURAL[name], attributes, *operands)


def test_a_pseudo_inverse_at_constant_rank_has_the_slopes_of_its_values():
    step, direction = 1e-6, normal(3, 1) @ normal(1, 2)
    u, v = np.array([[1.0], [2.0], [-1.0]]), np.array([[1.0, 2.0]])
    along = direction[:, :1] @ v + u @ direction[:1]  # a tangent of the matrices of rank one
    row, y_bar, least = STRUCTURAL["pinv"], normal(2, 3), (np.zeros(()), np.array(1e-8))
    ends = [(u + sign * step * direction[:, :1]) @ (v + sign * step * direction[:1]) for sign in (1, -1)]
    slope = (row.forward(False, ends[0], *least) - row.forward(False, ends[1], *least)) / (2 * step)
    gradient = row.pullback(ARRAYS, False, 0, y_bar, row.forward(False, u @ v, *least), u @ v, *least)
    assert (gradient * along).sum() == pytest.approx((slope * y_bar).sum(), rel=1e-6)
