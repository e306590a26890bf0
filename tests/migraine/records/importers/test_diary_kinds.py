"""Kinds of diaries that were read wrong or lost once: each is read right, or refused aloud."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary import diary_from, diary_rows
from aline_tf.migraine.records.importers.diary_table import table_from
from aline_tf.migraine.records.importers.diary_words import read_words
from aline_tf.migraine.records.wall_clock import WallClock


def rows_of(text, column_map=None, zone=None, name="d.csv", **options):
    """(channel, value) -> local (begin, end) as text, in order of time, and the account."""
    clock = WallClock(ZoneInfo(zone)) if zone else None
    options["words"] = read_words(options.get("words"))
    rows, summary = diary_rows(table_from(text.encode(), name), column_map, clock, **options)
    assert summary.accounted, summary
    told: dict = {}
    for time, end, _, offset, end_offset, channel, value, *_ in sorted(rows, key=lambda r: r[0]):
        span = _local(time, offset), None if end is None else _local(end, end_offset)
        told.setdefault((channel, value), []).append(span)
    return told, summary


def _local(second, offset):
    moment = datetime(1970, 1, 1) + timedelta(seconds=second, minutes=offset)
    return moment.strftime("%m-%d %H:%M")


def test_twelve_hours_are_told_apart():
    told, _ = rows_of(
        "date,answered_at,attack,attack_start,attack_end,pain\n"
        "2025-03-03,8:15 PM,yes,10:30 AM,11:45 PM,7\n"
        "2025-03-04,08:15 PM,yes,12:30 AM,4:00 AM,6\n"
        "2025-03-05,08:15 PM,yes,2025-03-05 09:30 p.m.,11:30pm,6\n"
    )
    assert told["attack", 1.0] == [
        ("03-03 10:30", "03-03 23:45"),
        ("03-04 00:30", "03-04 04:00"),
        ("03-05 21:30", "03-05 23:30"),
    ]


def test_yes_without_a_time_is_a_day_with_an_attack():
    lines = [f"2025-03-{d:02d},{'yes' if d % 4 == 1 else 'no'}" for d in range(1, 29)]
    told, _ = rows_of("date,attack\n" + "\n".join(lines) + "\n")
    assert len(told["attack_report", 1.0]) == 7 and len(told["attack_report", 0.0]) == 21
    assert ("attack", 1.0) not in told


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("no,00:00,00:00,", ("attack_report", 0.0)),
        ("no,00:00,,", ("attack_report", 0.0)),
        ("no,,,0", ("attack_report", 0.0)),
        ("no,08:00,12:00,", None),
        ("no,,,90", None),
        ("yes,00:00,00:00,", ("attack_report", 1.0)),
        ("yes,,12:00,", ("attack_report", 1.0)),
        ("yes,soon,,", ("attack_report", 1.0)),
        ("yes,08:00,,90", ("attack", 1.0)),
        (",,,90", ("attack_report", 1.0)),
        (",08:00,,", ("attack", 1.0)),
        ("hmpf,08:00,,", None),
        ("severe,,,", ("attack_report", 1.0)),
        ("none,,,", ("attack_report", 0.0)),
        ("2,,,", ("attack_report", 1.0)),
        ("Migraine,,,", ("attack_report", 1.0)),
        ("headache,,,", None),
        ("refused,,,", None),
    ],
)
def test_what_a_row_says_of_attacks(row, expected):
    header = "date,attack,attack_start,attack_end,attack_duration (min),stress"
    told, _ = rows_of(f"{header}\n2025-03-03,{row},5\n", accept_losses=True)
    kinds = {key for key in told if key[0].startswith("attack")}
    assert (expected in kinds) if expected else not kinds
    assert ("attack", 1.0) not in kinds or expected == ("attack", 1.0)


def test_times_that_a_form_puts_beside_every_no_say_nothing():
    told, _ = rows_of(
        "date,attack,attack_start\n2025-03-03,no,12:00\n2025-03-04,no,12:00\n2025-03-05,yes,12:00\n"
        "2025-03-06,yes,14:30\n"
    )
    assert len(told["attack_report", 0.0]) == 3 and len(told["attack_report", 1.0]) == 1
    assert told["attack", 1.0] == [("03-06 14:30", None)]


@pytest.mark.parametrize(
    ("name", "text", "end"),
    [
        ("attack_duration (minutes)", "75", "03-03 09:15"),
        ("attack_duration", "1h 15m", "03-03 09:15"),
        ("attack_duration", "1:15", "03-03 09:15"),
        ("attack_duration (h)", "30", "03-04 14:00"),
        ("attack_duration", "1d 02h 15m", "03-04 10:15"),
        ("attack_duration", "3 Stunden", "03-03 11:00"),
    ],
)
def test_a_length_ends_an_attack(name, text, end):
    told, _ = rows_of(f"date,attack_start,{name}\n2025-03-03,08:00,{text}\n")
    assert told["attack", 1.0] == [("03-03 08:00", end)]


@pytest.mark.parametrize(
    ("row", "span", "hours"),
    [
        # Clocks go forward on the 30th of March at 02:00 and back on the 26th of October at 03:00.
        ("2025-03-29,23:00,,8 h", ("03-29 23:00", "03-30 08:00"), 8),
        ("2025-10-25,23:00,,8 h", ("10-25 23:00", "10-26 06:00"), 8),
        ("2025-10-26,01:30,,120 min", ("10-26 01:30", "10-26 02:30"), 2),
        ("2025-10-26,01:30,02:30,120 min", ("10-26 01:30", "10-26 02:30"), 2),
        ("2025-10-26,01:30,02:30,60 min", ("10-26 01:30", "10-26 02:30"), 1),
        ("2025-03-29,23:00,07:00,7 h", ("03-29 23:00", "03-30 07:00"), 7),
        ("2025-10-26,2025-10-26T00:30Z,2025-10-26T01:30Z,", ("10-26 02:30", "10-26 02:30"), 1),
        ("2025-10-26,2025-10-26T02:15+01:00,02:45,", ("10-26 02:15", "10-26 02:45"), 0.5),
        (
            "2025-10-26,2025-10-26 02:30,2025-10-26 02:15,",
            ("10-26 02:30", "10-26 02:15"),
            0.75,
        ),
        ("2025-10-26,02:30,02:15,", ("10-26 02:30", "10-27 02:15"), 24.75),
        ("2025-10-26,2025-10-26T01:30Z,,90 min", ("10-26 02:30", "10-26 04:00"), 1.5),
    ],
)
def test_a_length_is_time_that_went_by_when_clocks_change(row, span, hours):
    text = f"date,attack_start,attack_end,attack_duration\n{row}\n"
    clock = WallClock(ZoneInfo("Europe/Berlin"))
    rows, summary = diary_rows(table_from(text.encode(), "d.csv"), clock=clock)
    (attack,) = (r for r in rows if r[5] == "attack")
    assert (_local(attack[0], attack[3]), _local(attack[1], attack[4])) == span
    assert attack[1] - attack[0] == 3600 * hours and not summary.skipped


def test_a_length_without_a_unit_is_not_guessed():
    told, summary = rows_of("date,attack_start,attack_duration\n2025-03-03,08:00,3\n")
    assert told["attack", 1.0] == [("03-03 08:00", None)]
    assert any("unit" in reason for reason in summary.skipped)


def test_stated_offsets_are_used():
    told, _ = rows_of(
        "date,attack,attack_start,attack_end\n"
        "2025-03-03,yes,2025-03-04T02:00:00Z,2025-03-04T06:00:00Z\n"
        "2025-03-05,yes,2025-03-05T21:00:00-08:00,2025-03-06T01:00:00-08:00\n"
        "2025-03-08T04:30:00Z,no,,\n",
        zone="America/Los_Angeles",
    )
    assert told["attack", 1.0] == [
        ("03-03 18:00", "03-03 22:00"),
        ("03-05 21:00", "03-06 01:00"),
    ]
    assert ("03-07 00:00", "03-08 00:00") in told["attack_report", 0.0]


def test_offsets_of_a_diary_set_its_clock_where_nothing_else_does():
    text = (
        "date,attack_start\n2025-03-05T21:00:00-08:00,2025-03-05T21:00:00-08:00\n2025-03-06,08:00\n"
    )
    rows, _ = diary_rows(table_from(text.encode(), "d.csv"))
    assert {row[3] for row in rows} == {-480}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date,stress\n2025-03-01,7\n2025-03-02,31\n2025-03-03,8\n", "another scale than 0 to 10"),
        ("date,stress\n2025-03-01,mal\n2025-03-02,meh\n2025-03-03,5\n", "1 of 3 .*'mal'"),
        ("date,attack\n2025-03-01,jup\n2025-03-02,no\n2025-03-03,no\n", "same answer.*'jup'"),
        ("date,attack\n2025-03-01,yes\n2025-03-02,nah\n2025-03-03,yes\n", "same answer.*'nah'"),
        ("date,alcohol\n2025-03-01,some\n2025-03-02,0\n2025-03-03,0\n", "same answer.*'some'"),
        ("date,stress\n2025-03-01,3\n?03,4\n?04,5\n", "most rows .*1 of 3 rows .*'.03'"),
        (
            "date,stress,pain\n1.3.2025,6,5,4\n2.3.2025,7,5,3\n13.3.2025,8,2\n",
            "1 of 3 rows .*more cells",
        ),
        ("date,medication\n2025-03-01,\u2713\n2025-03-02,x\n2025-03-03,x\n", "x beside ticks"),
        ("date,sleep_hours\n2025-03-01,410\n2025-03-02,20\n2025-03-03,395\n", "unit than h"),
    ],
)
def test_losses_that_mislead_are_refused_with_the_remedy(text, expected):
    with pytest.raises(InputError, match=rf"(?s){expected}.*--accept-losses"):
        rows_of(text)
    try:
        _, summary = rows_of(text, accept_losses=True)
    except InputError:
        raise AssertionError("losses can be accepted") from None
    assert any("accepted" in note for note in summary.notes)


def test_a_cell_or_two_are_told_and_refuse_nothing():
    told, summary = rows_of("date,stress\n2025-03-01,7\n2025-03-02,meh\n2025-03-03,4\n")
    assert summary.skipped == {"stress: not a number": 1} and len(told) == 2
    assert summary.examples == {"stress: not a number": "meh"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("stress (0-100)", "45", 4.0), ("stress (1-5)", "5", 10.0), ("Stress %", "30", 3.0)),
        *(("stress (%)", "30", 3.0), ("stress", "7/10", 7.0), ("stress", "3 of 5", 6.0)),
        *(
            ("stress", "7 (bad)", 7.0),
            ("pain", "Moderate", 5.0),
            ("pain", "Headache (Severe)", 8.0),
        ),
        *(("pain", "None", 0.0), ("sleep_hours", "7,5", 7.5), ("sleep_hours", "7:30", 7.5)),
        *(
            ("sleep_hours (min)", "450", 7.5),
            ("sleep_hours", "7h 30m", 7.5),
            ("alcohol", "none", 0.0),
        ),
        *(
            ("medication", "Sumatriptan", 1.0),
            ("medication", "400 mg", 1.0),
            ("medication", "2", 1.0),
        ),
        *(
            ("menstruation", "light", 1.0),
            ("menstruation", "none", 0.0),
            ("sleep_efficiency", "91", 0.91),
        ),
        *(("caffeine", "1,250", None), ("medication", "hmpf", None), ("stress", "unknown", None)),
    ],
)
def test_cells_with_words_units_and_scales(name, text, value):
    table = f'date;{name};screen_time\n2025-03-03;"{text}";1\n'
    told, summary = rows_of(table, accept_losses=True)
    read = [key[1] for key in told if key[0] != "screen_time"]
    assert read == ([] if value is None else [pytest.approx(value)])
    assert bool(summary.skipped) == (value is None)


def test_ticks_without_a_no_tell_of_attacks_alone():
    told, summary = rows_of("date,attack\n2025-03-01,x\n2025-03-02,\n2025-03-03,x\n")
    assert len(told["attack_report", 1.0]) == 2 and len(told) == 1
    assert summary.notes == (
        "d.csv: attacks are noted and never a no: of 1 rows where 'attack' is blank nothing is"
        " known",
    )


def test_dashes_instead_of_a_no_tell_of_attacks_alone():
    """A dash may be a no or nothing: what is kept are the attacks, and the person is told."""
    days = "".join(f"2025-03-{day:02d},{'y' if day % 4 else '-'}\n" for day in range(1, 29))
    told, summary = rows_of("date,attack\n" + days)
    assert {key for key, _ in told.items()} == {("attack_report", 1.0)}
    (note,) = summary.notes
    assert "never a no: of 7 rows" in note


def test_a_date_that_a_workbook_could_not_show_is_lost_and_no_comment():
    _, summary = rows_of(
        "date,stress\n########,4\n#REF!,4\n2025-03-03,4\n2025-03-04,5\n# so far,\n"
    )
    assert summary.skipped == {"row: the date is not a date": 4, "row: a comment": 1}
    text = "date,stress\n" + "########,4\n" * 6 + "2025-03-03,4\n"
    with pytest.raises(InputError, match="most rows"):
        rows_of(text)


def test_the_time_beside_a_date_is_when_a_row_was_filled_in():
    """A form that stamps each answer has several of a day: they do not contradict each other."""
    told, summary = rows_of(
        "date,stress,attack\n2025-03-03 08:30,7,yes\n2025-03-03 21:00,2,no\n", zone="Europe/Berlin"
    )
    assert told["stress", 7.0] == [("03-03 06:00", "03-03 12:00")]
    assert told["stress", 2.0] == [("03-03 18:00", "03-04 00:00")]
    assert len(told["attack_report", 1.0]) == 1 and not summary.notes


@pytest.mark.parametrize(
    "dates",
    [
        ("2025-03-03 00:00:00", "2025-03-04 00:00:00"),
        ("2025-03-03 12:00", "2025-03-04 12:00"),
        ("2025-03-02T23:00:00.000Z", "2025-06-03T22:00:00.000Z"),
        ("2025-03-03 00:00", "2025-03-04"),
    ],
)
def test_a_time_that_stands_beside_every_date_says_nothing(dates):
    told, _ = rows_of("date,stress\n{},7\n{},2\n".format(*dates), zone="Europe/Berlin")
    for spans in told.values():
        assert [span[0][6:] for span in spans] == ["18:00"]


def test_an_end_that_is_the_start_is_none():
    told, summary = rows_of("date,attack,attack_start,attack_end\n2025-03-03,yes,10:00,10:00\n")
    assert told["attack", 1.0] == [("03-03 10:00", None)]
    assert summary.skipped == {"attack_end: the same moment as the start": 1}


@pytest.mark.parametrize(
    ("column", "most", "is_told"),
    [("stress", 5, True), ("stress", 6, False), ("stress (1-5)", 5, False), ("pain", 3, True)],
)
def test_a_scale_that_may_end_below_ten_is_asked_about(column, most, is_told):
    days = "".join(f"2025-03-{day:02d},{1 + day % most}\n" for day in range(1, 29))
    _, summary = rows_of(f"date,{column}\n{days}")
    assert any("is above 5" in note for note in summary.notes) == is_told


def test_words_of_a_person_count():
    text = "date,attack\n2025-03-01,joo\n2025-03-02,ei oo\n2025-03-03,joo\n"
    with pytest.raises(InputError, match="'joo'"):
        rows_of(text)
    told, _ = rows_of(text, words={"yes": ["joo"], "no": ["ei oo"]})
    assert len(told["attack_report", 1.0]) == 2 and len(told["attack_report", 0.0]) == 1


def test_parts_of_a_day_are_of_one_scale():
    with pytest.raises(
        InputError, match=r"0 of 2 cells of stress_evening, 0 of 2 .*stress_morning"
    ):
        rows_of("date,stress_morning,stress_evening\n2025-03-01,7,31\n2025-03-02,8,9\n")


def test_of_two_answers_the_newest_counts_and_the_person_is_told():
    told, summary = rows_of(
        "date,answered_at,stress,attack,attack_start,pain\n"
        "2025-03-03,20:00,3,yes,08:00,6\n"
        "2025-03-03,20:00,5,no,,0\n"
        "2025-03-04,2025-03-06 09:00,1,no,,\n"
        "2025-03-04,2025-03-04 20:00,9,yes,08:00,\n"
    )
    assert ("attack", 1.0) not in told and len(told["attack_report", 0.0]) == 2
    assert [key for key in told if key[0] == "pain"] == [("pain", 0.0)]
    assert ("stress", 5.0) in told and ("stress", 1.0) in told and ("stress", 3.0) not in told
    assert summary.notes == ("two answers for one place, of which the newest was taken: 4",)


def test_of_two_attacks_in_one_part_of_a_day_the_worst_pain_counts():
    head = "date,attack,attack_start,attack_end,pain\n"
    first, second = "2025-03-03,yes,07:00,08:00,8\n", "2025-03-03,yes,09:00,10:00,4\n"
    for rows in (first + second, second + first):
        told, summary = rows_of(head + rows)
        assert [value for channel, value in told if channel == "pain"] == [8.0]
        assert len(told["attack", 1.0]) == 2 and not summary.notes


def test_answers_in_the_course_of_a_day_do_not_contradict_each_other():
    told, summary = rows_of(
        "date,answered_at,attack,attack_start,attack_end\n"
        "2025-03-03,08:15,yes,02:00,06:00\n2025-03-03,20:00,no,,\n"
        "2025-03-04,08:15,yes,02:00,06:00\n2025-03-04,21:00,yes,15:00,18:00\n"
    )
    assert len(told["attack", 1.0]) == 3 and not summary.notes


def test_dates_that_leave_the_order_open_are_asked_for():
    text = "date,stress\n02.03.2025,5\n03.03.2025,6\n2025-03-12,4\n"
    with pytest.raises(InputError, match="--dates day-first or --dates month-first"):
        rows_of(text)
    told, _ = rows_of(text, dates="day-first")
    assert told["stress", 5.0] == [("03-02 18:00", "03-03 00:00")]


def test_years_that_a_forecast_refuses_are_refused_here():
    _, summary = rows_of("date,stress\n2025-03-03,4\n2200-01-31,5\n")
    assert summary.skipped == {"row: the date is outside of the years 1990 to 2199": 2}
    with pytest.raises(InputError, match=r"years 1990 to 2199.*'2200-12-31'"):
        rows_of("date,attack\n2200-12-31,no\n")


def test_hours_with_fractions_are_not_taken_for_minutes():
    told, summary = rows_of(
        "date,attack_start\n2025-03-03,20.25\n2025-03-04,8.5\n2025-03-05,14:30\n",
        accept_losses=True,
    )
    assert told["attack", 1.0] == [("03-05 14:30", None)]
    assert summary.skipped == {"attack_start: a time that may be of decimal hours": 2}


def test_dates_that_a_workbook_may_have_swapped_are_refused():
    text = "date,stress\n45720,5\n13/03/2025,6\n14/03/2025,4\n"
    with pytest.raises(InputError, match=r"workbook beside '13/03/2025'"):
        rows_of(text)
    assert len(rows_of(text, dates="day-first")[0]) == 3
    assert len(rows_of(text.replace("14/03", "05/03"))[0]) == 3


@pytest.mark.parametrize(
    "text",
    ["no ibuprofen", "kein Ibuprofen", "didn't take sumatriptan", "Didn\u2019t take aspirin"],
)
def test_a_medicine_that_was_not_taken_is_none(text):
    told, summary = rows_of(f"date,medication,stress\n2025-03-03,{text},4\n")
    assert ("medication", 0.0) in told and not summary.skipped


@pytest.mark.parametrize(
    "text",
    [
        "no relief from sumatriptan",
        "sumatriptan did not help",
        "not ibuprofen but aspirin",
        "forgot sumatriptan",
        "ran out of sumatriptan",
        "Sumatriptan (0)",
        "sumatriptan 0 mg",
        "Sumatriptan?",
    ],
)
def test_a_medicine_that_may_not_have_been_taken_is_counted_as_unread(text):
    told, summary = rows_of(
        f"date,medication\n2025-03-03,{text}\n2025-03-04,no\n2025-03-05,aspirin 100 mg\n"
    )
    assert len(told) == 2 and summary.skipped == {"medication: not yes or no": 1}


def test_fractions_are_read_and_ranges_are_counted():
    told, summary = rows_of(
        "date,alcohol,pain\n2025-03-03,\u00bd,7-8\n2025-03-04,1\u00bd,7/8\n2025-03-05,1,6\n"
        "2025-03-06,2,1\u00bd\n2025-03-07,3,2\n"
    )
    drinks = sorted(value for channel, value in told if channel == "alcohol")
    assert drinks == [0.5, 1.0, 1.5, 2.0, 3.0]
    assert {value for channel, value in told if channel == "pain"} == {6.0, 2.0}
    assert summary.skipped == {
        "pain: a unit that is not one of 0-10": 1,
        "pain: out of several scales, or a range": 1,
    }
    told, _ = rows_of("date,pain\n2025-03-03,3/5\n2025-03-04,0\n2025-03-05,4/5\n")
    assert {value for _, value in told} == {6.0, 0.0, 8.0}


def test_a_row_says_nothing_of_the_time_after_it_was_filled_in():
    told, summary = rows_of(
        "date,answered_at,attack,attack_start,attack_end,alcohol\n"
        "2025-03-03,07:30,no,,,0\n"
        "2025-03-04,07:30,yes,,,\n"
        "2025-03-05,09:00,yes,05:00,07:00,\n"
        "2025-03-06,09:00,yes,05:00,12:00,\n"
        "2025-03-07,18:00,no,,,1\n"
        "2025-03-08,2025-03-09 07:00,no,,,1\n"
        "2025-03-09,,no,,,2\n"
        "2025-03-10,07:30,no,,,\n2025-03-10,21:00,no,,,\n"
        "2025-03-11,09:00,yes,05:00,,\n"
    )
    ends = [end for _, end in told["attack_report", 0.0]]
    assert ends == [
        *("03-03 07:30", "03-05 09:00", "03-06 12:00", "03-08 00:00", "03-09 00:00"),
        *("03-10 00:00", "03-10 07:30", "03-11 00:00", "03-11 05:00"),
    ]
    assert told["attack_report", 1.0] == [("03-04 00:00", "03-04 07:30")]
    early, totals = summary.notes
    assert ": 5 days were filled in before 18:00" in early
    assert ": 1 rows were filled in" in totals


def test_a_day_of_the_week_that_is_another_one_is_told():
    told, summary = rows_of("date,stress\nMon 2025-03-03,3\nWed 2025-03-04,4\n6 mar 2025,1\n")
    assert len(told) == 3
    assert summary.notes == ("d.csv: 1 dates fall on another day of the week than they name",)


def test_attacks_that_overlap_in_one_file_are_one_and_told():
    head = "date,attack,attack_start,attack_end\n"
    _, summary = rows_of(f"{head}2025-03-03,yes,22:00,04:00\n2025-03-04,yes,03:00,05:00\n")
    assert summary.notes == ("d.csv: 1 attacks begin while another one lasts: they are one",)
    _, summary = rows_of(f"{head}2025-03-03,yes,08:00,09:00\n2025-03-03,yes,09:00,10:00\n")
    assert not summary.notes


def test_a_start_on_another_day_than_its_row_is_no_attack_there():
    told, summary = rows_of(
        "date,attack,attack_start\n2025-03-03,yes,2025-03-13 08:00\n"
        "2025-03-04,yes,2025-03-05 01:00\n2025-03-07,yes,2025-03-07 09:00\n"
    )
    assert [begin for begin, _ in told["attack", 1.0]] == ["03-05 01:00", "03-07 09:00"]
    assert told["attack_report", 1.0] == [("03-03 00:00", "03-04 00:00")]
    assert summary.skipped == {"attack_start: far from the date of its row": 1}


def test_a_length_of_nothing_is_none():
    told, summary = rows_of(
        "date,attack,attack_start,attack_duration (h)\n2025-03-03,yes,08:00,0\n2025-03-04,no,,0\n"
    )
    assert told["attack", 1.0] == [("03-03 08:00", None)]
    assert summary.skipped == {
        "attack_duration: of no length": 1,
        "attack_duration: times of the form beside a no": 1,
    }


@pytest.mark.parametrize(("text", "taken"), [("0 tablets", 0), ("0x Ibuprofen", 0), ("2 pills", 1)])
def test_a_number_of_tablets_says_whether_any_was_taken(text, taken):
    told, _ = rows_of(f"date,medication\n2025-03-03,{text}\n")
    assert list(told) == [("medication", float(taken))]


def test_two_columns_of_one_name_are_refused_when_they_are_read():
    with pytest.raises(InputError, match="received 2 named stress: rename"):
        rows_of("date,stress,stress\n2025-03-03,4,5\n")
    assert len(rows_of("date,stress,x,x\n2025-03-03,4,5,6\n")[0]) == 1


def test_totals_are_no_days():
    told, summary = rows_of("date,stress\n2025-03-03,4\nTotal,4\nAverage,4\n")
    assert summary.skipped == {"row: totals": 4} and len(told) == 1


def test_a_column_of_days_of_the_week_tells_the_order_of_dates():
    text = "Date,Day,Stress\n03/04/2025,{},3\n04/04/2025,{},4\n"
    told, summary = rows_of(text.format("Thursday", "Fri"))
    assert [span[0][0][:5] for span in told.values()] == ["04-03", "04-04"]
    assert summary.unused == {"Day": 2}
    told, _ = rows_of(text.format("Tue", "Friday"))
    assert [span[0][0][:5] for span in told.values()] == ["03-04", "04-04"]
    with pytest.raises(InputError, match="--dates"):
        rows_of(text.format("Thursday", "busy"))


def test_a_column_for_two_fields_counts_once():
    told, summary = rows_of(
        "Day,Time,Pain\n2025-03-03,8:20 PM,5\n",
        {"date": "Day", "answered_at": "Time", "attack_start": "Time", "pain": "Pain"},
    )
    assert summary.cells == 3 and told["attack", 1.0] == [("03-03 20:20", None)]


def test_a_diary_becomes_a_timeline_of_its_days():
    table = table_from(b"date,attack,stress\n2025-03-03,yes,4\n", "d.csv")
    timeline = diary_from(table, clock=WallClock(ZoneInfo("Asia/Kolkata")))
    assert set(timeline.frame["offset"]) == {330}
    assert timeline.frame["time"].iloc[0].date() == date(2025, 3, 2)
