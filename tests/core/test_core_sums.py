"""Sums over all elements belong to the run of instructions that computes what they add up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tapediff as td

SIZES = [1, 2, 511, 512, 513, 1024, 1025, 5000, 70_000]
DTYPES = [td.float32, td.float64]


def values(size: int, dtype: Any = td.float64) -> np.ndarray[Any, Any]:
    return np.random.default_rng(size).standard_normal(size).astype("f8" if dtype is td.float64 else "f4")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_the_sum_of_what_is_pending_has_the_bits_of_the_sum_of_what_is_computed(name: str, dtype: Any, size: int) -> None:
    x = td.tensor(values(size, dtype), requires_grad=True)
    y = x * x + 1
    y.tolist()
    computed = getattr(y, name)()
    assert computed.item() == getattr(x * x + 1, name)().item() == getattr(y.detach(), name)().item()
    assert td.stack([computed, getattr(x * x + 1, name)()]).unique().numel() == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_error_of_a_sum_does_not_grow_with_its_length(dtype: Any) -> None:
    x = td.full((1_000_000,), 0.1, dtype=dtype)
    exact = math.fsum([x[0].item()] * 1_000_000)
    assert x.sum().item() == pytest.approx(exact, rel=1e-6 if dtype is td.float32 else 2e-15)


@pytest.mark.parametrize("size", [3, 600, 3000])
@pytest.mark.parametrize(("place", "value", "expected"), [
    (0, math.inf, math.inf), (1, -math.inf, -math.inf), (2, math.nan, math.nan), (-1, math.inf, math.inf)])
def test_inf_and_nan_pass_through_a_sum(size: int, place: int, value: float, expected: float) -> None:
    array = values(size)
    array[place] = value
    x = td.tensor(array)
    assert np.array_equal([(x * 1).sum().item(), x.sum().item()], [expected] * 2, equal_nan=True)


@pytest.mark.parametrize("size", SIZES)
def test_what_reads_a_sum_comes_after_it(size: int) -> None:
    array = values(size)
    x = td.tensor(array, requires_grad=True)
    centred = x * 2 - (x * 2).mean()
    loss = (centred * centred).sum() + centred.sum() + (x * x).sum()
    loss.backward()
    kept = 2 * array - (2 * array).mean()
    assert loss.item() == pytest.approx((kept * kept).sum() + kept.sum() + (array * array).sum(), rel=1e-12, abs=1e-12)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 4 * kept - 4 * kept.mean() + 2 * array, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("size", [3, 600, 3000, 10_000, 70_000])
@pytest.mark.parametrize("is_shown", [False, True])
def test_gradients_of_runs_add_to_those_of_other_instructions(size: int, is_shown: bool) -> None:
    """An adjoint of 64 KiB or more is zeroed by the first run that adds to it: others may come before it and after it."""
    array = values(size)
    x = td.tensor(array, requires_grad=True)
    first = x[1:].cumsum(0)
    run = (x * x).sin()
    total = run.sum()
    last = td.stack([x, x]).amax(0)
    again = (x * 3).exp().mean()
    loss = first[-1] * 5 + total + last[0] + again
    if not is_shown:
        del run
    for times in (1, 2):
        loss.backward(retain_graph=times == 1)
        expected = np.cos(array**2) * 2 * array + 3 * np.exp(3 * array) / size
        expected[1:] += 5
        expected[0] += 1
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.numpy(), times * expected, rtol=1e-12, atol=1e-12)


def test_gradients_that_somebody_keeps_are_not_used_again() -> None:
    array = values(70_000)
    x = td.tensor(array, requires_grad=True)
    kept = []
    for factor in range(1, 8):
        x.grad = None
        (x * x).sum().mul(factor).backward()
        if factor % 2:
            kept.append((factor, x.grad))
    for factor, grad in kept:
        np.testing.assert_allclose(grad.numpy(), 2 * factor * array, rtol=1e-14)


def test_a_hook_sees_the_adjoint_of_a_value_inside_a_run() -> None:
    x = td.tensor(values(70_000), requires_grad=True)
    y = x * x
    seen = []
    y.register_hook(seen.append)
    (y * 3).sum().backward()
    assert seen[0].unique().tolist() == [3.0]
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 6 * x.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize("repeats", [1, 4])
def test_a_value_that_only_passes_into_a_sum_may_need_no_array(repeats: int) -> None:
    array = values(300_000)
    x = td.tensor(array, requires_grad=True)
    losses = [(x * 2 + k).sum() + (x * 2 - k).abs().mean() for k in range(repeats)]
    expected = [(array * 2 + k).sum() + np.abs(array * 2 - k).mean() for k in range(repeats)]
    assert [loss.item() for loss in losses] == pytest.approx(expected, rel=1e-11)
