"""The tables of ops: every fact about an op lives in its row. Every module of this package adds its rows; importing the package imports them all."""

from importlib import import_module
from pkgutil import iter_modules

from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Domain, Elementwise
from tapediff.ops.structural import STRUCTURAL, Structural

__all__ = ["ELEMENTWISE", "STRUCTURAL", "Domain", "Elementwise", "Structural"]

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
