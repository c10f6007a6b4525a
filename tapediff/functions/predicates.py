"""Questions about elements and tensors that are no op of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.functions.composing import flattened, leaf, read
from tapediff.functions.registry import check_tensor, function, method
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise, is_traced
from tapediff.tensor import Tensor

__all__ = ["is_same_size", "isin", "isneginf", "isposinf", "isreal"]


@function()
def isposinf(input: Tensor) -> Tensor:
    """Which elements are inf.

    >>> import tapediff as td
    >>> td.isposinf(td.tensor([float("inf"), -float("inf"), 1.]))
    tensor([ True, False, False])
    """
    check_tensor(input, "isposinf")
    return elementwise(ROWS["eq"], input, float("inf"))


@function()
def isneginf(input: Tensor) -> Tensor:
    """Which elements are -inf.

    >>> import tapediff as td
    >>> td.isneginf(td.tensor([float("inf"), -float("inf"), 1.]))
    tensor([False,  True, False])
    """
    check_tensor(input, "isneginf")
    return elementwise(ROWS["eq"], input, -float("inf"))


@function()
def isreal(input: Tensor) -> Tensor:
    """True for every element: there are no complex numbers."""
    check_tensor(input, "isreal")
    return leaf(np.ones(input.spec.shape, np.bool_))


@function(method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Which elements are among `test_elements`.

    >>> import tapediff as td
    >>> td.isin(td.tensor([0, 1, 2]), td.tensor([1, 3]))
    tensor([False,  True, False])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError(
            f"isin() received an invalid combination of arguments - got ({type(elements).__name__}, "
            f"{type(test_elements).__name__}): one "
            "of them must be a Tensor"
        )
    if is_traced():
        shown, wanted = (x if isinstance(x, Tensor) else leaf(np.asarray(x)) for x in (elements, test_elements))
        found = (shown.unsqueeze(-1) == flattened(wanted)).any(-1)
        return ~found if invert else found
    values, among = (read(x) if isinstance(x, Tensor) else np.asarray(x) for x in (elements, test_elements))
    return leaf(np.asarray(np.isin(values, among, assume_unique, invert)))


@function()
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    check_tensor(input, "is_same_size")
    check_tensor(other, "is_same_size", "other", 2)
    return input.spec.shape == other.spec.shape


@method("is_signed")
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative numbers: all but bool."""
    return self.spec.dtype.category > 0
