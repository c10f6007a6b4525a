"""The compiled tape gives the interpreter's bits: every element-wise row, guards, sums, vectors, long programs, both widths."""

import math
import random

import numpy as np
import pytest
from executors import assert_same_bits

import tapediff as td
from tapediff.errors import TapediffError
from tapediff.nested import flatten
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.program import machine
from tapediff.recording import elementwise

SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e38, 5e-324, 1.0, -1.0, 0.5]
FLOAT_ROWS = [row for row in ELEMENTWISE.values() if "float" in row.kinds and row.name not in ("cast", "where")]


def operands_of(row, dtype, count=21):
    """Rows of operands: points of the domain, and special values."""
    generator = random.Random(row.name)
    columns = []
    for k in range(row.arity):
        more = count - len(SPECIAL)
        points = row.domain[k].sample(more, generator) if row.domain else [generator.uniform(-2, 2) for _ in range(more)]
        columns.append(np.array((SPECIAL[k:] + SPECIAL[:k] + points)[:count], dtype))
    return columns


def check_same(program, *arrays, argnums=None, **options):
    """Both executors give the same bits."""
    def of(executor):
        rows = program.batch(executor=executor, threads=1, **options)
        return flatten(rows(*arrays) if argnums is None else rows.value_and_grad(*arrays, argnums=argnums))[0]

    for k, (a, b) in enumerate(zip(of("compiled"), of("interpreter"), strict=True)):
        assert_same_bits(a, b, f"result {k}")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("group", range(0, len(FLOAT_ROWS), 12))
def test_rows_have_the_interpreters_bits(group, dtype):
    rows = FLOAT_ROWS[group:group + 12]
    columns = [operands_of(row, dtype) for row in rows]
    arrays = [column for some in columns for column in some]

    def each(*inputs):
        results, at = [], 0
        for row in rows:
            results.append(elementwise(row, *inputs[at:at + row.arity]))
            at += row.arity
        return results

    program = td.record(each, *[array[10] for array in arrays])
    check_same(program, *arrays)


@pytest.mark.parametrize("name", [row.name for row in FLOAT_ROWS if row.is_differentiable and row.result != "bool"][::3])
def test_pullbacks_have_the_interpreters_bits(name):
    row = ELEMENTWISE[name]
    arrays = operands_of(row, "float64")
    program = td.record(lambda *inputs: elementwise(row, *inputs), *[array[10] for array in arrays])
    check_same(program, *arrays, argnums=tuple(range(row.arity)))


def test_vectors_guards_and_sums():
    draws = np.random.default_rng(0)

    def f(x, y, w):
        z = (x * y).sin() + w
        first = z[0] * 2 if z[0] > 0 else z[0]
        return first.exp() + z[1] * z[2] * w

    x, y = draws.standard_normal((2, 43, 3))
    program = td.record(f, x[0], y[0], 0.3)
    rows = {executor: program.batch(in_dims=(0, 0, None), executor=executor) for executor in ("compiled", "interpreter")}
    for options in ({}, {"reduce": "sum"}, {"reduce": "mean"}):
        a, b = (flatten(one.value_and_grad(x, y, 0.3, argnums=(0, 1, 2), mask=True, **options))[0] for one in rows.values())
        assert a[-1].any()
        assert not a[-1].all()
        for one, other in zip(a, b, strict=True):
            assert_same_bits(one, other)


def test_a_tape_of_several_functions(monkeypatch):
    monkeypatch.setattr(machine, "FUNCTION_STEPS", 20)

    def f(x, y):
        for _ in range(20):
            x, y = (x * y + 0.5).sin(), (x - y) * 0.9
        return x * y

    x, y = np.random.default_rng(1).standard_normal((2, 29))
    program = td.record(f, 0.1, 0.2)
    check_same(program, x, y, argnums=(0, 1))
    for a, b in zip(flatten(program.using("compiled").value_and_grad(0.3, 0.4, argnums=(0, 1)))[0],
                    flatten(program.using("interpreter").value_and_grad(0.3, 0.4, argnums=(0, 1)))[0], strict=True):
        assert_same_bits(a, b)


def test_rows_along_any_dimension():
    x = np.random.default_rng(2).standard_normal((5, 33))
    check_same(td.record(lambda x: (x * x).exp() - x, x[:, 0]), x, in_dims=1)
    check_same(td.record(lambda x: (x * x).exp() - x, x[0]), x, in_dims=0)


def test_what_cannot_be_compiled_says_so():
    program = td.record(lambda a: td.linalg.det(a), np.eye(3))
    with pytest.raises(TapediffError, match="interpreter"):
        program.using("compiled")(np.eye(3))
    assert program(2 * np.eye(3)) == pytest.approx(8)


def test_the_code_can_be_looked_at():
    program = td.record(lambda x: x.sin() * x, 1.0)
    assert "define void @tape" in program.source("llvm")
    assert "ret" in program.source("asm")


def test_unknown_executor_is_refused():
    with pytest.raises(ValueError, match="executor='fast'"):
        td.record(lambda x: x, 1.0).batch(executor="fast")
