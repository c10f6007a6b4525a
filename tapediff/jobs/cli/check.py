"""`tapediff check`: gradients of sampled rows beside central finite differences."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from tapediff.jobs.cli.options import INPUTS, named_sources, natural, new_parser

DONE, DISAGREES = 0, 1

DESCRIPTION = f"""\
Compare the gradients of some rows, drawn with a fixed seed and computed as a job computes them, with central finite differences
in float64. For each row and input the element that differs most is printed, with its error relative to the largest element of the
row's gradients. Differences are good to about 1e-9 where the function is smooth, and wrong across kinks.

{INPUTS}"""

EPILOG = """\
exit codes:
  0  every error is within the tolerance
  1  some error is above the tolerance, or a nan
  2  an argument, an input, the function or a row can't be used; one line says which and why

example:
  tapediff check model.py:loss --rows pixels=data.npy --rows label=labels.npy --shared weight=weights.npz:weight \\
      --shared bias=weights.npz:bias --wrt pixels --count 10
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = new_parser(commands, "check", "gradients of sampled rows beside finite differences", DESCRIPTION, EPILOG)
    add = parser.add_argument
    add("function", metavar="FILE.py:FUNCTION", help="the function to differentiate; the file is executed")
    add("--rows", metavar="NAME=SOURCE", action="append", required=True, help="a parameter that differs by row (repeatable)")
    add("--shared", metavar="NAME=SOURCE", action="append", default=[], help="a parameter that all rows share (repeatable)")
    add("--wrt", metavar="NAME", action="append", required=True, help="an input to differentiate by (repeatable)")
    add("--count", metavar="N", type=natural, default=10, help="rows to compare (default %(default)s)")
    add("--seed", metavar="N", type=natural, default=0, help="which rows are drawn (default %(default)s)")
    add("--tolerance", metavar="T", type=float, default=1e-3, help="relative error that is accepted (default %(default)s)")
    add("--quiet", action="store_true", help="no table, the exit code alone")
    return parser


def execute(options: argparse.Namespace) -> int:
    """`tapediff check`."""
    rows, shared = named_sources("--rows", options.rows), named_sources("--shared", options.shared)
    from tapediff.jobs.check_sources import check_sources
    from tapediff.jobs.function import load_function
    from tapediff.jobs.sources import open_sources, read_shared

    f = load_function(options.function)
    arrays = {name: read_shared(name, given) for name, given in shared.items()}
    sources = open_sources(rows)
    try:
        comparisons = check_sources(f, sources, arrays, options.wrt, options.count, options.seed)
    finally:
        for source in sources.values():
            source.close()
    wrong = [comparison for comparison in comparisons if not comparison.error <= options.tolerance]
    if not options.quiet:
        print(table(comparisons, options.tolerance))
    if wrong:
        text = f"{len(wrong)} of {len(comparisons)} comparisons exceed the tolerance {options.tolerance:g}"
        print(f"tapediff: {text}", file=sys.stderr)
    return DISAGREES if wrong else DONE


def table(comparisons: Sequence[Any], tolerance: float) -> str:
    """A line for each row and input, and one about all of them."""
    lines = [("row", "input", "element", "gradient", "difference", "error", "")]
    for found in comparisons:
        element = "[" + ", ".join(map(str, found.element)) + "]" if found.element else ""
        numbers = f"{found.gradient:.6g}", f"{found.difference:.6g}", f"{found.error:.1e}"
        lines.append((f"{found.row:,}", found.name, element, *numbers, "" if found.error <= tolerance else "wrong"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    errors = [found.error for found in comparisons]
    worst = next((error for error in errors if error != error), max(errors, default=0.0))  # a nan is not the largest
    rows = len({found.row for found in comparisons})
    return "\n".join([*text, f"{rows} rows against central finite differences: largest relative error {worst:.1e}"])
