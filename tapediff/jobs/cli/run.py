"""`tapediff run`: value and gradient of a function for every row of a table, or the rest of them."""

import argparse
import math
import sys
from typing import Any

from tapediff.jobs.cli.options import (
    INPUTS,
    add_progress,
    add_running,
    add_scheduler,
    client_of,
    mode,
    named_sources,
    natural,
    new_parser,
    positive,
)

DONE, DISAGREES = 0, 1

DESCRIPTION = f"""\
Call a Python function for every row of a table and write its value and gradient.

The function is called with keyword arguments, matched by name: one row (an index of the first axis) of each --rows input and
the whole of each --shared input, as tensors. It returns a tensor of one element:

    def loss(pixels, label, weight, bias):
        return td.nn.functional.cross_entropy(weight @ pixels + bias, label)

{INPUTS}
A job that was stopped, by Ctrl-C, by a full disk or by kill -9, goes on where it stopped when the same command is given again;
the results have the same bits as if it had not been stopped. A folder that holds another job is refused.
"""

EPILOG = """\
results in the --out folder, under these names only when complete:
  value.npy         the value of every row
  grad_NAME.npy     the gradient of every row for each --wrt NAME, shape (rows, *shape of the argument)
  status.npy        of every row: 0 ok, 1 non-finite input, 2 non-finite value, 3 non-finite gradient, 4 exception in the
                    function, 5 a guard that could not be met; value and gradient of rows with 4 or 5 are nan
  summary.json      rows, seconds, programs and their guards, rows by status, the first few that went wrong
With --reduce value and gradients are summed or averaged over the rows where they are finite. With --format parquet the results
are the columns of results.parquet.

exit codes:
  0    finished
  1    finished, but the --check found a relative error above --tolerance (or a nan)
  2    an argument, an input or the function can't be used, the folder holds another job, or another process runs in it;
       one line says which and why
  3    stopped by --strict at a row that went wrong, or results can't be written (a full disk); finished chunks are kept
  130  interrupted (Ctrl-C); finished chunks are kept
  143  terminated (SIGTERM); finished chunks are kept

example:
  tapediff run model.py:loss --rows pixels=data.npy --rows label=labels.npy --shared weight=weights.npz:weight \\
      --shared bias=weights.npz:bias --wrt pixels --out results/ --check 5
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = new_parser(commands, "run", "value and gradient of a function for every row of a table", DESCRIPTION, EPILOG)
    add = parser.add_argument
    add("function", metavar="FILE.py:FUNCTION", help="the function to differentiate; the file is executed")
    add("--rows", metavar="NAME=SOURCE", action="append", required=True, help="a parameter that differs by row (repeatable)")
    add("--shared", metavar="NAME=SOURCE", action="append", default=[], help="a parameter that all rows share (repeatable)")
    add("--wrt", metavar="NAME", action="append", required=True, help="an input to differentiate by (repeatable)")
    add("--out", metavar="FOLDER", required=True, help="the folder of the results; made if absent")
    add("--reduce", choices=("sum", "mean"), help="sum or average value and gradients over the rows")
    add("--format", choices=("npy", "parquet"), default="npy", help="of the results (default npy)")
    add("--chunk-rows", metavar="N", type=positive, help="rows computed at a time (default: by the bytes of a row)")
    add("--limit", metavar="N", type=natural, help="programs of a chunk (default 64); rows of further paths are recorded alone")
    add_running(parser)
    add_scheduler(parser)
    add("--restart", action="store_true", help="take away the job and the results that the folder holds, and start over")
    add("--check", metavar="N", type=natural, default=0, help="compare N sampled rows with finite differences (default 0)")
    add("--tolerance", metavar="T", type=float, default=1e-3, help="relative error that the check accepts (default %(default)s)")
    add_progress(parser)
    return parser


def execute(options: argparse.Namespace) -> int:
    """`tapediff run`."""
    rows, shared = named_sources("--rows", options.rows), named_sources("--shared", options.shared)
    from tapediff.jobs.job import run

    with client_of(options) as client:
        result = run(
            options.function, rows=rows, shared=shared, wrt=options.wrt, reduce=options.reduce, out=options.out,
            format=options.format, chunk_rows=options.chunk_rows, limit=options.limit, threads=options.threads,
            strict=options.strict, restart=options.restart, check=options.check, progress=mode(options), client=client,
        )
    if not options.quiet:
        print(result)
    return verdict(result.check, options.tolerance)


def verdict(check: Any, tolerance: float) -> int:
    """The exit code of a finished job; says so on stderr if the check failed."""
    if check is None or check.largest_error <= tolerance:
        return DONE
    reason = "is not a number" if math.isnan(check.largest_error) else f"exceeds the tolerance {tolerance:g}"
    print(f"tapediff: the check's relative error {check.largest_error:.1e} {reason}", file=sys.stderr)
    return DISAGREES
