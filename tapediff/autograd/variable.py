"""`Variable`, PyTorch's old name of the tensor."""

from __future__ import annotations

from typing import Any

from tapediff.tensor import Tensor

__all__ = ["Variable"]


class VariableType(type):
    """Makes every tensor an instance of `Variable`."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=VariableType):
    """A tensor that shares the memory of another one and may require grad: what tensors do by themselves.

    >>> import tapediff as td
    >>> Variable(td.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    >>> isinstance(td.ones(1), Variable)
    True
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool | None = None) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
