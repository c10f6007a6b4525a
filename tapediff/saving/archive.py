"""The file that `save` writes: a zip of uncompressed members, each with its checksum; a manifest in JSON and raw bytes."""

from __future__ import annotations

import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import numpy as np

from tapediff.errors import SavedFileError

__all__ = ["read", "write"]

FORMAT = "tapediff save"
VERSION = 1
MANIFEST = "manifest.json"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of zip's calendar: the same objects give the same bytes

# How files of other formats begin, and what reads them
OTHERS = ((b"\x89tdprog\n", "a program: read it with tapediff.load_program"),
          (b"\x80\x02\x8a\nl\xfc\x9cF", "a file of PyTorch before 1.6: read it with torch.load where PyTorch is installed and "
                                       "save the values as NumPy arrays"),
          (b"\x93NUMPY", "an array of NumPy: read it with numpy.load"),
          (b"\x80", "a pickle, which is never read here, since reading one can execute any code"),
          (b"\x89HDF", "an HDF5 file"),
          (b"\x1f\x8b", "compressed by gzip: decompress it first"))

Bytes = np.ndarray[Any, Any]


def write(file: Any, manifest: dict[str, Any], blobs: Iterable[Bytes]) -> None:
    """Write a manifest and the blobs that it speaks of by number."""
    header = {"format": FORMAT, "version": VERSION, "byteorder": sys.byteorder, **manifest}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST, FIRST_DAY), text)
        for number, blob in enumerate(blobs):
            archive.writestr(zipfile.ZipInfo(_member(number), FIRST_DAY), blob.data)


def _member(number: int) -> str:
    return f"bytes/{number}"


def read(file: BinaryIO, name: str) -> tuple[dict[str, Any], Callable[[int], Bytes]]:
    """The manifest of a file, and what reads a blob.

    Raises
        SavedFileError: the file is damaged, cut off, or of another format.
    """
    start = file.read(8)
    file.seek(0)
    _check_start(start, name)
    archive: zipfile.ZipFile = _guarded(name, lambda: zipfile.ZipFile(file))
    members = {member.filename: member for member in archive.infolist()}
    if MANIFEST not in members:
        raise SavedFileError(f"{name} is {_other_archive(set(members))}")

    def content(member: str) -> bytes:
        if member not in members:
            raise SavedFileError(f"{name} is damaged: it has no member {member!r}")
        if members[member].compress_type != zipfile.ZIP_STORED:  # a small file could unfold to fill the memory
            raise SavedFileError(f"{name} is damaged: its member {member!r} is compressed, which save never does")
        found: bytes = _guarded(name, lambda: archive.read(members[member]))
        return found

    try:
        manifest = json.loads(content(MANIFEST))
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"{name} is damaged: its manifest is no JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise SavedFileError(f"{name} was not written by tapediff.save: its manifest is another one")
    if manifest.get("version") != VERSION:
        raise SavedFileError(f"{name} has format version {manifest.get('version')}, and this tapediff reads version {VERSION}: "
                             "it was written by a newer tapediff")
    if manifest.get("byteorder") != sys.byteorder:
        raise SavedFileError(f"{name} was written by a machine with the byte order {manifest.get('byteorder')!r}, this one has "
                             f"{sys.byteorder!r}")
    return manifest, lambda number: np.frombuffer(content(_member(number)), np.uint8).copy()


def _check_start(start: bytes, name: str) -> None:
    if not start:
        raise SavedFileError(f"{name} is empty")
    if start.startswith(b"PK\x03\x04"):
        return
    for magic, what in OTHERS:
        if start.startswith(magic):
            raise SavedFileError(f"{name} is {what}")
    raise SavedFileError(f"{name} was not written by tapediff.save: it begins with {start!r}")


def _other_archive(members: set[str]) -> str:
    if any(member.endswith("/data.pkl") for member in members):
        return ("a PyTorch file: read it with torch.load where PyTorch is installed, and save its tensors with tapediff from "
                "there, or as NumPy arrays; its pickle is never read here")
    if members and all(member.endswith(".npy") for member in members):
        return "an archive of NumPy: read it with numpy.load"
    return f"a zip file that was not written by tapediff.save: it has no member {MANIFEST!r}"


def _guarded(name: str, step: Callable[[], Any]) -> Any:
    """What a step of reading a zip returns; what goes wrong there is damage."""
    try:
        return step()
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, ValueError, OverflowError, NotImplementedError,
            RuntimeError) as error:
        raise SavedFileError(f"{name} is damaged or cut off: {error}; copy it again, or save it again") from None
