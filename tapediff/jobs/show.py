"""The program that a function records for a row, or that a file holds: found, named and drawn."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.evaluate import describe_row_error, one_element
from tapediff.jobs.function import Function, load_function, match_parameters
from tapediff.jobs.sources import Given, common_length, open_sources, read_shared
from tapediff.program.drawing import drawing

MOST_DRAWN = 3000  # instructions; Graphviz takes minutes to lay out more


def is_function(target: str) -> bool:
    """Whether a function is named, not the file of a program.

    >>> is_function("model.py:loss"), is_function("model.py"), is_function("loss.td")
    (True, True, False)
    """
    return ".py:" in target or target.endswith(".py") or (":" in target and not Path(target).is_file())


def load_program(path: str) -> td.Program:
    """A saved program; nothing in its file is executed."""
    try:
        return td.load_program(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise JobError(f"{path} is neither FILE.py:FUNCTION nor the file of a program: {error}") from error


def record_row(
    target: str, rows: Mapping[str, Given], shared: Mapping[str, Given], row: int, lines: bool = False
) -> tuple[td.Program, dict[str, bool], int]:
    """The program of one row, the names of its inputs and whether they differ by row, and how many rows there are."""
    f = load_function(target)
    if not rows and not shared:
        raise JobError("no inputs were given; name the function's parameters with --rows NAME=SOURCE or --shared NAME=SOURCE")
    inputs = {name: read_shared(name, given) for name, given in shared.items()}
    sources = open_sources(rows)
    try:
        match_parameters(f, [*sources, *inputs])
        length = common_length(sources) if sources else row + 1
        if row >= length:
            raise JobError(f"--row {row}: there are {length:,} rows, counted from 0")
        chosen = {name: source.read(row, row + 1)[0] for name, source in sources.items()}
    finally:
        for source in sources.values():
            source.close()
    is_row = dict.fromkeys(chosen, True) | dict.fromkeys(inputs, False)
    return record(f, chosen | inputs, row, lines), is_row, length


def record(f: Function, inputs: Mapping[str, np.ndarray], row: int, lines: bool) -> td.Program:
    """The program of `f` with keyword arguments."""
    def call(*arguments: td.Tensor) -> td.Tensor:
        return one_element(f(**dict(zip(inputs, arguments, strict=True))))

    call.__name__ = getattr(f, "__name__", "f")
    try:
        return td.record(call, *inputs.values(), lines=lines)
    except Exception as error:
        raise JobError(f"row {row}: {describe_row_error(f, error)}") from error


def draw(program: td.Program, names: list[str], path: Path) -> None:
    """Have Graphviz draw the program into a PNG file."""
    if len(program) > MOST_DRAWN:
        raise JobError(f"the program has {len(program):,} instructions, too many for a picture; --dot writes the graph")
    dot = shutil.which("dot")
    if dot is None:
        raise JobError("a picture needs the program dot of Graphviz (Debian: apt-get install graphviz); --dot writes the graph")
    text = drawing(program.tape, program.name, names)
    try:
        done = subprocess.run([dot, "-Tpng"], input=text.encode(), capture_output=True, check=True)
        path.write_bytes(done.stdout)
    except subprocess.CalledProcessError as error:
        raise JobError(f"dot failed: {' '.join(error.stderr.decode(errors='replace').split())}") from error
    except OSError as error:
        raise JobError(f"{path} can't be written: {error.strerror}") from error
