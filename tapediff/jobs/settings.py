"""The settings of a job: all that its results depend on, written when it starts and compared when it goes on."""

import json
import keyword
import math
import secrets
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from tapediff.jobs.chunks import Partition
from tapediff.jobs.errors import ChangedError, JobError
from tapediff.jobs.files import read_file, write_atomically
from tapediff.jobs.folder import JobFolder
from tapediff.jobs.outputs import Layout, layouts_of
from tapediff.jobs.sources.source import DTYPES
from tapediff.jobs.trust import sign

VERSION = 1
MOST_BYTES = 1 << 26
FORMATS = ("npy", "parquet")
REDUCTIONS = (None, "sum", "mean")
RESTART = "--restart (restart=True) starts over"


@dataclass(frozen=True)
class Input:
    """An input: where the user said it is (None: it was in memory), shape of a row or of the whole, dtype, and identity."""

    given: str | None
    shape: tuple[int, ...]
    dtype: str
    identity: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What the results of a job depend on.

    function   its identity, and the signature of the first row's program
    target     FILE.py:FUNCTION as an absolute path, where the function was named so
    length     rows
    value      dtype of the values
    library    versions and processor
    job        a number of this run of the job, so that no other job's journal is taken for its own
    """

    function: dict[str, Any]
    target: str | None
    rows: dict[str, Input]
    shared: dict[str, Input]
    wrt: tuple[str, ...]
    reduce: str | None
    format: str
    length: int
    chunk_rows: int
    limit: int
    value: str
    library: dict[str, str]
    job: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def partition(self) -> Partition:
        """The chunks."""
        return Partition(self.length, self.chunk_rows)

    @property
    def shapes(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Shape and dtype of one gradient by each of `wrt`."""
        inputs = self.rows | self.shared
        return {name: (inputs[name].shape, np.dtype(inputs[name].dtype)) for name in self.wrt}

    @property
    def layouts(self) -> dict[str, Layout]:
        """The outputs."""
        return layouts_of(self.partition, self.shapes, np.dtype(self.value), self.reduce)

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs."""
        return ["value", *(f"grad_{name}" for name in self.wrt), "status"]


def write_settings(folder: JobFolder, settings: Settings) -> None:
    """Write settings under a checksum, and the signature of the user."""
    text = json.dumps({"version": VERSION, **asdict(settings)}, indent=1)
    content = {"digest": checksum(text), "signature": sign(text), "settings": text}
    write_atomically(folder.settings, json.dumps(content, indent=1).encode())


def checksum(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def read_settings(folder: JobFolder) -> tuple[Settings, str, str | None] | None:
    """The settings of a folder, their text and their signature; None if no job was started there.

    Raises
        JobError: they are damaged, or of another version.
    """
    try:
        data = read_file(folder.settings, MOST_BYTES)
    except FileNotFoundError:
        return None
    damaged = f"{folder.settings} is damaged; {RESTART}"
    try:
        content = json.loads(data)
        text, signature = content["settings"], content["signature"]
        if checksum(text) != content["digest"]:
            raise JobError(damaged)
        found = json.loads(text)
        if found["version"] != VERSION:
            raise JobError(f"{folder.settings} is of another version of tapediff; {RESTART}")
        return checked(found), text, signature
    except JobError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise JobError(damaged) from error


def checked(found: dict[str, Any]) -> Settings:
    """Settings of what a file says, which may be anything.

    Raises
        ValueError, TypeError, KeyError: it is nothing that a job writes.
    """
    del found["version"]
    inputs = {kind: {name: Input(**entry) for name, entry in found[kind].items()} for kind in ("rows", "shared")}
    for kind in inputs.values():
        for name, entry in kind.items():
            object.__setattr__(entry, "shape", tuple(entry.shape))
            need(name.isidentifier() and not keyword.iskeyword(name))
            need(entry.dtype in DTYPES and (entry.given is None or type(entry.given) is str))
            need(all(type(size) is int and size >= 0 for size in entry.shape) and math.prod(entry.shape) < 1 << 48)
            need(isinstance(entry.identity, dict))
    settings = Settings(**{**found, **inputs, "wrt": tuple(found["wrt"])})
    need(len(settings.wrt) > 0 and all(name in inputs["rows"] or name in inputs["shared"] for name in settings.wrt))
    need(len(set(settings.wrt)) == len(settings.wrt) and len(settings.rows) > 0)
    need(settings.reduce in REDUCTIONS and settings.format in FORMATS and settings.value in ("float32", "float64"))
    need(type(settings.length) is int and 0 <= settings.length < 1 << 48)
    need(type(settings.chunk_rows) is int and 0 < settings.chunk_rows < 1 << 48)
    need(type(settings.limit) is int and settings.limit >= 0)
    need(settings.target is None or type(settings.target) is str)
    need(isinstance(settings.function, dict) and isinstance(settings.library, dict))
    need(type(settings.job) is str and settings.job.isalnum())
    return settings


def need(holds: bool) -> None:
    if not holds:
        raise ValueError("no job writes this")


def require_same(folder: JobFolder, old: Settings, new: Settings) -> None:
    """Raise unless the job in a folder is the one that is asked for.

    Raises
        ChangedError: names what changed.
    """
    changes = differences(old, new)
    if changes:
        more = f", and {len(changes) - 3} more" if len(changes) > 3 else ""
        raise ChangedError(f"{folder.path} holds another job: {'; '.join(changes[:3])}{more}; give another folder, or {RESTART}")


def differences(old: Settings, new: Settings) -> list[str]:
    """What differs between two jobs, in words."""
    found = []
    for kind, before, after in (("row input", old.rows, new.rows), ("shared input", old.shared, new.shared)):
        if list(before) != list(after):
            found.append(f"the {kind}s were {', '.join(before) or 'none'} and are {', '.join(after) or 'none'}")
        for name in [name for name in before if name in after]:
            found += input_differences(name, before[name], after[name])
    for what in ("wrt", "reduce", "format", "length", "chunk_rows", "limit", "value"):
        was, now = getattr(old, what), getattr(new, what)
        if was != now:
            found.append(f"{LABELS[what]} was {shown(was)} and is {shown(now)}")
    found += function_differences(old.function, new.function)
    for name in new.library:
        if old.library.get(name) != new.library[name]:
            found.append(f"{name} was {old.library.get(name)} and is {new.library[name]}")
    return found


LABELS = {"wrt": "wrt", "reduce": "reduce", "format": "the format", "length": "the number of rows", "chunk_rows": "chunk_rows",
          "limit": "the limit of programs", "value": "the dtype of the value"}


def input_differences(name: str, old: Input, new: Input) -> list[str]:
    """What differs between two inputs."""
    if old.dtype != new.dtype:
        return [f"{name} was {old.dtype} and is {new.dtype}"]
    if old.shape != new.shape:
        return [f"{name} had the shape {old.shape} and has {new.shape}"]
    return [] if old.identity == new.identity else [f"the content of {name} changed"]


def function_differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two functions."""
    if old.get("name") != new["name"]:
        return [f"the function was {old.get('name')} and is {new['name']}"]
    if old.get("source") != new["source"]:
        return [f"{new['file'] or old.get('file') or 'the source of the function'} changed"]
    if old.get("code") != new["code"]:
        return [f"the function {new['name']} changed, or a number that it closes over"]
    if old.get("program") != new["program"]:
        return [f"{new['name']} computes something else for the first row: something that it imports or reads changed"]
    return []


def shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
