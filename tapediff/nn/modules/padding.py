"""Padding as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "ReflectionPad1d",
    "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d",
    "ZeroPad3d",
]


def padded(input: Any, padding: Any, mode: str = "constant") -> Any:
    """The input made larger at the ends of its last dimensions."""
    return F.pad(input, padding, mode)


def filled(input: Any, padding: Any, value: float) -> Any:
    """The input made larger by elements of one value."""
    return F.pad(input, padding, value=value)


def over(dimensions: int) -> Callable[[dict[str, Any]], None]:
    """Lets one number stand for all ends of some dimensions."""
    def prepare(settings: dict[str, Any]) -> None:
        given = settings["padding"]
        settings["padding"] = (given,) * (2 * dimensions) if isinstance(given, int) else tuple(given)
    return prepare


BARE, NAMED = "{padding}", "padding={padding}, value={value}"
REFLECT, REPLICATE, CIRCULAR = ({"mode": mode} for mode in ("reflect", "replicate", "circular"))


class ConstantPad1d(Applied, function=filled, settings="padding value", shown=NAMED, prepare=over(1)): ...
class ConstantPad2d(Applied, function=filled, settings="padding value", shown=NAMED, prepare=over(2)): ...
class ConstantPad3d(Applied, function=filled, settings="padding value", shown=NAMED, prepare=over(3)): ...
class ZeroPad1d(Applied, function=padded, settings="padding", shown=BARE, prepare=over(1)): ...
class ZeroPad2d(Applied, function=padded, settings="padding", shown=BARE, prepare=over(2)): ...
class ZeroPad3d(Applied, function=padded, settings="padding", shown=BARE, prepare=over(3)): ...
class ReflectionPad1d(Applied, function=padded, settings="padding", shown=BARE, fixed=REFLECT, prepare=over(1)): ...
class ReflectionPad2d(Applied, function=padded, settings="padding", shown=BARE, fixed=REFLECT, prepare=over(2)): ...
class ReflectionPad3d(Applied, function=padded, settings="padding", shown=BARE, fixed=REFLECT, prepare=over(3)): ...
class ReplicationPad1d(Applied, function=padded, settings="padding", shown=BARE, fixed=REPLICATE, prepare=over(1)): ...
class ReplicationPad2d(Applied, function=padded, settings="padding", shown=BARE, fixed=REPLICATE, prepare=over(2)): ...
class ReplicationPad3d(Applied, function=padded, settings="padding", shown=BARE, fixed=REPLICATE, prepare=over(3)): ...
class CircularPad1d(Applied, function=padded, settings="padding", shown=BARE, fixed=CIRCULAR, prepare=over(1)): ...
class CircularPad2d(Applied, function=padded, settings="padding", shown=BARE, fixed=CIRCULAR, prepare=over(2)): ...
class CircularPad3d(Applied, function=padded, settings="padding", shown=BARE, fixed=CIRCULAR, prepare=over(3)): ...
