"""Structural ops on few elements run as compiled steps instead of NumPy's functions, which cost tens of microseconds in a sweep.

A small program with one lane does it in one or two, but takes a millisecond to make. Ops that only move and compare elements have
the same bits either way: they become programs when they have run often. The others round differently, and no result may depend on
how often something ran: they are programs from the beginning.
"""

from __future__ import annotations

from tapediff import recording
from tapediff.compiling import IS_COMPILED
from tapediff.ops.structural import Structural
from tapediff.recording import modes
from tapediff.tape.kinds import KINDS, Kind

__all__ = ["MOST_ELEMENTS", "is_exact", "meet", "serve"]

MOST_ELEMENTS = 1 << 14  # of operands and result: NumPy is quicker on more, where its loops are longer than ours
# families of rows (Structural.lanes) that have NumPy's bits, and whose derivative rules have
EXACT = frozenset({
    "all", "any", "argmax", "argmin", "argsort", "count_nonzero", "cummax_index", "cummin_index", "is_last_write",
    "kth_position", "masked_scatter", "masked_select", "max_pool_index", "mode_index", "moves", "nanmedian_index",
    "pool_read", "rank_index", "reads", "searchsorted", "topk_order", "writes",
})
SUMMING = frozenset({"repeat"})  # rows of these families whose rules add up in another order


def is_exact(row: Structural) -> bool:
    """Whether the compiled steps of a row have NumPy's bits."""
    return row.lanes in EXACT and row.name not in SUMMING


def meet(kind: Kind) -> None:
    """Replace NumPy by compiled steps for a kind that will round differently."""
    if kind.row.lanes is None or is_exact(kind.row):
        return
    if modes.recorder is None:
        _replay(kind)
    else:
        KINDS.hot.append(kind)


def serve() -> None:
    """The same for kinds that wait, unless a function is being recorded."""
    while KINDS.hot and modes.recorder is None:
        _replay(KINDS.hot.pop())


def _replay(kind: Kind) -> None:
    sizes = [spec.size for spec in (kind.spec, *kind.operands)]
    if all(sizes) and sum(sizes) <= MOST_ELEMENTS:
        from tapediff.program.replayed import replay  # only now: it loads programs and their kernels
        with recording.apart():
            replay(kind)


if IS_COMPILED:
    recording.at_host.append(meet)
    recording.at_open.append(serve)
