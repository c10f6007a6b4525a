"""The table as it is printed while the run goes on."""

from typing import Any

from benchmarks.peers import goals
from benchmarks.peers.figures import Row, Table, format_bytes, format_ratio, format_seconds
from benchmarks.peers.workload import Workload

COLUMNS = f"{'':<30} {'best':>9} {'median':>9} {'x tapediff':>10} {'wanted':>7} {'first call':>10} {'memory':>11} {'lines':>5}"


def heading(environment: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in environment["versions"].items())
    where = f"{environment['date']}  {environment['cpu']}, {environment['cores']} cores"
    return f"{where}\nPython {environment['python']}, {versions}\n"


def table_text(workload: Workload, table: Table) -> str:
    """One table: a line for each peer, slower peers' ratios above 1."""
    threads = "1 thread" if table.threads == 1 else f"{table.threads} threads"
    title = f"{workload.title} [{workload.name}]; {workload.size_name} = {table.size:,}; {threads}"
    return "\n".join([title, COLUMNS, *(row_text(table, row) for row in table.rows), ""])


def row_text(table: Table, row: Row) -> str:
    if row.problem is not None:
        return f"  {row.peer:<28} {'left out: ' if row.is_left_out else 'PROBLEM: '}{row.problem}"
    wanted = goals.wanted_of(table, row.peer)
    verdict = {True: "", False: "  NOT MET", None: ""}[goals.verdict(table, row)]
    cells = (
        f"{format_seconds(row.best):>9}",
        f"{format_seconds(row.median):>9}",
        f"{format_ratio(table.ratio(row)):>10}",
        f"{'-' if wanted is None else f'>= {wanted:g}':>7}",
        f"{format_seconds(row.first):>10}",
        f"{format_bytes(row.peak_bytes):>11}",
        f"{row.lines:>5}",
    )
    return f"  {row.peer:<28} {' '.join(cells)}{verdict}"


def summary(tables: list[Table], repeats: int) -> str:
    verdicts = [goals.verdict(table, row) for table in tables for row in table.rows]
    wanted = [verdict for verdict in verdicts if verdict is not None]
    behind = sum(len(table.ahead()) for table in tables)
    return (
        f"{sum(wanted)} of {len(wanted)} wanted ratios met; {behind} rows in which a peer is ahead of tapediff; "
        f"best of {repeats} interleaved repeats (fewer for what takes seconds)"
    )
