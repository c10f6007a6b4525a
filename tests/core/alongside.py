"""Runs one function with tapediff and, where it is installed, with PyTorch, and compares everything that it returns."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapediff as td

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch, the oracle of this test, is not installed")


def plain(value: Any) -> Any:
    """Tensors, arrays and tuples as nested lists."""
    if isinstance(value, td.Tensor) or (torch is not None and isinstance(value, torch.Tensor)):
        return value.detach().tolist()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def outcome(f: Callable[[Any], Any], library: Any) -> Any:
    """What f(library) returns, or the type of the exception that it raises and its message."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plain(f(library))
    except Exception as error:
        return type(error), str(error)


def equal(a: Any, b: Any) -> bool:
    """Equal to rounding, structure and all; exceptions are equal by type."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return a[0] is b[0]
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and bool(a == b)


def check(f: Callable[[Any], Any], expected: Any = None) -> None:
    """f(tapediff) is what f(torch) is, and `expected` where that is given; an exception of the same type counts as equal."""
    found = outcome(f, td)
    if expected is not None:
        assert equal(found, plain(expected)), f"found {found}, expected {expected}"
    if torch is not None:
        wanted = outcome(f, torch)
        assert equal(found, wanted), f"tapediff: {found}\nPyTorch:  {wanted}"


def check_error(f: Callable[[Any], Any], kind: type[Exception], phrase: str) -> None:
    """f raises `kind` with `phrase` in its message, in tapediff as in PyTorch."""
    for library in (td, torch):
        if library is None:
            continue
        found = outcome(f, library)
        assert isinstance(found, tuple), f"{library.__name__} raised nothing and returned {found}"
        assert issubclass(found[0], kind), f"{library.__name__} raised {found}"
        assert phrase in found[1], f"{library.__name__} said {found[1]!r}"
