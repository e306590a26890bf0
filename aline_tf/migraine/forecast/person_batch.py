"""From an imported history to the batch of a forecast: the same tokens as in training."""

from __future__ import annotations

import numpy as np

from aline_tf.batch import MISSING, OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.migraine.schema.candidates import Candidate, candidates_for
from aline_tf.migraine.schema.channels import FIELD_NAMES, FORECASTS, OUTCOME_INDEX
from aline_tf.migraine.schema.designs import CAPACITY, design
from aline_tf.migraine.schema.spec import SPEC


def history_batch(
    history, candidates: list[Candidate] | None = None, targets=None
) -> tuple[dict, list[Candidate]]:
    """One person's batch (B = 1) at the evening of the last day of a history.

    Args:
        history: values [C, F] and status [C, F] of consecutive local days, and their dates, oldest
            first, the last row today (an `aline_tf.migraine.records.day_history.DayHistory`). Only
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
    if targets is None:
        targets = [(channel.name, 0, -1) for channel in FORECASTS]
    unknown = [name for name, _, _ in targets if name not in OUTCOME_INDEX]
    if unknown:
        raise InputError(
            f"expected targets of {', '.join(OUTCOME_INDEX)}; received {', '.join(unknown)}"
        )

    today = history.dates[-1].weekday()
    used = np.flatnonzero((status != MISSING).any(axis=1) & (np.arange(days) >= days - CAPACITY))
    days_ago = days - 1 - used
    sizes = SPEC.sizes | {"C": len(used), "M": len(targets), "N": len(candidates)}
    batch = empty_batch(sizes)
    batch["context_design"][0] = designs_of(days_ago, today)
    batch["context_outcome"][0] = np.where(status[used] == OBSERVED, values[used], 0.0)
    batch["context_status"][0] = status[used]
    batch["context_mask"][:] = True
    batch["theta_mask"][:] = True
    batch["target_design"][0] = designs_of(
        [ago for _, ago, _ in targets],
        today,
        [slot for _, _, slot in targets],
        [OUTCOME_INDEX[name] for name, _, _ in targets],
    )
    batch["target_mask"][:] = True
    batch["candidate_design"][0] = candidate_designs(candidates, today)
    batch["candidate_mask"][:] = True
    return batch, list(candidates)


def candidate_designs(candidates: list[Candidate], weekday: int) -> np.ndarray:
    """Designs [N, D] of candidates; `weekday` is that of today (0 is Monday)."""
    return designs_of(
        [candidate.days_ago for candidate in candidates],
        weekday,
        [candidate.slot for candidate in candidates],
        [candidate.outcome for candidate in candidates],
    )


def designs_of(days_ago, today: int, slot=-1, outcome=-1) -> np.ndarray:
    """Designs [..., D] for days counted back from a day whose weekday is `today`."""
    days_ago = np.asarray(days_ago, np.int32)
    slot, outcome = np.asarray(slot, np.int32), np.asarray(outcome, np.int32)
    return design(days_ago, (today - days_ago) % 7, slot, outcome).numpy()
