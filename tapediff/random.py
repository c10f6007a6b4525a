"""The default generator of random numbers under the names of torch.random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapediff.functions.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


@contextmanager
def fork_rng(devices: Sequence[Any] | None = None, enabled: bool = True, _caller: str = "fork_rng", _devices_kw: str = "devices",
             device_type: str = "cpu") -> Iterator[None]:
    """A block after which the default generator goes on as if nothing had been drawn or seeded in it.

    devices  of other devices, of which there are none: must be None or empty
    enabled  without it the block changes the generator as ever

    Raises
        RuntimeError: `devices` names a device.

    >>> import tapediff as td
    >>> _ = manual_seed(3)
    >>> with fork_rng():
    ...     _ = td.rand(5)
    >>> after = td.rand(1)
    >>> bool(after == td.rand(1, generator=td.Generator().manual_seed(3)))
    True
    """
    if devices:
        raise RuntimeError(f"fork_rng got devices={list(devices)}, and tapediff has the CPU only: leave them out")
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
