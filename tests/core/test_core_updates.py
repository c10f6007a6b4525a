"""Writes in place where no gradient is recorded: they wait with what is pending, and nobody may see that they do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapediff as td

SIZES = [1, 3, 700, 3000]  # a cell or a small value; in one piece with others; large; in blocks


def filled(size: int, **options: Any) -> td.Tensor:
    return td.tensor(np.linspace(1, 2, size), dtype=td.float64, **options)


READERS: list[Callable[[td.Tensor], Any]] = [
    lambda p: p.tolist(),
    lambda p: [x.item() for x in p],
    lambda p: p.numpy(force=True).tolist(),
    lambda p: p.detach().tolist(),
    lambda p: p.data.tolist(),
    lambda p: (p + 0).tolist(),
    lambda p: p.clone().tolist(),
    lambda p: p[:].tolist(),
    lambda p: p.view(-1, 1).reshape(-1).tolist(),
    lambda p: np.asarray(p.detach()).tolist(),
    lambda p: td.stack([p, p])[1].tolist(),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_inside_the_block_sees_the_update(size: int, reader: Callable[[td.Tensor], Any]) -> None:
    p = filled(size, requires_grad=True)
    g = td.ones(size, dtype=td.float64)
    with td.no_grad():
        p -= 0.5 * g
        assert reader(p) == (np.linspace(1, 2, size) - 0.5).tolist()


@pytest.mark.parametrize("size", SIZES)
def test_updates_and_reads_keep_their_order(size: int) -> None:
    p = filled(size, requires_grad=True)
    expected = np.linspace(1, 2, size)
    with td.no_grad():
        before = p * 2
        p -= 0.25
        between = p * 2
        p *= p
        p.add_(between, alpha=0.5)
        p.sub_(p)
        after = p + before
    assert before.tolist() == (expected * 2).tolist()
    assert between.tolist() == ((expected - 0.25) * 2).tolist()
    assert p.tolist() == [0.0] * size
    assert after.tolist() == (expected * 2).tolist()


@pytest.mark.parametrize("size", SIZES)
def test_memory_that_was_handed_out_is_written_at_once(size: int) -> None:
    for shared in (lambda p: p.numpy(force=True), lambda p: p.detach().numpy()[:], lambda p: memoryview(p.detach().numpy())):
        p = filled(size, requires_grad=True)
        array = shared(p)
        with td.no_grad():
            p -= 0.5 * td.ones(size, dtype=td.float64)
            assert np.asarray(array).tolist() == (np.linspace(1, 2, size) - 0.5).tolist()
    array = np.linspace(1, 2, size)
    p = td.from_numpy(array)
    with td.no_grad():
        p += p
        assert array.tolist() == (np.linspace(1, 2, size) * 2).tolist()


@pytest.mark.parametrize("size", [3, 700, 3000])
def test_views_and_aliases_follow_an_update(size: int) -> None:
    p = filled(size, requires_grad=True)
    data, detached = p.data, p.detach()
    with td.no_grad():
        head = p[:2]
        p -= 1
        assert data.tolist() == detached.tolist() == (np.linspace(1, 2, size) - 1).tolist()
        head += 10
        assert p.tolist()[:2] == (np.linspace(1, 2, size)[:2] - 1 + 10).tolist()


@pytest.mark.parametrize("size", [3000, 100_000])
@pytest.mark.parametrize("ahead", [0, 1])
def test_an_update_through_overlapping_memory_reads_all_before_it_writes(size: int, ahead: int) -> None:
    array = np.arange(size + 1.0)
    target, other = (td.from_numpy(array[part]) for part in ((slice(None, -1), slice(1, None))[:: 1 - 2 * ahead]))
    with td.no_grad():
        target += other * 2
    values = np.arange(size + 1.0)
    expected = values[1:] + 2 * values[:-1] if ahead else values[:-1] + 2 * values[1:]
    assert target.tolist() == expected.tolist()


def test_a_thread_started_inside_the_block_sees_the_update() -> None:
    p = filled(700, requires_grad=True)
    seen = []

    def read() -> None:
        seen.append((p * 1).tolist())
        seen.append(p.tolist())

    with td.no_grad():
        (p * 1).tolist()
        p -= 1
        worker = threading.Thread(target=read)
        worker.start()
        worker.join()
    assert seen == [(np.linspace(1, 2, 700) - 1).tolist()] * 2


def test_a_saved_value_that_was_updated_is_refused() -> None:
    p = filled(700, requires_grad=True)
    loss = (p * p).sum()
    with td.no_grad():
        p -= 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_an_update_counts_as_one_version() -> None:
    p = filled(3, requires_grad=True)
    with td.no_grad():
        p -= 1
        assert p._version == 1
        p.sub_(2 * p)
        assert p._version == 2


def test_a_gradient_may_be_dropped_or_zeroed_behind_the_update_that_reads_it() -> None:
    p = filled(700, requires_grad=True)
    changes: tuple[Callable[[td.Tensor], Any], ...] = (lambda p: setattr(p, "grad", None), lambda p: p.grad.zero_())
    for change in changes:
        (p * 3).sum().backward()
        before = p.tolist()
        with td.no_grad():
            p -= 0.5 * p.grad
            change(p)
        assert p.tolist() == [value - 1.5 for value in before]


def test_an_update_writes_nothing_else() -> None:
    p, q = filled(700, requires_grad=True), filled(700)
    with td.no_grad():
        t = q * 2
        p -= t
        u = t + 1
    assert t.tolist() == (np.linspace(1, 2, 700) * 2).tolist()
    assert u.tolist() == (np.linspace(1, 2, 700) * 2 + 1).tolist()
    assert q.tolist() == np.linspace(1, 2, 700).tolist()
    assert p.is_leaf
    assert p.requires_grad
