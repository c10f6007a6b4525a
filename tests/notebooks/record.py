"""Runs a notebook script with another package in PyTorch's place, and records what PyTorch prints.

    python tests/notebooks/record.py [NAME ...]
"""

import ast
import contextlib
import importlib
import io
import sys
import warnings
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent


class _ImportFrom(ast.NodeTransformer):
    """Rewrites `import torch...` and `from torch... import` so that they name another package."""

    def __init__(self, package: str):
        self.package = package

    def _renamed(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        return self.package + dot + rest if head == "torch" else name

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            if alias.name == "torch":
                alias.name, alias.asname = self.package, alias.asname or "torch"
            elif alias.name.startswith("torch."):
                if alias.asname is None:
                    raise SyntaxError(f"write `import {alias.name} as ...`: a bare submodule import binds the package's own name")
                alias.name = self._renamed(alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        node.module = self._renamed(node.module or "")
        return node


def notebooks() -> list[Path]:
    """The scripts, in the order of their names."""
    return sorted(path for path in HERE.glob("*.py") if path.name not in ("conftest.py", "record.py"))


def run(path: Path, package: str) -> str:
    """What the script prints when `package` takes PyTorch's place; an uncaught error is printed as its last line."""
    tree = ast.fix_missing_locations(_ImportFrom(package).visit(ast.parse(path.read_text())))
    script = ModuleType(f"notebook_{path.stem}")
    output = io.StringIO()
    # the classes and functions of the script look their module up by name
    sys.modules[script.__name__] = script
    try:
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(tree, str(path), "exec"), script.__dict__)
    except Exception as error:
        trace, line = error.__traceback__, 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(path):
                line = trace.tb_lineno
            trace = trace.tb_next
        output.write(f"STOPPED at line {line}: {type(error).__name__}: {error}\n")
    finally:
        del sys.modules[script.__name__]
    return output.getvalue()


def main(names: list[str]) -> int:
    importlib.import_module("torch")
    failed = 0
    for path in notebooks():
        if names and path.stem not in names:
            continue
        text = run(path, "torch")
        wrong = [line for line in text.splitlines() if line.startswith(("STOPPED", "UNEXPECTED"))]
        for line in wrong:
            print(f"{path.name}: {line}")
        failed += bool(wrong)
        path.with_suffix(".out").write_text(text)
        print(f"{path.name}: {len(text.splitlines())} lines")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
