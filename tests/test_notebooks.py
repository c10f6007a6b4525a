"""Ordinary PyTorch notebooks run unchanged on tapediff and print what PyTorch printed."""

import difflib
import importlib.util
import os
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("notebook_recorder", Path(__file__).parent / "notebooks" / "record.py")
assert _SPEC is not None
assert _SPEC.loader is not None
recorder = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(recorder)

PACKAGE = "torch" if os.environ.get("TAPEDIFF_PARITY_SELF") else "tapediff"
SHOWN_LINES = 60


@pytest.mark.parametrize("path", recorder.notebooks(), ids=lambda path: path.stem)
def test_prints_what_pytorch_prints(path):
    expected = path.with_suffix(".out").read_text().splitlines()
    printed = recorder.run(path, PACKAGE).splitlines()
    if printed != expected:
        difference = list(difflib.unified_diff(expected, printed, "PyTorch", PACKAGE, lineterm="", n=1))
        changed = sum(line.startswith("-") for line in difference[2:])
        claim = f"{path.name}: {changed} lines of {len(expected)} differ"
        pytest.fail("\n".join([claim, *difference[:SHOWN_LINES]]), pytrace=False)


def test_every_notebook_has_a_recording():
    missing = [path.name for path in recorder.notebooks() if not path.with_suffix(".out").exists()]
    assert not missing, f"record them with `python tests/notebooks/record.py`: {missing}"


def test_a_wrong_answer_is_seen(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import torch\nprint(torch.__name__)\nraise ValueError('boom')\n")
    assert recorder.run(script, "math").splitlines() == ["math", "STOPPED at line 3: ValueError: boom"]
