"""The tables of ops: every fact about an op lives in its row. Every module of this package adds its rows; importing the package imports them all."""

import os
from importlib import import_module

from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Domain, Elementwise
from tapediff.ops.structural import STRUCTURAL, Structural

__all__ = ["ELEMENTWISE", "STRUCTURAL", "Domain", "Elementwise", "Structural"]

for _name in sorted(os.listdir(__path__[0])):
    if _name.endswith(".py") and _name != "__init__.py":
        import_module(f"{__name__}.{_name.removesuffix('.py')}")
