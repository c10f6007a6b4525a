"""`tapediff show`: the listing is that of the recorded row, and what can't be shown is one line."""

import os
import stat

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs.cli import main

MODEL = """
import tapediff as td

def capped(x, scale):
    return (scale * x).sum() if x[0] > 0 else (x * x).sum()

def vector(x):
    return x * 2

def fails(x):
    raise ArithmeticError("too large")

def long(x):
    y = x.sum()
    for _ in range(4000):
        y = y + 1.5
    return y
"""

INPUTS = ["--rows", "x=x.npy", "--shared", "scale=0.5"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.save("x.npy", np.array([[1.0, 2.0], [-3.0, 4.0]]))
    return tmp_path


def show(*arguments):
    return main(["show", *arguments])


def test_the_program_of_the_chosen_row_is_listed(capsys):
    assert show("model.py:capped", *INPUTS) == 0
    first = capsys.readouterr().out
    assert first.startswith("inputs on row 0 of 2:\n  x0: x\n  x1: scale, shared\nprogram capped: 2 inputs, 1 output, ")
    assert "bool(value) is True" in first
    assert "x1" in first.split("bool(value)")[1]
    assert show("model.py:capped", *INPUTS, "--row", "1") == 0
    second = capsys.readouterr().out
    assert "bool(value) is False" in second
    assert "mul(x0, x0)" in second


def test_lines_of_source_stand_behind_the_instructions(capsys):
    assert show("model.py:capped", *INPUTS, "--source") == 0
    assert "# model.py:5: return (scale * x).sum() if x[0] > 0" in capsys.readouterr().out


def test_lines_limits_the_listing(capsys):
    assert show("model.py:long", "--rows", "x=x.npy", "--lines", "4") == 0
    assert len(capsys.readouterr().out.splitlines()) < 12
    assert show("model.py:long", "--rows", "x=x.npy", "--lines", "0") == 0
    assert len(capsys.readouterr().out.splitlines()) > 4000


def test_dot_names_the_parameters(capsys, folder):
    assert show("model.py:capped", *INPUTS, "--dot") == 0
    text = capsys.readouterr().out
    assert text.startswith('digraph "capped" {\n')
    assert '[label="scale\\nfloat64"' in text
    assert show("model.py:capped", *INPUTS, "--dot", "g.dot") == 0
    assert (folder / "g.dot").read_text() == text
    assert capsys.readouterr().out == ""


def test_a_saved_program_is_shown_without_its_function(capsys):
    td.record(lambda x: x.sin() * 2, 1.0).save("saved.td")
    assert show("saved.td") == 0
    assert "sin(x0)" in capsys.readouterr().out
    assert show("saved.td", "--dot") == 0
    assert capsys.readouterr().out.startswith("digraph ")


def test_a_picture_is_what_dot_draws(folder, monkeypatch, capsys):
    drawer = folder / "bin" / "dot"
    drawer.parent.mkdir()
    drawer.write_text('#!/bin/sh\n[ "$1" = -Tpng ] || exit 3\nprintf PNG; cat\n')
    drawer.chmod(drawer.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{drawer.parent}{os.pathsep}{os.environ['PATH']}")
    assert show("model.py:capped", *INPUTS, "--png", "p.png") == 0
    assert (folder / "p.png").read_text().startswith('PNGdigraph "capped" {')
    drawer.write_text("#!/bin/sh\necho 'syntax error\nin line 1' >&2; exit 1\n")
    assert show("model.py:capped", *INPUTS, "--png", "q.png") == 2
    assert capsys.readouterr().err == "tapediff: dot failed: syntax error in line 1\n"
    assert not (folder / "q.png").exists()
    monkeypatch.setenv("PATH", str(folder))
    assert show("model.py:capped", *INPUTS, "--png", "p.png") == 2
    assert "a picture needs the program dot of Graphviz" in capsys.readouterr().err


ERRORS = {
    "model.py:capped": "no inputs were given; name the function's parameters",
    "model.py:capped --rows x=x.npy": "capped(x, scale) needs 'scale'",
    "model.py:gone --rows x=x.npy": "model.py defines no function 'gone'",
    "model.py --rows x=x.npy": "'model.py' does not name a function; write FILE.py:function",
    "gone.td": "gone.td is neither FILE.py:FUNCTION nor the file of a program: ",
    "x.npy": "x.npy is neither FILE.py:FUNCTION nor the file of a program: ",
    "saved.td --rows x=x.npy": "saved.td is a program, which needs no inputs to be shown",
    "model.py:vector --rows x=x.npy": "row 0: the result has the shape (2,); wanted one element",
    "model.py:fails --rows x=x.npy --row 1": "row 1: ArithmeticError: too large (model.py, line 11)",
    "model.py:vector --rows x=x.npy --row 2": "--row 2: there are 2 rows, counted from 0",
    "model.py:vector --rows x=gone.npy": "gone.npy does not exist",
    "model.py:long --rows x=x.npy --png p.png": "instructions, too many for a picture; --dot writes the graph",
    "model.py:long --rows x=x.npy --dot gone/g.dot": "gone/g.dot can't be written: No such file or directory",
}


@pytest.mark.parametrize(("line", "message"), ERRORS.items(), ids=list(ERRORS))
def test_what_can_t_be_shown_is_one_line_and_exit_code_2(capsys, line, message):
    td.record(lambda x: x.sin(), 1.0).save("saved.td")
    assert show(*line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tapediff: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err


def test_help_names_every_option_and_exit_code(capsys):
    with pytest.raises(SystemExit) as stop:
        show("--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in ["--rows", "--shared", "--row ", "--lines", "--source", "--dot", "--png", "exit codes"]:
        assert word in text
