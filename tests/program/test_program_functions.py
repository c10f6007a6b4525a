"""Functions of every form, run by all executors: branches, nests, writes, gradients inside, dtypes, constants, empty tensors.

Each function takes the library first, so that PyTorch runs it too and is the oracle of values and gradients.
"""

import functools
import math

import numpy as np
import pytest
from executors import assert_close, assert_same_bits, check_gradients, check_values, eager, stacked

import tapediff as td
from tapediff.nested import flatten

torch = pytest.importorskip("torch", reason="the oracle of these tests is PyTorch, which is not installed")

OUTER = np.array([0.5, -1.5, 2.0])
NUMBERS = np.random.default_rng(0)
STATE = NUMBERS.bit_generator.state
COUNTS = (0, 1, 7, 65, 1023, 1025)


@pytest.fixture(autouse=True)
def _every_test_draws_the_same_numbers():
    NUMBERS.bit_generator.state = STATE


def outer(t):
    """A tensor from outside of the function."""
    return t.tensor(OUTER)


def written(t, x):
    y = x * 2
    y[0] = x[1] * x[2]
    y[1:] *= x[0]
    y += 1
    return (y * x).sum()


def written_through_views(t, x):
    y = x.reshape(-1).clone()
    front, back = y[:2], y.view(1, 3)[0, 1:]
    front.mul_(x[2])
    back.add_(front.sum())
    y.unsqueeze(0)[0, 1].copy_(x[0].sin())
    return (y * y).sum() + front.sum() * back.prod()


def written_leaf(t, x):
    y = t.zeros(3, dtype=x.dtype)
    for k in range(3):
        y[k] = x[k] * x[k - 1]
    y[y > 0.1] = -1.0
    return (y * x).sum()


def written_without_gradients(t, x):
    y = t.zeros(3, dtype=x.dtype)
    with t.no_grad():
        y += x
        y *= 2
        z = y.sum()
        y -= 1
    return (y * x).sum() + z


def cut(t, x):
    with t.no_grad():
        y = x * x
    z = (x * 3).detach()
    return (x * y + x.detach() * z * x).sum()


def enabled_again(t, x):
    with t.no_grad():
        y = x * x
        with t.enable_grad():
            z = x * y
    return (y + z * x).sum()


def gradient_inside(t, x):
    w = x * 1
    (g,) = t.autograd.grad((w.sin() * w).sum(), w, create_graph=True)
    return (g * g * x).sum()


def second_gradient_inside(t, x):
    w = x * 1
    (g,) = t.autograd.grad((w ** 3).sum(), w, create_graph=True)
    (h,) = t.autograd.grad((g * x).sum(), w, create_graph=True)
    return (h * x).sum() + (g ** 2).sum()


def gradient_without_graph(t, x):
    w = x * 1
    (g,) = t.autograd.grad((w.exp() * w).sum(), w)
    return (g * x).sum()


def branches(t, x):
    if x[0] > 0:
        y = x.sin()
    else:
        y = x.cos() * 2
    while y.sum() > 10:
        y = y / 2
    return (y * x).sum() if x[1] < x[2] and x[0] < 5 else y.prod()


def newton(t, x):
    y = x.abs() + 1
    while (y * y - 2).abs().max() > 1e-3:
        y = (y + 2 / y) / 2
    return (y * x).sum()


def sort_by_python(t, x):
    low, middle, high = sorted([x[0], x[1], x[2]])
    return low * 2 + middle * 3 - high * max(x[0], x[1] * 2)


def table(t, x):
    values = t.tensor([1.0, 4.0, 9.0, 16.0], dtype=x.dtype)
    k = int(x[0].detach().abs().clamp(max=2.5))
    return (values[k] + (x[0].abs() - k) * (values[k + 1] - values[k])) * x[1]


def path(t, x):
    s, total = x[0] + 3, 0.0
    for k in range(20):
        s = s * (1 + 0.01 * x[1] + 0.02 * x[2] * (k % 3 - 1))
        total = total + s
    return t.where(total > 60, total - 60, t.zeros_like(total)) * 1.5


def repeated(t, x):
    y = x * x + t.maximum(x, x) - x / (x * x + 1) + t.where(x > 0, x, x)
    return y.sum() + t.dot(x, x) + (x.reshape(3, 1) @ x.reshape(1, 3)).sum()


def constants(t, x):
    c = t.linspace(0.0, 1.0, 3, dtype=x.dtype) * 2 + t.arange(3).to(x.dtype).exp()
    return (x * c + outer(t).to(x.dtype)).sum() * 0.5 + t.eye(3, dtype=x.dtype).sum() * x[0]


def broadcast(t, x):
    a = x.reshape(3, 1) * x + x.sum()
    return (a - a.mean(0, keepdim=True)).pow(2).sum(1).sqrt().sum() + (x.expand(2, 3) * t.ones(2, 1, dtype=x.dtype)).mean()


def reductions(t, x):
    a = x.reshape(1, 3).expand(4, 3) * t.arange(1, 5).reshape(4, 1).to(x.dtype)
    y = a.max(0).values.sum() + a.std() + a.logsumexp(1).mean() + a.prod(1).sum()
    return y + t.softmax(a, 1)[:, 0].sum() + a.cumsum(0)[-1].sum()


def matrices(t, x):
    a = x.reshape(3, 1) @ x.reshape(1, 3) + 4 * t.eye(3, dtype=x.dtype)
    return t.linalg.det(a) * 0.01 + t.linalg.inv(a).sum() + t.linalg.solve(a, x).sum() + (a @ x).norm()


def mixed_dtypes(t, x):
    y = x.to(t.float32) * 1.5
    z = y.double() * x
    n = (x * 10).long()
    return (z + n * x + (n > 3).double()).sum() + (n % 3 * x).sum() + y.double().sum()


def empty(t, x):
    e = x[3:]
    return x.sum() + e.sum() + (e * 2).prod() + t.cat([e, x]).sum() + e.reshape(0, 1).sum(0).sum()


def gathered(t, x):
    i = (x > 0).long()
    return (x[i] * x.flip(0)).sum() + x.gather(0, i.flip(0)).prod() + x.index_select(0, i).sum() + x.sort().values[0] * 3


def random_walk_by_lists(t, x):
    found = [x[0]]
    for k in range(5):
        found.append(found[-1] * 0.9 + x[k % 3])
    return t.stack(found).sum() + sum(found) * 0.1


SCALAR = [written, written_through_views, written_leaf, written_without_gradients, cut, enabled_again, gradient_inside,
          second_gradient_inside, gradient_without_graph, branches, newton, sort_by_python, table, path, repeated, constants,
          broadcast, reductions, matrices, mixed_dtypes, empty, gathered, random_walk_by_lists]


def points(dtype="float64", count=12):
    return [NUMBERS.uniform(-2, 2, 3).astype(dtype) for _ in range(count)]


def by_torch(f, x):
    """Value and gradient."""
    leaf = torch.tensor(x, requires_grad=True)
    y = f(torch, leaf)
    (g,) = torch.autograd.grad(y, leaf, allow_unused=True)
    return y.detach().numpy(), np.zeros_like(x) if g is None else g.numpy()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("f", SCALAR, ids=lambda f: f.__name__)
def test_programs_are_the_function_and_have_its_gradient(f, dtype):
    bound = functools.partial(f, td)
    rows = points(dtype)
    program = td.record(bound, rows[0])
    kept = []
    for x in rows:
        try:
            value, gradient = program.value_and_grad(x)
        except td.GuardError:
            continue
        wanted, slope = by_torch(f, x)
        looser = 1e5 if f is mixed_dtypes else 50 if dtype == "float32" else 10  # float32 inside of float64
        assert_close(value, wanted, "PyTorch's value", looser)
        assert_close(gradient, slope, "PyTorch's gradient", looser)
        kept.append([x])
    assert kept
    assert len(kept) == len(rows) or program.guards
    check_values(bound, program, kept, looser)
    check_gradients(bound, program, (0,), kept, 5 * looser)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("f", [path, written, repeated, reductions, matrices], ids=lambda f: f.__name__)
def test_any_number_of_rows_has_the_bits_of_each_row_alone(f, count):
    program = td.record(functools.partial(f, td), points()[0])
    x = NUMBERS.uniform(0.1, 2, (count, 3))
    value, gradient = program.batch(lanes=8, threads=1).value_and_grad(x)
    assert value.shape == (count,)
    assert gradient.shape == (count, 3)
    for lanes, threads in ((64, 1), (256, 2), (None, None)):
        other = program.batch(lanes=lanes, threads=threads).value_and_grad(x)
        assert_same_bits(other[0], value, f"{lanes} lanes, {threads} threads")
        assert_same_bits(other[1], gradient, f"{lanes} lanes, {threads} threads")
    for number in range(0, count, 97):
        alone = program.batch().value_and_grad(x[number:number + 1])
        assert_same_bits(alone[0][0], value[number])
        assert_same_bits(alone[1][0], gradient[number])
        single = program.value_and_grad(x[number])
        assert_close(single[0], value[number], looser=10)
        assert_close(single[1], gradient[number], looser=10)


# --- nests, several arguments, what comes back as it was ------------------------------------------------------------------------

def test_arguments_and_results_may_be_nested():
    def f(x, p):
        a, (b, c) = p["a"], p["rest"]
        return {"sum": x + a, "list": [b * c, (x, p["rest"][1])], "none": ()}

    program = td.record(f, 1.0, {"a": np.ones(2), "rest": (2.0, [3.0, 4.0][0])})
    result = program(5.0, {"a": np.array([1.0, 2.0]), "rest": (7.0, 8.0)})
    assert list(result) == ["sum", "list", "none"]
    assert result["sum"].tolist() == [6, 7]
    assert result["list"][0] == 56
    assert result["list"][1] == (5, 8)
    assert result["none"] == ()
    rows = program.batch(in_dims=(0, {"a": 0, "rest": (None, None)}))
    result = rows(np.array([5.0, 6.0]), {"a": np.array([[1.0, 2.0], [3.0, 4.0]]), "rest": (7.0, 8.0)})
    assert result["sum"].tolist() == [[6, 7], [9, 10]]
    assert result["list"][0].tolist() == [56, 56]
    assert result["list"][1][0].tolist() == [5, 6]
    assert result["list"][1][1].tolist() == [8, 8]


def test_gradients_are_nested_like_the_arguments():
    program = td.record(lambda x, p: (x * p["a"]).sum() * p["b"][0], np.ones(2), {"a": np.ones(2), "b": [2.0, 5.0]})
    inputs = np.array([1.0, 2.0]), {"a": np.array([3.0, 4.0]), "b": [5.0, 6.0]}
    gradient = program.grad(*inputs, argnums=1)
    assert gradient["a"].tolist() == [5, 10]
    assert gradient["b"] == [11, 0]
    both = program.grad(*inputs, argnums=(1, 0))
    assert both[0]["b"] == [11, 0]
    assert both[1].tolist() == [15, 20]
    assert program.grad(*inputs, argnums=-2).tolist() == [15, 20]


def test_what_comes_in_may_go_out_and_constants_too():
    x = np.array([1.0, 2.0])
    program = td.record(lambda x, n: (x, n, 3, 2.5, True, td.ones(2), x, np.arange(2)), x, 4)
    result = program(x * 2, 9)
    assert [np.asarray(y).tolist() for y in result] == [[2, 4], 9, 3, 2.5, True, [1, 1], [2, 4], [0, 1]]
    result = program.batch()(np.stack([x, x * 2, x * 3]), np.array([1, 2, 3]))
    assert result[0].tolist() == [[1, 2], [2, 4], [3, 6]]
    assert result[1].tolist() == [1, 2, 3]
    assert result[2].tolist() == [3, 3, 3]
    assert result[5].tolist() == [[1, 1]] * 3
    result[0][0] = 7
    result[6][1] = 8
    assert x.tolist() == [1, 2]
    assert program(x, 1)[0].tolist() == [1, 2]


def test_results_are_the_callers_own():
    program = td.record(lambda x: (x * 2, x, td.ones(2)), np.ones(2))
    first = program(np.ones(2))
    for y in first:
        y[:] = 99
    second = program(np.ones(2))
    assert [y.tolist() for y in second] == [[2, 2], [1, 1], [1, 1]]
    gradient = td.record(lambda x: (x * 3).sum(), np.ones(2)).grad(np.ones(2))
    gradient[:] = 5
    assert td.record(lambda x: (x * 3).sum(), np.ones(2)).grad(np.ones(2)).tolist() == [3, 3]


def test_the_gradient_of_an_unused_or_constant_argument_is_zero():
    program = td.record(lambda x, y, z: (x * 2).sum() + (z > 0).sum() * 1.0, np.ones(3), 2.0, np.ones(2))
    assert program.grad(np.ones(3), 5.0, np.ones(2), argnums=1) == 0
    assert program.grad(np.ones(3), 5.0, np.ones(2), argnums=2).tolist() == [0, 0]
    rows = program.batch()
    for reduce in (None, "sum", "mean"):
        gradients = rows.grad(np.ones((4, 3)), np.ones(4), np.ones((4, 2)), argnums=(0, 1, 2), reduce=reduce)
        assert gradients[0].max() == {None: 2, "sum": 8, "mean": 2}[reduce]
        assert not gradients[1].any()
        assert not gradients[2].any()


@pytest.mark.parametrize(("f", "slope"), [(lambda x: 3.0, 0), (lambda x: td.ones(()).double(), 0), (lambda x: x.detach() * 2, 0),
                                          (lambda x: x, 1)], ids=["number", "tensor", "detached", "itself"])
def test_gradients_of_constants_and_of_the_argument_itself(f, slope):
    program = td.record(f, 2.0)
    assert program.grad(7.0) == slope
    assert program.batch().grad(np.arange(5.0)).tolist() == [slope] * 5
    assert program.batch().grad(np.arange(5.0), reduce="sum") == 5 * slope


def test_the_same_argument_twice():
    program = td.record(lambda x, y: x * y + x / y, 1.0, 1.0)
    x = np.array(3.0)
    value, (gx, gy) = program.value_and_grad(x, x, argnums=(0, 1))
    assert (value, gx, gy) == pytest.approx((10, 3 + 1 / 3, 3 - 1 / 3))
    rows = np.arange(1.0, 10)
    assert program.batch().grad(rows, rows, argnums=(0, 1))[0].tolist() == pytest.approx((rows + 1 / rows).tolist())


def test_programs_without_inputs_or_of_empty_nests():
    program = td.record(lambda: td.arange(3) * 2)
    assert program().tolist() == [0, 2, 4]
    program = td.record(lambda p, x: x * 2, (), 1.0)
    assert program((), 4.0) == 8
    program = td.record(lambda x: (), 1.0)
    assert program(2.0) == ()


def test_tensors_from_outside_keep_the_values_that_were_recorded():
    weight = td.tensor([1.0, 2.0])
    program = td.record(lambda x: (x * weight).sum(), np.ones(2))
    weight.mul_(100)
    assert program(np.array([1.0, 1.0])) == 3


def test_updates_that_wait_when_a_recording_begins_are_seen_by_it():
    weight = td.ones(3, dtype=td.float64, requires_grad=True)
    with td.no_grad():
        weight -= 0.5
        program = td.record(lambda x: (x * weight).sum(), np.ones(3))
        weight -= 0.25
    assert program(np.ones(3)) == 1.5
    assert weight.tolist() == [0.25, 0.25, 0.25]


# --- arguments of every kind ----------------------------------------------------------------------------------------------------

def polynomial(x, w):
    return (x * w + x * x).sum() * 0.5


def recorded():
    return td.record(polynomial, np.ones((2, 3)), np.ones(3))


def of_rows(x, w):
    """By NumPy: values, gradients by x and by w."""
    return (x * w[:, None] + x * x).sum((1, 2)) / 2, (w[:, None] + 2 * x) / 2, x.sum(1) / 2


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "every other": lambda a: np.repeat(a, 2, 0)[::2],
    "rows far apart": lambda a: np.concatenate([a, a * 7], -1)[..., :a.shape[-1]],
    "last dimension strided": lambda a: np.repeat(a, 2, -1)[..., ::2],
    "last dimension reversed": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "read-only": lambda a: np.lib.stride_tricks.as_strided(a, a.shape, a.strides, writeable=False),
    "big-endian": lambda a: a.astype(">f8"),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float64).reshape(a.shape),
    "tensor": td.tensor,
    "transposed tensor": lambda a: td.tensor(np.ascontiguousarray(a.T)).permute(*reversed(range(a.ndim))),
    "tensor that requires grad": lambda a: td.tensor(a, requires_grad=True) * 1,
    "list": lambda a: td.tensor(a.tolist(), dtype=td.float64),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arguments_of_any_layout(layout):
    program = recorded()
    x, w = NUMBERS.normal(size=(11, 2, 3)), NUMBERS.normal(size=(11, 3))
    shown = LAYOUTS[layout](x), LAYOUTS[layout](w)
    value, gradients = program.batch().value_and_grad(*shown, argnums=(0, 1))
    wanted, by_x, by_w = of_rows(x, w)
    assert_close(value, wanted)
    assert_close(gradients[0], by_x)
    assert_close(gradients[1], by_w)
    alone = LAYOUTS[layout](x[3]), LAYOUTS[layout](w[3])
    value, gradients = program.value_and_grad(*alone, argnums=(0, 1))
    assert_close(value, wanted[3])
    assert_close(gradients[0], by_x[3])


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "int8", "uint16", "bool", "float16"])
def test_arguments_of_other_dtypes_are_converted(dtype):
    program = recorded()
    x, w = NUMBERS.integers(0, 2, (9, 2, 3)).astype(dtype), NUMBERS.integers(0, 2, (9, 3)).astype(dtype)
    value, gradient = program.batch().value_and_grad(x, w)
    wanted, by_x, _ = of_rows(x.astype(float), w.astype(float))
    assert_close(value, wanted)
    assert_close(gradient, by_x)
    assert_close(program(x[0], w[0]), wanted[0])


@pytest.mark.parametrize("in_dims", [(1, 0), (-1, 1), (2, -1), (0, -2), (-3, -1)], ids=str)
def test_rows_may_lie_along_any_dimension(in_dims):
    x, w = NUMBERS.normal(size=(11, 2, 3)), NUMBERS.normal(size=(11, 3))
    rows = recorded().batch(in_dims=in_dims)
    value, gradient = rows.value_and_grad(np.moveaxis(x, 0, in_dims[0]), np.moveaxis(w, 0, in_dims[1]))
    wanted, by_x, _ = of_rows(x, w)
    assert_close(value, wanted)
    assert_close(gradient, by_x)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_gradients_of_what_all_rows_share(count, reduce):
    x, w = NUMBERS.normal(size=(count, 2, 3)), NUMBERS.normal(size=3)
    results = [recorded().batch(in_dims=(0, None), lanes=lanes, threads=threads).value_and_grad(x, w, argnums=1, reduce=reduce)
               for lanes, threads in ((8, 1), (64, 2), (256, 1), (None, None))]
    wanted, _, by_w = of_rows(x, np.broadcast_to(w, (count, 3)))
    by_w = by_w if reduce is None else by_w.sum(0) if reduce == "sum" else by_w.sum(0) / count if count else by_w.sum(0) * np.nan
    for value, gradient in results:
        assert_close(value, wanted)
        assert_close(gradient, by_w)
        assert_same_bits(value, results[0][0])
        assert_same_bits(gradient, results[0][1])


def test_sums_of_many_rows_are_exact_to_a_few_ulp():
    x = NUMBERS.normal(size=100_003) * 10.0 ** NUMBERS.integers(-8, 8, 100_003)
    program = td.record(lambda x, w: x * w, 1.0, 1.0)
    found = program.batch(in_dims=(0, None)).grad(x, 1.0, argnums=1, reduce="sum")
    assert abs(found - math.fsum(x)) <= 1e-14 * np.abs(x).sum()


def test_float32_sums_are_added_as_float64():
    x = np.full(1_000_000, 0.1, np.float32)
    program = td.record(lambda x, w: x * w, np.float32(1), np.float32(1))
    found = program.batch(in_dims=(0, None)).grad(x, np.float32(1), argnums=1, reduce="sum")
    assert found.dtype == np.float32
    assert found == np.float32(x.astype(np.float64).sum())


@pytest.mark.parametrize("shared", [(0, None), (None, 0)])
def test_a_part_that_no_row_reaches_is_computed_once_and_still_right(shared):
    def f(x, w):
        return (x * w.sin()).sum() + (w.exp() * w).sum() + (td.stack([w, w * 2]) @ w).sum() * x[0]

    values = NUMBERS.normal(size=3), NUMBERS.normal(size=3)
    program = td.record(f, *values)
    given = [np.stack([v, v * 2, v - 1]) if dim == 0 else v for v, dim in zip(values, shared)]
    value, gradients = program.batch(in_dims=shared).value_and_grad(*given, argnums=(0, 1))
    for number in range(3):
        row = [g[number] if dim == 0 else g for g, dim in zip(given, shared)]
        wanted, slopes = program.value_and_grad(*row, argnums=(0, 1))
        assert_close(value[number], wanted, looser=10)
        for k in range(2):
            assert_close(gradients[k][number], slopes[k], looser=10)


def test_special_values_go_through_as_in_eager_code():
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e308, -1e-308, 5e-324, 1.0])

    def f(x):
        return td.where(x > 0, x.sqrt(), x * 0.5) + 1 / x

    program = td.record(f, 1.0)
    found, slopes = program.batch().value_and_grad(special)
    for number, x in enumerate(special):
        (wanted,) = eager(f, x)
        leaf = td.tensor(x, requires_grad=True)
        (slope,) = td.autograd.grad(f(leaf), leaf)
        assert_same_bits(found[number], wanted)
        assert_same_bits(slopes[number], slope.numpy())
        value, gradient = program.value_and_grad(x)
        assert_same_bits(np.asarray(value), wanted)
        assert_same_bits(np.asarray(gradient), slope.numpy())


def test_one_batch_of_many_outputs_of_all_dtypes():
    def f(x, n, b):
        return x * n, n + 1, ~b, (x > 0) & b, x.float(), n.int(), td.where(b, x, -x), x.reshape(1, -1), x[:0]

    values = NUMBERS.normal(size=2), 3, True
    program = td.record(f, *values)
    rows = [[NUMBERS.normal(size=2), np.int64(k), np.bool_(k % 2)] for k in range(9)]
    check_values(f, program, rows)
    assert [y.dtype.name for y in flatten(program.batch()(*stacked(rows)))[0]] == [
        "float64", "int64", "bool", "bool", "float32", "int32", "float64", "float64", "float64"]


def test_a_view_of_a_view_of_a_large_input_is_recorded():
    x = np.random.default_rng(0).standard_normal(768)  # more than 4,096 bytes
    program = td.record(lambda x: (x.reshape(24, 32).unsqueeze(0)**2).sum(), x)
    np.testing.assert_allclose(program.grad(x), 2 * x)
