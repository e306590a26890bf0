"""Losses that bias are refused, with the reason and the remedy; what is put aside is no loss."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.losses import LEAST_LOST, refuse_losses


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(0, 20))
def test_less_than_half_of_a_channel_is_refused_and_can_be_accepted(read, lost):
    reason = "pain: not a number"
    summary = ImportSummary({"pain": read}, {reason: lost}, examples={reason: "meh"})
    if lost >= LEAST_LOST and lost > read:
        with pytest.raises(InputError, match=r"such as 'meh'.*--accept-losses"):
            refuse_losses("d.csv", summary)
        (note,) = refuse_losses("d.csv", summary, accept_losses=True)
        assert "accepted" in note and "d.csv" in note
    else:
        assert refuse_losses("d.csv", summary) == ()


def test_what_is_put_aside_by_a_rule_is_no_loss():
    skipped = {
        "steps: also in the newer files": 900,
        "sleep: the same log again": 900,
        "appointments: cancelled": 900,
        "appointments: after 2025-01-01, when records end": 900,
        "resources that are no observations": 900,
    }
    assert refuse_losses("x", ImportSummary({"steps": 1}, skipped)) == ()


def test_the_intervals_of_sleep_count_for_sleep():
    summary = ImportSummary({"asleep": 9, "awake": 2}, {"sleep: an unknown stage": 5})
    assert refuse_losses("x", summary) == ()


def test_an_import_refuses_and_accepts(tmp_path):
    rows = "".join(
        f'<Record type="HKQuantityTypeIdentifierRestingHeartRate" sourceName="W" unit="{unit}"'
        f' startDate="{day} +0100" endDate="{day} +0100" value="60"/>'
        for day, unit in (
            *((f"2025-03-{d:02d} 08:00:00", "furlong") for d in range(1, 8)),
            ("2025-03-09 08:00:00", "bpm"),
        )
    )
    (tmp_path / "export.xml").write_text(f"<HealthData>{rows}</HealthData>")
    with pytest.raises(InputError, match=r"1 of 8 records of resting_hr .*furlong"):
        read_records([tmp_path])
    records = read_records([tmp_path], accept_losses=True)
    assert len(records.timeline) == 1
    assert any("accepted" in note for note in records.timeline.summary.notes)
