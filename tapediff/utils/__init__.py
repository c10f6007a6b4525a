"""Utilities under the names of torch.utils: data in batches, and values recomputed in the backward pass."""

from tapediff.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
