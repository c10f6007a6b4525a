"""Memory of results is used again when nobody shows them any more, and never before."""

import threading

import numpy as np

import tapediff as td
from tapediff.program.recycled import Recycled

ROWS = 40_000


def test_results_that_are_held_keep_their_values():
    program = td.record(lambda x: x * 2.0, 1.0)
    x = np.arange(float(ROWS))
    held, expected = [], []
    for k in range(12):
        value, gradient = program.batch().value_and_grad(x + k)
        held += [[value, value[5:].reshape(-1, 1), value[::2], gradient, td.from_numpy(value), memoryview(value)][k % 6]]
        expected += [np.array(held[-1]).copy()]
        del value, gradient
    for found, wanted in zip(held, expected):
        np.testing.assert_array_equal(np.asarray(found), wanted)


def test_memory_that_nobody_shows_is_taken_again():
    memory = Recycled(least=1000)
    first = memory.array((50, 50), np.float64)
    address, view = first.ctypes.data, first[3]
    del first
    assert memory.array((50, 50), np.float64).ctypes.data != address, "a view shows it"
    del view
    addresses = {memory.array((2500,), np.float64).ctypes.data for _ in range(3)}
    assert address in addresses or len(addresses) == 1
    assert memory.array((5000,), np.float32).dtype == np.float32


def test_what_is_kept_is_bounded():
    memory = Recycled(least=1000, keep=100_000, most_arrays=4)
    held = [memory.array((size,), np.uint8) for size in range(2000, 40_000, 1000)]
    assert sum(one.nbytes for one in memory.kept) <= 100_000
    assert len(memory.kept) <= 4
    assert all(one.nbytes >= 2000 for one in held)
    small, large = memory.array((10,), np.float64), memory.array((20_000,), np.float64)
    assert small.base is None
    assert large.base is None


def test_threads_never_share_memory():
    memory = Recycled(least=1000)
    wrong = []

    def work(number):
        for _ in range(300):
            array = memory.array((400,), np.float64)
            array[:] = number
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
