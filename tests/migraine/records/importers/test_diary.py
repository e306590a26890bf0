"""The diary: its columns and maps, answers and refusals, attack times, and what is refused."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_diary
from aline_tf.migraine.records.importers.diary import DIARY_FIELDS
from aline_tf.migraine.schema.channels import FIELD_INDEX

NOW = datetime(2025, 3, 10, 20, tzinfo=UTC)


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "diary.csv"
    path.write_bytes(text.encode(encoding))
    return path


def cell(timeline, field, days_ago=1, now=NOW):
    """A field of one day: None where missing, "refused" where asked and not answered."""
    history = day_history(timeline, now, 5)
    index = FIELD_INDEX[field]
    status = history.status[-1 - days_ago, index]
    return {0: None, 2: "refused"}.get(int(status), float(history.values[-1 - days_ago, index]))


def one_day(tmp_path, **cells):
    cells = {"date": "2025-03-09", **cells}
    return read_diary(write(tmp_path, ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"))


def test_a_tidy_row_fills_its_day(tmp_path):
    timeline = one_day(
        tmp_path,
        stress_morning="3",
        stress_evening="7",
        alcohol="2",
        caffeine="10",
        missed_meal="yes",
        prodrome="no",
        sleep_efficiency="91",
    )
    expected = {
        "stress_0": None,
        "stress_1": 3.0,
        "stress_3": 7.0,
        "alcohol": 2.0,
        "caffeine": 8.0,
        "missed_meal": 1.0,
        "prodrome_3": 0.0,
        "sleep_efficiency": pytest.approx(0.91),
        "attack_1": None,
    }
    assert {field: cell(timeline, field) for field in expected} == expected


@pytest.mark.parametrize("word", ["refused", "Declined", "SKIPPED"])
def test_a_refusal_is_told_from_a_blank(tmp_path, word):
    timeline = one_day(tmp_path, stress=word, alcohol="")
    assert cell(timeline, "stress_3") == "refused"
    assert cell(timeline, "alcohol") is None


def test_a_row_is_known_from_its_answer(tmp_path):
    timeline = one_day(tmp_path, answered_at="21:30", stress="4")
    assert cell(timeline, "stress_3", 0, NOW - timedelta(days=1)) is None
    assert cell(timeline, "stress_3") == 4.0
    early = one_day(tmp_path, answered_at="07:15", stress="4")
    assert cell(early, "stress_1", 0, NOW - timedelta(days=1, hours=12)) == 4.0


def attack(timeline, days_ago=1):
    return [cell(timeline, f"attack_{slot}", days_ago) for slot in range(4)]


@pytest.mark.parametrize(
    ("cells", "this_day", "next_day"),
    [
        ({"attack_start": "08:00", "attack_end": "13:00"}, [0, 1, 1, 0], [None] * 4),
        ({"attack_start": "22:00", "attack_end": "05:00"}, [0, 0, 0, 1], [1, None, None, None]),
        (
            {"attack_start": "22:00", "attack_end": "2025-03-10T13:00"},
            [0, 0, 0, 1],
            [1, 1, 1, None],
        ),
        ({"attack_start": "08:00", "attack_end": ""}, [0, 1, None, None], [None] * 4),
        ({"attack_start": "", "attack_end": ""}, [0, 0, 0, 0], [None] * 4),
        ({"attack": "no"}, [0, 0, 0, 0], [None] * 4),
        ({"attack": "yes"}, [None, 1, None, None], [None] * 4),
        ({"attack": ""}, [None] * 4, [None] * 4),
        ({"attack": "refused", "attack_start": ""}, [None] * 4, [None] * 4),
        ({"attack_start": "8 o'clock", "attack_end": ""}, [None] * 4, [None] * 4),
    ],
)
def test_attacks_and_the_days_reported_on(tmp_path, cells, this_day, next_day):
    timeline = one_day(tmp_path, **cells)
    assert attack(timeline) == this_day
    assert attack(timeline, 0) == next_day


def test_pain_belongs_to_the_slots_of_the_attack(tmp_path):
    timeline = one_day(
        tmp_path, attack_start="08:00", attack_end="13:00", pain="7", medication="yes"
    )
    assert [cell(timeline, f"pain_{slot}") for slot in range(4)] == [None, 7.0, 7.0, None]
    assert [cell(timeline, f"medication_{slot}") for slot in range(4)] == [None, 1.0, None, None]


def test_what_is_said_of_an_attack_is_not_known_before_it(tmp_path):
    timeline = one_day(tmp_path, attack_start="21:00", attack_end="23:00", pain="7")
    evening = NOW - timedelta(days=1)
    assert cell(timeline, "pain_3", 0, evening) is None
    assert cell(timeline, "attack_3", 0, evening) == 0.0
    assert cell(timeline, "pain_3") == 7.0


def test_cells_that_cannot_be_used_are_counted_with_the_reason(tmp_path):
    timeline = one_day(
        tmp_path, stress="a lot", alcohol="-1", missed_meal="maybe", prodrome_time="dawn", pain="-9"
    )
    assert timeline.summary.skipped == {
        "stress: not a number": 1,
        "alcohol: outside 0 to 100": 1,
        "missed_meal: not yes or no": 1,
        "prodrome_time: beside no answer": 1,
        "pain: outside 0 to 10": 1,
    }
    assert timeline.summary.examples["stress: not a number"] == "a lot"
    assert timeline.summary.accounted


def test_rows_without_a_readable_date_are_counted(tmp_path):
    text = "date,stress\n2025-03-09,3\nsome day,4\n\n,\n"
    timeline = read_diary(write(tmp_path, text))
    assert timeline.summary.skipped == {"row: the date is not a date": 2}
    assert timeline.summary.examples == {"row: the date is not a date": "some day"}
    assert timeline.summary.accounted and timeline.summary.cells == 4


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_separators_and_encodings(tmp_path, separator, encoding, ending):
    lines = ["Date,Stress,Notes", '2025-03-09,3.0,"a \u00e9, b"'.replace(", b", " b")]
    text = ending.join(line.replace(",", separator) for line in lines)
    assert cell(read_diary(write(tmp_path, text, encoding)), "stress_3") == 3.0


def test_a_decimal_comma_in_a_semicolon_table(tmp_path):
    text = "date;sleep_hours\n2025-03-09;7,5\n"
    assert cell(read_diary(write(tmp_path, text)), "sleep_hours") == 7.5


def test_columns_without_a_meaning_are_named(tmp_path):
    header = ",".join(f"extra {n}" for n in range(50))
    text = f"date,stress,{header}\n2025-03-09,3{',x' * 50}\n"
    timeline = read_diary(write(tmp_path, text))
    assert timeline.summary.unused == {f"extra {n}": 1 for n in range(50)}
    assert timeline.summary.accounted


def test_a_column_map_as_mapping_and_as_json(tmp_path):
    path = write(tmp_path, "Tag;Stress 0-10;Beginn\n2025-03-09;3;08:00\n")
    mapping = {"date": "Tag", "stress": "stress 0-10", "attack_start": "Beginn"}
    (tmp_path / "map.json").write_text(json.dumps(mapping))
    for column_map in (mapping, tmp_path / "map.json", str(tmp_path / "map.json")):
        timeline = read_diary(path, column_map)
        assert cell(timeline, "stress_3") == 3.0
        assert cell(timeline, "attack_1") == 1.0


@pytest.mark.parametrize(
    ("text", "column_map", "expected"),
    [
        ("Tag,Stress\n", None, "column date and at least one of .*received columns Tag, Stress"),
        ("date,Mood\n2025-03-09,3\n", None, "received columns date, Mood"),
        ("date,a\n", {"date": "date", "stress": "b"}, "received date, a .missing: b"),
        ("date,a\n", {"date": "date", "mood": "a"}, "with the fields date, .*received mood"),
        ("date,a\n", {"stress": "a"}, "the field date"),
        ("date,a\n", {}, "the field date"),
        ("date,a\n", {"date": 3}, "expected a column map like"),
        ("date,a\n", "no-such-map.json", "column map as a JSON file"),
        ("date,stress\nsome day,3\n", None, "a date like 2025-01-31 .*received .*'some day'"),
        ("date,stress\n09/03/2025,3\n", None, "'09/03/2025'.* --dates day-first or --dates month"),
        ("date,stress\n", None, "received no rows"),
        ("", None, "empty"),
    ],
)
def test_tables_that_do_not_match_say_what_was_expected(tmp_path, text, column_map, expected):
    with pytest.raises(InputError, match=expected):
        read_diary(write(tmp_path, text), column_map)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="not a file"):
        read_diary(tmp_path / "none.csv")
    with pytest.raises(InputError, match="not a file"):
        read_diary(tmp_path)
    with pytest.raises(InputError, match="no text"):
        read_diary(write(tmp_path, "date,stress\n2025-03-09,\x01\x02\x03\x04"))
    with pytest.raises(InputError, match="at most 500 columns"):
        read_diary(write(tmp_path, ",".join(map(str, range(600)))))
    (tmp_path / "map.json").write_text("[1]")
    with pytest.raises(InputError, match="column map like"):
        read_diary(write(tmp_path, "date,stress\n"), tmp_path / "map.json")


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "yes", "no", "3", "-1", "1e99", "nan", "inf", "08:30", "25:00", "refused"]
    ),
    st.sampled_from(["2025-03-09", "2025-02-30", "2025-03-09T10:00", "2025-03-09T10:00+05:00"]),
    st.dates().map(str),
    st.times().map(str),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_cells_are_read_or_refused(tmp_path_factory, data):
    """Every table either becomes a valid timeline or an InputError; days stay finite."""
    path = tmp_path_factory.mktemp("diary") / "diary.csv"
    fields = data.draw(st.lists(st.sampled_from(DIARY_FIELDS), unique=True, max_size=8))
    header = ["date", *[field for field in fields if field != "date"]]
    with path.open("w", encoding="utf-8", errors="replace", newline="") as out:
        table = csv.writer(out)
        table.writerow(header)
        for _ in range(data.draw(st.integers(0, 4))):
            table.writerow(["2025-03-09", *data.draw(st.lists(CELLS, max_size=len(header)))])
    try:
        timeline = read_diary(path)
    except InputError as error:
        assert "expected" in str(error)
    else:
        assert abs(day_history(timeline, NOW, 5).values).max() < 1e3


@pytest.mark.parametrize(
    ("field", "text", "column", "expected"),
    [
        ("sleep_hours", "450 min", "sleep_hours", 7.5),
        ("sleep_hours", "7,5 h", "sleep_hours", 7.5),
        ("sleep_efficiency", "91 %", "sleep_efficiency", 0.91),
        ("resting_hr", "58bpm", "resting_hr", 58),
        ("pressure_change", "-0.4 kPa", "pressure_change", -4),
        ("pressure_change", "3 mmHg", "pressure_change", 4),
        ("skin_temperature", "0.9 \u00b0F", "skin_temperature", 0.5),
    ],
)
def test_a_unit_beside_a_number_is_converted(tmp_path, field, text, column, expected):
    path = write(tmp_path, f'date,{field}\n2025-03-09,"{text}"\n')
    assert cell(read_diary(path), column) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("text", ["7 kg", "7 h 30", "58 bpm"])
def test_a_unit_that_does_not_fit_is_counted(tmp_path, text):
    timeline = one_day(tmp_path, stress="3", sleep_hours=text)
    assert timeline.summary.skipped == {"sleep_hours: a unit that is not one of h": 1}
    assert timeline.summary.examples == {"sleep_hours: a unit that is not one of h": text}


def lines(tmp_path, *rows, name="diary.jsonl"):
    path = tmp_path / name
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
    return path


def test_json_lines_are_the_same_diary(tmp_path):
    text = "date,attack,attack_start,pain,stress,alcohol,screen_time\n"
    text += "2025-03-08,yes,10:30,7,,refused,90 min\n2025-03-09,no,,,4,2,\n"
    rows = (
        {"date": "2025-03-08", "attack": True, "attack_start": "10:30", "pain": 7}
        | {"alcohol": "refused", "screen_time": "90 min", "stress": None},
        "",
        {"stress": 4, "date": "2025-03-09T20:00:00", "attack": False, "alcohol": 2.0},
    )
    table = read_diary(write(tmp_path, text))
    for name in ("diary.jsonl", "diary.NDJSON"):
        made = read_diary(lines(tmp_path, *rows, name=name))
        assert made.frame.equals(table.frame)


def test_json_lines_take_a_column_map(tmp_path):
    path = lines(tmp_path, {"day": "2025-03-09", "level": 4, "nested": {"a": [1]}})
    timeline = read_diary(path, {"date": "day", "stress": "level"})
    assert cell(timeline, "stress_3") == 4.0
    assert timeline.summary.skipped == {"nested: a value with parts of its own": 1}
    assert timeline.summary.accounted and timeline.summary.cells == 3


@pytest.mark.parametrize("line", ["[1]", "7", "{", "null", "[" * 100_000, '{"date": "2025-03-09"'])
def test_a_line_that_is_no_object_is_refused(tmp_path, line):
    path = lines(tmp_path, {"date": "2025-03-09", "stress": 3}, line)
    with pytest.raises(InputError, match="another line 2"):
        read_diary(path)


def test_a_row_that_was_filled_in_the_next_morning_is_known_then(tmp_path):
    timeline = one_day(tmp_path, answered_at="2025-03-10T08:15:00+01:00", stress="4", alcohol="1")
    assert cell(timeline, "stress_3", 1, NOW.replace(hour=7)) is None
    assert cell(timeline, "stress_3", 1, NOW.replace(hour=8)) == 4.0
    early = one_day(tmp_path, answered_at="2025-03-08T08:15:00", stress="4")
    assert early.summary.skipped == {"answered_at: before the date of its row": 1}
