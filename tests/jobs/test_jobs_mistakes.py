"""What functions and users do that they should not: no mistake costs a file or passes for success."""

import numpy as np
import pytest

from tapediff.jobs import JobError, StrictError, run
from tapediff.jobs.cli import main

LEAVING = """
import sys

def leaves(x):
    if x[0] > 2:
        sys.exit(0)
    return x.sum()
"""


def test_a_function_that_exits_marks_its_row(folder):
    (folder / "leaving.py").write_text(LEAVING)
    result = run("leaving.py:leaves", rows={"x": "x.npy"}, wrt="x", out="out")
    np.testing.assert_array_equal(result.status, [0, 4, 4])
    failure = result.summary["failures"][0]
    assert failure["text"].startswith("RuntimeError: SystemExit: 0")
    assert failure["line"].endswith("leaving.py:6")
    with pytest.raises(StrictError, match="row 1: exception in the function: RuntimeError: SystemExit: 0"):
        run("leaving.py:leaves", rows={"x": "x.npy"}, wrt="x", strict=True)


def test_a_file_that_exits_when_imported_is_no_success(folder, capsys):
    (folder / "leaving.py").write_text("import sys; sys.exit(0)")
    assert main(["run", "leaving.py:f", "--rows", "x=x.npy", "--wrt", "x", "--out", "out"]) == 2
    assert capsys.readouterr().err == "tapediff: leaving.py can't be imported: SystemExit: 0 (leaving.py, line 1)\n"


@pytest.mark.parametrize("source", ["out/grad_x.npy", "./out/../out/value.npy", "link.npy", "out/value*.npy"])
def test_restarting_does_not_take_away_its_own_input(folder, source):
    run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="out")
    (folder / "link.npy").symlink_to(folder / "out" / "grad_x.npy")
    before = {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.is_file()}
    with pytest.raises(JobError, match=r"x is read from .*, which restarting would remove; give another folder"):
        run(lambda x: (x * x).sum(), rows={"x": source}, wrt="x", out="out", restart=True)
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.is_file()} == before
    with pytest.raises(JobError, match=r"w is read from .*, which restarting would remove"):
        run("model.py:quadratic", rows={"x": "x.npy"}, shared={"w": "out/grad_x.npy"}, wrt="x", out="out", restart=True)
    assert run(lambda x: (x * x).sum(), rows={"x": source}, wrt="x", out="other").rows == 3


def test_restarting_removes_a_link_and_not_what_it_leads_to(folder):
    precious = folder / "precious.npy"
    precious.write_bytes(b"precious")
    (folder / "out").mkdir()
    (folder / "out" / "value.npy").symlink_to(precious)
    with pytest.raises(JobError, match=r"already holds value.npy"):
        run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="out")
    assert run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="out", restart=True).rows == 3
    assert precious.read_bytes() == b"precious"
    assert not (folder / "out" / "value.npy").is_symlink()


def test_an_output_folder_without_a_name_is_refused(folder):
    with pytest.raises(JobError, match=r"the output folder has no name; give one, or \. for"):
        run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="")
    assert not (folder / ".tapediff").exists()
