"""Every row of the tables of ops has a benchmark, which runs the row's own kernels, or the row; every suite is on the page."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.elementwise import ElementwiseRow, draw
from benchmarks.structural import CALLS, StructuralRow
from tapediff.ops import ELEMENTWISE, STRUCTURAL


def without_benchmark(rows, suite):
    """The names of rows that an asv suite does not time."""
    return sorted(set(rows) - set(suite.params))


def test_every_row_has_a_benchmark():
    assert not without_benchmark(ELEMENTWISE, ElementwiseRow), "add them to ElementwiseRow.params in benchmarks/elementwise.py"
    assert not without_benchmark(STRUCTURAL, StructuralRow), "add calls of them to benchmarks/structural.py"


SUITES = [pytest.param(ELEMENTWISE, ElementwiseRow, id="element-wise"), pytest.param(STRUCTURAL, StructuralRow, id="structural")]


@pytest.mark.parametrize(("table", "suite"), SUITES)
def test_a_row_without_benchmark_is_found(table, suite):
    assert without_benchmark({**table, "new_row": None}, suite) == ["new_row"]
    assert not set(suite.params) - set(table), "rows that are no more"


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


@pytest.mark.parametrize("name", [name for name, row in ELEMENTWISE.items() if row.is_differentiable])
def test_the_benchmark_computes_the_tangent(name):
    benchmark = ElementwiseRow()
    benchmark.setup(name)
    arrays = benchmark.arrays
    benchmark.time_tangent(name)
    arrays["y_bar"][:] = 1
    bars = {key: array for key, array in arrays.items() if key in ("a_bar", "b_bar", "c_bar")}
    for array in bars.values():
        array[:] = 0
    benchmark.reverse()
    wanted = sum(bar for bar in bars.values() if bar.dtype.kind == "f")
    np.testing.assert_allclose(arrays["y_dot"], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_the_structural_benchmark_computes_the_row(name):
    row, call = STRUCTURAL[name], CALLS[name]
    benchmark = StructuralRow()
    benchmark.setup(name)
    arrays = [operand.draw(generator) for generator in [np.random.default_rng(0)] for operand in call.operands]
    wanted = row.forward(call.attributes, *arrays)
    np.testing.assert_allclose(benchmark.result().detach().numpy(), wanted, rtol=1e-9, atol=1e-9)
    assert sum(array.size for array in arrays) >= 64, "too small to be measured"
    if not benchmark.is_differentiable:
        assert row.pullback is None or not np.issubdtype(np.asarray(wanted).dtype, np.floating)
    elif row.operands != ():
        given = [tensor.grad for tensor in benchmark.tensors if tensor.requires_grad]
        assert any(gradient is not None for gradient in given), "nothing was differentiated"


def test_the_page_names_every_suite():
    root = Path(__file__).parent.parent
    suites = {
        path.stem
        for path in (root / "benchmarks").glob("*.py")
        if re.search(r"^    def (time|track|peakmem)_", path.read_text(), re.MULTILINE)
    }
    table = re.findall(r"^\| (`.*?) \|", (root / "docs" / "benchmarks.md").read_text(), re.MULTILINE)
    assert {name.strip("`") for cell in table for name in cell.split(", ")} == suites
