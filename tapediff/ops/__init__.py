"""The tables of ops: every fact about an op lives in its row."""

from tapediff.ops import products, reductions, replacing, views
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Domain, Elementwise
from tapediff.ops.structural import STRUCTURAL, Structural

__all__ = ["ELEMENTWISE", "STRUCTURAL", "Domain", "Elementwise", "Structural", "products", "reductions", "replacing", "views"]
