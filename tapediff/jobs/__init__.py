"""Batch gradient jobs: a Python function, a table of rows, and the value and gradient of every row as files."""

from tapediff.jobs.errors import JobError
from tapediff.jobs.run import JobResult, run

__all__ = ["JobError", "JobResult", "run"]
