"""Saving and loading: nests of tensors and plain values in a file from which no code is ever executed."""

from __future__ import annotations

import io
import os
from typing import Any

from tapediff.errors import SavedFileError
from tapediff.saving import archive, nests
from tapediff.tensor import Device
from tapediff.whole_files import written_whole

__all__ = ["load", "save"]


def save(obj: Any, f: Any) -> None:
    """Write an object to a file: tensors, arrays, numbers, strings, bytes and nests of them, so state dictionaries, too.

    Tensors that share memory share it when they are loaded. A file at a path is replaced as a whole or stays as it is. It is no
    pickle: `load` executes nothing, and PyTorch does not read it.

    f  a path, or a file object that is open for writing bytes

    Raises
        TypeError: something in the object cannot be saved; modules and optimizers are saved by their `state_dict()`.
        RuntimeError: the folder is not there.

    >>> import io, tapediff as td
    >>> file = io.BytesIO()
    >>> save({"weight": td.tensor([1., 2.]), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> load(file)
    {'weight': tensor([1., 2.]), 'epoch': 3}
    """
    is_path = isinstance(f, str | os.PathLike)
    if not is_path and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute: save got "
                             f"{type(f).__name__}")
    manifest, blobs = nests.encoded(obj)
    if not is_path:
        archive.write(f, manifest, blobs)
        return
    folder = os.path.dirname(os.path.realpath(f))
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if os.path.isdir(f):
        raise IsADirectoryError(f"save got {os.fspath(f)!r}, which is a directory: give the name of a file")
    with written_whole(f) as file:
        archive.write(file, manifest, blobs)


def load(f: Any, map_location: Any = None, pickle_module: None = None, *, weights_only: bool | None = True,
         mmap: bool | None = None) -> Any:
    """The object that `save` wrote.

    f             a path, or a file object that is open for reading bytes
    map_location  the CPU, or what maps devices to it: tensors have no other place here
    weights_only  without effect: reading never executes code
    mmap          without effect

    Raises
        SavedFileError: the file is damaged, cut off, or was written by something else (a RuntimeError and ValueError).
        FileNotFoundError: there is no such file.
    """
    if pickle_module is not None:
        raise TypeError("load takes no pickle_module: files of save are no pickles, and pickles are never read")
    if map_location is not None and not callable(map_location) and not isinstance(map_location, dict):
        Device(map_location)
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            return _loaded(file, repr(os.fspath(f)))
    if not hasattr(f, "read"):
        raise AttributeError(f"load takes a path or a file object with 'read' and 'seek', got {type(f).__name__}")
    content = f.read()
    if not isinstance(content, bytes):
        raise TypeError(f"load got a file that gives {type(content).__name__} instead of bytes: open it with mode 'rb'")
    return _loaded(io.BytesIO(content), "the file")


def _loaded(file: Any, name: str) -> Any:
    manifest, blob = archive.read(file, name)
    try:
        return nests.decoded(manifest, blob)
    except SavedFileError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise SavedFileError(f"{name} is damaged: its manifest says what cannot be: {type(error).__name__}: {error}") from None
