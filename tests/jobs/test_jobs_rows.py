"""Rows that go wrong are marked with the reason, counted and named; sums leave them out."""

import math
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff.errors import GuardError
from tapediff.jobs import JobError, StrictError, run
from tapediff.jobs.paths import Paths
from tapediff.jobs.status import EXCEPTION, NON_FINITE_GRADIENT, NON_FINITE_INPUT, NON_FINITE_VALUE, OK, UNMET_GUARD


def root_of_checked(x):
    if x > 50:
        raise ArithmeticError("too\nlarge")
    return x.sqrt()


MIXED = np.array([4.0, np.nan, -1.0, 0.0, 99.0, 9.0, np.inf])
EXPECTED = [OK, NON_FINITE_INPUT, NON_FINITE_VALUE, NON_FINITE_GRADIENT, EXCEPTION, OK, EXCEPTION]


@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
def test_each_row_has_the_code_of_its_reason(tmp_path, chunk_rows):
    result = run(root_of_checked, rows={"x": MIXED}, wrt="x", out=tmp_path, chunk_rows=chunk_rows)
    np.testing.assert_array_equal(result.status, EXPECTED)
    np.testing.assert_array_equal(result.value, [2, np.nan, np.nan, 0, np.nan, 3, np.nan])
    np.testing.assert_array_equal(result.gradient("x"), [0.25, np.nan, np.nan, np.inf, np.nan, 1 / 6, np.nan])
    assert result.summary["status"] == {
        "ok": 2, "non-finite input": 1, "non-finite value": 1, "non-finite gradient": 1, "exception in the function": 2,
        "a guard that could not be met": 0}


def test_the_summary_names_the_first_rows_with_reason_and_line(tmp_path):
    result = run(root_of_checked, rows={"x": MIXED}, wrt="x", out=tmp_path)
    failures = {failure["row"]: failure for failure in result.summary["failures"]}
    assert list(failures) == [1, 2, 3, 4, 6]
    assert failures[1]["text"] == "x is not finite"
    assert failures[2]["text"].startswith("the value is not finite: sqrt(x0)")
    assert failures[3]["text"] == "the gradient is not finite: in the derivative of sqrt(x0): float64"
    assert failures[4]["text"].startswith("ArithmeticError: too large")
    lines = Path(__file__).read_text().splitlines()
    for row, text in ((2, "return x.sqrt()"), (3, "return x.sqrt()"), (4, "raise ArithmeticError")):
        file, _, line = failures[row]["line"].rpartition(":")
        assert file == __file__
        assert text in lines[int(line) - 1]
    assert "row 4: ArithmeticError: too large" in str(result)


def test_a_row_with_a_bad_input_that_matters_not_keeps_its_value():
    rows = {"x": np.array([2.0, np.nan]), "y": np.array([3.0, 5.0])}
    result = run(lambda x, y: td.where(x.isnan(), y, x * y), rows=rows, wrt="y")
    np.testing.assert_array_equal(result.value, [6, 5])
    np.testing.assert_array_equal(result.gradient("y"), [2, 1])
    np.testing.assert_array_equal(result.status, [OK, NON_FINITE_INPUT])


def test_a_step_that_numpy_refuses_marks_only_its_row():
    def f(a):
        return td.linalg.inv(a).sum()

    a = np.array([np.eye(3) * (k + 1) for k in range(40)])
    a[17] = 0
    result = run(f, rows={"a": a}, wrt="a")
    assert np.flatnonzero(result.status).tolist() == [17]
    others = np.arange(40) != 17
    np.testing.assert_allclose(result.value[others], 3 / (np.arange(40)[others] + 1))


def test_no_failures_are_described_beyond_the_first_few():
    result = run(lambda x: x.log(), rows={"x": -np.ones(5000)}, wrt="x", chunk_rows=512)
    assert result.summary["status"]["non-finite value"] == 5000
    assert [failure["row"] for failure in result.summary["failures"]] == list(range(10))


@pytest.mark.parametrize("number", [np.nan, -1.0, 0.0, 99.0])
def test_strict_stops_at_a_row_that_goes_wrong(tmp_path, number):
    x = np.array([1.0] * 10 + [number] + [1.0] * 10)
    with pytest.raises(StrictError, match="row 10: "):
        run(root_of_checked, rows={"x": x}, wrt="x", out=tmp_path, chunk_rows=4, strict=True)
    assert not (tmp_path / "value.npy").exists()
    with pytest.raises(StrictError, match="row 10: "):
        run(root_of_checked, rows={"x": x}, wrt="x", out=tmp_path, chunk_rows=4, strict=True)
    assert np.flatnonzero(run(root_of_checked, rows={"x": x}, wrt="x", out=tmp_path).status).tolist() == [10]


def test_a_function_that_fails_for_all_of_the_first_rows_is_refused(tmp_path):
    with pytest.raises(JobError, match=r"row 0: ArithmeticError: too large \(test_jobs_rows.py, line \d+\)"):
        run(root_of_checked, rows={"x": np.full(100, 99.0)}, wrt="x", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_job_whose_first_row_fails_has_the_dtype_of_the_next():
    result = run(root_of_checked, rows={"x": np.array([99.0, 4.0], np.float32)}, wrt="x")
    assert result.value.dtype == np.float32
    np.testing.assert_array_equal(result.value, np.array([np.nan, 2], np.float32))


def test_a_guard_that_a_row_never_meets_is_marked_with_its_line(monkeypatch):
    """The guard of the path that a row records holds for the row; here it is made not to."""
    def unmet(self, path, rows, row):
        raise GuardError.at(path.program.tape.guards[0])

    replay = Paths.run

    def all_fail(self, path, rows, chosen, reduce):
        values, gradients, failed = replay(self, path, rows, chosen, reduce)
        return values, gradients, failed | (rows["x"][chosen] == 3.0)

    monkeypatch.setattr(Paths, "run_alone", unmet)
    monkeypatch.setattr(Paths, "run", all_fail)
    for reduce in (None, "sum"):
        result = run(lambda x: x * 2 if x > 0 else x, rows={"x": np.array([1.0, 3.0, 5.0])}, wrt="x", reduce=reduce)
        np.testing.assert_array_equal(result.status, [OK, UNMET_GUARD, OK])
        np.testing.assert_array_equal(result.value, [2, np.nan, 10] if reduce is None else 12)
        failure = result.summary["failures"][0]
        assert failure["reason"] == "a guard that could not be met"
        assert failure["line"].startswith(f"{__file__}:")


# Sums


def test_a_sum_is_that_of_the_rows_and_their_gradients(tmp_path):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1000, 4)), rng.normal(size=4)

    def f(x, w):
        y = (w * x).sum()
        return y * y if y > 0 else y.sin()

    whole = run(f, rows={"x": x}, shared={"w": w}, wrt=["w", "x"])
    for reduce, count in (("sum", 1), ("mean", 1000)):
        for chunk_rows in (64, 1000):
            result = run(f, rows={"x": x}, shared={"w": w}, wrt=["w", "x"], reduce=reduce, chunk_rows=chunk_rows,
                         out=tmp_path / f"{reduce}{chunk_rows}")
            assert result.value.shape == ()
            assert result.value == pytest.approx(math.fsum(whole.value) / count, rel=1e-14)
            for name in "wx":
                expected = [math.fsum(column) / count for column in whole.gradient(name).T]
                np.testing.assert_allclose(result.gradient(name), expected, rtol=1e-12)
            assert result.summary["summed_rows"] == 1000
            assert np.load(tmp_path / f"{reduce}{chunk_rows}" / "value.npy").shape == ()


def test_sums_do_not_depend_on_threads():
    x = np.random.default_rng(0).normal(size=(5000, 3))
    found = [run(lambda x: (x.exp() * x).sum(), rows={"x": x}, wrt="x", reduce="sum", threads=threads, chunk_rows=1500)
             for threads in (1, 2, 5)]
    assert len({result.value.tobytes() for result in found}) == 1
    assert len({result.gradient("x").tobytes() for result in found}) == 1


@pytest.mark.parametrize("limit", [0, 64])
@pytest.mark.parametrize("chunk_rows", [2, 100])
def test_sums_leave_out_rows_that_are_not_finite_and_count_the_others(limit, chunk_rows):
    result = run(root_of_checked, rows={"x": MIXED}, wrt="x", reduce="sum", chunk_rows=chunk_rows, limit=limit)
    assert float(result.value) == 5.0
    assert float(result.gradient("x")) == 0.25 + 1 / 6
    assert result.summary["summed_rows"] == 2
    np.testing.assert_array_equal(result.status, EXPECTED)


def test_a_sum_of_rows_of_which_none_is_finite():
    for reduce, value in (("sum", 0.0), ("mean", np.nan)):
        result = run(lambda x: x.log(), rows={"x": np.full(5, -1.0)}, wrt="x", reduce=reduce)
        np.testing.assert_array_equal(result.value, value)
        np.testing.assert_array_equal(result.gradient("x"), value)


def test_sums_cancel_without_loss():
    x = np.concatenate([np.full(999, 0.1), [1e16, -1e16]])
    result = run(lambda x: x * 1.0, rows={"x": x}, wrt="x", reduce="sum", chunk_rows=7)
    assert float(result.value) == math.fsum(x)


def test_a_sum_that_overflows_is_infinite():
    result = run(lambda x: x * 1.0, rows={"x": np.full(4, 1.5e308)}, wrt="x", reduce="sum")
    assert np.isinf(result.value)
    assert result.summary["summed_rows"] == 4
