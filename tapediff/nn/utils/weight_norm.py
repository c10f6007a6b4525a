"""Weight normalization in PyTorch's old way: a hook that sets the weight before each call."""

from __future__ import annotations

from typing import Any

from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Parameter
from tapediff.nn.utils.parametrizations import directed, lengths

__all__ = ["remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook: computes the weight from name_g and name_v."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute(self, module: Module) -> Any:
        """The weight as it is now."""
        return directed(getattr(module, self.name + "_g"), getattr(module, self.name + "_v"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Lengths (weight_g) and directions (weight_v) of a weight as parameters; see `parametrizations.weight_norm`.

    >>> from tapediff import nn
    >>> list(weight_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    if any(isinstance(hook, WeightNorm) and hook.name == name for hook in hooks_of(module)):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    del module._parameters[name]
    module.register_parameter(name + "_g", Parameter(lengths(weight.detach(), hook.dim)))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    hook(module, None)
    module.register_forward_pre_hook(hook)
    return module


def hooks_of(module: Module) -> list[Any]:
    """The hooks that run before a module."""
    return [entry[0] if isinstance(entry, tuple) else entry for entry in module._forward_pre_hooks.values()]


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Let the weight be a parameter again.

    Raises
        ValueError: it is not normalized.
    """
    for key, entry in list(module._forward_pre_hooks.items()):
        hook = entry[0] if isinstance(entry, tuple) else entry
        if isinstance(hook, WeightNorm) and hook.name == name:
            weight = hook.compute(module).detach()
            module.__dict__.pop(name, None)
            del module._parameters[name + "_g"], module._parameters[name + "_v"]
            module.register_parameter(name, Parameter(weight))
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
