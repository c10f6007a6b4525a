"""Printed tensors: the text recorded from PyTorch, and PyTorch itself where it is installed."""

import ast
import importlib.util
import json
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tapediff import printing

DATA = Path(__file__).with_name("data")
RECORDER = runpy.run_path(str(DATA / "record_printed.py"))
RECORD = json.loads((DATA / "printed.json").read_text())
array_of = RECORDER["array_of"]

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    printing.set_printoptions(**options)
    try:
        yield
    finally:
        printing.set_printoptions(profile="default")


def text_of(case: dict[str, Any]) -> str:
    dtypes = {"dtype": case["dtype"], "default_dtype": case.get("default_dtype", "float32")}
    requires_grad = case.get("requires_grad", "grad_fn" in case)
    with printoptions(**case.get("options", {})):
        if case.get("parameter"):
            return printing.parameter_text(array_of(case), **dtypes, requires_grad=requires_grad)
        prefix = case.get("subclass", "tensor") + "("
        return printing.tensor_text(
            array_of(case), **dtypes, requires_grad=requires_grad, grad_fn=case.get("grad_fn"), prefix=prefix
        )


def name_of(case: dict[str, Any]) -> str:
    """Return a test's name: the inputs of its case, shortened."""
    return " ".join(str(value)[:40] for key, value in case.items() if key not in ("text", "error", "message"))


@pytest.mark.parametrize("case", RECORD["cases"], ids=name_of)
def test_text_is_pytorchs(case):
    assert text_of(case) == case["text"]


@pytest.mark.parametrize("case", RECORD["formats"], ids=name_of)
def test_format_is_pytorchs(case):
    arguments = {"describe": lambda: text_of(case), "type_name": "Parameter" if case.get("parameter") else "Tensor"}
    if "text" in case:
        assert printing.format_scalar(array_of(case), case["spec"], **arguments) == case["text"]
        return
    with pytest.raises((TypeError, ValueError)) as raised:
        printing.format_scalar(array_of(case), case["spec"], **arguments)
    assert type(raised.value).__name__ == case["error"]
    assert str(raised.value).startswith(case["message"])


def test_refused_format_says_what_to_do():
    with pytest.raises(TypeError, match=r"Tensor.__format__: got '.3f' for shape \(2,\), .*format .item\(\) of one element"):
        printing.format_scalar(np.ones(2), ".3f", describe=str)


@needs_torch
def test_record_is_current():
    import torch

    if torch.__version__ != RECORD["torch"]:
        pytest.skip(f"the texts were recorded with PyTorch {RECORD['torch']}, and this is {torch.__version__}")
    assert RECORDER["recorded"]() == RECORDER["RECORD"].read_text()


def test_options_that_are_not_given_stay():
    with printoptions(precision=2):
        printing.set_printoptions(linewidth=30)
        text = printing.tensor_text(np.full(4, 1 / 3), dtype="float64", default_dtype="float64")
    assert text == "tensor([0.33, 0.33, 0.33,\n        0.33])"


def test_sci_mode_that_is_not_given_is_chosen_from_the_values():
    with printoptions(sci_mode=True):
        printing.set_printoptions(precision=1)
        assert printing.tensor_text(np.array([1.5]), dtype="float64", default_dtype="float64") == "tensor([1.5])"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": -1}, "precision=-1; it must be an integer, 0 or more"),
        ({"precision": 2.5}, "precision=2.5"),
        ({"precision": True}, "precision=True"),
        ({"edgeitems": -3}, "edgeitems=-3"),
        ({"threshold": "many"}, "threshold='many'; it must be a number"),
        ({"linewidth": "80"}, "linewidth='80'; it must be a number"),
        ({"linewidth": float("inf")}, "linewidth=inf; it must be finite"),
        ({"profile": "long"}, "profile='long'; the profiles are 'default', 'short', 'full'"),
    ],
)
def test_impossible_options_are_refused_and_change_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        printing.set_printoptions(**{"threshold": 0, "edgeitems": 1, **options})
    assert printing.tensor_text(np.arange(9), dtype="int64", default_dtype="float32") == "tensor([0, 1, 2, 3, 4, 5, 6, 7, 8])"


def test_numpy_integers_are_options():
    with printoptions(precision=np.int64(1), edgeitems=np.int32(1), threshold=np.int64(2)):
        text = printing.tensor_text(np.array([0.5, 1, 2]), dtype="float64", default_dtype="float64")
    assert text == "tensor([0.5,  ..., 2.0])"


def test_values_are_not_changed():
    values = np.array([-1.5, np.nan, 0.0])
    before = values.copy()
    printing.tensor_text(values, dtype="float64", default_dtype="float32")
    np.testing.assert_array_equal(values, before)


def test_strided_values_print_in_their_order():
    values = np.arange(6, dtype=np.int64).reshape(2, 3)
    text = printing.tensor_text(values.T[::-1], dtype="int64", default_dtype="float32")
    assert text == "tensor([[2, 5],\n        [1, 4],\n        [0, 3]])"


def test_printing_imports_only_numpy_and_the_standard_library():
    tree = ast.parse(Path(printing.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert modules <= {"__future__", "collections.abc", "math", "typing", "numpy"}


SPICY = [
    0.0, -0.0, 1.0, -1.0, 0.1, 100.0, 1e3, 1001.0, 1e-4, 9.99e-5, 1e8, 100000008.0, 0.99999, 1e-7, 1e-45, 3e38,
    np.nan, np.inf, -np.inf,
]  # fmt: skip


def elements_of(dtype: str) -> st.SearchStrategy[Any]:
    if dtype == "bool":
        return st.booleans()
    if dtype.startswith("int"):
        return st.integers(-(2**31), 2**31 - 1) | st.integers(-9, 99)
    width = 32 if dtype == "float32" else 64
    return st.one_of(
        st.sampled_from(SPICY).map(lambda value: float(np.dtype(dtype).type(value))),
        st.integers(-2000, 2000).map(float),
        st.floats(-1024, 1024, width=width),
        st.floats(width=width),
    )


@st.composite
def random_cases(draw: st.DrawFn) -> dict[str, Any]:
    dtype = draw(st.sampled_from(["float32", "float64", "int64", "int32", "bool"]))
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    values = draw(arrays.arrays(dtype, shape, elements=elements_of(dtype)))
    options = {
        "precision": st.integers(0, 12),
        "threshold": st.integers(0, 60),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(0, 120),
        "sci_mode": st.sampled_from([True, False, None]),
        "profile": st.sampled_from(["default", "short", "full"]),
    }
    case = {
        "dtype": dtype,
        "shape": list(shape),
        "values": " ".join(str(value if values.dtype.kind == "f" else int(value)) for value in values.ravel().tolist()),
        "options": draw(st.fixed_dictionaries({}, optional=options)),
        "default_dtype": draw(st.sampled_from(["float32", "float64"])),
    }
    if values.dtype.kind == "f":
        name = st.integers(1, 80).map(lambda length: "A" * length + "Backward")
        case |= draw(
            st.one_of(
                st.just({}),
                st.just({"requires_grad": True}),
                st.fixed_dictionaries({"grad_fn": st.just("MulBackward0") | name}),
                st.fixed_dictionaries({"parameter": st.just(True), "requires_grad": st.booleans()}),
            )
        )
    return case


@needs_torch
@settings(max_examples=400, deadline=None, database=None)
@given(case=random_cases())
def test_random_tensors_print_as_in_pytorch(case):
    assert text_of(case) == RECORDER["torch_text"](case)
