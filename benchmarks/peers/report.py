"""The comparison itself: check that the libraries agree, time them interleaved, print one table, write one JSON file."""

import json
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from benchmarks.peers.libraries import Comparison
from benchmarks.peers.timing import best_interleaved
from benchmarks.workloads import Case

PACKAGES = ("tapediff", "numpy", "numba", "llvmlite", "torch", "micrograd", "xad")


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds per call of tapediff and of one peer; `problem` says why there is no figure."""

    workload: str
    peer: str
    tapediff_seconds: float | None = None
    peer_seconds: float | None = None
    ratio: float | None = None
    wanted: float | None = None
    met: bool | None = None
    problem: str | None = None


def largest_difference(result: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference between two results, relative to the largest number of each array."""
    return max(float(np.max(np.abs(a - b))) / max(float(np.max(np.abs(b))), 1e-300) for a, b in zip(result, other, strict=True))


def prepare(comparison: Comparison) -> tuple[dict[str, Case], dict[str, list[np.ndarray]], dict[str, str]]:
    """Make each library's case and run it once; a library that is absent or fails gets a problem instead of a case."""
    cases, results, problems = {}, {}, {}
    for name, make in comparison.makers.items():
        try:
            case = make()
            results[name] = case.result()
            cases[name] = case
        except ModuleNotFoundError as error:
            problems[name] = f"{name}: not installed ({error.name})"
        except Exception as error:
            problems[name] = f"{name}: {type(error).__name__}: {error}"
    return cases, results, problems


def compare(comparison: Comparison, repeats: int, sample_seconds: float) -> list[Row]:
    """The rows of one workload, one for each peer; nothing is timed against a library that gives other numbers."""
    cases, results, problems = prepare(comparison)
    peers = [name for name in comparison.makers if name != "tapediff"]
    for peer in peers:
        if peer in results and "tapediff" in results:
            difference = largest_difference(results["tapediff"], results[peer])
            if not difference <= comparison.tolerance:
                problems[peer] = f"results differ by {difference:.1e} (tolerance {comparison.tolerance:.0e})"
    seconds = best_interleaved({name: case.step for name, case in cases.items() if name not in problems}, repeats, sample_seconds)
    return [make_row(comparison, peer, seconds, problems) for peer in peers]


def make_row(comparison: Comparison, peer: str, seconds: dict[str, float], problems: dict[str, str]) -> Row:
    ours, theirs, wanted = seconds.get("tapediff"), seconds.get(peer), comparison.wanted.get(peer)
    ratio = ours / theirs if ours is not None and theirs is not None else None
    met = ratio <= wanted if ratio is not None and wanted is not None else None
    return Row(comparison.name, peer, ours, theirs, ratio, wanted, met, problems.get("tapediff") or problems.get(peer))


def format_seconds(seconds: float | None) -> str:
    """`seconds` with a unit that keeps it between 1 and 1000.

    >>> format_seconds(0.000_153)
    '153.0 us'
    """
    if seconds is None:
        return "-"
    for unit, scale in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000:
            return f"{seconds * scale:.1f} {unit}"
    return f"{seconds:.2f} s"


def print_heading() -> None:
    print(f"{'workload':<38} {'tapediff':>10} {'peer':>10} {'':<14} {'ratio':>7} {'wanted':>7}  met", flush=True)


def print_row(row: Row) -> None:
    ratio = "-" if row.ratio is None else f"{row.ratio:.3f}"
    wanted = "-" if row.wanted is None else f"{row.wanted:.3f}"
    verdict = row.problem or {True: "yes", False: "NO", None: ""}[row.met]
    times = f"{format_seconds(row.tapediff_seconds):>10} {format_seconds(row.peer_seconds):>10}"
    print(f"{row.workload:<38} {times} {row.peer:<14} {ratio:>7} {wanted:>7}  {verdict}", flush=True)


def environment() -> dict[str, object]:
    """The date, machine and versions that a figure is worth nothing without."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "python": platform.python_version(),
        "threads": 1,
        "versions": {name: installed_version(name) for name in PACKAGES},
    }


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_json(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**environment(), "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def run(comparisons: list[Comparison], repeats: int, sample_seconds: float, json_path: Path | None) -> list[Row]:
    """Run every comparison, printing each row as it is known."""
    where = environment()
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items() if number)
    print(f"{where['date']}  {where['cpu']}, one thread\nPython {where['python']}, {versions}\n")
    print_heading()
    rows = []
    for comparison in comparisons:
        for row in compare(comparison, repeats, sample_seconds):
            print_row(row)
            rows.append(row)
    met = sum(row.met is True for row in rows)
    print(f"\n{met} of {sum(row.wanted is not None for row in rows)} wanted ratios met; best of {repeats} interleaved repeats")
    if json_path is not None:
        write_json(json_path, rows)
        print(f"figures written to {json_path}")
    sys.stdout.flush()
    return rows
