"""Where public functions and tensor methods are collected: one decorator, two dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tapediff.tensor import Tensor
from tapediff.tensor import method as attach

__all__ = ["FUNCTIONS", "check_tensor", "function", "method", "number_or_tensor"]

FUNCTIONS: dict[str, Callable[..., Any]] = {}

F = TypeVar("F", bound=Callable[..., Any])


def function(*names: str, method: bool | str = True) -> Callable[[F], F]:
    """Make a function public under its own name, or `names`.

    And a tensor method under the same names, unless `method` is False or another name.
    """

    def register(made: F) -> F:
        for name in names or (made.__name__,):
            FUNCTIONS[name] = made
            if method is True:
                setattr(Tensor, name, made)
        if isinstance(method, str):
            setattr(Tensor, method, made)
        return made

    return register


method = attach  # a function that is a tensor method only


def check_tensor(value: Any, name: str, argument: str = "input", position: int = 1) -> None:
    """Refuse what is no tensor, in PyTorch's words.

    Raises
        TypeError: value is no Tensor.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}")


def number_or_tensor(value: Any, name: str, argument: str, position: int) -> None:
    """Refuse what is neither a tensor nor a Python number."""
    if not isinstance(value, Tensor | int | float):
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor or Number, not "
                        f"{type(value).__name__}")
