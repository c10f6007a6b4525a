"""Guards: the decisions that Python took while a function was recorded, and where."""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["PACKAGE", "Guard", "caller", "holds", "outcome"]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@dataclass(slots=True)
class Guard:
    """One decision: what Python asked of which value, and what the answer was.

    how       "truth" (`bool(t)`: `if`, `while`, `and`, `min`, `sorted`, `assert`), "integer" (`int(t)`) or "value" (`item()`,
              `float`, `tolist`, `numpy`, and functions whose result's shape depends on values)
    value     the number of the value on the tape; of "truth" all elements must have the same answer
    expected  the answer: a bool, an int, or an array
    file, line, function   where the function that was recorded asked

    >>> import tapediff as td
    >>> program = td.record(lambda x: x * 2 if x > 0 else -x, 1.0)
    >>> [guard.how for guard in program.guards]
    ['truth']
    """

    how: str
    value: int
    expected: Any
    file: str
    line: int
    function: str
    condition: str = ""
    operands: tuple[Any, ...] = field(default=(), repr=False)
    source: str | None = None  # of a program from a file, which must not make us read the file that it names

    @property
    def text(self) -> str:
        """The source line, where it can be read."""
        return self.source if self.source is not None else linecache.getline(self.file, self.line).strip()

    @property
    def place(self) -> str:
        """File, line and source text, as in a traceback."""
        text = self.text
        return f'File "{self.file}", line {self.line}, in {self.function}' + (f": {text}" if text else "")

    def __str__(self) -> str:
        what = {"truth": f"bool({self.condition or 'value'}) is {self.expected}", "integer": f"int(value) is {self.expected}"}
        expected = self.expected
        if isinstance(expected, np.ndarray):
            expected = expected.item() if expected.size == 1 else f"array of shape {expected.shape}"
        return f"{what.get(self.how, f'value is {expected}')} at {self.place}"


def caller() -> tuple[str, int, str]:
    """File, line and function of the innermost frame outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def outcome(how: str, value: np.ndarray[Any, Any]) -> Any:
    """The answer that Python gets when it asks `how` of a value."""
    if how == "truth":
        return bool(value.reshape(-1)[0])
    if how == "integer":
        return int(value.reshape(-1)[0])
    return np.array(value)


def holds(how: str, expected: Any, value: np.ndarray[Any, Any]) -> bool:
    """Whether asking `how` of a value gives the expected answer again; nan is like nan, and -0 is not like 0."""
    if how == "truth":
        return bool((value.astype(np.bool_) == expected).all())
    if how == "integer":
        number = value.reshape(-1)[0]
        return bool(np.isfinite(number)) and int(number) == expected
    return np.ascontiguousarray(value).tobytes() == np.ascontiguousarray(expected).tobytes()
