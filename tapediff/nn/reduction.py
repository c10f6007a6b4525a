"""How losses fold the losses of their elements: reduction="none", "mean" or "sum", and PyTorch's older arguments for the same."""

from __future__ import annotations

import warnings
from typing import Any

from tapediff.functions.naming import named
from tapediff.ops.losses import REDUCED
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tape.spec import Spec
from tapediff.tensor import Tensor

__all__ = ["check_constant", "check_floating", "check_reduction", "chosen", "folded", "warn_of_broadcasting"]

REDUCTIONS = ("mean", "sum", "none")
_DIMS = tuple(tuple(range(ndim)) for ndim in range(64))


def chosen(size_average: bool | None, reduce: bool | None, reduction: str, stacklevel: int = 3) -> str:
    """The reduction that the arguments ask for.

    Raises
        ValueError: there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' "
                      "instead.", UserWarning, stacklevel=stacklevel)
    check_reduction(reduction)
    return reduction


def check_reduction(reduction: str) -> None:
    """Refuse an unknown reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction: use 'mean', 'sum' or 'none'")


def folded(losses: Tensor, reduction: str, loss: str = "", grad_fn: str = "") -> Tensor:
    """The mean or the sum of the elements' losses, or the losses themselves.

    `loss` names the loss in PyTorch's graph, as a key of REDUCED; `grad_fn` names losses that are not reduced.
    """
    if reduction == "none":
        return named(losses, grad_fn) if grad_fn else losses
    row = REDUCED[loss, reduction] if loss else STRUCTURAL[reduction]
    return structural(row, (_DIMS[losses.spec.ndim], False), losses)


def warn_of_broadcasting(input: Spec, target: Spec, stacklevel: int = 3) -> None:
    """Warn, in PyTorch's words, of operands that have different shapes."""
    if input.shape != target.shape:
        warnings.warn(f"Using a target size (torch.Size({list(target.shape)})) that is different to the input size "
                      f"(torch.Size({list(input.shape)})). This will likely lead to incorrect results due to broadcasting. "
                      "Please ensure they have the same size.", UserWarning, stacklevel=stacklevel)


def check_floating(kernel: str, *operands: Any) -> None:
    """Refuse integers and bools, in the words of one of PyTorch's kernels."""
    if not any(operand.spec.dtype.is_floating_point for operand in operands):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{operands[0].spec.dtype.legacy}': convert with .float()")


def check_constant(name: str, argument: str, tensor: Tensor) -> None:
    """Refuse an operand to which PyTorch has no derivative, if it requires one."""
    if tensor.spec.requires_grad:
        raise RuntimeError(f"The function '{name}' is not differentiable with respect to argument '{argument}'. This input "
                           "cannot have "
                           f"requires_grad True: pass {argument}.detach()")
