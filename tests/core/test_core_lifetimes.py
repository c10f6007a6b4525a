"""How long memory lives: loops run in bounded memory, reference counting alone frees segments, live tensors keep their values.

TAPEDIFF_LONG=1 in the environment runs the loops for a million steps.
"""

import contextlib
import gc
import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tapediff as td
from tapediff.tape.segment import Segment

LONG = os.environ.get("TAPEDIFF_LONG") == "1"
needs_statm = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="resident memory is read from /proc")


def resident() -> float:
    """Resident memory in megabytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def segments() -> list[Segment]:
    """All living segments."""
    return [x for x in gc.get_objects() if type(x) is Segment]


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    """Reference counting must do alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leaf(size: int | None) -> td.Tensor:
    return td.tensor(0.5, requires_grad=True) if size is None else td.full((size,), 0.5, requires_grad=True)


def growth(step: Callable[[], Any], steps: int, warm: int) -> tuple[float, int]:
    """Megabytes and segments that half of `steps` steps add; megabytes are those of the lesser half, for a leak grows in both."""
    for _ in range(warm):
        step()
    known, sizes = len(segments()), [resident()]
    for _ in range(2):
        for _ in range(steps * 20 if LONG else steps // 2):
            step()
        sizes.append(resident())
    return min(sizes[1] - sizes[0], sizes[2] - sizes[1]), len(segments()) - known


def train(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        y = w
        for _ in range(3):
            y = (y * 0.5).sin() + w
        y.sum().backward()
        with td.no_grad():
            w.sub_(0.001 * w.grad)
        w.grad = None
    return step


def train_and_zero(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        ((w * 2 + 1).sin() * w).sum().backward()
        with td.no_grad():
            w.sub_(0.001 * w.grad)
        w.grad.zero_()
    return step


def evaluate(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:  # 5 instructions do not divide a segment's 4096: expressions straddle the segment limit
        ((w * 2 + 1).sin() * w) * 3
    return step


def evaluate_seven(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        (((w * 2 + 1).sin() * w) * 3).exp() - w
    return step


def evaluate_and_read(w: td.Tensor) -> Callable[[], None]:
    return lambda: ((w * 2 + 1).sin() * w).sum().item()


def evaluate_and_detach(w: td.Tensor) -> Callable[[], None]:
    return lambda: ((w * 2 + 1).sin() * w).sum().detach()


def evaluate_quietly(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        with td.no_grad():
            ((w * 2 + 1).sin() * w) * 3
    return step


def retain(w: td.Tensor) -> Callable[[], None]:
    return lambda: ((w * 2 + 1).sin() * w).sum().backward(retain_graph=True)


def second_order(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        slope, = td.autograd.grad((w * w * w).sum(), w, create_graph=True)
        (slope * slope).sum().backward()
        w.grad = None
    return step


def fail_in_an_operation(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        with contextlib.suppress(RuntimeError):
            ((w * 2 + 1).sin() * td.ones(7, 11, 13)[:, :, :5].sum(0).reshape(11, 5) @ w.reshape(-1, 1)).sum()
    return step


def fail_in_a_hook(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        y = (w * 2 + 1).sin()
        y.register_hook(lambda grad: 1 / 0)
        with contextlib.suppress(ZeroDivisionError):
            (y * w).sum().backward()
    return step


def views_and_writes(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        y = w.reshape(-1) * 2
        y[0] = 1.0
        y[:1].mul_(2)
        y.sum().backward()
        w.grad = None
    return step


class Square(td.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return 2 * grad * ctx.saved_tensors[0]


def own_function(w: td.Tensor) -> Callable[[], None]:
    def step() -> None:
        Square.apply(w).sum().backward()
        Square.apply(w).sum()
        w.grad = None
    return step


LOOPS = [train, train_and_zero, evaluate, evaluate_seven, evaluate_and_read, evaluate_and_detach, evaluate_quietly, retain,
    second_order, fail_in_an_operation,
         fail_in_a_hook, views_and_writes, own_function]
SLOW = {train, train_and_zero, second_order, views_and_writes, own_function, fail_in_an_operation, fail_in_a_hook}


@pytest.mark.slow
@needs_statm
@pytest.mark.parametrize(("loop", "size"), [(loop, size) for loop in LOOPS for size in (None, 3, 1000, 100_000)
                                            if (loop, size) != (second_order, 100_000)],
                         ids=lambda one: getattr(one, "__name__", str(one)))
def test_loops_run_in_bounded_memory(loop: Any, size: int | None) -> None:
    steps = {None: 16000, 3: 10000, 1000: 5000, 100_000: 100}[size] // (6 if loop in SLOW else 1)
    instructions = {None: 3000, 3: 3000, 1000: 3000, 100_000: 50}[size]
    bytes_grown, segments_grown = growth(loop(leaf(size)), steps, instructions // (4 if loop in SLOW else 1))
    assert segments_grown <= 3
    assert bytes_grown < {None: 8, 3: 8, 1000: 40, 100_000: 140}[size]


@pytest.mark.parametrize("size", [None, 3, 1000, 100_000])
def test_reference_counting_alone_frees_a_graph(size: int | None) -> None:
    td.zeros(1)
    w = leaf(size)
    y = (w * 2).sin()
    z = (y * w).sum()
    z.item()
    segment = weakref.ref(z.segment)
    with td.no_grad():
        w + 1  # the running segment is another one from here on
    assert segment() is not None
    del y, z
    assert segment() is None


def test_a_tensor_keeps_the_segments_that_its_gradient_needs_and_no_others() -> None:
    w = leaf(3)
    kept = []
    made = []
    for _ in range(5):
        y = w * 2
        kept.append((y * y).sum())
        made.append(weakref.ref(kept[-1].segment))
        with td.no_grad():
            w + 1
    del y
    del kept[1:4]
    assert [one() is not None for one in made] == [True, False, False, False, True]
    kept[0].backward()
    assert w.grad is not None
    assert w.grad.tolist() == [4.0] * 3


def test_leaves_are_freed_with_their_last_graph() -> None:
    w = leaf(3)
    y = w * 2
    source = weakref.ref(w.source)
    del w
    assert source() is not None
    y.sum().backward()
    del y
    with td.no_grad():
        td.zeros(1) + 1
    assert source() is None


@pytest.mark.slow
def test_collecting_garbage_finds_nothing_after_ordinary_work() -> None:
    for loop in LOOPS:
        step = loop(leaf(10))
        step()
        gc.collect()
        for _ in range(20):
            step()
        with td.no_grad():
            td.zeros(1) + 1
        found = [x for x in segments() if x.count > 0 or len(x.recorded)]
        gc.collect()
        assert len([x for x in segments() if x.count > 0 or len(x.recorded)]) == len(found), loop.__name__


# --- values ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [1, 100, 1024, 1025, 5000, 100_000], ids=str)
def test_live_tensors_keep_their_values(size: int) -> None:
    start = np.linspace(-1, 1, size)
    w = td.tensor(start, dtype=td.float64, requires_grad=True)
    kept, expected = [], []
    for number in range(30):
        y = w * number
        z = y + 1
        kept += [y, z, z.view(-1)]
        expected += [start * number, start * number + 1, start * number + 1]
        if number % 3 == 0:
            (z * z).sum().backward()
        if number % 5 == 0:
            with td.no_grad():
                kept.append(w * 0.5)
                expected.append(start * 0.5)
        if number % 7 == 0:
            y.mul_(2)
            expected[next(at for at, one in enumerate(kept) if one is y)] = start * number * 2
        td.ones(size).exp().sum().item()  # takes memory that was let go
    for tensor, values in zip(kept, expected, strict=True):
        np.testing.assert_allclose(tensor.tolist(), values, rtol=1e-12)


def test_values_survive_the_segment_limit() -> None:
    w = td.tensor(1.0, dtype=td.float64, requires_grad=True)
    kept = [w * number for number in range(20_000)]
    total = kept[0]
    for one in kept[1:]:
        total = total + one
    assert total.item() == sum(range(20_000))
    total.backward()
    assert w.grad is not None
    assert w.grad.item() == sum(range(20_000))
    assert [one.item() for one in kept[::997]] == [float(number) for number in range(0, 20_000, 997)]


@pytest.mark.slow
def test_arrays_keep_the_memory_that_they_show() -> None:
    arrays = []
    for number in range(50):
        w = td.full((2000,), float(number), requires_grad=True)
        y = w * 2
        arrays.append(y.detach().numpy())
        arrays.append((w + 1).detach().numpy())
        y.sum().backward()
        arrays.append(w.grad.numpy())
        del w, y
        gc.collect()
    for number in range(50):
        assert np.all(arrays[3 * number] == 2.0 * number)
        assert np.all(arrays[3 * number + 1] == number + 1.0)
        assert np.all(arrays[3 * number + 2] == 2.0)


# --- deep chains ----------------------------------------------------------------------------------------------------------------

def chain(length: int) -> float:
    """Seconds for a chain of `length` instructions, forward, backward and free."""
    x = td.tensor(1.0, dtype=td.float64, requires_grad=True)
    begin = time.perf_counter()
    y = x
    for _ in range(length // 2):
        y = y * 0.5 + 0.5
    y.backward()
    del y
    with td.no_grad():
        x + 1
    elapsed = time.perf_counter() - begin
    assert x.grad is not None
    return elapsed


def test_a_deep_chain_runs_without_recursion_in_linear_time() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        chain(10_000)
        short = min(chain(100_000) for _ in range(3))
        long = chain(10_000_000 if LONG else 1_000_000)
    finally:
        sys.setrecursionlimit(limit)
    assert long < 3 * short * (100 if LONG else 10)


def test_a_deep_chain_is_freed_without_recursion_when_never_differentiated() -> None:
    x = td.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    first = weakref.ref(y.segment)
    del y
    with td.no_grad():
        x + 1
    assert first() is None


def test_backward_lets_go_of_what_it_read() -> None:
    w = td.full((100_000,), 0.5, requires_grad=True)
    other = td.full((100_000,), 2.0)
    alive = weakref.ref(other.source)
    loss = (w * other).sum()
    loss.backward()
    del other
    assert alive() is None
    assert loss.item() == 100_000.0


def held_bytes() -> int:
    return sum(chunk.nbytes for segment in segments() for chunk in [*segment.chunks, *segment.large.values()])


@pytest.mark.parametrize(("keep", "limit"), [(lambda loss: loss.item(), 100), (lambda loss: loss.detach(), 1000),
                                             (lambda loss: loss, 1000)], ids=["item", "detach", "itself"])
def test_a_list_of_losses_after_backward_keeps_no_values_but_its_own(keep: Any, limit: float) -> None:
    w, losses = td.full((1000,), 0.5, requires_grad=True), []
    gc.collect()
    before = held_bytes()
    for _ in range(100):
        loss = ((w * 2 + 1).sin() * w).sum()
        loss.backward()
        losses.append(keep(loss))
    del loss
    assert (held_bytes() - before) / 100 < limit


@pytest.mark.parametrize("used", [True, False], ids=["differentiated", "dropped"])
def test_a_function_that_saves_its_output_is_freed_by_reference_counting(used: bool) -> None:
    class Exp(td.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * ctx.saved_tensors[0]
    w = td.full((10,), 0.5, requires_grad=True)
    y = Exp.apply(w)
    node = weakref.ref(y.source)
    if used:
        y.sum().backward()
    del y
    with td.no_grad():
        w + 1
    assert node() is None


def test_second_order_passes_over_large_tensors_are_freed_by_reference_counting() -> None:
    w = td.full((100_000,), 0.5, requires_grad=True)
    gc.collect()
    for _ in range(10):
        slope, = td.autograd.grad((w * w * w).sum(), w, create_graph=True)
        (slope * slope).sum().backward()
        w.grad = None
    assert len(segments()) < 10
