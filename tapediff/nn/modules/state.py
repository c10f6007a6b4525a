"""The state of a module as a dictionary: written out, and loaded with PyTorch's checks and messages."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tapediff import grad_modes
from tapediff.nn.parameter import Parameter
from tapediff.shapes import Size
from tapediff.tensor import Tensor

if TYPE_CHECKING:
    from tapediff.nn.modules.module import Module

__all__ = ["HOOKS", "IncompatibleKeys", "load_own", "load_state_dict", "save_own", "state_dict"]

# the tables of hooks that a module has for its state
HOOKS = ("_state_dict_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")
EXTRA = "_extra_state"  # the key of what get_extra_state returns


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find in the dictionary, and what it did not find in the module."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"



# --- writing --------------------------------------------------------------------------------------------------------------------

def state_dict(module: Module, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """The state of a module and of all below it, each entry under its path."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in module._state_dict_pre_hooks.values():
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in module._state_dict_hooks.values():
        changed = hook(module, destination, prefix, metadata)
        if changed is not None:
            destination = changed
    return destination


def own_state(module: Module) -> dict[str, Any]:
    """The parameters and persistent buffers of the module itself."""
    buffers = {name: buffer for name, buffer in module._buffers.items() if name not in module._non_persistent_buffers_set}
    return {name: value for name, value in itertools.chain(module._parameters.items(), buffers.items()) if value is not None}


def save_own(module: Module, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Write the state of the module itself, without its children."""
    for name, value in own_state(module).items():
        destination[prefix + name] = value if keep_vars else value.detach()
    if hasattr(module, "get_extra_state"):
        destination[prefix + EXTRA] = module.get_extra_state()


# --- loading --------------------------------------------------------------------------------------------------------------------

def load_state_dict(module: Module, given: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Fill a module and all below it."""
    if not isinstance(given, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(given)}.")
    metadata = getattr(given, "_metadata", None) or {}
    entries: Any = OrderedDict(given)
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []

    def load(one: Module, prefix: str) -> None:
        facts = {**metadata.get(prefix[:-1], {}), "assign_to_params_buffers": assign}
        below = {key: value for key, value in entries.items() if key.startswith(prefix)} if prefix else entries
        one._load_from_state_dict(below, prefix, facts, True, missing, unexpected, errors)
        for name, child in one._modules.items():
            if child is not None:
                load(child, f"{prefix}{name}.")
        found = IncompatibleKeys(missing, unexpected)
        for hook in one._load_state_dict_post_hooks.values():
            hook(one, found)

    load(module, "")
    if strict:
        lists = [("Unexpected", unexpected), ("Missing", missing)]
        for adjective, keys in lists:
            if keys:
                listed = ", ".join(f'"{key}"' for key in keys)
                errors.insert(0, f"{adjective} key(s) in state_dict: {listed}. ")
    if errors:
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(errors))
    return IncompatibleKeys(missing, unexpected)


def load_own(module: Module, entries: Any, prefix: str, local_metadata: dict[str, Any], strict: bool, missing: list[str],
             unexpected: list[str], errors: list[str]) -> None:
    """Fill the module itself, without its children; what is wrong goes into the three lists."""
    for hook in module._load_state_dict_pre_hooks.values():
        hook(module, entries, prefix, local_metadata, strict, missing, unexpected, errors)
    for name, own in own_state(module).items():
        key = prefix + name
        if key not in entries:
            missing.append(key)
        elif problem := fill(module, name, own, entries[key], bool(local_metadata.get("assign_to_params_buffers"))):
            errors.append(problem.replace("{key}", key))
    has_extra = hasattr(module, "set_extra_state")
    if has_extra and prefix + EXTRA in entries:
        module.set_extra_state(entries[prefix + EXTRA])
    elif has_extra:
        missing.append(prefix + EXTRA)
    for key in entries:
        if key.startswith(prefix) and not (has_extra and key == prefix + EXTRA):
            name, *rest = key[len(prefix):].split(".")
            if not (name in module._modules if rest else name in own_state(module) or name in module._modules):
                unexpected.append(key)


def fill(module: Module, name: str, own: Tensor, value: Any, assign: bool) -> str:
    """Give a parameter or buffer its value; returns what is wrong with it, where {key} stands for its path."""
    if not isinstance(value, Tensor):
        return (f'While copying the parameter named "{{key}}", expected torch.Tensor or Tensor-like object from checkpoint but '
                f"received {type(value)}")
    if value.spec.shape != own.spec.shape:
        if own.spec.ndim == 0 and value.spec.shape == (1,):  # checkpoints of PyTorch before 0.4
            value = value[0]
        else:
            return (f"size mismatch for {{key}}: copying a param with shape {Size(value.spec.shape)} from checkpoint, the shape "
                    f"in current model is {Size(own.spec.shape)}.")
    if assign:
        if isinstance(own, Parameter) and not isinstance(value, Parameter):
            value = Parameter(value, requires_grad=own.spec.requires_grad)
        setattr(module, name, value)
    else:
        with grad_modes.no_grad():
            own.copy_(value)
    return ""
