"""The batch of one person, from imported history: the same tokens as in training."""

from __future__ import annotations

import numpy as np

from aline_tf.batch import MISSING, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.schema.candidates import Candidate, candidates_for
from aline_tf.migraine.schema.channels import FIELD_NAMES, OUTCOME_INDEX
from aline_tf.migraine.schema.designs import CAPACITY, design
from aline_tf.migraine.schema.evening_batch import candidate_designs, evening_batch


def history_batch(
    history, candidates: list[Candidate] | None = None, targets=None
) -> tuple[dict, list[Candidate]]:
    """One person's batch (B = 1) at the evening of the last day of a history.

    Args:
        history: values [C, F] and status [C, F] of consecutive local days, and their dates, oldest
            first, the last row today (an `aline_tf.migraine.records.days.DayHistory`). Only
            the last 112 days are used.
        candidates: the pool; `candidates_for` the history's status when omitted.
        targets: predictive targets as (outcome name, days ago, slot or -1); negative days lie in
            the future. The two forecasts, attack_24h and attack_48h, when omitted.

    Returns:
        (batch, candidates): a Batch of numpy arrays, C = the days about which anything is known,
        all parameters and predictive targets selected, and the pool in the order of
        `candidate_design`.

    Raises:
        InputError: arrays that do not match; a target that does not exist.
    """
    values, status = np.asarray(history.values), np.asarray(history.status)
    days = len(history.dates)
    if values.shape != (days, len(FIELD_NAMES)) or status.shape != values.shape or not days:
        raise InputError(
            f"expected at least one day of {len(FIELD_NAMES)} fields;"
            f" received values {values.shape}, status {status.shape} and {days} dates"
        )
    if candidates is None:
        candidates = candidates_for(status)
    unknown = [name for name, _, _ in targets or () if name not in OUTCOME_INDEX]
    if unknown:
        raise InputError(
            f"expected targets of {', '.join(OUTCOME_INDEX)}; received {', '.join(unknown)}"
        )

    today = np.array([history.dates[-1].weekday()], np.int32)
    used = np.flatnonzero((status != MISSING).any(axis=1) & (np.arange(days) >= days - CAPACITY))
    outcome = np.where(status[used] == OBSERVED, values[used], 0.0).astype(np.float32)
    batch = evening_batch(outcome[None], status[used][None], today, (days - 1 - used)[None])
    if targets is not None:
        table = [(ago, slot, OUTCOME_INDEX[name]) for name, ago, slot in targets]
        ago, slot, which = np.reshape(np.array(table, np.int32), [1, -1, 3]).transpose(2, 0, 1)
        batch["target_design"] = design(ago, (today[:, None] - ago) % 7, slot, which).numpy()
        batch["target_mask"] = np.ones([1, len(targets)], bool)
    batch["candidate_design"] = candidate_designs(candidates, today).numpy()
    batch["candidate_mask"] = np.ones([1, len(candidates)], bool)
    return batch, list(candidates)
