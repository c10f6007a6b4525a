"""What threads may do at once: record on their own tapes, read each other's tensors, run backward into shared leaves.

Guaranteed: each thread has its own grad modes and its own running segment; leaves and results may be read by any thread;
gradients that several threads add to one leaf are all counted. Not guaranteed, as in PyTorch: writing a tensor in place while
another thread computes with it.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tapediff as td


@pytest.fixture(autouse=True)
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(*functions: Callable[[], Any]) -> list[Any]:
    """Run functions in threads of their own, started at once; their results, or the first exception."""
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)
    errors: list[BaseException] = []

    def call(place: int, function: Callable[[], Any]) -> None:
        try:
            barrier.wait(30)
            results[place] = function()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=call, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def descend(seed: int, size: int, steps: int) -> Callable[[], None]:
    """Gradient descent whose every gradient is compared with NumPy's."""
    def run() -> None:
        known = np.random.default_rng(seed).standard_normal(size)
        w = td.tensor(known, dtype=td.float64, requires_grad=True)
        for _ in range(steps):
            (td.where(w > 0, w * w, td.lerp(w, w * 2, w * 0.5)) * 0.5).sum().backward()
            slope = np.where(known > 0, known, (1 + known) * 0.5)
            assert w.grad is not None
            np.testing.assert_allclose(w.grad.numpy(), slope, rtol=1e-10)
            with td.no_grad():
                w -= 0.01 * w.grad
            known = known - 0.01 * slope
            w.grad = None
    return run


def evaluate(seed: int, size: int, steps: int) -> Callable[[], None]:
    """Values without gradients, some of them written in place, compared with NumPy's."""
    def run() -> None:
        start = np.random.default_rng(seed).standard_normal(size)
        x = td.tensor(start, dtype=td.float64)
        for number in range(steps):
            y = td.where(x > 0.5, x * 2, x * 3)
            y.add_(number)
            if number % 3 == 0:
                np.testing.assert_allclose(y.numpy(), np.where(start > 0.5, start * 2, start * 3) + number, rtol=1e-12)
    return run


@pytest.mark.parametrize("size", [1, 5, 1000, 3000])
def test_threads_train_and_evaluate_on_their_own(size: int) -> None:
    steps = 100 if size < 100 else 30
    together(descend(1, size, steps), descend(2, size + 1, steps), evaluate(3, size, 3 * steps), evaluate(4, size, 3 * steps))


COLD = """
import sys, threading
import numpy as np
import tapediff as td
sys.setswitchinterval(1e-5)
wrong = []
barrier = threading.Barrier(4)
def run():
    barrier.wait()
    x = td.full((7,), 0.5, dtype=td.float64, requires_grad=True)
    y = (x.exp() + x.sin() * x.tanh() + td.where(x > 0, x.log1p(), x)).cumsum(0)
    y.sum().backward()
    expected = (np.exp(0.5) + np.cos(0.5) * np.tanh(0.5) + np.sin(0.5) / np.cosh(0.5) ** 2 + 1 / 1.5) * np.arange(7, 0, -1)
    if not np.allclose(x.grad.numpy(), expected):
        wrong.append(x.grad.numpy())
threads = [threading.Thread(target=run) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("wrong:", wrong)
"""


def test_the_first_operations_of_a_process_may_run_in_several_threads(tmp_path: Any) -> None:
    """Kernels are built while other threads wait for them, not while they call them."""
    import os
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TAPEDIFF_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", COLD], capture_output=True, text=True, timeout=120,
        env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "wrong: []"


@pytest.mark.parametrize("values", [2.0, [2.0, 3.0]], ids=["scalar", "vector"])
def test_gradients_of_several_threads_on_a_shared_leaf_are_all_counted(values: Any) -> None:
    w = td.tensor(values, dtype=td.float64, requires_grad=True)
    rounds = 200

    def run() -> None:
        for number in range(rounds):
            (w * number).sum().backward()
    together(run, run, run, run)
    assert w.grad is not None
    np.testing.assert_array_equal(w.grad.numpy(), np.full(np.shape(values), 4.0 * sum(range(rounds))))


def test_threads_with_shared_weights_get_their_own_gradients() -> None:
    w = td.tensor(np.linspace(-1, 1, 6).reshape(2, 3), dtype=td.float64, requires_grad=True)

    def run(seed: int) -> Callable[[], None]:
        def slopes() -> None:
            rng = np.random.default_rng(seed)
            for _ in range(100):
                x = rng.standard_normal(3)
                found, = td.autograd.grad((w @ td.tensor(x)).tanh().sum(), w)
                np.testing.assert_allclose(found.numpy(), np.outer(1 - np.tanh(w.detach().numpy() @ x) ** 2, x), rtol=1e-10)
        return slopes
    together(run(1), run(2), run(3))
    assert w.grad is None


def test_a_tensor_of_another_threads_open_segment_is_read_and_differentiated() -> None:
    w = td.tensor([1.0, 2.0], dtype=td.float64, requires_grad=True)
    y = w * 3
    open_segment = y.segment

    def run() -> float:
        z = (y * y).sum()
        z.backward(retain_graph=True)
        return z.item()
    assert together(run) == [45.0]
    assert w.grad is not None
    assert w.grad.tolist() == [18.0, 36.0]
    later = y * 2  # this thread goes on recording
    later.sum().backward()
    assert later.tolist() == [6.0, 12.0]
    assert w.grad.tolist() == [24.0, 42.0]
    assert y.segment is open_segment or y.tolist() == [3.0, 6.0]


def test_threads_pass_tensors_back_and_forth() -> None:
    w = td.tensor(1.0, dtype=td.float64, requires_grad=True)
    y = [w * 1.0]

    def run() -> None:
        y.append(y[-1] * 2 + w)
    for _ in range(10):
        together(run)
        run()
    assert y[-1].item() == 2.0**21 - 1
    y[-1].backward()
    assert w.grad is not None
    assert w.grad.item() == 2.0**21 - 1


def test_threads_compute_the_same_pending_segment_at_once() -> None:
    w = td.tensor(np.linspace(0, 1, 300), dtype=td.float64, requires_grad=True)
    for number in range(30):
        y = w
        for _ in range(50):
            y = y * 0.9 + number
        kept = y

        def read(kept: td.Tensor = kept) -> list[float]:
            return kept.tolist()
        first, *others = together(read, read, read)
        assert all(other == first for other in others)
        expected = np.linspace(0, 1, 300)
        for _ in range(50):
            expected = expected * 0.9 + number
        np.testing.assert_allclose(first, expected, rtol=1e-12)


def test_no_grad_of_one_thread_does_not_leak() -> None:
    w = td.tensor(2.0, requires_grad=True)

    def quiet() -> None:
        for _ in range(300):
            with td.no_grad():
                assert not (w * 2).requires_grad

    def loud() -> None:
        for _ in range(300):
            assert td.is_grad_enabled()
            assert (w * 2).requires_grad
    together(quiet, loud, quiet, loud)
    assert td.is_grad_enabled()


def test_a_new_thread_starts_with_gradients_on() -> None:
    with td.no_grad():
        assert together(td.is_grad_enabled) == [True]


def test_memory_of_finished_threads_is_freed() -> None:
    import gc
    import weakref
    found: list[Any] = []

    def run() -> None:
        w = td.full((100_000,), 1.0, requires_grad=True)
        y = w * 2
        found.append(weakref.ref(w.source))
        y.sum().item()
    for _ in range(5):
        together(run, run)
    gc.collect()
    assert [one() for one in found] == [None] * 10
