"""The compiled tape gives the interpreter's bits: every element-wise row, guards, sums, vectors, long programs, both widths."""

import math
import random

import numpy as np
import pytest
from executors import assert_same_bits
from structural_samples import SAMPLES
from test_lanes import drawn, mixtures, program_of, row_of

import tapediff as td
from tapediff.errors import TapediffError
from tapediff.nested import flatten
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.structural import STRUCTURAL
from tapediff.program import machine, steps
from tapediff.program import rows as rows_of_programs
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


def seeded(program, rows):
    """Inputs that gradients flow to, and adjoints of the output for each row."""
    spec = program.output_specs[0]
    operation = program.tape.operations[0]
    flows = [operation.row.is_differentiable(k) and operation.adjoints >> k & 1 for k in range(len(program.specs))]
    wanted = tuple(k for k, does in enumerate(flows) if does) if spec.dtype.is_floating_point else ()
    seeds = np.random.default_rng(3).uniform(-1, 1, (rows, *spec.shape)).astype(spec.dtype.numpy)
    return {"wanted": wanted, "seeds": [seeds] if wanted else None, "threads": 1}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_structural_rows_have_the_interpreters_bits_in_lanes(name):
    attributes, make = SAMPLES[name][0]
    for has_rows in mixtures(len(make(np.random.default_rng(0))))[:2]:
        arrays = drawn(make, 9, has_rows, np.float64, 4)
        program = program_of(STRUCTURAL[name], attributes, row_of(arrays, has_rows, 0))
        try:
            found, expected = (rows_of_programs.run(program, arrays, has_rows, 9, executor=executor, **seeded(program, 9))
                               for executor in ("compiled", "interpreter"))
        except TapediffError:
            assert any(schedule.hosts for schedule in program._schedules.values()), name
            continue
        for a, b in zip([found.outputs[0], *found.gradients.values()], [expected.outputs[0], *expected.gradients.values()],
                        strict=True):
            assert_same_bits(a, b, f"{name} {attributes} rows in {has_rows}")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_structural_rows_have_the_interpreters_bits_in_single_replays(name):
    attributes, make = SAMPLES[name][0]
    arrays = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in make(np.random.default_rng(5))]
    program = program_of(STRUCTURAL[name], attributes, arrays)
    options = seeded(program, 1)
    request = program.request(options["wanted"], "given" if options["wanted"] else "one")
    if program.schedule(request).hosts:
        return
    results = [program.using(executor).single(request)(arrays, [seeds[0] for seeds in options["seeds"] or ()])
               for executor in ("compiled", "interpreter")]
    for a, b in zip(*[[*outputs, *gradients] for outputs, gradients, _ in results], strict=True):
        assert_same_bits(a, b, f"{name} {attributes}")


def layered(x, w, v, s):
    """Scalars, short and long vectors, products, sums, views and decisions, one after the other."""
    h = (w @ x + v).tanh() * s
    first = h[0] * h[1].exp() if h[0] > 0 else h[0]
    long = (x.expand(20, 6) * first + s).sin()
    return (long * long).mean() + (w * h[:, None]).sum() * first + h[2:5].sum() * s


def layered_arguments(rows, dtype):
    generator = np.random.default_rng(7)
    return [generator.standard_normal(shape).astype(dtype) for shape in ((rows, 6), (9, 6), (9,), ())]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("function_steps", [1500, 7])
@pytest.mark.parametrize("unrolled", [0, 4, 32, 1000])
def test_steps_printed_called_and_interpreted_give_the_same_bits(dtype, function_steps, unrolled, monkeypatch):
    x, w, v, s = layered_arguments(27, dtype)
    expected = td.record(layered, x[0], w, v, s).using("interpreter")
    monkeypatch.setattr(machine, "FUNCTION_STEPS", function_steps)
    monkeypatch.setattr(steps, "MOST_UNROLLED", unrolled)
    program = td.record(layered, x[0], w, v, s).using("compiled")
    argnums = (0, 1, 2, 3)
    passed = 0
    for row in x:
        requests = [one.single(one.request(argnums)) for one in (program, expected)]
        found, wanted = [single([row, w, v, s]) for single in requests]
        assert found[2] == wanted[2]
        if wanted[2]:
            continue
        passed += 1
        for a, b in zip([*found[0], *found[1]], [*wanted[0], *wanted[1]], strict=True):
            assert_same_bits(a, b)
    assert 0 < passed < len(x)
    for options in ({}, {"reduce": "sum"}):
        a, b = (flatten(one.batch(in_dims=(0, None, None, None)).value_and_grad(
            x, w, v, s, argnums=argnums, mask=True, **options))[0] for one in (program, expected))
        for one, other in zip(a, b, strict=True):
            assert_same_bits(one, other)


def test_one_element_among_many_without_lanes():
    v = np.array([1.5, -2.0, 3.0])
    program = td.record(lambda v, s: ((v * s)[0] + (s / v)[2] * s).exp(), v, 0.5)
    found, expected = (flatten(program.using(executor).value_and_grad(v, 0.7, argnums=(0, 1)))[0]
                       for executor in ("compiled", "interpreter"))
    for a, b in zip(found, expected, strict=True):
        assert_same_bits(a, b)
    assert found[0] == pytest.approx(math.exp(1.5 * 0.7 + 0.7 / 3 * 0.7), rel=1e-14)


def test_nothing_runs_behind_a_guard_that_failed():
    def f(x, w):
        y = (w @ x).sum()
        return (y.log() if y > 0 else y) * (x @ x)

    program = td.record(f, np.ones(3), np.eye(3)).using("compiled")
    single = program.single(program.request((0,)))
    outputs, _, failed = single([np.ones(3), np.eye(3)])
    assert (failed, float(outputs[0])) == (0, pytest.approx(3 * math.log(3)))
    outputs, _, failed = single([-np.ones(3), np.eye(3)])
    assert failed
    assert float(outputs[0]) == pytest.approx(3 * math.log(3))  # memory is as it was


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
    program = td.record(lambda a: td.linalg.det(a), np.eye(100))
    with pytest.raises(TapediffError, match="interpreter"):
        program.using("compiled")(np.eye(100))
    assert program(1.25 * np.eye(100)) == pytest.approx(1.25**100)


def test_the_code_can_be_looked_at():
    program = td.record(lambda x: x.sin() * x, 1.0)
    assert "define void @tape" in program.source("llvm")
    assert "ret" in program.source("asm")


def test_unknown_executor_is_refused():
    with pytest.raises(ValueError, match="executor='fast'"):
        td.record(lambda x: x, 1.0).batch(executor="fast")
