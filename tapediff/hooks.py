"""Hooks on the gradients of tensors, and gradients kept for computed tensors."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import record
from tapediff.tensor import Tensor, of_array, origin_of

__all__ = ["HookHandle", "Hooks", "register", "retain"]

_ids = itertools.count()


class HookHandle:
    """What `register_hook` returns: `remove()` takes the hook off again; also a context manager."""

    def __init__(self, hooks: Hooks, number: int) -> None:
        self._hooks = hooks
        self.id = number

    def remove(self) -> None:
        """Take the hook off."""
        self._hooks.functions.pop(self.id, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """All hooks of one tensor, called one after the other; each may replace the gradient that the next one sees."""

    def __init__(self) -> None:
        self.functions: dict[int, Callable[[Tensor], Any]] = {}
        self.retaining: weakref.ref[Tensor] | None = None

    def _changed(self, grad: Tensor) -> Tensor:
        for function in list(self.functions.values()):
            changed = function(grad)
            if changed is not None:
                if not isinstance(changed, Tensor):
                    raise TypeError(f"expected Variable, but hook returned '{type(changed).__name__}'")
                if changed.spec.shape != grad.spec.shape:
                    raise RuntimeError(f"hook '{getattr(function, '__name__', 'hook')}' has changed the size of value: from {list(grad.shape)} to {list(changed.shape)}")
                grad = changed
        return grad

    def __call__(self, adjoint: Any) -> Any:
        """`adjoint` is an array in a plain pass and a tensor in a recorded one; returns its replacement, or None."""
        is_array = isinstance(adjoint, np.ndarray)
        grad = of_array(adjoint) if is_array else adjoint
        before = grad
        mode = record.modes.grad_enabled
        record.set_grad_enabled(not is_array)  # what hooks compute is recorded only where the pass is
        try:
            grad = self._changed(grad)
        finally:
            record.set_grad_enabled(mode)
        tensor = self.retaining() if self.retaining is not None else None
        if tensor is not None:
            known = tensor.extras().grad
            kept = of_array(np.array(grad._array())) if is_array else grad
            tensor.extras().grad = kept if known is None else known + kept
        if grad is before:
            return None
        return grad._array() if is_array else grad


def _hooks_of(tensor: Tensor) -> Hooks:
    origin, slot = origin_of(tensor)
    if origin is None:
        source = record.source_of(tensor)
        if source.hooks is None:
            cell = tensor.grad  # from now on Python adds up, after the hooks
            source.hooks = Hooks()
            source.take_gradient_cell()
            assert cell is source.grad
        hooks: Hooks = source.hooks
        return hooks
    if origin.hooks is None:
        origin.hooks = {}
    found: Hooks = origin.hooks.setdefault(slot, Hooks())
    return found


def register(tensor: Tensor, hook: Callable[[Tensor], Any]) -> HookHandle:
    """Add a hook to a tensor that requires grad."""
    hooks = _hooks_of(tensor)
    number = next(_ids)
    hooks.functions[number] = hook
    return HookHandle(hooks, number)


def retain(tensor: Tensor) -> None:
    """Keep the gradient of a computed tensor in its `grad`."""
    _hooks_of(tensor).retaining = weakref.ref(tensor)




def move_retained(tensor: Tensor, origin: Any, slot: int) -> None:
    """After an in-place operation: `grad` is that of the tensor's new value; hooks stay with the old one."""
    old = origin.hooks.get(slot) if origin is not None and origin.hooks else None
    if old is not None:
        old.retaining = None
    retain(tensor)
