"""Work that nobody waits for, one piece after the other, behind what a process does."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import threading
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Background:
    """A thread that lets all others go first, and is there while there is work.

    A process that ends waits for the piece at hand, which may work with what would be torn away
    under it, and begins no other.

    Args:
        name: of the thread.

    Example:
        >>> from aline_tf.runtime.background import Background
        >>> found = []
        >>> background = Background("example")
        >>> background.submit(lambda: found.append(1))
        >>> background.wait()
        >>> found
        [1]
    """

    def __init__(self, name: str):
        self._name = name
        self._due: collections.deque[Callable[[], object]] = collections.deque()
        self._lock = threading.Lock()
        self._works = False

    def submit(self, work: Callable[[], object]) -> None:
        """Puts a piece of work behind all others.

        Args:
            work: an exception of it is logged, and no other piece suffers from it.
        """
        with self._lock:
            self._due.append(work)
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name=self._name).start()

    def wait(self) -> None:
        """Until all is done that was submitted by now."""
        done = threading.Event()
        self.submit(done.set)
        done.wait()

    def _work(self) -> None:
        # Another system has no priority of threads.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:
                LOG.exception("work of %s failed", self._name)

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if self._due and threading.main_thread().is_alive():
                return self._due.popleft()
            self._works = False
            return None
