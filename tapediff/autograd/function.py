"""Functions with a backward of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import inplace, recording
from tapediff.autograd.recorded import refuse_nan
from tapediff.recording import modes
from tapediff.reverse import Consumed
from tapediff.tape.segment import next_number
from tapediff.tape.source import Source
from tapediff.tape.spec import spec_of
from tapediff.tensor import Tensor, of_array, of_source

__all__ = ["Function", "FunctionContext", "once_differentiable"]


class FunctionContext:
    """What forward leaves for backward.

    needs_input_grad  for every argument of forward whether its gradient is wanted
    saved_tensors     what `save_for_backward` kept
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: tuple[Any, ...] = ()
        self._own: dict[int, tuple[Any, Any, int]] = {}  # outputs that were saved: spec, value, output number
        self._node: FunctionNode | None = None  # while backward runs; kept, it would close a circle
        self._not_differentiable: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True
        self._is_released = False
        self._has_saved = False

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, outputs or others) for backward."""
        self._saved = tensors
        self._has_saved = bool(tensors)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._is_released:
            raise RuntimeError("Trying to backward through the graph a second time (or directly access saved tensors after they "
                               "have already been freed). Saved intermediate values of the graph are freed when you call "
                               ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
                               "graph a second time or if you need to access saved tensors after calling backward.")
        return tuple(self._output(tensor) for tensor in self._saved)

    def _release(self) -> None:
        """Let go of what was saved."""
        self._is_released = True
        self._saved = ()
        self._own.clear()

    def _output(self, tensor: Any) -> Any:
        """A saved tensor; one of the outputs comes back with its place in the graph."""
        if id(tensor) not in self._own:
            return tensor
        spec, array, slot = self._own[id(tensor)]
        if self._node is None:
            return of_array(array)
        return of_source(Source(spec, array=array, origin=self._node, slot=slot))

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that outputs have no gradient."""
        self._not_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that inputs were changed in place."""
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros for outputs that nothing used, or None."""
        self._materialize = value


class FunctionNode:
    """The node of one application: where a graph of segments passes through Python."""

    def __init__(self, function: type[Function], context: FunctionContext, arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.context = context
        self.name = f"{function.__name__}Backward"
        self.inputs = [argument for argument in arguments if isinstance(argument, Tensor)]
        self.sources = [recording.source_of(argument) if isinstance(argument, Tensor) and argument.spec.requires_grad else None
                        for argument in arguments]
        self.specs: list[Any] = []
        self.hooks: dict[int, Any] | None = None
        self.number = 0

    def _call(self, grads: list[Any]) -> list[tuple[Source, Tensor]]:
        context = self.context
        if context._is_released and context._has_saved:
            raise Consumed(None, 0)
        context._node = self
        try:
            found = self.function.backward(context, *grads)
        finally:
            context._node = None
        if not isinstance(found, tuple):
            found = (found,)
        if len(found) > len(self.sources) and all(grad is None for grad in found[len(self.sources):]):
            found = found[:len(self.sources)]
        if len(found) != len(self.sources):
            raise RuntimeError(f"function {self.name} returned an incorrect number of gradients (expected {len(self.sources)}, "
                               f"got {len(found)})")
        out = []
        for position, (source, grad) in enumerate(zip(self.sources, found, strict=True)):
            if source is None or grad is None:
                continue
            if not isinstance(grad, Tensor):
                raise TypeError(f"expected Variable or None (got {type(grad).__name__})")
            if grad.spec.shape != source.spec.shape:
                if grad.spec.size == 1 or len(grad.spec.shape) >= len(source.spec.shape):
                    grad = _summed_to(grad, source.spec.shape, self.name, position)
                else:
                    raise RuntimeError(f"Function {self.name} returned an invalid gradient at index {position} - got "
                                       f"{list(grad.shape)} but expected shape compatible with {list(source.spec.shape)}")
            if modes.anomaly:
                refuse_nan(grad, self.name, position)
            out.append((source, recording.cast(grad, source.spec.dtype)))
        return out

    def _grads(self, slots: dict[int, Any], wrap: Callable[[Any], Tensor], watched: Any) -> list[Any]:
        grads: list[Any] = []
        for slot, spec in enumerate(self.specs):
            adjoint = slots.get(slot)
            if adjoint is None:
                grads.append(of_array(np.zeros(spec.shape, spec.dtype.numpy))
                             if spec is not None and self.context._materialize else None)
                continue
            for hooks in (self.hooks, watched):
                if hooks and slot in hooks:
                    changed = hooks[slot](adjoint)
                    adjoint = adjoint if changed is None else changed
            grads.append(wrap(adjoint))
        return grads

    def propagate(self, slots: dict[int, Any], current: Any) -> list[tuple[Source, Any]]:
        """One step of a plain reverse pass."""
        watched = current.watched.get(self) if current.watched else None
        specs = self.specs
        arrays = {slot: np.array(np.broadcast_to(adjoint, specs[slot].shape), specs[slot].dtype.numpy)
                  for slot, adjoint in slots.items()}
        before = modes.grad_enabled
        recording.set_grad_enabled(False)
        try:
            found = self._call(self._grads(arrays, of_array, watched))
            out = [(source, np.array(grad._array())) for source, grad in found]
        finally:
            recording.set_grad_enabled(before)
        if not current.retain:
            self.context._release()
        return out

    def propagate_recorded(self, slots: dict[int, Any], retain: bool, watched: Any = None) -> list[tuple[Source, Any]]:
        """One step of a recorded reverse pass."""
        found = self._call(self._grads(slots, lambda adjoint: adjoint, watched))
        if not retain:
            self.context._release()
        return list(found)


def _summed_to(grad: Tensor, shape: tuple[int, ...], name: str, position: int) -> Tensor:
    from tapediff.functions import FUNCTIONS
    from tapediff.functions.views import expand, reshape
    given = grad.spec.shape
    if grad.spec.size == 1:
        return expand(reshape(grad, (1,) * len(shape)), shape)
    wide = (1,) * (len(given) - len(shape)) + shape
    if any(new not in (1, old) for old, new in zip(given, wide, strict=True)):
        raise RuntimeError(f"Function {name} returned an invalid gradient at index {position} - got {list(given)} but expected "
                           f"shape compatible with {list(shape)}")
    folded = FUNCTIONS["sum"](grad, tuple(dim for dim, (old, new) in enumerate(zip(given, wide, strict=True)) if old != new),
                              True)
    return reshape(folded, shape)


class Function:
    """A function with a backward of your own: subclass it, write `forward` and `backward` as static methods, call `apply`.

    >>> import tapediff as td
    >>> class Cube(td.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         x, = ctx.saved_tensors
    ...         return grad * 3 * x**2
    >>> x = td.tensor(2., requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y
    tensor(8., grad_fn=<CubeBackward>)
    >>> y.backward(); x.grad
    tensor(12.)
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise RuntimeError(f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you "
                           "should invoke them on the class itself. Instantiating an autograd function will raise an error: use "
                           ".apply(...)")

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Any:
        """The value; `ctx` keeps what backward needs. Without ctx as first parameter where `setup_context` is given."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """For the gradients of all outputs the gradients of all arguments of forward; None for those without."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use "
                                  "it with backward mode AD.")

    setup_context: Any = None

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Compute forward and record the node."""
        if recording.is_traced():
            raise RuntimeError(f"{cls.__name__}.apply in a recorded function: what an autograd.Function computes and what its "
                               "backward does cannot be replayed; state the op with tapediff.custom_op, or compose it of tensor "
                               "operations.")
        context = FunctionContext()
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        records = modes.grad_enabled and any(tensor.spec.requires_grad for tensor in tensors)
        context.needs_input_grad = tuple(isinstance(argument, Tensor) and argument.spec.requires_grad for argument in arguments)
        node = FunctionNode(cls, context, arguments) if records else None
        before = modes.grad_enabled
        recording.set_grad_enabled(False)
        try:
            if cls.setup_context is not None:
                outputs = cls.forward(*arguments)
                cls.setup_context(context, arguments, outputs)
            else:
                outputs = cls.forward(context, *arguments)
            if node is None:
                return outputs
            several = isinstance(outputs, tuple)
            wrapped = tuple(cls._output(node, slot, output, tensors)
                            for slot, output in enumerate(outputs if several else (outputs,)))
        finally:
            recording.set_grad_enabled(before)
        recording.close()  # what uses the outputs must be younger than the node
        node.number = next_number()
        return wrapped if several else wrapped[0]

    @staticmethod
    def _output(node: FunctionNode, slot: int, output: Any, inputs: list[Tensor]) -> Any:
        context = node.context
        node.specs.append(output.spec if isinstance(output, Tensor) else None)
        if (not isinstance(output, Tensor) or not output.dtype.is_floating_point
                or any(output is one for one in context._not_differentiable)):
            return output
        spec = spec_of(output.spec.shape, output.spec.dtype, True)
        node.specs[slot] = spec
        source = Source(spec, array=inplace.memory(output), origin=node, slot=slot)
        if any(output is one for one in context._dirty):
            output.segment, output.source, output.slot, output.spec = recording.SOURCE, source, source.operand, spec
            return output
        made = of_source(source)
        if any(output is one for one in context._saved) and not any(output is one for one in inputs):
            context._own[id(output)] = (spec, source.values(), slot)
        return made


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward whose result cannot be differentiated again."""

    @functools.wraps(backward)
    def call(ctx: Any, *grads: Any) -> Any:
        before = modes.grad_enabled
        recording.set_grad_enabled(False)
        try:
            found = backward(ctx, *grads)
        finally:
            recording.set_grad_enabled(before)
        if not before:
            return found
        several = isinstance(found, tuple)
        marked = tuple(_Refused.apply(grad, *[g for g in grads if isinstance(g, Tensor)]) if isinstance(grad, Tensor) else grad
                       for grad in (found if several else (found,)))
        return marked if several else marked[0]
    return call


class _Refused(Function):
    """Passes a value on and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *depends_on: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
