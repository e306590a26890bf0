"""A night that two exports measured counts once, whichever was read first."""

import json
import shutil
from datetime import datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.sleep_exports import one_measurement_a_night
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.timeline_file import timeline_lines
from tests.migraine.records.importers.app_files import FILES, write
from tests.migraine.records.importers.test_apple_health import export
from tests.migraine.records.importers.test_apple_sources import NIGHT, WATCH, sleep


def oura(folder, phases, begin=2.5, name="oura.json"):
    """A night of five-minute phases that begins so many hours after 20:00."""
    start = NIGHT + timedelta(hours=begin)
    entry = {"type": "long_sleep", "day": "2025-03-04", "bedtime_start": start.isoformat()}
    entry["bedtime_end"] = (start + timedelta(minutes=5 * len(phases))).isoformat()
    entry["sleep_phase_5_min"] = phases
    (folder / name).write_text(json.dumps({"sleep": [entry]}))
    return folder / name


@pytest.mark.parametrize(
    ("source", "hours", "efficiency"), [("Watch", 6.0, 6 / 8), ("Ring", 7.0, 7 / 9)]
)
def test_a_ring_does_not_fill_the_wake_time_of_a_watch(tmp_path, source, hours, efficiency):
    """Asleep 23:00-02:00 and 03:00-06:00 by the watch; 22:00-24:00 and 02:00-07:00 by the ring."""
    apple = export(
        tmp_path,
        *(sleep(source, stage, begin, end) for _, stage, begin, end in WATCH),
        sleep(source, "InBed", 2.5, 10.5),
    )
    ring = oura(tmp_path, "2" * 24 + "4" * 24 + "3" * 60, begin=2)
    made = set()
    for paths in permutations((apple, ring)):
        timeline = read_records(paths).timeline
        history = day_history(timeline, NIGHT + timedelta(days=1), 1)
        assert history.column("sleep_hours")[0] == hours
        assert history.column("sleep_efficiency")[0] == pytest.approx(efficiency)
        assert [n for n in timeline.summary.notes if "sleep of 1 nights is in several" in n]
        made.add("".join(timeline_lines(timeline)))
    assert len(made) == 1


def test_nights_that_only_one_of_them_has_are_kept(tmp_path):
    apple = export(tmp_path, *(sleep(*record) for record in WATCH))
    ring = oura(tmp_path, "2" * 60 + "1" * 12, begin=26)
    timeline = read_records([apple, ring]).timeline
    history = day_history(timeline, NIGHT + timedelta(days=2), 2)
    assert history.column("sleep_hours").tolist() == [6.0, 6.0]
    assert not any("several exports" in note for note in timeline.summary.notes)


pieces = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.integers(1, 60),
        st.sampled_from(("asleep", "asleep", "awake", "in_bed")),
        st.sampled_from(("apple_health/watch-1", "apple_health/phone-1", "oura", "fitbit")),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pieces, st.randoms(use_true_random=False))
def test_no_sleep_is_added_and_order_does_not_matter_and_once_is_enough(found, chance):
    def timeline():
        rows = [
            (600 * a, 600 * (a + n), 600 * (a + n), 0, 0, channel, 1.0, "", 1, source)
            for a, n, channel, source in found
        ]
        return Timeline.from_rows(rows).merge(Timeline.empty())

    def slept(made):
        asleep = made.frame[made.frame["channel"] == "asleep"]
        return {
            second // 600
            for begin, end in zip(asleep["time"], asleep["end"], strict=True)
            for second in range(int(begin.timestamp()), int(end.timestamp()), 600)
        }

    before = timeline()
    made, nights = one_measurement_a_night(before)
    assert slept(made) <= slept(before) and (nights or made is before)
    again, _ = one_measurement_a_night(made)
    assert sorted(timeline_lines(again)) == sorted(timeline_lines(made))
    chance.shuffle(found)
    again, _ = one_measurement_a_night(timeline())
    assert sorted(timeline_lines(again)) == sorted(timeline_lines(made))


def test_a_timeline_that_was_written_is_settled_with_what_comes_later(tmp_path):
    from aline_tf.migraine.records.timeline_file import write_timeline

    apple = export(tmp_path, *(sleep(*record) for record in WATCH))
    write_timeline(read_records([apple]).timeline, tmp_path / "before.jsonl")
    ring = oura(tmp_path, "2" * 108, begin=2)
    timeline = read_records([tmp_path / "before.jsonl", ring]).timeline
    now = datetime(2025, 3, 4, 20, tzinfo=timezone(timedelta(hours=1)))
    assert day_history(timeline, now, 1).column("sleep_hours").tolist() == [6.0]


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.randoms(use_true_random=False))
def test_which_file_is_read_first_does_not_matter(tmp_path_factory, chance):
    """Files of every importer, in folders whose names put them in another order each time."""
    made = set()
    for shuffled in (False, True):
        folder = tmp_path_factory.mktemp("records")
        names = [*FILES, "export.zip", "oura_ring.json", "diary.csv", "later.csv"]
        places = list(range(len(names)))
        if shuffled:
            chance.shuffle(places)
        for name, place in zip(names, places, strict=True):
            (inside := folder / f"{place:02d}").mkdir()
            if name in FILES:
                write(inside, name)
            elif name == "export.zip":
                shutil.move(export(inside, *(sleep(*record) for record in WATCH)), inside / name)
            elif name.endswith(".json"):
                oura(inside, "2" * 24 + "4" * 24 + "3" * 60, begin=2, name=name)
            else:
                text = "date,attack,stress\n2025-03-03,no,3\n2025-03-04,yes,{}\n"
                (inside / name).write_text(text.format(2 if name == "diary.csv" else 7))
        timeline = read_records([folder], zone="Europe/Berlin", accept_losses=True).timeline
        history = day_history(timeline, NIGHT + timedelta(days=1), 3)
        lines = "".join(sorted(timeline_lines(timeline)))
        made.add((lines, history.values.tobytes(), history.status.tobytes()))
    assert len(made) == 1
