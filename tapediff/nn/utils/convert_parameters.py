"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from tapediff.functions.registry import FUNCTIONS
from tapediff.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other; gradients flow through.

    >>> import tapediff as td
    >>> parameters_to_vector([td.tensor([[1., 2.]]), td.tensor(3.)])
    tensor([1., 2., 3.])
    """
    found: Tensor = FUNCTIONS["cat"]([parameter.reshape(-1) for parameter in parameters])
    return found


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let all parameters show their parts of a vector.

    Raises
        TypeError: it is no tensor.

    >>> import tapediff as td
    >>> x = td.zeros(1, 2, requires_grad=True)
    >>> vector_to_parameters(td.tensor([5., 6.]), [x])
    >>> x
    tensor([[5., 6.]], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        parameter.data = vec[start:start + parameter.numel()].view(parameter.shape).data
        start += parameter.numel()
