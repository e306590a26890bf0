"""Rolling-origin backtest: forecasts evening by evening, each with what was known then, scored.

The forecast of an evening at 20:00 is about the next calendar day (24 h) or the next two (48 h):
the four or eight six-hour slots after the one under way. An evening counts in the score when the
diary tells of every slot of the day after: were half-reported days counted when an attack is noted,
and left out when none is, attacks would seem more frequent than they are.
"""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import MISSING
from aline_tf.migraine.forecast.forecast import Risk, attack_risks
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.attack_slots import attack_days
from aline_tf.migraine.records.days import DayHistory, day_history
from aline_tf.migraine.schema.designs import CAPACITY

DAYS = 60
#: Parameter draws per evening: the band of a curve needs fewer than a number in print.
DRAWS = 24
#: Below this many scored evenings, or with fewer days of either kind, a score says nothing.
ENOUGH_EVENINGS, ENOUGH_OF_EACH = 30, 5


@dataclasses.dataclass(frozen=True)
class Evening:
    """One forecast: the day it was made, its risks, and whether an attack followed within 24 h.

    Attributes:
        day: on which it was made, at 20:00.
        risks: within 24 and 48 hours.
        attack: that day's own record; None where the diary does not tell.
        followed: the record of the day after, in the same way.
        wholly_reported: whether every slot of that day is reported.

    Example:
        >>> from datetime import date
        >>> from aline_tf.migraine.forecast import Evening, Risk
        >>> evening = Evening(date(2025, 4, 17), (Risk(24, 0.2, 0.1, 0.3),), None, followed=True)
        >>> evening.wholly_reported
        True
    """

    day: date
    risks: tuple[Risk, ...]
    attack: bool | None
    followed: bool | None
    wholly_reported: bool = True


@dataclasses.dataclass(frozen=True)
class BacktestScore:
    """How the 24 h forecasts did.

    Attributes:
        evenings, attacks: how many were scored, and after how many an attack followed.
        brier: mean squared difference between risk and what happened (0 is perfect).
        base_brier: the same for a forecaster who says the share `attacks / evenings` every
            evening, which is known only afterwards.

    Example:
        >>> from aline_tf.migraine.forecast import BacktestScore
        >>> BacktestScore(evenings=60, attacks=4, brier=0.1, base_brier=0.1).enough
        False
    """

    evenings: int
    attacks: int
    brier: float
    base_brier: float

    @property
    def enough(self) -> bool:
        """Whether there is enough to say anything."""
        of_each = min(self.attacks, self.evenings - self.attacks)
        return self.evenings >= ENOUGH_EVENINGS and of_each >= ENOUGH_OF_EACH


def backtest_evenings(
    model, timeline, now: datetime, days: int = DAYS, seed: int = 0, draws: int = DRAWS
) -> list[Evening]:
    """Forecasts of the last `days` evenings up to `now`, oldest first.

    Evenings before the first observation are left out.

    Args:
        model: an ALINE of the migraine task.
        timeline: what is recorded of the person.
        now: the moment of the last forecast; with its time zone.
        days: at most so many evenings.
        seed, draws: of the parameter draws behind the intervals.
    """
    full = day_history(timeline, now, CAPACITY + days)
    recorded = (full.status != MISSING).any(axis=1)
    if not recorded.any():
        return []
    first = full.dates[int(np.argmax(recorded))]
    wall = now.replace(tzinfo=None)
    moments = [wall - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    moments = [moment for moment in moments if moment.date() >= first]
    rows = []
    for moment in moments:
        # Wall time without a zone: each evening is read with the offset of that season.
        at = now if moment == wall else moment
        rows.append(history_batch(day_history(timeline, at, CAPACITY), candidates=[])[0])
    risks = attack_risks(model, batch_ops.stack(rows), seed, draws)
    record = dict(zip(full.dates, daily_attacks(full), strict=True))
    _, reported = attack_days(full.values, full.status, full.hourless)
    wholly = dict(zip(full.dates, reported.tolist(), strict=True))
    return [
        Evening(
            day=moment.date(),
            risks=tuple(row),
            attack=record.get(moment.date()),
            # The day after `now` is the future, whatever a file may say of it.
            followed=record.get(moment.date() + timedelta(days=1)),
            wholly_reported=wholly.get(moment.date() + timedelta(days=1), False),
        )
        for moment, row in zip(moments, risks, strict=True)
    ]


def daily_attacks(history: DayHistory) -> list[bool | None]:
    """Whether each day of a history had an attack: None where the diary does not tell.

    A day that is not over counts as free of attacks when everything up to now was.
    """
    return [
        True if attack else False if reported else None
        for attack, reported in zip(
            *attack_days(history.values, history.status, history.hourless), strict=True
        )
    ]


def backtest_score(evenings: list[Evening]) -> BacktestScore | None:
    """Score of the 24 h forecasts; None when none of them can be checked.

    Args:
        evenings: from `backtest_evenings`.
    """
    checked = [e for e in evenings if e.followed is not None and e.wholly_reported]
    if not checked:
        return None
    risk = np.array([evening.risks[0].probability for evening in checked])
    followed = np.array([evening.followed for evening in checked], float)
    return BacktestScore(
        evenings=len(checked),
        attacks=int(followed.sum()),
        brier=float(np.mean((risk - followed) ** 2)),
        base_brier=float(np.mean((followed.mean() - followed) ** 2)),
    )
