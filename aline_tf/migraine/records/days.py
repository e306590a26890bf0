"""From a timeline to days: the last C local days as they were known at one moment.

This is the context of a forecast: one token a day, with the fields of
`aline_tf.migraine.schema.channels`. A field nobody knows is missing (status 0) and stays missing.
The last row is the day of `now`, and only observations known by `now` are used.

How sources that overlap are resolved, by kind:
- steps: within an hour the source that counted most, then the hours of the day added up (a phone
  and a watch count the same steps; whichever was carried saw more of them); a source that states
  whole days only stands beside that sum, and the larger counts;
- sleep: the union of the asleep intervals of all sources, of which importing has left those of one
  export where several measured a night (`importers.sleep_exports`);
- heart rate variability and other readings: the median of the day;
- of what devices measure (`MEASURED`), what a diary says counts on days without a device;
- nights of which devices state the length, and answers of a person: the last one known wins, an
  answer wins over a refusal; of pains of several spans that overlap a slot the worst;
- attacks: the union, of which importing has left one answer where files of one diary give a day's
  attacks other hours (`importers.several_diaries`); an attack reported anywhere wins over a day
  reported free of attacks, and one whose hours were noted over one at an hour nobody noted.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np

from aline_tf.errors import InputError
from aline_tf.migraine.records.attack_slots import SLOTS, Reports, attack_slots
from aline_tf.migraine.records.cycles import cycle_starts, in_window
from aline_tf.migraine.records.intervals import union
from aline_tf.migraine.records.timeline import (
    DAY_S,
    OBSERVED,
    SLOT_S,
    SPOT_RMSSD,
    Timeline,
)
from aline_tf.migraine.schema.channels import (
    END_OF_DAY_NAMES,
    FIELD_INDEX,
    FIELD_NAMES,
    SPOT_READING,
    field_name,
    places,
)

#: Asleep intervals closer than this belong to the same night.
NIGHT_GAP_S = 3 * 3600
#: A sleep that starts at noon or later and ends the same day is a nap, not the night.
NOON_S = 12 * 3600
#: What days depend on from before them: a night begins the day before, travellers' days are long;
#: and nights and cycles are compared with earlier ones, however long ago.
SLACK_DAYS = 4
_LONG_MEMORY = ("wrist_temperature", "menstrual_flow", "cycle_start")
#: A count of steps over more than this is the total of a day.
LONGEST_COUNT_S = 4 * 3600
MAX_DAYS = 4000
_READINGS = ("resting_hr", "rmssd", "sdnn", SPOT_RMSSD, "skin_temperature", "screen_time")
#: What devices and calendars tell better than a person's memory.
MEASURED = frozenset((*_READINGS, "sleep_hours", "sleep_efficiency", "busy_hours"))
#: What the `source` of a diary begins with.
OF_DIARIES = "diary"
_ATTACK = list(places("attack"))


@dataclasses.dataclass(frozen=True)
class DayHistory:
    """C consecutive local days of one person, as known at `now`.

    Attributes:
        values: [C, F] float32, natural units; 0 where the status is not 1.
        status: [C, F] int32: 0 missing, 1 observed, 2 asked but not answered.
        dates: the C local dates, oldest first; the last is the day of `now`.
        now: the moment of the forecast, with its time zone.
        hourless: bool [C], days reported on as a whole that had an attack whose hours are not all
            known; none when omitted. Slots of which nothing is known are missing.

    Raises:
        InputError: values or status of another shape than the dates and the fields have.

    Example:
        >>> from aline_tf.migraine.records import Timeline, day_history
        >>> evening = 1_741_636_800  # 2025-03-10, 20:00 UTC
        >>> row = (evening, evening, evening, 0, 0, "stress", 7.0, "0-10", 1, "diary")
        >>> timeline = Timeline.from_rows([row])
        >>> day_history(timeline, timeline.evening(), 2).column("stress_3")
        array([nan,  7.], dtype=float32)
    """

    values: np.ndarray
    status: np.ndarray
    dates: tuple[date, ...]
    now: datetime
    hourless: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = (len(self.dates), len(FIELD_NAMES))
        if self.hourless is None:
            object.__setattr__(self, "hourless", np.zeros(len(self.dates), bool))
        if self.values.shape != shape or self.status.shape != shape:
            raise InputError(
                f"expected values and status of shape {shape}; received {self.values.shape} and"
                f" {self.status.shape}"
            )

    def changed(self, days_ago: int, fields: list[int], value: float, status: int) -> DayHistory:
        """The same days, but for some fields of one of them.

        Args:
            days_ago: which day; 0 is the last one.
            fields: indices into `FIELDS`.
            value: natural units; 0 where the status is not 1.
            status: 0 missing, 1 observed, 2 asked but not answered.
        """
        row = len(self.dates) - 1 - days_ago
        values, statuses = self.values.copy(), self.status.copy()
        values[row, fields], statuses[row, fields] = value, status
        return dataclasses.replace(self, values=values, status=statuses)

    def column(self, field: str) -> np.ndarray:
        """Values of a field, [C] float32, NaN where it was not observed.

        Raises:
            KeyError: no such field.
        """
        index = FIELD_INDEX[field]
        return np.where(self.status[:, index] == OBSERVED, self.values[:, index], np.nan)


def day_history(timeline: Timeline, now: datetime, days: int) -> DayHistory:
    """The last `days` local days of `timeline`, as known at `now`.

    Attack slots: a slot is 1 when a recorded attack overlaps it, up to `now`. It is 0 when its day
    was reported on (a diary row for a day means that the day was reported, once the row was
    answered) and no attack overlaps it; else it is missing. A report on a part of a day speaks for
    the slots that it overlaps, and one that was refused makes them asked and not answered. An
    attack whose end nobody noted is 1 in the slot in which it began and leaves the later slots of
    that day missing, unless they were reported on by themselves. An attack at an hour nobody noted
    is 1 in the likeliest slot that is not reported free of attacks, and leaves the others missing;
    its day counts as reported (`DayHistory.hourless`). The slot of `now` says what has happened so
    far; later slots are missing. Totals of a day that is not over (alcohol, steps,
    screen time) are missing on the last row.

    The menstrual window is cycle day 1 plus or minus 2. It is 1 around each known cycle start,
    0 on other days that lie between known starts or too early in a cycle for the next one, and
    missing where the next start may be near or cycles are not recorded.

    Args:
        timeline: what is recorded of the person.
        now: the moment of the forecast. Without a time zone it is local wall time, at the offset
            of the observation nearest to it.
        days: C, from 1 to 4000.

    Returns:
        DayHistory with C rows.

    Raises:
        InputError: `days` is out of range.
    """
    if not isinstance(days, int) or not 1 <= days <= MAX_DAYS:
        raise InputError(f"expected from 1 to {MAX_DAYS} days; received {days!r}")
    now = _aware(timeline, now)
    return _Days(timeline, now, days).history()


def recent(timeline: Timeline, now: datetime, days: int) -> Timeline:
    """The rows that the last `days` days at `now` can depend on: of years of records, a part.

    Args:
        timeline: what is recorded of the person.
        now: the moment of the forecast, with its time zone.
        days: C, that are looked at, or more.
    """
    since = int(now.timestamp()) - (days + SLACK_DAYS) * DAY_S
    late = timeline.seconds("end") >= since
    late |= timeline.frame["channel"].isin(_LONG_MEMORY).to_numpy()
    return timeline if late.all() else Timeline(timeline.frame[late], timeline.summary)


def _aware(timeline: Timeline, now: datetime) -> datetime:
    if now.tzinfo is not None:
        return now
    if not len(timeline):
        return now.replace(tzinfo=UTC)
    wall = int(now.replace(tzinfo=UTC).timestamp())
    offsets = timeline.frame["offset"].to_numpy()
    nearest = int(np.abs(timeline.seconds("time") + 60 * offsets - wall).argmin())
    return now.replace(tzinfo=timezone(timedelta(minutes=int(offsets[nearest]))))


class _Days:
    """The rows of a timeline known at `now`, and the [C, F] arrays they fill."""

    def __init__(self, timeline: Timeline, now: datetime, days: int) -> None:
        self.now = now
        self.now_s = int(now.timestamp())
        self.now_wall = self.now_s + int(now.utcoffset().total_seconds())
        self.days = days
        self.last = self.now_wall // DAY_S
        self.first = self.last - days + 1
        frame = timeline.frame
        time, end, known = (timeline.seconds(column) for column in ("time", "end", "known"))
        keep = (known <= self.now_s) & (time <= self.now_s)
        self.time, self.end, self.known = time[keep], end[keep], known[keep]
        self.wall = self.time + 60 * frame["offset"].to_numpy()[keep]
        self.end_wall = self.end + 60 * frame["end_offset"].to_numpy()[keep]
        self.open_ended = frame["end"].isna().to_numpy()[keep]
        self.day = self.wall // DAY_S
        self.channel = frame["channel"].to_numpy(dtype=object)[keep]
        self.value = frame["value"].to_numpy()[keep]
        self.status = frame["status"].to_numpy()[keep]
        self.source = frame["source"].to_numpy(dtype=object)[keep]
        self.noted = frame["source"].str.startswith(OF_DIARIES).to_numpy()[keep]
        self.values_cf = np.zeros((days, len(FIELD_NAMES)), np.float32)
        self.status_cf = np.zeros((days, len(FIELD_NAMES)), np.int32)
        self.hourless = np.zeros(days, bool)

    def history(self) -> DayHistory:
        for name in ("pressure_change", "busy_hours", "missed_meal"):
            self.answers(name, name)
        for name in ("alcohol", "caffeine"):
            self.answers(name, name, transform=lambda count: min(round(count), 8))
        for name in ("stress", "pain", "prodrome", "medication"):
            self.slot_answers(name)
        self.answers(SPOT_RMSSD, SPOT_READING, transform=lambda ms: np.log(max(ms, 1.0)))
        for name in ("rmssd", "sdnn", "screen_time"):
            self.medians(name, f"ln_{name}", log=True)
        self.medians("resting_hr", "resting_hr")
        self.answers("sleep_hours", "sleep_hours")
        self.answers("sleep_efficiency", "sleep_efficiency")
        self.nights()
        self.temperature()
        self.steps()
        self.menstrual_window()
        self.attacks()
        for name in END_OF_DAY_NAMES:
            self.values_cf[-1, FIELD_INDEX[name]] = 0.0
            self.status_cf[-1, FIELD_INDEX[name]] = 0
        start = date(1970, 1, 1) + timedelta(days=int(self.first))
        dates = tuple(start + timedelta(days=index) for index in range(self.days))
        return DayHistory(self.values_cf, self.status_cf, dates, self.now, self.hourless)

    def set(self, day: int, field: str, value: float, status: int = OBSERVED) -> None:
        """Write one field of one local day (days since 1970); days out of range are ignored."""
        row = int(day) - self.first
        if 0 <= row < self.days:
            index = FIELD_INDEX[field]
            self.values_cf[row, index] = value if status == OBSERVED else 0.0
            self.status_cf[row, index] = status

    def rows(self, channel: str, status: int | None = OBSERVED) -> np.ndarray:
        """Row numbers of a channel, in order of time."""
        chosen = self.channel == channel
        if status is not None:
            chosen &= self.status == status
        return np.flatnonzero(chosen)

    def answers(self, channel: str, field: str, transform=float) -> None:
        rows = self.rows(channel, status=None)
        # The last write wins: refusals first, then answers in the order they became known.
        measured = ~self.noted[rows] & (channel in MEASURED)
        for row in rows[np.lexsort((self.known[rows], measured, self.status[rows] == OBSERVED))]:
            self.set(self.day[row], field, transform(self.value[row]), self.status[row])

    def slot_answers(self, channel: str) -> None:
        """Answers about spans of time, for each slot that they overlap."""
        rows = self.rows(channel, status=None)
        pains: dict[int, dict[tuple[int, int], float]] = {}
        for row in rows[np.lexsort((self.known[rows], self.status[rows] == OBSERVED))]:
            value, status = self.value[row], self.status[row]
            last = min(max(self.wall[row], self.end_wall[row] - 1), self.now_wall)
            for place in range(self.wall[row] // SLOT_S, last // SLOT_S + 1):
                if channel == "pain" and status == OBSERVED:
                    of_slot = pains.setdefault(place, {})
                    of_slot[self.wall[row], self.end_wall[row]] = self.value[row]
                    value = max(of_slot.values())
                day, slot = divmod(place, SLOTS)
                self.set(day, field_name(channel, slot), value, status)

    def medians(self, channel: str, field: str, log: bool = False) -> None:
        rows = self.rows(channel)
        rows = rows[self.value[rows] > 0] if log else rows
        for day in np.unique(self.day[rows]):
            of_day = rows[self.day[rows] == day]
            noted = self.noted[of_day]
            middle = float(np.median(self.value[of_day[noted.all() | ~noted]]))
            self.set(day, field, np.log(middle) if log else middle)

    def steps(self) -> None:
        rows = self.rows("steps")
        hours: dict[tuple[int, int], dict[str, float]] = {}
        stated: dict[tuple[int, str], float] = {}
        for row in rows:
            if self.end[row] - self.time[row] > LONGEST_COUNT_S:
                key = (int(self.day[row]), self.source[row])
                stated[key] = stated.get(key, 0.0) + self.value[row]
                continue
            hour = hours.setdefault((int(self.day[row]), int(self.wall[row] // 3600)), {})
            hour[self.source[row]] = hour.get(self.source[row], 0.0) + self.value[row]
        totals: dict[int, float] = {}
        for (day, _), sources in hours.items():
            totals[day] = totals.get(day, 0.0) + max(sources.values())
        for (day, _), total in stated.items():
            totals[day] = max(totals.get(day, 0.0), total)
        for day, total in totals.items():
            if total >= 1:
                self.set(day, "ln_steps", np.log(total))

    def nights(self) -> None:
        """Sleep of the night that ended on a day: hours asleep, and their share of time in bed."""
        rows = self.rows("asleep")
        asleep = _union(self.time[rows], self.end[rows])
        if not len(asleep):
            return
        bed_rows = np.concatenate([self.rows("in_bed"), self.rows("awake")])
        bed = _union(self.time[bed_rows], self.end[bed_rows])
        end_offset = dict(zip(self.end[rows], (self.end_wall - self.end)[rows], strict=True))
        start_offset = dict(zip(self.time[rows], (self.wall - self.time)[rows], strict=True))
        breaks = np.flatnonzero(asleep[1:, 0] - asleep[:-1, 1] > NIGHT_GAP_S) + 1
        slept: dict[int, float] = {}
        in_bed: dict[int, float] = {}
        for night in np.split(asleep, breaks):
            begin, stop = night[0, 0], night[-1, 1]
            day = int((stop + end_offset[stop]) // DAY_S)
            if begin + start_offset[begin] >= day * DAY_S + NOON_S:
                continue
            slept[day] = slept.get(day, 0.0) + float(np.sum(night[:, 1] - night[:, 0]))
            around = bed[(bed[:, 0] < stop) & (bed[:, 1] > begin)]
            if len(around):
                both = np.concatenate([around, night])
                whole = _union(both[:, 0], both[:, 1])
                in_bed[day] = in_bed.get(day, 0.0) + float(np.sum(whole[:, 1] - whole[:, 0]))
        for day, seconds in slept.items():
            if seconds <= DAY_S:
                self.set(day, "sleep_hours", seconds / 3600)
                if day in in_bed:
                    self.set(day, "sleep_efficiency", min(seconds / in_bed[day], 1.0))

    def temperature(self, least: int = 5, most: int = 30) -> None:
        """Nightly wrist temperature against the mean of the nights before it."""
        rows = self.rows("wrist_temperature")
        nights = [
            (int(day), float(np.mean(self.value[rows[self.end_wall[rows] // DAY_S == day]])))
            for day in np.unique(self.end_wall[rows] // DAY_S)
        ]
        for index, (day, degrees) in enumerate(nights):
            before = [value for _, value in nights[max(0, index - most) : index]]
            if len(before) >= least:
                self.set(day, "skin_temperature", degrees - float(np.mean(before)))
        self.answers("skin_temperature", "skin_temperature")

    def menstrual_window(self) -> None:
        flow, marks = self.rows("menstrual_flow"), self.rows("cycle_start")
        starts = np.array(
            cycle_starts(
                flow=set(self.day[flow[self.value[flow] == 1]].tolist()),
                marked=set(self.day[marks[self.value[marks] == 1]].tolist()),
                judged=set(self.day[marks].tolist()),
            )
        )
        for day in range(self.first, self.last + 1) if len(starts) else ():
            value = in_window(day, starts, self.last)
            if value is not None:
                self.set(day, "menstrual_window", value)

    def attacks(self) -> None:
        about = np.isin(self.channel, ("attack", "attack_report"))
        rows = Reports(
            self.wall[about],
            self.end_wall[about],
            self.open_ended[about],
            self.channel[about] == "attack",
            self.value[about],
            self.status[about],
        )
        value, status, self.hourless = attack_slots(rows, self.first, self.days, self.now_wall)
        self.values_cf[:, _ATTACK], self.status_cf[:, _ATTACK] = value, status


def _union(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """`union` of intervals given as two arrays [n]: [m, 2]."""
    joined = union(zip(start.tolist(), end.tolist(), strict=True))
    return np.array(joined, np.int64).reshape(-1, 2)
