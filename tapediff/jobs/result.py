"""What evaluating a chunk of rows gives; it can be pickled."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST_FAILURES = 10  # that a chunk describes, and a job
LONGEST_TEXT = 500  # characters that are kept of what happened


@dataclass(frozen=True)
class Failure:
    """A row whose status is not 0: its number in the job, the code, what happened, and the line of source where that is known."""

    row: int
    code: int
    text: str
    line: str = ""


@dataclass(frozen=True)
class ProgramFacts:
    """A program as summaries show it: how many instructions, the bytes of their values for one row, and the guards."""

    instructions: int
    bytes: int
    guards: tuple[str, ...]


@dataclass
class Counts:
    """How many rows went which way.

    programs     by the signature of the program that served them
    alone        rows of further paths, whose programs were dropped again
    further      rows on more programs than are told apart
    eager        rows evaluated without a program, since the function could not be recorded
    independent  for each of `wrt`, rows whose value does not depend on it
    summed       rows that entered the sums of `reduce`
    """

    programs: dict[str, int] = field(default_factory=dict)
    alone: int = 0
    further: int = 0
    eager: int = 0
    independent: dict[str, int] = field(default_factory=dict)
    summed: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of another chunk.

        >>> counts = Counts(programs={"a": 1})
        >>> counts.add(Counts(programs={"a": 2, "b": 1}, eager=1))
        >>> counts.programs, counts.eager
        ({'a': 3, 'b': 1}, 1)
        """
        for mine, theirs in ((self.programs, other.programs), (self.independent, other.independent)):
            for name, rows in theirs.items():
                mine[name] = mine.get(name, 0) + rows
        self.alone += other.alone
        self.further += other.further
        self.eager += other.eager
        self.summed += other.summed


@dataclass
class ChunkResult:
    """Values, gradients and status of the rows from `first` to `last`.

    values     one for each row; with `reduce` their sum, float64 without dimensions
    gradients  by name, rows first; with `reduce` their sums, float64
    status     uint8, one for each row
    failures   the first few rows whose status is not 0
    programs   facts about each program in `counts`, by signature
    """

    first: int
    last: int
    values: np.ndarray
    gradients: dict[str, np.ndarray]
    status: np.ndarray
    failures: list[Failure]
    counts: Counts
    programs: dict[str, ProgramFacts]

    def arrays(self) -> dict[str, np.ndarray]:
        """The results by the names of their outputs."""
        return {"value": self.values, **{f"grad_{name}": array for name, array in self.gradients.items()}, "status": self.status}

    def record(self) -> dict[str, Any]:
        """All but the arrays, as JSON has it."""
        return {"failures": [[f.row, f.code, f.text[:LONGEST_TEXT], f.line] for f in self.failures],
                "status": np.bincount(self.status, minlength=1).tolist(), "counts": vars(self.counts)}
