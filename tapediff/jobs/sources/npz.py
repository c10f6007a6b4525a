"""Rows of a member of an `.npz` archive: read in place if it is stored, decompressed as a stream if it is not."""

import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.files import WHOLE, InputFile, one_line
from tapediff.jobs.sources.location import listing, unknown
from tapediff.jobs.sources.npy import Layout, RawRows, read_layout, require_size
from tapediff.jobs.sources.source import require_range
from tapediff.jobs.sources.spool import Spool

LOCAL_HEADER = 30  # bytes, before the member's name
PIECE = 1 << 20
DAMAGED = (ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


class NpzRows:
    """The rows of one member.

    A stored member is read by position. A compressed one is decompressed from its beginning as far as needed, and goes on from
    there; one in Fortran order, whose rows lie all over it, is first decompressed into a file without a name in `folder`.
    """

    def __init__(self, name: str, path: str, member: str | None, folder: Path | None):
        self.label = f"{path}:{member}" if member else path
        self.input = InputFile(path)
        self.archive = Member(name, path, member)
        try:
            self.layout = self.archive.layout
            self.layout.require_rows(name)
            self.length, *rest = self.layout.shape
            self.shape = tuple(rest)
            self.dtype = self.layout.dtype.newbyteorder("=")
            self.raw: RawRows | None = None
            if self.archive.is_stored:
                self.raw = RawRows(self.label, self.archive.file, self.layout, self.archive.data_start())
            elif self.layout.is_fortran and self.shape:
                self.raw = RawRows(self.label, self.archive.decompressed(folder), self.layout)
        except BaseException:
            self.archive.close()
            raise

    def read(self, first: int, last: int) -> np.ndarray:
        self.input.require_unchanged()
        if self.raw:
            return self.raw.read(first, last)
        require_range(self.label, self.length, first, last)
        raw = np.empty((last - first, *self.shape), dtype=self.layout.dtype)
        self.archive.fill(raw.reshape(-1), first * math.prod(self.shape))
        if raw.dtype == bool:
            raw = raw.view(np.uint8) != 0
        return np.ascontiguousarray(raw, dtype=self.dtype)

    def identity(self) -> dict[str, Any]:
        return {"kind": "npz", "member": self.archive.name, **self.input.identity()}

    def close(self) -> None:
        if self.raw:
            self.raw.close()
        self.archive.close()


class Member:
    """An array in a zip archive: its layout, where its bytes lie, and a stream of them."""

    def __init__(self, name: str, path: str, member: str | None):
        self.label = f"{path}:{member}" if member else path
        try:
            self.file: IO[bytes] = open(path, "rb")  # noqa: SIM115 - open for as long as the source
        except OSError as error:
            raise JobError(f"{path} can't be read: {error.strerror}") from error
        self.stream: IO[bytes] | None = None
        try:
            self.zip = open_zip(path, self.file)
            self.information = find_member(path, self.zip, member)
            self.name = self.information.filename.removesuffix(".npy")
            self.is_stored = self.information.compress_type == zipfile.ZIP_STORED and not self.information.flag_bits & 1
            self.layout = self._read_layout(name)
            require_size(self.label, self.information.file_size - self.layout.start, self.layout)
            if self.information.file_size <= WHOLE:
                self._verify()
        except BaseException:
            self.close()
            raise

    def open(self) -> IO[bytes]:
        try:
            return self.zip.open(self.information)
        except DAMAGED as error:
            raise self._damaged(error) from error

    def _read_layout(self, name: str) -> Layout:
        with self.open() as stream:
            return read_layout(name, self.label, stream)

    def _verify(self) -> None:
        """Compare with the checksum in the archive, which zipfile does at the end of the data."""
        with self.open() as stream:
            try:
                while stream.read(PIECE):
                    pass
            except DAMAGED as error:
                raise self._damaged(error) from error

    def data_start(self) -> int:
        """The byte of the file at which a stored member's data begins, behind its local header."""
        header = os.pread(self.file.fileno(), LOCAL_HEADER, self.information.header_offset)
        if len(header) < LOCAL_HEADER or header[:4] != b"PK\3\4":
            raise self._damaged(zipfile.BadZipFile("it has no local header"))
        name_length, extra_length = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
        return self.information.header_offset + LOCAL_HEADER + name_length + extra_length

    def fill(self, flat: np.ndarray, element: int) -> None:
        """Read elements from one on; cheap where it goes on from the last time."""
        position = self.layout.start + element * self.layout.dtype.itemsize
        view = flat.view(np.uint8).data
        try:
            if self.stream is None:
                self.stream = self.open()
            if self.stream.tell() != position:
                self.stream.seek(position)  # backwards: from the beginning again
            done = 0
            while done < len(view):
                piece = self.stream.read(min(PIECE, len(view) - done))
                if not piece:
                    raise EOFError("it is cut off")
                view[done : done + len(piece)] = piece
                done += len(piece)
        except DAMAGED as error:
            raise self._damaged(error) from error

    def element(self) -> np.ndarray:
        """The one element of an array without dimensions."""
        element = np.empty(1, dtype=self.layout.dtype)
        self.fill(element, 0)
        return element.astype(self.layout.dtype.newbyteorder("=")).reshape(())

    def decompressed(self, folder: Path | None) -> IO[bytes]:
        """A file without a name that holds the member."""
        spool = Spool(folder)
        with self.open() as stream:
            try:
                while piece := stream.read(PIECE):
                    spool.write(piece)
                spool.finish()
            except JobError:
                spool.close()
                raise
            except DAMAGED as error:
                spool.close()
                raise self._damaged(error) from error
        return spool.file

    def _damaged(self, error: BaseException) -> JobError:
        return JobError(f"{self.label} can't be read: {one_line(error)}")

    def close(self) -> None:
        if self.stream:
            self.stream.close()
        self.file.close()


def open_zip(path: str, file: IO[bytes]) -> zipfile.ZipFile:
    start = file.read(6)
    if start == b"\x93NUMPY":
        raise JobError(f"{path} is not an .npz file: it holds one array; write it with numpy.savez or name it .npy")
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except DAMAGED as error:
        raise JobError(f"{path} is not a readable .npz file: {one_line(error)}") from error


def find_member(path: str, archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if not member:
        raise JobError(f"{path} holds several arrays; say which one: {path}:MEMBER (it holds {listing(names)})")
    if member not in names:
        raise unknown(path, "member", member, names)
    return archive.getinfo(f"{member}.npy")
