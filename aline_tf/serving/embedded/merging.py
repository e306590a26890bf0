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
        sizes |= dict(zip(BATCH_FIELDS.get(name, ()), array.shape, strict=False))
    return sizes


def size_class(arrays: Arrays) -> Hashable:
    """The same for requests that are near enough in size to be padded to one; None for a request
    whose counts do not fit its rows, which its graph should refuse alone."""
    sizes = sizes_of(arrays)
    for name in COUNTED_MASKS:
        if name in arrays and arrays[name].shape != (sizes["B"],) and _is_given(arrays[name]):
            return None
    return tuple(max(sizes[letter] - 1, 0).bit_length() for letter in _PADDED)


def merged(requests: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """One request of several; every count is given.

    Args:
        requests: of one signature whose graph takes counts.
    """
    sizes = [sizes_of(request) for request in requests]
    most = {letter: max(size[letter] for size in sizes) for letter in _PADDED}
    together = {}
    for name in requests[0]:
        if name in COUNTED_MASKS:
            letter = BATCH_FIELDS[COUNTED_MASKS[name]][1]
            parts = [
                request[name]
                if _is_given(request[name])
                else np.full([size["B"]], size[letter], request[name].dtype)
                for request, size in zip(requests, sizes, strict=True)
            ]
        else:
            parts = [_padded(name, request[name], most) for request in requests]
        together[name] = np.concatenate(parts)
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


def _padded(name: str, array: np.ndarray, most: Mapping[str, int]) -> np.ndarray:
    room = [
        (0, most[letter] - size if letter in most else 0)
        for letter, size in zip(BATCH_FIELDS[name], array.shape, strict=True)
    ]
    return np.pad(array, room) if any(after for _, after in room) else array
