"""Prints docs/ops.md: one line for every row of the two tables of ops.

    python -m tools.write_op_reference > docs/ops.md

Everything in the reference is read from the rows and from the public names; nothing about an op is written here.
"""

from __future__ import annotations

from itertools import pairwise

import tapediff as td
from tapediff.ops import ELEMENTWISE, STRUCTURAL, Domain, Elementwise, Structural

__all__ = ["reference"]

HEAD = """\
# Op reference

Printed by `python -m tools.write_op_reference > docs/ops.md` from the two tables of ops in `tapediff/ops/`;
`tests/test_docs.py` fails when it is not current. Everything that is not in here is composed from what is.

* **public name**: `x.name` is a method of tensors, `F` stands for `td.nn.functional`. Rows without one are recorded by other
  functions.
* **grad_fn**: the node's name, as PyTorch prints it. Where an operand is a Python number, or a function is composed, another
  name may be printed.
* **in place**: the method that writes the result into its first operand.
"""

ELEMENTWISE_HEAD = """\
## Element-wise ops

Every one of these {count} rows is compiled from its formulas. `a`, `b`, `c` are the operands, `y` is the value, `y_bar` its
adjoint. A partial with `y_bar` is the whole pullback; any other one is multiplied by `y_bar`, where a zero `y_bar` gives zero
even if the partial is inf or nan. "-": not differentiable with respect to this operand.

**takes**: the classes of dtype; "to float" promotes integers and bool to the default dtype, "to bool" gives bool. **tested on**:
the open intervals from which the tests draw operands, and the kinks that they leave out.
"""

STRUCTURAL_HEAD = """\
## Structural ops

Ops that no formula states, {count} rows. **differentiable by**: the operands, counted from 0, that can receive an adjoint.
**saved**: what the derivative rule reads and an in-place write would spoil; `y` is the result.

**executed by**: "compiled", with the kernel's name in `tapediff/kernels/structural.py`; "alias", where the result is the
operand's memory under another shape; or "NumPy", with one step through Python per instruction and sweep. Operands that a compiled
kernel does not serve (`serves` in `tapediff/recording.py` says which: no elements, integers, dims that do not lie beside each
other ...) are NumPy's, too.
"""

ELEMENTWISE_COLUMNS = ("name", "public name", "y =", "partials", "grad_fn", "takes", "tested on", "oracle", "in place")
STRUCTURAL_COLUMNS = ("name", "public name", "what it is", "grad_fn", "differentiable by", "saved", "executed by", "in place")


def reference() -> str:
    """The whole document."""
    elementwise = table(ELEMENTWISE_COLUMNS, [elementwise_cells(row) for row in ELEMENTWISE.values()])
    structural = table(STRUCTURAL_COLUMNS, [structural_cells(row) for row in STRUCTURAL.values()])
    heads = ELEMENTWISE_HEAD.format(count=len(ELEMENTWISE)), STRUCTURAL_HEAD.format(count=len(STRUCTURAL))
    return "\n".join([HEAD, heads[0], elementwise, heads[1], structural])


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table.

    >>> print(table(("name", "y ="), [("or", "`a | b`")]), end="")
    | name | y = |
    |---|---|
    | or | `a \\| b` |
    """
    lines = [head, *rows]
    text = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([text[0], "|---" * len(head) + "|", *text[1:]]) + "\n"


def code(text: str) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def elementwise_cells(row: Elementwise) -> tuple[str, ...]:
    """One line of the first table."""
    partials = ", ".join("-" if partial is None else code(partial) for partial in row.partials)
    kinds = " ".join(kind for kind in ("float", "int", "bool") if kind in row.kinds)
    result = {"same": "", "float": ", to float", "bool": ", to bool"}[row.result]
    domain = ", ".join(map(interval, row.domain))
    grad_fn = row.grad_fn if row.is_differentiable else "-"
    return (row.name, public_name(row.name), code(row.formula), partials, grad_fn, kinds + result, domain, code(row.oracle or ""),
            in_place_form(row.name))


def interval(domain: Domain) -> str:
    """An open interval without its kinks.

    >>> interval(Domain(-4, 4, (0.0,)))
    '(-4, 4) without 0'
    """
    kinks = list(domain.kinks)
    steps = [high - low for low, high in pairwise(kinks)]
    if len(kinks) > 3 and len(set(steps)) == 1:
        without = f" without multiples of {steps[0]:g}"
    else:
        without = f" without {', '.join(f'{kink:g}' for kink in kinks)}" if kinks else ""
    return f"({domain.low:g}, {domain.high:g}){without}"


def structural_cells(row: Structural) -> tuple[str, ...]:
    """One line of the second table."""
    grad_fn = row.grad_fn if row.pullback else "-"
    return (row.name, public_name(row.name), row.doc, grad_fn, differentiable_operands(row), saved_values(row), executor(row),
            in_place_form(row.name))


def differentiable_operands(row: Structural) -> str:
    """The operands that can receive an adjoint."""
    if row.pullback is None:
        return "-"
    return "all" if row.operands is None else ", ".join(map(str, row.operands))


def saved_values(row: Structural) -> str:
    """What the pullbacks read."""
    positions = (row.operands or range(3)) if callable(row.saves) else range(len(row.saves))
    found = set().union(*[row.saved_by(position) for position in positions])
    operands = sorted(found - {"y"})
    texts = [f"{operands[0]} and all later"] if len(operands) > 4 else list(map(str, operands))
    return ", ".join(texts + ["y"] * ("y" in found)) if row.pullback and found else "-"


def executor(row: Structural) -> str:
    """Who computes the op."""
    if row.is_alias:
        return "alias"
    return f"compiled, `{row.kernel}`" if row.kernel else "NumPy"


def public_name(name: str) -> str:
    """Where a user finds the op."""
    if hasattr(td, name) and callable(getattr(td, name)):
        return f"`td.{name}`"
    if hasattr(td.Tensor, name):
        return f"`x.{name}`"
    return f"`F.{name}`" if hasattr(td.nn.functional, name) else ""


def in_place_form(name: str) -> str:
    """The in-place method."""
    form = name if name.endswith("_") else f"{name}_"
    return f"`{form}`" if hasattr(td.Tensor, form) else ""


if __name__ == "__main__":
    print(reference(), end="")
