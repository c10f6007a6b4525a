"""The functions of the public interface; importing this package gives the tensor its methods."""

from tapediff.functions import (
    creation,
    cumulative,
    einsum,
    elementwise,
    extrema,
    gather,
    joining,
    masking,
    norms,
    operators,
    order_statistics,
    products,
    random,
    rearranging,
    reductions,
    searching,
    softmax,
    sorting,
)
from tapediff.functions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS", "creation", "cumulative", "einsum", "elementwise", "extrema", "gather", "joining", "masking", "norms",
    "operators", "order_statistics", "products", "random", "rearranging", "reductions", "searching", "softmax", "sorting",
]
