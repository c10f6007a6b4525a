"""Every row of the table of element-wise ops has a benchmark, and the benchmark runs the row's own kernels."""

import numpy as np
import pytest

from benchmarks.elementwise import ElementwiseRow, draw
from tapediff.ops import ELEMENTWISE


def without_benchmark(rows):
    """The names of rows that the asv suite does not time."""
    return sorted(set(rows) - set(ElementwiseRow.params))


def test_every_row_has_a_benchmark():
    assert not without_benchmark(ELEMENTWISE), "add them to ElementwiseRow.params in benchmarks/elementwise.py"


def test_a_row_without_benchmark_is_found():
    assert without_benchmark({**ELEMENTWISE, "new_row": None}) == ["new_row"]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_benchmark_computes_the_row(name):
    row = ELEMENTWISE[name]
    benchmark = ElementwiseRow()
    benchmark.setup(name)
    if row.oracle is not None:
        np.testing.assert_allclose(benchmark.arrays["y"], row.oracle_function()(*draw(row)), rtol=1e-13, atol=1e-13)
    before = {key: array.copy() for key, array in benchmark.arrays.items() if key.endswith("_bar")}
    benchmark.time_reverse(name)
    changed = [key for key, array in before.items() if not np.array_equal(array, benchmark.arrays[key])]
    with_slope = [f"{letter}_bar" for letter, partial in zip("abc", row.partials) if partial not in (None, "0")]
    assert changed == with_slope
