"""Jobs on Dask: bit for bit what a local run gives, whatever happens to workers; recipes that make evaluators elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="running on Dask needs the extra jobs")
dask_array = pytest.importorskip("dask.array")

MODEL = '''
import os

import tapediff as td
from helper import twice

def branching(x, w):
    y = (w @ x).tanh()
    for _ in range(10):
        y = (y * 1.1 + x * 0.3).sin()
    return twice(y.sum()) if y[0] > 0 else (y * y).sum()

def failing(x, w):
    if x[1] > 3:
        raise ArithmeticError("too large")
    return (x.log() * w[0]).sum() if x[0] > 1 else (w @ x).sum()

def ending(x, w):
    if float(x[1]) > 2.5:
        os._exit(1)
    return x.sum()
'''
HELPER = '''
def twice(y):
    return 2 * y
'''
SCRIPT = Path(__file__).parent / "dask_scenarios.py"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory):
    """A function that runs scenarios on a cluster and returns what they found."""

    def run_scenarios(*names):
        folder = tmp_path_factory.mktemp("dask")
        (folder / "model.py").write_text(MODEL)
        (folder / "helper.py").write_text(HELPER)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(SCRIPT), str(folder), *names]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr[-5000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run_scenarios


@pytest.fixture(scope="module")
def found(scenarios):
    return scenarios("to_folder", "in_memory", "reduced", "of_a_session", "large_chunks", "rows_that_go_wrong",
                     "half_on_the_cluster", "command", "blocks")


@pytest.mark.slow
def test_results_have_the_bits_of_a_local_run(found):
    assert found["to_folder"] == {"is_same": True, "is_finished": True, "rows": 20_000}
    assert found["in_memory"] == {"is_same": True}
    assert found["reduced"] == {"is_same": True}


@pytest.mark.slow
def test_functions_of_a_session_are_sent_to_workers(found):
    assert found["of_a_session"] == {"is_same": True}
    assert found["large_chunks"] == {"is_right": True}


@pytest.mark.slow
def test_rows_that_go_wrong_are_marked_and_strict_stops(found):
    seen = found["rows_that_go_wrong"]
    assert seen["is_same"]
    assert seen["failures"]
    assert "without --strict the job marks such rows and goes on" in seen["stopped"]
    assert seen["kept"] < 20_000
    assert seen["is_same_resumed"]


@pytest.mark.slow
def test_a_job_that_was_interrupted_here_goes_on_there(found):
    assert found["half_on_the_cluster"] == {"is_same": True, "before": 15 * 500}


@pytest.mark.slow
def test_the_command_line_takes_a_scheduler(found):
    assert found["command"] == {"code": 0, "error": "", "is_same": True}


@pytest.mark.slow
def test_dask_arrays_have_the_bits_of_a_local_run(found):
    assert found["blocks"] == {"is_same": True}


@pytest.mark.slow
def test_a_worker_that_dies_loses_nothing(scenarios):
    assert scenarios("a_dead_worker")["a_dead_worker"] == {"is_same": True, "was_in_the_middle": True}


@pytest.mark.slow
def test_a_function_that_ends_its_process_is_an_error(scenarios):
    error = scenarios("a_function_that_ends_its_process")["a_function_that_ends_its_process"]["error"]
    assert "was lost with every worker that had it; does the function end its process" in error


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_an_error_and_what_is_finished_is_kept(scenarios):
    seen = scenarios("a_scheduler_that_goes")["a_scheduler_that_goes"]
    assert "the Dask scheduler is gone" in seen["error"]
    assert seen["is_same"]
