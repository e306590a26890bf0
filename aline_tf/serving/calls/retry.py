"""Another try at a call that no server took, after a pause that grows (back-off).

What never arrived is tried again (no connection, a connection that broke, a server that says that
it is not available), and what a server has no room for now: its queue is full. Every call of a
model is a question and changes nothing, so that one which is asked twice does no harm. What a
server refused otherwise it would refuse again, as it would a message that is too large.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

import grpc

from aline_tf.errors import InputError

_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
#: What a server sends beside such a refusal: milliseconds until another try has a point, -1 where
#: none has. Source: gRPC proposal A6, "client retries".
PUSHBACK = "grpc-retry-pushback-ms"
#: How gRPC says that a message itself is too large.
_TOO_LARGE = "larger than max"


@dataclasses.dataclass(frozen=True)
class Retry:
    """How often a call is tried, and how long the pauses between tries are.

    Pause i lies between half and the whole of min(longest_pause, first_pause 2^i): drawn, so that
    many clients of a server that was restarted do not come back all at once.

    Attributes:
        attempts: tries in all; 1 for no second one.
        first_pause: seconds before the second try, at most.
        longest_pause: seconds before any try, at most.
        seed: of the draws; None for another one in every process.

    Raises:
        InputError: fewer than one try, or a pause that is not positive or not in order.

    Example:
        >>> from aline_tf.serving.calls import Retry
        >>> retry = Retry(attempts=4, first_pause=0.1, longest_pause=0.3, seed=1)
        >>> [0.5 <= pause / most <= 1.0 for pause, most in zip(retry.pauses(), (0.1, 0.2, 0.3))]
        [True, True, True]
    """

    attempts: int = 3
    first_pause: float = 0.1
    longest_pause: float = 2.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int):
            raise InputError(f"expected a whole number of attempts; received {self.attempts!r}")
        if self.attempts < 1:
            raise InputError(f"expected attempts of 1 or more; received {self.attempts}")
        if not 0 < self.first_pause <= self.longest_pause < float("inf"):
            raise InputError(
                "expected 0 < first_pause <= longest_pause, in seconds; received"
                f" {self.first_pause} and {self.longest_pause}"
            )

    def pauses(self) -> Iterator[float]:
        """Seconds to wait before the second try, the third and so on."""
        draws = random.Random(self.seed)
        for retried in range(self.attempts - 1):
            # A power beyond this is longer than any longest pause, and no float further on.
            most = min(self.longest_pause, self.first_pause * 2.0 ** min(retried, 60))
            yield most * draws.uniform(0.5, 1.0)


def least_pause(error: grpc.RpcError) -> float | None:
    """Seconds to wait at least before a call that failed is tried again; None where it would only
    fail again.

    Args:
        error: that the call raised.
    """
    if error.code() not in _AGAIN or _TOO_LARGE in (error.details() or ""):
        return None
    pushed_back = dict(error.trailing_metadata() or ()).get(PUSHBACK)
    if pushed_back is None:
        return 0.0
    return int(pushed_back) / 1000 if pushed_back.isdecimal() else None
