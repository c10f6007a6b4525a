"""The functions of the public interface; importing this package gives the tensor its methods."""

from tapediff.functions import views  # noqa: I001  one module a line: what a later one builds on comes first
from tapediff.functions import elementwise
from tapediff.functions import operators
from tapediff.functions import indexing
from tapediff.functions import reductions
from tapediff.functions import products
from tapediff.functions import conversion
from tapediff.functions import in_place
from tapediff.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS", "conversion", "elementwise", "in_place", "indexing", "operators", "products", "reductions", "views"]
