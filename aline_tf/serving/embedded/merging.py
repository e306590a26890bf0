"""Several requests as one pass: padded to one size, with counts that keep padding out of the masks.

Rows of a batch do not see each other, so each request gets its rows of the answer back. A graph
takes part only if it has the counts (`aline_tf.serving.signatures`): without them padding would be
read as what was asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from aline_tf.batch import BATCH_FIELDS
from aline_tf.serving.signatures import COUNTED_MASKS, NO_COUNT, OUTPUTS_BY_PLACE

_PADDED = ("C", "M", "N")
_OUTPUTS_BY_ROW = {
    "theta_mean",
    "theta_sd",
    "theta_probability",
    "theta_quantiles",
    "theta_raw",
    "index",
    "entropy",
}

Arrays = Mapping[str, np.ndarray]


def can_merge(definition: Any) -> bool:
    """Whether a signature's graph takes counts, and nothing that is not known to be by row.

    Args:
        definition: its SignatureDef.
    """
    counts = {count for count, mask in COUNTED_MASKS.items() if mask in definition.inputs}
    known = set(definition.inputs) <= {*BATCH_FIELDS, *COUNTED_MASKS}
    by_row = set(definition.outputs) <= {*OUTPUTS_BY_PLACE, *_OUTPUTS_BY_ROW}
    return bool(counts) and counts <= set(definition.inputs) and known and by_row


def sizes_of(arrays: Arrays) -> dict[str, int]:
    """B, C, M, N and the others that the arrays have; what they have not is 0."""
    sizes = dict.fromkeys("BCMNP", 0)
    for name, array in arrays.items():
        if name in BATCH_FIELDS:
            sizes.update(zip(BATCH_FIELDS[name], array.shape, strict=False))
    return sizes


def sizes_together(requests: Sequence[Arrays]) -> dict[str, int]:
    """The sizes of one request of several."""
    sizes = [sizes_of(request) for request in requests]
    most = {letter: max(size[letter] for size in sizes) for letter in sizes[0]}
    return most | {"B": sum(size["B"] for size in sizes)}


def size_class(arrays: Arrays) -> Hashable:
    """The same for requests that are near enough in size to be padded to one; None for a request
    that must not be padded: without rows, or with counts that do not fit its rows or its places.
    Its graph should refuse it, and could not once there is more room."""
    sizes = sizes_of(arrays)
    if not sizes["B"]:
        return None
    for name, mask in COUNTED_MASKS.items():
        count, most = arrays.get(name), sizes[BATCH_FIELDS[mask][1]]
        if count is None or not _is_given(count):
            continue
        if count.shape != (sizes["B"],) or not all(0 <= c <= most for c in count.tolist()):
            return None
    return tuple(max(sizes[letter] - 1, 0).bit_length() for letter in _PADDED)


def merged(requests: Sequence[Arrays], room: Mapping[str, int] | None = None) -> Arrays:
    """One request of several; every count is given.

    Args:
        requests: of one signature whose graph takes counts.
        room: the sizes B, C, M and N of the request that is made; by default as large as is needed.
            Rows beyond those of the requests are empty.
    """
    sizes = [sizes_of(request) for request in requests]
    room = room or sizes_together(requests)
    together = {}
    for name, first in requests[0].items():
        if name in COUNTED_MASKS:
            letter = BATCH_FIELDS[COUNTED_MASKS[name]][1]
            parts = [
                request[name] if _is_given(request[name]) else size[letter]
                for request, size in zip(requests, sizes, strict=True)
            ]
            letters: Sequence[str] = ("B",)
        else:
            parts, letters = [request[name] for request in requests], BATCH_FIELDS[name]
        shape = [room.get(letter, size) for letter, size in zip(letters, first.shape, strict=True)]
        if len(requests) == 1 and isinstance(parts[0], np.ndarray) and list(first.shape) == shape:
            together[name] = first
            continue
        array, start = np.zeros(shape, first.dtype), 0
        for part, size in zip(parts, sizes, strict=True):
            rows = array[start : start + size["B"]]
            if len(letters) > 1:
                rows = rows[:, : part.shape[1]]
            rows[...] = part
            start += size["B"]
        together[name] = array
    return together


def split(outputs: Arrays, requests: Sequence[Arrays]) -> list[dict[str, np.ndarray]]:
    """The answer of each request: its rows, without padding.

    Args:
        outputs: of the merged request.
        requests: that it was made of.
    """
    found, start = [], 0
    for request in requests:
        sizes = sizes_of(request)
        rows = {name: array[start : start + sizes["B"]] for name, array in outputs.items()}
        found.append(
            {
                name: array[:, : sizes[OUTPUTS_BY_PLACE[name]]]
                if name in OUTPUTS_BY_PLACE
                else array
                for name, array in rows.items()
            }
        )
        start += sizes["B"]
    return found


def _is_given(count: np.ndarray) -> bool:
    return not (count.shape == (1,) and count[0] == NO_COUNT)
