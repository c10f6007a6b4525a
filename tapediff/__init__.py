"""tapediff: exact gradients on the CPU. PyTorch-style tensors on a flat tape, replayed backwards by compiled sweeps."""

from __future__ import annotations

from tapediff.dtypes import bool_ as bool  # noqa: A004
from tapediff.dtypes import finfo, float32, float64, get_default_dtype, iinfo, int32, int64, set_default_dtype
from tapediff.functions import FUNCTIONS as _FUNCTIONS
from tapediff.shapes import Size
from tapediff.tensor import Tensor, tensor

double = float64
float = float32  # noqa: A001
long = int64
int = int32  # noqa: A001

globals().update(_FUNCTIONS)

__version__ = "0.1.0"
