"""One person's timeline: every typed, timestamped observation that was read, whatever it came from.

A row is one observation: a value of a channel, over an interval of time, from one source. Instants
are stored in UTC; next to each stands the offset of the wall clock that showed it, because days
and slots are local wall time and a person travels, and clocks change. A row also says from when on
it could have been known: a forecast made at `now` uses the rows known by `now` and no others.

Nothing is filled in here and nothing is averaged: overlapping sources stay side by side until
`aline_tf.migraine.records.days` turns the timeline into days, where the rules are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.wall_clock import WallClock

#: Local years that a time can lie in. An import reads dates up to 2200, and what is known of them
#: may end in the next year; a file is read back within the same years.
FIRST_YEAR, LAST_YEAR = 1900, 2201
DAY_S = 86_400
SLOT_S = 21_600

#: Values of `status`, as in a batch: 0 (missing) has no row.
OBSERVED = 1
NOT_ANSWERED = 2

COLUMNS = (
    "time",
    "end",
    "known",
    "offset",
    "end_offset",
    "channel",
    "value",
    "unit",
    "status",
    "source",
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a channel of the timeline holds: its unit and the range a value can have.

    Attributes:
        unit: of its values; "" where a value says yes (1) or no (0).
        low, high: ends of the range, both allowed.

    Example:
        >>> from aline_tf.migraine.records import KINDS
        >>> KINDS["rmssd"]
        Kind(unit='ms', low=1, high=500)
    """

    unit: str
    low: float
    high: float


#: Heart rate variability of one minute of rest, ms; days hold its logarithm (`SPOT_READING`).
SPOT_RMSSD = "spot_rmssd"
#: Everything a timeline can hold. Sums are hourly ("steps"), sleep is intervals of value 1,
#: an attack is an episode of value 1, "attack_report" says that a day or a part of it was reported
#: on: 0 that it had no attack beside those recorded, 1 that it had one, at an hour nobody knows.
KINDS: Mapping[str, Kind] = {
    "sdnn": Kind("ms", 1, 500),
    "rmssd": Kind("ms", 1, 500),
    SPOT_RMSSD: Kind("ms", 1, 500),
    "resting_hr": Kind("bpm", 20, 150),
    "heart_rate": Kind("bpm", 20, 250),
    "respiratory_rate": Kind("/min", 2, 80),
    "steps": Kind("count", 0, 100_000),
    "wrist_temperature": Kind("C", 20, 45),
    "skin_temperature": Kind("C", -10, 10),
    "asleep": Kind("", 1, 1),
    "in_bed": Kind("", 1, 1),
    "awake": Kind("", 1, 1),
    "sleep_hours": Kind("h", 0, 24),
    "sleep_efficiency": Kind("fraction", 0, 1),
    "screen_time": Kind("h", 0, 24),
    "busy_hours": Kind("h", 0, 24),
    "appointments": Kind("count", 0, 200),
    "appointments_work": Kind("count", 0, 200),
    "appointments_travel": Kind("count", 0, 200),
    "appointments_exercise": Kind("count", 0, 200),
    "appointments_health": Kind("count", 0, 200),
    "appointments_social": Kind("count", 0, 200),
    "pressure_change": Kind("hPa", -100, 100),
    "menstrual_flow": Kind("", 0, 1),
    "cycle_start": Kind("", 0, 1),
    "alcohol": Kind("drinks", 0, 100),
    "caffeine": Kind("cups", 0, 100),
    "missed_meal": Kind("", 0, 1),
    "stress": Kind("0-10", 0, 10),
    "pain": Kind("0-10", 0, 10),
    "prodrome": Kind("", 0, 1),
    "medication": Kind("", 0, 1),
    "attack": Kind("", 1, 1),
    "attack_report": Kind("", 0, 1),
}


@dataclasses.dataclass(frozen=True)
class Timeline:
    """Typed, timestamped observations of one person, sorted by time.

    Attributes:
        frame: one row an observation. Columns: `time` and `end` (UTC; `end` is NaT for an attack
            whose end nobody noted), `known` (UTC, never before `time`: from when on the row could
            be used), `offset` and `end_offset` (minutes the local wall clock was ahead of UTC at
            `time` and at `end`), `channel` (a key of `KINDS`), `value` (natural units, 0 where the
            status is 2), `unit` (that of the channel), `status` (1 observed, 2 asked but not
            answered), `source` (which importer and which of its devices; never a person's name).
        summary: what was read and what was skipped.

    Raises:
        InputError: a column, channel, unit, status, range or order of times is not as above.

    Example:
        >>> from aline_tf.migraine.records import Timeline
        >>> evening = 1_741_636_800  # 2025-03-10, 20:00 UTC
        >>> row = (evening, evening, evening, 0, 0, "stress", 7.0, "0-10", 1, "diary")
        >>> timeline = Timeline.from_rows([row])
        >>> timeline.evening().isoformat()
        '2025-03-10T20:00:00+00:00'
    """

    frame: pd.DataFrame
    summary: ImportSummary = dataclasses.field(default_factory=ImportSummary)

    def __post_init__(self) -> None:
        frame = _validated(self.frame)
        object.__setattr__(self, "frame", frame)

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence], summary: ImportSummary | None = None) -> Timeline:
        """A timeline of rows.

        Args:
            rows: each in the order of `COLUMNS`; times are whole seconds since 1970 UTC, the end
                None for an attack whose end nobody noted.
            summary: what was read and what was skipped.

        Raises:
            InputError: as the class says.
        """
        frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
        for column in ("time", "end", "known"):
            seconds = pd.to_numeric(frame[column])
            moments = seconds.fillna(0).to_numpy(np.int64).astype("datetime64[s]")
            moments[seconds.isna().to_numpy()] = np.datetime64("NaT")
            frame[column] = pd.Series(moments).dt.tz_localize("UTC")
        return cls(frame, summary or ImportSummary())

    @classmethod
    def empty(cls) -> Timeline:
        """A timeline of nothing."""
        return cls.from_rows(())

    def __len__(self) -> int:
        return len(self.frame)

    def merge(self, *others: Timeline) -> Timeline:
        """All observations of several timelines.

        A row that says the same as another (channel, time, end, value, status, source) is kept
        once, in the version that was known first. Sources that overlap without being equal are all
        kept: `day_history` resolves them, by a rule for each kind of channel (stated there).
        """
        parts = [part.frame for part in (self, *others) if len(part)]
        summary = sum((other.summary for other in others), self.summary)
        if not parts:
            return dataclasses.replace(self, summary=summary)
        frame = pd.concat(parts, ignore_index=True).sort_values("known", kind="stable")
        same = ["channel", "time", "end", "value", "status", "source"]
        return Timeline(frame.drop_duplicates(same), summary)

    def clock(self, zone: ZoneInfo | None = None) -> WallClock:
        """The wall clock that the rows show, with a time zone for where they show none."""
        return WallClock(zone, self.seconds("time"), self.frame["offset"])

    def anchored_to(self, reference: Timeline) -> Timeline:
        """The same wall-clock times, with the offsets that `reference` shows nearest to them.

        A diary says "08:30" and not in which time zone; a phone's records do. Returns this
        timeline unchanged when `reference` is empty.
        """
        return self.set_by(reference.clock())

    def set_by(self, clock: WallClock) -> Timeline:
        """The same wall-clock times, with the offsets of `clock`.

        Returns this timeline unchanged when the clock knows nothing.
        """
        if not len(self) or not clock.is_known:
            return self
        frame = self.frame.copy()
        offset, end_offset = frame["offset"].to_numpy(), frame["end_offset"].to_numpy()
        time, new_offset = clock.utc_of_walls(self.seconds("time") + 60 * offset)
        end, new_end_offset = clock.utc_of_walls(self.seconds("end") + 60 * end_offset)
        known, _ = clock.utc_of_walls(self.seconds("known") + 60 * end_offset)
        # A change of the clock may put what came later before what came first.
        end, known = np.maximum(end, time), np.maximum(known, time)
        open_ended = frame["end"].isna().to_numpy()
        end = end.astype("datetime64[s]")
        end[open_ended] = np.datetime64("NaT")
        for column, moments in (("time", time), ("end", end), ("known", known)):
            frame[column] = pd.Series(moments.astype("datetime64[s]")).dt.tz_localize("UTC")
        frame["offset"], frame["end_offset"] = new_offset, new_end_offset
        return Timeline(frame, self.summary)

    def seconds(self, column: str) -> np.ndarray:
        """Seconds since 1970 UTC of a column of times, int64; a missing end is that of `time`."""
        times = self.frame[column]
        if column == "end":
            times = times.fillna(self.frame["time"])
        return times.to_numpy("datetime64[s]").astype(np.int64)

    def attacks(self) -> pd.DataFrame:
        """Recorded attacks in local wall time: columns `start`, `end` (NaT when not noted).

        Overlapping records of the same attack, from several sources, are joined.
        """
        rows = self.frame[self.frame["channel"] == "attack"]
        start = _wall(rows["time"], rows["offset"])
        end = _wall(rows["end"], rows["end_offset"])
        joined: list[list] = []
        for begin, stop in zip(start, end, strict=True):
            last = joined[-1] if joined else None
            if last is not None and last[1] is pd.NaT and last[0] == begin:
                last[1] = stop
            elif last is not None and last[1] is not pd.NaT and last[1] >= begin:
                last[1] = max(last[1], stop) if stop is not pd.NaT else last[1]
            else:
                joined.append([begin, stop])
        return pd.DataFrame(joined, columns=["start", "end"])

    def evening(self, hour: int = 20) -> datetime:
        """The last evening that the records support, at `hour`:00: where a forecast stands.

        See `aline_tf.migraine.records.evening.support`, which says what was set aside as well.

        Raises:
            InputError: the timeline is empty.
        """
        from aline_tf.migraine.records.evening import support

        return support(self, hour=hour).evening


def _wall(times: pd.Series, offsets: pd.Series) -> pd.Series:
    return times.dt.tz_localize(None) + pd.to_timedelta(offsets.astype("int64"), unit="min")


def _validated(frame: pd.DataFrame) -> pd.DataFrame:
    if tuple(frame.columns) != COLUMNS:
        raise InputError(
            f"expected a timeline with columns {', '.join(COLUMNS)};"
            f" received {', '.join(map(str, frame.columns))}"
        )
    for column in ("time", "end", "known"):
        if not isinstance(frame[column].dtype, pd.DatetimeTZDtype):
            raise InputError(
                f"expected times with a time zone as {column}; received {frame[column].dtype}"
            )
    frame = frame.assign(
        **{c: frame[c].dt.tz_convert("UTC").astype("datetime64[s, UTC]") for c in COLUMNS[:3]},
        offset=frame["offset"].astype("int32"),
        end_offset=frame["end_offset"].astype("int32"),
        value=frame["value"].astype("float64"),
        status=frame["status"].astype("int32"),
        **{c: frame[c].astype(str) for c in ("channel", "unit", "source")},
    )
    unknown = sorted(set(frame["channel"]) - set(KINDS))
    if unknown:
        raise InputError(f"expected channels of {', '.join(KINDS)}; received {', '.join(unknown)}")
    for name, rows in frame.groupby("channel"):
        kind = KINDS[name]
        wrong_unit = sorted(set(rows["unit"]) - {kind.unit})
        if wrong_unit:
            raise InputError(f"expected {name} in {kind.unit!r}; received {wrong_unit[0]!r}")
        observed = rows["value"][rows["status"] == OBSERVED]
        if not observed.between(kind.low, kind.high).all():
            raise InputError(
                f"expected {name} within {kind.low:g} to {kind.high:g}; received a value outside"
            )
    if not frame["status"].isin((OBSERVED, NOT_ANSWERED)).all():
        raise InputError("expected status 1 (observed) or 2 (not answered); received another")
    if frame["time"].isna().any() or frame["known"].isna().any():
        raise InputError("expected a time and a time of knowing in every row; received none")
    for column, shown in (("time", "offset"), ("end", "end_offset"), ("known", "end_offset")):
        years = _wall(frame[column], frame[shown]).dt.year.dropna()
        if not years.between(FIRST_YEAR, LAST_YEAR).all():
            raise InputError(
                f"expected times from {FIRST_YEAR} to {LAST_YEAR}; received one of the year"
                f" {int(years[~years.between(FIRST_YEAR, LAST_YEAR)].iloc[0])}"
            )
    open_ended = frame["end"].isna()
    if (frame["channel"][open_ended] != "attack").any():
        raise InputError("expected an end in every row but an attack's; received none")
    if (frame["end"] < frame["time"]).any() or (frame["known"] < frame["time"]).any():
        raise InputError("expected end and known at or after time; received one before it")
    return frame.sort_values("time", kind="stable", ignore_index=True)
