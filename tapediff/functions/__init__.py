"""The functions of the public interface.

Every module of this package registers its own; importing the package imports them all.
"""

import os
from importlib import import_module

from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS"]

_modules = [name.removesuffix(".py") for name in os.listdir(__path__[0]) if name.endswith(".py") and name != "__init__.py"]
for _module in sorted(_modules, key=lambda name: (name == "in_place", name)):
    import_module(f"{__name__}.{_module}")  # in_place comes last: it derives its methods from the functions of the others
