"""The functions of the public interface; importing this package gives the tensor its methods."""

from tapediff.functions import products, reductions
from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS", "products", "reductions"]
