"""Switches of back ends that tapediff does not have: they can be set and asked for, and change nothing."""

from __future__ import annotations

__all__ = ["cuda", "cudnn", "mkl", "mps"]


class Absent:
    """A back end that is not there.

    >>> mps.is_available()
    False
    """

    deterministic = True
    benchmark = False
    enabled = False
    allow_tf32 = False

    def is_available(self) -> bool:
        """False."""
        return False

    def is_built(self) -> bool:
        """False."""
        return False


cuda, cudnn, mkl, mps = Absent(), Absent(), Absent(), Absent()
cuda.matmul = Absent()  # type: ignore[attr-defined]
