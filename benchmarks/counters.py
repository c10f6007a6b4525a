"""Counting retired instructions of user code: by the processor through `perf stat`, else by Callgrind, else not at all.

The processor counts exactly, in programs that run at full speed; many virtual machines hide its counters. Callgrind executes each
instruction in software on x86-64, as a processor without AVX-512 (Valgrind knows no such instructions): its counts are exact too,
of the code that LLVM makes for such a processor.
"""

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.counted import PIECES

PROCESS = Path(__file__).with_name("counted.py")
TITLE = "desc: Trigger: Client Request: "
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TAPEDIFF_NATIVE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
KEPT = ("PATH", "HOME", "PYTHONPATH", "LD_LIBRARY_PATH", "NUMBA_CACHE_DIR", "TAPEDIFF_CACHE_DIR", "XDG_CACHE_HOME")
HOST = "import llvmlite.binding as llvm; print(llvm.get_host_cpu_name()); print(llvm.get_host_cpu_features().flatten())"


@functools.cache
def counter() -> str | None:
    """What counts on this machine: "perf", "callgrind" or nothing."""
    if count_by_perf([sys.executable, "-c", ""]) is not None:
        return "perf"
    is_known = platform.machine() in ("x86_64", "AMD64") and shutil.which("valgrind") is not None
    return "callgrind" if is_known else None


def instructions(names: list[str]) -> dict[str, float]:
    """Instructions of one run of each piece: what two runs take more than one, so that the start of a process does not count.

    Raises
        RuntimeError: nothing counts on this machine, or the process of the work failed.
    """
    if counter() == "perf":
        return {name: slope({k * PIECES[name].runs: perf_count(name, k * PIECES[name].runs) for k in (1, 2)}) for name in names}
    if counter() == "callgrind":
        return {name: slope(counts) for name, counts in callgrind_counts(names).items()}
    raise RuntimeError("neither `perf stat -e instructions:u` nor Valgrind on x86-64 counts instructions here")


def slope(counts: dict[int, int]) -> float:
    """Instructions of one run from those of two numbers of runs.

    >>> slope({10: 1_050, 20: 2_050})
    100.0
    """
    (few, least), (many, most) = sorted(counts.items())
    return (most - least) / (many - few)


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """The same for all processes: what else a user has set moves their memory, and with it some counts by a percent."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, **ENVIRONMENT, **(more or {})}


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a process.

    Raises
        RuntimeError: it failed.
    """
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done


def perf_count(name: str, runs: int) -> int:
    """The least of two processes."""
    counts = [count_by_perf([sys.executable, "-P", str(PROCESS), str(runs), name]) for _ in range(2)]
    return min(count for count in counts if count is not None)


def count_by_perf(command: list[str]) -> int | None:
    """User instructions of a process and its threads; None where perf, the kernel or the processor does not count them."""
    if shutil.which("perf") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "count"
        perf = ["perf", "stat", "-x", ",", "-e", "instructions:u", "-o", str(answer), "--", *command]
        done = subprocess.run(perf, env=environment(), capture_output=True, text=True)
        if done.returncode or not answer.exists():
            return None
        found = re.search(r"^(\d+),[^,]*,instructions", answer.read_text(), re.MULTILINE)
    return None if found is None else int(found[1])


def callgrind_counts(names: list[str]) -> dict[str, dict[int, int]]:
    """For each piece the instructions by the number of runs, the least of several dumps.

    Numba's functions are compiled for Valgrind's processor before, at full speed, and loaded from its cache.
    """
    processor, features = run(["valgrind", "-q", "--tool=none", sys.executable, "-c", HOST], environment()).stdout.split()
    settings = environment({"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features})
    work = [sys.executable, "-P", str(PROCESS), "callgrind", *names]
    run(work, settings)
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/counts", *work]
        run(command, settings)
        counts: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for dump in Path(folder).iterdir():
            text = dump.read_text()
            title = next((line.removeprefix(TITLE) for line in text.splitlines() if line.startswith(TITLE)), None)
            if title is not None:
                name, runs = title.split("|")
                counts[name][int(runs)].append(int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1]))
    return {name: {runs: min(found) for runs, found in of_runs.items()} for name, of_runs in counts.items()}
