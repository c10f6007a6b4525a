"""Structural operations with values in lanes do what they do one lane after the other."""

import itertools
import zlib

import numpy as np
import pytest
from structural_samples import SAMPLES

from tapediff.dtypes import from_numpy_dtype
from tapediff.nested import LEAF, Structure
from tapediff.ops.structural import STRUCTURAL
from tapediff.program import rows as rows_of_programs
from tapediff.program.closed import ClosedTape, Leaf
from tapediff.program.operations import operation_of
from tapediff.program.program import Program
from tapediff.program.schedule import Request
from tapediff.rules import ARRAYS
from tapediff.tape.spec import spec_of

MOST_MIXTURES = 6


def program_of(row, attributes, operands):
    """A program of one operation."""
    specs = tuple(spec_of(a.shape, from_numpy_dtype(a.dtype), False) for a in operands)
    shape, dtype = row.infer(attributes, *specs)
    operation = operation_of(row, attributes, specs, spec_of(shape, dtype, False), -1)
    leaves = [Leaf("input", spec, position) for position, spec in enumerate(specs)]
    tape = ClosedTape(leaves, [operation], [tuple(-1 - k for k in range(len(leaves)))], [0], [])
    nest = Structure(tuple, (), (LEAF,) * len(leaves))
    return Program(tape, list(operands), nest, LEAF, row.name)


def mixtures(count):
    """Which operands have rows: all, each alone, and some more."""
    found = [(True,) * count]
    found += [tuple(k == one for k in range(count)) for one in range(count) if count > 1]
    found += [tuple(k != one for k in range(count)) for one in range(count) if count > 2]
    return found[:MOST_MIXTURES]


def drawn(make, rows, has_rows, dtype, seed):
    """Operands: rows of them where they have rows, else one value."""
    samples = [make(np.random.default_rng((seed, row))) for row in range(rows)]
    count = len(samples[0])
    arrays = [np.stack([sample[k] for sample in samples]) if has_rows[k] else samples[0][k] for k in range(count)]
    return [array.astype(dtype) if array.dtype == np.float64 else array for array in arrays]


def row_of(arrays, has_rows, row):
    return [np.asarray(array[row]) if rows else array for array, rows in zip(arrays, has_rows, strict=True)]


def check(row, attributes, make, has_rows, lanes, rows, dtype, tolerance):
    seed = zlib.crc32(repr((row.name, attributes)).encode())
    arrays = drawn(make, rows, has_rows, dtype, seed)
    program = program_of(row, attributes, row_of(arrays, has_rows, 0))
    floating = [k for k, array in enumerate(arrays) if array.dtype.kind == "f" and row.is_differentiable(k)]
    spec = program.output_specs[0]
    wanted = tuple(floating) if spec.dtype.is_floating_point else ()
    seeds = np.random.default_rng(seed).uniform(-1, 1, (rows, *spec.shape)).astype(spec.dtype.numpy)
    seeds[..., :1] = 0
    found = rows_of_programs.run(program, arrays, has_rows, rows, wanted=wanted, seeds=[seeds] if wanted else None, threads=1,
                                 lanes=lanes)
    claim = f"{row.name} {attributes} rows in {has_rows} lanes {lanes} {dtype}"
    with np.errstate(all="ignore"):
        for number in range(rows):
            operands = row_of(arrays, has_rows, number)
            y = np.asarray(row.forward(attributes, *operands))
            np.testing.assert_allclose(found.outputs[0][number], y, rtol=tolerance, atol=tolerance, err_msg=claim)
            if y.dtype.kind != "f":
                assert (found.outputs[0][number] == y).all(), claim
            for k in wanted:
                expected = row.pullback(ARRAYS, attributes, k, seeds[number], np.array(found.outputs[0][number]), *operands)
                np.testing.assert_allclose(
                    found.gradients[k][number],
                    expected,
                    rtol=5 * tolerance,
                    atol=5 * tolerance,
                    err_msg=f"{claim}, adjoint of operand {k}",
                )


def test_every_structural_row_has_samples():
    assert set(STRUCTURAL) - set(SAMPLES) == set()


@pytest.mark.parametrize("name", [name for name in STRUCTURAL if name in SAMPLES])
def test_lanes_do_what_one_lane_does(name):
    row = STRUCTURAL[name]
    for attributes, make in SAMPLES[name]:
        count = len(make(np.random.default_rng(0)))
        for has_rows, (lanes, rows, dtype) in itertools.product(mixtures(count), ((8, 9, np.float64), (64, 70, np.float32))):
            check(row, attributes, make, has_rows, lanes, rows, dtype, 1e-11 if dtype is np.float64 else 3e-5)


def test_rows_that_name_a_family_run_compiled():
    for name, row in STRUCTURAL.items():
        if row.lanes is None:
            continue
        for attributes, make in SAMPLES[name]:
            if name.startswith("avg_pool") and attributes[1]:
                continue  # windows that end beyond the padding are NumPy's
            operands = drawn(make, 1, (False,) * len(make(np.random.default_rng(0))), np.float32, 0)
            program = program_of(row, attributes, operands)
            floating = tuple(k for k, a in enumerate(operands) if a.dtype.kind == "f" and row.is_differentiable(k))
            wanted = floating if program.output_specs[0].dtype.is_floating_point else ()
            request = Request(8, (True,) * len(operands), (0,), wanted, "given")
            hosts = [step.operation for step in program.schedule(request).hosts.values()]
            assert not hosts or any(a.size == 0 for a in operands), f"{name} {attributes}: NumPy does {hosts}"


@pytest.mark.parametrize("name", [name for name in STRUCTURAL if name in SAMPLES])
def test_bits_do_not_depend_on_the_number_of_lanes(name):
    row = STRUCTURAL[name]
    attributes, make = SAMPLES[name][0]
    arrays = drawn(make, 40, (True,) * len(make(np.random.default_rng(0))), np.float32, 1)
    program = program_of(row, attributes, row_of(arrays, (True,) * len(arrays), 0))
    spec = program.output_specs[0]
    wanted = tuple(
        k for k, a in enumerate(arrays) if a.dtype.kind == "f" and row.is_differentiable(k) and spec.dtype.is_floating_point
    )
    seeds = [np.random.default_rng(2).uniform(-1, 1, (40, *spec.shape)).astype(spec.dtype.numpy)] if wanted else None
    found = [
        rows_of_programs.run(program, arrays, (True,) * len(arrays), 40, wanted=wanted, seeds=seeds, threads=threads, lanes=lanes)
        for lanes, threads in ((8, 1), (32, 2))
    ]
    for few, many in zip(*[[result.outputs[0], *result.gradients.values()] for result in found], strict=True):
        assert few.tobytes() == many.tobytes()


def shared_weights():
    generator = np.random.default_rng(5)
    return [generator.uniform(-1, 1, shape) for shape in ((7, 5), (7,), (4, 7))]


def test_weights_that_all_rows_share_give_the_gradients_of_weights_in_every_row():
    import tapediff as td

    generator = np.random.default_rng(6)
    x = generator.uniform(-1, 1, (21, 5))
    w1, b1, w2 = shared_weights()
    program = td.record(lambda x, w1, b1, w2: ((w2 @ td.addmv(b1, w1, x).tanh()) ** 2).sum(), x[0], w1, b1, w2)
    shared = program.batch(in_dims=(0, None, None, None)).value_and_grad(x, w1, b1, w2, argnums=(0, 1, 2, 3))
    repeated = [np.repeat(w[None], 21, 0) for w in (w1, b1, w2)]
    wide = program.batch().value_and_grad(x, *repeated, argnums=(0, 1, 2, 3))
    np.testing.assert_allclose(shared[0], wide[0], rtol=1e-13)
    for a, b in zip(shared[1], wide[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    for row in range(21):  # the oracle: the chain rule by hand
        hidden = np.tanh(w1 @ x[row] + b1)
        outer = 2 * (w2 @ hidden)
        inner = (w2.T @ outer) * (1 - hidden**2)
        for found, expected in zip(
            shared[1], (w1.T @ inner, np.outer(inner, x[row]), inner, np.outer(outer, hidden)), strict=True
        ):
            np.testing.assert_allclose(found[row], expected, rtol=1e-12, atol=1e-13)


def test_weights_are_not_copied_to_lanes_where_only_products_read_them():
    import tapediff as td

    w1, b1, w2 = shared_weights()
    x = np.ones(5)
    products = td.record(lambda x, w1, b1, w2: (w2 @ td.addmv(b1, w1, x).tanh()).sum(), x, w1, b1, w2)
    squared = td.record(lambda x, w1, b1, w2: (w2 @ td.addmv(b1, w1 * w1, x).tanh()).sum(), x, w1, b1, w2)
    request = Request(8, (True,) * 4, (0,), (1, 2, 3), shared=(1, 2, 3))
    assert set(products.schedule(request).uniform_inputs) == {1, 3}
    assert set(squared.schedule(request).uniform_inputs) == {3}  # element-wise kernels add to adjoints of their operands' lanes


def test_an_index_out_of_bounds_in_some_lanes_leaves_the_others_alone():
    import tapediff as td

    program = td.record(lambda a, index: a.gather(0, index).sum(), np.arange(4.0), np.array([1, 2]))
    index = np.array([[0, 1], [3, 3], [9, 0], [-7, 1], [2, 2]])
    a = np.random.default_rng(0).uniform(-1, 1, (5, 4))
    value, gradient, failed = program.batch().value_and_grad(a, index, mask=True)
    assert failed.tolist() == [False, False, True, True, False]
    for row in (0, 1, 4):
        assert value[row] == a[row][index[row]].sum()
        assert gradient[row].tolist() == np.bincount(index[row], minlength=4).tolist()


def test_structural_steps_let_other_threads_run():
    import threading
    import time

    import tapediff as td

    program = td.record(lambda a: td.linalg.inv(a).sum(), np.eye(12))
    rows = program.batch(threads=1)
    a = np.random.default_rng(0).uniform(-1, 1, (20_000, 12, 12)) + 6 * np.eye(12)
    rows.value_and_grad(a[:64])
    ticks = []

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    done = threading.Event()
    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    rows.value_and_grad(a)
    end = time.perf_counter()
    done.set()
    thread.join()
    within = [t for t in ticks if begin < t < end]
    assert len(within) > 5, f"{len(within)} ticks in {end - begin:.3f} s"


def test_an_operand_that_is_read_twice_gains_both_adjoints():
    import tapediff as td

    generator = np.random.default_rng(7)
    a = generator.uniform(-1, 1, (9, 4, 4))
    functions = [
        lambda a: (a @ a).sum(),
        lambda a: (a * (a @ a.t())).sum(),
        lambda a: td.addmm(a, a, a, beta=0.5, alpha=2).sin().sum(),
        lambda a: td.einsum("ij,kj->ik", a, a).sin().sum() + td.einsum("ij->ji", a).exp().sum(),
        lambda a: (td.cat([a, a]) ** 2).sum() + (td.bmm(a[None], a[None]) ** 2).sum(),
        lambda a: (a.softmax(1) * a.cumsum(0)).sum() + a.gather(1, td.tensor([[0, 0]])).prod(),
    ]
    for number, function in enumerate(functions):
        program = td.record(function, a[0])
        found = program.batch(lanes=8).value_and_grad(a)[1]
        for row in range(len(a)):
            for place in np.ndindex(4, 4):
                step = np.zeros((4, 4))
                step[place] = 1e-6
                slope = (program(a[row] + step) - program(a[row] - step)) / 2e-6
                assert abs(found[row][place] - slope) < 1e-6 * (1 + abs(slope)), f"function {number}, row {row}, element {place}"
