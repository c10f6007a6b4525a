"""Guards: a replay that would decide differently from the recording is reported, and never computes on from there."""

import numpy as np
import pytest

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
