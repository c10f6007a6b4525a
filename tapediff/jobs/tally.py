"""What the chunks of a job add up to: rows by status and by program, the first failures, seconds."""

import heapq
from dataclasses import dataclass, field, replace
from typing import Any

from tapediff.jobs.journal import Record
from tapediff.jobs.result import MOST_FAILURES, ChunkResult, Counts, Failure, ProgramFacts
from tapediff.jobs.status import REASONS

MOST_PROGRAMS = 1000  # that a job tells apart


@dataclass
class Tally:
    """The sums over chunks.

    rows      finished
    status    rows by status code
    counts    rows by what they went through
    failures  the first rows whose status is not 0
    programs  facts about programs, by signature
    seconds   that the finished chunks took, one after the other
    """

    rows: int = 0
    status: list[int] = field(default_factory=lambda: [0] * len(REASONS))
    counts: Counts = field(default_factory=Counts)
    failures: list[Failure] = field(default_factory=list)
    programs: dict[str, ProgramFacts] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, found: "ChunkFacts") -> None:
        """Add a chunk."""
        self.rows += sum(found.status)
        for code, rows in enumerate(found.status):
            self.status[code] += rows
        self.counts.add(self.without_further(found.counts))
        self.failures = heapq.nsmallest(MOST_FAILURES, [*self.failures, *found.failures], key=lambda failure: failure.row)
        self.seconds += found.seconds

    def without_further(self, counts: Counts) -> Counts:
        """Counts in which programs beyond the first so many are not told apart."""
        known, new = self.counts.programs, [name for name in counts.programs if name not in self.counts.programs]
        further = set(new[max(0, MOST_PROGRAMS - len(known)):])
        if not further:
            return counts
        programs = {name: rows for name, rows in counts.programs.items() if name not in further}
        return replace(counts, programs=programs, further=counts.further + sum(counts.programs[name] for name in further))

    def takes(self, name: str) -> bool:
        """Whether a program is told apart from others, and its facts are not known yet."""
        return name not in self.programs and len(self.programs) < MOST_PROGRAMS


@dataclass(frozen=True)
class ChunkFacts:
    """What a chunk adds to a tally."""

    status: list[int]
    counts: Counts
    failures: list[Failure]
    seconds: float

    @classmethod
    def of(cls, result: ChunkResult, seconds: float) -> "ChunkFacts":
        """Of a chunk that was computed just now."""
        return cls.of_record({**result.record(), "seconds": seconds})

    @classmethod
    def of_record(cls, record: Record) -> "ChunkFacts":
        """Of a journal's record, which may say anything.

        Raises
            ValueError, TypeError, KeyError: it says what no job writes.
        """
        counts = Counts(**record["counts"])
        for rows in (*counts.programs.values(), *counts.independent.values(), *record["status"]):
            natural(rows)
        for rows in (counts.alone, counts.further, counts.eager, counts.summed):
            natural(rows)
        if len(record["status"]) > len(REASONS):
            raise ValueError("more codes than there are")
        failures = [Failure(natural(row), natural(code), str(text), str(line)) for row, code, text, line in record["failures"]]
        if any(failure.code not in REASONS for failure in failures):
            raise ValueError("an unknown code")
        return cls(record["status"], counts, failures, float(record["seconds"]))


def facts_of_program(record: Record) -> tuple[str, ProgramFacts]:
    """Signature and facts of a program's record; raises as `ChunkFacts.of_record`."""
    return str(record["program"]), ProgramFacts(natural(record["instructions"]), natural(record["bytes"]),
                                                tuple(map(str, record["guards"])))


def record_of_program(name: str, facts: ProgramFacts) -> Record:
    """A program as the journal has it."""
    return {"program": name, "instructions": facts.instructions, "bytes": facts.bytes, "guards": list(facts.guards)}


def natural(number: Any) -> int:
    """A whole number that is not negative.

    Raises
        ValueError: it is something else.
    """
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is no count")
    return number
