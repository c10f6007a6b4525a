"""Reading, computing and writing at the same time, over short queues that bound memory."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any

WAITING = 1  # chunks between two stages
PATIENCE = 0.2  # seconds after which a waiting stage looks whether the others have stopped


class Stopped(Exception):
    """Another stage has stopped."""


class Pipeline:
    """Reads items in one thread and writes results in another, while the caller's computes.

    Results that were computed are written even where computing is interrupted: by an exception, or by Ctrl-C.

    >>> written = []
    >>> Pipeline(lambda x: x * 10, lambda x, y: written.append((x, y))).run([1, 2], lambda x, y: y + 1)
    >>> written
    [(1, 11), (2, 21)]
    """

    def __init__(self, read: Callable[[Any], Any], write: Callable[[Any, Any], None]) -> None:
        self.read = read
        self.write = write
        self.inputs: Queue[Any] = Queue(WAITING)
        self.results: Queue[Any] = Queue(WAITING)
        self.stopped = threading.Event()
        self.abandoned = threading.Event()
        self.errors: list[BaseException] = []

    def run(self, items: Iterable[Any], compute: Callable[[Any, Any], Any]) -> None:
        """Take all items through the three stages, in order; raises what one of them raised first."""
        reader = threading.Thread(target=self._read, args=(iter(items),), name="tapediff-read", daemon=True)
        writer = threading.Thread(target=self._write, name="tapediff-write", daemon=True)
        reader.start()
        writer.start()
        try:
            while (entry := self._get(self.inputs)) is not None:
                item, given = entry
                self._put(self.results, (item, compute(item, given)))
                del entry, given
        except Stopped:
            pass
        finally:
            try:
                self._finish(writer)
            finally:  # a second Ctrl-C gives up what is waiting, but never lets a thread write into files that are closed
                self.abandoned.set()
                self.stopped.set()
                wait_for(writer)
                wait_for(reader)
        if self.errors:
            raise self.errors[0]

    def _finish(self, writer: threading.Thread) -> None:
        """Let the writer write what it was given."""
        while writer.is_alive():
            try:
                self.results.put(None, timeout=PATIENCE)
                break
            except Full:
                continue
        writer.join()

    def _read(self, items: Iterator[Any]) -> None:
        try:
            for item in items:
                self._put(self.inputs, (item, self.read(item)))
            self._put(self.inputs, None)
        except Stopped:
            pass
        except BaseException as error:
            self.errors.append(error)
            self.stopped.set()

    def _write(self) -> None:
        try:
            while not self.abandoned.is_set():
                try:
                    entry = self.results.get(timeout=PATIENCE)
                except Empty:
                    continue
                if entry is None:
                    return
                self.write(*entry)
                del entry
        except BaseException as error:
            self.errors.append(error)
            self.stopped.set()

    def _get(self, queue: Queue[Any]) -> Any:
        while True:
            try:
                return queue.get(timeout=PATIENCE)
            except Empty:
                if self.stopped.is_set():
                    raise Stopped from None

    def _put(self, queue: Queue[Any], entry: Any) -> None:
        while True:
            if self.stopped.is_set():
                raise Stopped
            try:
                return queue.put(entry, timeout=PATIENCE)
            except Full:
                continue


def wait_for(thread: threading.Thread) -> None:
    """Wait until a thread has ended, whatever comes meanwhile."""
    while thread.is_alive():
        with suppress(KeyboardInterrupt):
            thread.join()
