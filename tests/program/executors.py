"""Every way to run a function of arrays: eagerly row by row, as a replayed program, and in batches of lanes and threads.

Batches must have the same bits for all lanes, threads and numbers of rows. Single replays and eager runs may add in another
order, so they agree to rounding.
"""

from typing import Any

import numpy as np

import tapediff as td
from tapediff.nested import flatten

RTOL = {"float64": 1e-12, "float32": 1e-5}
SHAPES_OF_BATCHES = ((8, 1), (8, 2), (64, 1), (64, 2))  # lanes, threads


def eager(f, *values):
    """The flat results of a function, as arrays."""
    leaves, structure = flatten(values)
    tensors = [td.tensor(leaf, requires_grad=np.asarray(leaf).dtype.kind == "f") for leaf in leaves]  # as in a recording
    results, _ = flatten(f(*structure.unflatten(tensors)))
    return [np.array(y.detach().numpy() if isinstance(y, td.Tensor) else y) for y in results]


def eager_gradient(f, wanted, *values):
    """The gradient of a scalar function by the arguments `wanted`, each one array; zeros where nothing depends on them."""
    tensors = [td.tensor(value, requires_grad=k in wanted) for k, value in enumerate(values)]
    y = f(*tensors)
    found = td.autograd.grad(y, [tensors[k] for k in wanted], allow_unused=True) if y.requires_grad else [None] * len(wanted)
    return [np.zeros_like(values[k]) if g is None else g.numpy() for k, g in zip(wanted, found)]


def assert_close(found, expected, what="", looser=1.0):
    """The same shape, dtype and, up to rounding, values."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    rtol = RTOL[expected.dtype.name] * looser
    largest = np.max(np.abs(expected[np.isfinite(expected)]), initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * largest, err_msg=what)


def assert_same_bits(found, expected, what=""):
    """The same shape, dtype and bits, but for the payload of nan."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    if expected.dtype.kind == "f":
        found, expected = (np.where(np.isnan(x), np.nan, x) for x in (found, expected))
    assert found.tobytes() == expected.tobytes(), what


def stacked(rows: list[list[Any]]) -> list[Any]:
    """Arguments of a batch from the arguments of its rows."""
    return [np.stack(values) for values in zip(*rows)]


def check_values(f, program, rows, looser=1.0):
    """The program's results for each row, singly and in batches, against the eager ones."""
    expected = [eager(f, *row) for row in rows]
    for row, wanted in zip(rows, expected):
        for k, (y, want) in enumerate(zip(flatten(program(*row))[0], wanted, strict=True)):
            assert_close(y, want, f"output {k} of a replay", looser)
    if not rows or not rows[0]:
        return
    arguments = stacked(rows)
    batches = [flatten(program.batch(lanes=lanes, threads=threads)(*arguments))[0] for lanes, threads in SHAPES_OF_BATCHES]
    for k, y in enumerate(batches[0]):
        for number, want in enumerate(expected):
            assert_close(y[number], want[k], f"output {k} of row {number}", looser)
        for shape, other in zip(SHAPES_OF_BATCHES, batches):
            assert_same_bits(other[k], y, f"output {k}: (lanes, threads) {shape} beside {SHAPES_OF_BATCHES[0]}")
    first = flatten(program.batch(lanes=8)(*[x[:1] for x in arguments]))[0]
    for k, y in enumerate(first):
        assert_same_bits(y, batches[0][k][:1], f"output {k}: one row beside many")


def check_gradients(f, program, wanted, rows, looser=4.0):
    """The program's gradients for each row, singly and in batches, and their sum, against the eager ones."""
    expected = [eager_gradient(f, wanted, *row) for row in rows]
    for row, want in zip(rows, expected):
        for k, (g, w) in enumerate(zip(program.grad(*row, argnums=wanted), want, strict=True)):
            assert_close(g, w, f"gradient {k} of a replay", looser)
    if not rows:
        return
    arguments = stacked(rows)

    def batch(lanes, threads, **options):
        return program.batch(lanes=lanes, threads=threads).value_and_grad(*arguments, argnums=wanted, **options)[1]

    gradients = [batch(lanes, threads) for lanes, threads in SHAPES_OF_BATCHES]
    sums = [batch(lanes, threads, reduce="sum") for lanes, threads in SHAPES_OF_BATCHES]
    first = program.batch(lanes=8).value_and_grad(*[x[:1] for x in arguments], argnums=wanted)[1]
    for k, g in enumerate(gradients[0]):
        for number, want in enumerate(expected):
            assert_close(g[number], want[k], f"gradient {k} of row {number}", looser)
        for shape, other in zip(SHAPES_OF_BATCHES, gradients):
            assert_same_bits(other[k], g, f"gradient {k}: (lanes, threads) {shape} beside {SHAPES_OF_BATCHES[0]}")
        assert_same_bits(first[k], g[:1], f"gradient {k}: one row beside many")
        assert_close(sums[0][k], g.sum(0, dtype=np.float64).astype(g.dtype), f"sum of gradient {k}", looser)
        for shape, other in zip(SHAPES_OF_BATCHES, sums):
            assert_same_bits(other[k], sums[0][k], f"sum of gradient {k}: (lanes, threads) {shape}")
