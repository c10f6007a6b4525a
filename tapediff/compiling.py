"""Whether Numba compiles: not while NUMBA_DISABLE_JIT is set, for debuggers and coverage; the sweeps then run as Python."""

from __future__ import annotations

import os

__all__ = ["IS_COMPILED"]

IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0").strip() in ("", "0")
