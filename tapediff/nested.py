"""Nested tuples, lists and dicts of leaves: taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["LEAF", "Structure", "flatten", "map_leaves", "matched"]


class Structure:
    """How leaves are nested: a container type, its keys and the structures of its children; equal where nested alike.

    >>> leaves, structure = flatten({"w": [1, 2], "b": 3})
    >>> leaves, structure.unflatten([10, 20, 30])
    ([1, 2, 3], {'w': [10, 20], 'b': 30})
    """

    __slots__ = ("children", "container", "count", "keys")

    def __init__(self, container: type | None, keys: tuple[Any, ...], children: tuple[Structure, ...]) -> None:
        self.container = container
        self.keys = keys
        self.children = children
        self.count: int = 1 if container is None else sum(child.count for child in children)

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The nest with these leaves, as many as the structure has.

        Raises
            ValueError: there are more or fewer.
        """
        if len(leaves) != self.count:
            raise ValueError(f"got {len(leaves)} leaves for a nest of {self.count}")
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.container is None:
            return next(leaves)
        parts = [child._build(leaves) for child in self.children]
        if issubclass(self.container, dict):
            return self.container(zip(self.keys, parts, strict=True))
        if hasattr(self.container, "_fields"):
            return self.container(*parts)
        container: Any = self.container
        return container(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and (self.kind, self.keys, self.children) == (other.kind, other.keys, other.children)

    def __hash__(self) -> int:
        return hash((self.kind, self.keys, self.children))

    @property
    def kind(self) -> Any:
        """The container type; of named tuples the name and the fields, so that a program from a file takes the user's own."""
        fields = getattr(self.container, "_fields", None)
        return self.container if fields is None else (self.container.__name__, fields)  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"Structure({self.unflatten(['*'] * self.count)!r})".replace("'*'", "*")


LEAF = Structure(None, (), ())


CONTAINERS = (tuple, list, dict)


def is_container(value: Any) -> bool:
    """Whether a value is taken apart: tuples (named ones too), lists and dicts."""
    return isinstance(value, CONTAINERS)


def flatten(value: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Structure]:
    """The leaves of a nest from left to right, dicts in their own order, and how they are nested."""
    leaves: list[Any] = []
    return leaves, _structure(value, leaves, is_leaf)


def _structure(value: Any, leaves: list[Any], is_leaf: Callable[[Any], bool] | None) -> Structure:
    if not isinstance(value, CONTAINERS) or (is_leaf is not None and is_leaf(value)):
        leaves.append(value)
        return LEAF
    if isinstance(value, dict):
        return Structure(type(value), tuple(value), tuple([_structure(part, leaves, is_leaf) for part in value.values()]))
    return Structure(type(value), (), tuple([_structure(part, leaves, is_leaf) for part in value]))


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The nest with `function` applied to every leaf.

    >>> map_leaves(lambda x: x + 1, (1, {"a": 2}))
    (2, {'a': 3})
    """
    leaves, structure = flatten(value)
    return structure.unflatten([function(leaf) for leaf in leaves])


def matched(prefix: Any, structure: Structure, what: str) -> list[Any]:
    """One entry of `prefix` for every leaf of a structure; an entry that stands for a whole subtree is repeated.

    >>> matched((0, None), flatten(([1, 2], 3))[1], "in_dims")
    [0, 0, None]

    Raises
        ValueError: the nests do not match; `what` names the prefix.
    """
    if structure.container is None or not is_container(prefix):
        if is_container(prefix):
            raise ValueError(f"{what}={prefix!r} is nested deeper than what it is for")
        return [prefix] * structure.count
    if isinstance(prefix, dict) != issubclass(structure.container, dict) or len(prefix) != len(structure.children):
        raise ValueError(f"{what} is not compatible with the structure of what it is for: got {what}={prefix!r} for "
                         f"{structure!r}")
    parts = [prefix[key] for key in structure.keys] if isinstance(prefix, dict) else prefix
    return [entry for part, child in zip(parts, structure.children, strict=True) for entry in matched(part, child, what)]
