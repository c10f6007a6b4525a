"""The function of a job: loaded from the file that the user names, its parameters matched by name."""

import functools
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from tapediff.jobs.errors import JobError

Function = Callable[..., Any]
OWN_MODULES = "_tapediff_job_"  # how the names of modules begin that are files of users


def load_function(target: str) -> Function:
    """The function that `FILE.py:function` names."""
    file, colon, name = target.rpartition(":")
    if not colon or not file or not name:
        raise JobError(f"{target!r} does not name a function; write FILE.py:function")
    path = Path(file)
    if not path.is_file():
        raise JobError(f"{file} {'is not a file' if path.exists() else 'does not exist'}; write FILE.py:function")
    if path.suffix != ".py":
        raise JobError(f"{file} is not a Python file; write FILE.py:function")
    function = getattr(run_file(path), name, None)
    if function is None:
        raise JobError(f"{file} defines no function {name!r}")
    if not callable(function):
        raise JobError(f"{name!r} in {file} is of type {type(function).__name__}, not a function")
    return function


def run_file(path: Path) -> ModuleType:
    """The module of a Python file, which may import the modules beside it, as a script may."""
    module_name = f"{OWN_MODULES}{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pickle look their module up by name
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise JobError(f"{path} can't be imported: {describe(error, path)}") from error
    finally:
        sys.path.pop(0)
    return module


def without_exit(f: Function) -> Function:
    """The function, with `sys.exit()` as an exception like any other: it is one row that went wrong, not the end of the job."""
    @functools.wraps(f)
    def call(**arguments: Any) -> Any:
        try:
            return f(**arguments)
        except (SystemExit, GeneratorExit) as error:
            raise RuntimeError(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__) from None

    return call


def match_parameters(f: Function, given: Collection[str]) -> None:
    """Raise unless `f` can be called with exactly the keyword arguments `given`.

    >>> match_parameters(lambda x, scale=1.0: x * scale, ["x"])
    """
    name = getattr(f, "__name__", "the function")
    parameters = inspect.signature(f).parameters.values()
    by_keyword = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    signature = f"{name}({', '.join(by_keyword)})"
    unknown = [] if takes_any else [argument for argument in given if argument not in by_keyword]
    if unknown:
        raise JobError(f"{signature} has no parameter {', '.join(map(repr, unknown))}; inputs are matched by name")
    required = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    missing = [parameter for parameter in required if parameter not in given]
    if missing:
        raise JobError(f"{signature} needs {', '.join(map(repr, missing))}; give it as a row input or a shared input")


def describe(error: BaseException, path: Path | None) -> str:
    """One line about an exception of the user's code: its type, its message, and the last line of `path` that it went through."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} (line {error.lineno})"
    file = path.resolve() if path else None
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve() == file]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def source_file(f: Function) -> Path | None:
    """The file that defines `f`, if it has one."""
    try:
        file = inspect.getsourcefile(inspect.unwrap(f))
    except TypeError:
        return None
    return Path(file) if file else None
