"""Units: spellings against conversions worked out by hand."""

import pytest

from aline_tf.migraine.records.timeline import KINDS
from aline_tf.migraine.records.units import SPELLINGS, convert


@pytest.mark.parametrize(
    ("value", "spelling", "unit", "expected"),
    [
        (0.0412, "s", "ms", 41.2),
        (1.2, "/s", "bpm", 72.0),
        (66.0, "{beats}/min", "bpm", 66.0),
        (450.0, "min", "h", 7.5),
        (27_000.0, "s", "h", 7.5),
        (98.6, "[degF]", "C", 37.0),
        (310.15, "K", "C", 37.0),
        (101.3, "kPa", "hPa", 1013.0),
        (760.0, "mm[Hg]", "hPa", 1013.25),
        (93.0, "%", "fraction", 0.93),
        (7.0, "{score}", "0-10", 7.0),
        (812.0, "Steps", "count", 812.0),
        (60.0, " BPM ", "bpm", 60.0),
    ],
)
def test_a_value_comes_in_the_unit_of_its_channel(value, spelling, unit, expected):
    assert convert(value, spelling, unit) == pytest.approx(expected, rel=1e-5)


def test_a_difference_has_no_zero_point_to_move():
    assert convert(0.9, "degF", "C", difference=True) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("spelling", "unit"), [("kg", "bpm"), ("", "ms"), ("h", "ms"), ("ms", "C")]
)
def test_an_unknown_unit_is_not_guessed_at(spelling, unit):
    with pytest.raises(KeyError):
        convert(1.0, spelling, unit)


def test_every_channel_has_units():
    assert {kind.unit for kind in KINDS.values()} <= set(SPELLINGS)
