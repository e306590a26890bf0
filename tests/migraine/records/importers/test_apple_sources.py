"""Apple Health from several apps: each fact once, as the finest of them has it."""

import io
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.apple_health import read_export
from aline_tf.migraine.records.importers.sleep_sources import (
    AWAKE,
    GENERIC,
    STAGE,
    SleepRecord,
    finest,
)
from aline_tf.migraine.records.intervals import union, without
from tests.migraine.records.importers.composed_diaries import COMPOSITIONS
from tests.migraine.records.importers.test_apple_health import C, Q, export, read, record

NIGHT = datetime(2025, 3, 3, 20, tzinfo=timezone(timedelta(hours=1)))
STAGES = "HKCategoryValueSleepAnalysis"


def sleep(source, stage, begin, end):
    """Hours after 20:00 of the third of March."""
    times = (NIGHT + timedelta(hours=hours) for hours in (begin, end))
    start, stop = (time.strftime("%Y-%m-%d %H:%M:%S %z") for time in times)
    return record(C + "SleepAnalysis", STAGES + stage, start, stop, source=source)


def night(tmp_path, *records):
    history = day_history(read(tmp_path, *records), NIGHT + timedelta(days=1), 1)
    return history.column("sleep_hours")[0], history.column("sleep_efficiency")[0]


WATCH = (
    ("Watch", "AsleepCore", 3, 6),
    ("Watch", "Awake", 6, 7),
    ("Watch", "AsleepREM", 7, 10),
)


def test_an_app_does_not_fill_the_wake_time_of_a_watch(tmp_path):
    made = [sleep(*r) for r in WATCH]
    app, bed = sleep("App", "AsleepUnspecified", 2.8, 10.4), sleep("Phone", "InBed", 2.5, 10.5)
    assert night(tmp_path, *made, app, bed) == (6.0, pytest.approx(6 / 8))
    assert night(tmp_path, app, *made, bed) == (6.0, pytest.approx(6 / 8))


def test_generic_sleep_beside_stages_of_the_same_source(tmp_path):
    hours, _ = night(tmp_path, *(sleep(*r) for r in WATCH), sleep("Watch", "Asleep", 3, 10))
    assert hours == 6.0


def test_of_two_measured_nights_that_of_the_watch_counts(tmp_path):
    ring = [sleep("Ring", "AsleepDeep", 2.5, 10.5)]
    assert night(tmp_path, *(sleep(*r) for r in WATCH), *ring)[0] == 6.0
    assert night(tmp_path, *ring)[0] == 8.0


def test_where_the_watch_ran_out_the_app_goes_on(tmp_path):
    made = [sleep("Watch", "AsleepCore", 3, 5), sleep("App", "AsleepUnspecified", 3, 11)]
    assert night(tmp_path, *made)[0] == 8.0


def test_apps_without_stages_are_joined(tmp_path):
    made = [sleep("A", "AsleepUnspecified", 3, 8), sleep("B", "Asleep", 6, 10)]
    assert night(tmp_path, *made)[0] == 7.0


intervals = st.builds(
    lambda begin, length, kind, source: SleepRecord(begin, begin + length, kind, source),
    st.integers(0, 200_000),
    st.integers(60, 30_000),
    st.sampled_from((STAGE, AWAKE, GENERIC)),
    st.sampled_from(("watch-1", "other-1", "other-2")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(intervals, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(records, chance):
    before = sorted(zip(map(repr, records), finest(records), strict=True), key=repr)
    chance.shuffle(records)
    assert sorted(zip(map(repr, records), finest(records), strict=True), key=repr) == before


@settings(max_examples=60, deadline=None)
@given(st.lists(intervals, max_size=12))
def test_nothing_is_added_and_stages_are_whole_or_gone_but_for_wakings_of_their_source(records):
    for record_, kept in zip(records, finest(records), strict=True):
        assert all(record_.begin <= begin < end <= record_.end for begin, end in kept)
        if record_.kind != GENERIC:
            span = [(record_.begin, record_.end)]
            own = [r for r in records if (r.kind, r.source) == (AWAKE, record_.source)]
            awake = union((r.begin, r.end) for r in own if record_.kind == STAGE)
            assert kept in ([], span, without(span, awake))


def test_what_a_source_calls_awake_is_not_its_sleep(tmp_path):
    for stage in ("AsleepCore", "AsleepUnspecified"):
        made = sleep("App", stage, 3, 11), sleep("App", "Awake", 6, 7)
        assert night(tmp_path, *made) == (7.0, pytest.approx(7 / 8))


def test_a_count_of_steps_that_is_there_twice_counts_once(tmp_path):
    timeline = read(tmp_path, *[steps("Watch", 9, 9.5, 2500)] * 2, steps("Watch", 9, 9.5, 10))
    assert timeline.frame["value"].tolist() == [2510]
    assert timeline.summary.skipped == {"steps: the same record again": 1}


def steps(source, begin, end, count):
    times = (NIGHT.replace(hour=0) + timedelta(hours=hours) for hours in (begin, end))
    start, stop = (time.strftime("%Y-%m-%d %H:%M:%S %z") for time in times)
    return record(Q + "StepCount", str(count), start, stop, unit="count", source=source)


@pytest.mark.parametrize("total", [(0, 23.99), (23.5, 23.5), (0, 24)])
def test_a_total_of_the_day_is_not_added_to_the_pieces_of_a_watch(tmp_path, total):
    """The app repeats what the watch counted: 4000 steps in two hours."""
    pieces = [steps("Watch", 9, 9.5, 2500), steps("Watch", 17, 17.5, 1500)]
    for made in ([*pieces, steps("App", *total, 4000)], [steps("App", *total, 4000), *pieces]):
        history = day_history(read(tmp_path, *made), NIGHT + timedelta(days=1), 2)
        assert round(float(2.718281828 ** history.column("ln_steps")[0])) == 4000


def test_what_is_dated_after_the_export_is_set_aside(tmp_path):
    exported = '<ExportDate value="2025-06-01 08:00:00 +0100"/>'
    made = [
        record(Q + "RestingHeartRate", "60", f"{day} 08:00:00 +0100", unit="bpm")
        for day in ("2025-05-30", "2025-06-01", "2037-01-01")
    ]
    timeline = read(tmp_path, exported, *made)
    assert timeline.summary.skipped == {"resting_hr: dated after the export": 1}
    assert timeline.evening().year == 2025


UNITS = {
    "RestingHeartRate": ("resting_hr", (("count/min", 1.0), ("count/s", 1 / 60), ("bpm", 1.0))),
    "HeartRateVariabilitySDNN": ("sdnn", (("ms", 1.0), ("s", 1e-3))),
    "RespiratoryRate": ("respiratory_rate", (("count/min", 1.0),)),
}
NOISE = ("BodyMass", "DietaryWater", "HeadphoneAudioExposure")


@st.composite
def exports(draw):
    """An export of records whose truth is known: (bytes, rows, cells)."""
    truth, text, count = [], [], draw(st.integers(0, 12))
    for number in range(count):
        name = draw(st.sampled_from((*UNITS, *NOISE)))
        moment = NIGHT + timedelta(minutes=draw(st.integers(0, 500_000)))
        value = draw(st.integers(21, 79))
        start = moment.strftime("%Y-%m-%d %H:%M:%S %z")
        unit = "kg"
        if name in UNITS:
            channel, units = UNITS[name]
            unit, factor = draw(st.sampled_from(units))
            truth.append((int(moment.timestamp()), channel, value))
            value *= factor
        source = draw(st.sampled_from(("Watch", "App &amp; Co", "Ren\u00e9e\u2019s iPhone")))
        text.append(record(Q + name, repr(value), start, unit=unit, source=source))
        if draw(st.booleans()):
            text.append(f"<Correlation>{text[-1]}</Correlation><Workout n='{number}'/>")
    encoding = draw(st.sampled_from(("utf-8", "utf-16", "windows-1252")))
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n<HealthData locale="de_DE">\n'
    cells = count + 2 * sum(part.startswith("<Correlation>") for part in text)
    return (head + "".join(text) + "</HealthData>").encode(encoding), truth, cells


@settings(max_examples=150 * COMPOSITIONS // 2000, deadline=None)
@given(exports())
def test_the_truth_comes_out_and_every_record_is_accounted_for(made):
    data, truth, cells = made
    timeline = read_export(io.BytesIO(data))
    found = zip(
        timeline.seconds("time"), timeline.frame["channel"], timeline.frame["value"], strict=True
    )
    assert sorted((t, c, round(v, 6)) for t, c, v in found) == sorted(truth)
    assert timeline.summary.accounted and timeline.summary.cells == cells


def test_an_export_in_its_archive_gives_the_same_account(tmp_path):
    path = export(tmp_path, record(Q + "StepCount", "9", unit="count"), "<Workout/>")
    (part,) = read_records([path]).parts
    assert part.summary.cells == 2 and part.summary.unused == {"Workout": 1}
