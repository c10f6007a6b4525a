"""Exceptions of tapediff's own, where PyTorch has no type for the occasion."""

__all__ = ["GuardError", "TapediffError"]


class TapediffError(RuntimeError):
    """Base of the errors that only tapediff can raise; a `RuntimeError`, as PyTorch's are."""


class GuardError(TapediffError):
    """A recorded decision does not hold at the new inputs, so the recorded program does not apply."""
