"""Passes through models wait in one queue, and a few threads run them.

The queue is bounded: what would wait behind too much is refused at once. Large passes never take
all the threads, so that small ones get by; passes that may be merged are run as one when several
wait, so that nobody waits in order to be merged. What nobody waits for any more is not run. Where
nothing waits a small pass is run by the thread that asks: to hand it over and back takes longer
than much of what is run.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

#: From this size on (pairs of tokens, or elements) a pass is large: it takes about 50 ms.
LARGE = 1 << 17
#: Arrays that wait, in bytes.
MOST_BYTES = 256 << 20


_TOO_LATE = "expected an answer in time; received none"


class QueueFullError(RuntimeError):
    """Too much waits already."""


class AbandonedError(RuntimeError):
    """The caller went away, or its time is over."""


class StoppedError(RuntimeError):
    """The server stops."""

    def __init__(self):
        super().__init__("expected a server that is running; received a request while it stops")


@dataclasses.dataclass(eq=False)
class Pass:
    """One pass through a model, as long as somebody waits for it.

    Attributes:
        work: what is run.
        size: how large it is.
        rows: of its batch.
        bytes_held: of its arrays.
        key: passes of one key may be merged; None for none.
        is_wanted: asked before it is run.
        result, error: one of them, once `done` is set.
    """

    work: Any
    size: int = 0
    rows: int = 1
    bytes_held: int = 0
    key: Hashable = None
    is_wanted: Callable[[], bool] = lambda: True
    result: Any = None
    error: Exception | None = None
    done: threading.Event = dataclasses.field(default_factory=threading.Event)


@dataclasses.dataclass(frozen=True)
class QueueSettings:
    """How much is run and waits at one time.

    Attributes:
        workers: passes that run at the same time.
        capacity: passes that wait.
        most_rows: of a merged pass; 1 merges nothing.
    """

    workers: int = dataclasses.field(default_factory=lambda: max(2, os.cpu_count() or 2))
    capacity: int = 64
    most_rows: int = 16


class WorkQueue:
    """Runs passes in the order in which they come, but for large ones.

    Args:
        run: gives each of several passes of one key its `result` or `error`.
        settings: how many.
    """

    def __init__(self, run: Callable[[list[Pass]], None], settings: QueueSettings):
        self._run, self._settings = run, settings
        self._waiting: list[Pass] = []
        self._changed = threading.Condition()
        self._running, self._running_large, self._stopped = 0, 0, False
        self._threads = [
            threading.Thread(target=self._work, name=f"serve-run-{number}", daemon=True)
            for number in range(settings.workers)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, asked: Pass, timeout: float | None = None) -> Any:
        """The result, once it is there.

        Args:
            asked: the pass.
            timeout: seconds to wait for it.

        Raises:
            QueueFullError, StoppedError: it is not run.
            AbandonedError: its time was over, or `drop` was called.
            Exception: what running it raised.
        """
        with self._changed:
            if self._stopped:
                raise StoppedError
            is_free = not self._waiting and self._running < self._settings.workers
            if is_free and asked.size <= LARGE:
                self._running += 1
            else:
                self._add(asked)
                is_free = False
        if is_free:
            self._run_here(asked, timeout)
        elif not asked.done.wait(None if timeout is None else min(timeout, threading.TIMEOUT_MAX)):
            self.drop(asked)
        if asked.error is not None:
            raise asked.error
        return asked.result

    def _add(self, asked: Pass) -> None:
        held = sum(waiting.bytes_held for waiting in self._waiting)
        full = len(self._waiting) >= self._settings.capacity
        if full or (self._waiting and held + asked.bytes_held > MOST_BYTES):
            raise QueueFullError(
                f"expected fewer requests at a time; received one while"
                f" {len(self._waiting)} wait: ask again"
            )
        self._waiting.append(asked)
        self._changed.notify()

    def _run_here(self, asked: Pass, timeout: float | None) -> None:
        """Run a pass in the thread that asks; a worker less does so meanwhile."""
        begin = time.monotonic()
        try:
            self._run_wanted([asked])
        finally:
            with self._changed:
                self._running -= 1
                if self._waiting:
                    self._changed.notify_all()
        if timeout is not None and time.monotonic() - begin > timeout:
            asked.error = asked.error or AbandonedError(_TOO_LATE)

    def drop(self, asked: Pass, why: Exception | None = None) -> None:
        """Nobody waits for it any more: unless it is running already, it never will."""
        with self._changed:
            if asked in self._waiting:
                self._waiting.remove(asked)
        if not asked.done.is_set():
            asked.error = why or AbandonedError(_TOO_LATE)
            asked.done.set()

    def stop(self) -> None:
        """Run nothing more; what waits is abandoned."""
        with self._changed:
            self._stopped = True
            waiting = list(self._waiting)
            self._changed.notify_all()
        for asked in waiting:
            self.drop(asked, StoppedError())

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (taken := self._take()):
                    if self._stopped:
                        return
                    self._changed.wait()
            self._run_wanted(taken)
            with self._changed:
                self._running -= 1
                self._running_large -= taken[0].size > LARGE
                # A large one may have waited for this, while others were passed on to.
                self._changed.notify_all()

    def _run_wanted(self, taken: list[Pass]) -> None:
        """Run those of some passes for which somebody waits."""
        wanted = [asked for asked in taken if asked.is_wanted()]
        for asked in taken:
            if asked not in wanted:
                self.drop(asked)
        try:
            if wanted:
                self._run(wanted)
        except Exception as error:
            for asked in wanted:
                asked.error = asked.error or error
        for asked in wanted:
            asked.done.set()

    def _take(self) -> list[Pass]:
        """The next passes to run together, out of the queue; none if none may run now."""
        if self._running >= self._settings.workers:
            return []
        most_large = max(1, self._settings.workers - 1)
        for first in self._waiting:
            large = first.size > LARGE
            if large and self._running_large >= most_large:
                continue
            taken = [first]
            if first.key is not None and not large:
                self._add_alike(taken)
            self._waiting = [waiting for waiting in self._waiting if waiting not in taken]
            self._running += 1
            self._running_large += large
            return taken
        return []

    def _add_alike(self, taken: list[Pass]) -> None:
        rows, size = taken[0].rows, taken[0].size
        for other in self._waiting:
            fits = rows + other.rows <= self._settings.most_rows and size + other.size <= LARGE
            if other is not taken[0] and other.key == taken[0].key and fits:
                taken.append(other)
                rows, size = rows + other.rows, size + other.size
