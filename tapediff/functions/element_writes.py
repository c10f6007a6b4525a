"""Elements of a tensor's memory replaced by what a Python function returns; tensors filled, detached, and resized in place."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tapediff import inplace
from tapediff.functions.composing import leaf, read
from tapediff.functions.registry import FUNCTIONS, check_tensor, function, method
from tapediff.recording import source_of
from tapediff.shapes import parse_shape
from tapediff.tensor import Tensor

__all__ = ["apply_", "detach", "fill", "map_", "resize_", "resize_as_"]


@function(method=False)
def detach(input: Tensor) -> Tensor:
    """The same value, sharing memory, through which no gradient flows.

    >>> import tapediff as td
    >>> td.detach(td.ones(2, requires_grad=True))
    tensor([1., 1.])
    """
    check_tensor(input, "detach")
    return input.detach()


@function(method=False)
def fill(input: Tensor, value: Any) -> Tensor:
    """One number, or a tensor without dimensions, everywhere in the shape and dtype of `input`.

    >>> import tapediff as td
    >>> td.fill(td.zeros(2), 3)
    tensor([3., 3.])
    """
    check_tensor(input, "fill")
    made: Tensor = FUNCTIONS["clone"](input)
    return made.fill_(value)


def refuse_gradient(name: str, tensor: Tensor) -> None:
    """Refuse tensors whose gradient the write would lose."""
    if tensor.spec.requires_grad:
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")


@method()
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Each element replaced by what a function of a Python number returns for it; slow.

    >>> import tapediff as td
    >>> td.tensor([1., 2.]).apply_(lambda x: x + 0.5)
    tensor([1.5000, 2.5000])
    """
    refuse_gradient("apply_", self)
    values = [callable(value) for value in read(self).reshape(-1).tolist()]
    return self.copy_(leaf(np.array(values).astype(self.spec.dtype.numpy).reshape(self.spec.shape)))


@method()
def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Each element replaced by what a function of it and of the element of `tensor`, which broadcasts, returns; slow.

    >>> import tapediff as td
    >>> td.tensor([1., 2.]).map_(td.tensor(10.), lambda x, y: x * y)
    tensor([10., 20.])
    """
    check_tensor(tensor, "map_", "other", 1)
    for one in (self, tensor):
        refuse_gradient("map_", one)
    if tensor.spec.dtype is not self.spec.dtype:
        raise TypeError(f"map_: expected torch.{self.spec.dtype.legacy}Tensor for 'other' (got "
                        f"torch.{tensor.spec.dtype.legacy}Tensor)")
    others = np.broadcast_to(read(tensor), self.spec.shape).reshape(-1).tolist()
    values = [callable(value, other) for value, other in zip(read(self).reshape(-1).tolist(), others)]
    return self.copy_(leaf(np.array(values).astype(self.spec.dtype.numpy).reshape(self.spec.shape)))


@method()
def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Another shape, in place: of the first elements, as many as it has; where it has more, they are followed by zeros.

    Raises
        RuntimeError: the tensor requires grad; or it would grow, and other tensors show its memory.

    >>> import tapediff as td
    >>> td.arange(4).resize_(2, 1)
    tensor([[0],
            [1]])
    """
    if self.spec.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = parse_shape(sizes)
    count, has = prod(shape), self.spec.size
    if shape == self.spec.shape:
        return self
    array = inplace.memory(self)
    if count <= has and array.flags.c_contiguous:
        shown: Tensor = self.detach().reshape(-1)[:count].view(shape)
        inplace.set_data(self, shown)
        source_of(shown).share().add(self.source)  # whoever writes either of them tells the other
        return self
    extra = getattr(self, "extra", None)
    if (extra is not None and extra.view is not None) or not source_of(self).share().is_alone():
        raise RuntimeError(f"resize_ would need new memory for {count} instead of {has} elements, and other tensors show the "
                           "memory of this one: resize a clone()")
    grown = np.zeros(count, array.dtype)
    grown[:min(has, count)] = array.reshape(-1)[:count]
    inplace.set_data(self, leaf(grown.reshape(shape)))
    return self


@method()
def resize_as_(self: Tensor, other: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of another tensor."""
    check_tensor(other, "resize_as_", "the_template", 1)
    return resize_(self, other.spec.shape)
