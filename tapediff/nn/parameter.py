"""Parameters: leaf tensors that a module counts as its own; and buffers, the other tensors of its state."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff import dtypes, inplace, recording
from tapediff.printing import parameter_text
from tapediff.tape.source import SOURCE, Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_source

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A leaf that is registered as a parameter by the module to whose attribute it is assigned.

    It shares the memory of `data`.

    >>> import tapediff as td
    >>> Parameter(td.tensor([1., 2.]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    if TYPE_CHECKING:
        def __init__(self, data: Tensor | None = None, requires_grad: builtins.bool = True) -> None: ...

    @staticmethod
    def _construct(data: Tensor | None = None, requires_grad: builtins.bool = True) -> Parameter:
        if data is None:
            data = of_source(Source(spec_of((0,), dtypes.get_default_dtype(), False),
                                    array=np.empty(0, dtypes.get_default_dtype().numpy)))
        elif not isinstance(data, Tensor):
            raise TypeError(f"Parameter takes a tensor, got {type(data).__name__}: make one with tensor(...)")
        if requires_grad and not data.spec.dtype.is_floating_point:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients: "
                               f"got {data.spec.dtype}; pass requires_grad=False")
        return Parameter._wrap(inplace.alias(data).requires_grad_(requires_grad))

    @staticmethod
    def _wrap(tensor: Tensor) -> Parameter:
        """A parameter in the place of a leaf that nobody else holds."""
        made: Parameter = recording.new_handle(Parameter)
        made.segment, made.source, made.slot, made.spec = SOURCE, tensor.source, tensor.slot, tensor.spec
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return parameter_text(self._array(), dtype=self.spec.dtype.name, default_dtype=dtypes.get_default_dtype().name,
                              requires_grad=self.spec.requires_grad)


class Buffer(Tensor):
    """A tensor that is registered as a buffer by the module to whose attribute it is assigned.

    It shares the memory of `data`; one that is not `persistent` is left out of the module's state_dict.

    >>> import tapediff as td
    >>> Buffer(td.tensor([1., 2.]), persistent=False).persistent
    False
    """

    persistent: builtins.bool

    if TYPE_CHECKING:
        def __init__(self, data: Tensor, *, persistent: builtins.bool = True) -> None: ...

    @staticmethod
    def _construct(data: Tensor, *, persistent: builtins.bool = True) -> Buffer:
        made = Buffer._wrap(inplace.alias(data))
        made.persistent = persistent
        return made

    @staticmethod
    def _wrap(tensor: Tensor) -> Buffer:
        """A buffer in the place of a tensor that nobody else holds."""
        made: Buffer = recording.new_handle(Buffer)
        made.segment, made.source, made.slot, made.spec = SOURCE, tensor.source, tensor.slot, tensor.spec
        made.persistent = True
        return made
