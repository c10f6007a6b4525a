"""Layers that hold settings and no parameters: each is one line, derived from the function that it applies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tapediff.nn.modules.module import Module
from tapediff.nn.reduction import chosen

__all__ = ["Applied"]

LEGACY = ("size_average", "reduce")
BUFFERS = ("weight", "pos_weight")


class Applied(Module):
    """A layer that calls a function with settings of its own.

    A subclass is made by one line, which names

    function  what is called with the layer's inputs, then its settings
    settings  the settings in the order of the constructor, separated by blanks; defaults are those of the function, unless
              given here: "p=0.5"
    shown     a format string of the settings that `repr` shows; unless it is None, inplace=True is shown, too
    fixed     arguments of the function that are no settings
    prepare   changes the dictionary of settings before they are kept

    >>> class Scaled(Applied, function=lambda x, factor=2.: x * factor, settings="factor", shown="factor={factor}"):
    ...     pass
    >>> Scaled(3.), Scaled(3.)(2.)
    (Scaled(factor=3.0), 6.0)
    """

    _function: Callable[..., Any]
    _constructor = inspect.Signature()
    _passed: tuple[str, ...] = ()
    _fixed: dict[str, Any]
    _shown: str | None = ""
    _takes_training = False
    _prepare: Callable[[dict[str, Any]], None]

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, settings: str = "", shown: str | None = "",
                          fixed: dict[str, Any] | None = None, prepare: Callable[[dict[str, Any]], None] | None = None,
                          **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if function is None:  # a user's subclass of a layer
            return
        known = inspect.signature(function).parameters
        parameters = []
        for setting in settings.split():
            name, _, default = setting.partition("=")
            is_forced = name.startswith("*")
            name = name.lstrip("*")
            found = eval(default) if default else known[name].default if name in known else None
            parameters.append(inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY if is_forced else inspect.Parameter.POSITIONAL_OR_KEYWORD, default=found))
        cls._function = staticmethod(function)
        cls._constructor = cls.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        cls._passed = tuple(one.name for one in parameters if one.name in known and one.name not in LEGACY)
        cls._takes_training = "training" in known
        cls._fixed = fixed or {}
        cls._shown = shown
        if prepare is not None:
            cls._prepare = staticmethod(prepare)
        if cls.__doc__ is None:
            cls.__doc__ = f"`{function.__name__}` as a layer. {(inspect.getdoc(function) or '').split('>>>')[0]}"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        try:
            bound = self._constructor.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.__init__() takes {self._constructor}: {error}") from None
        bound.apply_defaults()
        settings = dict(bound.arguments)
        if "reduction" in settings:
            size_average, reduce = (settings.pop(name, None) for name in LEGACY)
            if size_average is not None or reduce is not None:
                settings["reduction"] = chosen(size_average, reduce, settings["reduction"], 4)
        if hasattr(self, "_prepare"):
            self._prepare(settings)
        for name, value in settings.items():
            if name in BUFFERS:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The function of the inputs, with the settings."""
        for name in self._passed:
            named[name] = getattr(self, name)
        if self._takes_training:
            named["training"] = self.training
        return self._function(*inputs, **named, **self._fixed)

    def extra_repr(self) -> str:
        if self._shown is None:
            return ""
        text = self._shown.format_map(vars(self))
        if vars(self).get("inplace") and "inplace" not in self._shown:
            text += ", inplace=True" if text else "inplace=True"
        return text
