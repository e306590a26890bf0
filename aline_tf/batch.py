"""The one shape glossary: what a `Batch` and an `Episode` hold.

A batch is a plain dict of tensors, so that Keras, tf.data and served signatures share it.
Capital letters have one meaning in the whole package:

    B batch rows            T horizon (acquisitions)      C context tokens (capacity)
    D design dimensions     F outcome fields of a token   N candidates
    M predictive targets    P parameters                  K mixture components
    E width of a token      H raw head outputs            Q quantile levels

Batch fields (float32 unless said otherwise):

    context_design   [B, C, D]        where or when each context token was measured
    context_outcome  [B, C, F]        what was measured, in natural units; ignored unless observed
    context_status   [B, C, F] int32  MISSING, OBSERVED or NO_ANSWER, field by field
    context_mask     [B, C]    bool   False marks padding
    known_theta      [B, P]           values of parameters that are given as known
    known_mask       [B, P]    bool   which of them are given
    theta_mask       [B, P]    bool   parameter targets selected in this row
    target_design    [B, M, D]        inputs whose outcomes may be wanted
    target_mask      [B, M]    bool   predictive targets selected in this row
    candidate_design [B, N, D]        the pool
    candidate_mask   [B, N]    bool   False marks padding and candidates already taken

An episode is a batch plus what only its simulator (or recorder) knows:

    theta             [B, P]           true parameters
    theta_observed    [B, P]    bool   whether that truth is recorded (always, when simulated)
    target_outcome    [B, M]           outcomes at `target_design`
    target_observed   [B, M]    bool   whether that outcome is recorded
    candidate_outcome [B, N, F]        what acquiring a candidate reveals
    candidate_status  [B, N, F] int32  and with which status
    candidate_cost    [B, N]           burden, in units of one prompt

Acquiring a candidate appends one token to the context: its design, its fields, their status.
Padding is invisible to the model and the order of the context does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aline_tf.errors import InputError

MISSING, OBSERVED, NO_ANSWER = 0, 1, 2

#: Fields of a Batch: rank and whether they are boolean masks, floats or status integers.
BATCH_FIELDS = {
    "context_design": ("B", "C", "D"),
    "context_outcome": ("B", "C", "F"),
    "context_status": ("B", "C", "F"),
    "context_mask": ("B", "C"),
    "known_theta": ("B", "P"),
    "known_mask": ("B", "P"),
    "theta_mask": ("B", "P"),
    "target_design": ("B", "M", "D"),
    "target_mask": ("B", "M"),
    "candidate_design": ("B", "N", "D"),
    "candidate_mask": ("B", "N"),
}
EPISODE_FIELDS = BATCH_FIELDS | {
    "theta": ("B", "P"),
    "theta_observed": ("B", "P"),
    "target_outcome": ("B", "M"),
    "target_observed": ("B", "M"),
    "candidate_outcome": ("B", "N", "F"),
    "candidate_status": ("B", "N", "F"),
    "candidate_cost": ("B", "N"),
}


#: What the letters mean, in messages.
LETTER_MEANING = {
    "B": "batch rows",
    "C": "context tokens",
    "D": "design dimensions",
    "F": "outcome fields of a context token",
    "M": "predictive targets",
    "N": "candidates",
    "P": "parameters",
}


def field_dtype(name: str) -> str:
    """The dtype of a batch or episode field, as a string numpy and TensorFlow understand."""
    if name.endswith(("_mask", "_observed")):
        return "bool"
    return "int32" if name.endswith("_status") else "float32"


def empty_batch(sizes: dict[str, int]) -> dict:
    """A numpy batch of zeros (nothing known, nothing selected).

    Args:
        sizes: size of each letter of the glossary; B and C, M, N default to 1 and 0.

    Returns:
        dict of arrays with every field of a Batch.
    """
    import numpy as np

    sizes = {"B": 1, "C": 0, "M": 0, "N": 0} | sizes
    return {
        name: np.zeros([sizes[letter] for letter in letters], field_dtype(name))
        for name, letters in BATCH_FIELDS.items()
    }


def batch_fields(batch) -> dict:
    """The fields of a Batch, of a dict that may hold more (an Episode, say).

    Args:
        batch: what somebody calls a model with.

    Raises:
        InputError: no dict, or one that lacks a field.
    """
    if not isinstance(batch, Mapping):
        raise InputError(
            f"expected a batch as a dict of {', '.join(BATCH_FIELDS)} (episodes to train on are "
            f"drawn by Trainer(model, task)); received {type(batch).__name__}"
        )
    lacking = [name for name in BATCH_FIELDS if name not in batch]
    if lacking:
        raise InputError(f"expected {lacking[0]} in the batch; received {', '.join(batch)}")
    return {name: batch[name] for name in BATCH_FIELDS}


def answered(batch: Mapping[str, Any]):
    """Which context tokens have their first field observed: a numpy bool [B, C].

    Args:
        batch: B rows, of arrays or eager tensors.
    """
    import numpy as np

    first = np.asarray(batch["context_status"])[..., 0]
    return np.asarray(batch["context_mask"], bool) & (first == OBSERVED)


def specs(spec, free: str = "BCMN", **sizes: int) -> dict:
    """The shape and dtype of every field of a task's Batch, as a graph's input signature.

        specs(spec)["context_design"] == tf.TensorSpec([None, None, D], "float32", "context_design")

    Args:
        spec: the `aline_tf.spec.TaskSpec`; its letters are D, F and P.
        free: letters whose size is left open.
        **sizes: size of each letter of B, C, M and N that is not free.

    Returns:
        dict of named `tf.TensorSpec`, in the order of the glossary.

    Raises:
        ValueError: a letter that is neither free nor given a size.
    """
    import tensorflow as tf

    sizes = sizes | dict.fromkeys(free) | spec.sizes
    lacking = sorted(set("BCMN") - set(sizes))
    if lacking:
        raise ValueError(
            f"Expected each of B, C, M, N to be free or to have a size. Received: free={free!r} "
            f"and no size of {', '.join(lacking)}"
        )
    return {
        name: tf.TensorSpec([sizes[letter] for letter in letters], field_dtype(name), name)
        for name, letters in BATCH_FIELDS.items()
    }


def check(batch: Mapping[str, Any], spec, fields: Mapping[str, tuple] = BATCH_FIELDS) -> None:
    """Refuses what is not a Batch of this task, in one sentence: a name, rank, dtype or size.

    Only descriptions of the arrays are read, never their values, so that it costs microseconds and
    serves symbolic tensors too (sizes that are not known yet are taken to be right).

    Args:
        batch: field -> numpy array or tensor. Fields of an Episode may be there too.
        spec: the `aline_tf.spec.TaskSpec` whose D, F and P the batch must have.
        fields: what must be there; `EPISODE_FIELDS` for an Episode.

    Raises:
        InputError: "expected ...; received ...".
    """
    if not isinstance(batch, Mapping):
        raise InputError(f"expected a batch as a dict of arrays; received {type(batch).__name__}")
    unknown = [name for name in batch if name not in EPISODE_FIELDS]
    if unknown:
        raise InputError(
            f"expected fields of a batch ({', '.join(fields)}); received "
            f"{', '.join(map(repr, unknown))}"
        )
    for name in fields:
        if name not in batch:
            raise InputError(f"expected {name} in the batch; received {', '.join(batch) or 'none'}")
    shapes = {}
    for name, array in batch.items():
        if not (hasattr(array, "shape") and hasattr(array, "dtype")):
            raise InputError(
                f"expected {name} as an array or tensor; received {type(array).__name__}"
            )
        dtype, letters = getattr(array.dtype, "name", str(array.dtype)), EPISODE_FIELDS[name]
        if dtype != field_dtype(name):
            raise InputError(f"expected {name} of dtype {field_dtype(name)}; received {dtype}")
        if getattr(array.shape, "rank", 0) is None:
            continue
        shape = tuple(array.shape)
        fixed = [spec.sizes.get(letter) for letter in letters]
        if len(shape) != len(letters) or any(
            None not in (size, own) and size != own for size, own in zip(fixed, shape, strict=True)
        ):
            shown = ", ".join(str(spec.sizes.get(letter, letter)) for letter in letters)
            raise InputError(f"expected {name} of shape [{shown}]; received {list(shape)}")
        shapes[name] = shape
    conflict = size_conflict(shapes)
    if conflict:
        raise InputError(conflict)


def check_finite(batch: Mapping[str, Any]) -> None:
    """Refuses numbers that are not finite where they are read: NaN is no way to say "missing".

    What masks and statuses leave unread may be anything.

    Args:
        batch: every field of a Batch, as arrays or eager tensors.

    Raises:
        InputError: "expected finite numbers in context_outcome where context_status is 1 ...".
    """
    import numpy as np

    array = {name: np.asarray(batch[name]) for name in BATCH_FIELDS}
    seen = array["context_mask"].astype(bool)[..., None]
    read = {
        "context_design": (seen, "context_mask is True"),
        "context_outcome": (
            seen & (array["context_status"] == OBSERVED),
            f"context_status is {OBSERVED} (observed)",
        ),
        "known_theta": (array["known_mask"].astype(bool), "known_mask is True"),
        "target_design": (array["target_mask"].astype(bool)[..., None], "target_mask is True"),
        "candidate_design": (
            array["candidate_mask"].astype(bool)[..., None],
            "candidate_mask is True",
        ),
    }
    for name, (mask, where) in read.items():
        if (mask & ~np.isfinite(array[name])).any():
            raise InputError(
                f"expected finite numbers in {name} where {where}; received NaN or infinity"
            )


def size_conflict(shapes: Mapping[str, tuple[int | None, ...]]) -> str | None:
    """Say where the inputs of one request disagree about a size, or None where they agree.

    Args:
        shapes: shape of every input, each of the rank of its field. Names that are not fields of
            an Episode only have to agree about their first size, the batch. A size of None is not
            known and agrees with any.

    Returns:
        "expected one size C (context tokens) in all of its inputs; received context_design [2, 3,
        1], context_mask [2, 4]", or None.
    """
    groups: dict[str, dict[str, int]] = {}
    for name, shape in shapes.items():
        for letter, size in zip(EPISODE_FIELDS.get(name, ("B",)), shape, strict=False):
            if size is not None:
                groups.setdefault(letter, {})[name] = size
    for letter, holders in groups.items():
        if len(set(holders.values())) > 1:
            received = ", ".join(f"{name} {list(shapes[name])}" for name in holders)
            return (
                f"expected one size {letter} ({LETTER_MEANING[letter]}) in all of its inputs;"
                f" received {received}"
            )
    return None
