"""How much memory a process holds while something goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np


@contextlib.contextmanager
def resident(pid: int, every: float = 1.0) -> Iterator[list[float]]:
    """A list to which the resident megabytes of a process are added again and again."""
    found: list[float] = []
    stopping = threading.Event()

    def look() -> None:
        while not stopping.wait(every):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            size = next(line for line in lines if line.startswith("VmRSS:"))
            found.append(int(size.split()[1]) / 1024)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        stopping.set()
        thread.join()


def growth(found: list[float]) -> float:
    """By what share the last quarter is above the second one; the first one fills caches."""
    quarter = len(found) // 4
    second, last = found[quarter : 2 * quarter], found[-quarter:]
    return float(np.median(last) / np.median(second) - 1.0)
