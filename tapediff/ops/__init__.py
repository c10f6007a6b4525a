"""The table of ops: every fact about an op lives in its row."""

from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import Domain, Elementwise

__all__ = ["ELEMENTWISE", "Domain", "Elementwise"]
