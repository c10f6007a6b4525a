"""Random programs of views and in-place writes, run by any library with PyTorch's names, or on NumPy arrays.

A program is a list of steps (what, i, j, k): small numbers that are read modulo what there is to choose from, so that
every list is a program.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st

SHAPES = [(4,), (2, 3), (3, 3), (2, 2, 3), (1, 4), ()]
FACTORS = [2.0, -1.0, 0.5, 3.0]
VIEWS = ("select", "slice", "transpose", "reshape", "diagonal", "getitem")
SHOWN = ("expand", "unbind")  # views that no step writes to, as PyTorch forbids it or means to
WRITES = ("mul_", "add_", "add_tensor_", "mul_tensor_", "zero_", "fill_", "copy_", "masked_fill_", "setitem", "setitem_tensor",
    "setitem_array", "setitem_mask")
VALUES = ("gather", "square", "sync")

number = st.integers(0, 11)


def steps(*kinds: str) -> Any:
    """Lists of steps of the given kinds."""
    return st.lists(st.tuples(st.sampled_from(kinds), number, number, number), min_size=1, max_size=12)


def start(shape: tuple[int, ...]) -> np.ndarray:
    """The values that every program starts with: distinct, of both signs."""
    size = int(np.prod(shape))
    return ((np.arange(size) * 7 % 11 - 5) / 4 + 0.125).reshape(shape)


def halves(size: int) -> int:
    """The smallest factor of a size."""
    return next((factor for factor in range(2, size + 1) if size % factor == 0), 1)


def view(x: Any, what: str, j: int, k: int) -> Any:
    """One view of a tensor; None where it has none of that kind."""
    shape, ndim = tuple(x.shape), x.ndim
    if what == "reshape":
        size = int(np.prod(shape))
        part = halves(size) if size else 1
        return x.reshape([(size,), (part, size // part), (size // part, part), (1, size)][k % 4])
    if what == "getitem":
        entries = [None, Ellipsis, slice(None, None, 2), slice(1, None)]
        return x[entries[j % 4]] if ndim or j % 4 < 2 else None
    if what == "transpose":
        return x.transpose(j % ndim, k % ndim) if ndim else None
    if what == "diagonal":
        return x.diagonal(j % 3 - 1) if ndim >= 2 else None
    if not ndim:
        return None
    dim = j % ndim
    size = shape[dim]
    if what == "select":
        return x.select(dim, k % size) if size else None
    return x[(slice(None),) * dim + (slice(k % 3, None, 1 + k % 2),)]


def write(library: Any, live: list[Any], what: str, i: int, j: int, k: int) -> None:
    """One in-place write."""
    x, other = live[i % len(live)], live[j % len(live)]
    factor = FACTORS[k % 4]
    if what == "mul_":
        x.mul_(factor)
    elif what == "add_":
        x.add_(factor)
    elif what == "zero_":
        x.zero_()
    elif what == "fill_":
        x.fill_(factor)
    elif what == "masked_fill_":
        x.masked_fill_(x > 0.5, factor)
    elif what == "setitem_mask":
        x[x < 0] = factor
    elif what in ("add_tensor_", "mul_tensor_", "copy_"):
        if tuple(other.shape) != tuple(x.shape):
            other = other.sum()
        if what == "copy_":
            x.copy_(other.clone())
        elif what == "mul_tensor_":
            x.mul_(other.clone())
        else:
            x.add_(other.clone())
    elif x.ndim and x.shape[0]:
        place: Any = j % x.shape[0]
        if what == "setitem":
            x[place] = factor
        elif what == "setitem_tensor":
            x[place:] = (other * factor).sum()
        else:
            x[[place, 0]] = factor


def step(library: Any, live: list[Any], shown: list[Any], what: str, i: int, j: int, k: int) -> None:
    """One step of a program."""
    x = live[i % len(live)]
    if what in VIEWS:
        made = view(x, what, j, k)
        if made is not None:
            live.append(made)
    elif what == "expand":
        shown.append(x.expand(2, *x.shape))
    elif what == "unbind":
        if x.ndim:
            shown.extend(x.unbind(j % x.ndim))
    elif what in WRITES:
        write(library, live, what, i, j, k)
    elif what == "gather":
        if x.ndim and x.shape[0]:
            live.append(x[[j % x.shape[0], k % x.shape[0], -1]])
    elif what == "square":
        live.append(x * x * 0.5)
    elif what == "sync":
        x.tolist()
    elif what == "no_grad":
        with library.no_grad():
            write(library, live, WRITES[k % len(WRITES)], i, j, k)
    elif what == "detach":
        live.append(x.detach())
    elif what == "drop":
        if len(live) > 1:
            del live[1 + i % (len(live) - 1)]
    else:
        raise AssertionError(what)


def run(library: Any, program: list[tuple[str, int, int, int]], live: list[Any]) -> list[str]:
    """Run a program; a step that raises leaves a note and the program goes on. At the end `live` holds all tensors."""
    notes = []
    shown: list[Any] = []
    for what, i, j, k in program:
        try:
            step(library, live, shown, what, i, j, k)
            notes.append("done")
        except (RuntimeError, IndexError, ValueError) as error:
            notes.append(type(error).__name__)
    live.extend(shown)
    return notes


class Array:
    """A NumPy array behind the few of PyTorch's names that programs use; views are NumPy's views."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)

    def __getitem__(self, index: Any) -> "Array":
        if isinstance(index, list):
            return Array(self.values[index])
        return Array(self.values[index if isinstance(index, tuple) else (index,)][...])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.values[index.values if isinstance(index, Array) else index] = value.values if isinstance(value, Array) else value

    def __mul__(self, other: Any) -> "Array":
        return Array(np.asarray(self.values * (other.values if isinstance(other, Array) else other)))

    def __gt__(self, bound: float) -> "Array":
        return Array(np.asarray(self.values > bound))

    def __lt__(self, bound: float) -> "Array":
        return Array(np.asarray(self.values < bound))

    def select(self, dim: int, index: int) -> "Array":
        return Array(self.values[(slice(None),) * dim + (index, ...)])

    def unbind(self, dim: int) -> list["Array"]:
        return [self.select(dim, index) for index in range(self.shape[dim])]

    def transpose(self, first: int, second: int) -> "Array":
        return Array(self.values.swapaxes(first, second))

    def reshape(self, shape: tuple[int, ...]) -> "Array":
        return Array(self.values.reshape(shape))

    def expand(self, *shape: int) -> "Array":
        return Array(np.broadcast_to(self.values, shape))

    def diagonal(self, offset: int) -> "Array":
        made = np.diagonal(self.values, offset)
        made.flags.writeable = self.values.flags.writeable
        return Array(made)

    def mul_(self, factor: Any) -> None:
        self.values *= factor.values if isinstance(factor, Array) else factor

    def add_(self, other: Any) -> None:
        self.values += other.values if isinstance(other, Array) else other

    def zero_(self) -> None:
        self.values[...] = 0

    def fill_(self, value: float) -> None:
        self.values[...] = value

    def copy_(self, other: "Array") -> None:
        self.values[...] = other.values

    def masked_fill_(self, mask: "Array", value: float) -> None:
        self.values[mask.values] = value

    def sum(self) -> "Array":
        return Array(np.asarray(self.values.sum()))

    def clone(self) -> "Array":
        return Array(self.values.copy())

    detach = lambda self: Array(self.values)  # noqa: E731

    def tolist(self) -> Any:
        return self.values.tolist()
