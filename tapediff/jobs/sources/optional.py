"""Packages that some formats need and the library itself does not."""

from importlib import import_module
from typing import Any

from tapediff.jobs.errors import JobError


def require_package(module: str, purpose: str) -> Any:
    """The module, or a JobError that says which extra brings it.

    >>> require_package("gone.parquet", "reading Parquet")
    Traceback (most recent call last):
        ...
    tapediff.jobs.errors.JobError: reading Parquet needs the package gone, ...: pip install 'tapediff[jobs]'
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise JobError(f"{purpose} needs the package {package}, which is not installed: pip install 'tapediff[jobs]'") from error
