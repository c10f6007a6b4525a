"""Parametrizations: a parameter of a module computed from others each time it is looked at."""

from __future__ import annotations

from typing import Any

from tapediff.grad_modes import no_grad
from tapediff.nn.modules.container import ModuleDict, ModuleList
from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Parameter
from tapediff.tensor import Tensor

__all__ = ["ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"]


class ParametrizationList(ModuleList):
    """Modules applied one after the other to the original of a tensor, or to several originals."""

    def __init__(self, modules: list[Module], original: Tensor, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        inverse = getattr(modules[0], "right_inverse", None)
        with no_grad():
            found = original if inverse is None else inverse(original)
        self.is_tensor = isinstance(found, Tensor)
        parts = {"original": found} if self.is_tensor else {f"original{number}": part for number, part in enumerate(found)}
        self.ntensors = len(parts)
        for name, part in parts.items():
            if part is original:  # the same object, so that optimizers go on with it
                self._keep(name, original, original)
            else:
                self._keep(name, part.detach().clone(), original)

    def _keep(self, name: str, part: Tensor, original: Tensor) -> None:
        """Register an original as what the tensor was, a parameter or a buffer."""
        if isinstance(original, Parameter):
            is_known = isinstance(part, Parameter)
            self.register_parameter(name, part if is_known else Parameter(part, original.spec.requires_grad))  # type: ignore[arg-type]
        else:
            self.register_buffer(name, part)

    def originals(self) -> list[Tensor]:
        """What the tensor is computed from."""
        names = ["original"] if self.is_tensor else [f"original{number}" for number in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def forward(self) -> Tensor:
        first, *others = self
        found: Tensor = first(*self.originals())
        for one in others:
            found = one(found)
        return found

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals to what gives `value`.

        Raises
            RuntimeError: a parametrization has no inverse.
        """
        with no_grad():
            found: Any = value
            for one in reversed(list(self)):
                if not hasattr(one, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(one).__name__} does not implement right_inverse.")
                found = one.right_inverse(found)
            for original, part in zip(self.originals(), (found,) if isinstance(found, Tensor) else found):
                original.data = part.detach().clone()


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module, or one tensor of it, is parametrized."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Module:
    """Let a parameter or buffer of a module be computed by a parametrization, from now on.

    parametrization  a module whose `forward` takes the original; with `right_inverse` the original is what that returns, which
                     may be several tensors
    unsafe           do not check that shape and dtype stay

    Raises
        ValueError: there is no such tensor, or the parametrization changes its shape or dtype.

    >>> import tapediff as td
    >>> from tapediff import nn
    >>> class Positive(nn.Module):
    ...     def forward(self, x):
    ...         return x.exp()
    >>> layer = register_parametrization(nn.Linear(2, 1), "weight", Positive())
    >>> bool((layer.weight > 0).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        known = module.parametrizations[tensor_name]
        before = getattr(module, tensor_name)
        if not unsafe:
            check(before, parametrization(before), parametrization)
        if hasattr(parametrization, "right_inverse"):
            value = parametrization.right_inverse(before.detach())
            known.right_inverse(value)
        known.append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
                         f"'{tensor_name}'")
    original = getattr(module, tensor_name)
    together = ParametrizationList([parametrization], original, unsafe)
    if not unsafe:
        with no_grad():
            check(original, together(), parametrization)
    if not is_parametrized(module):
        swap_class(module)
        module.parametrizations = ModuleDict()
    delattr(module, tensor_name)
    module.parametrizations[tensor_name] = together
    setattr(type(module), tensor_name, property(lambda self: self.parametrizations[tensor_name](),
                                                lambda self, value: self.parametrizations[tensor_name].right_inverse(value)))
    return module


def check(before: Tensor, after: Any, parametrization: Module) -> None:
    """Refuse a parametrization that changes what a tensor is."""
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    if after.spec.dtype is not before.spec.dtype:
        raise ValueError("Registering a parametrization may not change the dtype of the tensor, unless the `unsafe` flag is "
                         f"enabled.\nunparametrized dtype: {before.spec.dtype}\nparametrized dtype: {after.spec.dtype}")
    if after.spec.shape != before.spec.shape:
        raise ValueError("Registering a parametrization may not change the shape of the tensor, unless the `unsafe` flag is "
                         f"enabled.\nunparametrized shape: {before.shape}\nparametrized shape: {after.shape}")


def swap_class(module: Module) -> None:
    """Give one module a class of its own, to which properties can be added."""
    kind = type(module)
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), {"__module__": __name__})


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Let a tensor be a parameter or buffer again, with its present value, or with `leave_parametrized` False its original.

    Raises
        ValueError: it is not parametrized, or has several originals to choose from.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    known = module.parametrizations[tensor_name]
    original = known.originals()[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach().clone()
    elif known.is_tensor:
        value = original.detach()
    else:
        raise ValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
                         "sequence of tensors.")
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__mro__[1]
    if isinstance(original, Parameter):
        if known.is_tensor:  # the same object, so that optimizers go on with it
            original.data = value
            module.register_parameter(tensor_name, original)
        else:
            module.register_parameter(tensor_name, Parameter(value, original.spec.requires_grad))
    else:
        module.register_buffer(tensor_name, value)
    return module
