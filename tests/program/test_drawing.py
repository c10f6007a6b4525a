"""Drawings of programs: every value and every operand of the listing is in the graph, and the text is DOT."""

import re

import numpy as np
import pytest

import tapediff as td
from tapediff.program.drawing import drawing

STRING = r'"(?:[^"\\]|\\.)*"'
STATEMENT = re.compile(
    r"(?:graph|node|edge) \[.*\]"
    rf"|label={STRING}|\w+ \[label={STRING}(?:, \w+=(?:\w+|{STRING}))*\]"
    r"|\w+ -> \w+(?: \[style=dashed\])?"
)


def graph_of(f, *examples, names=()):
    """The labels of the nodes and the edges; fails where a line is no statement of DOT."""
    program = td.record(f, *examples)
    first, *lines, last = drawing(program.tape, program.name, names).split("\n")
    assert re.fullmatch(rf"digraph {STRING} {{", first)
    assert last == "}"
    assert all(re.fullmatch(rf"\s+(?:{STATEMENT.pattern});", line) for line in lines)
    nodes = dict(re.findall(rf"^  (\w+) \[label=({STRING})", "\n".join(lines), re.MULTILINE))
    edges = re.findall(r"^  (\w+) -> (\w+)", "\n".join(lines), re.MULTILINE)
    assert {end for edge in edges for end in edge} <= set(nodes)
    assert not set(nodes) & {"graph", "node", "edge"}
    return {name: label[1:-1].split("\\n") for name, label in nodes.items()}, edges, program


def test_every_instruction_and_operand_is_there():
    nodes, edges, program = graph_of(lambda x, y: (x @ y).relu().sum() + y[0], np.ones(3), np.ones(3), names=["left"])
    assert nodes["x0"] == ["left", "float64[3]"]
    assert nodes["x1"] == ["x1", "float64[3]"]
    for index, operation in enumerate(program.tape.operations):
        assert nodes[str(index)][0].startswith(operation.name)
        read = [str(value) if value >= 0 else f"x{-value - 1}" for value in program.tape.operands[index]]
        assert [start for start, end in edges if end == str(index)] == read
    assert (str(len(program) - 1), "out0") in edges


def test_numbers_stand_where_they_are_read_and_constants_have_boxes():
    weights = td.tensor(np.arange(3.0))
    nodes, edges, _ = graph_of(lambda x: (2.0 - x * weights).sum() ** 2, np.ones(3))
    labels = [label[0] for label in nodes.values()]
    assert "sub(2.0, ·)" in labels
    assert ["constant", "float64[3]"] in nodes.values()
    assert all(source != "c" for source, _ in edges)


def test_guards_hang_on_the_value_that_they_ask():
    def f(x):
        return x * 2 if x > 1 else x

    nodes, edges, _ = graph_of(f, 3.0)
    (asked,) = [source for source, target in edges if target == "guard0"]
    assert nodes[asked][0] == "gt(·, 1.0)"
    assert "bool(value) is True" in nodes["guard0"][1]


@pytest.mark.parametrize("name", ['say "x"', "back\\slash", "ä é", "two\nlines"])
def test_any_name_is_a_string_of_dot(name):
    program = td.record(lambda x: x.sin(), 1.0)
    text = drawing(program.tape, name.replace("\n", " "), [name.replace("\n", " ")])
    assert re.search(rf"^digraph {STRING} {{$", text, re.MULTILINE)


def test_outputs_that_are_no_instructions():
    nodes, edges, _ = graph_of(lambda x: (x, td.tensor(3.0), x * x), 1.0)
    assert ("x0", "out0") in edges
    assert nodes["out1"] == ["return 1 3.0"]
    assert nodes["out2"] == ["return 2"]
