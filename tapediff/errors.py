"""Exceptions of tapediff's own, where PyTorch has no type for the occasion."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

__all__ = ["GuardError", "ProgramFileError", "SavedFileError", "TapediffError"]


class TapediffError(RuntimeError):
    """Base of the errors that only tapediff can raise; a `RuntimeError`, as PyTorch's are."""


class GuardError(TapediffError):
    """A recorded decision does not hold at the new inputs, so the recorded program does not apply.

    guard   the guard that failed first
    failed  for a batch, which rows failed a guard: an array of bool
    """

    guard: Any = None
    failed: Any = None
    details: Callable[[], Any] | None = None

    def __str__(self) -> str:
        """The message; what it takes to say how the decision changed is computed now."""
        found = super().__str__()
        if self.details is not None:
            with contextlib.suppress(Exception):  # an error that cannot be described is still the error
                found += f" {self.details()}"
        return found

    @classmethod
    def at(cls, guard: Any, failed: Any = None, details: Callable[[], Any] | None = None) -> GuardError:
        """The error of a guard, for the rows `failed` of a batch; `details` gives more text when the message is asked for."""
        rows = "" if failed is None else f" in {int(failed.sum())} of {len(failed)} rows"
        made = cls(f"the inputs take another path than the one recorded{rows}: {guard}. Record the function again at these "
                   "inputs, use td.compile or td.func.vmap, which do that by themselves, or choose by value with td.where.")
        made.guard = guard
        made.failed = failed
        made.details = details
        return made


class ProgramFileError(TapediffError, ValueError):
    """A file holds no program: it is damaged, of another format, or says what cannot be; or a program cannot be saved."""


class SavedFileError(TapediffError, ValueError):
    """A file is not what `save` wrote: it is damaged, cut off, or of another format."""
