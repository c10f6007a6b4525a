"""The tensor's methods that reach up into autograd, which is loaded, and Numba with it, when one of them is first called."""

from __future__ import annotations

from typing import Any

from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, method

__all__ = ["backward"]


def _engine() -> Any:
    """The backward engine, loaded when first needed."""
    global _engine
    from tapediff.autograd import engine
    _engine = lambda: engine  # noqa: E731
    return engine


@method()
def backward(self: Tensor, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Any = None) -> None:
    """Add the gradient of this tensor to the `.grad` of the leaves that it depends on.

    gradient      the weights of the vector-Jacobian product, in this tensor's shape; may be left out for one element
    retain_graph  keep the graph, so that another pass can follow; defaults to create_graph
    create_graph  record the pass, so that the gradients can be differentiated
    inputs        accumulate into these tensors only

    >>> import tapediff as td
    >>> x = td.tensor([1., 2.], requires_grad=True)
    >>> (x * x).backward(td.tensor([1., 10.]))
    >>> x.grad
    tensor([ 2., 40.])
    """
    if (gradient is None and inputs is None and not create_graph and self.segment is not SOURCE and self.spec.size == 1
        and self.spec.requires_grad):
        _engine().backward_from_scalar(self, bool(retain_graph))
    else:
        _engine().backward(self, gradient, retain_graph, create_graph, inputs)


def _grad_fn(self: Tensor) -> Any:
    """The node that computed the tensor; None for a leaf."""
    if self.is_leaf:
        return None
    from tapediff.autograd.graph import node_of
    return node_of(self)


def _output_nr(self: Tensor) -> int:
    """Which output of its node the tensor is."""
    from tapediff.autograd.graph import output_number
    return output_number(self)


method("grad_fn")(property(_grad_fn))
method("output_nr")(property(_output_nr))
