"""Batch jobs: results against formulas worked by hand, and every way in which a user can go wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs import JobError, run
from tapediff.jobs.check import check_rows
from tapediff.jobs.cli import main

MODEL = '''
import tapediff as td

def quadratic(x, w):
    return (w * x * x).sum()

def scaled(x, scale=3.0):
    return (scale * x).sum()

def labelled(x, label):
    return x[label]

def vector(x):
    return x * 2

def number(x):
    return 1.0

def fails(x):
    if x[0] > 2:
        raise ArithmeticError("too\\nlarge")
    return x.sum()

def constant(x):
    return x.detach().sum()

def wrong(x):
    return (x.detach() * x).sum()

def interrupted(x):
    raise KeyboardInterrupt

not_a_function = 3
'''

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.array([0.5, 2.0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder, the current one, with model.py, x.npy, label.npy and weights.npz."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.save("x.npy", X)
    np.save("label.npy", np.array([0, 1, 1]))
    np.savez("weights.npz", w=W, short=np.zeros(1))
    return tmp_path


def quadratic(x, w):
    return (w * x * x).sum()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# The Python API


def test_value_and_gradient_of_every_row(tmp_path):
    result = run(quadratic, rows={"x": X}, shared={"w": W}, wrt="x", out=tmp_path / "out")
    np.testing.assert_allclose(result.value, (W * X * X).sum(axis=1))
    np.testing.assert_allclose(result.gradient("x"), 2 * W * X)
    assert result.rows == 3
    assert result.non_finite_rows == 0
    assert files(tmp_path / "out") == ["grad_x.npy", "value.npy"]


def test_gradient_by_a_shared_input_is_one_per_row(tmp_path):
    result = run(quadratic, rows={"x": X}, shared={"w": W}, wrt=["x", "w"], out=tmp_path)
    np.testing.assert_allclose(result.gradient("x"), 2 * W * X)
    np.testing.assert_allclose(result.gradient("w"), X * X)


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


def test_rows_of_numbers_become_tensors_without_dimensions(tmp_path):
    result = run(lambda x: x * x, rows={"x": np.array([1.0, -3.0])}, wrt="x", out=tmp_path)
    np.testing.assert_array_equal(result.value, [1, 9])
    np.testing.assert_array_equal(result.gradient("x"), [2, -6])


def test_no_rows_give_empty_results(tmp_path):
    result = run(quadratic, rows={"x": np.zeros((0, 2))}, shared={"w": W}, wrt="x", out=tmp_path, check=3)
    assert result.value.shape == (0,)
    assert result.gradient("x").shape == (0, 2)
    assert result.check.rows == 0


def test_non_finite_rows_are_counted(tmp_path):
    result = run(lambda x: x.sqrt(), rows={"x": np.array([4.0, -1.0, 0.0])}, wrt="x", out=tmp_path)
    assert result.non_finite_rows == 2
    np.testing.assert_array_equal(result.value, [2.0, np.nan, 0.0])


def test_rows_independent_of_an_input_are_counted_and_have_zero_gradient(tmp_path):
    def f(x, y):
        return x * y if x > 0 else x * 1.0

    result = run(f, rows={"x": np.array([1.0, -1.0]), "y": np.array([5.0, 7.0])}, wrt=["x", "y"], out=tmp_path)
    assert result.independent_rows == {"x": 0, "y": 1}
    np.testing.assert_array_equal(result.gradient("y"), [1.0, 0.0])
    assert "independent of y" in str(result)


def test_results_are_not_overwritten_unless_asked(tmp_path):
    rows = {"x": np.array([1.0])}
    run(lambda x: x * 2, rows=rows, wrt="x", out=tmp_path)
    with pytest.raises(JobError, match=r"already holds value.npy, grad_x.npy"):
        run(lambda x: x * 3, rows=rows, wrt="x", out=tmp_path)
    assert run(lambda x: x * 3, rows=rows, wrt="x", out=tmp_path, overwrite=True).value[0] == 3


def test_a_failing_row_leaves_no_files(folder):
    def f(x):
        if x[0] > 2:
            raise ArithmeticError("too large")
        return x.sum()

    with pytest.raises(JobError, match=r"row 1: ArithmeticError: too large \(test_jobs.py, line \d+\)"):
        run(f, rows={"x": X}, wrt="x", out="out")
    assert files(folder / "out") == []


def test_an_interrupted_job_keeps_the_earlier_results(tmp_path):
    def stops(x):
        if x > 1:
            raise KeyboardInterrupt
        return x * 3

    rows = {"x": np.array([1.0, 2.0])}
    run(lambda x: x * 2, rows=rows, wrt="x", out=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(stops, rows=rows, wrt="x", out=tmp_path, overwrite=True)
    np.testing.assert_array_equal(np.load(tmp_path / "value.npy"), [2.0, 4.0])
    assert files(tmp_path) == ["grad_x.npy", "value.npy"]


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


# The command line


def tapediff(*arguments):
    return main(["run", *arguments])


def test_command_line_run(folder, capsys):
    inputs = ["--rows", "x=x.npy", "--shared", "w=weights.npz:w"]
    assert tapediff("model.py:quadratic", *inputs, "--wrt", "x", "--out", "out", "--check", "2") == 0
    np.testing.assert_allclose(np.load("out/grad_x.npy"), 2 * W * X)
    printed = capsys.readouterr().out
    for text in ("rows             3\n", "non-finite rows  0\n", "out/value.npy", "2 rows against central finite differences"):
        assert text in printed


def test_command_line_defaults_of_the_function_stay(folder):
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--quiet") == 0
    np.testing.assert_array_equal(np.load("out/grad_x.npy"), np.full((3, 2), 3.0))


def test_quiet_prints_nothing(folder, capfd):
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--quiet", "--check", "1") == 0
    assert capfd.readouterr() == ("", "")


def test_a_failed_check_exits_with_1_and_keeps_the_results(folder, capsys):
    assert tapediff("model.py:wrong", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--check", "3") == 1
    assert "exceeds the tolerance 0.001" in capsys.readouterr().err
    assert files(folder / "out") == ["grad_x.npy", "value.npy"]


def test_interrupt_exits_with_130(folder, capsys):
    assert tapediff("model.py:interrupted", "--rows", "x=x.npy", "--wrt", "x", "--out", "out") == 130
    assert "interrupted" in capsys.readouterr().err


FUNCTION_ERRORS = {
    "gone.py:f": "gone.py does not exist",
    "model.py": "'model.py' does not name a function; write FILE.py:function",
    "model.py:gone": "model.py defines no function 'gone'",
    "model.py:not_a_function": "'not_a_function' in model.py is of type int, not a function",
    "x.npy:f": "x.npy is not a Python file",
    "broken.py:f": "broken.py can't be imported: ZeroDivisionError: division by zero (broken.py, line 1)",
    "syntax.py:f": "syntax.py can't be imported: SyntaxError: invalid syntax (line 1)",
    "model.py:vector": "row 0: the result has the shape (2,); wanted one element",
    "model.py:number": "row 0: the result is of type float; wanted a tensor of one element",
    "model.py:fails": "row 1: ArithmeticError: too large (model.py, line 21)",
    "model.py:quadratic": "quadratic(x, w) needs 'w'",
}

ARGUMENT_ERRORS = {
    "--rows x=gone.npy": "gone.npy does not exist",
    "--rows x=model.py": "model.py is neither FILE.npy nor FILE.npz:MEMBER",
    "--rows x=damaged.npy": "damaged.npy is not a readable .npy file: ",
    "--rows x=damaged.npz:x": "damaged.npz is not a readable .npz file: ",
    "--rows x=objects.npy": "objects.npy is not a readable .npy file: ",
    "--rows x=weights.npz:gone": "weights.npz has no member 'gone'; it holds w, short",
    "--rows x=weights.npz": "say which one: weights.npz:MEMBER (it holds w, short)",
    "--rows x=half.npy": "x has dtype float16; a tensor holds float32, float64, int64, int32, bool",
    "--rows x=x.npy --rows scale=weights.npz:w": "the first axes of the row inputs differ: x has 3, scale has 2",
    "--rows x=number.npy": "x is a single number, but a row input has one entry per row",
    "--rows x=x.npy --rows y=x.npy": "scaled(x, scale) has no parameter 'y'; inputs are matched by name",
    "--rows x=x.npy --rows x=x.npy": "--rows gives 'x' twice",
    "--rows x=x.npy --shared x=x.npy": "x was given both as a row input and as a shared input",
    "--rows x.npy": "--rows 'x.npy' is not NAME=FILE.npy or NAME=FILE.npz:MEMBER",
    "--wrt z": "wrt names 'z', which is no input; the inputs are x",
    "--rows x=label.npy": "x has dtype int64, which has no gradients",
    "--shared scale=three.npy": "row 0: RuntimeError: ",
    "--out model.py": "the output folder model.py can't be made: ",
}

WRONG = FUNCTION_ERRORS | {f"model.py:scaled {arguments}": message for arguments, message in ARGUMENT_ERRORS.items()}


@pytest.mark.parametrize(("line", "message"), WRONG.items(), ids=WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(folder, capsys, line, message):
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "syntax.py").write_text("def\n")
    (folder / "damaged.npy").write_bytes((folder / "x.npy").read_bytes()[:-8])
    (folder / "damaged.npz").write_bytes((folder / "weights.npz").read_bytes()[:50])
    np.save("objects.npy", np.array([None, 1]), allow_pickle=True)
    np.save("half.npy", X.astype(np.float16))
    np.save("number.npy", np.float64(1))
    np.save("three.npy", np.ones(3))
    before = files(folder)
    for option, default in {"--rows": "x=x.npy", "--wrt": "x", "--out": "out"}.items():
        line += "" if option in line else f" {option} {default}"
    assert tapediff(*line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tapediff: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (folder / "out").exists() or files(folder / "out") == []
    assert set(files(folder)) - set(before) <= {"out", "__pycache__"}


def test_help_names_every_option_and_exit_code(capsys):
    with pytest.raises(SystemExit) as stop:
        tapediff("--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in ["--rows", "--shared", "--wrt", "--out", "--check", "--tolerance", "--overwrite", "--quiet", "130"]:
        assert word in text


def test_python_m_tapediff_is_the_command(folder):
    command = [sys.executable, "-m", "tapediff", "run", "model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out"]
    environment = os.environ | {"PYTHONPATH": str(Path(td.__file__).parent.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("rows ")
