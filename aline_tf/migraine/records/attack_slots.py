"""Attacks and reports of a timeline as the four slots of each day: 1, 0, refused, or missing.

A slot is 1 when a recorded attack overlaps it, up to now. It is 0 when it was reported free of
attacks, by a report on its day or on a part of it, and no attack overlaps it. The rules for what is
not so plain are those of `aline_tf.migraine.records.days.day_history`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf.migraine.records.timeline import DAY_S, NOT_ANSWERED, OBSERVED, SLOT_S
from aline_tf.migraine.schema.channels import places

SLOTS = DAY_S // SLOT_S
_ATTACK = list(places("attack"))
#: Where an attack at an hour nobody noted is written, the first that can be. Of 300 simulated
#: people, forecasts are best with it in the morning alone, when most attacks begin: log score -.397
#: in 24 h, beside -.394 with all hours known, -.406 with such days missing, -.411 with every slot
#: an attack.
HOURLESS_SLOTS = (1, 2, 3, 0)
#: Share of the days between the first and the last reported one that somebody reports who has an
#: attack on each.
EVERY_DAY = 0.9


def attacks_alone(attack: np.ndarray, reported: np.ndarray) -> np.ndarray:
    """Whether attacks are noted and days without one are not: no share of days follows from that.

    Args:
        attack, reported: bool [..., C], days with an attack, and days of which the diary tells.

    Returns:
        bool [...]; False where it tells of no day.
    """
    days = reported.shape[-1]
    span = days - reported.argmax(axis=-1) - reported[..., ::-1].argmax(axis=-1)
    count = reported.sum(axis=-1)
    free = (reported & ~attack).any(axis=-1)
    return (count > 0) & ~free & (count < EVERY_DAY * span)


def attack_days(
    values: np.ndarray, status: np.ndarray, hourless: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each day had an attack in a reported slot, and whether every slot was reported.

    A day of which the diary says that it had an attack, and not when or how long, is wholly
    reported.

    What is not wholly reported counts in no score and no training target, attack or not: were days
    counted when an attack is noted, and left out when none is, attacks would seem more frequent
    than they are. A day that is not over counts as reported when everything up to now was.

    Args:
        values, status: [C, F], as in a `DayHistory`.
        hourless: bool [C], as there; no such day when omitted.

    Returns:
        two bool [C].
    """
    observed = status[:, _ATTACK] == OBSERVED
    attack = (observed & (values[:, _ATTACK] > 0.5)).any(axis=1)
    whole = observed.all(axis=1)
    return attack, whole if hourless is None else whole | (hourless & attack)


@dataclasses.dataclass(frozen=True)
class Reports:
    """Rows about attacks, in order of time; wall times in seconds since 1970 local.

    Attributes:
        begin, end: int64 [n] of each.
        open_ended: bool [n], the end was not noted.
        is_attack: bool [n]; the others are reports on a span.
        value, status: [n], as in a timeline.
    """

    begin: np.ndarray
    end: np.ndarray
    open_ended: np.ndarray
    is_attack: np.ndarray
    value: np.ndarray
    status: np.ndarray


def attack_slots(rows: Reports, first: int, days: int, now: int) -> tuple[np.ndarray, ...]:
    """The slots of consecutive days.

    Args:
        rows: what is known.
        first: the first day, in days since 1970.
        days: C.
        now: wall time of the forecast, in seconds since 1970 local.

    Returns:
        (value [C, 4], status int32 [C, 4], hourless bool [C]: days reported on as a whole that had
        an attack whose hours are not all known).
    """
    slots = _Slots(rows, first, days, now)
    slots.fill()
    return slots.value, slots.status, slots.hourless


class _Slots:
    """The arrays, and the order in which rows are written into them: the last write wins."""

    def __init__(self, rows: Reports, first: int, days: int, now: int) -> None:
        self.rows, self.first, self.days, self.now = rows, first, days, now
        self.value = np.zeros([days, SLOTS], np.float32)
        self.status = np.zeros([days, SLOTS], np.int32)
        self.hourless = np.zeros(days, bool)

    def fill(self) -> None:
        rows = self.rows
        attacks = np.flatnonzero(rows.is_attack & (rows.status == OBSERVED))
        observed = ~rows.is_attack & (rows.status == OBSERVED)
        yes = np.flatnonzero(observed & (rows.value > 0.5))
        no = np.flatnonzero(observed & (rows.value <= 0.5))
        part = np.array([len(self.reported(row)) < SLOTS for row in no], bool)
        self.report(no[~part], 0.0, OBSERVED)
        for row in self.endless(attacks):
            day, slot = divmod(int(rows.begin[row]) // SLOT_S, SLOTS)
            for later in range(slot + 1, SLOTS):
                self.set(day, later, 0.0, status=0)
        self.report(
            np.flatnonzero(~rows.is_attack & (rows.status == NOT_ANSWERED)), 0.0, NOT_ANSWERED
        )
        self.report(no[part], 0.0, OBSERVED)
        for row in attacks:
            begin = int(rows.begin[row])
            stop = min(int(rows.end[row]), self.now)
            # An attack that ends as a slot begins does not reach into it.
            last = max(begin // SLOT_S, (stop - 1) // SLOT_S)
            for slot in range(begin // SLOT_S, last + 1):
                self.set(*divmod(slot, SLOTS), 1.0)
        free = {(self.day(row), slot) for row in no[part] for slot in self.reported(row)}
        for row in yes:
            self.somewhere(row, free)
        # A day that was reported on, with an attack whose end nobody noted, is no less reported.
        for index in {self.day(row) - self.first for row in no[~part]}:
            if 0 <= index < self.days and self.value[index].any():
                self.hourless[index] |= bool((self.status[index] == 0).any())

    def endless(self, attacks: np.ndarray) -> np.ndarray:
        """Of rows of attacks those whose end nobody noted, in none of the other rows either."""
        begin, end = self.rows.begin, self.rows.end
        is_open = self.rows.open_ended[attacks]
        closed, open_ended = attacks[~is_open], attacks[is_open]
        within = (begin[closed] <= begin[open_ended, None]) & (
            begin[open_ended, None] < end[closed]
        )
        return open_ended[~within.any(axis=1)]

    def somewhere(self, row: int, free: set[tuple[int, int]]) -> None:
        """An attack at an hour nobody noted, unless one with an hour explains the report.

        Args:
            row: of the report.
            free: days and slots that were reported free of attacks by themselves.
        """
        day, index = self.day(row), self.day(row) - self.first
        past = [s for s in self.reported(row) if (day * SLOTS + s) * SLOT_S <= self.now]
        if not 0 <= index < self.days or not past or (self.value[index, past] > 0.5).any():
            return
        possible = [slot for slot in past if (day, slot) not in free]
        for slot in possible:
            self.set(day, slot, 0.0, status=0)
        self.set(day, next(s for s in HOURLESS_SLOTS if s in (possible or past)), 1.0)
        self.hourless[index] = len(self.reported(row)) == SLOTS

    def report(self, rows: np.ndarray, value: float, status: int) -> None:
        """Slots of reports, up to now; a refusal only where nothing is known."""
        for row in rows:
            day, index = self.day(row), self.day(row) - self.first
            for slot in self.reported(row):
                known = 0 <= index < self.days and self.status[index, slot] != 0
                past = (day * SLOTS + slot) * SLOT_S <= self.now
                if past and not (status == NOT_ANSWERED and known):
                    self.set(day, slot, value, status)

    def day(self, row: int) -> int:
        return int(self.rows.begin[row]) // DAY_S

    def reported(self, row: int) -> range:
        """Slots of its day that a report overlaps; all of them when it has no length."""
        begin, end = int(self.rows.begin[row]), int(self.rows.end[row])
        if end <= begin:
            return range(SLOTS)
        midnight = self.day(row) * DAY_S
        last = min((end - midnight - 1) // SLOT_S, SLOTS - 1)
        return range((begin - midnight) // SLOT_S, last + 1)

    def set(self, day: int, slot: int, value: float, status: int = OBSERVED) -> None:
        """Write one slot; days out of range are ignored."""
        if 0 <= day - self.first < self.days:
            self.value[day - self.first, slot] = value if status == OBSERVED else 0.0
            self.status[day - self.first, slot] = status
