"""Where the chunks of a job go: a folder with a journal, or memory."""

import os
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Protocol

import numpy as np

from tapediff.jobs.chunks import Partition
from tapediff.jobs.folder import JobFolder
from tapediff.jobs.journal import Journal, Record, read_records
from tapediff.jobs.outputs import Layout, OutputFile
from tapediff.jobs.result import ChunkResult
from tapediff.jobs.tally import ChunkFacts, Tally, facts_of_program, natural, record_of_program

LARGE = 1 << 30  # bytes that it takes a moment to read
SYNC_SECONDS = 1.0  # of work that a power cut may take; a killed process loses as much at most


class Store(Protocol):
    """Takes chunks in any order, each once.

    done   numbers of the chunks that it has
    tally  what they add up to
    """

    done: set[int]
    tally: Tally

    def write(self, chunk: int, result: ChunkResult) -> None:
        """Take a chunk."""

    def commit(self) -> None:
        """Have all that was taken where nothing can harm it."""

    def read(self, name: str, first: int, last: int) -> np.ndarray:
        """Entries of an output."""

    def close(self) -> None:
        """Let go of files."""


class FolderStore:
    """Chunks in the files of a job's folder; a journal says which are there.

    Data is on the disk before the journal says so, and the journal holds its checksums, so that whatever a crash leaves is either
    found whole or done again.
    """

    def __init__(self, folder: JobFolder, job: str, partition: Partition, layouts: Mapping[str, Layout],
                 tell: Callable[[str], None] = lambda text: None) -> None:
        """Open what is there, or begin; tells what takes long."""
        self.partition = partition
        self.done: set[int] = set()
        self.tally = Tally()
        self.tell = tell
        self.files = {name: OutputFile(folder.work_path(f"sums_{name}" if layout.is_by_chunk else name), layout)
                      for name, layout in layouts.items()}
        self.pending: list[Record] = []
        self.is_broken = False
        self.synced = self.written = monotonic()
        records = self._restore(folder, job)
        self.journal = Journal(folder.journal, job, records)

    def _restore(self, folder: JobFolder, job: str) -> list[Record]:
        """Open the files, or make them; returns the records of chunks that are there whole."""
        folder.take_back(name for name, file in self.files.items() if not file.layout.is_by_chunk)
        opened = {name: file.open() for name, file in self.files.items()}
        for name, file in self.files.items():
            if not opened[name]:
                file.create()
        folder.sync()
        if not any(opened.values()):
            return []
        kept: dict[Any, Record] = {}
        records = read_records(folder.journal, job)
        size = sum(file.layout.length * file.layout.entry_bytes for file in self.files.values())
        if size > LARGE:
            self.tell(f"reading again what is finished of {size / 1e9:,.1f} GB")
        for record in records:
            try:
                if "program" in record:
                    name, facts = facts_of_program(record)
                    self.tally.programs[name] = facts
                    kept[name] = record
                elif "chunk" in record and (chunk := natural(record["chunk"])) not in self.done:
                    facts_of_chunk = ChunkFacts.of_record(record)
                    if self._is_whole(chunk, record, facts_of_chunk):
                        self.tally.add(facts_of_chunk)
                        self.done.add(chunk)
                        kept[chunk] = record
            except (ValueError, TypeError, KeyError):
                continue  # not what a job writes: the chunk is done again
        return list(kept.values())

    def _is_whole(self, chunk: int, record: Record, facts: ChunkFacts) -> bool:
        """Whether the files hold what the record says."""
        if chunk >= self.partition.count or record["digests"].keys() != self.files.keys():
            return False
        first, last = self.partition.bounds(chunk)
        if sum(facts.status) != last - first or not all(first <= failure.row < last for failure in facts.failures):
            return False
        return all(file.digest(*file.layout.entries(self.partition, chunk)) == record["digests"][name]
                   for name, file in self.files.items())

    def write(self, chunk: int, result: ChunkResult) -> None:
        digests = {}
        for name, array in result.arrays().items():
            file = self.files[name]
            first, last = file.layout.entries(self.partition, chunk)
            digests[name] = file.write(first, array.reshape(last - first, *file.layout.shape))
        now = monotonic()
        seconds, self.written = round(now - self.written, 6), now
        for name, program in result.programs.items():
            if self.tally.takes(name):
                self.tally.programs[name] = program
                self.pending.append(record_of_program(name, program))
        self.pending.append({"chunk": chunk, "digests": digests, "seconds": seconds, **result.record()})
        self.tally.add(ChunkFacts.of(result, seconds))
        self.done.add(chunk)
        if now - self.synced >= SYNC_SECONDS:
            self.commit()

    def commit(self) -> None:
        if self.is_broken:
            return
        self.is_broken = True  # a flush that failed may seem to work when it is tried again
        for file in self.files.values():
            file.sync()
        if self.pending:
            records, self.pending = self.pending, []
            self.journal.append(records)
        self.is_broken = False
        self.synced = monotonic()

    def read(self, name: str, first: int, last: int) -> np.ndarray:
        return self.files[name].read(first, last)

    def close(self) -> None:
        self.journal.close()
        for file in self.files.values():
            file.close()


class MemoryStore:
    """Chunks in arrays."""

    def __init__(self, partition: Partition, layouts: Mapping[str, Layout]) -> None:
        self.partition = partition
        self.layouts = layouts
        self.arrays = {name: np.zeros((layout.length, *layout.shape), layout.dtype) for name, layout in layouts.items()}
        self.done: set[int] = set()
        self.tally = Tally()
        self.written = monotonic()

    def write(self, chunk: int, result: ChunkResult) -> None:
        for name, array in result.arrays().items():
            first, last = self.layouts[name].entries(self.partition, chunk)
            self.arrays[name][first:last] = array
        now = monotonic()
        for name, program in result.programs.items():
            if self.tally.takes(name):
                self.tally.programs[name] = program
        self.tally.add(ChunkFacts.of(result, now - self.written))
        self.written = now
        self.done.add(chunk)

    def commit(self) -> None:
        pass

    def read(self, name: str, first: int, last: int) -> np.ndarray:
        return self.arrays[name][first:last]

    def close(self) -> None:
        pass


def free_bytes(path: os.PathLike[str]) -> int:
    """How much a user may still write where `path` lies."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
