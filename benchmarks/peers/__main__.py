"""`python -m benchmarks.peers`: time tapediff beside its peers and print one table.

Exit code 0: every figure was measured (met or not). 1: a library was missing or failed, or results differ. 2: wrong usage.
"""

import argparse
import os
import sys
from pathlib import Path

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__, formatter_class=layout)
    parser.add_argument("--only", metavar="TEXT", help="only the workloads whose name contains TEXT")
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="rounds; the best one counts (default %(default)s)")
    parser.add_argument("--sample", type=float, default=0.02, metavar="SECONDS", help="one library's turn (default %(default)s)")
    json_path = Path("results/peers.json")
    parser.add_argument("--json", type=Path, default=json_path, metavar="FILE", help="where the figures go (default %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the workloads and stop")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    for name in ONE_THREAD:  # read by the libraries when they are imported, so set before the imports below
        os.environ[name] = "1"
    from benchmarks.peers.libraries import comparisons
    from benchmarks.peers.report import run

    chosen = [comparison for comparison in comparisons() if options.only is None or options.only in comparison.name]
    if not chosen:
        print(f"--only {options.only!r} fits no workload; `--list` shows them", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(comparison.name for comparison in chosen))
        return 0
    rows = run(chosen, options.repeats, options.sample, options.json)
    return 1 if any(row.problem for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
