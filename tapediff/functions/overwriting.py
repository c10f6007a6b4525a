"""Writing all elements of a tensor, whatever they were."""

from __future__ import annotations

from tapediff import inplace
from tapediff.functions.views import expand
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import modes, structural
from tapediff.tensor import Tensor

__all__ = ["overwrite"]


def overwrite(name: str, self: Tensor, value: Tensor) -> Tensor:
    """Write all elements, by the row called `name`: on the memory, or as a new slot where gradients flow.

    value  of the tensor's shape, or of no dimensions
    """

    def new(x: Tensor) -> Tensor:
        if modes.grad_enabled and (x.spec.requires_grad or value.spec.requires_grad):
            made: Tensor = structural(STRUCTURAL[name], None, x, value)
            return made
        return value if value.spec.shape == x.spec.shape else expand(value, x.spec.shape)

    return inplace.in_place(new, self)
