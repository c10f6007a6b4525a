"""`tapediff info`: how far the job in a folder is, and what it found."""

import argparse
import json
from typing import Any

from tapediff.jobs.cli.options import new_parser

DESCRIPTION = """\
Say how far the job in a folder is, and what it found: rows by status, programs and their guards, the first rows that went wrong.

Nothing is run and nothing is written, so a folder from anybody may be looked at, also while a job runs in it.
"""

EPILOG = """\
exit codes:
  0    there is a job, finished or not
  2    there is none, or its files are damaged; one line says which and why
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = new_parser(commands, "info", "how far a job is, and what it found", DESCRIPTION, EPILOG)
    parser.add_argument("folder", metavar="FOLDER", help="the folder of the job")
    parser.add_argument("--json", action="store_true", help="the summary as summary.json has it, and who is at it")
    return parser


def execute(options: argparse.Namespace) -> int:
    """`tapediff info`."""
    from tapediff.jobs.state import info

    result = info(options.folder)
    if options.json:
        print(json.dumps(result.summary, indent=2))
        return 0
    state = "finished" if result.is_finished else "not finished"
    if result.summary["running"]:
        state = f"in use by {result.summary['running']}"
    print(f"{options.folder}: {result.summary['function']}, {state}")
    print(result)
    return 0
