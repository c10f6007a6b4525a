"""The functions of the public interface; importing this package gives the tensor its methods."""

from tapediff.functions import conversion, indexing, products, reductions, views
from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS", "conversion", "indexing", "products", "reductions", "views"]
