"""Ops of the user's own: eager, in programs and batches, in files, to any order; and what is refused."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

import tapediff as td
from tapediff.kernels.library import KernelLibrary, KernelSpec
from tapediff.ops import custom as custom_rows
from tapediff.ops.op import Elementwise

LEAKY = td.custom_op("test_leaky", "where(a > 0, a, 0.1 * a)", "where(a > 0, 1, 0.1)", domain=(-2, 2, (0.0,)), doc="Leaky.")
SWISH = td.custom_op("test_swish", "a * sigmoid(b * a)", (
    "sigmoid(b * a) + b * y * (1 - sigmoid(b * a))", "a * y * (1 - sigmoid(b * a))"), domain=((-3, 3), (0.5, 2)))
CURVE = td.custom_op("test_curve", "a * b + sin(c)", ("b", "a", "cos(c)"))


NO_TORCH = "the oracle is PyTorch, which is not installed"


def torch_swish(a, b):
    return a * (b * a).sigmoid()


def test_values_and_gradients_are_those_of_the_same_function_in_pytorch():
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    a, b = np.linspace(-2, 2, 7), np.linspace(0.5, 1.5, 7)
    ours = [td.tensor(x, requires_grad=True) for x in (a, b)]
    theirs = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    y, z = SWISH(*ours), torch_swish(*theirs)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-14)
    for x, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-12)


def test_its_node_has_its_name():
    y = SWISH(td.ones(2, requires_grad=True), 1.0)
    assert y.grad_fn.name() == "TestSwishBackward0"
    assert "TestSwishBackward0" in repr(y)


def test_derivatives_to_the_third_order():
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    def third(f, x, library):
        for _ in range(3):
            (x_bar,) = library.autograd.grad(f, x, create_graph=True)
            f = x_bar
        return f.item()
    x, t = td.tensor(0.7, dtype=td.float64, requires_grad=True), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    assert third(SWISH(x, 1.3), x, td) == pytest.approx(third(torch_swish(t, 1.3), t, torch), rel=1e-10)


def test_numbers_in_a_recorded_partial_keep_double_precision():
    x = td.tensor([1.0, -2.0], dtype=td.float64, requires_grad=True)
    (gradient,) = td.autograd.grad(LEAKY(x).sum(), x, create_graph=True)
    assert gradient.tolist() == [1.0, 0.1]


@pytest.mark.parametrize("dtype", [td.float32, td.int64, td.int32, td.bool])
def test_other_dtypes_promote_as_those_of_other_functions(dtype):
    x = td.tensor([0, 1], dtype=dtype)
    assert LEAKY(x).dtype is td.float32
    assert SWISH(x, 1.0).dtype is td.sigmoid(x).dtype


def test_broadcasting_repeated_operands_and_numbers():
    x = td.tensor([[1.0], [2.0]], dtype=td.float64, requires_grad=True)
    y = CURVE(x, td.tensor([1.0, 2.0, 3.0], dtype=td.float64), 0.5)
    np.testing.assert_allclose(y.detach().numpy(), np.array([[1.0], [2]]) * [1.0, 2, 3] + np.sin(0.5))
    CURVE(x, x, x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.array([[1.0], [2]]) + np.cos([[1.0], [2]]))


def test_special_values_and_empty_tensors():
    x = td.tensor([np.inf, -np.inf, np.nan, -0.0], dtype=td.float64)
    assert str(LEAKY(x).numpy()) == str(np.array([np.inf, -np.inf, np.nan, -0.0]))
    assert LEAKY(td.zeros(0, 2)).shape == (0, 2)


def test_programs_and_batches():
    def loss(x, w):
        return (SWISH(x, w) * LEAKY(x - 1)).sum()
    x, w = np.linspace(-1, 2, 5), np.float64(1.2)
    program = td.record(loss, x, w)
    assert "test_swish(x0, x1)" in str(program)
    ours = [td.tensor(value, requires_grad=True) for value in (x, w)]
    loss(*ours).backward()
    gradients = program.grad(x, w, argnums=(0, 1))
    for gradient, tensor in zip(gradients, ours, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-13)
    rows = np.stack([x, x / 2, -x])
    _, by_rows = program.batch(in_dims=(0, None)).value_and_grad(rows, w)
    np.testing.assert_allclose(by_rows[0], gradients[0], rtol=1e-13)
    assert program.hessian((x, w))[0][0].shape == (5, 5)


def test_formulas_may_call_ops_of_ones_own():
    twice = td.custom_op("test_twice", "test_leaky(test_leaky(a))", "where(a > 0, 1, 0.01) * 1", domain=(-1, 1, (0.0,)))
    assert twice(td.tensor(-1.0, dtype=td.float64)).item() == pytest.approx(-0.01)
    assert "where(a > 0, a, 0.1 * a)" in custom_rows.content_of("test_twice")


def test_a_formula_that_is_true_or_false():
    inside = td.custom_op("test_inside", "(a > b) & (a < c)", (None, None, None))
    assert inside(td.tensor([0.0, 1.0, 2.0]), 0.5, 1.5).tolist() == [False, True, False]


def test_kernels_on_disk_are_found_by_content(tmp_path, monkeypatch):
    spec = KernelSpec("test_content", "forward", ("float64",), "float64")
    results = []
    for formula in ("a + 1", "a + 2", "a + 1"):
        monkeypatch.setitem(custom_rows.CUSTOM, "test_content", Elementwise("test_content", formula, ("1",)))
        from tapediff.kernels.calling import call_kernel
        y = np.zeros(1)
        call_kernel(KernelLibrary(tmp_path), spec, 1, y=y, a=np.zeros(1))
        results.append(y[0])
    assert results == [1, 2, 1]


def test_the_same_op_again_is_the_same_function():
    assert td.custom_op("test_leaky", "where(a > 0, a, 0.1 * a)", "where(a > 0, 1, 0.1)") is LEAKY


@pytest.mark.parametrize(("arguments", "words"), [
    (("test_leaky", "a", "1"), "registered already"), (("exp", "a", "1"), "has a meaning"), (("sum", "a", "1"), "has a meaning"),
    (("fma", "a", "1"), "has a meaning"), (("libm_x", "a", "1"), "has a meaning"), (("y_bar", "a", "1"), "has a meaning"),
    (("two words", "a", "1"), "letters"), (("", "a", "1"), "letters"), ((3, "a", "1"), "letters"),
    (("test_bad", "a +", "1"), "no expression"), (("test_bad", "a; b", "1"), "no expression"),
    (("test_bad", "", "1"), "no expression"),
    (("test_bad", "a", ("1", "1", "1", "1")), "1 to 3"), (("test_bad", "1", ()), "1 to 3"),
    (("test_bad", "a + b", "1"), "reads 'b'"), (("test_bad", "a + d", "1"), "reads 'd'"), (("test_bad", "a", "z"), "reads 'z'"),
    (("test_bad", "y", "1"), "reads 'y'"), (("test_bad", "foo(a)", "1"), "'foo'"), (("test_bad", "a.sin()", "1"), "a.sin"),
    (("test_bad", "__import__('os').system('x')", "1"), "system|__import__"), (("test_bad", "(lambda: a)()", "1"), "lambda"),
    (("test_bad", "[a][0]", "1"), "formulas do not know|0"), (("test_bad", "a if a else 1", "1"), "formulas do not know"),
    (("test_bad", "a and a", "1"), "formulas do not know"), (("test_bad", "'a'", "1"), "formulas do not know"),
    (("test_bad", "exp(a, a)", "1"), "takes 1 operands"), (("test_bad", "exp(input=a)", "1"), "formulas do not know|position"),
    (("test_bad", "exp(2) * a", "1"), "numbers only"), (("test_bad", "a % 2", "1"), "Mod"),
    (("test_bad", "a // 2", "1"), "FloorDiv"),
    (("test_bad", "(a > 0) * a", "1"), "bool"), (("test_bad", "0 < a < 1", (None,)), "formula|language"),
    (("test_bad", "a > 0", "1"), "no derivative"), (("test_bad", "cast(a)", "1"), "cast"),
    (("test_bad", "a + exp", "1"), "reads 'exp'"),
])
def test_what_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        td.custom_op(*arguments)
    assert "test_bad" not in custom_rows.CUSTOM


def test_partials_that_are_wrong_in_the_domain_are_refused():
    with pytest.raises(ValueError, match=r"partial by b.*formula's difference"):
        td.custom_op("test_bad", "a * b * b", ("b * b", "a * b"), domain=((-1, 1), (1, 2)))
    td.custom_op("test_straight_through", "round(a)", "1")


def test_arguments_of_the_function_are_checked():
    with pytest.raises(TypeError, match="takes 2 operands"):
        SWISH(td.ones(2))
    with pytest.raises(TypeError, match="must be Tensor"):
        LEAKY(2.0)
    with pytest.raises(TypeError, match="Tensor or Number"):
        SWISH(td.ones(2), "x")
    with pytest.raises(TypeError, match="formula"):
        td.custom_op("test_bad")


# --- functions on arrays --------------------------------------------------------------------------------------------------------

CUMULATIVE = td.custom_op("test_cumulative", forward=lambda x: np.cumsum(x, -1),
                          pullback=lambda F, k, y_bar, y, x: F.cumsum(y_bar, (len(x.shape) - 1, True)))
SCALED = td.custom_op("test_scaled", forward=lambda a, b, factor=1.0: factor * (a @ b), once_differentiable=True,
                      infer=lambda a, b, factor=1.0: ((), a.dtype),
                      pullback=lambda k, y_bar, y, a, b, factor=1.0: factor * y_bar * (b if k == 0 else a))


def test_a_rule_in_terms_of_rows_has_any_order():
    x = td.tensor([1.0, 2.0, 3.0], dtype=td.float64, requires_grad=True)
    assert CUMULATIVE(x).tolist() == [1, 3, 6]
    assert td.autograd.gradcheck(lambda x: CUMULATIVE(x).square(), x)
    assert td.autograd.gradgradcheck(lambda x: CUMULATIVE(x).square().sum(), x)
    assert CUMULATIVE(x).grad_fn.name() == "TestCumulativeBackward0"


def test_functions_in_programs_and_batches():
    program = td.record(lambda x: (CUMULATIVE(x).sin() * SCALED(x, x, factor=0.5)).sum(), np.ones(3))
    x = np.array([0.1, -0.5, 2.0])
    eager = td.tensor(x, requires_grad=True)
    (CUMULATIVE(eager).sin() * SCALED(eager, eager, factor=0.5)).sum().backward()
    np.testing.assert_allclose(program.grad(x), eager.grad.numpy(), rtol=1e-13)
    np.testing.assert_allclose(program.batch().grad(np.stack([x, x])), [eager.grad.numpy()] * 2, rtol=1e-13)
    np.testing.assert_allclose(program.vjp((x,), 1.0)[1][0], eager.grad.numpy(), rtol=1e-13)


def test_a_pullback_on_arrays_gives_one_derivative_and_says_so():
    a = td.tensor([1.0, 2.0], dtype=td.float64, requires_grad=True)
    b = td.tensor([3.0, 4.0], dtype=td.float64, requires_grad=True)
    y = SCALED(a, b, factor=2.0)
    (a_bar,) = td.autograd.grad(y, a, create_graph=True)
    assert (y.item(), a_bar.tolist()) == (22, [6, 8])
    with pytest.raises(RuntimeError, match="differentiate twice"):
        a_bar.sum().backward()


def test_results_that_do_not_fit_are_refused():
    wrong = td.custom_op("test_wrong", forward=lambda x: x[1:], pullback=lambda F, k, y_bar, y, x: y_bar.sum())
    with pytest.raises(RuntimeError, match=r"float32\[1\] where float32\[2\] was inferred"):
        wrong(td.ones(2)).tolist()
    unfit = td.custom_op("test_unfit", forward=lambda x: x, pullback=lambda F, k, y_bar, y, x: y_bar[:1])
    with pytest.raises(RuntimeError, match="sum over what was broadcast"):
        unfit(td.ones(2, requires_grad=True)).sum().backward()


def test_forward_cannot_write_its_operands():
    def careless(x):
        x[0] = 5
        return x
    with pytest.raises(ValueError, match="read-only"):
        td.custom_op("test_careless", forward=careless)(td.ones(2)).tolist()


def test_functions_compiled_by_numba():
    @numba.njit
    def norm(x):
        return np.array(np.sqrt((x * x).sum()))

    @numba.njit
    def norm_pullback(k, y_bar, y, x):
        return x * (y_bar / y).item()

    op = td.custom_op("test_norm", forward=norm, infer=lambda x: ((), x.dtype), pullback=norm_pullback, once_differentiable=True)
    x = td.tensor([3.0, 4.0], dtype=td.float64, requires_grad=True)
    op(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.6, 0.8])


# --- files ----------------------------------------------------------------------------------------------------------------------

def test_files_name_the_ops_and_need_them_registered(tmp_path, monkeypatch):
    program = td.record(lambda x: (LEAKY(x) + CUMULATIVE(x)).sum(), np.ones(2))
    program.save(tmp_path / "f")
    x = np.array([-1.0, 3.0])
    assert td.load_program(tmp_path / "f")(x) == program(x)
    monkeypatch.setitem(custom_rows.CUSTOM, "test_leaky", Elementwise("test_leaky", "a", ("1",)))
    with pytest.raises(td.ProgramFileError, match=r"another op called 'test_leaky'"):
        td.load_program(tmp_path / "f")
    monkeypatch.delitem(custom_rows.CUSTOM, "test_leaky")
    with pytest.raises(td.ProgramFileError, match=r"register it with td\.custom_op"):
        td.load_program(tmp_path / "f")


def test_compiled_tapes_on_disk_are_found_by_content(tmp_path):
    code = """
import tapediff as td
op = td.custom_op("test_tape", "a + {0}", "1")
print(td.record(lambda x: op(op(x)), 1.0).using("compiled")(0.0))
"""
    found = [subprocess.run([sys.executable, "-c", code.format(number)], capture_output=True, text=True, check=True,
                            env=os.environ | {"TAPEDIFF_CACHE_DIR": str(tmp_path)}).stdout.strip() for number in (1, 2, 1)]
    assert found == ["2.0", "4.0", "2.0"]
