"""Batches put together from one person's batch: many rows, one more token, known parameters.

Everything here takes and returns numpy batches (see `aline_tf.batch`) and changes none of them.
"""

from __future__ import annotations

import numpy as np

from aline_tf.batch import BATCH_FIELDS, OBSERVED

#: Rows of one forward pass: bounds the memory of the attention weights.
ROWS_AT_ONCE = 256


def repeat(batch: dict, times: int) -> dict:
    """Each row `times` times in succession: [B, ...] -> [B * times, ...]."""
    return {name: np.repeat(batch[name], times, axis=0) for name in BATCH_FIELDS}


def stack(batches: list[dict]) -> dict:
    """Rows of several batches, padded to the longest context, pool and target list."""
    sizes = {"C": 0, "M": 0, "N": 0}
    for batch in batches:
        sizes["C"] = max(sizes["C"], batch["context_mask"].shape[1])
        sizes["M"] = max(sizes["M"], batch["target_mask"].shape[1])
        sizes["N"] = max(sizes["N"], batch["candidate_mask"].shape[1])

    def padded(table, letters):
        room = [
            (0, sizes[letter] - size if letter in sizes else 0)
            for letter, size in zip(letters, table.shape, strict=True)
        ]
        return np.pad(table, room)

    return {
        name: np.concatenate([padded(batch[name], letters) for batch in batches])
        for name, letters in BATCH_FIELDS.items()
    }


def without_candidates(batch: dict) -> dict:
    """The same rows with an empty pool: what is believed does not depend on it."""
    return batch | {
        "candidate_design": batch["candidate_design"][:, :0],
        "candidate_mask": batch["candidate_mask"][:, :0],
    }


def with_known(batch: dict, theta: np.ndarray, known: np.ndarray) -> dict:
    """The same rows with parameters given as known: theta [B, P], known bool [B, P] or [P].

    What was known before keeps its value.
    """
    known = np.broadcast_to(known, theta.shape) & ~batch["known_mask"]
    return batch | {
        "known_theta": np.where(known, theta, batch["known_theta"]).astype(np.float32),
        "known_mask": batch["known_mask"] | known,
    }


def with_token(batch: dict, design: np.ndarray, field: np.ndarray, value: np.ndarray) -> dict:
    """The same rows, each with one more token that carries one observed field.

    Args:
        batch: B rows.
        design: [B, D] designs of the new tokens.
        field: [B] index of the field that is observed.
        value: [B] in natural units.

    Returns:
        a batch with C + 1 context tokens.
    """
    rows, _, fields = batch["context_outcome"].shape
    outcome = np.zeros([rows, 1, fields], np.float32)
    status = np.zeros([rows, 1, fields], np.int32)
    outcome[np.arange(rows), 0, field] = value
    status[np.arange(rows), 0, field] = OBSERVED
    new = {
        "context_design": np.asarray(design, np.float32)[:, None],
        "context_outcome": outcome,
        "context_status": status,
        "context_mask": np.ones([rows, 1], bool),
    }
    return batch | {
        name: np.concatenate([batch[name], table], axis=1) for name, table in new.items()
    }


def call(model, batch: dict) -> dict:
    """Raw outputs of the network for any number of rows, as numpy arrays.

    Rows are fed in portions of `ROWS_AT_ONCE`, so that memory does not grow with their number.
    """
    rows = len(batch["context_mask"])
    parts = []
    for start in range(0, rows, ROWS_AT_ONCE):
        portion = {name: batch[name][start : start + ROWS_AT_ONCE] for name in BATCH_FIELDS}
        parts.append({name: raw.numpy() for name, raw in model(portion).items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
