"""The command line, `tapediff` or `python -m tapediff`: a module for each command."""

from tapediff.jobs.cli.main import main

__all__ = ["main"]
