"""Jobs from Python: results against formulas worked by hand, in memory and in files."""

import json

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs import JobError, info, paths, run, tally
from tapediff.jobs.check import check_rows
from tapediff.jobs.evaluator import Evaluator

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.array([0.5, 2.0])
RESULTS = [".tapediff", "grad_x.npy", "status.npy", "summary.json", "value.npy"]


def quadratic(x, w):
    return (w * x * x).sum()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("where", ["memory", "files", "parquet"])
def test_value_and_gradient_of_every_row(tmp_path, where):
    if where == "parquet":
        pytest.importorskip("pyarrow", reason="writing Parquet needs the extra jobs")
    out = {"memory": {}, "files": {"out": tmp_path / "out"}, "parquet": {"out": tmp_path / "out", "format": "parquet"}}[where]
    result = run(quadratic, rows={"x": X}, shared={"w": W}, wrt=["x", "w"], chunk_rows=2, **out)
    np.testing.assert_allclose(result.value, (W * X * X).sum(axis=1))
    np.testing.assert_allclose(result.gradient("x"), 2 * W * X)
    np.testing.assert_allclose(result.gradient("w"), X * X)
    np.testing.assert_array_equal(result.status, [0, 0, 0])
    assert result.rows == 3
    assert result.is_finished


def test_files_are_those_that_numpy_reads(tmp_path):
    result = run(quadratic, rows={"x": X}, shared={"w": W}, wrt="x", out=tmp_path / "out")
    assert files(tmp_path / "out") == RESULTS
    np.testing.assert_allclose(np.load(tmp_path / "out" / "value.npy"), (W * X * X).sum(axis=1))
    assert np.load(tmp_path / "out" / "status.npy").dtype == np.uint8
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == result.summary
    assert files(tmp_path / "out" / ".tapediff") == ["journal", "lock", "settings.json"]


def test_parquet_holds_a_column_for_every_output(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    matrix = np.arange(24.0).reshape(4, 3, 2)
    run(lambda m: (m * m).sum(), rows={"m": matrix}, wrt="m", out=tmp_path, format="parquet", chunk_rows=3)
    table = parquet.read_table(tmp_path / "results.parquet")
    assert table.column_names == ["value", "grad_m", "status"]
    assert table["grad_m"].to_pylist() == (2 * matrix).tolist()
    assert table["value"].to_pylist() == (matrix**2).sum(axis=(1, 2)).tolist()
    assert files(tmp_path) == [".tapediff", "results.parquet", "summary.json"]


def test_arguments_keep_their_dtype(tmp_path):
    seen = []

    def f(x, label, mask):
        seen.append((x.dtype, label.dtype, mask.dtype, tuple(label.shape)))
        return x[label]

    rows = {"x": X.astype(np.float32), "label": np.array([0, 1, 1]), "mask": np.array([True, False, True])}
    result = run(f, rows=rows, wrt="x", out=tmp_path)
    assert set(seen) == {(td.float32, td.int64, td.bool, ())}
    assert result.value.dtype == np.float32
    assert result.gradient("x").dtype == np.float32
    np.testing.assert_array_equal(result.gradient("x"), [[1, 0], [0, 1], [0, 1]])


def test_rows_of_numbers_become_tensors_without_dimensions():
    result = run(lambda x: x * x, rows={"x": np.array([1.0, -3.0])}, wrt="x")
    np.testing.assert_array_equal(result.value, [1, 9])
    np.testing.assert_array_equal(result.gradient("x"), [2, -6])


@pytest.mark.parametrize("reduce", [None, "sum"])
def test_no_rows_give_empty_results(tmp_path, reduce):
    result = run(quadratic, rows={"x": np.zeros((0, 2))}, shared={"w": W}, wrt="x", out=tmp_path, reduce=reduce)
    assert result.value.shape == ((0,) if reduce is None else ())
    assert result.gradient("x").shape == ((0, 2) if reduce is None else (2,))
    assert result.status.shape == (0,)


def test_a_job_without_rows_can_be_checked():
    assert run(quadratic, rows={"x": np.zeros((0, 2))}, shared={"w": W}, wrt="x", check=3).check.rows == 0


def test_rows_independent_of_an_input_are_counted_and_have_zero_gradient():
    def f(x, y):
        return x * y if x > 0 else x * 1.0

    result = run(f, rows={"x": np.array([1.0, -1.0]), "y": np.array([5.0, 7.0])}, wrt=["x", "y"])
    assert result.summary["independent_rows"] == {"x": 0, "y": 1}
    np.testing.assert_array_equal(result.gradient("y"), [1.0, 0.0])
    assert "independent of y" in str(result)


@pytest.mark.parametrize("chunk_rows", [1, 7, 64, 1000])
def test_chunks_and_threads_do_not_change_a_bit(chunk_rows):
    x = np.random.default_rng(1).normal(size=(300, 3))

    def f(x):
        y = (x.exp() * x.roll(1, 0)).sum()
        return y.sin() if y > 0 else (y * y + x[0]).tanh()

    whole = run(f, rows={"x": x}, wrt="x", threads=1)
    other = run(f, rows={"x": x}, wrt="x", chunk_rows=chunk_rows, threads=3)
    assert whole.value.tobytes() == other.value.tobytes()
    assert whole.gradient("x").tobytes() == other.gradient("x").tobytes()
    assert len(whole.summary["programs"]) == 2


def test_programs_are_listed_with_guards_and_rows():
    def f(x):
        return x * 2 if x > 0 else x.sin() + 1

    summary = run(f, rows={"x": np.array([1.0, -1.0, -2.0, -3.0])}, wrt="x", chunk_rows=2).summary
    assert [program["rows"] for program in summary["programs"]] == [3, 1]
    assert all("test_jobs_run.py" in guard for program in summary["programs"] for guard in program["guards"])
    assert summary["programs"][1]["instructions"] == 2  # the comparison and the product


@pytest.mark.parametrize("limit", [0, 1, 3, 64])
def test_rows_of_more_paths_than_programs_are_evaluated_alike(limit):
    def f(x):
        y = x * 1.0
        for _ in range(int(x)):
            y = y * x + 1
        return y.sin()

    x = np.arange(12.0) / 1.5
    few = run(f, rows={"x": x}, wrt="x", limit=limit, chunk_rows=5)
    all_ = run(f, rows={"x": x}, wrt="x")
    assert few.value.tobytes() == all_.value.tobytes()
    assert few.gradient("x").tobytes() == all_.gradient("x").tobytes()
    assert (few.summary["rows_alone"] > 0) == (limit <= 3)
    assert all_.summary["rows_alone"] == 0


def test_a_function_that_cannot_be_recorded_is_evaluated_row_by_row():
    def f(x):
        y = td.tensor(x.detach().numpy(), requires_grad=True)
        (y * y).backward()
        return x * y.grad

    x = np.arange(1.0, 30.0)
    result = run(f, rows={"x": x}, wrt="x", chunk_rows=20)
    np.testing.assert_array_equal(result.value, 2 * x * x)
    np.testing.assert_array_equal(result.gradient("x"), 2 * x)
    assert result.summary["rows_without_program"] == 29


def test_a_number_that_a_guard_compares_with_is_met_by_the_row_that_it_was_recorded_at():
    def f(x):
        return x.sum() * x.sum().item()  # in lanes the sum may round differently

    x = np.random.default_rng(0).normal(size=(40, 1000))
    result = run(f, rows={"x": x}, wrt="x")
    np.testing.assert_allclose(result.value, x.sum(axis=1) ** 2, rtol=1e-9)
    assert result.summary["status"]["ok"] == 40


def test_arrays_numbers_and_tensors_are_inputs():
    result = run(quadratic, rows={"x": td.tensor(X)}, shared={"w": 2.0}, wrt="w")
    np.testing.assert_allclose(result.gradient("w"), (X * X).sum(axis=1))


def test_info_of_a_finished_job_is_its_summary(tmp_path):
    result = run(quadratic, rows={"x": X}, shared={"w": W}, wrt="x", out=tmp_path)
    found = info(tmp_path)
    assert found.summary == {**result.summary, "running": None}
    assert found.is_finished
    np.testing.assert_array_equal(found.value, result.value)


@pytest.mark.parametrize(("options", "message"), [
    ({"wrt": []}, "wrt names no input"),
    ({"wrt": ["x", "x"]}, "wrt names 'x' twice"),
    ({"reduce": "max"}, "reduce='max': choose None, 'sum' or 'mean'"),
    ({"format": "csv"}, "format='csv': choose one of npy, parquet"),
    ({"format": "parquet", "reduce": "sum"}, "a sum or a mean is no table"),
    ({"chunk_rows": 0}, "chunk_rows=0: choose a whole number from 1 on"),
    ({"progress": "loud"}, "progress='loud': choose one of auto, bar, log, none"),
    ({"reduce": "sum", "check": 1}, "leave it out with reduce"),
])
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(JobError, match=message):
        run(quadratic, **{"rows": {"x": X}, "shared": {"w": W}, "wrt": "x", **options})


def test_a_gradient_that_was_not_asked_for_is_named():
    with pytest.raises(JobError, match="no gradient by 'w'; wrt was x"):
        run(quadratic, rows={"x": X}, shared={"w": W}, wrt="x").gradient("w")


# The check


def test_check_accepts_right_gradients_in_both_precisions(tmp_path):
    for dtype, bound in ((np.float64, 1e-8), (np.float32, 1e-6)):
        rows, shared = {"x": X.astype(dtype)}, {"w": W.astype(dtype)}
        result = run(quadratic, rows=rows, shared=shared, wrt=["x", "w"], out=tmp_path / dtype.__name__, check=3)
        assert result.check.rows == 3
        assert result.check.largest_error < bound


def test_check_sees_a_wrong_gradient():
    gradients = {"x": 2 * W * X * [1.0, 1.01]}
    assert check_rows(quadratic, {"x": X}, {"w": W}, gradients, count=3).largest_error == pytest.approx(0.01, rel=0.05)


def test_check_is_not_a_number_where_the_function_is_not():
    check = check_rows(lambda x: x.sqrt(), {"x": np.array([-1.0])}, {}, {"x": np.array([np.nan])}, count=1)
    assert np.isnan(check.largest_error)


def test_what_is_kept_of_many_programs_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "MOST_KNOWN", 20)
    monkeypatch.setattr(tally, "MOST_PROGRAMS", 15)
    kept = []
    evaluate = Evaluator.evaluate

    def noted(self, inputs, first):
        kept.append(len(self.paths.programs()))
        return evaluate(self, inputs, first)

    monkeypatch.setattr(Evaluator, "evaluate", noted)

    def f(x):
        return x * float(x)  # a program for every number

    x = np.arange(60.0)
    for out in (None, tmp_path):
        result = run(f, rows={"x": x}, wrt="x", chunk_rows=12, limit=10, out=out)
        np.testing.assert_array_equal(result.value, x * x)
        np.testing.assert_array_equal(result.gradient("x"), x)
        summary = result.summary
        assert len(summary["programs"]) == 15
        assert summary["rows_alone"] == 10
        assert summary["rows_of_further_programs"] == 35
    assert max(kept) == 20
    assert info(tmp_path).summary["rows_of_further_programs"] == 35


def test_a_result_says_in_a_line_what_it_is(tmp_path):
    rows = {"x": np.array([1.0, 2.0])}
    assert repr(run(lambda x: x * x, rows=rows, wrt="x")).endswith("<lambda>: 2 rows, finished, in memory>")
    assert repr(run(lambda x: x * x, rows=rows, wrt="x", out=tmp_path)).endswith(f"2 rows, finished, in {tmp_path}>")
