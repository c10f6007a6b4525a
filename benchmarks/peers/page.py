"""The printed part of the performance page: every figure, and the reason wherever a peer is ahead."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.peers import catalogue, crossing, goals
from benchmarks.peers.figures import OURS, Table, format_bytes, format_ratio, format_seconds, tables, three_digits
from benchmarks.peers.reasons import REASONS
from benchmarks.peers.workload import Workload

START = "<!-- from here on printed by `python -m benchmarks.peers` -->"
END = "<!-- printed up to here -->"
NO_REASON = "no reason has been found yet"
COLUMNS = ("", "best", "median", "x tapediff", "first call", "memory", "lines")
LIBRARIES = ("torch", "jax", "autograd", "mygrad", "micrograd", "xad", "casadi", "ddx", "numba", "numpy")


def renew(path: Path, document: dict[str, Any]) -> None:
    """Replace the printed part of a page, or start one; what people wrote around it stays."""
    printed = f"{START}\n\n{section(document)}\n{END}\n"
    old = path.read_text() if path.exists() else f"# Performance\n\n{START}\n{END}\n"
    before, _, rest = old.partition(START)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + printed + rest.partition(END)[2].removeprefix("\n"))


def section(document: dict[str, Any]) -> str:
    """The printed part: where it was measured, how to read it, the ratios at a glance, and each workload."""
    known = list(catalogue.all_workloads())
    runs = {(run["workload"], run["threads"]): run for run in document["runs"]}
    counts = sorted({threads for _, threads in runs})
    parts = ["## Beside other libraries\n", provenance(document["runs"]), HOW_TO_READ, glance(known, runs, counts)]
    parts += [goals_part(document), crossings_part(document)]
    for workload in known:
        found = [runs[workload.name, threads] for threads in counts if (workload.name, threads) in runs]
        if found:
            parts.append(workload_part(workload, list(tables(found))))
    return "\n".join(part for part in parts if part)


HOW_TO_READ = """
All peers of a table run in one process, in turn, after their results were compared with each other; a table shows the best and
the median time of a call. `x tapediff` is the peer's time over tapediff's: 2 means that the peer takes twice as long, 0.5 that it
is twice as fast. `first call` is the time from the imported library to the first result, so it holds recording and compilation
(tapediff's own kernel cache is empty then, its sweeps have been compiled once before); `memory` is what that first call took at
its peak. Both are measured in a process of their own, for the largest size. `lines` counts the code that a user writes for it,
the few lines that bind it to this comparison among them. Every library gets the same number of threads and the same cores. "By
hand" is a derivative that a person derived: the yardstick for what there is to be gained.
"""


def provenance(runs: list[dict[str, Any]]) -> str:
    dates = sorted(run["date"][:10] for run in runs)
    where = sorted({f"{run['cpu']}, {run['cores']} cores, Python {run['python']}" for run in runs})
    versions: dict[str, set[str]] = {}
    for run in runs:
        for name, number in run["versions"].items():
            versions.setdefault(name, set()).add(number)
    packages = ", ".join(f"{name} {' and '.join(sorted(numbers))}" for name, numbers in versions.items())
    days = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    repeats = sorted({run["repeats"] for run in runs})
    return wrapped(
        f"Measured on {days}: {'; '.join(where)}. {packages}. Best of {' or '.join(map(str, repeats))} interleaved repeats, "
        f"fewer where a call takes seconds{clocks(runs)}. `make peers` measures again and prints this part."
    )


def clocks(runs: list[dict[str, Any]]) -> str:
    """What must be said about the clock: nothing where all of it is wall time."""
    on_cpu_time = sorted({run["threads"] for run in runs if run["clock"] == "cpu"})
    return "; the machine was shared: times on one thread are processor time" if on_cpu_time else ""


def wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 130, break_long_words=False, break_on_hyphens=False)


def markdown_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(columns)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def glance(known: list[Workload], runs: dict[tuple[str, int], dict[str, Any]], counts: list[int]) -> str:
    """For the largest size of each workload the ratio of the best way of each library, on the fewest threads."""
    rows, used = [], []
    for workload in known:
        if (workload.name, counts[0]) in runs:
            table = list(tables([runs[workload.name, counts[0]]]))[-1]
            best = {library: best_of(table, library) for library in LIBRARIES}
            used += [library for library in LIBRARIES if best[library] is not None]
            rows.append((workload, table, best))
    shown = [library for library in LIBRARIES if library in used]
    cells = (
        [f"[{workload.title}](#{anchor(workload)}), {table.size:,} {workload.size_name}", format_seconds(table.seconds())]
        + ["" if best[library] is None else format_ratio(ratio_to_ours(table, best[library])) for library in shown]
        for workload, table, best in rows
    )
    names = [f"by hand ({library})" if library in ("numba", "numpy") else library for library in shown]
    text = markdown_table(["", OURS, *names], cells)
    explained = "The best way of each library over `tapediff`, at the largest size; below 1 the peer is ahead."
    return f"### At a glance\n\n{explained}\n\n{text}"


def goals_part(document: dict[str, Any]) -> str:
    """What is to be reached beside what was seen."""
    found = goals.outcomes(document)
    links = {workload.name: f"[{workload.name}](#{anchor(workload)})" for workload in catalogue.all_workloads()}

    def linked(title: str) -> str:
        name, comma, rest = title.partition(",")
        return links.get(name, name) + comma + rest

    rows = ([linked(o.title), o.wanted, o.seen, goals.VERDICTS[o.is_met]] for o in found)
    own = document.get("own")
    when = f", figures of tapediff alone on {own['date'][:10]}" if own else ""
    explained = wrapped(
        f"{goals.counted(found)}{when}. `x` is the other's time over that of the first way of tapediff that is named; "
        "`python -m benchmarks.peers --goals --output docs` prints this table again."
    )
    return f"### Goals\n\n{explained}\n\n{markdown_table(['', 'wanted', 'seen', ''], rows)}"


def crossings_part(document: dict[str, Any]) -> str:
    """From how many rows or calls on the compiled tape is ahead, with what compiling it takes."""
    found = document.get("crossings", [])
    if not found:
        return ""
    lines = []
    for curves in found:
        workload = catalogue.workload_named(curves["workload"])
        lines.append(f"* {workload.title}: {crossing.sentence(curves, workload.size_name)}")
        lines.append(f"\n![interpreter and compiled tape](pictures/crossing-{workload.name}.svg)\n")
    explained = wrapped(
        "Seconds from an empty cache, recording and compiling included, until so many rows or calls are done, on one thread. "
        "`executor=\"auto\"` compiles in the background once that pays."
    )
    text = "\n".join(wrapped(line).replace("\n", "\n  ") if line.startswith("*") else line for line in lines)
    return f"### Where the compiled tape pays\n\n{explained}\n\n{text}"


def best_of(table: Table, library: str) -> float | None:
    seconds = [row.best for row in table.rows if row.peer.split(",")[0] == library and row.best is not None]
    return min(seconds, default=None)


def ratio_to_ours(table: Table, seconds: float | None) -> float | None:
    ours = table.seconds()
    return None if ours is None or seconds is None else seconds / ours


def anchor(workload: Workload) -> str:
    return workload.name


def workload_part(workload: Workload, found: list[Table]) -> str:
    parts = [f'<a id="{anchor(workload)}"></a>\n\n### {workload.title}\n']
    if has_picture(workload, found):
        parts.append(f"![time against {workload.size_name}](pictures/peers-{workload.name}.svg)\n")
    for table in found:
        threads = "1 thread" if table.threads == 1 else f"{table.threads} threads"
        parts.append(f"{workload.size_name} = {table.size:,}, {threads}:\n")
        parts.append(markdown_table(COLUMNS, (cells(table, row) for row in table.rows)))
    parts.append(losses(workload, found))
    return "\n".join(part for part in parts if part)


def has_picture(workload: Workload, found: list[Table]) -> bool:
    """Whether there are sizes enough for curves."""
    return len(workload.sizes) > 2 and len({table.size for table in found}) > 1


def cells(table: Table, row: Any) -> list[str]:
    if row.problem is not None:
        return [row.peer, f"{'left out' if row.is_left_out else 'problem'}: {row.problem}", "", "", "", "", str(row.lines)]
    name = f"**{row.peer}**" if row.peer == OURS else row.peer
    times = [format_seconds(row.best), format_seconds(row.median), format_ratio(table.ratio(row)), format_seconds(row.first)]
    return [name, *times, format_bytes(row.peak_bytes), str(row.lines)]


def reason(workload: Workload, peer: str) -> str:
    """Why a way of a library, or the library, is ahead."""
    found = REASONS.get(workload.name, {})
    return found.get(peer) or found.get(peer.split(",")[0], NO_REASON)


def losses(workload: Workload, found: list[Table]) -> str:
    """Why each peer that is ahead of tapediff anywhere is ahead, with the sizes where it is."""
    where: dict[str, list[str]] = {}
    for table in found:
        for row in table.ahead():
            threads = "" if table.threads == 1 else f" on {table.threads} threads"
            where.setdefault(row.peer, []).append(f"{table.size:,}{threads}: {three_digits(table.ratio(row) or 0.0)}")
    if not where:
        return ""
    lines = [f"* {peer} ({', '.join(places)}): {reason(workload, peer)}." for peer, places in where.items()]
    return "Ahead of tapediff:\n\n" + "\n".join(wrapped(line).replace("\n", "\n  ") for line in lines) + "\n"
