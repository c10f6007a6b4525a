"""The command line, `tapediff` or `python -m tapediff`: arguments in, a summary table and an exit code out."""

import argparse
import math
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from tapediff.jobs.errors import JobError
from tapediff.jobs.function import load_function
from tapediff.jobs.run import JobResult, run

DONE, DISAGREES, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

DESCRIPTION = "Reverse-mode automatic differentiation on a flat compiled tape: batch gradient jobs."

RUN_DESCRIPTION = """\
Call a Python function for every row of a table and write its value and gradient.

The function is called with keyword arguments, matched by name: one row (an index of the first axis) of
each --rows input and the whole of each --shared input, as tensors. It returns a tensor of one element:

    def loss(pixels, label, weight, bias):
        return td.nn.functional.cross_entropy(weight @ pixels + bias, label)

An input is FILE.npy (memory-mapped) or FILE.npz:MEMBER, of dtype float32, float64, int64, int32 or bool.
"""

RUN_EPILOG = """\
results in the --out folder, written under these names only when complete:
  value.npy         the value of every row
  grad_NAME.npy     the gradient of every row for each --wrt NAME, shape (rows, *shape of the argument)

exit codes:
  0    finished
  1    finished, but the --check found a relative error above --tolerance (or a nan)
  2    an argument, an input, the function or a row can't be used; one line says which and why; no results
  130  interrupted (Ctrl-C); no results

example:
  tapediff run model.py:loss --rows pixels=data.npy --rows label=labels.npy --shared weight=weights.npz:weight \\
      --shared bias=weights.npz:bias --wrt pixels --out results/ --check 5
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        return run_command(options)
    except JobError as error:
        print(f"tapediff: {error}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("tapediff: interrupted; no results were written", file=sys.stderr)
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="tapediff", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"tapediff {installed_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summary = "value and gradient of a function for every row of a table"
    job = commands.add_parser("run", help=summary, description=RUN_DESCRIPTION, epilog=RUN_EPILOG, formatter_class=layout)
    add = job.add_argument
    add("function", metavar="FILE.py:FUNCTION", help="the function to differentiate; the file is executed")
    add("--rows", metavar="NAME=SOURCE", action="append", required=True, help="a parameter that differs by row (repeatable)")
    add("--shared", metavar="NAME=SOURCE", action="append", default=[], help="a parameter that all rows share (repeatable)")
    add("--wrt", metavar="NAME", action="append", required=True, help="an input to differentiate by (repeatable)")
    add("--out", metavar="FOLDER", required=True, help="the folder for the results; made if absent")
    add("--check", metavar="N", type=natural, default=0, help="compare N sampled rows with finite differences (default 0)")
    add("--tolerance", metavar="T", type=float, default=1e-3, help="relative error that the check accepts (default %(default)s)")
    add("--overwrite", action="store_true", help="replace results that are already in the folder")
    add("--quiet", action="store_true", help="no progress bar and no summary")
    return parser


def run_command(options: argparse.Namespace) -> int:
    """`tapediff run`."""
    result = run(
        load_function(options.function),
        rows=named_sources("--rows", options.rows),
        shared=named_sources("--shared", options.shared),
        wrt=options.wrt,
        out=options.out,
        check=options.check,
        progress=not options.quiet,
        overwrite=options.overwrite,
    )
    if not options.quiet:
        print(result)
    return verdict(result, options.tolerance)


def verdict(result: JobResult, tolerance: float) -> int:
    """The exit code of a finished job; says so on stderr if the check failed."""
    if result.check is None or result.check.largest_error <= tolerance:
        return DONE
    reason = "is not a number" if math.isnan(result.check.largest_error) else f"exceeds the tolerance {tolerance:g}"
    print(f"tapediff: the check's relative error {result.check.largest_error:.1e} {reason}", file=sys.stderr)
    return DISAGREES


def named_sources(option: str, pairs: Sequence[str]) -> dict[str, str]:
    """`["x=data.npy"]` as `{"x": "data.npy"}`.

    >>> named_sources("--rows", ["x=data.npy", "w=weights.npz:w"])
    {'x': 'data.npy', 'w': 'weights.npz:w'}
    """
    sources: dict[str, str] = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not (equals and name.isidentifier() and source):
            raise JobError(f"{option} {pair!r} is not NAME=FILE.npy or NAME=FILE.npz:MEMBER")
        if name in sources:
            raise JobError(f"{option} gives {name!r} twice; give it once")
        sources[name] = source
    return sources


def natural(text: str) -> int:
    """A whole number that is not negative."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative; wanted 0 or more")
    return number


def installed_version() -> str:
    try:
        return version("tapediff")
    except PackageNotFoundError:
        return "(not installed)"
