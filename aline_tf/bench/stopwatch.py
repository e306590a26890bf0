"""Wall-clock and CPU time of repeated calls."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds: the first call (compilation and all), and the median of the later ones.

    Example:
        >>> from aline_tf.bench.stopwatch import Times
        >>> Times(first=2.0, wall=0.1, cpu=0.2, calls=5).calls
        5
    """

    first: float
    wall: float
    cpu: float
    calls: int


class Stopwatch:
    """Collects the times of what is run through it.

    Args:
        skip: how many calls are warm-up; the first of them is reported apart.

    Example:
        >>> from aline_tf.bench.stopwatch import Stopwatch
        >>> watch = Stopwatch(skip=1)
        >>> for _ in range(3):
        ...     _ = watch.run(lambda: None)
        >>> watch.times().calls
        2
    """

    def __init__(self, skip: int = 1):
        if skip < 1:
            raise ValueError(f"Expected skip >= 1. Received: skip={skip}")
        self.skip = skip
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def run(self, call: Callable):
        """Calls, and returns what the call returned."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        self.note(time.perf_counter() - wall, time.process_time() - cpu)
        return result

    def note(self, wall: float, cpu: float) -> None:
        """Takes in the times of one call."""
        self.wall.append(wall)
        self.cpu.append(cpu)

    def times(self) -> Times:
        """Medians over the calls after the warm-up.

        Raises:
            ValueError: there were none.
        """
        measured = len(self.wall) - self.skip
        if measured < 1:
            raise ValueError(
                f"Expected more than {self.skip} calls. Received: {len(self.wall)} calls"
            )
        wall, cpu = (float(np.median(times[self.skip :])) for times in (self.wall, self.cpu))
        return Times(self.wall[0], wall, cpu, measured)
