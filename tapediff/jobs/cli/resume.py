"""`tapediff resume`: the rest of a job that its user started on this machine."""

import argparse
from typing import Any

from tapediff.jobs.cli.options import add_progress, add_running, add_scheduler, client_of, mode, new_parser

DESCRIPTION = """\
Go on with the job in a folder.

The job runs the function file and reads the inputs that it was started with, if they are unchanged. This works for jobs that you
started with `tapediff run` on this machine: their settings are signed with a key of yours. A folder from somebody else does not
say what is run here; give the whole command, `tapediff run FILE.py:FUNCTION ... --out FOLDER`, which goes on with it just so.
"""

EPILOG = """\
exit codes are those of `tapediff run`: 0 finished (or was finished), 2 can't be used, 3 stopped, 130 interrupted, 143 terminated
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = new_parser(commands, "resume", "go on with the job in a folder", DESCRIPTION, EPILOG)
    parser.add_argument("out", metavar="FOLDER", help="the folder of the job")
    add_running(parser)
    add_scheduler(parser)
    add_progress(parser)
    return parser


def execute(options: argparse.Namespace) -> int:
    """`tapediff resume`."""
    from tapediff.jobs.job import resume

    with client_of(options) as client:
        result = resume(options.out, threads=options.threads, strict=options.strict, progress=mode(options), client=client)
    if not options.quiet:
        print(result)
    return 0
