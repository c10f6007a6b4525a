"""Files of programs of every op in every form pass the checks of loading, and compute the same bits."""

import functools
import warnings

import numpy as np
import pytest
from executors import assert_same_bits
from parity_cases import CASES
from parity_run import flat, is_tensor

import tapediff as td

CASES = [case for case in CASES if case.name != "creation-rand shape"]  # random numbers are refused


def results(case, *tensors):
    """The tensors and numbers that a case gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(y for y in flat(case.call(td, *tensors)) if is_tensor(y) or isinstance(y, int | float))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_loaded_program_computes_the_same_bits(case, tmp_path):
    values = [operand.numbers(position, np.float64) for position, operand in enumerate(case.operands)]
    program = td.record(functools.partial(results, case), *values)
    program.save(tmp_path / "f")
    for found, expected in zip(td.load_program(tmp_path / "f")(*values), program(*values), strict=True):
        assert_same_bits(found, expected)
