"""What a user writes for a file: `FILE.npy`, `FILE.npz:MEMBER`, `FILE.parquet:COLUMN`, taken apart."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from glob import glob
from pathlib import Path

from tapediff.jobs.errors import JobError

FORMATS = {
    ".npy": "npy",
    ".npz": "npz",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".zarr": "zarr",
}
WANTED = "FILE.npy, FILE.npz:MEMBER, FILE.parquet:COLUMN, FILE.arrow:COLUMN, FILE.csv:COLUMN or FILE.zarr"
_ENDS = "|".join(re.escape(end) for end in sorted(FORMATS, key=len, reverse=True))
_SELECTED = re.compile(rf"(.+?(?:{_ENDS})/*):(.*)", re.IGNORECASE | re.DOTALL)
_WHOLE = re.compile(rf".+(?:{_ENDS})/*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Location:
    """A path, the format that its name says, and what of the file is wanted; None if nothing was named.

    >>> Location.of("data.parquet:price,strike")
    Location(path='data.parquet', format='parquet', selection='price,strike')
    >>> Location.of("data.npy").selection is None
    True
    """

    path: str
    format: str
    selection: str | None

    @classmethod
    def of(cls, given: str) -> "Location":
        if match := _SELECTED.fullmatch(given):
            return cls(match[1].rstrip("/"), format_of(match[1]), match[2])
        if _WHOLE.fullmatch(given):
            return cls(given.rstrip("/"), format_of(given), None)
        path, colon, selection = given.rpartition(":")
        if colon and Path(path).is_dir():
            return cls(path, "parquet", selection)
        if Path(given).is_dir():
            return cls(given, "parquet", None)
        raise JobError(f"{given} is neither {WANTED.replace(' or ', ' nor ')}")

    def files(self) -> list[str]:
        """The files behind the path, in the order of their names if it is a folder of Parquet parts or a pattern."""
        if self.format == "parquet" and Path(self.path).is_dir():
            files = (path for path in Path(self.path).iterdir() if path.name[0] not in "._")
            found = sorted(path for path in files if format_of(path.name) == "parquet")
            if not found:
                raise JobError(f"the folder {self.path} holds no Parquet files")
            return [str(path) for path in found]
        if any(character in self.path for character in "*?[") and not Path(self.path).exists():
            matches = sorted(glob(self.path))
            if not matches:
                raise JobError(f"no file matches {self.path}")
            return matches
        return [self.path]


def format_of(path: str) -> str:
    """The format that a file's name says, or "".

    >>> format_of("table.CSV.gz"), format_of("notes.txt")
    ('csv', '')
    """
    name = path.rstrip("/").lower()
    return next((FORMATS[end] for end in FORMATS if name.endswith(end)), "")


def listing(names: list[str], most: int = 20) -> str:
    """The names for a message, not too many.

    >>> listing(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most]) or "nothing"
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def unknown(path: str, what: str, wanted: str, names: list[str]) -> JobError:
    """The error about a column or member that a file does not have.

    >>> print(unknown("t.csv", "column", "prize", ["price", "strike"]))
    t.csv has no column 'prize'; did you mean 'price'? it holds price, strike
    """
    close = get_close_matches(wanted, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return JobError(f"{path} has no {what} {wanted!r}; {hint}it holds {listing(names)}")
