"""Anomaly detection: backward passes that check every contribution for nan and name the node that made one."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from tapediff.recording import modes

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]


class _State(threading.local):
    enabled = False
    check_nan = True


_state = _State()  # what the user asked for; modes.anomaly says whether a pass must check


class set_detect_anomaly:
    """Anomaly detection on or off: at once, and undone at the end where it is used as a context manager.

    check_nan  whether a nan in a backward pass is an error

    >>> import tapediff as td
    >>> with td.autograd.set_detect_anomaly(True):
    ...     td.tensor(-1., requires_grad=True).sqrt().backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output: ...
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (_state.enabled, _state.check_nan)
        self._set(bool(mode), check_nan)

    @staticmethod
    def _set(enabled: bool, check_nan: bool) -> None:
        _state.enabled, _state.check_nan = enabled, check_nan
        modes.anomaly = enabled and check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        self._set(*self._before)


class detect_anomaly:
    """Within the block, a backward pass that makes a nan raises an error that names the node.

    >>> import tapediff as td
    >>> x = td.tensor(0., requires_grad=True)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> with detect_anomaly():
    ...     (x / x).backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'DivBackward0' returned nan values in its 1th output: ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self._entered: Any = None
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._entered = set_detect_anomaly(True, self.check_nan)

    def __exit__(self, *exception: object) -> None:
        self._entered.__exit__(*exception)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether a nan in a backward pass is an error."""
    return _state.check_nan
