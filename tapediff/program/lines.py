"""Which line of the recorded function recorded each instruction."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from tapediff.program.closed import Place
from tapediff.program.guards import PACKAGE
from tapediff.recording import modes

__all__ = ["Lines"]


class Lines:
    """Notes where the running tape stood when a line of code outside of this package began, while a function runs in `with`.

    It takes the place of a debugger's trace function, and puts it back. Marks are (segment, number of instructions in it, place),
    in the order of time.

    is_inherited  nothing is traced: a tape that is evaluated hands on the places of its instructions, and what a recorded pass
                  adds for an instruction comes from the place of that
    """

    def __init__(self, is_inherited: bool = False) -> None:
        self.is_inherited = is_inherited
        self.marks: list[tuple[int, int, Any]] = []
        self.before: Any = None

    def __enter__(self) -> Lines:
        self.before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.settrace(self.before)

    def note(self, place: Any) -> None:
        """What follows on the tape comes from `place`: a Place, or a code object and a line in it, or None."""
        segment = modes.segment
        mark = (segment.number, len(segment), place)
        if self.marks and self.marks[-1][:2] == mark[:2]:
            self.marks[-1] = mark
        else:
            self.marks.append(mark)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return None if frame.f_code.co_filename.startswith(PACKAGE) else self._stepped

    def _stepped(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.note((frame.f_code, frame.f_lineno))
        elif event == "return":  # what the caller's line records after the call
            caller = frame.f_back
            while caller is not None and caller.f_code.co_filename.startswith(PACKAGE):
                caller = caller.f_back
            if caller is not None:
                self.note((caller.f_code, caller.f_lineno))
        return self._stepped

    def of_segment(self, number: int, count: int) -> list[Place | None]:
        """For each of the first `count` instructions of a segment the place that recorded it."""
        found: list[Place | None] = []
        current: Any = None
        for segment, position, place in self.marks:
            if segment > number:
                break
            if segment == number and position > len(found):
                found += [_place(current)] * (min(position, count) - len(found))
            current = place
        return found + [_place(current)] * (count - len(found))


def _place(noted: Any) -> Place | None:
    """A file, line and function."""
    if noted is not None and isinstance(noted[0], CodeType):
        code, line = noted
        return code.co_filename, line, code.co_name
    found: Place | None = noted
    return found
