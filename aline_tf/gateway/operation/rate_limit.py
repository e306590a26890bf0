"""Limits of rate: a bucket of tokens for everybody who asks, refilled evenly."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

#: Askers who are remembered; who has been away longest is forgotten, and begins with a full bucket.
MOST_ASKERS = 10_000


class RateLimit:
    """So many requests a minute for everybody, and a burst of them at once.

    Args:
        per_minute: requests a minute in the long run.
        burst: requests at once.
        clock: seconds that only grow.

    Example:
        >>> from aline_tf.gateway.operation.rate_limit import RateLimit
        >>> now = [0.0]
        >>> limit = RateLimit(per_minute=60, burst=2, clock=lambda: now[0])
        >>> [limit.wait("somebody") for _ in range(3)]
        [0.0, 0.0, 1.0]
        >>> now[0] = 1.0
        >>> limit.wait("somebody")
        0.0
    """

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float]):
        self._rate, self._burst, self._clock = per_minute / 60.0, burst, clock
        self._turn = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, asker: str) -> float:
        """Seconds until the asker may ask; 0 where they may now, which is counted."""
        with self._turn:
            now = self._clock()
            level, since = self._buckets.pop(asker, (float(self._burst), now))
            level = min(level + (now - since) * self._rate, self._burst)
            allowed = level >= 1.0
            self._buckets[asker] = (level - 1.0 if allowed else level, now)
            while len(self._buckets) > MOST_ASKERS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / self._rate
