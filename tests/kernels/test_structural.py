"""The compiled kernels of structural ops give what NumPy and the op's rule give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tapediff as td
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.rules import ARRAYS
from tapediff.tape.kinds import KINDS
from tapediff.tape.layout import STRUCTURAL as STRUCTURAL_CLASS

SHAPES = [(1,), (5,), (63,), (64,), (65,), (100,), (3, 70), (70, 3), (4, 5, 6), (2, 1, 3)]
EVERYTHING = [
    *[(name, shape, ((dim,), keepdim)) for name in ("amax", "amin", "aminmax_max", "aminmax_min") for shape in SHAPES
      for dim in range(len(shape)) for keepdim in (False, True)],
    *[(name, shape, (tuple(range(len(shape))), False)) for name in ("max", "min", "amax") for shape in SHAPES],
    *[("cumsum", shape, (dim, is_reversed)) for shape in SHAPES for dim in range(len(shape)) for is_reversed in (False, True)],
]


def arrays(shape: tuple[int, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """Values without ties, with ties, and with what is not finite, the last element among it."""
    draw = np.random.default_rng(sum(shape))
    plain = draw.standard_normal(shape)
    nans, infinite = plain.copy(), plain.copy()
    nans.reshape(-1)[[0, -1]] = np.nan
    infinite.reshape(-1)[[0, -1]] = [np.inf, -np.inf] if plain.size > 1 else np.inf
    return {"plain": plain, "ties": np.round(plain), "nans": nans, "infinite": infinite, "zeros": np.where(plain > 0, 0.0, -0.0)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "shape", "attributes"), EVERYTHING)
def test_a_compiled_kernel_gives_what_the_rule_gives(name: str, shape: tuple[int, ...], attributes: Any, dtype: str) -> None:
    row = STRUCTURAL[name]
    for what, values in arrays(shape).items():
        array = values.astype(dtype)
        x = td.tensor(array, requires_grad=True)
        y = structural(row, attributes, x)
        expected = np.asarray(row.forward(attributes, array))
        assert KINDS.kinds[y.segment.recorded[-3]].kind_class == STRUCTURAL_CLASS
        tolerance = {"rtol": 2e-6 if dtype == "float32" else 1e-14, "atol": 1e-6 if dtype == "float32" else 1e-14}
        np.testing.assert_allclose(y.detach().numpy(), expected, err_msg=f"{name} of {what}", **tolerance)
        y_bar = np.random.default_rng(1).standard_normal(expected.shape).astype(dtype)
        with np.errstate(all="ignore"):
            contribution = row.pullback(ARRAYS, attributes, 0, y_bar, expected, array)
        y.backward(td.tensor(y_bar))
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.numpy(), contribution, err_msg=f"adjoint of {name} of {what}", **tolerance)


def test_every_row_with_a_kernel_names_one_that_exists() -> None:
    from tapediff.kernels.structural import KERNELS
    assert {row.kernel for row in STRUCTURAL.values()} - {None} == set(KERNELS)


@pytest.mark.parametrize(("shape", "order"), [((37, 53), (1, 0)), ((16, 16), (1, 0)), ((17, 1), (1, 0)), ((5, 33, 18), (0, 2, 1)),
                                              ((3, 40, 50), (2, 1, 0)), ((4, 17, 33), (2, 0, 1)), ((2, 3, 4, 5), (3, 1, 2, 0))])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_transposed_views_have_every_element_in_its_place(shape, order, dtype):
    a = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x = td.tensor(a, requires_grad=True)
    y = x.permute(*order)
    np.testing.assert_array_equal(y.detach().numpy(), a.transpose(order))
    weights = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    (y * td.tensor(weights)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), weights.transpose(np.argsort(order)))
