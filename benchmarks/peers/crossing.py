"""Where the compiled tape overtakes the interpreter: seconds from nothing, as more and more rows or calls are done."""

from typing import Any

from benchmarks.peers.figures import OURS, format_seconds
from benchmarks.peers.run import Effort, process
from benchmarks.peers.workload import Workload

INTERPRETER = "tapediff, interpreter"
WORKLOADS = (("chain-300", 300), ("heston", 10_000), ("bundle", 31_843))
SINGLE = ("chain-300",)  # whose calls are one row


def measured(workload: Workload, size: int) -> dict[str, Any] | None:
    """The curves of both executors, each from a process of its own with an empty cache; None where one failed."""
    effort = Effort(1, 0.0, False, False)
    try:
        curves = {
            peer: process("curve", workload, size, 1, "--peer", peer, "--clock", effort.clock)["curve"]
            for peer in (INTERPRETER, OURS)
        }
    except RuntimeError:
        return None
    return {"workload": workload.name, "size": size, "curves": curves}


def per_call(curves: dict[str, Any]) -> int:
    """How many rows a call is, one where it is called with single numbers."""
    return 1 if curves["workload"] in SINGLE else curves["size"]


def unit(curves: dict[str, Any], size_name: str) -> str:
    return "calls" if curves["workload"] in SINGLE else size_name


def in_units(curves: dict[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """By executor the rows or calls done and the seconds."""
    return {peer: [(calls * per_call(curves), seconds) for calls, seconds in points] for peer, points in curves["curves"].items()}


def line(points: list[tuple[int, float]]) -> tuple[float, float]:
    """Seconds at the start, and for each unit: the line through the first point and the last, for what is done over and over.

    >>> line([(1, 2.5), (2, 3.0), (4, 4.0)])
    (2.0, 0.5)
    """
    (few, early), (many, late) = points[0], points[-1]
    slope = (late - early) / (many - few)
    return early - few * slope, slope


def crossing(curves: dict[str, Any]) -> float | None:
    """After how many rows or calls the compiled tape is ahead for good; None where it never is."""
    (start, each), (built, compiled_each) = (line(in_units(curves)[peer]) for peer in (INTERPRETER, OURS))
    if compiled_each >= each:
        return None
    return max(0.0, (built - start) / (each - compiled_each))


def sentence(curves: dict[str, Any], size_name: str) -> str:
    """What the curves say.

    >>> points = {INTERPRETER: [(1, 1.001), (1000, 2.0)], OURS: [(1, 1.5005), (1000, 2.0)]}
    >>> sentence({"workload": "chain-300", "size": 300, "curves": points}, "instructions")
    'the compiled tape is ahead from 1,000 calls on; each takes 500 us instead of 1.00 ms, and it starts 500 ms later.'
    """
    what = unit(curves, size_name)
    (start, each), (built, compiled_each) = (line(in_units(curves)[peer]) for peer in (INTERPRETER, OURS))
    found = crossing(curves)
    takes = f"each takes {format_seconds(compiled_each)} instead of {format_seconds(each)}"
    if found is None:
        return f"the compiled tape is never ahead; {takes}."
    rounded, later = float(f"{found:.2g}"), format_seconds(built - start)
    return f"the compiled tape is ahead from {rounded:,.0f} {what} on; {takes}, and it starts {later} later."
