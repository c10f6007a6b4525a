"""Drawings: a closed tape as a graph in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Sequence

from tapediff.program.closed import ClosedTape
from tapediff.program.listing import attributes_text, described, heading, index_text, is_literal, names_of

__all__ = ["drawing"]

STYLE = """\
  graph [rankdir=TB, fontname="Helvetica", labelloc=t];
  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fillcolor="white"];
  edge [arrowsize=0.6, color="gray40"];"""
INPUT = 'style=filled, fillcolor="lightblue"'
CONSTANT = 'style=filled, fillcolor="gray90"'
GUARD = 'shape=note, fillcolor="moccasin"'


def drawing(tape: ClosedTape, name: str, inputs: Sequence[str] = ()) -> str:
    """The tape as DOT: a box for every input, large constant, instruction, guard and output, an arrow for every operand.

    inputs  names of the inputs, in their order; `x0`, `x1` ... where they are missing

    >>> import tapediff as td
    >>> print(drawing(td.record(lambda x: (x * 2).sin(), 1.0).tape, "f", ["angle"]))  # doctest: +ELLIPSIS
    digraph "f" {
      label="program f: 1 input, 1 output, 2 instructions, ...";
      ...
      x0 [label="angle\\nfloat64", style=filled, fillcolor="lightblue"];
      0 [label="mul(·, 2.0)\\nfloat64"];
      x0 -> 0;
      1 [label="sin\\nfloat64"];
      0 -> 1;
      out0 [label="return", shape=plaintext, style=""];
      1 -> out0;
    }
    """
    named = names_of(tape)
    lines = [f"digraph {quoted(name)} {{", f"  label={quoted(heading(tape, name))};", STYLE]
    for k, leaf in enumerate(tape.leaves):
        if leaf.how == "input":
            title = inputs[leaf.what] if leaf.what < len(inputs) else named(-k - 1)
            lines.append(f"  {node(tape, -k - 1)} [label={label(title, described(leaf.spec))}, {INPUT}];")
        elif not is_literal(leaf):
            lines.append(f"  {node(tape, -k - 1)} [label={label(leaf.how, described(leaf.spec))}, {CONSTANT}];")
    for index, operation in enumerate(tape.operations):
        lines.append(f"  {index} [label={label(title_of(tape, index), described(operation.spec))}];")
        operands = [value for value in tape.operands[index] if not is_shown_inside(tape, value)]
        lines += [f"  {node(tape, value)} -> {index};" for value in operands]
    for number, guard in enumerate(tape.guards):
        lines.append(f"  guard{number} [label={label('guard', str(guard))}, {GUARD}];")
        if not is_shown_inside(tape, guard.value):
            lines.append(f"  {node(tape, guard.value)} -> guard{number} [style=dashed];")
    for number, value in enumerate(tape.outputs):
        title = "return" if len(tape.outputs) == 1 else f"return {number}"
        shown = f" {named(value)}" if is_shown_inside(tape, value) else ""
        lines.append(f'  out{number} [label={label(title + shown)}, shape=plaintext, style=""];')
        if not shown:
            lines.append(f"  {node(tape, value)} -> out{number};")
    return "\n".join([*lines, "}"])


def title_of(tape: ClosedTape, index: int) -> str:
    """The op, its operands where some are single numbers, and its attributes."""
    operation = tape.operations[index]
    part = index_text(operation)
    details = [part] if part is not None else attributes_text(operation)
    operands = [names_of(tape)(value) if is_shown_inside(tape, value) else "·" for value in tape.operands[index]]
    call = f"({', '.join(operands)})" if any(operand != "·" for operand in operands) else ""
    return f"{operation.name}{call}{' ' * bool(details)}{', '.join(details)}"


def is_shown_inside(tape: ClosedTape, value: int) -> bool:
    """Whether a value has no box of its own: a constant of one element stands where it is read."""
    return value < 0 and is_literal(tape.leaves[-value - 1])


def node(tape: ClosedTape, value: int) -> str:
    """The name of a value's box."""
    if value >= 0:
        return str(value)
    leaf = tape.leaves[-value - 1]
    return f"x{leaf.what}" if leaf.how == "input" else f"c{-value - 1}"


def label(*lines: str) -> str:
    """Lines of text as a string of DOT."""
    return quoted("\n".join(lines)).replace("\n", "\\n")


def quoted(text: str) -> str:
    r"""Text as a string of DOT, where only quotes and backslashes are special.

    >>> print(quoted(r'say "x"'))
    "say \"x\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
