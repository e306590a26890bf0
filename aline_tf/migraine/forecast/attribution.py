"""Leave-one-out attribution of the 24 h risk to recent observations.

    change(o) = p(attack within 24 h | D) - p(attack within 24 h | D without o)

An observation is one channel of one of the last days, with all its slots. Changes need not add up:
two observations that say the same are each missed little.
"""

from __future__ import annotations

import dataclasses

from aline_tf import batch_ops
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.candidates import RECENT_DAYS
from aline_tf.migraine.schema.channels import CHANNELS, places


@dataclasses.dataclass(frozen=True)
class Attribution:
    """One observation and what it does to the 24 h risk.

    Attributes:
        channel: its name.
        days_ago: 0 today, 1 yesterday, 2 the day before.
        highest: the highest value observed that day in natural units; None when it was asked for
            and not answered.
        change: of the 24 h risk, as a difference of probabilities; positive where it raises it.

    Example:
        >>> from aline_tf.migraine.forecast import Attribution
        >>> Attribution("stress", days_ago=1, highest=8.0, change=0.03).channel
        'stress'
    """

    channel: str
    days_ago: int
    highest: float | None
    change: float


def attributions(model, history: DayHistory, days: int = RECENT_DAYS) -> list[Attribution]:
    """Observations of the last days, those that moved the risk most first.

    Args:
        model: an ALINE of the migraine task.
        history: up to the evening of the forecast; at least one day.
        days: how many of the last days are looked at.

    Returns:
        one `Attribution` for each channel and day about which anything is recorded.
    """
    days = min(days, len(history.dates))
    found, rows = [], [history_batch(history, candidates=[])[0]]
    for days_ago in range(days):
        row = len(history.dates) - 1 - days_ago
        for channel in CHANNELS:
            fields = list(places(channel.name))
            status = history.status[row, fields]
            if (status == MISSING).all():
                continue
            values = history.values[row, fields][status == OBSERVED]
            found.append((channel.name, days_ago, float(values.max()) if len(values) else None))
            without = history.changed(days_ago, fields, 0.0, MISSING)
            rows.append(history_batch(without, candidates=[])[0])
    risk = attack_probabilities(model, batch_ops.stack(rows))[:, 0]
    measured = [
        Attribution(*observation, change=float(risk[0] - left))
        for observation, left in zip(found, risk[1:], strict=True)
    ]
    return sorted(measured, key=lambda attribution: -abs(attribution.change))
