"""Prints the stubs of what tables and registries put in place, so that type checkers and editors see it: `python -m
tools.write_stubs` writes them.

tapediff/__init__.pyi   the names of the package
tapediff/attached.pyi   the methods that modules above tapediff.tensor attach to Tensor
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import tapediff
from tapediff import native
from tapediff.functions import FUNCTIONS
from tapediff.tensor import Tensor

PACKAGE = Path(tapediff.__file__).parent
WRITES = "python -m tools.write_stubs"
# operators return a tensor, or NotImplemented, which their own annotations cannot say
OPERATORS = frozenset(f"__{prefix}{name}__" for prefix in ("", "r", "i") for name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"))
COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})


class Stub:
    """The lines of a stub, and what their annotations have to import."""

    def __init__(self, defined: Iterable[str]) -> None:
        self.defined = frozenset(defined)  # names that hide builtins of the same name
        self.imports: set[str] = set()
        self.lines: list[str] = []

    def text(self, title: str) -> str:
        needed = [line for line in self.imports if f"{line} as {line.split()[-1]}" not in self.lines]
        return "\n".join([f'"""{title} Printed by `{WRITES}`."""', "", *sorted(needed, key=import_order), "", *self.lines, ""])

    def function(self, name: str, made: Callable[..., Any], indent: str = "", is_method: bool = False) -> None:
        """The signature and the first sentence of a function."""
        result = self.annotation(inspect.signature(made).return_annotation, scope(made))
        result = "Tensor" if name in OPERATORS | COMPARISONS else result
        ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""  # of object they return bool
        sentence = f"\n{indent}    {first_line(made)}" if inspect.getdoc(made) else " ..."
        self.lines += [f"{indent}def {name}({self.parameters(made, is_method)}) -> {result}:{sentence}{ignored}"]

    def parameters(self, made: Callable[..., Any], is_method: bool) -> str:
        parameters = list(inspect.signature(made).parameters.values())
        words = []
        if is_method:
            if parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
                parameters = parameters[1:]
            words.append("self")
        known = scope(made)
        before = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for parameter in parameters:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and before is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                words.append("*")
            before = parameter.kind
            star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
            default = "" if parameter.default is inspect.Parameter.empty else f" = {default_text(parameter.default)}"
            words.append(f"{star}{parameter.name}: {self.annotation(parameter.annotation, known)}{default}")
        return ", ".join(words)

    def annotation(self, given: Any, known: dict[str, Any]) -> str:
        """An annotation in names that the stub imports."""
        if given is inspect.Parameter.empty:
            return self.name_of(Any)
        text = given if isinstance(given, str) else annotation_text(given)
        return ast.unparse(Resolved(self, known).visit(ast.parse(text, mode="eval").body))

    def name_of(self, thing: Any) -> str:
        """The name of a class or special form, imported; what is no plain name, a TypeVar for one, is Any."""
        module, name = getattr(thing, "__module__", None), getattr(thing, "__name__", None)
        if module == "builtins" and name is not None:
            if name not in self.defined:
                return str(name)
            self.imports.add("import builtins")
            return f"builtins.{name}"
        if module is None or name is None or isinstance(thing, typing.TypeVar):
            self.imports.add("from typing import Any")
            return "Any"
        self.imports.add(f"from {module} import {name}")
        return str(name)


class Resolved(ast.NodeTransformer):
    """Puts the stub's names for those that an annotation's module knows; spells aliases out."""

    def __init__(self, stub: Stub, known: dict[str, Any]) -> None:
        self.stub, self.known = stub, known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        thing = self.known.get(node.id, getattr(builtins, node.id, Any))
        if isinstance(thing, types.GenericAlias | types.UnionType):
            return parsed(self.stub.annotation(annotation_text(thing), vars(typing) | {"numpy": sys.modules["numpy"]}))
        return parsed(self.stub.name_of(thing))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        thing: Any = eval(ast.unparse(node), {}, dict(self.known))
        return parsed(self.stub.name_of(thing))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self.visit(parsed(node.value)) if isinstance(node.value, str) else node  # type: ignore[no-any-return]


def parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def annotation_text(thing: Any) -> str:
    return (thing.__name__ if isinstance(thing, type) and not isinstance(thing, types.GenericAlias)
            else repr(thing).replace("typing.", ""))


def scope(made: Callable[..., Any]) -> dict[str, Any]:
    """The names that a function's annotations mean."""
    return vars(sys.modules[inspect.unwrap(made).__module__])


def default_text(value: Any) -> str:
    is_literal = value is None or type(value) in (bool, int, str) or (type(value) is float and value - value == 0)
    return repr(value) if is_literal else "..."


def first_line(made: Callable[..., Any]) -> str:
    """The first sentence of a docstring, as a docstring."""
    paragraph = " ".join((inspect.getdoc(made) or "").split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.]) (?=[A-Z`])", paragraph)[0]
    return 'r"""' + sentence + '"""' if "\\" in sentence else f'"""{sentence}"""'


def import_order(line: str) -> tuple[bool, bool, str]:
    """Ruff's order: plain imports before names, ours last."""
    return "tapediff" in line, line.startswith("from"), line


# --- the two stubs --------------------------------------------------------------------------------------------------------------

def package_stub() -> str:
    """tapediff/__init__.pyi: what __init__.py imports and assigns, and the functions of the registry."""
    functions = {name: made for name, made in FUNCTIONS.items() if getattr(tapediff, name) is made}
    source = ast.parse((PACKAGE / "__init__.py").read_text())
    imported = {one.asname or one.name: f"from {node.module} import {one.name} as {one.asname or one.name}"
                for node in source.body
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tapediff.") for one in node.names}
    values = [name for name in assigned(source) if name not in imported]
    imported |= {name: f"from tapediff.{module} import {attribute} as {name}" for name,
                 (module, attribute) in tapediff._FROM.items()}
    stub = Stub({*functions, *imported, *values})
    stub.lines += [line for name, line in imported.items() if not name.startswith("_")]
    stub.lines += [f"from tapediff import {name} as {name}" for name in submodules()]
    stub.lines += ["", *(f"{name}: {stub.name_of(type(getattr(tapediff, name)))}" for name in values), ""]
    for name, made in sorted(functions.items()):
        if inspect.isfunction(made):
            stub.function(name, made)
        elif inspect.isclass(made) and getattr(sys.modules.get(made.__module__), made.__name__, None) is made:
            stub.lines.append(f"from {made.__module__} import {made.__name__} as {name}")
        else:
            stub.lines.append(f"{name}: {stub.name_of(Any)}")
    return stub.text("The names of the package.")


def assigned(source: ast.Module) -> Iterator[str]:
    """The public names that a module assigns."""
    for node in source.body:
        for target in node.targets if isinstance(node, ast.Assign) else []:
            for one in ast.walk(target):
                if isinstance(one, ast.Name) and (one.id == "__version__" or not one.id.startswith("_")):
                    yield one.id


def submodules() -> list[str]:
    """The public parts of the package that are loaded when first used."""
    present = {module.name for module in pkgutil.iter_modules(tapediff.__path__)}
    return sorted(present & set(tapediff._LAZY))


def attached_stub() -> str:
    """tapediff/attached.pyi: a base class of Tensor that only type checkers see."""
    own = own_names(ast.parse((PACKAGE / "tensor.py").read_text()))
    load_all()
    attached = {name: value for name, value in vars(Tensor).items() if name not in own and not name.startswith("_Tensor")}
    stub = Stub(attached.keys() | own)
    stub.imports |= {"from tapediff.recording import Handle", "from tapediff.tensor import Tensor"}
    stub.lines = ["", "class Attached(Handle):"]
    for name, value in sorted(attached.items()):
        if name in native.state.methods:
            value = native.state.methods[name][0]  # the Python function, with its annotations
        if isinstance(value, property):
            assert value.fget is not None
            stub.lines.append("    @property")
            stub.function(name, value.fget, "    ", is_method=True)
            if value.fset is not None:
                stub.lines += [f"    @{name}.setter", f"    def {name}({stub.parameters(value.fset, is_method=True)}) -> None: "
                                                      "..."]
        elif inspect.isfunction(value):
            stub.function(name, value, "    ", is_method=True)
    return stub.text("The methods that modules above tapediff.tensor attach to Tensor.")


def own_names(source: ast.Module) -> set[str]:
    """The names in the body of class Tensor."""
    body = next(node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "Tensor").body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return defined | {target.id for node in body if isinstance(node, ast.Assign) for target in node.targets
                      if isinstance(target, ast.Name)} | {
        "__doc__", "__module__", "__slots__", "_construct"}


def load_all() -> None:
    """Import what may attach methods."""
    for name in submodules():
        importlib.import_module(f"tapediff.{name}")


STUBS = {"__init__.pyi": package_stub, "attached.pyi": attached_stub}


if __name__ == "__main__":
    for name, write in STUBS.items():
        (PACKAGE / name).write_text(write())
