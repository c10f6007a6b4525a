"""Segments: how long they get, what closes them, what an instruction costs, and that they print."""

from typing import Any

import numpy as np
import pytest

import tapediff as td
from tapediff.tape.layout import SEGMENT_INSTRUCTIONS


def leaf() -> td.Tensor:
    return td.tensor(0.5, dtype=td.float64, requires_grad=True)


def close_running() -> None:
    with td.no_grad():
        td.zeros(1) + 1
    td.zeros(1) + 1


def test_a_segment_is_closed_when_it_is_full() -> None:
    x = leaf()
    y, lengths = x, {}
    for _ in range(3 * SEGMENT_INSTRUCTIONS):
        y = y + 1
        lengths[y.segment.number] = y.segment
    y.item()
    assert all(len(segment) <= SEGMENT_INSTRUCTIONS + 2 for segment in lengths.values())
    assert 3 <= len(lengths) <= 4


def test_large_results_close_a_segment_early() -> None:
    x = td.ones(1_000_000, requires_grad=True)
    numbers = {(x * factor).segment.number for factor in range(60)}
    assert len(numbers) > 2


def test_the_two_grad_modes_share_no_segment() -> None:
    x = leaf()
    with_gradients = x * 2
    with td.no_grad():
        without = x * 2
    assert with_gradients.segment is not without.segment
    assert (with_gradients.item(), without.item()) == (1.0, 1.0)


def test_nothing_is_computed_before_somebody_looks() -> None:
    close_running()
    y = (leaf() * 2).sin()
    assert y.segment.count == 0
    assert y.item() == np.sin(1.0)
    assert y.segment.count == len(y.segment)


@pytest.mark.parametrize("look", [
    lambda y: y.item(), lambda y: repr(y), lambda y: f"{y:.3f}", lambda y: float(y), lambda y: bool(y), lambda y: y.tolist(),
    lambda y: y.detach().numpy(), lambda y: y.backward(), lambda y: np.asarray(y.detach()), lambda y: y.detach().add_(0),
    lambda y: y > 0 and True, lambda y: round(float(y)),
], ids=["item", "repr", "format", "float", "bool", "tolist", "numpy",
        "backward", "asarray", "alias written", "if", "round"])
def test_whoever_looks_gets_computed_values(look: Any) -> None:
    close_running()
    y = leaf() * 4
    look(y)
    assert y.item() == 2.0


def test_a_segment_says_what_it_is() -> None:
    y = leaf() * 2 + 1
    assert repr(y.segment).endswith("instructions, open>")
    y.backward()
    assert repr(y.segment).endswith("instructions, closed>")


def test_a_scalar_instruction_costs_at_most_64_bytes_of_tape() -> None:
    close_running()
    x = leaf()
    y = x
    for _ in range(SEGMENT_INSTRUCTIONS - 8):
        y = y * 0.5
    segment = y.segment
    y.item()
    recorded = segment.recorded.__sizeof__()
    code = sum(batch.__sizeof__() for batch, _ in segment.batches)
    values = sum(chunk.nbytes for chunk in segment.chunks)
    assert (recorded + code + values) / len(segment) <= 64


def test_a_mixture_of_many_dtypes_and_sizes_runs_in_one_segment() -> None:
    close_running()
    x32, x64, whole = td.ones(3, requires_grad=True), td.ones(5, 1, dtype=td.float64, requires_grad=True), td.arange(3)
    mixed = x64 * x32 + whole
    mask = mixed > 2
    chosen = td.where(mask, mixed, x32)
    total = chosen.sum() + chosen.max() + whole.sum()
    assert mixed.segment is total.segment
    total.backward()
    assert x32.grad is not None
    assert x64.grad is not None
    assert (x32.grad.dtype, x64.grad.dtype) == (td.float32, td.float64)
    assert float(total) == 5 * (1 + 1 + 3) + 3 + 3


def test_recording_many_constants_and_leaves_reuses_their_rows() -> None:
    from tapediff.tape.source import SOURCES
    for _ in range(3):
        for number in range(5000):
            (td.tensor(float(number), requires_grad=True) * (number + 0.123)).item()
        rows = len(SOURCES.owners)
    for number in range(20_000):
        (td.tensor(float(number), requires_grad=True) * (number + 0.456)).item()
    assert len(SOURCES.owners) <= rows + 4096
