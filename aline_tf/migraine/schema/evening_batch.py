"""The batch of an evening: one context token a day, the two forecasts, the designs of candidates.

Everything that reads records builds its context, targets and pool here: simulated and recorded
episodes, cohorts of an evaluation, and the history of one person.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from aline_tf.batch import MISSING, empty_batch
from aline_tf.migraine.schema.candidates import Candidate
from aline_tf.migraine.schema.channels import FORECASTS, OUTCOME_INDEX
from aline_tf.migraine.schema.designs import design
from aline_tf.migraine.schema.spec import SPEC


def day_tokens(outcome, status, days_ago, today) -> dict:
    """The context of an evening; a day about which nothing is known is no token at all.

    Args:
        outcome: [B, C, F], 0 where nothing was observed.
        status: int32 [B, C, F].
        days_ago: int32 [B or 1, C], of every row of the table, counted from the evening.
        today: int32 [B], weekday of the evening, 0 for Monday.

    Returns:
        dict: context_design [B, C, D], context_outcome, context_status, context_mask.
    """
    return {
        "context_design": design(days_ago, (today[:, None] - days_ago) % 7, -1, -1),
        "context_outcome": outcome,
        "context_status": status,
        "context_mask": tf.reduce_any(status != MISSING, axis=2),
    }


def forecast_designs(today) -> tf.Tensor:
    """Designs [B, 2, D] of the two forecasts; `today` int32 [B] is the weekday of the evening."""
    which = tf.constant([[OUTCOME_INDEX[channel.name] for channel in FORECASTS]])
    return design(0, today[:, None], -1, which)


def candidate_designs(candidates: Sequence[Candidate], today) -> tf.Tensor:
    """Designs of candidates.

    Args:
        candidates: N of them.
        today: int32 [B], weekday of the evening, 0 for Monday.

    Returns:
        [B, N, D].
    """
    ago, slot, outcome = (
        tf.constant([[getattr(item, name) for item in candidates]], tf.int32)
        for name in ("days_ago", "slot", "outcome")
    )
    return design(ago, (today[:, None] - ago) % 7, slot, outcome)


def evening_batch(outcome, status, today, days_ago=None) -> dict:
    """A numpy Batch of evenings: their records, all parameters and both forecasts, no candidates.

    Args:
        outcome: [B, C, F] in natural units, 0 where nothing was observed.
        status: int32 [B, C, F].
        today: int [B], weekday of each evening, 0 for Monday.
        days_ago: int [B or 1, C] of the rows; consecutive days that end today when omitted.
    """
    people, days, _ = status.shape
    today = np.asarray(today, np.int32)
    if days_ago is None:
        days_ago = np.arange(days - 1, -1, -1)[None]
    tokens = day_tokens(outcome, np.asarray(status), np.asarray(days_ago, np.int32), today)
    batch = empty_batch(SPEC.sizes | {"B": people, "C": days, "M": len(FORECASTS), "N": 0})
    batch |= {name: np.asarray(table) for name, table in tokens.items()}
    batch["target_design"] = forecast_designs(today).numpy()
    batch["target_mask"][:] = True
    batch["theta_mask"][:] = True
    return batch
