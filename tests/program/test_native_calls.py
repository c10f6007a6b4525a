"""Prepared calls: what machine code serves is what Python gives, and all else goes to Python."""

import gc
import sys
import threading

import numpy as np
import pytest

import tapediff as td
from tapediff.program import native_calls
from tapediff.program.program import Program
from tapediff.program.running import CALLS_TO_NATIVE

V, W = np.array([1.0, -2.0, 3.0]), np.arange(6.0).reshape(2, 3)


def scalars(x, y):
    return (x * y).sin() + y.exp() / x


def vectors(v, w, s):
    return (v * w).sum() * s + v[0].exp()


def prepared(f, *arguments, argnums=0):
    """A program whose calls machine code serves, and the method that it stands for."""
    program = td.record(f, *arguments).using("compiled")
    for _ in range(CALLS_TO_NATIVE):
        program.value_and_grad(*arguments, argnums=argnums)
    assert "value_and_grad" in program.__dict__, "machine code does not serve it"
    return program, lambda *inputs, **options: Program.value_and_grad(program, *inputs, **options)


def leaves(result):
    value, gradient = result
    return [value, *gradient] if isinstance(gradient, tuple) else [value, gradient]


def assert_same(found, expected):
    assert type(found[1]) is type(expected[1])
    for mine, other in zip(leaves(found), leaves(expected), strict=True):
        assert (type(mine), mine.dtype, mine.shape) == (type(other), other.dtype, other.shape)
        assert mine.tobytes() == other.tobytes()


@pytest.mark.parametrize("argnums", [0, 1, (0,), (0, 1), (1, 0)])
def test_numbers(argnums):
    program, method = prepared(scalars, 1.0, 2.0, argnums=argnums)
    for x, y in ((0.3, 0.7), (-2.0, 1e3), (np.float64(0.5), 0.25), (float("inf"), 1.0), (5e-324, -0.0)):
        assert_same(program.value_and_grad(x, y, argnums=argnums), method(x, y, argnums=argnums))


def test_arrays():
    program, method = prepared(vectors, V, W, 2.0, argnums=(0, 1, 2))
    for v, w in ((V, W), (V[::-1], W.T.copy().reshape(2, 3)), (np.asfortranarray(V), np.asfortranarray(W)), (2 * V, W)):
        assert_same(program.value_and_grad(v, w, 3.0, argnums=(0, 1, 2)), method(v, w, 3.0, argnums=(0, 1, 2)))


def test_float32_arrays():
    program, method = prepared(lambda v: (v * v).sum(), V.astype(np.float32))
    found = program.value_and_grad(V.astype(np.float32))
    assert_same(found, method(V.astype(np.float32)))
    assert found[0].dtype == np.float32


def test_results_are_their_own_memory():
    program, _ = prepared(vectors, V, W, 2.0)
    first = program.value_and_grad(V, W, 3.0)
    kept = first[1].copy()
    second = program.value_and_grad(V + 1, W, 3.0)
    np.testing.assert_array_equal(first[1], kept)
    assert not np.shares_memory(first[1], second[1])
    assert first[1].flags.owndata
    assert first[1].flags.writeable


def test_what_is_unusual_goes_to_python():
    program, method = prepared(vectors, V, W, 2.0)
    for arguments in ((V, W, 3), (td.tensor(V), W, 3.0), (V.astype(np.float32), W, 3.0), (V, W, np.array(3.0))):
        assert_same(program.value_and_grad(*arguments), method(*arguments))
    assert_same(program.value_and_grad(V, W, 3.0, argnums=1), method(V, W, 3.0, argnums=1))
    with pytest.raises(ValueError, match="shape"):
        program.value_and_grad(V[:2], W, 3.0)
    with pytest.raises(TypeError, match="arguments"):
        program.value_and_grad(V, W)
    with pytest.raises(TypeError, match="unexpected keyword"):
        program.value_and_grad(V, W, 3.0, wrong=1)
    with pytest.raises(ValueError, match="argnums"):
        program.value_and_grad(V, W, 3.0, argnums=7)


def test_guards_hold():
    program, _ = prepared(lambda x: x.log() if x > 0 else x * x, 2.0)
    assert float(program.value_and_grad(4.0)[1]) == 0.25
    with pytest.raises(td.GuardError):
        program.value_and_grad(-1.0)
    assert float(program.value_and_grad(4.0)[1]) == 0.25


def test_references_are_given_back():
    program, _ = prepared(vectors, V, W, 2.0, argnums=(0, 1, 2))
    number = 3.5
    watched = (V, W, number, None, np.dtype(np.float64), np.float64)
    program.value_and_grad(V, W, number)  # Python's way makes memory for it
    gc.collect()
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(100):
        program.value_and_grad(V, W, number, argnums=(0, 1, 2))
        program.value_and_grad(V, W, number)
    gc.collect()
    changes = [abs(sys.getrefcount(thing) - count) for thing, count in zip(watched, before, strict=True)]
    assert max(changes) < 50, changes


def test_the_function_outlives_the_program_and_both_can_be_freed():
    program, _ = prepared(scalars, 1.0, 2.0)
    function = program.value_and_grad
    expected = function(0.3, 0.7)
    del program
    gc.collect()
    assert_same(function(0.3, 0.7), expected)
    del function
    gc.collect()


def test_threads_share_a_program():
    program, method = prepared(vectors, V, W, 2.0)
    expected = {k: method(V * k, W, 3.0) for k in range(8)}
    wrong = []

    def work(k):
        for _ in range(3000):
            value, gradient = program.value_and_grad(V * k, W, 3.0)
            if value != expected[k][0] or (gradient != expected[k][1]).any():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_trial_that_differs_leaves_python_in_place(monkeypatch):
    monkeypatch.setattr(native_calls, "_leaves", lambda result: [np.float64(id(result))])
    program = td.record(scalars, 1.0, 2.0).using("compiled")
    for _ in range(2 * CALLS_TO_NATIVE):
        program.value_and_grad(1.0, 2.0)
    assert "value_and_grad" not in program.__dict__
