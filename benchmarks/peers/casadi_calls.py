"""CasADi as fast as Python can call it: functions bound to buffers, and functions compiled from the C that CasADi writes."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class NoCompiler(RuntimeError):
    """There is no C compiler on this machine."""


def bind(function: Any, *points: np.ndarray) -> tuple[Callable[[], None], list[np.ndarray]]:
    """A call without arguments, and the flat arrays (columns first) that it fills; it reads what stands in `points`."""
    buffer, trigger = function.buffer()
    results = [np.zeros(function.numel_out(k)) for k in range(function.n_out())]
    for k, point in enumerate(points):
        buffer.set_arg(k, memoryview(point))
    for k, result in enumerate(results):
        buffer.set_res(k, memoryview(result))
    kept = (buffer, points)  # the buffer holds addresses only

    def call() -> None:
        assert kept
        trigger()

    return call, results


def compiled(function: Any) -> Any:
    """A CasADi function written as C, compiled with -O2 and loaded again; NoCompiler where there is no compiler."""
    import casadi

    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompiler("no C compiler: neither cc, gcc nor clang is on the path")
    folder = Path(tempfile.mkdtemp(prefix="casadi-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    generator = casadi.CodeGenerator(f"{function.name()}.c")
    generator.add(function)
    source, library = Path(generator.generate(f"{folder}/")), folder / f"{function.name()}.so"
    subprocess.run([compiler, "-O2", "-fPIC", "-shared", str(source), "-o", str(library), "-lm"], check=True)
    return casadi.external(function.name(), str(library))
