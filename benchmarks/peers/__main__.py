"""`python -m benchmarks.peers`: time tapediff beside its peers, print one table, write figures, a page and pictures.

Exit code 0: every figure was measured (met or not). 1: a library was missing or failed, or results differ. 2: wrong usage.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.peers import catalogue, crossing, figures, goals, own, report
from benchmarks.peers.run import Effort, run_workload
from benchmarks.peers.workload import Workload

QUICK_REPEATS = 3


def thread_counts(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",")]
    if min(counts) < 1 or max(counts) > figures.cores():
        raise ValueError(f"threads from 1 to {figures.cores()}, the cores that this process may use: got {text}")
    return counts


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__, formatter_class=layout)
    parser.add_argument("--workloads", metavar="A,B", help="only these (see --list)")
    parser.add_argument("--only", metavar="TEXT", help="only the workloads whose name or title contains TEXT")
    parser.add_argument("--quick", action="store_true", help="the last size of each workload, few repeats, no first calls")
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="rounds; the best one counts (default %(default)s)")
    parser.add_argument("--sample", type=float, default=0.02, metavar="SECONDS", help="one library's turn (default %(default)s)")
    parser.add_argument(
        "--threads",
        type=thread_counts,
        default=[1],
        metavar="N,M",
        help="threads of each library (default 1); more than 1 only where that serves anybody",
    )
    output_help = (
        "where performance.json, performance.md and pictures/ go; what stands there about others stays (default %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path("results/peers"), metavar="FOLDER", help=output_help)
    clock_help = (
        "wall time, or the processor time of this process: for one thread on a machine that is shared (default %(default)s)"
    )
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help=clock_help)
    goals_help = "print what of the goals the figures in --output show, and measure nothing"
    parser.add_argument("--goals", action="store_true", help=goals_help)
    own_help = "measure only tapediff alone (memory, start-up, building, crossings), which a run of all workloads does as well"
    parser.add_argument("--own", action="store_true", help=own_help)
    parser.add_argument("--list", action="store_true", help="list the workloads and stop")
    parser.add_argument("--page-only", action="store_true", help="write page and pictures again from the figures in --output")
    return parser.parse_args(arguments)


def chosen_workloads(options: argparse.Namespace) -> list[Workload]:
    """Raises ValueError: a name is unknown, or nothing fits."""
    workloads = list(catalogue.all_workloads())
    if options.workloads is not None:
        workloads = [catalogue.workload_named(name.strip()) for name in options.workloads.split(",")]
    if options.only is not None:
        workloads = [workload for workload in workloads if options.only in workload.name or options.only in workload.title]
        if not workloads:
            raise ValueError(f"--only {options.only!r} fits no workload; `--list` shows them")
    return workloads


def measure(workloads: list[Workload], options: argparse.Namespace, path: Path) -> bool:
    """Run the workloads, print tables as they come and keep each run in `path`; whether every figure could be measured."""
    repeats = QUICK_REPEATS if options.quick else options.repeats
    effort = Effort(repeats, options.sample, not options.quick, not options.quick, options.clock)
    seen = []
    for threads in options.threads:
        for workload in workloads:
            if threads > 1 and not workload.uses_threads:
                continue

            def tell(part: dict, workload: Workload = workload) -> None:
                for table in figures.tables([part]):
                    seen.append(table)
                    print(report.table_text(workload, table), flush=True)

            run = run_workload(workload, threads, effort, tell)
            figures.write(path, figures.merged(figures.read(path), {"runs": [run]}))
    print(report.summary(seen, effort.repeats), flush=True)
    return not any(row.problem and not row.is_left_out for table in seen for row in table.rows)


def measure_all(workloads: list[Workload], options: argparse.Namespace, path: Path) -> bool:
    """Measure what is asked for: the workloads, and in a full run the figures of tapediff alone."""
    print(report.heading(figures.environment()), flush=True)
    is_full = not (options.quick or options.workloads or options.only)
    is_complete = options.own or measure(workloads, options, path)
    return (measure_alone(path) if options.own or is_full else True) and is_complete


def measure_alone(path: Path) -> bool:
    """Measure what needs no other library, and keep it in `path`; whether all of it could be measured."""
    failed = []

    def tell(name: str, value: float | None) -> None:
        known = own.FIGURES[name]
        failed.extend([name] if value is None else [])
        print(f"{known.title}: {'PROBLEM: its process failed' if value is None else known.text(value)}", flush=True)

    figures.write(path, figures.merged(figures.read(path), {"own": own.measured(tell)}))
    curves = []
    for name, size in crossing.WORKLOADS:
        workload = catalogue.workload_named(name)
        found = crossing.measured(workload, size)
        failed.extend([] if found else [name])
        curves.extend([found] if found else [])
        said = crossing.sentence(found, workload.size_name) if found else "PROBLEM: its process failed"
        print(f"{name}: {said}", flush=True)
    figures.write(path, figures.merged(figures.read(path), {"crossings": curves}))
    return not failed


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    try:
        workloads = chosen_workloads(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.clock == "cpu" and max(options.threads) > 1:
        print("--clock cpu adds up what all threads take: use it with --threads 1", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{workload.name:<16} {workload.title}" for workload in workloads))
        return 0
    path = options.output / "performance.json"
    is_complete = options.page_only or options.goals or measure_all(workloads, options, path)
    document = figures.read(path)
    if document is None:
        print(f"{path} does not exist: run without --page-only and --goals first", file=sys.stderr)
        return 2
    if options.goals:
        print(goals.text(document))
        return 0
    from benchmarks.peers import page, pictures

    drawn = pictures.draw_all(document, options.output / "pictures")
    page.renew(options.output / "performance.md", document)
    print(f"written: {path}, {options.output / 'performance.md'}, {drawn or 'no'} pictures")
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
