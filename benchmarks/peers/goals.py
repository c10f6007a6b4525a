"""What tapediff is to reach, as one table, and what of it the figures of a run show (`python -m benchmarks.peers --goals`).

Three kinds: how many times tapediff's time a peer takes at least, what one unit of a workload takes at most, and what the figures
of `benchmarks.peers.own` are at most. `threads` None is the largest number that was measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import own
from benchmarks.peers.catalogue import workload_named
from benchmarks.peers.figures import OURS, Row, Table, format_seconds, tables, three_digits

Lookup = Callable[[str, int, int | None], Table | None]


@dataclass(frozen=True)
class Outcome:
    """A goal beside what was seen; `is_met` None where it was not measured."""

    title: str
    wanted: str
    seen: str
    is_met: bool | None


@dataclass(frozen=True)
class Ahead:
    """The time of `peer` is at least `wanted` times that of `ours`; `quantity` is "best", or "first" for first calls."""

    workload: str
    size: int
    peer: str
    wanted: float
    ours: str = OURS
    threads: int | None = 1
    peer_threads: int | None = 1
    quantity: str = "best"

    def outcome(self, find: Lookup, document: dict[str, Any]) -> Outcome:
        theirs = figure(find(self.workload, self.size, self.peer_threads), self.peer, self.quantity)
        mine = figure(find(self.workload, self.size, self.threads), self.ours, self.quantity)
        ratio = theirs / mine if theirs is not None and mine is not None else None
        seen = "-" if ratio is None else f"x {three_digits(ratio)}"
        return Outcome(self.title(), f">= x {self.wanted:.3g}", seen, None if ratio is None else ratio >= self.wanted)

    def title(self) -> str:
        ways = self.ours if self.peer == self.ours else f"{self.ours} against {self.peer}"
        on = "" if self.threads == self.peer_threads == 1 else "; all threads"
        against = "" if self.threads == self.peer_threads else " against one"
        first = "; first call" if self.quantity == "first" else ""
        return f"{size_of(self)}: {ways}{on}{against}{first}"


@dataclass(frozen=True)
class Each:
    """`quantity` of tapediff is at most `wanted` seconds for each unit of the size."""

    workload: str
    size: int
    wanted: float
    quantity: str = "best"

    def outcome(self, find: Lookup, document: dict[str, Any]) -> Outcome:
        seconds = figure(find(self.workload, self.size, 1), OURS, self.quantity)
        each = None if seconds is None else seconds / self.size
        what = "first call" if self.quantity == "first" else "a call"
        title = f"{size_of(self)}: {what}, for each of them"
        is_met = None if each is None else each <= self.wanted
        return Outcome(title, f"<= {format_seconds(self.wanted)}", format_seconds(each), is_met)


@dataclass(frozen=True)
class Alone:
    """A figure of `own.FIGURES` is at most `wanted`."""

    name: str
    wanted: float

    def outcome(self, find: Lookup, document: dict[str, Any]) -> Outcome:
        known = own.FIGURES[self.name]
        seen = document.get("own", {}).get("figures", {}).get(self.name)
        is_met = None if seen is None else seen <= self.wanted
        return Outcome(known.title, f"<= {known.text(self.wanted)}", "-" if seen is None else known.text(seen), is_met)


Goal = Ahead | Each | Alone

GOALS: tuple[Goal, ...] = (
    Ahead("scalar-mlp", 337, "micrograd", 4),
    Ahead("scalar-mlp", 337, "torch", 8),
    Ahead("scalar-chain", 300, "torch", 8),
    Ahead("scalar-chain", 300, "xad", 1.25),
    Ahead("scalar-chain", 300, "xad, tape kept", 1.25),
    Ahead("vector-chain", 3, "torch", 4),
    Ahead("vector-chain", 100, "torch", 4),
    Ahead("vector-chain", 10_000, "torch", 2),
    Ahead("vector-chain", 1_000_000, "torch", 2.5),
    Ahead("mlp-step", 64, "torch", 2),
    Alone("tape bytes", 64),
    Alone("long chain", 1.2),
    Alone("growth of training", 50),
    Alone("growth of evaluations", 50),
    Alone("import", 2),
    Alone("first gradient, empty caches", 6),
    Alone("first gradient, warm caches", 0.6),
    Ahead("heston", 100_000, "jax, scan", 6, "tapediff, interpreter", None, None),
    Ahead("heston", 100_000, "ddx, interpreted", 1.5, "tapediff, interpreter", None, None),
    Ahead("heston", 100_000, "numba, by hand", 1 / 3, "tapediff, interpreter", None, None),
    Ahead("heston", 100_000, "tapediff, interpreter", 1.7, "tapediff, interpreter", None, 1),
    Ahead("heston", 100_000, "jax, scan", 1, "tapediff, interpreter", quantity="first"),
    Ahead("heston-10", 100_000, "jax, unrolled", 100, "tapediff, interpreter", quantity="first"),
    Ahead("chain-300", 300, "jax", 1.5),
    Ahead("chain-300", 300, "casadi, SX machine", 0.5, "tapediff, interpreter"),
    Each("straight-line", 1_000_000, 25e-9),
    Each("straight-line", 1_000_000, 5e-6, "first"),
    Ahead("per-sample", 1_797, "torch, vmap(grad)", 2, "tapediff, vmap(grad)"),
    Ahead("per-sample", 1_797, "torch, vmap(grad)", 2),
    Ahead("jacobian", 200, "torch, jacrev", 5, "tapediff, jacrev"),
    Ahead("jacobian", 200, "torch, jacrev", 5),
    Ahead("hessian", 100, "torch, func.hessian", 5, "tapediff, func.hessian"),
    Ahead("hessian", 100, "torch, func.hessian", 5),
    Alone("guards", 0.05),
    Ahead("heston", 100_000, "numba, by hand", 1),
    Ahead("heston", 100_000, "numba, by hand, lockstep", 1),
    Ahead("heston", 100_000, "ddx, compiled", 1.5),
    Ahead("heston", 100_000, "jax, scan", 10),
    Ahead("black-scholes", 1_000_000, "numba, by hand", 1),
    Ahead("black-scholes", 1_000_000, "jax", 2),
    Ahead("chain-300", 300, "casadi, SX machine", 2),
    Ahead("chain-300", 300, "ddx, compiled", 4 / 3),
    Ahead("chain-300", 300, "casadi, C -O2", 1),
    Alone("gradient over value, Heston", 2.5),
    Alone("gradient over value, SABR", 2.5),
    Alone("gradient over value, Rosenbrock", 2.5),
    Alone("build", 0.5e-3),
    Alone("load", 0.02),
    Ahead("heston", 100_000, "ddx, compiled", 0.5, quantity="first"),
)


def size_of(goal: Ahead | Each) -> str:
    return f"{goal.workload}, {goal.size:,} {workload_named(goal.workload).size_name}"


def figure(table: Table | None, peer: str, quantity: str) -> float | None:
    rows = [] if table is None else [row for row in table.rows if row.peer == peer]
    return getattr(rows[0], quantity) if rows else None


def outcomes(document: dict[str, Any]) -> list[Outcome]:
    """Every goal beside what a run has seen."""
    found = {(table.workload, table.size, table.threads): table for table in tables(document["runs"])}

    def find(workload: str, size: int, threads: int | None) -> Table | None:
        if threads is None:
            threads = max((known[2] for known in found if known[:2] == (workload, size)), default=1)
            if threads == 1:
                return None
        return found.get((workload, size, threads))

    return [goal.outcome(find, document) for goal in GOALS]


def wanted_of(table: Table, peer: str) -> float | None:
    """How many times tapediff's time a peer is to take, where it is the headline way on one thread that is meant."""
    key = (table.workload, table.size, peer, table.threads, OURS, "best")
    asked = (goal for goal in GOALS if isinstance(goal, Ahead))
    found = (g.wanted for g in asked if (g.workload, g.size, g.peer, g.threads, g.ours, g.quantity) == key)
    return next(found, None)


def verdict(table: Table, row: Row) -> bool | None:
    """Whether tapediff is as far ahead of the peer as it ought to be; None where nothing is wanted or known."""
    ratio, wanted = table.ratio(row), wanted_of(table, row.peer)
    return None if ratio is None or wanted is None else ratio >= wanted


VERDICTS = {True: "met", False: "NOT MET", None: "not measured"}


def counted(found: list[Outcome]) -> str:
    """How many are met."""
    measured = [outcome for outcome in found if outcome.is_met is not None]
    missing = len(found) - len(measured)
    return f"{sum(outcome.is_met is True for outcome in measured)} of {len(measured)} goals met" + (
        f", {missing} not measured" if missing else ""
    )


def text(document: dict[str, Any]) -> str:
    """A line for each goal, for a terminal."""
    found = outcomes(document)
    width = max(len(outcome.title) for outcome in found)
    lines = [f"{o.title:<{width}} {o.wanted:>12} {o.seen:>10}  {VERDICTS[o.is_met]}" for o in found]
    return "\n".join([*lines, "", counted(found)])
