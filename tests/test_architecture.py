"""Imports point down: a module of tapediff imports only from layers below its own, and never in a circle."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tapediff"

# Lowest first; a layer's modules may import each other, in no circle. A dotted name is one module of a folder.
LAYERS = (
    ("compiling", "errors", "dtypes", "shapes", "version", "later", "whole_files"),
    ("printing",),
    ("ops.op", "ops.elementwise"),
    ("tape.layout", "tape.spec"),
    ("ops",),
    ("tape",),
    ("kernels",),
    ("sweeps",),
    ("rules",),
    ("memory", "building"),
    ("forward", "overwritten", "freeing"),
    ("leading",),
    ("reverse",),
    ("recording",),
    ("grad_modes",),
    ("tensor",),
    ("quick",),
    ("native",),
    ("hooks", "inplace"),
    ("functions",),
    ("autograd",),
    ("tensor_methods",),
    ("nested", "custom"),
    ("program",),
    ("special", "linalg", "random", "backends", "cuda"),
    ("nn",),
    ("func",),
    ("optim", "utils", "saving"),
    ("jobs", "viz"),
    ("hot",),
    ("__main__",),
)
RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
USERS_OF_THE_PUBLIC_NAMES = ("jobs", "viz", "__main__")


def modules() -> dict[str, Path]:
    """Every module of the package by dotted name, the package itself as `tapediff`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(module: str, source: str, is_package: bool) -> set[str]:
    """The modules of tapediff that `source` imports, anywhere in it except for type checkers alone."""
    return {name for name in imported_names(module, ast.parse(source), is_package) if name.split(".")[0] == "tapediff"}


def imported_names(module: str, node: ast.AST, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (existing(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = module.split(".") if is_package else module.split(".")[:-1]
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        yield from (existing(f"{base}.{alias.name}") for alias in node.names)
    for child in children(node):
        yield from imported_names(module, child, is_package)


def children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def existing(name: str) -> str:
    """`name`, or its longest beginning that is a module: `from tapediff.shapes import prod` imports tapediff.shapes."""
    while name.startswith("tapediff.") and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def layer(module: str) -> str:
    """The name in LAYERS under which `module` stands, or else the file or folder of tapediff that holds it."""
    name = module.removeprefix("tapediff.")
    return name if name in RANKS else name.split(".")[0]


IMPORTS = {name: imports(name, path.read_text(), path.name == "__init__.py") for name, path in MODULES.items()}


def test_every_module_has_a_layer():
    unknown = {layer(module) for module in MODULES if module != "tapediff"} - set(RANKS)
    assert not unknown, f"{sorted(unknown)} stand in no layer; give each its place in LAYERS"


@pytest.mark.parametrize("module", [module for module in MODULES if module != "tapediff"])
def test_imports_point_down(module):
    for imported in IMPORTS[module] - {module}:
        if imported == "tapediff":
            assert layer(module) in USERS_OF_THE_PUBLIC_NAMES, f"{module} imports tapediff itself; import the modules below it"
        else:
            assert RANKS[layer(imported)] <= RANKS[layer(module)], f"{module} imports {imported}, which stands above it"


def test_no_circle_of_imports():
    graph = {module: sorted(imported - {module, "tapediff"}) for module, imported in IMPORTS.items() if module != "tapediff"}
    assert not find_circle(graph)


def find_circle(graph: dict[str, list[str]]) -> list[str]:
    """The names along one circle in `graph`, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        done.add(name)
        return next(filter(None, (visit(target, [*path, name]) for target in graph[name])), [])

    return next(filter(None, (visit(name, []) for name in graph)), [])


@pytest.mark.parametrize("late", ["numba", "llvmlite", "scipy", "numpy.random", "tapediff.autograd"])
def test_importing_the_package_leaves_large_parts_for_later(late):
    code = f"import sys, tapediff; sys.exit({late!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def test_the_parser_sees_every_form_of_import():
    source = """
import numpy, tapediff.dtypes
from tapediff.shapes import Shape
def lazily():
    from .. import errors
    from .job import run
if TYPE_CHECKING:
    import tapediff.ops
"""
    expected = {"tapediff.dtypes", "tapediff.shapes", "tapediff.errors", "tapediff.jobs.job"}
    assert imports("tapediff.jobs.state", source, is_package=False) == expected
    source = "from .job import run\nfrom .. import errors"
    assert imports("tapediff.jobs", source, is_package=True) == {"tapediff.jobs.job", "tapediff.errors"}


def test_a_circle_is_found():
    assert find_circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert find_circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []


@pytest.mark.parametrize("module", MODULES)
def test_the_first_line_says_the_idea(module):
    docstring = ast.get_docstring(ast.parse(MODULES[module].read_text()))
    assert docstring, f"{MODULES[module]} has no docstring"
