"""Heart rate and steps of a Fitbit export: millions of readings, kept as one number an hour.

The older files state minutes without saying of which clock, the newer ones in UTC, and both may
hold the same day. So the older ones are kept by quarters of an hour as they are written, and put
on the clock when everything else has been read.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence

from aline_tf.migraine.records.importers.fitbit_sleep import Night
from aline_tf.migraine.records.intervals import Interval, union
from aline_tf.migraine.records.timeline import DAY_S
from aline_tf.migraine.records.wall_clock import QUARTER_S, WallClock

HOUR_S = 3600
#: Steps in sleep that tell one clock from another.
STEPS_THAT_TELL = 200
#: How long after falling asleep, and before waking, steps are nothing odd.
EDGE_S = 1800


class Readings:
    """Sums by channel, source and local hour.

    Args:
        clock: the wall clock of the person.
    """

    def __init__(self, clock: WallClock) -> None:
        self.read: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._clock = clock
        # (channel, source, local hour, offset) -> [sum, count, last second]
        self._hours: dict[tuple[str, str, int, int], list[float]] = {}
        # channel -> quarter of an hour as written -> [sum, count]
        self._written: dict[str, dict[int, list[float]]] = {"heart_rate": {}, "steps": {}}
        # The same of the file that is being read.
        self._in_file: dict[str, dict[int, list[float]]] = {"heart_rate": {}, "steps": {}}
        # (channel, source) -> from when until when there are readings in the files before.
        self._spans: dict[tuple[str, str], list[Interval]] = {}
        self._span_in_file: dict[tuple[str, str], Interval] = {}
        self._newer_days: dict[str, set[int]] = {"heart_rate": set(), "steps": set()}

    def add(self, channel: str, source: str, second: int, value: float) -> None:
        """A reading at a moment in UTC, unless an earlier file has those of that time."""
        device = channel, source
        spans = self._spans.get(device, ())
        before = bisect_right(spans, (second, math.inf)) - 1
        if before >= 0 and second < spans[before][1]:
            self.skipped[f"{channel}: in another file again"] += 1
            return
        begin, end = self._span_in_file.get(device, (second, second + 1))
        self._span_in_file[device] = min(begin, second), max(end, second + 1)
        self._hour(channel, source, second, value, 1, second)
        self._newer_days[channel].add(self._local_day(second))

    def open(self) -> None:
        """Begin with another file: a quarter of an hour that an earlier one has too counts once."""
        for channel, quarters in self._in_file.items():
            written = self._written[channel]
            for quarter, found in quarters.items():
                earlier = written.get(quarter)
                # Of two the fuller one; a file that ended within it has less.
                kept = found if earlier is None else max(earlier, found, key=lambda each: each[1])
                if earlier is not None:
                    again = found if kept is earlier else earlier
                    self.skipped[f"{channel}: in another file again"] += int(again[1])
                written[quarter] = kept
            quarters.clear()
        for device, span in self._span_in_file.items():
            self._spans[device] = union([*self._spans.get(device, ()), span])
        self._span_in_file.clear()

    def add_written(self, channel: str, second: int, value: float) -> None:
        """A reading at a moment of the clock of the older files, whichever it is."""
        kept = self._in_file[channel].setdefault(second // QUARTER_S, [0.0, 0])
        kept[0] += value
        kept[1] += 1

    def settle(self, nights: Sequence[Night], source: str) -> bool:
        """Put what the older files hold on the clock.

        Args:
            nights: sleep, in which nobody walks.
            source: label of the older files.

        Returns:
            Whether they were found to be in wall time rather than UTC.
        """
        self.open()
        is_wall = self._is_wall_time(nights)
        for channel, quarters in self._written.items():
            for quarter, (total, count) in quarters.items():
                second = quarter * QUARTER_S
                if is_wall:
                    second, _ = self._clock.utc_of_wall(second)
                if self._local_day(second) in self._newer_days[channel]:
                    self.skipped[f"{channel}: also in the newer files"] += int(count)
                else:
                    last = second + QUARTER_S
                    self._hour(channel, source, second, total, int(count), last)
            quarters.clear()
        return is_wall

    def hours(self) -> Iterator[tuple[str, str, Interval, int, float, int]]:
        """Channel, source, the hour, its offset, the mean or the sum, and when it was known."""
        for (channel, source, hour, offset), (total, count, last) in self._hours.items():
            begin = hour * HOUR_S - 60 * offset
            value = total / count if channel == "heart_rate" else total
            yield channel, source, (begin, begin + HOUR_S), offset, value, int(last)

    def _hour(
        self, channel: str, source: str, second: int, total: float, count: int, last: int
    ) -> None:
        offset = self._clock.offset_at(second)
        key = (channel, source, (second + 60 * offset) // HOUR_S, offset)
        kept = self._hours.setdefault(key, [0.0, 0, 0])
        kept[0] += total
        kept[1] += count
        kept[2] = max(kept[2], last)
        self.read[channel] += count

    def _is_wall_time(self, nights: Sequence[Night]) -> bool:
        steps = self._written["steps"]

        def walked(sleeps: list[Interval]) -> float:
            asleep = {
                quarter
                for begin, end in union(sleeps)
                for quarter in range(-(-begin // QUARTER_S), end // QUARTER_S)
            }
            return sum(steps[quarter][0] for quarter in asleep & steps.keys())

        in_utc = walked([(night.begin + EDGE_S, night.end - EDGE_S) for night in nights])
        in_wall = walked([(night.wall[0] + EDGE_S, night.wall[1] - EDGE_S) for night in nights])
        return in_utc > STEPS_THAT_TELL and in_wall < in_utc / 2

    def _local_day(self, second: int) -> int:
        return (second + 60 * self._clock.offset_at(second)) // DAY_S
