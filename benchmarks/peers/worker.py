"""The processes that measure: one times all peers of a workload in turn, others a single peer: its first call, or call by call.

`python -m benchmarks.peers.worker time NAME ...` prints a JSON line for each size; `first` and `curve` print one for a peer.
"""

import argparse
import gc
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.peers import conditions
from benchmarks.peers.agreement import disagreements
from benchmarks.peers.catalogue import workload_named
from benchmarks.peers.timing import CLOCKS, interleaved
from benchmarks.peers.workload import Peer, Workload

CURVE_SECONDS = 4.0
MODULES = {
    "autograd": ("autograd", "autograd.numpy", "autograd.scipy.special"),
    "jax": ("jax", "jax.numpy"),
    "micrograd": ("micrograd.engine",),
    "tapediff": ("tapediff",),
    "torch": ("torch", "torch.func"),
    "xad": ("xad.adj_1st", "xad.math"),
}


def import_library(peer: Peer, threads: int) -> None:
    """Import what the peer needs, so that its first call does not pay for it.

    Raises
        ModuleNotFoundError: it is not installed.
    """
    for module in MODULES.get(peer.library, (peer.library,)):
        import_module(module)
    conditions.tell_loaded_libraries(threads)


def prepare(workload: Workload, size: int, threads: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Steps and numbers of every peer that can run, and why the others cannot."""
    inputs = workload.inputs(size)
    steps, results, problems = {}, {}, {}
    for peer in workload.peers:
        if size > peer.largest:
            problems[peer.name] = peer.too_large
            continue
        try:
            import_library(peer, threads)
            case = peer.make(inputs)
            results[peer.name] = case.result()
            steps[peer.name] = case.step
        except ModuleNotFoundError as error:
            problems[peer.name] = f"not installed ({error.name})"
        except Exception as error:
            problems[peer.name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return steps, results, problems


def timed_workload(workload: Workload, size: int, threads: int, repeats: int, sample_seconds: float,
                   clock: str) -> dict[str, Any]:
    """Rows of one size, peer by peer: seconds, or the problem."""
    steps, results, problems = prepare(workload, size, threads)
    problems.update(disagreements(results, workload.tolerance))
    del results
    gc.collect()
    gc.freeze()  # collections during the timing look at the workloads' objects only, not at every library's
    taken = interleaved({name: step for name, step in steps.items() if name not in problems}, repeats, sample_seconds, clock)
    rows = []
    for peer in workload.peers:
        row: dict[str, Any] = {"peer": peer.name, "lines": peer.lines}
        if peer.name in taken:
            row.update(best=taken[peer.name].best, median=taken[peer.name].median, repeats=taken[peer.name].repeats)
        else:
            row.update(problem=problems[peer.name], is_left_out=size > peer.largest)
        rows.append(row)
    return {"size": size, "rows": rows}


def measure_first(workload: Workload, peer: Peer, size: int, threads: int, clock: str) -> dict[str, float]:
    """Seconds from the imported library to the first result, and the memory that came on top, at its peak."""
    inputs = workload.inputs(size)
    import_library(peer, threads)
    forget_peak()
    before = memory_bytes("VmRSS")
    now = CLOCKS[clock]
    start = now()
    case = peer.make(inputs)
    case.step()
    return {"first": now() - start, "peak_bytes": memory_bytes("VmHWM") - before}


def measure_curve(workload: Workload, peer: Peer, size: int, threads: int, clock: str) -> list[tuple[int, float]]:
    """Calls done, and the seconds since the library was imported: after 1, 2, 4 ... calls, for CURVE_SECONDS."""
    inputs = workload.inputs(size)
    import_library(peer, threads)
    now = CLOCKS[clock]
    start = now()
    case = peer.make(inputs)
    done, curve = 0, []
    while not curve or curve[-1][1] < CURVE_SECONDS:
        for _ in range(max(1, done)):
            case.step()
        done += max(1, done)
        curve.append((done, now() - start))
    return curve


def forget_peak() -> None:
    """Start the kernel's record of this process's largest memory anew, where it can be (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def memory_bytes(field: str) -> int:
    """A field of this process's memory as the kernel counts it; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("time", "first", "curve"))
    parser.add_argument("workload")
    parser.add_argument("--peer")
    parser.add_argument("--size", type=int, action="append")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--sample", type=float, default=0.02)
    parser.add_argument("--clock", default="wall")
    options = parser.parse_args(arguments)
    conditions.keep_to(options.threads)
    workload = workload_named(options.workload)
    answer: dict[str, Any]
    for size in options.size or workload.sizes:
        if options.task == "time":
            answer = timed_workload(workload, size, options.threads, options.repeats, options.sample, options.clock)
        else:
            (peer,) = (peer for peer in workload.peers if peer.name == options.peer)
            if options.task == "first":
                answer = measure_first(workload, peer, size, options.threads, options.clock)
            else:
                answer = {"curve": measure_curve(workload, peer, size, options.threads, options.clock)}
        sys.stdout.write("\n" + json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
