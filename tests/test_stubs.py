"""Types: the stubs are what the tables give, and a user's program passes a type checker."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.write_stubs import PACKAGE, STUBS, WRITES

ROOT = Path(__file__).parent.parent

PROGRAM = """
import numpy as np

import tapediff as td


def loss(weight: td.Tensor, x: td.Tensor) -> td.Tensor:
    hidden = (x @ weight).tanh() + td.exp(-x.square()).sum(dim=1, keepdim=True)
    return ((hidden - 1) ** 2).mean() / 2


weight = td.zeros(3, 2, dtype=td.float64, requires_grad=True)
x = td.tensor(np.ones((4, 3)))
y = loss(weight, x)
y.backward()
with td.no_grad():
    weight -= 0.1 * td.ones_like(weight)
value: float = y.item()
array: np.ndarray = weight.detach().numpy()
(dx,) = td.autograd.grad(loss(weight, x), weight)
shape: td.Size = weight.shape
is_small: td.Tensor = (weight < 1) & (weight == 0)
weight.grad = None
"""

MISTAKES = {
    "x.no_such_method()": 'has no attribute "no_such_method"',
    "td.no_such_function(x)": 'has no attribute "no_such_function"',
    "td.exp(x, 2)": "Too many positional arguments",
    "x.shape = (2, 3)": "read-only",
    "x.exp().backward(retain_graf=True)": "Unexpected keyword argument",
}


@pytest.mark.parametrize("name", STUBS)
def test_stubs_are_current(name):
    assert (PACKAGE / name).read_text() == STUBS[name](), f"tapediff/{name} is out of date: run `{WRITES}`"


def test_a_program_passes_and_its_mistakes_are_found(tmp_path):
    pytest.importorskip("mypy", reason="mypy checks the types")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + "".join(f"{mistake}\n" for mistake in MISTAKES))
    check = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", "--follow-imports=silent",
             str(program)]
    checked = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    errors = [line for line in checked.stdout.splitlines() if ": error: " in line]
    first = len(PROGRAM.splitlines()) + 1
    found: dict[int, str] = {}
    for line in errors:
        number = int(line.split(":")[1]) - first
        found[number] = found.get(number, "") + line
    assert set(found) == set(range(len(MISTAKES))), checked.stdout
    for position, words in enumerate(MISTAKES.values()):
        assert words in found[position]
