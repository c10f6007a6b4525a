"""tapediff: exact gradients on the CPU. PyTorch-style tensors on a flat tape, replayed backwards by compiled sweeps."""

from __future__ import annotations

import importlib as _importlib
import math as _math
from typing import Any as _Any

from tapediff.dtypes import DType as dtype
from tapediff.dtypes import bool_ as bool
from tapediff.dtypes import finfo, float32, float64, get_default_dtype, iinfo, int32, int64, set_default_dtype
from tapediff.errors import GuardError, ProgramFileError, SavedFileError
from tapediff.functions import FUNCTIONS as _FUNCTIONS
from tapediff.grad_modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from tapediff.hot import serve as _serve  # the module waits for what is done often
from tapediff.later import NAMES as _FROM
from tapediff.later import PARTS as _LAZY
from tapediff.native import install as _install  # ... and this one for the first value
from tapediff.printing import set_printoptions
from tapediff.shapes import Size
from tapediff.tensor import Device as device
from tapediff.tensor import Tensor
from tapediff.tensor_methods import backward as _backward  # the module attaches it, and grad_fn
from tapediff.version import __version__ as _version

double = float64
float = float32
long = int64
int = int32

globals().update(_FUNCTIONS)

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
__version__ = _version


def __getattr__(name: str) -> _Any:
    """Load the larger parts when they are first used."""
    if name in _LAZY:
        return _importlib.import_module(f"tapediff.{name}")
    if name in _FROM:
        module, attribute = _FROM[name]
        found = globals()[name] = getattr(_importlib.import_module(f"tapediff.{module}"), attribute)
        return found
    raise AttributeError(f"module 'tapediff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_FROM})
