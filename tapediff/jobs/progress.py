"""Progress of a job on stderr: a bar where somebody looks, lines at intervals in a log, or nothing."""

import sys
from time import monotonic
from typing import Any, TextIO

from tapediff.jobs.errors import JobError

MODES = ("auto", "bar", "log", "none")
LOG_SECONDS = 10.0


class Progress:
    """A context that tells how far a job is.

    mode   "bar"; "log": a line at the start, every ten seconds and at the end; "none"; "auto": a bar in a notebook and where
           stderr is a terminal, else lines
    total  rows; `done` of them were finished before

    >>> with Progress("none", 10) as progress:
    ...     progress.advance(5, 1)
    """

    def __init__(self, mode: str, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        if mode not in MODES:
            raise JobError(f"progress={mode!r}: choose one of {', '.join(MODES)}")
        self.stream = sys.stderr if stream is None else stream
        if mode == "auto":
            mode = "bar" if is_notebook() or self.stream.isatty() else "log"
        self.mode = mode
        self.total, self.done, self.before = total, done, done
        self.programs = 0
        self.bar: Any = None
        self.started = self.told = monotonic()

    def __enter__(self) -> "Progress":
        self.started = self.told = monotonic()
        if self.mode == "bar":
            from tqdm.auto import tqdm
            stream = None if is_notebook() else self.stream
            self.bar = tqdm(total=self.total, initial=self.done, unit="row", unit_scale=True, smoothing=0.1, file=stream)
        elif self.mode == "log" and self.done:
            self._tell(f"going on behind {self.done:,} of {self.total:,} rows")
        return self

    def advance(self, rows: int, programs: int) -> None:
        """Say that `rows` more are computed, on as many programs as this."""
        self.done += rows
        if self.bar is not None:
            if programs != self.programs:
                self.bar.set_postfix_str(f"{programs} program{'s' * (programs != 1)}", refresh=False)
            self.bar.update(rows)
        elif self.mode == "log" and monotonic() - self.told >= LOG_SECONDS:
            self._tell(self.line())
        self.programs = programs

    def line(self) -> str:
        """How far it is: rows, rows per second, what is left."""
        seconds = max(monotonic() - self.started, 1e-9)
        speed = (self.done - self.before) / seconds
        left = (self.total - self.done) / speed if speed else 0.0
        part = self.done / self.total if self.total else 1.0
        return (f"{self.done:,} of {self.total:,} rows ({part:.1%}), {speed:,.0f} rows/s, {clock(left)} left, "
                f"{self.programs} program{'s' * (self.programs != 1)}")

    def _tell(self, text: str) -> None:
        self.told = monotonic()
        print(f"tapediff: {text}", file=self.stream, flush=True)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.mode == "log" and monotonic() - self.started >= LOG_SECONDS:
            self._tell(self.line())


def tell(mode: str, text: str) -> None:
    """Say something on stderr, unless nothing is to be said."""
    if mode != "none":
        print(f"tapediff: {text}", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as hours, minutes, seconds.

    >>> clock(59.6), clock(3725)
    ('1:00', '1:02:05')
    """
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def is_notebook() -> bool:
    """Whether a notebook shows what this process prints."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"
