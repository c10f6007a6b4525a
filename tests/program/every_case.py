"""Values and gradients of some of the parity cases, eagerly, as replays and in batches: to be compared between processes.

    python tests/program/every_case.py FILE.npz STEP
"""

import functools
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "parity"):
    sys.path.insert(0, str(folder))

from executors import eager, eager_gradient, stacked  # noqa: E402
from parity_cases import CASES  # noqa: E402
from test_programs_of_every_op import results, variant, weighted  # noqa: E402

import tapediff as td  # noqa: E402
from tapediff.nested import flatten  # noqa: E402

ROWS = 9  # more than the lanes: a whole block and a part of one


def chosen(step):
    """Every so many-th case; random numbers would differ."""
    return [case for case in CASES if case.name != "creation-rand shape"][::step]


def found(case):
    """What every executor gives for a case, by name."""
    values = [variant(operand, k, "float64", 0) for k, operand in enumerate(case.operands)]
    arrays = {f"eager {k}": y for k, y in enumerate(eager(functools.partial(results, case), *values))}
    f = functools.partial(results, case)
    program = td.record(f, *values)
    arrays |= {f"replay {k}": y for k, y in enumerate(flatten(program(*values))[0])}
    rows = stacked([values] * ROWS)
    if rows:
        arrays |= {f"batch {k}": y for k, y in enumerate(flatten(program.batch(lanes=8, threads=1)(*rows))[0])}
    wanted = tuple(k for k, value in enumerate(values) if value.dtype.kind == "f")
    g = functools.partial(weighted, case)
    if wanted and g(*map(td.tensor, values)) is not None:
        program = td.record(g, *values)
        arrays |= {f"eager gradient {k}": y for k, y in zip(wanted, eager_gradient(g, wanted, *values), strict=True)}
        arrays |= {f"gradient {k}": y for k, y in zip(wanted, program.grad(*values, argnums=wanted), strict=True)}
        batch = program.batch(lanes=8, threads=1)
        arrays |= {f"gradients {k}": y for k, y in zip(wanted, batch.grad(*rows, argnums=wanted), strict=True)}
        arrays |= {f"sum {k}": y for k, y in zip(wanted, batch.grad(*rows, argnums=wanted, reduce="sum"), strict=True)}
    return arrays


def main(path, step):
    """Write what the cases give to a file."""
    np.savez(path, **{f"{case.name}: {what}": array for case in chosen(step) for what, array in found(case).items()})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
