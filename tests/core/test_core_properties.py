"""Random expressions and random programs: against finite differences, NumPy's views, and PyTorch where it is installed."""

from typing import Any

import numpy as np
import pytest
from alongside import needs_torch, torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from view_programs import SHAPES, SHOWN, VALUES, VIEWS, WRITES, Array, run, start, steps

import tapediff as td

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
number = st.integers(0, 11)

# --- expressions ----------------------------------------------------------------------------------------------------------------

UNARY = {
    "sin": lambda x: x.sin(), "exp": lambda x: (x * 0.25).exp(), "tanh": lambda x: x.tanh(), "square": lambda x: x * x * 0.5,
        "neg": lambda x: -x,
    "sigmoid": lambda x: x.sigmoid(), "log1p": lambda x: (x * x).log1p(), "root": lambda x: (x * x + 1).sqrt(),
        "reciprocal": lambda x: 1 / (x * x + 2),
    "number": lambda x: 3 - x * 0.5, "power": lambda x: (x * 0.5) ** 3, "unsqueeze": lambda x: x.unsqueeze(0),
        "mean": lambda x: x.mean(-1, keepdim=True),
    "sum": lambda x: x.sum(0) * 0.5, "transpose": lambda x: x.transpose(0, -1), "first": lambda x: x[0],
        "flat": lambda x: x.reshape(-1),
}
NEEDS_DIMS = ("mean", "sum", "transpose", "first")
BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / (b * b + 1),
        "atan2": lambda a, b: a.atan2(b * b + 1),
}


def expression(library: Any, program: Any, leaves: list[Any]) -> Any:
    """The sum of the last values of a program; operands are chosen anew at every step, so that subexpressions are shared."""
    live = list(leaves)
    for name, i, j in program:
        a, b = live[i % len(live)], live[j % len(live)]
        if name in BINARY:
            try:
                np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
            except ValueError:
                b = b.sum()
            live.append(BINARY[name](a, b))
        elif name not in NEEDS_DIMS or a.ndim:
            made = UNARY[name](a)
            if made.ndim <= 4:
                live.append(made)
    total = live[-1].sum()
    for value in live[-3:-1]:
        total = total + value.sum() * 0.5
    return total


expressions = st.lists(st.tuples(st.sampled_from([*UNARY, *BINARY, *BINARY]), number, number), min_size=1, max_size=14)
leaf_shapes = st.sampled_from([((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 2), (2, 2)), ((1,), (2, 1, 2))])


def arrays(shapes: Any) -> list[np.ndarray]:
    return [np.asarray((start(shape) + place * 0.3) / 2) for place, shape in enumerate(shapes)]


@SETTINGS
@given(expressions, leaf_shapes)
def test_gradients_of_expressions_are_finite_differences(program: Any, shapes: Any) -> None:
    values = [np.array(value) for value in arrays(shapes)]
    leaves = [td.tensor(value, dtype=td.float64, requires_grad=True) for value in values]
    y = expression(td, program, leaves)
    slopes = td.autograd.grad(y, leaves, materialize_grads=True)

    def at(place: int, index: tuple[int, ...], by: float) -> float:
        moved = [value.copy() for value in values]
        moved[place][index] += by
        found: float = expression(td, program, [td.tensor(value, dtype=td.float64) for value in moved]).item()
        return found
    for place, (value, slope) in enumerate(zip(values, slopes, strict=True)):
        for index in np.ndindex(value.shape):
            numerical = (at(place, index, 1e-5) - at(place, index, -1e-5)) / 2e-5
            np.testing.assert_allclose(slope.numpy()[index], numerical, rtol=1e-5, atol=1e-5 + 1e-9 * abs(y.item()))


@needs_torch
@SETTINGS
@given(expressions, leaf_shapes)
def test_two_orders_of_gradients_of_expressions_are_pytorchs(program: Any, shapes: Any) -> None:
    found = []
    for library in (td, torch):
        leaves = [library.tensor(value, dtype=library.float64, requires_grad=True) for value in arrays(shapes)]
        y = expression(library, program, leaves)
        first = library.autograd.grad(y, leaves, create_graph=True, allow_unused=True)
        square = sum((one * one).sum() for one in first if one is not None) + y * 0
        second = library.autograd.grad(square, leaves, allow_unused=True, materialize_grads=True)
        found.append([y.detach().numpy(), *[None if one is None else one.detach().numpy() for one in first],
            *[one.numpy() for one in second]])
    for ours, theirs in zip(*found, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


# --- views and in-place writes --------------------------------------------------------------------------------------------------

@settings(SETTINGS, max_examples=150)
@given(steps(*VIEWS, *SHOWN, *WRITES, *WRITES, *VALUES, "detach", "drop"), st.sampled_from(SHAPES))
def test_views_and_writes_do_what_they_do_in_numpy(program: Any, shape: Any) -> None:
    ours, theirs = [td.tensor(start(shape), dtype=td.float64)], [Array(start(shape))]
    assert run(td, program, ours) == run(np, program, theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.array(a.tolist()).reshape(a.shape), b.values)


def with_gradients(library: Any, program: Any, shape: Any) -> Any:
    x = library.tensor(start(shape), dtype=library.float64, requires_grad=True)
    live = [x * 1.0]
    notes = run(library, program, live)
    flags = [one.requires_grad for one in live]
    values = [np.array(one.tolist()).reshape(tuple(one.shape)) for one in live]
    try:
        sum((one * one * (place + 1) * 0.1).sum() for place, one in enumerate(live)).backward()
    except RuntimeError as error:
        return notes, flags, values, str(error)
    return notes, flags, values, None if x.grad is None else x.grad.numpy()


def compare(program: Any, shape: Any) -> None:
    ours, theirs = with_gradients(td, program, shape), with_gradients(torch, program, shape)
    assert ours[:2] == theirs[:2]
    for a, b in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    if isinstance(theirs[3], str):  # a saved value was written
        assert "inplace operation" in theirs[3]
        assert isinstance(ours[3], str), "PyTorch refuses"
        assert "inplace operation" in ours[3]
        return
    assert not isinstance(ours[3], str), ours[3]
    assert (ours[3] is None) == (theirs[3] is None)
    if ours[3] is not None:
        np.testing.assert_allclose(ours[3], theirs[3], rtol=1e-10, atol=1e-12)


@needs_torch
@settings(SETTINGS, max_examples=150)
@given(steps(*VIEWS, "expand", *WRITES, *WRITES, *VALUES, "drop"), st.sampled_from(SHAPES))
def test_gradients_follow_views_and_writes_as_in_pytorch(program: Any, shape: Any) -> None:
    compare(program, shape)


# --- interleavings --------------------------------------------------------------------------------------------------------------

ACTIONS = ("op", "op", "op", "product", "read", "print", "quiet", "detach", "backward", "backward_once", "update",
    "update_data", "zero", "none", "grad", "write",
           "drop", "hook")


def session(library: Any, program: Any, shape: tuple[int, ...]) -> list[Any]:
    """What a session of operations, reads, passes and updates shows; a step that raises shows the exception's type."""
    leaves = [library.tensor(start(shape) + place, dtype=library.float64, requires_grad=True) for place in range(2)]
    live = [leaves[0] * 1.0, leaves[1] * 0.5]
    seen: list[Any] = []
    for action, i, j in program:
        x, y, leaf = live[i % len(live)], live[j % len(live)], leaves[j % 2]
        try:
            if action == "op":
                live.append([x.sin(), x * 0.5 + 1, x * leaf, (x * 0.1).exp()][j % 4])
            elif action == "product":
                live.append(x * y * 0.5)
            elif action in ("read", "print"):
                seen.append(x.detach().numpy().copy() if action == "read" else x.requires_grad)
            elif action == "quiet":
                with library.no_grad():
                    live.append(x * 2 + leaf)
            elif action == "detach":
                live.append(x.detach() * leaf)
            elif action == "backward":
                x.sum().backward(retain_graph=True)
            elif action == "backward_once":
                x.sum().backward()
            elif action == "update":
                with library.no_grad():
                    leaf -= 0.125 * (leaf.grad if leaf.grad is not None else leaf)
            elif action == "update_data":
                leaf.data.mul_(0.75)
            elif action == "zero":
                if leaf.grad is not None:
                    leaf.grad.zero_()
            elif action == "none":
                leaf.grad = None
            elif action == "grad":
                seen += [one if one is None else np.array(one.tolist()) for one in library.autograd.grad(x.sum(), leaves,
                    retain_graph=True, allow_unused=True)]
            elif action == "write":
                x.add_(0.25)
            elif action == "drop":
                if len(live) > 2:
                    del live[i % len(live)]
            elif action == "hook":
                x.register_hook(lambda grad: grad * 2)
        except RuntimeError:
            seen.append("RuntimeError")
            if action.startswith("backward"):  # how far a pass came before it failed is nobody's promise
                for one in leaves:
                    one.grad = None
        seen += [None if one.grad is None else one.grad.numpy().copy() for one in leaves]
    return seen + [one.detach().numpy().copy() for one in live + leaves]


@needs_torch
@pytest.mark.parametrize("shape", [(), (3,), (1100,)], ids=["scalar", "3", "1100"])
@settings(SETTINGS, max_examples=120)
@given(program=st.lists(st.tuples(st.sampled_from(ACTIONS), number, number), min_size=2, max_size=25))
def test_sessions_show_what_pytorch_shows(shape: Any, program: Any) -> None:
    ours, theirs = session(td, program, shape), session(torch, program, shape)
    for a, b in zip(ours, theirs, strict=False):
        if isinstance(b, str) and not isinstance(a, str):
            return  # PyTorch refuses because a saved value was written; tapediff has kept the value, and the two part here
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        else:
            assert type(a) is type(b)
            assert isinstance(a, np.ndarray) or a == b


@needs_torch
@settings(SETTINGS, max_examples=150)
@given(steps(*VIEWS, "expand", *WRITES, *VALUES, "detach", "no_grad", "no_grad"), st.sampled_from(SHAPES))
def test_writes_under_no_grad_and_through_aliases_are_pytorchs(program: Any, shape: Any) -> None:
    compare(program, shape)
