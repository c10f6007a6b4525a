"""The tables of ops: every fact about an op lives in its row."""

from tapediff.ops import (
    cumulative,
    gather,
    joining,
    masking,
    picks,
    products,
    rearranging,
    reductions,
    replacing,
    scatter_reduce,
    softmax,
    sorting,
    views,
)
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Domain, Elementwise
from tapediff.ops.structural import STRUCTURAL, Structural

__all__ = [
    "ELEMENTWISE", "STRUCTURAL", "Domain", "Elementwise", "Structural", "cumulative", "gather", "joining", "masking", "picks",
    "products", "rearranging", "reductions", "replacing", "scatter_reduce", "softmax", "sorting", "views",
]
