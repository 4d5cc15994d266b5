"""Progress, cancelling and signals of a call."""
from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, NamedTuple, Protocol

from . import _abi, errors
from ._library import text


class Progress(NamedTuple):
    """How far a call is: the share done from 0 to 1, the stage ("network", "refine" ...), the part that runs."""

    done: float
    stage: str
    item: str


class Cancel(Protocol):
    """What `cancel` takes: a threading.Event, or whatever has its is_set()."""

    def is_set(self) -> bool: ...


class Watch:
    """Progress, cancelling and Ctrl-C of one call. The library asks ten times a second or more, in the thread of the call: a
    signal of Python arrives while it does, and what is raised here ends the call and is raised from it."""

    def __init__(self, progress: Callable[[Progress], object] | None, cancel: Cancel | None) -> None:
        self.progress, self.cancel = progress, cancel
        self.raised: BaseException | None = None
        self.callback = _abi.mb_progress_callback(self._report)

    def _report(self, _user: int, at: Any) -> int:
        try:
            if self.raised is None and self.progress is not None:
                self.progress(Progress(at.contents.done, text(at.contents.stage), text(at.contents.item)))
            return self.stop()
        except BaseException as why:
            self.raised = why
            return 1

    def stop(self) -> int:
        """The same for decoders, which report no progress."""
        try:
            return int(self.raised is not None or (self.cancel is not None and self.cancel.is_set()))
        except BaseException as why:
            self.raised = why
            return 1

    @contextmanager
    def reraise(self) -> Iterator[None]:
        """Around calls of the library. A signal's exception may be raised before the first line of the callbacks above, where
        they cannot catch it: ctypes then gives it to sys.unraisablehook, which keeps it for the end of the call."""
        main = threading.current_thread() is threading.main_thread()
        before = sys.unraisablehook

        def keep(unraisable: Any) -> None:
            if threading.current_thread() is threading.main_thread() and "ctypes callback" in (unraisable.err_msg or ""):
                self.raised = unraisable.exc_value
            else:
                before(unraisable)

        if main:
            sys.unraisablehook = keep
        try:
            yield
        except errors.Cancelled:
            if self.raised is None:
                raise
        finally:
            if main:
                sys.unraisablehook = before
        if self.raised is not None:
            raised, self.raised = self.raised, None
            raise raised from None


class Either:
    """Several of them as one."""

    def __init__(self, *events: Cancel | None) -> None:
        self.events = [event for event in events if event is not None]

    def is_set(self) -> bool:
        return any(event.is_set() for event in self.events)


def numbered(progress: Callable[[int, Progress], object] | None, number: int) -> Callable[[Progress], object] | None:
    return None if progress is None else lambda at: progress(number, at)
