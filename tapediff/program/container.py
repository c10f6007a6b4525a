"""The container of a program file: a head, a header in JSON, and raw arrays, under one checksum."""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from typing import Any

import numpy as np

from tapediff.errors import ProgramFileError
from tapediff.whole_files import written_whole

__all__ = ["FORMAT_VERSION", "decoded_attribute", "encoded_attribute", "read", "write"]

Array = np.ndarray[Any, Any]
Path = str | os.PathLike[str]

# Head, 64 bytes, little-endian: magic (8), format version (4), zero (4), bytes of the header (8), bytes of the file (8), checksum
# (32). The header follows, then the sections, each at a multiple of 64 bytes; in between lie zeros. The checksum is BLAKE2b, 32
# bytes, of all bytes but its own.
MAGIC = b"\x89tdprog\n"
FORMAT_VERSION = 1
HEAD_BYTES = 64
CHECKSUM_AT = 32
ALIGNMENT = 64
DTYPES = {"uint8": "<u1", "int32": "<i4", "int64": "<i8"}


def aligned(offset: int) -> int:
    """The next multiple of 64."""
    return offset + ALIGNMENT - 1 & ~(ALIGNMENT - 1)


# --- writing --------------------------------------------------------------------------------------------------------------------

def write(path: Path, header: Mapping[str, Any], sections: Mapping[str, Array]) -> None:
    """Write a file, or leave what is at `path` as it is.

    The file is written beside `path` under another name, flushed to the disk, and then renamed.

    Raises
        OSError: the disk is full, the folder is not there or cannot be written.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise ProgramFileError(f"{os.fspath(path)!r} is a directory: give the name of a file")
    pieces = _pieces(header, sections)
    with written_whole(target) as file:
        for piece in pieces:
            file.write(piece)


def _pieces(header: Mapping[str, Any], sections: Mapping[str, Array]) -> list[Any]:
    """The bytes of a file in order, the head first."""
    places = {}
    end = 0
    for name, array in sections.items():
        places[name] = [array.dtype.name, list(array.shape), end]
        end = aligned(end + array.nbytes)
    text = json.dumps({**header, "sections": places}, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    pieces: list[Any] = [text, bytes(aligned(HEAD_BYTES + len(text)) - HEAD_BYTES - len(text))]
    for array in sections.values():
        stored = np.ascontiguousarray(array, DTYPES[array.dtype.name]).reshape(-1).view(np.uint8)
        pieces += [stored.data, bytes(aligned(stored.nbytes) - stored.nbytes)]
    size = HEAD_BYTES + sum(len(piece) for piece in pieces)
    head = MAGIC + FORMAT_VERSION.to_bytes(4, "little") + bytes(4) + len(text).to_bytes(8, "little") + size.to_bytes(8, "little")
    digest = hashlib.blake2b(head, digest_size=HEAD_BYTES - CHECKSUM_AT)
    for piece in pieces:
        digest.update(piece)
    return [head + digest.digest(), *pieces]


# --- reading --------------------------------------------------------------------------------------------------------------------

def read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the sections of a file, whose checksum was compared.

    Raises
        FileNotFoundError: there is none.
        ProgramFileError: it is no program file, or a damaged one.
    """
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ProgramFileError(f"{name!r} is no file but a directory or device")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD_BYTES)
            header_bytes = _checked_head(name, head, size)
            content = np.empty(size - HEAD_BYTES, np.uint8)
            if file.readinto(content.data) != content.nbytes:
                raise ProgramFileError(f"{name!r} became shorter while it was read")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ProgramFileError(f"{name!r} cannot be read: {error.strerror}") from error
    digest = hashlib.blake2b(head[:CHECKSUM_AT], digest_size=HEAD_BYTES - CHECKSUM_AT)
    digest.update(content.data)
    if digest.digest() != head[CHECKSUM_AT:]:
        raise ProgramFileError(f"{name!r} is damaged: its checksum is not that of its content; copy it again, or save the "
                               "program again")
    try:
        header = json.loads(content[:header_bytes].tobytes().decode())
        places = header.pop("sections")
        start = aligned(HEAD_BYTES + header_bytes) - HEAD_BYTES
        return header, {section: _section(content[start:], *place) for section, place in places.items()}
    except ProgramFileError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise ProgramFileError(f"{name!r} has no valid header: {type(error).__name__}: {error}") from None


def _checked_head(name: str, head: bytes, size: int) -> int:
    """The number of bytes of the header."""
    if not head:
        raise ProgramFileError(f"{name!r} is empty")
    if head[:len(MAGIC)] != MAGIC[:len(head)]:
        raise ProgramFileError(f"{name!r} is not a program file: it begins with {head[:8]!r} instead of {MAGIC!r}")
    if len(head) < HEAD_BYTES:
        raise ProgramFileError(f"{name!r} is cut off: it has {len(head)} bytes, its head alone has {HEAD_BYTES}")
    version, unused = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
    if version != FORMAT_VERSION or unused:
        raise ProgramFileError(f"{name!r} has format version {version}, and this tapediff reads version {FORMAT_VERSION}: it was "
                               "written by a newer tapediff, or is damaged")
    header_bytes, wanted = int.from_bytes(head[16:24], "little"), int.from_bytes(head[24:32], "little")
    if wanted != size:
        raise ProgramFileError(f"{name!r} should have {wanted} bytes and has {size}: "
                               + ("it is cut off" if size < wanted else "something was appended to it"))
    if header_bytes > size - HEAD_BYTES:
        raise ProgramFileError(f"{name!r} is damaged: a header of {header_bytes} bytes in a file of {size}")
    return header_bytes


def _section(content: Array, dtype: str, shape: list[int], offset: int) -> Array:
    """A section as an array of this machine's byte order, which shares the file's memory where it can."""
    if not all(type(number) is int and number >= 0 for number in (*shape, offset)) or len(shape) > 2:
        raise ValueError("a section has an impossible place")
    stored = np.dtype(DTYPES[dtype])
    end = offset + math.prod(shape) * stored.itemsize
    if end > content.nbytes or offset % ALIGNMENT:
        raise ValueError(f"a section ends at byte {end} of {content.nbytes}")
    return content[offset:end].view(stored).reshape(shape).astype(dtype, copy=False)


# --- values in the header -------------------------------------------------------------------------------------------------------

def encoded_attribute(value: Any) -> Any:
    """An attribute of an instruction as JSON: ints, floats, bools, None, strings, and tuples of them, each with its type.

    >>> encoded_attribute((1, 1.0, True, None, "mean", -0.0, float("inf")))
    [1, 1.0, True, None, 'mean', -0.0, {'float': 'inf'}]

    Raises
        TypeError: it is none of these.
    """
    if isinstance(value, tuple):
        return [encoded_attribute(part) for part in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    raise TypeError(f"{type(value).__name__} {value!r}")


def decoded_attribute(value: Any) -> Any:
    """What `encoded_attribute` encoded.

    >>> decoded_attribute([1, [True, {"float": "nan"}]])
    (1, (True, nan))

    Raises
        ValueError: it is nothing that it gives.
    """
    if isinstance(value, list):
        return tuple([decoded_attribute(part) for part in value])
    if isinstance(value, dict):
        if list(value) != ["float"] or value["float"] not in ("inf", "-inf", "nan"):
            raise ValueError(f"{value!r} is no value of an attribute")
        return float(value["float"])
    return value
