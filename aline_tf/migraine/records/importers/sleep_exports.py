"""One night in several exports: a ring and a watch that both measured it count once.

Within one export the finest record of a night counts (`sleep_sources`). The same rule settles what
exports say together. A night of which an export has stages or wakings is measured. Of two measured
nights that overlap for more than half of one, that of a watch counts, else the longer one, else the
first by name. Of a night that another export only calls asleep, what lies outside the measured one
is kept. The time in bed that belongs to a night goes with it. In which order files came does not
matter.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from aline_tf.migraine.records.importers.sleep_sources import (
    AWAKE,
    GENERIC,
    NIGHT_GAP_S,
    STAGE,
    SleepRecord,
    finest,
)
from aline_tf.migraine.records.intervals import Interval, union
from aline_tf.migraine.records.timeline import Timeline


def one_measurement_a_night(timeline: Timeline) -> tuple[Timeline, int]:
    """A timeline in which every night is told by one export, and how many had been told by several.

    Args:
        timeline: everything that was read.
    """
    frame = timeline.frame
    exports = frame["source"].str.partition("/")[0]
    sleep = frame["channel"].isin(("asleep", "awake"))
    if exports[sleep].nunique() < 2:
        return timeline, 0
    places = np.flatnonzero(sleep)
    begins, ends = (timeline.seconds(edge)[places].tolist() for edge in ("time", "end"))
    sources = frame["source"].to_numpy(dtype=object)[places]
    names = exports.to_numpy(dtype=object)[places]
    awake = (frame["channel"] == "awake").to_numpy()[places]
    kinds = _kinds(begins, ends, sources, awake)
    watches = {name for name, source in zip(names, sources, strict=True) if "/watch" in source}
    labels = [f"{name}/watch" if name in watches else name for name in names]
    records = [SleepRecord(*each) for each in zip(begins, ends, kinds, labels, strict=True)]
    drop = np.zeros(len(frame), bool)
    moved: list[pd.DataFrame] = []
    gone: dict[str, list[Interval]] = defaultdict(list)
    for place, record, name, spans in zip(places, records, names, finest(records), strict=True):
        if spans == [(record.begin, record.end)]:
            continue
        drop[place] = True
        gone[name].append((record.begin, record.end))
        moved += [_cut(frame.iloc[[place]], span) for span in spans]
    if not drop.any():
        return timeline, 0
    nights = {name: _nights(spans) for name, spans in gone.items()}
    in_bed = np.flatnonzero(frame["channel"] == "in_bed")
    bounds = zip(in_bed, *(timeline.seconds(edge)[in_bed] for edge in ("time", "end")), strict=True)
    for place, begin, end in bounds:
        covered = sum(
            max(min(end, stop) - max(begin, start), 0)
            for start, stop in nights.get(exports.iloc[place], ())
        )
        drop[place] = 2 * covered > end - begin
    kept = pd.concat([frame[~drop], *moved], ignore_index=True)
    return Timeline(kept, timeline.summary), sum(map(len, nights.values()))


def _kinds(begins: list[int], ends: list[int], sources, awake) -> list[str]:
    """Of each row what `SleepRecord` calls it: a stage where its night has wakings or several."""
    kinds = [AWAKE if is_awake else GENERIC for is_awake in awake]
    by_source: dict[str, list[int]] = defaultdict(list)
    for row, source in enumerate(sources):
        by_source[source].append(row)
    for rows in by_source.values():
        rows.sort(key=lambda row: (begins[row], ends[row]))
        night: list[int] = []
        stop = 0
        for row in [*rows, None]:
            if night and (row is None or begins[row] - stop > NIGHT_GAP_S):
                edges = {begins[each] for each in night}
                if any(awake[each] or ends[each] in edges for each in night):
                    for each in night:
                        kinds[each] = AWAKE if awake[each] else STAGE
                night, stop = [], 0
            if row is not None:
                night.append(row)
                stop = max(stop, ends[row])
    return kinds


def _nights(spans: list[Interval]) -> list[Interval]:
    """What lies closer together than a night from the next, joined."""
    wide = union((begin, end + NIGHT_GAP_S) for begin, end in spans)
    return [(begin, end - NIGHT_GAP_S) for begin, end in wide]


def _cut(row: pd.DataFrame, span: Interval) -> pd.DataFrame:
    begin, end = (pd.Timestamp(second, unit="s", tz="UTC") for second in span)
    return row.assign(time=begin, end=end, known=row["known"].clip(lower=begin))
