"""The functions of the public interface. Every module of this package registers its own; importing the package imports them all."""

from importlib import import_module
from pkgutil import iter_modules

from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS"]

for _module in sorted((module.name for module in iter_modules(__path__)), key=lambda name: (name == "in_place", name)):
    import_module(f"{__name__}.{_module}")  # in_place comes last: it derives its methods from the functions of the others
