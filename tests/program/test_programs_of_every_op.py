"""Every op in every form, recorded once and replayed at other arguments: values and gradients are those of eager runs.

The cases are the calls of the parity tests, so that what is eager here is held to PyTorch there.
"""

import functools
import warnings

import numpy as np
import pytest
from executors import check_gradients, check_values
from parity_cases import CASES
from parity_run import cotangent, flat, is_tensor

import tapediff as td

CASES = [case for case in CASES if case.name != "creation-rand shape"]  # random numbers are refused
ROWS = 9
VARIANTS = 3


def variant(operand, position, dtype, number):
    """An operand's values; those of number 0 are recorded."""
    if number == 0:
        return operand.numbers(position, dtype)
    generator = np.random.default_rng([position, number, *operand.shape])
    if operand.kind == "real":
        return generator.uniform(operand.low, operand.high, operand.shape).astype(dtype)
    if operand.kind == "integer":
        return generator.integers(int(operand.low), int(operand.high), operand.shape)
    if operand.kind == "boolean":
        return generator.random(operand.shape) < 0.5
    return operand.numbers(position, dtype)


def results(case, *tensors):
    """The tensors and numbers that a case gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(y for y in flat(case.call(td, *tensors)) if is_tensor(y) or isinstance(y, int | float))


def weighted(case, *tensors):
    """One number of all that a case gives; None where nothing is a float."""
    parts = [(y * cotangent(td, y, k)).sum().double() for k, y in enumerate(results(case, *tensors))
             if is_tensor(y) and y.dtype.is_floating_point]
    return functools.reduce(lambda a, b: a + b, parts) if parts else None


def holding(program, variants):
    """The variants that take the recorded decisions; the example is one of them."""
    kept = []
    for number, values in enumerate(variants):
        try:
            program(*values)
        except td.GuardError:
            assert number > 0, "a guard fails at the values that were recorded"
        else:
            kept.append(values)
    return kept


def check(case, dtype):
    variants = [[variant(operand, k, dtype, number) for k, operand in enumerate(case.operands)] for number in range(VARIANTS)]
    f = functools.partial(results, case)
    program = td.record(f, *variants[0])
    kept = holding(program, variants)
    rows = [kept[number % len(kept)] for number in range(ROWS)]
    check_values(f, program, rows, case.looser)
    wanted = tuple(k for k, values in enumerate(variants[0]) if values.dtype.kind == "f")
    g = functools.partial(weighted, case)
    if wanted and g(*map(td.tensor, variants[0])) is not None:
        check_gradients(g, td.record(g, *variants[0]), wanted, rows, 4 * case.looser)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_programs_are_the_function(case):
    check(case, "float64")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_programs_of_float32_are_the_function(case):
    check(case, "float32")


# Cases whose results' shapes or Python values depend on values as a whole: other values need other recordings
READS = {"where-indices", "index-mask", "conversion-tolist", "conversion-item", "F.one_hot"}


@pytest.mark.parametrize("case", [case for case in CASES if case.operands], ids=lambda case: case.name)
def test_only_results_of_unknown_shape_fix_values(case):
    example = [variant(operand, k, "float64", 0) for k, operand in enumerate(case.operands)]
    program = td.record(functools.partial(results, case), *example)
    fixes = any(guard.how == "value" for guard in program.guards)
    assert fixes == (case.name in READS or case.name.startswith("masked_select")), list(map(str, program.guards))
