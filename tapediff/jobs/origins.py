"""Where an inf or a nan of a row comes from: the instruction, and the line of source that recorded it."""

from dataclasses import replace

import numpy as np

from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.plan import Plan
from tapediff.jobs.result import Failure
from tapediff.jobs.status import NON_FINITE_GRADIENT, NON_FINITE_VALUE

MOST_EXPLAINED = 3


def explained(failures: list[Failure], plan: Plan, evaluator: Evaluator) -> list[Failure]:
    """The failures; the first few non-finite values and gradients with the instruction that made them."""
    found = []
    left = MOST_EXPLAINED
    for failure in failures:
        if failure.code in (NON_FINITE_VALUE, NON_FINITE_GRADIENT) and not failure.line and left:
            left -= 1
            failure = with_origin(failure, plan, evaluator)
        found.append(failure)
    return found


def with_origin(failure: Failure, plan: Plan, evaluator: Evaluator) -> Failure:
    """A failure with the instruction that made its inf or nan, where that can be said."""
    try:
        with np.errstate(all="ignore"):
            rows = plan.read(failure.row, failure.row + 1)
            program = evaluator.paths.record(rows, 0, lines=True)
            found = program.explain(*evaluator.paths.arguments(rows, 0))
    except Exception:  # the function cannot be recorded there: the failure stands as it is
        return failure
    event = found.reverse if failure.code == NON_FINITE_GRADIENT else found.forward
    if event is None:
        return failure
    if event.position is None:
        text = f"{failure.text}: {event.text} gives {event.value}"
    else:
        text = f"{failure.text}: in the derivative of {event.text}"
    return replace(failure, text=text, line=f"{event.place[0]}:{event.place[1]}" if event.place else "")
