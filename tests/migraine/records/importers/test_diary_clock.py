"""Times of day in every form: twelve hours, dots, letters, workbook shares, offsets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.records.importers.diary_clock import plain, read_clock


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 11))
def test_every_form_of_a_time_is_the_same_time(hour, minute, form):
    half, twelve = "AM" if hour < 12 else "PM", hour % 12 or 12
    chinese = "\u4e0a\u5348" if hour < 12 else "\u4e0b\u5348"
    text = (
        f"{hour:02d}:{minute:02d}",
        f"{hour}:{minute:02d}:00",
        f"{hour:02d}.{minute:02d}",
        f"{hour}h{minute:02d}",
        f"{hour:02d}{minute:02d}",
        f"{hour}.{minute:02d} Uhr",
        f"{twelve}:{minute:02d} {half}",
        f"{twelve:02d}:{minute:02d}{half.lower()}",
        f"{twelve}.{minute:02d} {half[0].lower()}. m.",
        f"{twelve}:{minute:02d}\u202f{half}",
        f"{chinese}{twelve}:{minute:02d}",
        f"{hour:02d}:{minute:02d}:00.000+01:00",
    )[form]
    clock = read_clock(text)
    assert clock is not None and clock.seconds == 3600 * hour + 60 * minute
    assert clock.offset == (60 if form == 11 else None)


@pytest.mark.parametrize(
    "text",
    ["", "8", "25:00", "8:75", "13:30 AM", "24:01", "8 o'clock", "soon", "2560", "20:15+20:00"],
)
def test_what_is_no_time_or_may_be_two_is_none(text):
    assert read_clock(text) is None


def test_words_shares_of_a_day_and_the_end_of_it():
    seconds = {"noon": 43_200, "24:00": 86_400, "0.84375": 72_900, "12 am": 0, "12 PM": 43_200}
    seconds |= {"1899-12-30 08:15:00": 29_700, "0,5000": 43_200}
    assert {text: read_clock(text).seconds for text in seconds} == seconds


def test_z_is_told_from_an_offset_and_digits_of_any_script_are_digits():
    assert read_clock("08:00:00Z") == (28_800, 0, True)
    assert read_clock("08:00 -0800") == (28_800, -480, False)
    assert plain("\u0661\u0660:\u0663\u0660\u00a0") == "10:30"
