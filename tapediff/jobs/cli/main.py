"""From arguments to a command, and from what it raises to an exit code and one line on stderr."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapediff.jobs.errors import JobError, StorageError, StrictError
from tapediff.version import __version__

COMMANDS = ("run", "resume", "info", "show", "check")  # modules beside this one, each with `add` and `execute`
WRONG_INPUT, STOPPED, INTERRUPTED, BROKEN_PIPE, TERMINATED = 2, 3, 130, 141, 143

DESCRIPTION = "Reverse-mode automatic differentiation on a flat compiled tape: batch gradient jobs."
EPILOG = "`tapediff COMMAND --help` describes a command, its exit codes and an example."


class Terminated(BaseException):
    """SIGTERM came."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        with terminations():
            code: int = options.execute(options)
            sys.stdout.flush()
            return code
    except (StrictError, StorageError) as error:
        return complain(error, STOPPED)
    except JobError as error:
        return complain(error, WRONG_INPUT)
    except BrokenPipeError:  # whoever read what is printed has gone, `head` say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return complain("interrupted; " + kept(options), INTERRUPTED)
    except Terminated:
        return complain("terminated; " + kept(options), TERMINATED)


def complain(what: object, code: int) -> int:
    """Say what went wrong, in one line."""
    print(f"tapediff: {what}", file=sys.stderr, flush=True)
    return code


def kept(options: argparse.Namespace) -> str:
    """What becomes of a job that was stopped."""
    folder = getattr(options, "out", None)
    if folder is None:
        return "nothing was written"
    return f"finished chunks are kept: the same command, or `tapediff resume {folder}`, goes on"


@contextmanager
def terminations() -> Iterator[None]:
    """A context in which SIGTERM raises `Terminated`; outside of the main thread it changes nothing."""
    def stop(*_: Any) -> None:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(prog="tapediff", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"tapediff {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"tapediff.jobs.cli.{name}")
        module.add(commands).set_defaults(execute=module.execute)
    return parser
