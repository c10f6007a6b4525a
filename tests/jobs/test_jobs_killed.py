"""A process that is killed at any moment loses nothing: the same command goes on, and the results have the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs import info

KILLS = int(os.environ.get("TAPEDIFF_KILLS", "3"))
ROOT = Path(td.__file__).parent.parent
MODEL = """
import time

def f(x, k):
    time.sleep(0.01)  # when it is recorded, that is for every chunk, since it looks at a value
    y = (k * x * x).sum()
    return y.sqrt() if y > 1 else y.sin() * x[0].exp()
"""
OUTPUTS = ("value.npy", "grad_x.npy", "grad_k.npy", "status.npy")


def start(folder, *options):
    """The job's command in a process of its own."""
    command = [sys.executable, "-m", "tapediff", "run", "model.py:f", "--rows", "x=x.npy", "--shared", "k=0.5", "--wrt", "x",
               "--wrt", "k", "--chunk-rows", "40", "--quiet", *options, "--out", folder]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(job):
    error = job.communicate(timeout=120)[1]
    assert job.returncode == 0, error.decode()


def results(folder):
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--reduce", "sum")], ids=["rows", "sum"])
def test_a_killed_job_goes_on_to_the_same_bits(tmp_path, monkeypatch, options):
    """As often as TAPEDIFF_KILLS says, at random moments from the first file on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.save("x.npy", np.random.default_rng(0).normal(size=(4000, 3)))
    finish(start("whole", *options))
    expected = results(tmp_path / "whole")
    rng = random.Random(td.__version__)
    moments = []
    for number in range(KILLS):
        folder = tmp_path / f"killed{number}"
        while True:  # until the job is finished, killed again and again
            job = start(folder.name, *options)
            began = time.monotonic()
            while not (folder / ".tapediff" / "lock").exists() and time.monotonic() - began < 60:
                assert job.poll() is None, job.communicate()[1].decode()
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 2.0))
            job.send_signal(signal.SIGKILL)
            job.communicate()
            moments.append(job.returncode)
            assert job.returncode in (0, -signal.SIGKILL)
            if (folder / ".tapediff" / "settings.json").exists():
                known = info(folder).summary
                assert known["running"] is None
                assert known["finished"] == (folder / "summary.json").exists() or known["finished_rows"] == 4000
            if job.returncode == 0 or len(moments) % 2:
                break
        finish(start(folder.name, *options))
        assert results(folder) == expected
    assert -signal.SIGKILL in moments
