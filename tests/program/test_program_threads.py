"""Programs and recordings in several threads at once, and what is left behind when something goes wrong: nothing."""

import gc
import signal
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tapediff as td
from tapediff import recording

THREADS = 4


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    yield
    assert recording.recordings == 0
    assert recording.modes.recorder is None
    assert td.is_grad_enabled()
    assert not td.is_inference_mode_enabled()


def together(work, threads=THREADS):
    """Run work(k) in threads that start at the same time; raises what one of them raised."""
    barrier = threading.Barrier(threads)

    def started(k):
        barrier.wait()
        return work(k)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(started, range(threads)))


def chain(x, w):
    y = x
    for k in range(40):
        y = (y * w + 0.1 * k).sin() + x
        if k % 10 == 0:
            y = y / (1 + (y * y).sum())
    return (y * y).sum()


def slopes(x, w):
    leaves = td.tensor(x, requires_grad=True), td.tensor(w, requires_grad=True)
    y = chain(*leaves)
    return y.item(), [g.numpy() for g in td.autograd.grad(y, leaves)]


# --- several threads ------------------------------------------------------------------------------------------------------------

def test_one_program_is_replayed_by_many_threads_at_once():
    program = td.record(chain, np.ones(3), np.ones(3))

    def work(k):
        generator = np.random.default_rng(k)
        for _ in range(40):
            x, w = generator.normal(size=(2, 3))
            value, (gx, gw) = program.value_and_grad(x, w, argnums=(0, 1))
            assert program(x, w) == value
        wanted, (by_x, by_w) = slopes(x, w)
        np.testing.assert_allclose(value, wanted, rtol=1e-12)
        np.testing.assert_allclose(gx, by_x, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(gw, by_w, rtol=1e-10, atol=1e-12)

    together(work)


def test_one_program_runs_batches_of_many_threads_in_many_threads():
    program = td.record(chain, np.ones(3), np.ones(3))
    x = np.random.default_rng(0).normal(size=(THREADS, 700, 3))
    expected = [program.batch(lanes=8, threads=1).value_and_grad(rows, rows * 0.5, reduce="sum") for rows in x]

    def work(k):
        for _ in range(10):
            for value, wanted in zip(program.batch(threads=3).value_and_grad(x[k], x[k] * 0.5, reduce="sum"), expected[k]):
                np.testing.assert_array_equal(value, wanted)

    together(work)


def test_the_first_calls_of_a_program_may_come_at_once():
    for _ in range(5):
        program = td.record(lambda x: (x.sin() * x).sum(), np.ones(3))
        assert len(set(together(lambda k, program=program: program.value_and_grad(np.arange(3.0))[0]))) == 1


def test_recordings_run_in_several_threads_at_once():
    def work(k):
        for number in range(20):
            program = td.record(lambda x, w, k=k: chain(x, w) if x.sum() > 0 else x.sum() * k, np.ones(3), np.ones(3))
            assert len(program.guards) == 1
            x = np.full(3, 0.1 * (number + k + 1))
            np.testing.assert_allclose(program(x, x), slopes(x, x)[0], rtol=1e-12)

    together(work)


def test_eager_code_of_other_threads_is_not_recorded():
    stop = threading.Event()
    wrong = []

    def eager():
        weight = td.ones(3, requires_grad=True)
        while not stop.is_set():
            loss = (weight * weight).sum()
            loss.backward()
            if loss.item() != 3 or weight.grad.tolist() != [2, 2, 2]:
                wrong.append((loss, weight.grad))
            weight.grad = None
            other = td.zeros(3)
            other[0] = 1.0
            td.rand(2)

    threads = [threading.Thread(target=eager) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            program = td.record(chain, np.ones(3), np.ones(3))
            assert not program.guards
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_thread_started_inside_of_a_recording_records_nothing():
    found = []

    def f(x):
        thread = threading.Thread(target=lambda: found.append((td.ones(2) * 3).tolist()))
        thread.start()
        thread.join()
        return x * 2

    assert len(td.record(f, 1.0)) == 1
    assert found == [[3, 3]]


# --- modes ----------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", [td.no_grad, td.inference_mode, td.enable_grad])
def test_recordings_do_not_depend_on_the_grad_mode_outside(mode):
    with mode():
        enabled = td.is_grad_enabled()
        program = td.record(chain, np.ones(3), np.ones(3))
        x = np.array([0.5, -1.0, 2.0])
        value, gradient = program.value_and_grad(x, x)
        rows = program.batch().grad(np.stack([x, x]), np.stack([x, x]))
        assert td.is_grad_enabled() == enabled
    wanted, (slope, _) = slopes(x, x)
    np.testing.assert_allclose(value, wanted, rtol=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10)
    np.testing.assert_allclose(rows[1], slope, rtol=1e-10)


def test_recordings_work_while_anomalies_are_looked_for():
    def f(x):
        (g,) = td.autograd.grad((x * x).sum(), x, create_graph=True)
        return (g * x).sum()

    with pytest.warns(UserWarning, match="Anomaly Detection"):
        detecting = td.autograd.detect_anomaly()
    with detecting:
        program = td.record(f, np.ones(3))
    assert not program.guards
    assert program.grad(np.array([1.0, 2.0, 3.0])).tolist() == [4, 8, 12]


def test_grad_modes_changed_inside_end_with_the_recording():
    def f(x):
        td.set_grad_enabled(False)
        return x * 2

    program = td.record(f, 1.0)
    assert td.is_grad_enabled()
    assert program.grad(3.0) == 0


# --- recordings in recordings ---------------------------------------------------------------------------------------------------

def test_a_program_called_in_a_recording_is_guarded_by_its_arguments():
    inner = td.record(lambda x: x * x, 1.0)
    program = td.record(lambda x: x * float(inner(x)), 3.0)
    assert program(3.0) == 27
    with pytest.raises(td.GuardError):
        program(2.0)


def test_recording_in_a_recording_is_guarded_by_the_examples():
    def f(x):
        inner = td.record(lambda y: y * 2 if y > 0 else -y, x)
        return x + float(inner(5.0)) if x > 0 else x

    program = td.record(f, 1.0)
    assert program(1.0) == 11
    with pytest.raises(td.GuardError):
        program(-1.0)


def test_recursive_functions_are_recorded():
    def power(x, n):
        return x * 0 + 1 if n == 0 else power(x, n - 1) * x

    program = td.record(lambda x: power(x, 5), 2.0)
    assert program(3.0) == 243
    assert program.grad(3.0) == 405


def test_generators_inside_are_recorded():
    def parts(x):
        for k in range(3):
            yield x * k

    program = td.record(lambda x: sum(parts(x)), 1.0)
    assert program(5.0) == 15


def test_tensors_that_escape_a_recording_are_usable_afterwards():
    escaped = []

    def f(x):
        escaped.append(x * 2)
        return x

    td.record(f, 3.0)
    assert escaped[0].item() == 6
    assert (escaped[0] + 1).item() == 7
    program = td.record(lambda x: x * escaped[0], 1.0)
    assert program(2.0) == 12


def test_a_tensor_of_an_outer_graph_may_be_captured():
    weight = td.tensor([1.0, 2.0], requires_grad=True)
    hidden = weight * 3
    program = td.record(lambda x: (x * hidden).sum(), np.ones(2))
    assert program(np.ones(2)) == 9
    hidden.sum().backward()
    assert weight.grad.tolist() == [3, 3]


# --- errors ---------------------------------------------------------------------------------------------------------------------

class Unusual(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, Unusual])
def test_an_exception_inside_goes_out_and_leaves_nothing_behind(error):
    def f(x):
        with td.no_grad():
            y = x * 2
            if y > 1:
                raise error("inside")

    for _ in range(3):
        with pytest.raises(error):
            td.record(f, 1.0)
        assert recording.recordings == 0
        assert td.is_grad_enabled()
    assert td.record(lambda x: x * 2, 1.0)(2.0) == 4
    assert (td.ones(2) * 2).tolist() == [2, 2]


def test_an_error_of_a_recording_in_a_recording_leaves_the_outer_one_going():
    def bad(y):
        raise ValueError("inside")

    def f(x):
        with pytest.raises(ValueError, match="inside"):
            td.record(bad, 1.0)
        return x * 2 if x > 0 else x

    program = td.record(f, 1.0)
    assert len(program.guards) == 1
    assert program(4.0) == 8


def test_an_interrupt_during_a_batch_stops_it_and_the_next_one_runs():
    def f(x):
        for _ in range(100):
            x = x.sin() + x.cumsum(0)[-1]
        return x.sum()

    program = td.record(f, np.ones(4))
    rows = np.random.default_rng(0).normal(size=(20_000, 4))
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    began = time.perf_counter()

    def work():
        timer.start()
        while time.perf_counter() < began + 60:
            program.batch(threads=2)(rows)

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        timer.cancel()
    assert time.perf_counter() < began + 20
    np.testing.assert_array_equal(program.batch(threads=2)(rows[:10]), program.batch(threads=1)(rows[:10]))


# --- memory ---------------------------------------------------------------------------------------------------------------------

def test_recordings_leave_no_memory_behind():
    def once(k):
        program = td.record(lambda x: (x * 2.5 + 0.5).sin() if x > 0 else x, 1.0 + k * 1e-9)
        program.value_and_grad(1.0 + k)
        program.batch().value_and_grad(np.arange(1.0, 4))

    for k in range(100):
        once(k)
    gc.collect()
    tracemalloc.start()
    try:
        once(0)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for k in range(300):
            once(k)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 2000 * 300, f"{grown / 300:.0f} bytes a recording"
