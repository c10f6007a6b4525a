"""Structural operations with values in lanes do what they do one lane after the other."""

import itertools
import zlib

import numpy as np
import pytest
from structural_samples import SAMPLES

from tapediff.dtypes import from_numpy_dtype
from tapediff.nested import LEAF, Structure
from tapediff.ops.structural import STRUCTURAL
from tapediff.program import batch
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
    found = batch.run(program, arrays, has_rows, rows, wanted=wanted, seeds=[seeds] if wanted else None, threads=1, lanes=lanes)
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
                np.testing.assert_allclose(found.gradients[k][number], expected, rtol=5 * tolerance, atol=5 * tolerance,
                                           err_msg=f"{claim}, adjoint of operand {k}")


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
            operands = drawn(make, 1, (False,) * len(make(np.random.default_rng(0))), np.float32, 0)
            program = program_of(row, attributes, operands)
            floating = tuple(k for k, a in enumerate(operands) if a.dtype.kind == "f" and row.is_differentiable(k))
            wanted = floating if program.output_specs[0].dtype.is_floating_point else ()
            request = Request(8, (True,) * len(operands), (0,), wanted, "given")
            hosts = [step.operation for step in program.schedule(request).hosts.values()]
            assert not hosts or any(a.size == 0 for a in operands), f"{name} {attributes}: NumPy does {hosts}"
