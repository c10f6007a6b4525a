"""The printer of formulas: what it prints, and what it refuses."""

import ctypes

import llvmlite.binding as llvm
import numpy as np
import pytest

from tapediff.kernels.formula import FUNCTIONS_OF_NOTHING, Printer
from tapediff.kernels.instructions import Module, Value
from tapediff.kernels.library import get_library
from tapediff.ops import ELEMENTWISE


def printed(formula, lanes=1, **dtypes):
    printer = Printer(Module(FUNCTIONS_OF_NOTHING), lanes)
    result = printer.formula(formula, {name: Value(dtype, f"%{name}") for name, dtype in dtypes.items()})
    return printer.text(), result


def test_a_scalar_and_a_vector_are_printed_from_one_formula():
    assert printed("a * 2", a="float64")[0] == "  %v0 = fmul double %a, 0x4000000000000000"
    assert printed("a * 2", lanes=4, a="float32")[0] == "  %v0 = fmul <4 x float> %a, splat (float 0x4000000000000000)"


def test_equal_subexpressions_are_printed_once():
    assert printed("(a + b) * (a + b)", a="float64", b="float64")[0].count("fadd") == 1


def test_a_number_takes_the_dtype_of_what_it_meets():
    assert "i32 %a, 3" in printed("a + 3", a="int32")[0]
    assert "float" in printed("a + 3", a="float32")[0]


def test_a_float32_number_is_rounded_to_float32():
    assert "0x3FB99999A0000000" in printed("a * 0.1", a="float32")[0]


def test_numbers_alone_stay_a_number():
    assert printed("2 * 3 + 1", a="float64") == ("", 7)


def test_a_comparison_with_nan_is_false_except_for_not_equal():
    assert "fcmp oeq" in printed("a == a", a="float64")[0]
    assert "fcmp une" in printed("a != a", a="float64")[0]


@pytest.mark.parametrize(
    ("formula", "dtypes", "message"),
    [
        ("a + b", {"a": "float64", "b": "float32"}, "convert them to one"),
        ("a / b", {"a": "int64", "b": "int64"}, "Div is not defined for int64"),
        ("a + 0.5", {"a": "int64"}, "the number 0.5 meets a value of int64"),
        ("~a", {"a": "float64"}, "not defined for float64"),
        ("mystery(a)", {"a": "float64"}, "neither a primitive"),
        ("[a]", {"a": "float64"}, "not part of the language"),
        ("a < b < a", {"a": "float64", "b": "float64"}, "not part of the language"),
    ],
)
def test_what_is_no_formula_is_refused(formula, dtypes, message):
    with pytest.raises((TypeError, NameError, SyntaxError), match=message):
        printed(formula, **dtypes)


def straight_line_function(row, lanes):
    """A function (ptr y, ptr a, ptr b, ptr c) of whole vectors, as the compiled tape prints programs."""
    library = get_library()
    module = library.module()
    printer = Printer(module, lanes)
    type_ = printer.ir_type("float64")
    names = {name: printer.emit("float64", f"load {type_}, ptr %{name}.at, align 8") for name in "abc"[: row.arity]}
    result = printer.value(printer.formula(row.formula, names), "float64")
    body = f"{printer.text()}\n  store {type_} {result.text}, ptr %y.at, align 8\n  ret void"
    module.define(f"define void @probe(ptr %y.at, ptr %a.at, ptr %b.at, ptr %c.at) {{\nentry:\n{body}\n}}\n")
    return module.text()


@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("name", ["tanh", "pow", "sin", "lerp", "gelu", "fmod"])
def test_a_program_printed_on_vectors_computes_every_lane(name, lanes):
    row = ELEMENTWISE[name]
    reference = llvm.parse_assembly(straight_line_function(row, lanes))
    engine = llvm.create_mcjit_compiler(reference, llvm.Target.from_default_triple().create_target_machine())
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(engine.get_function_address("probe"))
    a, b, c = (np.linspace(low, high, lanes) for low, high in [(0.3, 1.9), (0.7, 1.1), (0.2, 0.8)])
    y = np.zeros(lanes)
    function(*[array.ctypes.data for array in (y, a, b, c)])
    expected = {
        "tanh": np.tanh(a), "pow": a**b, "sin": np.sin(a), "lerp": a + c * (b - a), "fmod": np.fmod(a, b), "gelu": None,
    }[name]  # fmt: skip
    if expected is None:
        special = pytest.importorskip("scipy.special")
        expected = a * special.ndtr(a)
    np.testing.assert_allclose(y, expected, rtol=1e-14)
