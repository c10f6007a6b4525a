"""The figures of a run: where and when they were measured, kept as JSON, and written for people."""

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

OWN_PACKAGES = ("tapediff", "numpy", "scipy", "numba", "llvmlite")
PEER_PACKAGES = ("torch", "jax", "autograd", "mygrad", "micrograd", "casadi", "ddx-ad", "xad")
NOISE = 1.05  # ratios closer to 1 are not told from noise
OURS = "tapediff"


@dataclass(frozen=True)
class Row:
    """One line of the table. `problem` says why there is no figure; `is_left_out` that nobody expected one."""

    peer: str
    lines: int
    best: float | None = None
    median: float | None = None
    repeats: int | None = None
    first: float | None = None
    peak_bytes: int | None = None
    problem: str | None = None
    is_left_out: bool = False


@dataclass(frozen=True)
class Table:
    """All rows of one workload, one size and one number of threads."""

    workload: str
    size: int
    threads: int
    rows: tuple[Row, ...]

    def seconds(self, peer: str = OURS) -> float | None:
        return next((row.best for row in self.rows if row.peer == peer), None)

    def ratio(self, row: Row) -> float | None:
        """How many times tapediff's time the peer takes: more than 1 where tapediff is ahead."""
        ours = self.seconds()
        return row.best / ours if row.best is not None and ours is not None else None

    def ahead(self) -> list[Row]:
        """Peers of other libraries that are faster than tapediff, the fastest first."""
        rows = [row for row in self.rows if not row.peer.startswith(OURS) and (self.ratio(row) or NOISE) < 1 / NOISE]
        return sorted(rows, key=lambda row: row.best or 0.0)


def environment() -> dict[str, Any]:
    """The date, machine and versions that a figure is worth nothing without."""
    versions = {name: installed_version(name) for name in OWN_PACKAGES + PEER_PACKAGES}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "cores": cores(),
        "python": platform.python_version(),
        "versions": {name: number for name, number in versions.items() if number},
    }


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def merged(document: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """A document with what `new` has, and what the old one has besides: runs of other workloads, figures of tapediff alone."""

    def key(run: dict[str, Any]) -> tuple[str, int]:
        return run["workload"], run["threads"]

    old = document or {}
    repeated = {key(run) for run in new.get("runs", [])}
    kept = [run for run in old.get("runs", []) if key(run) not in repeated]
    return {**old, **new, "runs": kept + new.get("runs", [])}


def read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


def write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def tables(runs: Iterable[dict[str, Any]]) -> Iterator[Table]:
    for run in runs:
        for size in run["sizes"]:
            yield Table(run["workload"], size["size"], run["threads"], tuple(Row(**row) for row in size["rows"]))


def format_seconds(seconds: float | None) -> str:
    """`seconds` with a unit that keeps it between 1 and 1000.

    >>> format_seconds(0.000_153)
    '153 us'
    >>> format_seconds(0.01234)
    '12.3 ms'
    """
    if seconds is None:
        return "-"
    for unit, scale in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 999.5:
            return f"{three_digits(seconds * scale)} {unit}"
    return f"{three_digits(seconds)} s"


def three_digits(number: float) -> str:
    """
    >>> [three_digits(number) for number in (0.0123, 1.234, 12.34, 123.4, 1234.5)]
    ['0.012', '1.23', '12.3', '123', '1234']
    """
    decimals = 3 if number < 0.1 else 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{decimals}f}"


def format_bytes(count: int | None) -> str:
    """
    >>> format_bytes(3_145_728)
    '3.1 MB'
    """
    return "-" if count is None else f"{max(count, 0) / 1e6:,.1f} MB"


def format_ratio(ratio: float | None) -> str:
    return "-" if ratio is None else three_digits(ratio)
