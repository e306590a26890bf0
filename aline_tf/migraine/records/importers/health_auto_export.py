"""Health Auto Export: the JSON that this app for the iPhone writes or posts, as a timeline.

    {"data": {"metrics": [{"name": ..., "units": ..., "data": [{"date": ..., "qty": ...}]}]}}

| metric | becomes |
|---|---|
| heart_rate (Avg, or qty) | heart_rate, the mean of each hour |
| resting_heart_rate, respiratory_rate | resting_hr, respiratory_rate |
| heart_rate_variability | sdnn, which is what the phone measures |
| step_count | steps |
| apple_sleeping_wrist_temperature | wrist_temperature |
| sleep_analysis, one a night | sleep_hours, sleep_efficiency |
| sleep_analysis, stage by stage | asleep, awake, in_bed intervals |
| symptoms: headache | pain: mild 2, moderate 5, severe 8 |

Values summed up by the day stand for the day of their date; so does a resting heart rate. Other
metrics, workouts and what else the app writes are counted by name.
"""

from __future__ import annotations

from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_words import NEGATIONS
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.gathered import Gathered, Moment, Refused
from aline_tf.migraine.records.importers.sleep_sources import AWAKE, GENERIC, STAGE, implausible
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 256 << 20
SOURCE = "health_auto_export"
_CHANNELS = {
    "heart_rate": "heart_rate",
    "resting_heart_rate": "resting_hr",
    "heart_rate_variability": "sdnn",
    "respiratory_rate": "respiratory_rate",
    "step_count": "steps",
    "apple_sleeping_wrist_temperature": "wrist_temperature",
}
#: Value of a sleep interval -> channel and kind of record.
_STAGES = {
    "core": ("asleep", STAGE),
    "deep": ("asleep", STAGE),
    "rem": ("asleep", STAGE),
    "asleep": ("asleep", GENERIC),
    "unspecified": ("asleep", GENERIC),
    "awake": ("awake", AWAKE),
    "inbed": ("in_bed", ""),
    "in bed": ("in_bed", ""),
}
_PAIN = {"not present": 0.0, "none": 0.0, "mild": 2.0, "moderate": 5.0, "severe": 8.0}
_LONGEST_HEADACHE_S = 7 * 86_400
_DAY_S = 86_400


def is_health_auto_export_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is one of the app."""
    start = head[:4096].replace(b" ", b"").replace(b"\n", b"").replace(b"\r", b"")
    return start.lstrip(b"\xef\xbb\xbf").startswith(b'{"data":{"')


def read_health_auto_export(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read one file of the app.

    Args:
        document: a JSON file.
        clock: tells the offset of times that have none.

    Raises:
        InputError: it is too large, not JSON, or of another form.
    """
    loaded = document.json(MAX_BYTES)
    data = loaded.get("data") if isinstance(loaded, dict) else None
    if not isinstance(data, dict):
        raise InputError(f'expected {{"data": {{...}}}} in {document.shown}; received another form')
    reader = _Reader(Gathered(SOURCE, clock or WallClock()))
    for name, entries in data.items():
        if not isinstance(entries, list):
            continue
        for entry in entries:
            if name == "metrics" and isinstance(entry, dict):
                reader.metric(entry)
            else:
                reader.other(name, entry)
    return reader.found.timeline()


class _Reader:
    def __init__(self, found: Gathered) -> None:
        self.found = found
        # Days and sources of the present metric of which there are values by the hour.
        self._hourly: frozenset[tuple[str, str]] = frozenset()

    def metric(self, metric: dict[str, Any]) -> None:
        """All values of one metric."""
        name, values = str(metric.get("name", "")), metric.get("data")
        unit = metric.get("units") if isinstance(metric.get("units"), str) else ""
        self._hourly = _hourly_days(values)
        for value in values if isinstance(values, list) else ():
            self.found.account.cells += 1
            if name != "sleep_analysis" and name not in _CHANNELS:
                self.found.account.pass_over(name)
                continue
            try:
                if not isinstance(value, dict):
                    raise Refused(f"{name}: not an object", value)
                if name == "sleep_analysis":
                    self._sleep(value, unit)
                else:
                    self._quantity(_CHANNELS[name], value, unit)
            except Refused as reason:
                self.found.account.skip(str(reason), reason.example)

    def other(self, name: str, entry: Any) -> None:
        """An entry beside the metrics."""
        self.found.account.cells += 1
        words = str(entry.get("name", "")).lower() if isinstance(entry, dict) else ""
        is_named = "headache" in words and NEGATIONS.isdisjoint(words.split())
        if name != "symptoms" or not is_named:
            self.found.account.pass_over(name if name != "symptoms" else f"symptoms {words}")
            return
        try:
            pain = _PAIN.get(str(entry.get("severity", "")).lower())
            if pain is None:
                raise Refused("headache: severity not given", entry.get("severity"))
            begin = self.found.moment(entry.get("start", entry.get("date")), "headache")
            end = self.found.moment(entry["end"], "headache") if entry.get("end") else begin
            if end[0] - begin[0] > _LONGEST_HEADACHE_S:
                raise Refused("headache: lasts too long", entry.get("start"))
            self.found.add("pain", begin, end, pain, str(entry.get("source", "")))
            self.found.account.use("pain")
        except Refused as reason:
            self.found.account.skip(str(reason), reason.example)

    def _quantity(self, channel: str, value: dict[str, Any], unit: str) -> None:
        found = self.found
        stated = value.get("Avg", value.get("avg", value.get("qty")))
        number = found.number(stated, channel, unit)
        begin = found.moment(value.get("date", value.get("startDate")), channel)
        end = found.moment(value["endDate"], channel) if value.get("endDate") else begin
        day = str(value.get("date", ""))[:10], str(value.get("source", ""))
        is_day = channel in ("steps", "resting_hr") and day not in self._hourly
        if is_day and end == begin and _is_midnight(begin):
            # What is dated midnight is of that whole day, where nothing else is dated on it.
            end = (begin[0] + _DAY_S, begin[1])
        found.add(channel, begin, end, number, str(value.get("source", "")))
        found.account.use(channel)

    def _sleep(self, value: dict[str, Any], unit: str) -> None:
        found = self.found
        stage = value.get("value")
        if stage is not None:
            channel, kind = _STAGES.get(str(stage).strip().lower(), (None, ""))
            if channel is None:
                raise Refused("sleep: an unknown stage", stage)
            begin = found.moment(value.get("startDate", value.get("date")), "sleep")
            end = found.moment(value.get("endDate"), "sleep")
            found.sleep(channel, kind, begin, end, str(value.get("source", "")), channel)
            found.account.use(channel)
            return
        asleep, in_bed = self._lengths(value, unit or "hr")
        end = next((value[n] for n in ("sleepEnd", "inBedEnd") if value.get(n)), None)
        waking = found.moment(end, "sleep_hours") if end else None
        if waking is None:
            waking = found.noon(value.get("date"), "sleep_hours")
        source = str(value.get("source", value.get("sleepSource", "")))
        found.add("sleep_hours", waking, waking, asleep, source)
        if in_bed:
            share = found.number(asleep / in_bed, "sleep_efficiency")
            found.add("sleep_efficiency", waking, waking, share, source)
        found.account.use("sleep_hours")

    def _lengths(self, value: dict[str, Any], unit: str) -> tuple[float, float]:
        """Hours asleep and in bed of a night; 0 in bed where nothing says so."""
        found = self.found

        def hours(name: str) -> float:
            stated = value.get(name)
            return 0.0 if stated is None else found.number(stated, "sleep_hours", unit)

        stages = hours("core") + hours("deep") + hours("rem")
        asleep = stages or hours("totalSleep") or hours("asleep")
        if not asleep:
            raise Refused("sleep_hours: days without a value")
        in_bed = hours("inBed")
        if value.get("sleepStart") and value.get("sleepEnd"):
            begin, end = (found.moment(value[n], "sleep_hours") for n in ("sleepStart", "sleepEnd"))
            in_bed = max(in_bed, (end[0] - begin[0]) / 3600)
            if reason := implausible(3600 * asleep, 3600 * in_bed):
                raise Refused(f"sleep_hours: {reason}", asleep)
        return asleep, max(in_bed, asleep) if in_bed else 0.0


def _hourly_days(values: Any) -> frozenset[tuple[str, str]]:
    """Days and sources of which some value is dated at another time than midnight."""
    dated = (
        (value.get("date"), str(value.get("source", "")))
        for value in (values if isinstance(values, list) else ())
        if isinstance(value, dict) and isinstance(value.get("date"), str)
    )
    return frozenset((d[:10], source) for d, source in dated if "00:00:00" not in d[10:])


def _is_midnight(moment: Moment) -> bool:
    return (moment[0] + 60 * moment[1]) % _DAY_S == 0
