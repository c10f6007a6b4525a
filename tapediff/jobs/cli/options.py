"""Options that commands share, and how their texts are read."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapediff.jobs.errors import JobError

INPUTS = """\
A source of rows is
  FILE.npy
  FILE.npz:MEMBER
  FILE.parquet:COLUMN             Parquet, as .arrow, .feather (Arrow IPC) and .csv with pyarrow (pip install 'tapediff[jobs]');
                                  COLUMN,COLUMN,... are put side by side as a vector
  FILE.zarr:ARRAY                 with zarr
of dtype float32, float64, int64, int32 or bool. A shared input is one of them, read whole, or a number: --shared k=0.5
"""


def add_progress(parser: argparse.ArgumentParser) -> None:
    """--progress and --quiet."""
    parser.add_argument("--progress", choices=("auto", "bar", "log", "none"), default="auto",
                        help="on stderr: a bar, lines at intervals, or nothing; auto: a bar on a terminal, else lines")
    parser.add_argument("--quiet", action="store_true", help="neither progress nor summary")


def add_running(parser: argparse.ArgumentParser) -> None:
    """--threads and --strict."""
    parser.add_argument("--threads", metavar="N", type=positive, help="threads to compute with (default: the cores at hand)")
    parser.add_argument("--strict", action="store_true", help="stop at the first row that goes wrong")


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """--scheduler."""
    parser.add_argument("--scheduler", metavar="ADDRESS", help="compute on the workers of a Dask scheduler, tcp://HOST:8786; "
                        "--threads is then for each task (default 1)")


@contextmanager
def client_of(options: argparse.Namespace) -> Iterator[Any]:
    """A context with a client of the scheduler that was named, None if there is none."""
    if options.scheduler is None:
        yield None
        return
    from tapediff.jobs.distributed import connect

    with connect(options.scheduler) as client:
        yield client


def mode(options: argparse.Namespace) -> str:
    """The mode of progress that options ask for."""
    return "none" if options.quiet else str(options.progress)


def named_sources(option: str, pairs: Sequence[str]) -> dict[str, str]:
    """`["x=data.npy"]` as `{"x": "data.npy"}`.

    >>> named_sources("--rows", ["x=data.npy", "w=weights.npz:w"])
    {'x': 'data.npy', 'w': 'weights.npz:w'}
    """
    sources: dict[str, str] = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not (equals and name.isidentifier() and source):
            raise JobError(f"{option} {pair!r} is not NAME=SOURCE; a source is FILE.npy, FILE.npz:MEMBER ...")
        if name in sources:
            raise JobError(f"{option} gives {name!r} twice; give it once")
        sources[name] = source
    return sources


def natural(text: str) -> int:
    """A whole number that is not negative."""
    return at_least(0, text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return at_least(1, text)


def at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"{text} is too small; wanted {least} or more")
    return number


def new_parser(commands: Any, name: str, summary: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """The parser of a command, which keeps the line breaks of its texts."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=description, epilog=epilog,
                                                          formatter_class=argparse.RawDescriptionHelpFormatter)
    return parser
