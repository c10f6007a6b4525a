"""`tapediff check`: right gradients pass, wrong ones are found and named, in a table a person can read."""

import numpy as np
import pytest

from tapediff.jobs.cli import main

MODEL = """
import tapediff as td

def right(x, w):
    return (w * x * x).sum().exp()

def wrong(x, w):
    return (x.detach() * x).sum() + (w * w).sum()

def kinked(x, w):
    return (x - x.detach()).abs().sum() + w.sum()

def nan(x, w):
    return x.log().sum() + w.sum()

def fails(x, w):
    raise ArithmeticError("too large")
"""

INPUTS = ["--rows", "x=x.npy", "--shared", "w=w.npy"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.save("x.npy", np.linspace(-1, 1, 60).reshape(20, 3))
    np.save("w.npy", np.array([0.5, 1.0, 2.0]))
    np.save("label.npy", np.arange(20))
    return tmp_path


def check(*arguments):
    return main(["check", *arguments])


def rows_of(text):
    """The table's lines as lists of words, without its head and last line."""
    return [line.split() for line in text.splitlines()[1:-1]]


def test_right_gradients_pass_and_are_shown_beside_the_differences(capsys):
    assert check("model.py:right", *INPUTS, "--wrt", "x", "--wrt", "w", "--count", "4") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = rows_of(printed.out)
    assert [line[1] for line in lines] == ["x", "w"] * 4
    x, w = np.load("x.npy"), np.load("w.npy")
    for row, name, element, gradient, difference, error in lines:
        value = np.exp((w * x[int(row)] ** 2).sum())
        expected = value * (2 * w * x[int(row)] if name == "x" else x[int(row)] ** 2)
        assert float(gradient) == pytest.approx(expected[int(element.strip("[]"))], rel=1e-5)
        assert float(difference) == pytest.approx(float(gradient), rel=1e-5)
        assert float(error) < 1e-8
    assert printed.out.splitlines()[-1].startswith("4 rows against central finite differences: largest relative error ")


def test_wrong_gradients_are_found_and_named(capsys):
    assert check("model.py:wrong", *INPUTS, "--wrt", "x", "--wrt", "w", "--count", "5") == 1
    printed = capsys.readouterr()
    assert printed.err == "tapediff: 5 of 10 comparisons exceed the tolerance 0.001\n"
    for line in rows_of(printed.out):
        assert (line[-1] == "wrong") == (line[1] == "x")


def test_a_gradient_that_is_no_number_is_wrong(capsys):
    assert check("model.py:nan", *INPUTS, "--wrt", "x", "--count", "20") == 1
    assert "nan" in capsys.readouterr().out


def test_the_tolerance_and_the_rows_are_the_user_s(capsys):
    assert check("model.py:wrong", *INPUTS, "--wrt", "x", "--tolerance", "0.6") == 0
    first = capsys.readouterr().out
    assert check("model.py:wrong", *INPUTS, "--wrt", "x", "--tolerance", "0.6") == 0
    assert capsys.readouterr().out == first
    assert check("model.py:wrong", *INPUTS, "--wrt", "x", "--tolerance", "0.6", "--seed", "1") == 0
    assert capsys.readouterr().out != first
    assert check("model.py:wrong", *INPUTS, "--wrt", "x", "--count", "1000", "--tolerance", "0.6") == 0
    assert [int(line[0]) for line in rows_of(capsys.readouterr().out)] == list(range(20))


def test_quiet_leaves_the_exit_code(capsys):
    assert check("model.py:right", *INPUTS, "--wrt", "x", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_no_rows_are_nothing_to_complain_about(capsys):
    np.save("x.npy", np.zeros((0, 3)))
    assert check("model.py:right", *INPUTS, "--wrt", "x") == 0
    assert "0 rows against" in capsys.readouterr().out


ERRORS = {
    "model.py:right --wrt z": "wrt names 'z', which is no input; the inputs are x, w",
    "model.py:right --rows n=label.npy --wrt n": "right(x, w) has no parameter 'n'",
    "model.py:fails --wrt x": "row ",
    "model.py:gone --wrt x": "model.py defines no function 'gone'",
}


@pytest.mark.parametrize(("line", "message"), ERRORS.items(), ids=list(ERRORS))
def test_what_can_t_be_checked_is_one_line_and_exit_code_2(capsys, line, message):
    assert check(*line.split(), *INPUTS) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tapediff: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err


def test_help_names_every_option_and_exit_code(capsys):
    with pytest.raises(SystemExit) as stop:
        check("--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in ["--rows", "--shared", "--wrt", "--count", "--seed", "--tolerance", "--quiet", "exit codes"]:
        assert word in text
