"""What programs cost: bytes are stated before they are taken, do not grow with rows, and long programs stay linear."""

import gc
import time
import tracemalloc

import numpy as np
import pytest

import tapediff as td


def chain(length):
    def f(x, w):
        for _ in range(length // 2):
            x = (x * w).sin()
        return x.sum()

    return f


def taken(call):
    """The bytes that a call takes at its peak, and keeps."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = call()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [1, 1000, 50_000])
def test_a_replay_takes_the_bytes_that_the_program_states(size):
    td.record(lambda x: x * x, 1.0).value_and_grad(1.0)  # what a process does once, as looking for its cache
    x = np.full(size, 0.5)
    program = td.record(chain(40), x, x)
    stated = program.nbytes
    program.single(program.request((0, 1)))
    peak, _ = taken(lambda: program.value_and_grad(x, x, argnums=(0, 1)))
    results = 6 * x.nbytes  # arguments and gradients, in the replay's own memory and as they are handed out
    assert stated * 0.9 <= peak <= stated + results + 20_000
    assert taken(lambda: program.value_and_grad(x, x, argnums=(0, 1)))[0] <= 3 * x.nbytes + 20_000


def test_values_that_no_partial_reads_share_memory():
    def f(x):
        for _ in range(1000):
            x = x * 0.5 + 1
        return x

    program = td.record(f, 1.0)
    assert len(program) == 2000
    assert program.nbytes < 2000


def test_a_batch_takes_no_more_memory_for_more_rows():
    program = td.record(chain(200), 0.5, 0.5)
    rows = program.batch(in_dims=(0, None), threads=1, lanes=64)
    x = np.linspace(0, 1, 100_000)

    def beyond_results(count):  # a value and whether it failed for each row
        rows.grad(x[:count], 0.5, argnums=1, reduce="sum")
        return taken(lambda: rows.grad(x[:count], 0.5, argnums=1, reduce="sum"))[0] - 12 * count

    assert beyond_results(100_000) < beyond_results(1_000) + 50_000


@pytest.mark.slow
def test_long_programs_cost_in_proportion():
    """Loose bounds in CPU time, an order of magnitude above what was measured: they are there to notice a quadratic step."""
    for length in (20_000, 200_000):
        began = time.process_time()
        program = td.record(chain(length), 0.5, 0.9)
        recorded = time.process_time()
        program.value_and_grad(0.5, 0.9)
        scheduled = time.process_time()
        for _ in range(3):
            program.value_and_grad(0.5, 0.9)
        replayed = (time.process_time() - scheduled) / 3
        assert recorded - began < 40e-6 * length
        assert scheduled - recorded < 150e-6 * length
        assert replayed < 0.4e-6 * length
