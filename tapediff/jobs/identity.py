"""What may change the bits of a result besides its inputs: the function, and what computes it."""

import functools
import inspect
import platform
from collections.abc import Mapping
from hashlib import blake2b
from types import CodeType
from typing import Any

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.function import Function, source_file
from tapediff.jobs.paths import Paths, Rows, signature_of

MOST_NESTED = 4  # levels of what a function closes over


def function_identity(f: Function) -> dict[str, Any]:
    """Name of a function, digest of the file that defines it, and digest of its own code with the numbers that it closes over.

    >>> def scaled(k):
    ...     return lambda x: k * x
    >>> function_identity(scaled(2.0)) == function_identity(scaled(2.0))
    True
    >>> function_identity(scaled(2.0))["code"] == function_identity(scaled(3.0))["code"]
    False
    """
    file = source_file(f)
    try:
        source = blake2b(file.read_bytes(), digest_size=16).hexdigest() if file and file.is_file() else None
    except OSError as error:
        raise JobError(f"{file} can't be read: {error.strerror}") from error
    code = blake2b(digest_size=16)
    add_value(code, f, MOST_NESTED)
    name = getattr(inspect.unwrap(f), "__qualname__", type(f).__name__)
    return {"name": name, "file": file.name if file and source else None, "source": source, "code": code.hexdigest()}


def add_value(digest: Any, value: Any, levels: int) -> None:
    """Add what tells a value from others to a digest; of what we know nothing about, the type."""
    digest.update(f"{type(value).__qualname__}(".encode())
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        digest.update(repr(value).encode())
    elif isinstance(value, np.ndarray | np.generic | td.Tensor):
        array = value.detach().numpy() if isinstance(value, td.Tensor) else np.asarray(value)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes() if array.dtype.kind != "O" else b"")
    elif isinstance(value, CodeType):
        digest.update(value.co_code + repr((value.co_names, value.co_varnames, value.co_freevars)).encode())
        for constant in value.co_consts:
            add_value(digest, constant, levels)
    elif levels > 0:
        for part in parts_of(value):
            add_value(digest, part, levels - 1)
    digest.update(b")")


def parts_of(value: Any) -> list[Any]:
    """What a container or a function consists of."""
    if isinstance(value, Mapping):
        return [part for item in value.items() for part in item]
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if inspect.ismethod(value):
        return [value.__func__, value.__self__]
    if inspect.isfunction(value):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell_is_full(cell)]
        return [value.__code__, value.__defaults__, value.__kwdefaults__, cells]
    if callable(value) and not inspect.isclass(value):
        return [vars(value)] if hasattr(value, "__dict__") else []
    return []


def cell_is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def program_identity(paths: Paths, rows: Rows, row: int) -> str | None:
    """The signature of the program that a row records: it changes with whatever the function imports or reads, as far as that
    row takes it. None if the row cannot be recorded."""
    try:
        return signature_of(paths.record(rows, row))
    except Exception:
        return None


def library_identity() -> dict[str, str]:
    """Versions and processor: what machine code, sums and products may depend on."""
    import llvmlite
    import numba
    import scipy
    from llvmlite import binding

    features = ",".join(sorted(name for name, is_there in binding.get_host_cpu_features().items() if is_there))
    digest = blake2b(features.encode(), digest_size=4).hexdigest()
    return {
        "tapediff": td.__version__,
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "processor": f"{platform.machine()} {binding.get_host_cpu_name()} {digest}",
    }
