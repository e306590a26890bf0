"""The timeline file: written and read back exactly, or refused."""

import gzip
import json
import os

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records import timeline_file
from aline_tf.migraine.records.timeline import ImportSummary, Timeline
from aline_tf.migraine.records.timeline_file import read_timeline, timeline_lines, write_timeline
from tests.migraine.records.timelines import timelines

SUMMARY = ImportSummary({"pain": 3}, {"steps: not a number": 2}, ("a note",))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("timelines")


@pytest.fixture
def small():
    rows = [
        (1_741_500_000, 1_741_520_000, 1_741_500_000, 60, 120, "attack", 1.0, "", 1, "diary"),
        (1_741_500_000, None, 1_741_500_000, 60, 60, "attack", 1.0, "", 1, "diary"),
        (1_741_500_000, 1_741_503_600, 1_741_510_000, 60, 60, "pain", 0.0, "0-10", 2, "diary"),
    ]
    return Timeline.from_rows(rows, SUMMARY)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(timeline=timelines(), name=st.sampled_from(["t.jsonl", "t.jsonl.gz"]))
def test_what_is_written_is_read_back(place, timeline, name):
    write_timeline(timeline, place / name)
    again = read_timeline(place / name)
    pd.testing.assert_frame_equal(again.frame, timeline.frame)
    assert again.summary == timeline.summary


def test_the_account_of_an_import_is_kept(place):
    account = ImportSummary(
        {"pain": 1}, {"pain: a word": 2}, (), {"mood": 3}, {"pain: a word": "ow"}, 6
    )
    write_timeline(Timeline.from_rows([], account), place / "account.jsonl")
    assert read_timeline(place / "account.jsonl").summary == account


def test_the_lines_are_these(small):
    head, *lines = timeline_lines(small)
    assert json.loads(head) == {
        "format": "aline-tf timeline",
        "version": 1,
        "rows": 3,
        "read": {"pain": 3},
        "skipped": {"steps: not a number": 2},
        "notes": ["a note"],
    }
    assert lines == [
        '{"time": "2025-03-09T07:00:00+01:00", "end": "2025-03-09T13:33:20+02:00", "known":'
        ' "2025-03-09T08:00:00+02:00", "channel": "attack", "value": 1.0, "source": "diary"}',
        '{"time": "2025-03-09T07:00:00+01:00", "end": null, "known": "2025-03-09T07:00:00+01:00",'
        ' "channel": "attack", "value": 1.0, "source": "diary"}',
        '{"time": "2025-03-09T07:00:00+01:00", "end": "2025-03-09T08:00:00+01:00", "known":'
        ' "2025-03-09T09:46:40+01:00", "channel": "pain", "answered": false, "source": "diary"}',
    ]


def test_the_same_timeline_gives_the_same_bytes(small, tmp_path):
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_timeline(small, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_every_truncation_is_refused(small, tmp_path):
    write_timeline(small, tmp_path / "t.jsonl")
    whole = (tmp_path / "t.jsonl").read_bytes()
    packed = gzip.compress(whole)
    for data in (whole[:-1], packed[:-1]):
        for size in range(0, len(data), 7):
            path = tmp_path / "cut.jsonl"
            path.write_bytes(data[:size])
            with pytest.raises(InputError, match="expected"):
                read_timeline(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "version 1 or before"),
        ('"rows": 3', '"rows": 4', "complete timeline file"),
        ('"aline-tf timeline"', '"another"', "which is not one"),
        ("+01:00", "", "line 2"),
        ('"attack"', '"aura"', "line 2"),
        ('"value": 1.0', '"value": NaN', "line 2"),
        ('"value": 1.0', '"value": 3.0', "within 1 to 1"),
        ("2025-03-09T07", "0001-03-09T07", "line 2"),
        ('"known": "2025-03-09T07', '"known": "2025-03-09T06', "known at or after time"),
    ],
)
def test_what_no_timeline_can_hold_is_refused(small, tmp_path, old, new, message):
    path = tmp_path / "t.jsonl"
    write_timeline(small, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        read_timeline(path)


def test_a_failed_write_leaves_what_was_there(small, tmp_path, monkeypatch):
    path = tmp_path / "t.jsonl"
    path.write_text("before")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_timeline(small, path)
    assert path.read_text() == "before" and len(list(tmp_path.iterdir())) == 1


@settings(deadline=None, max_examples=60)
@given(second=st.integers(-62_000_000_000, 250_000_000_000), offset=st.integers(-840, 840))
def test_what_a_timeline_can_hold_can_be_read_back(place, second, offset):
    """Whatever the year: it is refused before it is written, or it is read."""
    row = (second, second + 86_400, second, offset, offset, "stress", 4.0, "0-10", 1, "diary")
    try:
        timeline = Timeline.from_rows([row])
    except InputError as error:
        assert "expected times from 1900 to 2201; received one of the year" in str(error)
        return
    write_timeline(timeline, place / "years.jsonl")
    pd.testing.assert_frame_equal(read_timeline(place / "years.jsonl").frame, timeline.frame)


def test_more_rows_than_can_be_read_again_are_not_written(small, tmp_path, monkeypatch):
    monkeypatch.setattr(timeline_file, "MAX_ROWS", 2)
    with pytest.raises(InputError, match=r"expected at most 2 .* received 3, 2 of them of attack"):
        write_timeline(small, tmp_path / "much.jsonl")
    assert not list(tmp_path.iterdir())
