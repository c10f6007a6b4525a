"""Batch gradient jobs: a Python function, a table of rows, and the value and gradient of every row as files."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapediff.jobs.blocks import map_blocks
    from tapediff.jobs.errors import ChangedError, JobError, LockedError, StorageError, StrictError
    from tapediff.jobs.job import resume, run
    from tapediff.jobs.job_result import JobResult
    from tapediff.jobs.state import info

_FROM = {
    "ChangedError": "errors",
    "JobError": "errors",
    "JobResult": "job_result",
    "LockedError": "errors",
    "StorageError": "errors",
    "StrictError": "errors",
    "info": "state",
    "map_blocks": "blocks",
    "resume": "job",
    "run": "job",
}

__all__ = [
    "ChangedError",
    "JobError",
    "JobResult",
    "LockedError",
    "StorageError",
    "StrictError",
    "info",
    "map_blocks",
    "resume",
    "run",
]


def __getattr__(name: str) -> Any:
    """Load what computes when it is first used: `tapediff --help` does without."""
    if name in _FROM:
        found = globals()[name] = getattr(importlib.import_module(f"tapediff.jobs.{_FROM[name]}"), name)
        return found
    raise AttributeError(f"module 'tapediff.jobs' has no attribute {name!r}")
