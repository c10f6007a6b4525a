"""Checks of values that a recording takes note of: a replay in which one would end differently is reported."""

from __future__ import annotations

from tapediff.functions.registry import FUNCTIONS
from tapediff.recording import is_traced, modes, source_of
from tapediff.tensor import Tensor

__all__ = ["some"]


def some(mask: Tensor) -> bool:
    """Whether an element of a bool tensor holds.

    >>> import tapediff as td
    >>> some(td.tensor([False, True]))
    True
    """
    found = bool(source_of(mask).values().any())
    if not is_traced():
        return found
    if found:
        return bool(FUNCTIONS["any"](mask))
    modes.recorder.assume(mask, False)  # no `any` to compute in replays
    return False
