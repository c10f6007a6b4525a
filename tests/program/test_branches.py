"""What became of decisions: unchanged, a tie, changed, not reached; the oracle is the function itself, run in Python."""

import numpy as np
import pytest

import tapediff as td


def steps(x, y):
    if x > 1:
        x = x * 2
    if (x - y < 3) & (y >= 0):
        x = x + y
    for _ in range(int(y)):
        x = x * 1.5
    return x


@pytest.mark.parametrize(("x", "y", "states"), [
    (0.5, 2.0, ["unchanged", "unchanged", "unchanged"]),
    (1.0, 2.0, ["tie", "unchanged", "unchanged"]),
    (1.0 + 2**-52, 2.0, ["changed", "not reached", "not reached"]),
    (0.5, 0.0, ["unchanged", "tie", "changed"]),
    (0.5, -3.0, ["unchanged", "changed", "not reached"]),
    (-1.0, -4.0, ["unchanged", "changed", "not reached"]),
    (0.5, 2.9, ["unchanged", "unchanged", "unchanged"]),
    (np.nan, 2.0, ["unchanged", "changed", "not reached"]),
    (-np.inf, 2.0, ["unchanged", "unchanged", "unchanged"]),
])
def test_states_of_decisions(x, y, states):
    program = td.record(steps, 0.5, 2.0)
    found = program.branches(x, y)
    assert [branch.state for branch in found] == states
    assert found.holds == ("changed" not in states)
    assert found.state == max((state for state in states if state != "not reached"), key=["unchanged", "tie", "changed"].index)
    if found.holds:
        assert program(x, y) == pytest.approx(steps(x, y), nan_ok=True)
    else:
        with pytest.raises(td.GuardError):
            program(x, y)


def test_the_sides_of_a_comparison_and_the_line():
    (branch, *_) = td.record(steps, 0.5, 2.0).branches(2.0, 1.0)
    assert branch.sides == ((2.0, ">", 1.0),)
    assert branch.text == "changed (2.0 > 1.0)"
    assert "if x > 1:" in str(branch)


def test_a_change_at_a_tie_says_so():
    program = td.record(lambda x: x if x > 1 else -x, 2.0)
    (branch,) = program.branches(1.0)
    assert (branch.state, branch.is_tie) == ("changed", True)
    assert str(branch).startswith("changed at a tie (1.0 > 1.0)")


def test_ties_through_any_all_not_and_truth_of_numbers():
    def function(x):
        total = x.sum()
        if (x > 0).all() and not (x < -5).any() and total:
            total = total * 2
        return total
    program = td.record(function, np.array([1.0, 2.0]))
    assert program.branches(np.array([1.0, 3.0])).state == "unchanged"
    assert [branch.state for branch in program.branches(np.array([0.0, 3.0]))] == ["changed", "not reached", "not reached"]
    other = td.record(lambda x: x * 2 if (x >= 0).all() else x, np.array([1.0, 2.0]))
    assert other.branches(np.array([0.0, 3.0])).state == "tie"
    assert other.branches(np.array([-0.0, 3.0])).state == "tie"


def test_values_that_shapes_depend_on():
    program = td.record(lambda x: x[x > 0].sum(), np.array([1.0, -2.0]))
    assert program.branches(np.array([3.0, -1.0])).holds
    assert not program.branches(np.array([3.0, 1.0])).holds


def test_the_error_names_state_and_sides():
    program = td.record(steps, 0.5, 2.0)
    x = np.array(2.0)
    with pytest.raises(td.GuardError) as caught:
        program(x, 2.0)
    x[()] = 0  # the message is of the inputs of then
    assert "First changed (2.0 > 1.0): bool(value) is False" in str(caught.value)
    with pytest.raises(td.GuardError, match=r"First changed \(2\.0 > 1\.0\)"):
        program.value_and_grad(2.0, 2.0)


def test_counts_over_rows_are_those_of_each_row():
    program = td.record(steps, 0.5, 2.0)
    x = np.array([0.5, 1.0, 2.0, 0.5, 0.5, np.nan] * 7)
    y = np.array([2.0, 2.0, 2.0, 0.0, -3.0, 2.0] * 7)
    found = program.batch().branches(x, y)
    singly = np.stack([program.branches(*row).codes for row in zip(x, y, strict=True)], axis=1)
    np.testing.assert_array_equal(found.codes, singly)
    assert found.counts[0] == {"unchanged": 28, "tie": 7, "changed": 7, "not reached": 0}
    failed = program.batch()(x, y, mask=True)[1]
    np.testing.assert_array_equal(found.rows("changed"), np.flatnonzero(failed))
    assert "28 unchanged, 7 tie, 7 changed" in str(found)


def test_a_shared_input_and_rows():
    program = td.record(steps, 0.5, 2.0)
    assert program.batch(in_dims=(0, None)).branches(np.array([0.5, 1.0]), 2.0).counts[0]["tie"] == 1


def test_an_index_that_a_decision_refuses_is_not_used():
    def function(x, i):
        if i.max() < 3:
            y = x.gather(0, i)
            if y.sum() > 0:
                return y.sum()
        return x.sum()
    program = td.record(function, np.ones(3), np.array([0, 1]))
    assert program.branches(np.ones(3), np.array([0, 9])).state == "changed"
    found = program.batch(in_dims=(None, 0)).branches(np.ones(3), np.array([[0, 1], [0, 9], [2, 2]]))
    assert found.rows("changed").tolist() == [1]


def test_a_program_without_decisions():
    program = td.record(lambda x: x * 2, 1.0)
    assert program.branches(1.0) == ()
    assert str(program.branches(1.0)) == "no decisions"
    assert program.branches(1.0).holds
    assert program.batch().branches(np.ones(3)).counts == ()


def test_a_loaded_program_has_its_decisions(tmp_path):
    td.record(steps, 0.5, 2.0).save(tmp_path / "f")
    assert [branch.state for branch in td.load_program(tmp_path / "f").branches(1.0, 2.0)] == ["tie", "unchanged", "unchanged"]
