"""Rows of the user's own, beside the two tables, and all rows by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Elementwise, names_in

__all__ = ["CUSTOM", "content_of", "formula_row", "own_row"]

CUSTOM: dict[str, Any] = {}  # Elementwise and Structural rows that `td.custom_op` registered


def formula_row(name: str) -> Elementwise | None:
    """The row of formulas called `name`, of the table or of the user's own."""
    found = ELEMENTWISE.get(name)
    if found is None:
        row = CUSTOM.get(name)
        found = row if isinstance(row, Elementwise) else None
    return found


def own_row(name: str) -> Any:
    """The row of the user's own called `name`, or None."""
    return CUSTOM.get(name)


def content_of(name: str) -> str:
    """The formulas of a row of the user's own and of those that it calls; "" for a row of the table, whose formulas are sources.

    >>> content_of("exp")
    ''
    """
    return " ".join(f"{row.name} = {row.formula}; {row.partials}" for row in _called(name, set()))


def _called(name: str, seen: set[str]) -> Iterator[Elementwise]:
    row = CUSTOM.get(name)
    if name in seen or not isinstance(row, Elementwise):
        return
    seen.add(name)
    yield row
    for text in (row.formula, *row.partials):
        for other in sorted(names_in(text)) if text is not None else ():
            yield from _called(other, seen)
