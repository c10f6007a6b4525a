"""The functions of the public interface; importing this package gives the tensor its methods."""

from tapediff.functions import elementwise, operators, products, reductions
from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS", "elementwise", "operators", "products", "reductions"]
