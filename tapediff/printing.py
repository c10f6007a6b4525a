"""The printed form of tensors: the text that PyTorch gives for the same values, character by character.

    >>> import numpy as np
    >>> values = np.float32([[0.5, -2], [10, np.nan]])
    >>> print(tensor_text(values, dtype="float32", default_dtype="float32", grad_fn="MulBackward0"))
    tensor([[ 0.5000, -2.0000],
            [10.0000,     nan]], grad_fn=<MulBackward0>)

Printing has four steps, one function each: choose the elements that are shown, write each as a cell, lay the cells out in
brackets, and append what is known besides the values. The cells know nothing of the layout, the layout nothing of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

__all__ = ["format_scalar", "parameter_text", "set_printoptions", "tensor_text"]


class PrintOptions(NamedTuple):
    """What `set_printoptions` sets; the values here are PyTorch's defaults."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=inf),
}

_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, for the whole process.

    `precision` is the number of digits after the point; a tensor of more than `threshold` elements shows `edgeitems` elements at
    either end of each long dimension; `linewidth` is in characters; `profile` ("default", "short" or "full") sets all of these
    first; `sci_mode` forces scientific notation on or off. An option that is not given keeps its value, except that `sci_mode`
    returns to None (chosen from the values), as in PyTorch. Where PyTorch takes an impossible option and then fails or prints
    garbage, this function raises ValueError and changes nothing.

        >>> set_printoptions(precision=2)
        >>> tensor_text(np.float32([1 / 3]), dtype="float32", default_dtype="float32")
        'tensor([0.33])'
        >>> set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in PROFILES:
        raise ValueError(f"set_printoptions got profile={profile!r}; the profiles are {', '.join(map(repr, PROFILES))}")
    _require_count("precision", precision)
    _require_count("edgeitems", edgeitems)
    _require_number("threshold", threshold)
    _require_number("linewidth", linewidth)
    if linewidth is not None and not isfinite(linewidth):
        raise ValueError(f"set_printoptions got linewidth={linewidth!r}; it must be finite: give a large number instead")
    start = _options if profile is None else PROFILES[profile]
    _options = PrintOptions(
        precision=start.precision if precision is None else precision,
        threshold=start.threshold if threshold is None else threshold,
        edgeitems=start.edgeitems if edgeitems is None else edgeitems,
        linewidth=start.linewidth if linewidth is None else linewidth,
        sci_mode=sci_mode,
    )


def _require_count(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
        raise ValueError(f"set_printoptions got {name}={value!r}; it must be an integer, 0 or more")


def _require_number(name: str, value: object) -> None:
    if value is not None and not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"set_printoptions got {name}={value!r}; it must be a number")


def tensor_text(
    values: np.ndarray,
    *,
    dtype: str,
    default_dtype: str,
    requires_grad: bool = False,
    grad_fn: str | None = None,
    prefix: str = "tensor(",
) -> str:
    """Return `repr` of a tensor that holds `values`.

    `dtype` and `default_dtype` are names such as "float32"; `grad_fn` is the bare name of the operation ("MulBackward0") and
    takes the place of `requires_grad`. Continuation lines are indented by the length of `prefix`.

        >>> tensor_text(np.array(1.5), dtype="float64", default_dtype="float32", requires_grad=True)
        'tensor(1.5000, dtype=torch.float64, requires_grad=True)'
        >>> tensor_text(np.zeros((0, 3), np.int32), dtype="int32", default_dtype="float32")
        'tensor([], size=(0, 3), dtype=torch.int32)'
    """
    values = np.asarray(values)
    options = _options
    is_summarised = values.size > options.threshold

    if values.size == 0:
        body = "[]"
    elif is_summarised and options.edgeitems == 0 and values.ndim:
        body = "[...]"
    else:
        shown, gaps = _shown_elements(values, options.edgeitems) if is_summarised else (values, (None,) * values.ndim)
        body = _laid_out(_cells(shown, options), gaps, len(prefix), options.linewidth)

    # without edge items PyTorch gives the size of every tensor, also of those that are short enough to be shown
    shows_size = values.ndim != 1 if values.size == 0 else options.edgeitems == 0
    is_plain_dtype = dtype == default_dtype or (dtype in ("int64", "bool") and values.size > 0)
    suffixes = []
    if shows_size:
        suffixes.append(f"size={values.shape}")
    if not is_plain_dtype:
        suffixes.append(f"dtype=torch.{dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + body, suffixes, len(prefix), options.linewidth) + ")"


def parameter_text(values: np.ndarray, *, dtype: str, default_dtype: str, requires_grad: bool = True) -> str:
    """Return `repr` of an `nn.Parameter` that holds `values`.

    A Parameter is a leaf: there is no `grad_fn` to show.

        >>> print(parameter_text(np.float32([1, 2]), dtype="float32", default_dtype="float32"))
        Parameter containing:
        tensor([1., 2.], requires_grad=True)
    """
    return "Parameter containing:\n" + tensor_text(values, dtype=dtype, default_dtype=default_dtype, requires_grad=requires_grad)


def format_scalar(values: np.ndarray, spec: str, *, describe: Callable[[], str], type_name: str = "Tensor") -> str:
    """Return `format(tensor, spec)`: a Tensor without dimensions formats as its Python number, all others as `describe()`.

    As in PyTorch the number is for Tensor itself: a subclass, of `type_name` "Parameter" say, prints its `repr` at any shape.
    TypeError if something that is not a number is given a format.

        >>> format_scalar(np.float32(0.5), "", describe=lambda: "tensor(0.5000)")
        '0.5'
        >>> format_scalar(np.array(3.14159), ".3f", describe=lambda: "tensor(3.1416)")
        '3.142'
        >>> format_scalar(np.array([1, 2]), "", describe=lambda: "tensor([1, 2])")
        'tensor([1, 2])'
    """
    values = np.asarray(values)
    if values.ndim == 0 and type_name == "Tensor":
        return format(values.item(), spec)
    if spec:
        raise TypeError(
            f"unsupported format string passed to {type_name}.__format__: got {spec!r} for shape {values.shape}, "
            "but only a Tensor without dimensions takes a format: format .item() of one element, or drop the format"
        )
    return describe()


def _shown_elements(values: np.ndarray, edgeitems: int) -> tuple[np.ndarray, tuple[int | None, ...]]:
    """Return the elements at the edges of `values`, and for each axis the index that the dots take (None: the axis is whole)."""
    edges: list[Any] = []
    gaps: list[int | None] = []
    for size in values.shape:
        is_cut = size > 2 * edgeitems
        edges.append(np.r_[:edgeitems, size - edgeitems : size] if is_cut else np.arange(size))
        gaps.append(edgeitems if is_cut else None)
    return values[np.ix_(*edges)], tuple(gaps)


class _Cells(NamedTuple):
    texts: Any  # nested lists of str in the shape of the elements, one str for no dimensions
    width: int


def _cells(values: np.ndarray, options: PrintOptions) -> _Cells:
    """Return the text of every element, padded on the left to the width that the layout counts with."""
    elements = values.ravel().tolist()
    if values.dtype.kind == "f":
        write = _number_writer(values, options)
        # nan, inf and zeros do not widen the column, in PyTorch too: a cell may be wider than the width
        measured = (np.isfinite(values) & (values != 0)).ravel().tolist()
    else:
        write = str
        measured = [True] * len(elements)
    texts = [write(element) for element in elements]
    width = max((len(text) for text, counts in zip(texts, measured) if counts), default=1)
    padded = np.array([text.rjust(width) for text in texts], dtype=object)
    return _Cells(padded.reshape(values.shape).tolist(), width)


def _number_writer(values: np.ndarray, options: PrintOptions) -> Callable[[float], str]:
    """Return the function that writes one floating-point element, in the notation that suits all `values`."""
    magnitudes = np.abs(values[np.isfinite(values) & (values != 0)])
    decimals = f".{options.precision}f"
    scientific = f".{options.precision}e"
    if magnitudes.size == 0:
        return _written_whole
    is_whole = bool(np.all(magnitudes == np.floor(magnitudes)))
    is_scientific = options.sci_mode
    if is_scientific is None:
        smallest, largest = float(magnitudes.min()), float(magnitudes.max())
        is_scientific = largest > 1e8 or largest / smallest > 1e3 or smallest < 1e-4
    if is_scientific:
        return lambda value: format(value, scientific)
    return _written_whole if is_whole else lambda value: format(value, decimals)


def _written_whole(value: float) -> str:
    return f"{value:.0f}." if isfinite(value) else str(value)


def _laid_out(cells: _Cells, gaps: Sequence[int | None], indent: int, linewidth: float) -> str:
    """Return the cells in nested brackets: rows broken at `linewidth`, blocks of n dimensions set apart by n - 1 line ends."""
    if not gaps:
        return cells.texts
    gap, *inner_gaps = gaps
    continuation = " " * (indent + 1)
    if inner_gaps:
        parts = [_laid_out(_Cells(texts, cells.width), inner_gaps, indent + 1, linewidth) for texts in cells.texts]
        if gap is not None:
            parts.insert(gap, "...")
        separator = "," + "\n" * len(inner_gaps) + continuation
    else:
        items = list(cells.texts)
        if gap is not None:
            items.insert(gap, " ...")
        per_line = max(1, int((linewidth - indent) // (cells.width + len(", "))))
        parts = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
        separator = ",\n" + continuation
    return "[" + separator.join(parts) + "]"


def _with_suffixes(text: str, suffixes: Sequence[str], indent: int, linewidth: float) -> str:
    """Append the suffixes to the last line of `text`, or on new lines where they do not fit."""
    column = len(text) - (text.rfind("\n") + 1)
    room = linewidth - 2  # PyTorch leaves two columns unused on the line that ends the values, and none after that
    for suffix in suffixes:
        if column + len(", " + suffix) <= room:
            text += ", " + suffix
            column += len(", " + suffix)
        else:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
            room = linewidth
    return text
