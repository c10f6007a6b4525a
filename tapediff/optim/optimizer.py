"""The optimizer: groups of parameters with options, a state for each parameter, and both as a dictionary."""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tapediff import recording
from tapediff.functions.registry import FUNCTIONS
from tapediff.hooks import HookHandle
from tapediff.tensor import Tensor

__all__ = ["Optimizer", "require"]

Group = dict[str, Any]
REQUIRED = object()  # the default of an option that every group must give


def require(is_right: Any, complaint: str) -> None:
    """Refuse a wrong option.

    Raises
        ValueError: with `complaint`.
    """
    if not is_right:
        raise ValueError(complaint)


class Optimizer:
    """Base of all optimizers; a subclass gives `defaults` and writes `step`.

    params    tensors; or (name, tensor) pairs; or dictionaries with "params" and options of their own
    defaults  the options of groups that do not give them

    param_groups  a dictionary for each group: "params" and the options
    state         a dictionary for each parameter

    >>> import tapediff as td
    >>> class Descent(Optimizer):
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for parameter in group["params"]:
    ...                 parameter.data -= group["rate"] * parameter.grad
    >>> x = td.tensor(1., requires_grad=True)
    >>> descent = Descent([x], {"rate": 0.25})
    >>> (x * x).backward()
    >>> descent.step()
    >>> x
    tensor(0.5000, requires_grad=True)
    """

    def __init__(self, params: Any, defaults: Group) -> None:
        self.defaults = defaults
        self._pre_hooks: OrderedDict[int, Any] = OrderedDict()
        self._post_hooks: OrderedDict[int, Any] = OrderedDict()
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                            f"{params.type()}")
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # --- groups -----------------------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own.

        Raises
            TypeError, ValueError: what was given are no leaf tensors, or some that other groups have; an option is missing.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                            "sets will change between runs. Please use a list instead.")
        members = [given] if isinstance(given, Tensor) else list(given)
        if members and all(isinstance(member, tuple) for member in members):
            param_group["param_names"] = [name for name, _ in members]
            members = [member for _, member in members]
        param_group["params"] = members
        for member in members:
            if not isinstance(member, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(member).__name__}")
            if not (self.defaults.get("differentiable") or member.is_leaf or member.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is REQUIRED and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len({id(member) for member in members}) != len(members):
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                          stacklevel=3)
        known = {id(member) for group in self.param_groups for member in group["params"]}
        if not known.isdisjoint(map(id, members)):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
        return text + ")"

    # --- steps ------------------------------------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters from their gradients; `closure` computes the loss and the gradients anew."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None
                elif parameter.grad is not None:
                    parameter.grad = FUNCTIONS["zeros_like"](parameter.grad)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        step = cls.__dict__.get("step")
        if step is not None:
            cls.step = _counted(step)  # type: ignore[method-assign]

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` before every step; what it returns, unless None, replaces the two."""
        return HookHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return HookHandle(self._post_hooks, hook)

    # --- state ------------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups, with numbers in the place of parameters."""
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
            options = {name: value for name, value in group.items() if name != "params"}
            groups.append({**options, "params": [numbers[id(parameter)] for parameter in group["params"]]})
        state = {numbers.get(id(key), key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, of an optimizer with as many parameters.

        Raises
            ValueError: the groups do not fit.
        """
        given = state_dict["param_groups"]
        if len(given) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(ours["params"]) != len(theirs["params"]) for ours, theirs in zip(self.param_groups, given)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        parameters = {number: parameter for ours, theirs in zip(self.param_groups, given)
                      for number, parameter in zip(theirs["params"], ours["params"])}
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            parameter = parameters.get(key)
            self.state[key if parameter is None else parameter] = loaded(value, parameter, "")
        self.param_groups = [{**copy.deepcopy({name: value for name, value in theirs.items() if name != "params"}),
                              "params": ours["params"]} for ours, theirs in zip(self.param_groups, given)]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pre_hooks, self._post_hooks = OrderedDict(), OrderedDict()


def loaded(value: Any, parameter: Tensor | None, name: str) -> Any:
    """A copy of a loaded state, in the dtype of its parameter."""
    if isinstance(value, Tensor):
        if parameter is not None and parameter.is_floating_point() and name != "step":
            return value.detach().clone().to(parameter.dtype)
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: loaded(one, parameter, key) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(loaded(one, parameter, name) for one in value)  # type: ignore[call-arg]
    return value


def _counted(step: Callable[..., Any]) -> Callable[..., Any]:
    """A `step` that calls the hooks, and lets schedulers see that it was called."""
    import functools

    @functools.wraps(step)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recording.is_traced():
            raise RuntimeError(f"a recorded function calls {type(self).__name__}.step(): the replay would lose what it writes to "
                               "the parameters. Call step() outside of the function, which may return the loss or its gradients "
                               "(func.grad, autograd.grad).")
        for hook in self._pre_hooks.values():
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        self._opt_called = True
        for hook in self._post_hooks.values():
            hook(self, args, kwargs)
        return result

    return call
