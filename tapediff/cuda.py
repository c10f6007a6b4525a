"""What programs ask of CUDA before they settle for the CPU: there is none."""

from __future__ import annotations

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """False: tapediff computes on the CPU."""
    return False


def is_initialized() -> bool:
    """False: tapediff computes on the CPU."""
    return False


def device_count() -> int:
    """0: tapediff computes on the CPU."""
    return 0


def current_device() -> int:
    """Refused: there is no such device.

    Raises
        AssertionError: always.
    """
    raise AssertionError("Torch not compiled with CUDA enabled: tapediff computes on the CPU only")


def manual_seed(seed: int) -> None:
    """Nothing to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed."""


def empty_cache() -> None:
    """Nothing to empty."""


def synchronize(device: object = None) -> None:
    """Nothing to wait for."""
