"""The run: a process for each workload and number of threads, then one for each first call."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import conditions
from benchmarks.peers.figures import environment
from benchmarks.peers.workload import Workload

LONGEST = 1_800  # seconds that one process may take


@dataclass(frozen=True)
class Effort:
    """How much is measured: repeats, seconds of one library's turn, whether first calls get processes of their own; and how."""

    repeats: int
    sample_seconds: float
    first_calls: bool
    all_sizes: bool
    clock: str = "wall"


def run_workload(workload: Workload, threads: int, effort: Effort, told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Everything about one workload; `told` gets each size as soon as it is known."""
    sizes = workload.sizes if effort.all_sizes else workload.sizes[-1:]
    done = []
    for size in sizes:
        answer = timed_size(workload, size, threads, effort)
        if effort.first_calls and size == workload.sizes[-1]:
            for row in answer["rows"]:
                if "best" in row:
                    row.update(first_call(workload, row["peer"], size, threads, effort))
        done.append(answer)
        told({"workload": workload.name, "threads": threads, "sizes": [answer]})
    return {
        "workload": workload.name,
        "threads": threads,
        "repeats": effort.repeats,
        "clock": effort.clock,
        **environment(),
        "sizes": done,
    }


def timed_size(workload: Workload, size: int, threads: int, effort: Effort) -> dict[str, Any]:
    measures = ["--repeats", str(effort.repeats), "--sample", str(effort.sample_seconds), "--clock", effort.clock]
    try:
        return process("time", workload, size, threads, *measures)
    except RuntimeError as error:
        rows = [{"peer": peer.name, "lines": peer.lines, "problem": str(error)} for peer in workload.peers]
        return {"size": size, "rows": rows}


def first_call(workload: Workload, peer: str, size: int, threads: int, effort: Effort) -> dict[str, Any]:
    try:
        return process("first", workload, size, threads, "--peer", peer, "--clock", effort.clock)
    except RuntimeError:
        return {}


def process(task: str, workload: Workload, size: int, threads: int, *more: str) -> dict[str, Any]:
    """Run a worker and read its answer. Kernels that tapediff has kept on disk do not count for a first call.

    Raises
        RuntimeError: it died or took too long.
    """
    what = [task, workload.name, "--size", str(size), "--threads", str(threads), *more]
    command = [sys.executable, "-m", "benchmarks.peers.worker", *what]
    with tempfile.TemporaryDirectory(prefix="peers-") as empty:
        settings = conditions.environment(threads)
        if task != "time":
            settings["TAPEDIFF_CACHE_DIR"] = empty
        try:
            done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"took more than {LONGEST} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise RuntimeError(f"its process ended with {done.returncode}: {last[0]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
