"""Episodes of people who recorded themselves: a task without simulator or parameters.

An episode is one evening of one person, as in `aline_tf.migraine.task.simulated`, but what is not
recorded cannot be a target: parameters never are, a forecast is one only where the diary tells of
every slot of the days after, and a candidate is a reading or an answer that was recorded and is
held back, so that what it shows is what it showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.records.attack_slots import EVERY_DAY, attack_days
from aline_tf.migraine.records.days import DayHistory, day_history
from aline_tf.migraine.schema import candidates as pool
from aline_tf.migraine.schema.channels import (
    CHANNELS,
    FIELD_NAMES,
    FIELD_OF_CHANNEL,
    FORECASTS,
    HAS_SLOTS,
    PASSIVE_NAMES,
    SLOTS,
)
from aline_tf.migraine.schema.designs import CAPACITY, design
from aline_tf.migraine.schema.evening_batch import day_tokens, forecast_designs
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.migraine.simulation.recording import not_yet
from aline_tf.migraine.task.day_features import DayFeatures
from aline_tf.migraine.task.library_candidates import (
    library_candidates,
    library_designs,
    library_fields,
)
from aline_tf.tasks.task import Task

#: Days before the first evening that is forecast.
LEAST_HISTORY = 7
#: Most days read of one person: a few years.
_MOST_DAYS = 1500
_AFTER, _BEFORE = 3, 14


def read_histories(folder: Path) -> list[DayHistory]:
    """The days of everybody whose timeline lies in a folder, by file name.

    Args:
        folder: of files that `aline-tf migraine import` wrote (.jsonl or .jsonl.gz), one a person.

    Raises:
        InputError: no folder, no timeline in it, or one that cannot be read.
    """
    from aline_tf.migraine.records.timeline_file import read_timeline

    if not folder.is_dir():
        raise InputError(f"expected a folder of timelines; received {folder}")
    files = sorted(p for p in folder.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")))
    if not files:
        raise InputError(f"expected timelines (.jsonl, .jsonl.gz) in {folder}; received none")
    histories = []
    for path in files:
        timeline = read_timeline(path)
        history = day_history(timeline, timeline.evening(), _MOST_DAYS)
        known = (history.status != MISSING).any(axis=1)
        first = int(np.argmax(known)) if known.any() else len(known)
        histories.append(
            DayHistory(
                history.values[first:],
                history.status[first:],
                history.dates[first:],
                history.now,
                history.hourless[first:],
            )
        )
    return histories


def recorded_attacks(
    values: np.ndarray, status: np.ndarray, hourless: np.ndarray | None = None
) -> np.ndarray:
    """Whether each day [C] had an attack: 1, 0, or NaN where not every slot of it is reported.

    See `attack_days`: a day of which one slot is reported, and had an attack, stays NaN. So does
    every day of somebody who notes attacks alone, whose days without one are never reported: only
    days that were all attack would count, and attacks seem certain. Attacks on nearly every day of
    the record are believed.

    Args:
        values, status: [C, F].
        hourless: bool [C], as in a `DayHistory`.
    """
    attack, reported = attack_days(values, status, hourless)
    if not (reported & ~attack).any() and reported.mean() < EVERY_DAY:
        reported = np.zeros_like(reported)
    return np.where(reported, attack.astype(float), np.nan)


class RecordedTask(Task):
    """Evenings of recorded people.

    Args:
        histories: S people.
        targets: M, as in `MigraineTask`.

    Raises:
        InputError: nobody has an evening, after a week of history, whose day after is reported by
            somebody who reports days without an attack too.

    Example: ten days on which only the absence of attacks was reported.

        >>> import numpy as np
        >>> from datetime import date, datetime, timedelta
        >>> from aline_tf.migraine.records import DayHistory
        >>> from aline_tf.migraine.schema import FIELDS, places
        >>> from aline_tf.migraine.task import RecordedTask
        >>> values, status = np.zeros([10, len(FIELDS)]), np.zeros([10, len(FIELDS)], int)
        >>> status[:, places("attack")] = 1
        >>> dates = tuple(date(2025, 3, 1) + timedelta(days=day) for day in range(10))
        >>> task = RecordedTask([DayHistory(values, status, dates, datetime(2025, 3, 10, 20))])
        >>> task.evenings.tolist()
        [[0, 7], [0, 8]]
    """

    spec = SPEC
    teaches_missing = True

    def __init__(self, histories: Sequence[DayHistory], targets: int = 8):
        longest = max((len(history.dates) for history in histories), default=0) + _AFTER
        shape = (len(histories), longest, len(FIELD_NAMES))
        value, status = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
        attack = np.full(shape[:2], np.nan, np.float32)
        evenings = []
        for row, history in enumerate(histories):
            days = len(history.dates)
            value[row, :days], status[row, :days] = history.values, history.status
            attack[row, :days] = recorded_attacks(history.values, history.status, history.hourless)
            scored = np.flatnonzero(np.isfinite(attack[row, 1:]))
            evenings += [(row, day) for day in scored if day >= LEAST_HISTORY]
        if not evenings:
            raise InputError(
                f"expected somebody with {LEAST_HISTORY} days of history and a diary that tells of"
                f" the day after; received none among {len(histories)} people"
            )
        self.targets = targets
        self.target_weights = (3.0,) * len(FORECASTS) + (1.0,) * (targets - len(FORECASTS))
        self.evenings = np.array(evenings, np.int32)
        self._value, self._status = tf.constant(value), tf.constant(status)
        self._attack = tf.constant(attack)
        self._weekday = tf.constant([h.dates[0].weekday() if h.dates else 0 for h in histories])

    def feature_layers(self) -> dict:
        return {"history_features": DayFeatures()}

    def sample_theta(self, seed, batch):
        """Nobody knows the parameters of recorded people: zeros, never a target."""
        return tf.zeros([batch, len(SPEC.parameters)])

    def sample_designs(self, seed, batch, count):
        """Designs of the library: [B, N, D]."""
        drawn = draws.uniform(seed, [batch, count], 0.0, float(len(pool.LIBRARY)))
        return tf.gather(
            library_designs(tf.zeros([batch], tf.int32)),
            tf.cast(drawn, tf.int32),
            batch_dims=1,
        )

    def simulate(self, theta, design, seed):
        """Not to be had: what happened is recorded, what else might have is not.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Recorded people have no simulator: use sample_episodes.")

    def sample_episodes(self, seed, batch, candidates):
        """Evenings at random; see the module."""
        which_seed, hide_seed, pool_seed, target_seed = draws.split(seed, 4)
        drawn = draws.uniform(which_seed, [batch], 0.0, float(len(self.evenings)))
        person, now = tf.unstack(tf.gather(self.evenings, tf.cast(drawn, tf.int32)), axis=1)
        today = (tf.gather(self._weekday, person) + now) % 7
        days_ago = tf.tile(tf.range(CAPACITY - 1, -1, -1)[None], [batch, 1])
        value, status = self._days(person, now[:, None] - days_ago)
        hidden, unknowable = _hidden(hide_seed, value, days_ago)
        shown = tf.where(hidden | unknowable, MISSING, status)
        episode = {
            **day_tokens(tf.where(shown == OBSERVED, value, 0.0), shown, days_ago, today),
            "known_theta": tf.zeros([batch, len(SPEC.parameters)]),
            "known_mask": tf.zeros([batch, len(SPEC.parameters)], tf.bool),
            "theta": tf.zeros([batch, len(SPEC.parameters)]),
            "theta_observed": tf.zeros([batch, len(SPEC.parameters)], tf.bool),
            "theta_mask": tf.zeros([batch, len(SPEC.parameters)], tf.bool),
        }
        held = tf.where(hidden & ~unknowable, status, MISSING)
        # What was recorded of the last days and is held back.
        result, revealed = (
            library_fields(tf.reverse(table[:, -pool.RECENT_DAYS :], axis=[1]))
            for table in (held, value)
        )
        episode |= library_candidates(
            pool_seed, result != MISSING, result, revealed, today, candidates
        )
        return episode | self._targets(target_seed, person, now, today)

    def _days(self, person, day):
        """Values and status [B, R, F] of days [B, R]; outside of the record nothing is known."""
        last = self._value.shape[1] - 1
        inside = (day >= 0) & (day <= last)
        person = tf.broadcast_to(person[:, None], tf.shape(day))
        index = tf.stack([person, tf.clip_by_value(day, 0, last)], axis=2)
        status = tf.where(inside[:, :, None], tf.gather_nd(self._status, index), MISSING)
        return tf.gather_nd(self._value, index), status

    def _targets(self, seed, person, now, today):
        """The two forecasts, then channels at random times, where they are recorded."""
        rows, count = person.shape[0], self.targets - len(FORECASTS)
        attack = tf.gather(self._attack, person)
        one, two = (tf.gather(attack, now + ahead, batch_dims=1) for ahead in (1, 2))
        # One day with an attack would settle the 48 hours, but see `recorded_attacks`.
        forecast = tf.stack([one, tf.minimum(one + two, 1.0)], axis=1)
        channel_u, ago_u, slot_u = tf.unstack(draws.uniform(seed, [3, rows, count]))
        channel = tf.cast(channel_u * len(CHANNELS), tf.int32)
        ago = tf.cast(tf.floor(ago_u * (_AFTER + _BEFORE)), tf.int32) - (_AFTER - 1)
        slot = tf.where(tf.gather(HAS_SLOTS, channel), tf.cast(slot_u * SLOTS, tf.int32), -1)
        place = tf.gather(FIELD_OF_CHANNEL, channel) + tf.maximum(slot, 0)
        value, status = self._days(person, now[:, None] - ago)
        outcome = tf.gather(value, place[:, :, None], batch_dims=2)[:, :, 0]
        recorded = tf.gather(status, place[:, :, None], batch_dims=2)[:, :, 0] == OBSERVED
        known = tf.math.is_finite(forecast)
        observed = tf.concat([known, recorded], axis=1)
        return {
            "target_design": tf.concat(
                [
                    forecast_designs(today),
                    design(ago, (today[:, None] - ago) % 7, slot, channel + len(FORECASTS)),
                ],
                axis=1,
            ),
            "target_outcome": tf.concat(
                [tf.where(known, forecast, 0.0), tf.where(recorded, outcome, 0.0)], axis=1
            ),
            "target_observed": observed,
            "target_mask": tf.concat([known, tf.zeros_like(recorded)], axis=1),
        }


def _hidden(seed, value, days_ago):
    """What of the days [B, C, F] is held back, and what nobody could know at 20:00: two bool.

    Half of the rows hold back many of the readings of the last days, half of them what was said
    this evening: an application has yet to fetch the first and to ask for the second.
    """
    rows, days, fields = value.shape
    row_seed, cell_seed, evening_seed = draws.split(seed, 3)
    holds_back = draws.uniform(row_seed, [rows, 1, 1]) < 0.5
    drawn = draws.uniform(cell_seed, [rows, days, fields]) < 0.5
    reading = tf.range(fields) < len(PASSIVE_NAMES)
    recent = (days_ago < pool.RECENT_DAYS)[:, :, None]
    evening = [name.endswith(f"_{pool.NOW_SLOT}") for name in FIELD_NAMES]
    unasked = draws.uniform(evening_seed, [rows, 1, 1]) < 0.5
    hidden = recent & holds_back & drawn & reading
    hidden |= (days_ago == 0)[:, :, None] & unasked & evening
    return hidden, not_yet(value, days_ago)
