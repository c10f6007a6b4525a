"""What a job did, as data for a file and as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from tapediff.jobs.settings import Settings
from tapediff.jobs.status import OK, REASONS
from tapediff.jobs.tally import Tally

MOST_PROGRAMS = 8  # that a table shows
MOST_GUARDS = 3  # of one program
LONGEST = 110  # characters of a text


def summary_of(settings: Settings, tally: Tally, is_finished: bool) -> dict[str, Any]:
    """The summary as data: what `summary.json` holds.

    rows, finished_rows, seconds (that chunks took), rows_per_second, status (rows by reason), failures (the first rows whose
    status is not 0), programs (signature, instructions, bytes of values, guards, rows), rows_of_further_programs (beyond 1,000),
    rows_alone (whose programs were not kept), rows_without_program, independent_rows (by input, where the value does not depend
    on it), summed_rows (with `reduce`), library (versions, processor)
    """
    counts = tally.counts
    programs: list[dict[str, Any]] = [
        {"signature": name, "instructions": facts.instructions, "bytes": facts.bytes, "guards": list(facts.guards),
         "rows": counts.programs[name]} for name, facts in tally.programs.items() if counts.programs.get(name)]
    programs.sort(key=lambda program: (-program["rows"], program["signature"]))
    return {
        "tapediff": settings.library["tapediff"],
        "function": settings.function["name"],
        "finished": is_finished,
        "rows": settings.length,
        "finished_rows": tally.rows,
        "seconds": round(tally.seconds, 3),
        "rows_per_second": round(tally.rows / tally.seconds) if tally.seconds else 0,
        "chunk_rows": settings.chunk_rows,
        "wrt": list(settings.wrt),
        "reduce": settings.reduce,
        "status": {reason: tally.status[code] for code, reason in REASONS.items()},
        "failures": [{"row": failure.row, "status": failure.code, "reason": REASONS[failure.code], "text": failure.text,
                      "line": failure.line} for failure in tally.failures],
        "programs": programs,
        "rows_of_further_programs": counts.further,
        "rows_alone": counts.alone,
        "rows_without_program": counts.eager,
        "independent_rows": {name: counts.independent.get(name, 0) for name in settings.wrt},
        "summed_rows": counts.summed if settings.reduce else None,
        "library": settings.library,
    }


def table_of(summary: Mapping[str, Any], outputs: Sequence[tuple[str, str]] = ()) -> str:
    """The summary for people, with further lines about outputs."""
    rows = f"{summary['rows']:,}"
    if not summary["finished"]:
        rows = f"{summary['finished_rows']:,} of {rows} finished"
    lines = [("rows", rows), ("seconds", f"{summary['seconds']:.2f}"), ("rows per second", f"{summary['rows_per_second']:,}")]
    lines += [("status", f"{count:,} rows: {code} {reason}") for code, reason in REASONS.items()
              if (count := summary["status"][reason]) and code != OK]
    lines += [("", failure_line(failure)) for failure in summary["failures"]]
    if summary["reduce"]:
        lines.append((summary["reduce"], f"of {summary['summed_rows']:,} rows with finite value and gradients"))
    lines += program_lines(summary["programs"])
    for label, text in (("rows_of_further_programs", "rows on more programs than are told apart"),
                        ("rows_alone", "rows of further paths, recorded one by one"),
                        ("rows_without_program", "rows evaluated without a program: the function could not be recorded there")):
        if summary[label]:
            lines.append(("", f"{summary[label]:,} {text}"))
    lines += [(f"independent of {name}", f"{count:,} rows") for name, count in summary["independent_rows"].items() if count]
    lines += outputs
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {text}".rstrip() for label, text in lines)


def failure_line(failure: Mapping[str, Any]) -> str:
    """A row that went wrong."""
    where = f" ({failure['line']})" if failure["line"] else ""
    return f"row {failure['row']:,}: {shortened(failure['text'])}{where}"


def program_lines(programs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The programs that served most rows, and their guards."""
    lines = []
    for number, program in enumerate(programs[:MOST_PROGRAMS]):
        guards = program["guards"]
        text = f"{program['instructions']:,} instructions, {program['bytes']:,} bytes of values, {program['rows']:,} rows"
        lines.append((f"program {number}", text + (f", {len(guards)} guard{'s' * (len(guards) != 1)}" if guards else "")))
        lines += [("", f"  {shortened(guard)}") for guard in guards[:MOST_GUARDS]]
        if len(guards) > MOST_GUARDS:
            lines.append(("", f"  and {len(guards) - MOST_GUARDS} more"))
    if len(programs) > MOST_PROGRAMS:
        rest = sum(program["rows"] for program in programs[MOST_PROGRAMS:])
        lines.append(("", f"and {len(programs) - MOST_PROGRAMS} more programs for {rest:,} rows"))
    return lines


def shortened(text: str) -> str:
    """A text of one line, printable and not too long.

    >>> shortened("a\\nb")
    'a b'
    """
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
