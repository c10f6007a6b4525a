"""The named pairs that functions with two results return: `x.max(0)` gives values and indices, by name and by position."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, ClassVar

__all__ = ["ReturnType", "return_type"]


class ReturnType(tuple[Any, ...]):
    """A tuple whose fields have names; prints as PyTorch's `torch.return_types`."""

    __slots__ = ()
    n_fields: ClassVar[int]
    n_sequence_fields: ClassVar[int]
    n_unnamed_fields: ClassVar[int] = 0
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, values: Iterable[Any]) -> ReturnType:
        made = tuple.__new__(cls, values)
        if len(made) != cls.n_fields:
            raise TypeError(f"torch.return_types.{cls.__name__}() takes a {cls.n_fields}-sequence ({len(made)}-sequence given)")
        return made

    def __repr__(self) -> str:
        fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self.__match_args__, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self).__name__, self.__match_args__, tuple(self))


_types: dict[tuple[str, ...], type[ReturnType]] = {}


def return_type(name: str, *fields: str) -> type[ReturnType]:
    """The type of the results of the function `name`, made when first asked for.

    >>> pair = return_type("max", "values", "indices")((5, 2))
    >>> pair
    torch.return_types.max(
    values=5,
    indices=2)
    >>> values, indices = pair
    >>> pair.values, indices
    (5, 2)
    """
    found = _types.get((name, *fields))
    if found is None:
        properties = {field: property(itemgetter(position)) for position, field in enumerate(fields)}
        found = _types[name, *fields] = type(name, (ReturnType,), {"__slots__": (), "__match_args__": fields,
                                                                   "n_fields": len(fields),
                                                          "n_sequence_fields": len(fields), **properties})
    return found


def _restored(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> ReturnType:
    return return_type(name, *fields)(values)
