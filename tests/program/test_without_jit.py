"""NUMBA_DISABLE_JIT=1: sweeps and the interpreter run as Python, slowly, and give the same."""

import os
import subprocess
import sys
from pathlib import Path

import every_case
import numpy as np
import pytest
from executors import assert_close, assert_same_bits

HERE = Path(__file__).parent
STEP = 13  # every so many-th case, so that it takes seconds


def run_without_jit(*arguments):
    """Run Python where Numba compiles nothing, with warnings as errors."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-W", "error", *map(str, arguments)], env=environment, capture_output=True, text=True,
                          timeout=300, check=False, cwd=HERE)


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    path = tmp_path_factory.mktemp("without_jit") / "cases.npz"
    done = run_without_jit(HERE / "every_case.py", path, STEP)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(path) as found:
        return dict(found)


@pytest.mark.parametrize("case", every_case.chosen(STEP), ids=[case.name for case in every_case.chosen(STEP)])
def test_every_executor_gives_what_it_gives_compiled(case, arrays):
    expected = every_case.found(case)
    found = {name.partition(": ")[2]: array for name, array in arrays.items() if name.partition(": ")[0] == case.name}
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        # element-wise kernels are the same machine code; sums are NumPy's, which adds in another order
        if case.elementwise and "broadcast" not in case.name and name.partition(" ")[0] in ("eager", "replay", "batch"):
            assert_same_bits(found[name], array, name)
        assert_close(found[name], array, name, 10 * case.looser)


def test_programs_branch_map_and_explain_themselves():
    files = [HERE / "test_branches.py", HERE / "test_explain.py", HERE.parent / "func" / "test_vmap.py"]
    done = run_without_jit("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_what_needs_compiled_code_says_so():
    done = run_without_jit("-c", """
import numpy as np, tapediff as td
from tapediff import native
from tapediff.errors import TapediffError
program = td.record(lambda x: x.sin(), 1.0)
for _ in range(20):
    td.tensor(1.0, requires_grad=True).sin().backward()
assert "NUMBA_DISABLE_JIT" in native.state.refusal, native.state.refusal
try:
    program.using("compiled")(0.5)
except TapediffError as error:
    print(error)
""")
    assert "NUMBA_DISABLE_JIT is set: there is no compiled tape; use executor='interpreter'" in done.stdout, done.stderr
