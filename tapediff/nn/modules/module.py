"""The module: a tree of parameters, buffers and other modules, which is called like a function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from tapediff import dtypes
from tapediff.functions.registry import FUNCTIONS
from tapediff.hooks import HookHandle
from tapediff.nn.modules import calling, state
from tapediff.nn.parameter import Buffer, Parameter
from tapediff.tensor import Device, Tensor

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")


class Table(NamedTuple):
    """One of the two kinds of tensors that a module registers.

    attribute   where the module keeps them
    noun        what errors call one; wanted: what they ask for
    kind        what may be registered
    """

    attribute: str
    noun: str
    wanted: str
    kind: type


PARAMETERS = Table("_parameters", "parameter", "torch.nn.Parameter or None", Parameter)
BUFFERS = Table("_buffers", "buffer", "torch.nn.Buffer, torch.Tensor or None", Tensor)


def typename(value: Any) -> str:
    """The name of a value's type as PyTorch's errors give it."""
    if isinstance(value, Tensor):
        return str(value.type())
    kind = value if isinstance(value, type) else type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class Module:
    """Base of all layers and models: assign parameters and other modules to attributes, and write `forward`.

    >>> import tapediff as td
    >>> from tapediff import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = nn.Parameter(td.tensor(2.))
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(td.tensor(3.)).item()
    6.0
    >>> [name for name, parameter in line.named_parameters()]
    ['slope']
    """

    training: bool
    dump_patches = False
    call_super_init = False
    _version = 1
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            given = f"unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else None
            raise TypeError(f"{type(self).__name__}.__init__() got an {given}" if given else
                            f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        own = self.__dict__
        own["training"] = True
        for name in ("_parameters", "_buffers", "_modules"):
            own[name] = {}
        own["_non_persistent_buffers_set"] = set()
        for name in calling.HOOKS + state.HOOKS:
            own[name] = OrderedDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        self.__dict__.update(pickled)

    # --- calling ----------------------------------------------------------------------------------------------------------------

    def forward(self, *input: Any) -> Any:
        """What the module computes; subclasses say it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
            or calling.EVERY_MODULE):
            return calling.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> HookHandle:
        """Call `hook(module, args)` before `forward`; what it returns, unless None, replaces the arguments."""
        return calling.register(self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> HookHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns, unless None, replaces the output."""
        return calling.register(self._forward_hooks, hook, prepend, with_kwargs, always_call)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients by the module's inputs are known; what it returns,
        unless None, replaces them."""
        return calling.register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call `hook(module, grad_output)` when the gradients by the module's outputs are known; what it returns, unless None,
        replaces them."""
        return calling.register(self._backward_pre_hooks, hook, prepend)

    # --- registering ------------------------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the name without one.

        Raises
            AttributeError: `Module.__init__` has not run yet.
            TypeError, KeyError: the name is no string, has a dot, or is taken; or what was given is no Parameter.
        """
        self._check_registration(PARAMETERS, name, param, "torch.nn.Parameter or None")
        if param is not None and not param.is_leaf:
            raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                             f"To express '{name}' as a function of another Tensor, compute the value in the forward() method.")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state and is no parameter; only persistent ones are saved.

        Raises
            as `register_parameter`
        """
        self._check_registration(BUFFERS, name, tensor, "torch Tensor or None")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def _check_registration(self, table: Table, name: Any, value: Any, wanted: str) -> None:
        noun = table.noun
        if table.attribute not in self.__dict__:
            raise AttributeError(f"cannot assign {noun} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{noun} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{noun} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{noun} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[table.attribute]:
            raise KeyError(f"attribute '{name}' already exists")
        if value is not None and not isinstance(value, table.kind):
            raise TypeError(f"cannot assign '{typename(value)}' object to {noun} '{name}' ({wanted} required)")

    def register_module(self, name: str, module: Module | None) -> None:
        """Alias for `add_module`."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child under a name.

        Raises
            TypeError, KeyError: what was given is no Module; the name is no string, has a dot, or is taken.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = module

    # --- attributes -------------------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            found = own.get(table)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._require_init("_parameters", "parameters")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            self._refuse(value, "parameter", name, PARAMETERS.wanted)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._require_init("_modules", "module")
            self._forget(name, "_modules")
            self._modules[name] = value
        elif name in own.get("_modules", ()):
            self._refuse(value, "child module", name, "torch.nn.Module or None")
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._require_init("_buffers", "buffer")
            self._forget(name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_buffers", ()):
            if not isinstance(value, Tensor):
                self._refuse(value, "buffer", name, BUFFERS.wanted)
            self._buffers[name] = value
        else:
            super().__setattr__(name, value)

    def _require_init(self, table: str, noun: str) -> None:
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {noun} before Module.__init__() call")

    def _refuse(self, value: Any, noun: str, name: str, wanted: str) -> None:
        if value is not None:
            raise TypeError(f"cannot assign '{typename(value)}' as {noun} '{name}' ({wanted} expected)")

    def _forget(self, name: str, keep: str) -> None:
        """Take a name out of everything but one table, before it is registered there."""
        self.__dict__.pop(name, None)
        for table in ("_parameters", "_buffers", "_modules"):
            if table != keep:
                self.__dict__[table].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        for table in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(table, ()):
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    # --- the tree ---------------------------------------------------------------------------------------------------------------

    def named_modules(self, memo: set[Module] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each with its path; one that is there twice comes once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, each with its name."""
        memo = set()
        for name, module in self._modules.items():
            if module is not None and module not in memo:
                memo.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def _named_members(self, table: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        memo = set()
        modules = (self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse
                   else iter([(prefix, self)]))
        for path, module in modules:
            for name, member in module.__dict__[table].items():
                if member is None or member in memo:
                    continue
                if remove_duplicate:
                    memo.add(member)
                yield f"{path}.{name}" if path else name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module and of all below it, each with its path; one that is there twice comes once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and of all below it."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers of this module and of all below it, each with its path."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and of all below it."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "net.0"; "" is this one.

        Raises
            AttributeError: there is none.
        """
        module: Module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            found = getattr(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def set_submodule(self, target: str, module: Module) -> None:
        """Put a module at a path, whose parent must be there."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        setattr(self.get_submodule(path), name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "net.0.weight".

        Raises
            AttributeError: there is none.
        """
        found: Parameter = self._member(target, "_parameters", "an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path.

        Raises
            AttributeError: there is none.
        """
        found: Tensor = self._member(target, "_buffers", "a buffer")
        return found

    def _member(self, target: str, table: str, noun: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module.__dict__[table]:
            raise AttributeError(f"`{name}` is not {noun}")
        return getattr(module, name)

    # --- state ------------------------------------------------------------------------------------------------------------------

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """All parameters and persistent buffers by path, sharing their memory.

        >>> from tapediff import nn
        >>> list(nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        older = dict(zip(("destination", "prefix", "keep_vars"), args))  # PyTorch once took them by position
        return state.state_dict(self, **{"destination": destination, "prefix": prefix, "keep_vars": keep_vars, **older})

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> state.IncompatibleKeys:
        """Copy values by path into the parameters and buffers; with `assign` the given tensors take their places.

        Raises
            RuntimeError: a shape differs; with `strict`, a key is missing or left over.
        """
        return state.load_state_dict(self, state_dict, strict, assign)

    _save_to_state_dict = state.save_own
    _load_from_state_dict = state.load_own

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` reads the module."""
        return HookHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict` has read the module."""
        return HookHandle(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, state_dict, prefix, ..., error_msgs)` before `load_state_dict` fills the module."""
        return HookHandle(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, incompatible_keys)` after `load_state_dict` has filled the module."""
        return HookHandle(self._load_state_dict_post_hooks, hook)

    # --- changing all of it -----------------------------------------------------------------------------------------------------

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below this one, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of all parameters, their gradients and all buffers by `fn` of them."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            grad = parameter.grad
            value = fn(parameter.data)
            if value.spec.dtype is not parameter.spec.dtype:
                parameter.grad = None
            parameter.data = value
            if grad is not None:
                parameter.grad = fn(grad.data)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False) -> Self:
        """Convert all floating parameters and buffers to a dtype; devices are accepted as long as they are the CPU.

        Raises
            TypeError: the dtype is not floating.
        """
        for argument in args:
            if isinstance(argument, Tensor):
                dtype = argument.dtype
            elif isinstance(argument, dtypes.DType):
                dtype = argument
            elif not isinstance(argument, bool) and argument is not None:
                device = argument
        if device is not None and not isinstance(device, Device):
            Device(device)
        if dtype is None:
            return self
        if not dtype.is_floating_point:
            raise TypeError("nn.Module.to only accepts floating point or complex dtypes, but got desired "
                            f"dtype={dtype}")
        return self._apply(lambda x: x.to(dtype) if x.is_floating_point() else x)

    def float(self: Self) -> Self:
        """All floating parameters and buffers as float32."""
        return self.to(dtypes.float32)

    def double(self: Self) -> Self:
        """All floating parameters and buffers as float64."""
        return self.to(dtypes.float64)

    def type(self: Self, dst_type: Any) -> Self:
        """All parameters and buffers as another dtype."""
        return self._apply(lambda x: x.type(dst_type))

    def cpu(self: Self) -> Self:
        """The module itself: there is no other device."""
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """Refused: there is only the CPU."""
        raise AssertionError("Torch not compiled with CUDA enabled: tapediff computes on the CPU only; leave .cuda() out")

    def train(self: Self, mode: bool = True) -> Self:
        """Set training mode, which dropout and batch normalization ask for, here and below.

        Raises
            ValueError: the mode is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Leave training mode."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Let gradients flow to all parameters, or no longer."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = FUNCTIONS["zeros_like"](parameter.grad)

    # --- printing ---------------------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What is printed in the brackets of this module besides its children."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        if not lines and not children:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"
