"""Hooks on the gradients of tensors, and gradients kept for computed tensors."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.tensor import Tensor, method, of_array, origin_of

__all__ = ["HookHandle", "Hooks", "move_retained", "register_hook", "retain_grad"]

_ids = itertools.count()


class HookHandle:
    """What `register_hook` returns: `remove()` takes the hook off again; also a context manager."""

    def __init__(self, functions: dict[int, Callable[[Tensor], Any]], function: Callable[[Tensor], Any]) -> None:
        self._functions = functions
        self.id = next(_ids)
        functions[self.id] = function

    def remove(self) -> None:
        """Take the hook off."""
        self._functions.pop(self.id, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """All hooks of one tensor, called one after the other; each may replace the gradient that the next one sees."""

    def __init__(self) -> None:
        self.functions: dict[int, Callable[[Tensor], Any]] = {}
        self.finishing: dict[int, Callable[[Tensor], Any]] = {}
        self.leaf: weakref.ref[Tensor] | None = None
        self.retaining: weakref.ref[Tensor] | None = None

    def finish(self) -> None:
        """After the gradient has been added to that of a leaf."""
        leaf = self.leaf() if self.leaf is not None else None
        if leaf is not None:
            for function in list(self.finishing.values()):
                function(leaf)

    def _changed(self, grad: Tensor) -> Tensor:
        for function in list(self.functions.values()):
            changed = function(grad)
            if changed is not None:
                if not isinstance(changed, Tensor):
                    raise TypeError(f"expected Variable, but hook returned '{type(changed).__name__}'")
                if changed.spec.shape != grad.spec.shape:
                    raise RuntimeError(f"hook '{getattr(function, '__name__', 'hook')}' has changed the size of value: from "
                                       f"{list(grad.shape)} to {list(changed.shape)}")
                grad = changed
        return grad

    def __call__(self, adjoint: Any) -> Any:
        """`adjoint` is an array in a plain pass and a tensor in a recorded one; returns its replacement, or None."""
        is_array = isinstance(adjoint, np.ndarray)
        grad = of_array(adjoint) if is_array else adjoint
        before = grad
        mode = recording.modes.grad_enabled
        recording.set_grad_enabled(not is_array)  # what hooks compute is recorded only where the pass is
        try:
            grad = self._changed(grad)
        finally:
            recording.set_grad_enabled(mode)
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
        source = recording.source_of(tensor)
        if source.hooks is None:
            known = tensor.grad  # from now on Python adds up, after the hooks
            source.hooks = Hooks()
            assert known is source.grad
        hooks: Hooks = source.hooks
        return hooks
    if origin.hooks is None:
        origin.hooks = {}
    found: Hooks = origin.hooks.setdefault(slot, Hooks())
    return found


@method()
def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> HookHandle:
    """Call `hook(grad)` whenever the gradient of this tensor has been computed; what it returns, unless None, replaces the
    gradient.

    >>> import tapediff as td
    >>> x = td.tensor(2., requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> (x * 3).backward()
    >>> x.grad
    tensor(30.)
    """
    if not self.spec.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    return HookHandle(_hooks_of(self).functions, hook)


@method()
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> HookHandle:
    """Call `hook(tensor)` whenever a backward pass has added to the gradient of this leaf.

    >>> import tapediff as td
    >>> x = td.tensor(2., requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda x: print("gradient", x.grad))
    >>> (x * 3).backward()
    gradient tensor(3.)
    """
    if not self.is_leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if not self.spec.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    hooks = _hooks_of(self)
    hooks.leaf = weakref.ref(self)
    return HookHandle(hooks.finishing, hook)


@method()
def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this computed tensor in `.grad`."""
    if not self.spec.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if self.is_leaf or self.retains_grad:
        return
    self.extras().retains_grad = True
    _retain(self)


def _retain(tensor: Tensor) -> None:
    _hooks_of(tensor).retaining = weakref.ref(tensor)


def move_retained(tensor: Tensor, origin: Any, slot: int) -> None:
    """After an in-place operation: `grad` is that of the tensor's new value; hooks stay with the old one."""
    old = origin.hooks.get(slot) if origin is not None and origin.hooks else None
    if old is not None:
        old.retaining = None
    _retain(tensor)
