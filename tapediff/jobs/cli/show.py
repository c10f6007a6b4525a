"""`tapediff show`: the program that a function records for a row, as a listing or a drawing."""

import argparse
from pathlib import Path
from typing import Any

from tapediff.jobs.cli.options import INPUTS, named_sources, natural, new_parser
from tapediff.jobs.errors import JobError

DESCRIPTION = f"""\
Record a function on one row of its inputs and print the program: a line for every instruction, and the guards where Python took a
decision. A saved program (td.Program.save) is shown too; nothing in its file is executed.

{INPUTS}"""

EPILOG = """\
exit codes:
  0  shown
  2  an argument, an input, the function or the row can't be used; one line says which and why

examples:
  tapediff show model.py:loss --rows pixels=data.npy --rows label=labels.npy --shared weight=weights.npz:weight --source
  tapediff show model.py:loss --rows x=data.npy --png loss.png
  tapediff show loss.td --dot | dot -Tsvg > loss.svg
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = new_parser(commands, "show", "the recorded program of a function, as a listing or a drawing", DESCRIPTION, EPILOG)
    add = parser.add_argument
    add("function", metavar="FILE.py:FUNCTION|PROGRAM", help="the function, whose file is executed, or a saved program")
    add("--rows", metavar="NAME=SOURCE", action="append", default=[], help="a parameter that differs by row (repeatable)")
    add("--shared", metavar="NAME=SOURCE", action="append", default=[], help="a parameter that all rows share (repeatable)")
    add("--row", metavar="N", type=natural, default=0, help="the row to record, from 0 (default 0)")
    add("--lines", metavar="N", type=natural, default=200, help="instructions to list, 0 for all (default %(default)s)")
    add("--source", action="store_true", help="the line of source behind each instruction")
    add("--dot", metavar="FILE", nargs="?", const="-",
        help="write the graph in the DOT language instead (without FILE: to stdout)")
    add("--png", metavar="FILE", help="draw the graph as a picture instead; needs the program dot of Graphviz")
    return parser


def execute(options: argparse.Namespace) -> int:
    """`tapediff show`."""
    from tapediff.jobs.show import draw, is_function, load_program, record_row
    from tapediff.program.drawing import drawing

    rows, shared = named_sources("--rows", options.rows), named_sources("--shared", options.shared)
    is_row: dict[str, bool] = {}
    heading = ""
    if is_function(options.function):
        program, is_row, length = record_row(options.function, rows, shared, options.row, options.source)
        heading = f"inputs on row {options.row:,} of {length:,}:\n" if rows else "inputs:\n"
        heading += "".join(f"  x{number}: {name}{'' if is_row[name] else ', shared'}\n" for number, name in enumerate(is_row))
    elif rows or shared:
        raise JobError(f"{options.function} is a program, which needs no inputs to be shown; leave out --rows and --shared")
    else:
        program = load_program(options.function)
    if options.png:
        draw(program, list(is_row), Path(options.png))
    if options.dot:
        write(drawing(program.tape, program.name, list(is_row)), options.dot)
    if not options.png and not options.dot:
        print(heading + program.listing(lines=options.lines or None, source=options.source))
    return 0


def write(text: str, file: str) -> None:
    """Write to a file, or to stdout for "-"."""
    if file == "-":
        print(text)
        return
    try:
        Path(file).write_text(f"{text}\n")
    except OSError as error:
        raise JobError(f"{file} can't be written: {error.strerror}") from error
