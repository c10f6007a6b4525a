"""NumPy may write memory that it shares at any time: what was computed from it before keeps its value, as in PyTorch."""

import sys
from typing import Any

import numpy as np
import pytest
from alongside import check

import tapediff as td


def leaf(t: Any, *values: float) -> Any:
    return t.tensor(values or 3.0, dtype=t.float64, requires_grad=True)


def write(array: Any) -> None:
    array[...] = 7.0


@pytest.mark.parametrize("size", [1, 3, 2000])
@pytest.mark.parametrize("f", [lambda t, x: x * 2, lambda t, x: 1 - x, lambda t, x: x.sin() + x, lambda t, x: x.sum(),
                               lambda t, x: t.where(x > 0, x, -x), lambda t, x: x.reshape(1, -1).t() * 2,
                               lambda t, x: t.softmax(x, 0), lambda t, x: t.cat([x, x]), lambda t, x: x @ x],
                         ids=["number", "reflected", "chain", "sum", "where", "views", "softmax", "cat", "dot"])
def test_results_keep_their_values_when_the_array_is_written(f: Any, size: int) -> None:
    def program(t: Any) -> Any:
        array = np.linspace(1.0, 2.0, size)
        x = t.from_numpy(array)
        results = [f(t, x), f(t, x)]
        write(array)
        return results, f(t, x), x
    check(program)


@pytest.mark.parametrize("take", [
    lambda w: w.detach().numpy(), lambda w: w.detach().numpy()[:1], lambda w: np.asarray(w.detach()), lambda w: w.data.numpy(),
    lambda w: memoryview(w.detach().numpy())], ids=["numpy", "slice", "asarray", "data", "memoryview"])
def test_finite_differences_by_hand(take: Any) -> None:
    def program(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0)
        first = (w * w).sum()
        array = take(w)
        low = (w * w).sum()
        array[0] = array[0] + 0.5
        high = (w * w).sum()
        array[0] = array[0] - 1.0
        lowest = (w * w).sum()
        high.backward()
        return first, low, high, lowest, w, w.grad
    check(program)


def test_views_and_detached_tensors_of_shared_memory() -> None:
    def program(t: Any) -> Any:
        x = t.zeros(4, dtype=t.float64)
        early, alias = x[1:], x.detach()
        array = x.numpy()
        late, other = x[:2], x.detach()
        results = [one * 2 + 1 for one in (early, alias, late, other, x)]
        write(array)
        return results, early, alias, late, other, x
    check(program)


def test_arrays_that_are_operands_and_indices() -> None:
    def program(t: Any) -> Any:
        x = t.arange(4, dtype=t.float64)
        array, index = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 2])
        product = x * t.from_numpy(array)
        picked = x[index]
        write(array)
        index[0] = 3
        return product, picked
    check(program)
    x, array = td.arange(4, dtype=td.float64), np.ones(4)
    results = [x + array, array + x, np.add(x, array), x.add_(0)]
    write(array)
    for result in results:
        assert result.tolist()[1] in (2.0, 1.0)


def test_gradients_that_numpy_holds() -> None:
    def program(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0)
        (w * w).sum().backward()
        array = w.grad.numpy()
        double = w.grad * 2
        (w * 3).sum().backward()
        again = w.grad * 2
        array[0] = 100.0
        return double, again, w.grad
    check(program)


def test_updates_by_what_numpy_holds() -> None:
    def program(t: Any) -> Any:
        w = leaf(t, 1.0, 2.0)
        array = np.array([0.5, 0.25])
        step = t.from_numpy(array)
        with t.no_grad():
            for _ in range(3):
                w -= step
                w -= 0.5 * step
                array *= 2
        return w
    check(program)


@pytest.mark.parametrize("is_native", [False, True])
def test_whoever_records_sees_that_numpy_holds_the_memory(is_native: bool) -> None:
    from tapediff import native
    was_installed = native.state.refusal is None
    (native.install if is_native else native.uninstall)()
    try:
        array = np.array([1.0, 2.0])
        x = td.from_numpy(array)
        w = td.tensor([1.0, 1.0], dtype=td.float64, requires_grad=True)
        for _ in range(12):  # until kinds are known to the quick paths
            made = [x * w, w * x, x * 2.0, 2.0 * x, x.sin(), x / w, x ** 2, -x]
            first = [y.detach().numpy().copy() for y in made]
            again = [x * w, w * x, x * 2.0, 2.0 * x, x.sin(), x / w, x ** 2, -x]
            array += 1
            for y, expected in zip(again, first):
                np.testing.assert_array_equal(y.detach().numpy(), expected)
    finally:
        (native.install if was_installed else native.uninstall)()


def test_the_quick_path_is_open_again_when_no_array_shows_the_memory() -> None:
    x = td.ones(3, dtype=td.float64, requires_grad=True)
    kept = x.detach().numpy()
    y = x * 2
    assert len(y.segment.recorded) == 0 or y.segment.count * 3 == len(y.segment.recorded), "computed at once"
    del kept
    y = x * 2 + x
    assert not x.source.is_lent
    assert y.segment.count * 3 < len(y.segment.recorded), "computed when somebody looks"
    assert y.tolist() == [3.0, 3.0, 3.0]


def test_a_result_that_was_shown_to_numpy_and_dropped_leaves_nothing_behind() -> None:
    x = td.ones(3, dtype=td.float64)
    array = (x * 2).numpy()
    assert sys.getrefcount(array) == 2
    assert array.tolist() == [2.0, 2.0, 2.0]
