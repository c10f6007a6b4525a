"""Calling a module that has hooks: before forward, after it, and around its part of a backward pass."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tapediff.hooks import HookHandle
from tapediff.tensor import Tensor

if TYPE_CHECKING:
    from tapediff.nn.modules.module import Module

__all__ = ["EVERY_MODULE", "HOOKS", "call", "register"]

# the tables of hooks that a module has
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
# hooks of all modules, by the table that they come before
EVERY_MODULE: dict[str, Any] = {}


class Hook(NamedTuple):
    """A hook and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool
    always_call: bool


def register(hooks: Any, function: Callable[..., Any], prepend: bool = False, with_kwargs: bool = False,
             always_call: bool = False) -> HookHandle:
    """Add a hook to a table of a module; `prepend` puts it before the others."""
    handle = HookHandle(hooks, Hook(function, with_kwargs, always_call))  # type: ignore[arg-type]
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_for_all(table: str, function: Callable[..., Any], **facts: bool) -> HookHandle:
    """Add a hook to all modules."""
    return register(EVERY_MODULE.setdefault(table, OrderedDict()), function, **facts)


def hooks_of(module: Module, table: str) -> list[Hook]:
    """The hooks to call, those of all modules first."""
    return [*EVERY_MODULE.get(table, {}).values(), *getattr(module, table).values()]


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a module with all its hooks; those that must run even after an error do."""
    waiting = [hook for hook in hooks_of(module, "_forward_hooks") if hook.always_call]
    try:
        for hook in hooks_of(module, "_forward_pre_hooks"):
            args, kwargs = before(module, hook, args, kwargs)
        watch = Watch(module, hooks_of(module, "_backward_pre_hooks"), hooks_of(module, "_backward_hooks"))
        args = watch.inputs(args)
        result = module.forward(*args, **kwargs)
        for hook in hooks_of(module, "_forward_hooks"):
            waiting = [other for other in waiting if other is not hook]
            result = after(module, hook, args, kwargs, result)
        return watch.outputs(result)
    except Exception:
        for hook in waiting:
            after(module, hook, args, kwargs, None)
        raise


def before(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as a hook leaves them."""
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if not (isinstance(changed, tuple) and len(changed) == 2):
            raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
        return changed
    changed = hook.function(module, args)
    if changed is None:
        return args, kwargs
    return (changed if isinstance(changed, tuple) else (changed,)), kwargs


def after(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The result as a hook leaves it."""
    changed = hook.function(module, args, kwargs, result) if hook.with_kwargs else hook.function(module, args, result)
    return result if changed is None else changed


class Watch:
    """Backward hooks of one call: identities around the module, whose backward passes see its gradients.

    The gradients by the outputs arrive first, at `outputs`; those by the inputs at `inputs`.
    """

    def __init__(self, module: Module, pre_hooks: list[Hook], hooks: list[Hook]) -> None:
        self.module = module
        self.pre_hooks = pre_hooks
        self.hooks = hooks
        self.is_needed = bool(pre_hooks or hooks)
        self.grad_outputs: tuple[Any, ...] = ()
        self.has_inputs = False
        self.input_count = 0

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, through an identity where a gradient flows to one of the tensors among them."""
        if not self.is_needed:
            return args
        self.input_count = len(args)
        places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        self.has_inputs = any(args[place].spec.requires_grad for place in places)
        if not self.has_inputs or not self.hooks:
            return args

        def see(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            by_argument: list[Any] = [None] * len(args)
            for place, grad in zip(places, grads, strict=True):
                by_argument[place] = grad
            seen = self._inputs_known(tuple(by_argument))
            return tuple(seen[place] for place in places)

        through = identity(see, [args[place] for place in places])
        changed = dict(zip(places, through, strict=True))
        return tuple(changed.get(place, arg) for place, arg in enumerate(args))

    def outputs(self, result: Any) -> Any:
        """The result, its tensors through an identity."""
        if not self.is_needed:
            return result
        if isinstance(result, Tensor):
            return identity(self._outputs_known, [result])[0] if result.spec.requires_grad else result
        if not isinstance(result, tuple) or not any(isinstance(one, Tensor) and one.spec.requires_grad for one in result):
            return result
        places = [place for place, one in enumerate(result) if isinstance(one, Tensor)]
        through = dict(zip(places, identity(self._outputs_known, [result[place] for place in places]), strict=True))
        return tuple(through.get(place, one) for place, one in enumerate(result))

    def _outputs_known(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre_hooks:
            changed = hook.function(self.module, grads)
            if changed is not None:
                grads = changed if isinstance(changed, tuple) else (changed,)
        self.grad_outputs = grads
        if not self.has_inputs and self.hooks:  # no gradient will arrive at the inputs
            warnings.warn("Full backward hook is firing when gradients are computed with respect to module outputs since no "
                          "inputs require gradients.", stacklevel=5)
            self._inputs_known((None,) * self.input_count)
        return grads

    def _inputs_known(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            changed = hook.function(self.module, grads, self.grad_outputs)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                if len(changed) != len(grads):
                    raise RuntimeError(f"Backward hook returned an invalid number of grad_input, got {len(changed)}, but "
                                       f"expected {len(grads)}")
                grads = changed
        return grads


def identity(see: Callable[[tuple[Any, ...]], tuple[Any, ...]], tensors: list[Tensor]) -> tuple[Tensor, ...]:
    """The tensors themselves, whose gradients go through `see` on their way back."""
    from tapediff.autograd.function import Function  # loads the sweeps, and Numba with them

    class BackwardHookFunction(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> Any:
            return tuple(one.view_as(one) for one in inputs)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return see(grads)

    made: tuple[Tensor, ...] = BackwardHookFunction.apply(*tensors)
    return made
