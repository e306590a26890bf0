"""Which sizes of which signatures XLA has compiled: those that are asked for often, a few of them.

Half of a small model's time goes into the dispatch of its thousands of operations, and a program
has none. It takes seconds to make, though, and room for good. So a request is padded to one of few
sizes; sizes that are asked for again and again are compiled by a thread of their own, while the
plain graph goes on answering; and a program is used where it gives the same answer in less time.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from aline_tf.runtime.background import Background
from aline_tf.runtime.malloc import return_memory
from aline_tf.serving.embedded import merging
from aline_tf.serving.embedded.graph_functions import Signature, tensors
from aline_tf.serving.embedded.work_queue import LARGE
from aline_tf.serving.limits import Limits, pairs_of
from aline_tf.serving.xla.checked_copy import NoCopyError, checked_copy

LOG = logging.getLogger(__name__)
#: Passes of one size after which it is compiled.
OFTEN = 24
#: Programs of a process at most: each takes about 20 MB, and the first another 100.
MOST = 12
#: The least context that is padded to; how much of a pool may be padding: an eighth.
_LEAST_CONTEXT, _PARTS_OF_POOL = 16, 8
#: Rows of merged requests in one pass: from four on each takes as long as it would by itself.
_ROWS = 4
#: Sizes that are counted at one time; nobody can make the table longer.
_MOST_COUNTED = 256
#: Times that both are run to see which is faster.
_RUNS = 5
#: How far answers may be apart, relative to 1 and to themselves, for them to be the same.
_APART = 1e-3

_MEANS = {True: "used", False: "no faster", None: "not judged by what is refused"}

Sizes = tuple[int, int, int, int]


@dataclasses.dataclass
class _Of:
    """Of one signature: passes by size; by what copy it is compiled; which sizes are faster."""

    asked: Counter[Sizes] = dataclasses.field(default_factory=Counter)
    copy: str | None = None
    faster: dict[Sizes, bool] = dataclasses.field(default_factory=dict)
    has_none: bool = False


class Programs:
    """Answers by programs of XLA where it has some.

    Args:
        most: programs at most; 0 for none.
        often: passes of one size after which it is compiled.
    """

    def __init__(self, most: int = MOST, often: int = OFTEN):
        self._most, self._often = most, often
        self._of: weakref.WeakKeyDictionary[Signature, _Of] = weakref.WeakKeyDictionary()
        self._verdicts: dict[tuple[str, Sizes], bool | None] = {}
        self._lock = threading.Lock()
        self._background = Background("serve-xla")

    def answer(
        self, function: Any, requests: Sequence[merging.Arrays], limits: Limits | None
    ) -> list[dict[str, np.ndarray]] | None:
        """The outputs of requests as one pass; None where there is no program for it, or where the
        graph refuses it and has to say why.

        Args:
            function: of a signature that may be merged.
            requests: the inputs of each.
            limits: of the model.
        """
        if not self._most or not isinstance(function, Signature):
            return None
        answers: list[dict[str, np.ndarray]] = []
        for part in _parts(requests):
            found = self._answer(function, part, limits)
            if found is None:
                return None
            answers += found
        return answers

    def _answer(
        self, function: Signature, requests: Sequence[merging.Arrays], limits: Limits | None
    ) -> list[dict[str, np.ndarray]] | None:
        room = padded_sizes([merging.sizes_of(arrays) for arrays in requests])
        key = room["B"], room["C"], room["M"], room["N"]
        of = self._of.get(function) or self._meet(function)
        if not of.faster.get(key):
            sizes = merging.sizes_of(requests[0]) | room
            is_fit = pairs_of(sizes) <= LARGE and not (limits and limits.exceeded(sizes))
            if key not in of.faster and is_fit:
                self._count(function, of, key, requests)
            return None
        found, is_sound = _run(function, of.copy, merging.merged(requests, room))
        return merging.split(found, requests) if is_sound else None

    def stop(self) -> None:
        """Nothing more is compiled."""
        with self._lock:
            self._most = 0

    def wait(self) -> None:
        """Until everything is compiled that was asked for often by now."""
        self._background.wait()

    def _meet(self, function: Signature) -> _Of:
        """What is known of a signature that was not asked before: what was compiled of another
        version of its model, which has other weights."""
        of = _Of()
        if self._verdicts:
            self._copy(function, of)
        with self._lock:
            of.faster = {
                sizes: verdict
                for (copy, sizes), verdict in self._verdicts.items()
                if copy == of.copy and verdict is not None
            }
            return self._of.setdefault(function, of)

    def _copy(self, function: Signature, of: _Of) -> None:
        """Finds by what copy a signature is compiled, or that it has none."""
        try:
            of.copy = of.copy or checked_copy(function.name)
        except NoCopyError as error:
            of.has_none = True
            LOG.info("a signature is not compiled: %s", error)
        except Exception as error:  # nobody's request is to fail by it
            of.has_none = True
            LOG.warning("a signature cannot be copied: %s", _first_line(error))

    def _count(
        self, function: Signature, of: _Of, key: Sizes, requests: Sequence[merging.Arrays]
    ) -> None:
        with self._lock:
            if of.has_none:
                return
            if len(of.asked) >= _MOST_COUNTED and key not in of.asked:
                of.asked.clear()
            of.asked[key] += 1
            if of.asked[key] != self._often:
                return
        # Weakly: a version that goes meanwhile is let go.
        self._background.submit(partial(self._try, weakref.ref(function), key, list(requests)))

    def _try(
        self, of_function: weakref.ref[Signature], key: Sizes, requests: list[merging.Arrays]
    ) -> None:
        function = of_function()
        if function is None or not self._most:
            return
        of = self._of[function]
        try:
            self._copy(function, of)
            if of.has_none:
                return
            verdict = self._verdict(function, of.copy, key, requests)
        except Exception as error:  # whatever XLA cannot do
            of.has_none = True
            LOG.warning("a signature cannot be compiled: %s", _first_line(error))
        else:
            if verdict is None:
                of.asked[key] = 0
            else:
                of.faster[key] = verdict

    def _verdict(
        self, function: Signature, copy: str, key: Sizes, requests: list[merging.Arrays]
    ) -> bool | None:
        """Whether a program is to be used; None where these requests cannot tell."""
        verdict = self._verdicts.get((copy, key))
        if verdict is not None:
            return verdict
        if (copy, key) not in self._verdicts and len(self._verdicts) >= self._most:
            return False
        room, begin = dict(zip("BCMN", key, strict=True)), time.monotonic()
        padded = merging.merged(requests, room)
        _compile(function, copy, padded)
        seconds = time.monotonic() - begin
        return_memory()
        verdict = _is_better(function, copy, requests, room)
        with self._lock:
            self._verdicts[copy, key] = verdict
        LOG.info("sizes B, C, M, N of %s compiled in %.1f s: %s", key, seconds, _MEANS[verdict])
        return verdict


def _parts(requests: Sequence[merging.Arrays]) -> Iterator[Sequence[merging.Arrays]]:
    """The requests, in order, as many at a time as have a few rows together: a program gains
    nothing by more, and few sizes are enough."""
    start, rows = 0, 0
    for place, request in enumerate(requests):
        more = merging.sizes_of(request)["B"]
        if rows and rows + more > _ROWS:
            yield requests[start:place]
            start, rows = place, 0
        rows += more
    yield requests[start:]


def padded_sizes(sizes: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sizes B, C, M and N to which requests are padded for a program.

    Targets go up to a power of two; so do a context, from 16 on, and rows, from four on, but for a
    single one; a pool goes up to one of eight steps between two powers of two.

    Args:
        sizes: of the requests.
    """
    most = {letter: max(size[letter] for size in sizes) for letter in "CMN"}
    rows = sum(size["B"] for size in sizes)
    step = max(1, _power_of_two(most["N"]) // (2 * _PARTS_OF_POOL))
    return {
        "B": rows if rows == 1 else max(_ROWS, _power_of_two(rows)),
        "C": max(_LEAST_CONTEXT, _power_of_two(most["C"])),
        "M": _power_of_two(most["M"]),
        "N": -(-max(most["N"], 1) // step) * step,
    }


def _power_of_two(size: int) -> int:
    return 1 << max(size - 1, 0).bit_length()


def _run(
    function: Signature, copy: str, arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], bool]:
    found, is_sound = function.call_copy(copy, tensors(arrays))
    return {name: tensor.numpy() for name, tensor in found.items()}, bool(is_sound)


def _compile(function: Signature, copy: str, arrays: Mapping[str, np.ndarray]) -> None:
    # XLA does so when a size is first run.
    _run(function, copy, arrays)


def _is_better(
    function: Signature, copy: str, requests: list[merging.Arrays], room: Mapping[str, int]
) -> bool | None:
    """Whether the program gives the answer of the graph in less time; None for what is refused."""

    def quick() -> tuple[dict[str, np.ndarray], bool]:
        return _run(function, copy, merging.merged(requests, room))

    def plain() -> dict[str, np.ndarray]:
        arrays = requests[0] if len(requests) == 1 else merging.merged(requests)
        return {name: tensor.numpy() for name, tensor in function(**tensors(arrays)).items()}

    found, is_sound = quick()
    if not is_sound:
        return None
    expected = merging.split(plain(), requests)
    for ours, theirs in zip(merging.split(found, requests), expected, strict=True):
        for name, array in theirs.items():
            # Of two candidates of the same score either may be chosen.
            if name != "index" and not np.allclose(ours[name], array, _APART, _APART, True):
                LOG.warning("%s of a program is not what the graph gives: it is not used", name)
                return False
    times = dict.fromkeys((plain, quick), np.inf)
    for _ in range(_RUNS):
        for run in times:
            begin = time.perf_counter()
            run()
            times[run] = min(times[run], time.perf_counter() - begin)
    return _is_faster(times[quick], times[plain])


def _is_faster(seconds: float, than: float) -> bool:
    return seconds < than


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300]
