"""Candidates of an episode: a random choice among what the library offers and a row can reveal."""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.candidates import LIBRARY, LIBRARY_PLACES
from aline_tf.migraine.schema.channels import FIELD_NAMES
from aline_tf.migraine.schema.designs import design
from aline_tf.migraine.schema.evening_batch import candidate_designs


def library_fields(recent) -> tf.Tensor:
    """Of every candidate of the library its own field.

    Args:
        recent: [B, RECENT_DAYS, F] a table of the last days, today first.

    Returns:
        [B, L], in the order of `LIBRARY`.
    """
    rows, days, fields = recent.shape
    return tf.gather(tf.reshape(recent, [rows, days * fields]), LIBRARY_PLACES, axis=1)


def library_designs(today) -> tf.Tensor:
    """Designs of the whole library: [B, L, D].

    Args:
        today: int32 [B], weekday of the evening, 0 for Monday.
    """
    return candidate_designs(LIBRARY, today)


def library_candidates(seed, eligible, status, value, today, count: int) -> dict:
    """N candidates a row, in random order, the eligible ones first.

    Args:
        seed: int32 [2].
        eligible: bool [B, L], which candidates may be offered.
        status: int32 [B, L], what acquiring each gives (OBSERVED, NO_ANSWER or MISSING).
        value: [B, L], the value that it reveals where the status is OBSERVED; natural units.
        today: int32 [B], weekday of the evening, 0 for Monday.
        count: N; rows are padded where it exceeds the library.

    Returns:
        dict: candidate_design [B, N, D], candidate_mask [B, N], candidate_outcome and
        candidate_status [B, N, F], candidate_cost [B, N], as in an Episode (see `aline_tf.batch`).
    """
    rows, size = eligible.shape[0], len(LIBRARY)
    order = tf.where(eligible, draws.uniform(seed, [rows, size]), -1.0)
    chosen = tf.math.top_k(order, k=min(count, size)).indices

    def of_chosen(table):
        return tf.gather(table, chosen, batch_dims=1)

    ago, slot, outcome, field, cost = (
        tf.gather(_of_library(name), chosen)
        for name in ("days_ago", "slot", "outcome", "field", "cost")
    )
    place = tf.one_hot(field, len(FIELD_NAMES))
    result = of_chosen(status)
    revealed = tf.where(result == OBSERVED, of_chosen(value), 0.0)
    candidates = {
        "candidate_design": design(ago, (today[:, None] - ago) % 7, slot, outcome),
        "candidate_mask": of_chosen(eligible),
        "candidate_outcome": place * revealed[:, :, None],
        "candidate_status": tf.cast(place, tf.int32) * result[:, :, None],
        "candidate_cost": cost,
    }
    missing = count - min(count, size)
    return {
        name: tf.pad(table, [[0, 0], [0, missing]] + [[0, 0]] * (len(table.shape) - 2))
        for name, table in candidates.items()
    }


def _of_library(name: str) -> tf.Tensor:
    return tf.constant([getattr(item, name) for item in LIBRARY])
