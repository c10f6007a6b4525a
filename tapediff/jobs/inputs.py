"""Arrays of a job, by name: given as NumPy arrays, as `.npy` files (memory-mapped) or as members of `.npz` files."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from tapediff.jobs.errors import JobError

Source = np.ndarray | str | PathLike[str]
DTYPES = ("float32", "float64", "int64", "int32", "bool")


def read_arrays(sources: Mapping[str, Source]) -> dict[str, np.ndarray]:
    """The arrays behind `sources`, with the dtypes that tensors have."""
    return {name: read_array(name, source) for name, source in sources.items()}


def read_array(name: str, source: Source) -> np.ndarray:
    """The array that `source` names: an array itself, `data.npy` or `weights.npz:member`.

    >>> read_array("x", np.array([1.0, 2.0]))
    array([1., 2.])
    """
    array = source if isinstance(source, np.ndarray) else read_file(fspath(source))
    if array.dtype not in DTYPES:
        raise JobError(f"{name} has dtype {array.dtype}; a tensor holds {', '.join(DTYPES)}: convert it with astype() first")
    return array


def read_file(source: str) -> np.ndarray:
    """The array in an `.npy` file, memory-mapped, or in a member of an `.npz` file, `FILE.npz:MEMBER`."""
    file, colon, member = source.partition(".npz:")
    if colon:
        return read_member(Path(f"{file}.npz"), member)
    path = Path(source)
    if path.suffix == ".npz":
        raise JobError(f"{source} holds several arrays; say which one: {source}:MEMBER ({members(path)})")
    if path.suffix != ".npy":
        raise JobError(f"{source} is neither FILE.npy nor FILE.npz:MEMBER; save the array with numpy.save or numpy.savez")
    require_file(path)
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise JobError(f"{path} is not a readable .npy file: {error}") from error


def read_member(path: Path, member: str) -> np.ndarray:
    with open_archive(path) as archive:
        if member not in archive.files:
            raise JobError(f"{path} has no member {member!r}; it holds {', '.join(archive.files) or 'nothing'}")
        try:
            return archive[member]
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise JobError(f"member {member!r} of {path} can't be read: {error}") from error


def members(path: Path) -> str:
    with open_archive(path) as archive:
        return f"it holds {', '.join(archive.files) or 'nothing'}"


@contextmanager
def open_archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    require_file(path)
    with open(path, "rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise JobError(f"{path} is not a readable .npz file: {error}") from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise JobError(f"{path} is not an .npz file: it holds one array; write it with numpy.savez or name it .npy")
        with archive:
            yield archive


def require_file(path: Path) -> None:
    if not path.is_file():
        raise JobError(f"{path} {'is not a file' if path.exists() else 'does not exist'}; give the path of a .npy or .npz file")


def count_rows(rows: Mapping[str, np.ndarray]) -> int:
    """The common length of the first axes.

    >>> count_rows({"x": np.zeros((5, 3)), "label": np.zeros(5)})
    5
    """
    if not rows:
        raise JobError("no row inputs were given; name at least one parameter of the function with an array of rows")
    for name, array in rows.items():
        if array.ndim == 0:
            raise JobError(f"{name} is a single number, but a row input has one entry per row; give it as a shared input")
    lengths = {name: len(array) for name, array in rows.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise JobError(f"the first axes of the row inputs differ: {given}; every row input needs the same number of rows")
    return next(iter(lengths.values()))
