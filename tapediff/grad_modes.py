"""Whether gradients are recorded: context managers that are decorators too."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tapediff.recording import modes
from tapediff.recording import set_grad_enabled as set_mode

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad", "set_grad_enabled"]

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A grad mode for a `with` block or for the calls of a decorated function."""

    enabled: bool

    def __enter__(self) -> None:
        self._before: list[bool]
        if not hasattr(self, "_before"):
            self._before = []
        self._before.append(modes.grad_enabled)
        set_mode(self.enabled)

    def __exit__(self, *exception: object) -> None:
        set_mode(self._before.pop())

    def clone(self) -> _Mode:
        """Another one like this."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            @functools.wraps(function)
            def generate(*arguments: Any, **options: Any) -> Any:
                generator = function(*arguments, **options)
                answer = None
                while True:
                    try:
                        with self.clone():
                            item = generator.send(answer)
                    except StopIteration as stop:
                        return stop.value
                    answer = yield item
            return generate  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with self.clone():
                return function(*arguments, **options)
        return call  # type: ignore[return-value]


class no_grad(_Mode):
    """Nothing is recorded for gradients.

    >>> import tapediff as td
    >>> x = td.tensor(1., requires_grad=True)
    >>> with td.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)


class enable_grad(_Mode):
    """Gradients are recorded, also inside `no_grad`."""

    enabled = True

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)


class set_grad_enabled(_Mode):
    """Gradients are recorded or not: at once, and undone at the end where it is used as a context manager."""

    def __init__(self, mode: bool) -> None:
        self._before = [modes.grad_enabled]
        self.enabled = self.mode = bool(mode)
        set_mode(self.enabled)

    def __enter__(self) -> None:
        set_mode(self.enabled)

    def __exit__(self, *exception: object) -> None:
        set_mode(self._before[-1])

    def __call__(self, function: F) -> F:
        set_mode(self._before[-1])
        return super().__call__(function)

    def clone(self) -> _Mode:
        return set_grad_enabled(self.mode)


class inference_mode(_Mode):
    """As `no_grad`; `is_inference_mode_enabled` says so."""

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.__init__(True)  # type: ignore[misc]
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._outer: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._outer.append((modes.grad_enabled, modes.inference))
        modes.inference = self.mode
        set_mode(modes.grad_enabled and not self.mode)

    def __exit__(self, *exception: object) -> None:
        enabled, modes.inference = self._outer.pop()
        set_mode(enabled)

    def clone(self) -> _Mode:
        return inference_mode(self.mode)


def is_grad_enabled() -> bool:
    """Whether gradients are recorded now."""
    return modes.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether this is inside `inference_mode`."""
    return modes.inference
