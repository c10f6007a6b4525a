"""The command line: what is printed, exit codes, and every way in which a user can go wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs.cli import main

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.array([0.5, 2.0])
ENVIRONMENT = {"PYTHONPATH": str(Path(td.__file__).parent.parent)}
RESULTS = [".tapediff", "grad_x.npy", "status.npy", "summary.json", "value.npy"]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def tapediff(*arguments):
    return main(["run", *arguments])


def test_command_line_run(folder, capsys):
    inputs = ["--rows", "x=x.npy", "--shared", "w=weights.npz:w"]
    assert tapediff("model.py:quadratic", *inputs, "--wrt", "x", "--out", "out", "--check", "2") == 0
    np.testing.assert_allclose(np.load("out/grad_x.npy"), 2 * W * X)
    printed = capsys.readouterr().out
    for text in ("rows             3\n", "program 0", "out/value.npy", "2 rows against central finite differences"):
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
    assert files(folder / "out") == RESULTS


def test_interrupt_exits_with_130(folder, capsys):
    assert tapediff("model.py:interrupted", "--rows", "x=x.npy", "--wrt", "x", "--out", "out") == 130
    assert "tapediff: interrupted" in capsys.readouterr().err


def test_strict_exits_with_3_and_names_the_row(folder, capsys):
    arguments = ["model.py:fails", "--rows", "x=x.npy", "--wrt", "x", "--out", "out"]
    assert tapediff(*arguments, "--strict") == 3
    assert "row 1: exception in the function: ArithmeticError: too large (model.py, line 21)" in capsys.readouterr().err
    assert tapediff(*arguments) == 0
    assert "2 rows: 4 exception in the function" in capsys.readouterr().out


def test_a_full_disk_exits_with_3(folder, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out") == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "No space left on device" in error


def test_a_number_is_a_shared_input(folder):
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--shared", "scale=0.5", "--wrt", "x", "--out", "out", "--quiet") == 0
    np.testing.assert_array_equal(np.load("out/grad_x.npy"), np.full((3, 2), 0.5))


def test_reduce_and_parquet(folder, capsys):
    pytest.importorskip("pyarrow")
    arguments = ["model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--quiet"]
    assert tapediff(*arguments, "--reduce", "mean", "--out", "mean") == 0
    assert np.load("mean/value.npy") == 3 * X.sum() / 3
    assert tapediff(*arguments, "--format", "parquet", "--out", "table") == 0
    assert (folder / "table" / "results.parquet").exists()


def test_info_and_resume_of_a_finished_job(folder, capsys):
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out") == 0
    table = capsys.readouterr().out
    assert main(["info", "out"]) == 0
    assert capsys.readouterr().out == "out: scaled, finished\n" + table
    assert main(["info", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"]
    assert main(["resume", "out"]) == 0
    assert capsys.readouterr().out == table


@pytest.mark.parametrize("command", ["info", "resume"])
def test_a_folder_without_a_job(folder, capsys, command):
    for name in ("gone", "."):
        assert main([command, name]) == 2
        assert "holds no job" in capsys.readouterr().err


@pytest.mark.parametrize("progress", ["auto", "log", "none", "bar"])
def test_progress_goes_to_stderr(folder, capfd, monkeypatch, progress):
    monkeypatch.setattr("tapediff.jobs.progress.LOG_SECONDS", 0.0)
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--chunk-rows", "1",
                    "--progress", progress) == 0
    printed = capfd.readouterr()
    assert printed.out.startswith("rows ")
    if progress == "none":
        assert printed.err == ""
    elif progress == "bar":
        assert "3.00/3.00" in printed.err
        assert "1 program" in printed.err
    else:
        lines = printed.err.splitlines()
        assert len(lines) == 4
        assert lines[-1].startswith("tapediff: 3 of 3 rows (100.0%), ")
        assert lines[-1].endswith(" rows/s, 0:00 left, 1 program")


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
    "model.py:quadratic": "quadratic(x, w) needs 'w'",
}

ARGUMENT_ERRORS = {
    "--rows x=gone.npy": "gone.npy does not exist",
    "--rows x=model.py": "model.py",
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
    "--rows x.npy": "--rows 'x.npy' is not NAME=SOURCE; a source is FILE.npy, FILE.npz:MEMBER ...",
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
    assert set(files(folder)) - set(before) <= {"__pycache__"}


OPTIONS = {
    "run": ["--rows", "--shared", "--wrt", "--out", "--reduce", "--format", "--chunk-rows", "--limit", "--threads", "--strict",
            "--restart", "--check", "--tolerance", "--progress", "--quiet", "  0 ", "  1 ", "  2 ", "  3 ", "130", "143"],
    "resume": ["FOLDER", "--threads", "--strict", "--progress", "--quiet", "130", "143"],
    "info": ["FOLDER", "--json", "  0 ", "  2 "],
}


@pytest.mark.parametrize("command", OPTIONS)
def test_help_names_every_option_and_exit_code(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in OPTIONS[command]:
        assert word in text


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["info", "."]])
def test_help_and_info_load_nothing_that_computes(folder, arguments):
    code = ("import sys\nfrom tapediff.jobs.cli import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            "sys.exit(' '.join({'numba', 'llvmlite', 'scipy', 'pyarrow', 'tqdm', 'tapediff.program'} & set(sys.modules)) or 0)")
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | ENVIRONMENT, stdout=subprocess.DEVNULL)


def test_python_m_tapediff_is_the_command(folder):
    command = [sys.executable, "-m", "tapediff", "run", "model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out"]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("rows ")


SLOW = """
import time
import tapediff as td

def slow(x):
    time.sleep(0.02)  # when it is recorded, that is for every chunk, since it looks at a value
    return x.sum() if x[0] > 0 else x.prod()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")])
def test_a_signal_ends_a_job_that_the_same_command_goes_on_with(folder, number, code, word):
    (folder / "slow.py").write_text(SLOW)
    np.save("many.npy", np.random.default_rng(0).normal(size=(200, 2)))
    command = [sys.executable, "-m", "tapediff", "run", "slow.py:slow", "--rows", "x=many.npy", "--wrt", "x", "--chunk-rows", "5",
               "--out"]
    subprocess.run([*command, "whole"], env=os.environ | ENVIRONMENT, check=True, capture_output=True)
    job = subprocess.Popen([*command, "out"], env=os.environ | ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    journal = folder / "out" / ".tapediff" / "journal"
    while not journal.exists():
        assert job.poll() is None
        time.sleep(0.02)
    time.sleep(0.6)
    job.send_signal(number)
    error = job.communicate(timeout=30)[1]
    assert job.returncode == code
    assert error == (f"tapediff: {word}; finished chunks are kept: the same command, or `tapediff resume out`, goes on\n")
    lines = len(journal.read_bytes().splitlines())
    assert lines > 3  # what was computed is not lost
    assert files(folder / "out") == [".tapediff"]
    done = subprocess.run([sys.executable, "-m", "tapediff", "resume", "out"], env=os.environ | ENVIRONMENT, check=True,
                          capture_output=True, text=True)
    assert "going on behind" in done.stderr
    for name in ("value.npy", "grad_x.npy", "status.npy"):
        assert (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_a_reader_that_goes_away_is_no_error_to_tell(folder):
    assert tapediff("model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--quiet") == 0
    command = f"{sys.executable} -m tapediff info out | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert done.stderr == ""
