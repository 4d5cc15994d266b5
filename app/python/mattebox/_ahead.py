"""One step ahead: the next item is prepared in a thread while the caller works on this one."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Iterator, TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(prepare: Callable[[A], B], items: Iterable[A], stopped: threading.Event) -> Iterator[Callable[[], B]]:
    """For each item what gives its prepared form, or raises what preparing it raised. `items` is read in the caller's thread.
    When the caller leaves early, `stopped` is set, so that a long preparation can end."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="mattebox-loader")
    try:
        waiting = None
        for item in items:
            following = pool.submit(prepare, item)
            if waiting is not None:
                yield waiting.result
            waiting = following
        if waiting is not None:
            yield waiting.result
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)
