"""Guards on indices: a replay on indices that they refuse reads nothing outside of an array, and says GuardError."""

import numpy as np
import pytest

import tapediff as td


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("index", [10**9, -7])
def test_class_indices_outside_of_the_range_fail_the_guard_and_read_nothing(reduction, index):
    def loss(scores, classes):
        return td.nn.functional.nll_loss(scores, classes, reduction=reduction).sum()

    scores = np.arange(6.0).reshape(2, 3)
    program = td.record(loss, scores, np.array([0, 1]))
    with pytest.raises(td.GuardError):
        program.value_and_grad(scores, np.array([0, index]))
    value, gradient = program.value_and_grad(scores, np.array([0, 1]))
    assert value == pytest.approx(-(0 + 4) / (2 if reduction == "mean" else 1))
    assert gradient.sum() == pytest.approx(-1 if reduction == "mean" else -2)
