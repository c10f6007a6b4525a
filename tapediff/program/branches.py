"""What became of a program's decisions at given inputs: unchanged, changed, or a tie.

The distinction is that of ADOL-C's drivers (Griewank, Juedes, Utke 1996): where a comparison changes, the recorded program does
not apply; where its two sides are equal, the program applies, but the function may have a kink or a jump there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tapediff.ops.views import VIEWS
from tapediff.program.closed import ClosedTape
from tapediff.program.guards import Guard, holds

__all__ = ["STATES", "Branch", "Branches", "Questions", "single_state", "states_of_rows"]

Array = np.ndarray[Any, Any]
STATES = ("unchanged", "tie", "changed", "not reached")
UNCHANGED, TIE, CHANGED, NOT_REACHED = range(4)
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
LOGIC = frozenset({"logical_not", "logical_and", "logical_or", "logical_xor", "bitwise_not", "bitwise_and", "bitwise_or",
                   "bitwise_xor", "any", "all", "any_dim", "all_dim", "cast", *VIEWS})
MOST_SIDES = 64  # comparisons of one guard that are looked at


class Side(NamedTuple):
    """A comparison that decides a guard: its symbol, and where its two sides stand among the outputs."""

    symbol: str
    left: int
    right: int | None  # None: compared with 0


class Questions:
    """The tape whose outputs are what the first `count` guards ask and the sides of the comparisons that decide it.

    tape     it has no guards: all questions get an answer, whatever the first ones are
    answers  for each guard where its value stands among the outputs
    sides    for each guard its comparisons
    """

    def __init__(self, tape: ClosedTape, count: int) -> None:
        self.guards = tape.guards[:count]
        self.outputs: list[int] = []
        self.answers = [self._output(guard.value) for guard in self.guards]
        self.sides: list[list[Side]] = [list(self._sides(tape, guard)) for guard in self.guards]
        self.tape = ClosedTape(tape.leaves, tape.operations, tape.operands, self.outputs, []).without_dead_code()

    def _output(self, value: int) -> int:
        if value not in self.outputs:
            self.outputs.append(value)
        return self.outputs.index(value)

    def _sides(self, tape: ClosedTape, guard: Guard) -> Iterator[Side]:
        if guard.how != "truth":
            return
        waiting, seen = [guard.value], set[int]()
        while waiting and len(seen) < MOST_SIDES:
            value = waiting.pop()
            if value in seen:
                continue
            seen.add(value)
            spec = tape.spec(value)
            name = tape.operations[value].name if value >= 0 else ""
            if name in COMPARISONS:
                left, right = tape.operands[value]
                yield Side(COMPARISONS[name], self._output(left), self._output(right))
            elif name in LOGIC:
                waiting += tape.operands[value]
            elif spec.dtype.name != "bool":
                yield Side("!=", self._output(value), None)


@dataclass(frozen=True)
class Branch:
    """What became of one decision.

    state  "unchanged", "tie" (unchanged, and the two sides of a comparison are equal), "changed", or "not reached" since an
           earlier decision changed
    sides  the comparisons that it depends on: (left, symbol, right), arrays or numbers
    """

    guard: Guard
    state: str
    sides: tuple[tuple[Any, str, Any], ...] = ()

    @property
    def is_tie(self) -> bool:
        """Whether two sides of a comparison are equal somewhere."""
        return any(ties(left, right) for left, _, right in self.sides)

    @property
    def text(self) -> str:
        """The state, and the comparisons at these inputs."""
        what = "changed at a tie" if self.state == "changed" and self.is_tie else self.state
        sides = ", ".join(f"{shown(left)} {symbol} {shown(right)}" for left, symbol, right in self.sides[:3])
        return f"{what} ({sides})" if sides else what

    def __str__(self) -> str:
        return f"{self.text}: {self.guard}"


class Branches(tuple[Branch, ...]):
    """The decisions of a program in their order, one `Branch` each.

    >>> import tapediff as td
    >>> program = td.record(lambda x: x * 2 if x >= 1 else x, 2.0)
    >>> [branch.state for branch in program.branches(1.0)], program.branches(0.0).holds
    (['tie'], False)
    """

    @property
    def holds(self) -> bool:
        """Whether the program applies: no decision changed."""
        return all(branch.state in ("unchanged", "tie") for branch in self)

    @property
    def state(self) -> str:
        """The worst of all states: "changed", else "tie", else "unchanged"."""
        return max((branch.state for branch in self if branch.state != "not reached"), key=STATES.index, default="unchanged")

    @property
    def codes(self) -> Array:
        """The number of each state in `STATES`."""
        return np.array([STATES.index(branch.state) for branch in self], np.uint8)

    @property
    def change(self) -> Branch | None:
        """The first decision that changed."""
        return next((branch for branch in self if branch.state == "changed"), None)

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "no decisions"


class RowBranches:
    """What became of a program's decisions in the rows of a batch.

    guards  the decisions
    codes   for each decision and row the number of its state in `STATES`, uint8

    >>> import numpy as np, tapediff as td
    >>> program = td.record(lambda x: x * 2 if x >= 1 else x, 2.0)
    >>> program.batch().branches(np.array([0.0, 1.0, 2.0, 3.0])).counts
    ({'unchanged': 2, 'tie': 1, 'changed': 1, 'not reached': 0},)
    """

    def __init__(self, guards: Sequence[Guard], codes: Array) -> None:
        self.guards = tuple(guards)
        self.codes = codes

    @property
    def counts(self) -> tuple[dict[str, int], ...]:
        """For each decision the number of rows in each state."""
        return tuple({state: int((line == code).sum()) for code, state in enumerate(STATES)} for line in self.codes)

    def rows(self, state: str) -> Array:
        """The rows in which some decision has a state, as numbers."""
        return np.flatnonzero((self.codes == STATES.index(state)).any(axis=0))

    def __str__(self) -> str:
        lines = [f"{', '.join(f'{count} {state}' for state, count in counts.items() if count)}: {guard}"
                 for guard, counts in zip(self.guards, self.counts, strict=True)]
        return "\n".join(lines) or "no decisions"


def single_state(questions: Questions, outputs: Sequence[Array], guards: Sequence[Guard]) -> Branches:
    """What became of each decision of `guards`, given the outputs of `questions.tape`, which may stop at one that changed."""
    found: list[Branch] = []
    has_changed = False
    for number, guard in enumerate(guards):
        if has_changed or number >= len(questions.guards):
            found.append(Branch(guard, STATES[NOT_REACHED]))
            continue
        sides = tuple((outputs[side.left].copy()[()], side.symbol, 0 if side.right is None else outputs[side.right].copy()[()])
                      for side in questions.sides[number])
        has_changed = not holds(guard.how, guard.expected, outputs[questions.answers[number]])
        is_tie = any(ties(left, right) for left, _, right in sides)
        found.append(Branch(guard, STATES[CHANGED if has_changed else TIE if is_tie else UNCHANGED], sides))
    return Branches(found)


def states_of_rows(questions: Questions, outputs: Sequence[Array], rows: int) -> RowBranches:
    """What became of each decision in each row, given the outputs of `questions.tape` by rows."""
    codes = np.zeros((len(questions.guards), rows), np.uint8)
    is_over = np.zeros(rows, bool)
    for number, (guard, sides) in enumerate(zip(questions.guards, questions.sides, strict=True)):
        for side in sides:
            left = outputs[side.left].reshape(rows, -1)
            right = 0 if side.right is None else outputs[side.right].reshape(rows, -1)
            codes[number][(left == right).any(axis=1)] = TIE
        values = outputs[questions.answers[number]]
        changed = ~holds_in_rows(guard, values)
        codes[number][changed] = CHANGED
        codes[number][is_over] = NOT_REACHED
        is_over |= changed
    return RowBranches(questions.guards, codes)


def holds_in_rows(guard: Guard, values: Array) -> Array:
    """For each row whether a guard holds."""
    flat = values.reshape(len(values), -1)
    found: Array
    if guard.how == "truth":
        found = (flat.astype(np.bool_) == guard.expected).all(axis=1)
    elif guard.how == "integer":
        numbers = flat[:, 0]
        found = np.isfinite(numbers) & (np.trunc(numbers) == guard.expected)
    else:
        found = np.array([holds(guard.how, guard.expected, value) for value in values], np.bool_)
    return found


def ties(left: Any, right: Any) -> bool:
    """Whether two sides are equal somewhere."""
    return bool(np.any(left == right))


def shown(value: Any) -> str:
    """A side of a comparison, in short."""
    array = np.asarray(value)
    return repr(array.item()) if array.size == 1 else f"array of shape {list(array.shape)}"
