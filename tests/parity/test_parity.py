"""Every op gives PyTorch's values, dtypes, graph names and gradients of first and second order.

With TAPEDIFF_PARITY_SELF=1 in the environment PyTorch is compared with itself: that tests the tests.
"""

import os

import numpy as np
import pytest
from parity_cases import CASES
from parity_operands import SPICY
from parity_run import (
    RTOL,
    SECOND_RTOL,
    Case,
    closeness,
    differences_of_gradients,
    differences_of_values,
    evaluate,
    names,
)

torch = pytest.importorskip("torch", reason="the oracle of these tests is PyTorch, which is not installed")
if os.environ.get("TAPEDIFF_PARITY_SELF"):
    library = torch
else:
    import tapediff as library  # type: ignore[no-redef]

DTYPES = ("float64", "float32")
DIFFERENTIABLE = [case for case in CASES if any(operand.kind in ("real", "fixed") for operand in case.operands)]
ELEMENTWISE = [case for case in CASES if case.elementwise]


def over(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def test_names_of_cases_are_unique():
    seen = [case.name for case in CASES]
    assert len(seen) == len(set(seen)), sorted({name for name in seen if seen.count(name) > 1})


@over(CASES)
def test_value(case):
    for dtype in DTYPES:
        wanted, given = (evaluate(t, case, dtype) for t in (torch, library))
        problems = differences_of_values(wanted, given, RTOL[dtype] * case.looser)
        assert not problems, f"{case.name} {dtype}: " + "\n".join(problems)


@over([case for case in DIFFERENTIABLE if case.graph_name])
def test_graph_name(case):
    wanted, given = (names(evaluate(t, case, "float64")) for t in (torch, library))
    assert given == wanted


@over(DIFFERENTIABLE)
def test_gradient(case):
    for dtype in DTYPES:
        wanted, given = (evaluate(t, case, dtype, order=1) for t in (torch, library))
        problems = differences_of_gradients(wanted, given, RTOL[dtype] * 4 * case.looser, none_is_zero=False)
        assert not problems, f"{case.name} {dtype}: " + "\n".join(problems)


@over([case for case in DIFFERENTIABLE if sum(operand.kind == "real" for operand in case.operands) > 1])
def test_gradient_of_one_operand(case):
    for only, operand in enumerate(case.operands):
        if operand.kind != "real":
            continue
        wanted, given = (evaluate(t, case, "float64", order=1, only=only) for t in (torch, library))
        problems = differences_of_values(wanted, given, RTOL["float64"] * 2 * case.looser)
        problems += differences_of_gradients(wanted, given, RTOL["float64"] * 4 * case.looser, none_is_zero=False)
        assert not problems, f"{case.name}, only operand {only} requires a gradient: " + "\n".join(problems)


@over(DIFFERENTIABLE)
def test_second_order(case):
    for dtype in DTYPES:
        wanted, given = (evaluate(t, case, dtype, order=2) for t in (torch, library))
        problems = differences_of_gradients(wanted, given, SECOND_RTOL[dtype] * case.looser, none_is_zero=True)
        assert not problems, f"{case.name} {dtype}: " + "\n".join(problems)


@over([case for case in CASES if case.layouts and case.operands])
def test_layouts(case):
    for layout in case.layouts:
        wanted, given = (evaluate(t, case, "float64", layout, order=1) for t in (torch, library))
        problems = differences_of_values(wanted, given, RTOL["float64"] * 2 * case.looser)
        problems += differences_of_gradients(wanted, given, RTOL["float64"] * 4 * case.looser, none_is_zero=False)
        assert not problems, f"{case.name} {layout}: " + "\n".join(problems)


@over(ELEMENTWISE)
def test_sizes(case):
    for shape in [(), (1,), (0,), (0, 3), (1, 1), (17,), (3, 1, 5), (1037,)]:
        numbers = [np.resize(operand.numbers(place, "float64"), shape) for place, operand in enumerate(case.operands)]
        wanted, given = (evaluate(t, case, "float64", order=1, numbers=numbers) for t in (torch, library))
        problems = differences_of_values(wanted, given, RTOL["float64"] * 2 * case.looser)
        problems += differences_of_gradients(wanted, given, RTOL["float64"] * 4 * case.looser, none_is_zero=False)
        assert not problems, f"{case.name} {shape}: " + "\n".join(problems)


@over([case for case in ELEMENTWISE if case.spicy])
def test_spicy_values(case):
    spicy = np.array(SPICY)
    arity = len(case.operands)
    for dtype in case.spicy:
        grids = np.meshgrid(*[spicy.astype(dtype)] * arity, indexing="ij") if arity > 1 else [spicy.astype(dtype)]
        numbers = [np.ascontiguousarray(grid) for grid in grids]
        wanted, given = (evaluate(t, case, dtype, order=1, numbers=numbers) for t in (torch, library))
        rtol, atol = RTOL[dtype] * 8 * case.looser, 4 * float(np.finfo(dtype).eps)
        problems = differences_of_values(wanted, given, rtol, atol)
        # PyTorch's 0 * inf is nan; here an adjoint that is exactly zero contributes zero
        no_operand_is_nan = ~np.any([np.isnan(values) for values in numbers], axis=0)
        # where there is no value there is no slope: PyTorch's own answers are nan here and a number there
        is_nan = np.isnan(wanted.results[0].detach().numpy())
        problems += differences_of_gradients(
            wanted, given, rtol, none_is_zero=False, atol=atol, excused=no_operand_is_nan | ~is_nan, ignored=is_nan
        )
        assert not problems, f"{case.name} {dtype} at {SPICY}: " + "\n".join(problems)


def test_a_wrong_value_is_seen():
    wanted = np.array([1.0, 2.0, float("nan")])
    assert closeness(wanted, wanted.copy(), 1e-12) is None
    assert "wanted np.float64(2.0), got np.float64(2.1)" in str(closeness(wanted, np.array([1.0, 2.1, float("nan")]), 1e-12))
    assert closeness(wanted, np.array([1.0, 2.0, 0.0]), 1e-12) is not None
    assert closeness(wanted, wanted.astype("float32"), 1e-12) is not None
    assert closeness(wanted, np.array([1.0, 2.0, 0.0]), 1e-12, excused=np.array([False, False, True])) is None
    assert closeness(wanted, np.array([1.0, 3.0, 0.0]), 1e-12, excused=np.array([True, True, True])) is not None
