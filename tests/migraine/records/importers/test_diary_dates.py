"""Dates: the order is what all cells together show, or is asked for."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader, weekdays_in

DAYS = st.dates(date(1991, 1, 1), date(2099, 12, 31))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(DAYS, min_size=1, max_size=12), st.sampled_from(["%d/%m/%Y", "%m.%d.%Y"]))
def test_the_order_of_all_cells_is_found_or_asked_for(days, form):
    texts = [day.strftime(form) for day in days]
    try:
        reader = DateReader(texts)
    except InputError as error:
        assert "--dates" in str(error)
        # No day shows by itself which number is the month.
        assert all(day.day <= 12 for day in days)
    else:
        assert [reader.moment(text).day for text in texts] == days
    named = DateReader(texts, "day-first" if form[1] == "d" else "month-first")
    assert [named.moment(text).day for text in texts] == days


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dates(date(1991, 1, 1), date(2089, 1, 1)), st.integers(1, 20))
def test_years_of_two_digits_are_told_from_days_by_all_rows(first, count):
    days = [first + timedelta(days=step) for step in range(count)]
    for form in ("%d.%m.%y", "%y-%m-%d"):
        texts = [day.strftime(form) for day in days]
        try:
            reader = DateReader(texts)
        except InputError as error:
            assert "--dates" in str(error)
        else:
            assert [reader.moment(text).day for text in texts] == days


WEEKS = {
    "en": "Mon Tue Wed Thu Fri Sat Sun",
    "de": "Mo. Di. Mi. Do. Fr. Sa. So.",
    "pt": "segunda-feira, ter\u00e7a-feira, quarta-feira, quinta-feira, sexta-feira, s\u00e1bado,"
    " domingo,",
    "ru": "\u043f\u043d, \u0432\u0442, \u0441\u0440, \u0447\u0442, \u043f\u0442, \u0441\u0431,"
    " \u0432\u0441,",
}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(DAYS, min_size=1, max_size=12),
    st.sampled_from(["%d/%m/%Y", "%m.%d.%Y"]),
    st.sampled_from(sorted(WEEKS)),
)
def test_days_of_the_week_beside_dates_tell_their_order(days, form, language):
    names = WEEKS[language].split()
    texts = [f"{names[day.weekday()]} {day.strftime(form)}" for day in days]
    try:
        read = [DateReader(texts).moment(text).day for text in texts]
    except InputError:
        swapped = [date(day.year, day.day, day.month) for day in days if day.day <= 12]
        assert len(swapped) == len(days)
        assert all(
            day.weekday() in weekdays_in(text) for day, text in zip(swapped, texts, strict=True)
        )
    else:
        assert read == days


def test_a_slip_of_the_week_decides_nothing():
    texts = ["Thu 03/04/2025", "Mon 04/04/2025"]
    with pytest.raises(InputError, match="--dates"):
        DateReader(texts)
    assert DateReader([*texts, "Sat 13/04/2025"]).order == "day-first"


@pytest.mark.parametrize(
    "text",
    [
        *("2025-03-04", "2025/3/4", "2025.03.04", "20250304", "45720", "4 March 2025"),
        *("March 4, 2025", "Tuesday, March 4th, 2025", "4. M\u00e4rz 2025", "4-Mar-25"),
        *(
            "4 de marzo de 2025",
            "4 \u043c\u0430\u0440\u0442\u0430 2025 \u0433.",
            "2025\u5e743\u67084\u65e5",
            "2025\u5e743\u67084\u65e5 \u661f\u671f\u4e8c",
            "2025\u5e743\u67084\u65e5\u706b\u66dc\u65e5",
            "2025\ub1443\uc6d44\uc77c \ud654\uc694\uc77c",
        ),
        *(
            "mar 4 mar 2025",
            "2025-03-04 08:15 PM",
            "Tue 2025-03-04",
            "4 maart 2025",
            "4 marca 2025",
        ),
        *(
            "\u0664/\u0663/\u0662\u0660\u0662\u0665",
            "2025-03-04T23:59:00",
            "1741046400",
            "04.03.2025 20.15",
        ),
    ],
)
def test_forms_of_one_day(text):
    reader = DateReader([text] if text.isdigit() else [text, "31.12.2024"])
    assert reader.moment(text).day == date(2025, 3, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1600-01-31", "years 1990 to 2199"),
        ("31.12.2200", "years 1990 to 2199"),
        ("2568-03-04", "years 1990 to 2199"),
        ("2025-02-30", "not a date"),
        ("32.01.2025", "not a date"),
        ("March 4", "not a date"),
        ("3 Foo 2025", "not a date"),
        ("", "not a date"),
    ],
)
def test_what_is_no_date_says_why(text, reason):
    with pytest.raises(BadDate, match=reason):
        DateReader([text]).moment(text)


def test_orders_that_contradict_each_other_are_shown():
    with pytest.raises(InputError, match=r"'13/04/2025' beside '04/14/2025'.*--dates"):
        DateReader(["13/04/2025", "04/14/2025"])
    reader = DateReader(["13/04/2025", "04/14/2025"], "day-first")
    with pytest.raises(BadDate):
        reader.moment("04/14/2025")
    with pytest.raises(InputError, match="--dates as one of"):
        DateReader([], "dmy")


def test_a_moment_keeps_its_clock():
    moment = DateReader().moment("2025-03-04T04:30:00Z")
    assert moment.clock.seconds == 16_200 and moment.clock.is_utc
    assert DateReader().moment("45720.75").clock.seconds == 64_800
