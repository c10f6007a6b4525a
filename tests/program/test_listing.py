"""Listings say what the instructions do, in words; source lines stay with their instructions."""

import sys

import numpy as np
import pytest

import tapediff as td

X = np.arange(24.0).reshape(2, 3, 4)


def line_of(function, *examples):
    """The line of the last instruction but those that add up."""
    text = str(td.record(function, *examples))
    return [line.split(": ", 1)[1] for line in text.splitlines() if line.strip()[:1].isdigit()]


@pytest.mark.parametrize(("function", "line"), [
    (lambda x: x[1], "select(x0[1, :, :]): float64[3, 4]"),
    (lambda x: x[:, 1:3], "slice(%0[:, 1:, :]): float64[2, 2, 4]"),
    (lambda x: x[..., ::2], "slice(x0[:, :, :3:2]): float64[2, 3, 2]"),
    (lambda x: x[1, 2, 3], "select(%1[3]): float64"),
    (lambda x: x.permute(2, 0, 1), "permute(x0, dims=(2, 0, 1)): float64[4, 2, 3]"),
    (lambda x: x.transpose(0, 1), "transpose(x0, dims=(1, 0, 2)): float64[3, 2, 4]"),
    (lambda x: x.reshape(6, 4), "view(x0): float64[6, 4]"),
    (lambda x: x.sum(), "sum(x0): float64"),
    (lambda x: x.sum(1, keepdim=True), "sum_dim(x0, dim=1, keepdim=True): float64[2, 1, 4]"),
    (lambda x: x.mean((0, 2)), "mean_dim(x0, dim=(0, 2)): float64[3]"),
    (lambda x: x.softmax(-1), "softmax(x0, dim=2): float64[2, 3, 4]"),
    (lambda x: x + 1, "add(x0, 1.0): float64[2, 3, 4]"),
])
def test_attributes_in_words(function, line):
    assert line in line_of(function, X)


def test_an_index_is_shown_only_where_it_is_the_view():
    program = td.record(lambda x: td.as_strided(x, (2, 2), (5, 1), 1), X)
    assert "strides=(5, 1), offset=1" in str(program)


def test_the_first_line_counts_and_says_how_much_memory():
    heading = str(td.record(lambda x: x * 2 + td.ones(3, dtype=td.float64), np.ones(3))).splitlines()[0]
    assert heading.endswith("1 input, 1 output, 2 instructions, 48 bytes of values, 32 bytes of constants")


def chain(x, length=1000):
    for _ in range(length):
        x = x * 1.5
        if x > -1e300:
            x = x + 1
    return x


def test_long_programs_show_both_ends():
    program = td.record(chain, 1.0)
    lines = str(program).splitlines()
    assert len(lines) < 400
    assert "  ... 2800 instructions and 934 guards" in lines
    assert "  0: mul(x0, 1.5): float64" in lines
    assert f"  {len(program) - 1}: add(%{len(program) - 3}, 1.0): float64" in lines
    assert len(program.listing(lines=None).splitlines()) > len(program)
    assert len(program.listing(lines=3).splitlines()) < 10
    with pytest.raises(ValueError, match="lines=-1"):
        program.listing(lines=-1)


def test_large_constants_show_their_beginning():
    constant = td.tensor(np.arange(1000.0))
    assert "c2: float64[1000], constant [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, ...]" in str(
        td.record(lambda x: 2 * x * constant, 1.0)).replace("c1:", "c2:")


def test_guards_stand_below_the_value_that_they_ask():
    lines = str(td.record(lambda x: x * 2 if x > 0 else x, 1.0)).splitlines()
    at = next(k for k, line in enumerate(lines) if "gt(x0, 0.0)" in line)
    assert lines[at + 1].strip().startswith("guard: %0: bool(value) is True")


# --- source lines ---------------------------------------------------------------------------------------------------------------

def inner(x):
    return x.sin() + 1


def outer(x):
    y = inner(x) * 2
    z = (y
         - x)
    with td.no_grad():
        w = x.cos()
    return [inner(part) for part in (z, w)], y.exp()


def places(program):
    first = outer.__code__.co_firstlineno
    found = {}
    for operation, place in zip(program.tape.operations, program.tape.lines, strict=True):
        found.setdefault(operation.name, []).append(place[1] - first)
    return found


def test_every_instruction_knows_its_line():
    program = td.record(outer, 1.0, lines=True)
    sin = inner.__code__.co_firstlineno + 1 - outer.__code__.co_firstlineno
    found = places(program)
    assert found["sin"] == [sin] * 3
    assert found["mul"] == [1]
    assert found["sub"][0] in (2, 3)
    assert found["cos"] == [5]
    assert found["exp"] == [6]
    assert "test_listing.py" in program.listing(source=True)
    assert "y = inner(x) * 2" in program.listing(source=True)
    assert "y = inner(x) * 2" not in program.listing()


def test_lines_are_noted_only_when_asked():
    assert td.record(outer, 1.0).tape.lines is None


def test_lines_stay_with_their_instructions_when_dead_code_goes():
    def function(x):
        x.exp()
        y = x.sin()
        x.cos()
        return y.tan()
    program = td.record(function, 1.0, lines=True)
    first = function.__code__.co_firstlineno
    assert [place[1] - first for place in program.tape.lines] == [2, 4]


def test_lines_of_more_than_one_segment():
    def function(x):
        for _ in range(3000):
            x = x * 1.0001
            x = x + 1e-9
        return x
    program = td.record(function, 1.0, lines=True)
    first = function.__code__.co_firstlineno
    names = [operation.name for operation in program.tape.operations]
    assert [place[1] - first for place in program.tape.lines] == [2 if name == "mul" else 3 for name in names]
    assert len(program) == 6000


def test_lines_are_saved_with_their_text(tmp_path):
    program = td.record(outer, 1.0, lines=True)
    program.save(tmp_path / "f")
    loaded = td.load_program(tmp_path / "f")
    assert loaded.listing(source=True) == program.listing(source=True)
    assert loaded.tape.lines[0][:3] == program.tape.lines[0]


def test_a_debuggers_trace_function_is_put_back():
    def debugger(frame, event, argument):
        return None

    def failing(x):
        raise KeyError("mine")

    before = sys.gettrace()
    sys.settrace(debugger)
    try:
        td.record(outer, 1.0, lines=True)
        first = sys.gettrace()
        with pytest.raises(KeyError):
            td.record(failing, 1.0, lines=True)
        second = sys.gettrace()
    finally:
        sys.settrace(before)
    assert first is second is debugger


def test_what_is_derived_comes_from_the_lines_of_what_it_derives(tmp_path):
    def f(x):
        y = x.sin()
        z = (y * x).exp()
        return (z * 0.5).sum()

    program = td.record(f, np.ones(3), lines=True)
    program.save(tmp_path / "program.td")
    first = f.__code__.co_firstlineno
    for source in (program, td.load_program(tmp_path / "program.td")):
        for which, positions, seeded in (("grad", (0,), ()), ("vjp", (0,), (0,)), ("jvp", (0,), ()), ("jacobian", (0,), ())):
            tape = source.derived(which, positions, seeded).tape
            found = {operation.name: place[1] - first for operation, place in zip(tape.operations, tape.lines, strict=True)}
            assert found["cos"] == 1, which  # the derivative of sin
            assert set(found.values()) <= {1, 2, 3}
            assert {place[0] for place in tape.lines} == {f.__code__.co_filename}
    assert td.record(f, np.ones(3)).derived("grad", (0,)).tape.lines is None


def test_a_gradient_inside_a_recorded_function_comes_from_the_line_that_takes_it():
    def f(x):
        y = x.sin().sum()
        return td.autograd.grad(y, x, create_graph=True)[0]

    tape = td.record(f, np.ones(3), lines=True).tape
    assert [place[1] - f.__code__.co_firstlineno for operation, place in zip(tape.operations, tape.lines, strict=True)
            if operation.name == "cos"] == [2]
