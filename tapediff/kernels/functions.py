"""Finds what a formula calls: the function of vecmath for a dtype, a constant of vecmath, or another row."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from tapediff.kernels import coefficients
from tapediff.kernels.instructions import KIND
from tapediff.ops.custom import formula_row

VECMATH = Path(__file__).with_name("vecmath.py")


class VectorFunctions:
    """The functions of vecmath and the rows of the table, by name.

    >>> VectorFunctions().definition("sign", "int32").name
    'sign_int'
    """

    def __init__(self) -> None:
        tree = ast.parse(VECMATH.read_text())
        self._definitions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def definition(self, name: str, dtype: str) -> ast.FunctionDef | None:
        """The most special of ``name_float64``, ``name_float`` and ``name``."""
        for candidate in (f"{name}_{dtype}", f"{name}_{KIND[dtype]}", name):
            if candidate in self._definitions:
                return self._definitions[candidate]
        return None

    def constant(self, name: str, dtype: str) -> Any:
        """A number or a tuple of numbers from tapediff/kernels/coefficients.py: ``NAME_FLOAT32`` or, for all dtypes, ``NAME``."""
        for candidate in (f"{name}_{dtype.upper()}", name):
            if hasattr(coefficients, candidate):
                return getattr(coefficients, candidate)
        raise NameError(f"formula: {name} has no value for {dtype}; tools/fit_polynomials.py prints the values")

    def row(self, name: str) -> str | None:
        """The formula of the op called `name`."""
        row = formula_row(name)
        return None if row is None else row.formula
