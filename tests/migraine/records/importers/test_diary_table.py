"""Tables: separators, quotes, ragged rows, encodings, and cells that all are accounted for."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_encodings import decode
from aline_tf.migraine.records.importers.diary_table import header_from, read_table, table_from
from aline_tf.migraine.records.importers.diary_words import WORDS
from tests.migraine.records.importers.composed_diaries import LANGUAGES

#: Encodings of DOS, of the Macintosh and of Unix, beside those of Windows.
OF_OTHER_MACHINES = {
    "de": ("cp850", "mac_roman"),
    "es": ("cp850", "mac_roman"),
    "pl": ("cp852", "iso8859-2"),
    "ru": ("koi8-r", "cp866"),
    "tr": ("cp857", "iso8859-9"),
    "ja": ("euc_jp",),
    "ar": ("iso8859-6",),
}


def table(text, encoding="utf-8", name="d.csv"):
    return table_from(text.encode(encoding), name, WORDS.is_familiar)


@pytest.mark.parametrize("separator", list(",;\t|"))
@pytest.mark.parametrize("first", ["", "sep={}\n", "\n\n", "# written by hand\n"])
def test_separators_are_found_or_stated(separator, first):
    text = first.format(separator) + f"date{separator}a,b\n2025-03-01{separator}7,5\n"
    made = table(text.replace("a,b", "a").replace("7,5", '"7,5"'))
    assert (made.header, made.rows) == (["date", "a"], [["2025-03-01", "7,5"]])


@pytest.mark.parametrize(
    ("text", "line", "lost"),
    [
        ('d,n\n1-1,x\n2-1,"bad\n3-1,x\n4-1,x\n', 3, 2),
        ('d,n\n1-1,"bad\n2-1,x\n3-1,"odd\n4-1,x\n', 2, 2),
        ('d,n\n1-1,"two\nlines"\n2-1,"bad\n3-1,x\n', 4, 1),
        ('d,n\n1-1,"bad', 2, 0),
        ('d,n\n2025-03-01,"bad\n2025-03-02,x\n2025-03-03,y"\n', 2, 2),
    ],
)
def test_a_quote_that_swallows_rows_is_refused_with_its_line(text, line, lost):
    with pytest.raises(InputError, match=rf"line {line} of d.csv .*\({lost} lines"):
        table(text)


def test_quotes_that_close_keep_breaks_and_separators():
    made = table('d,n,m\n1-1,"a, ""b""\nand c",x\n2-1,5" snow,y\n')
    assert [row[1] for row in made.rows] == ['a, "b"\nand c', '5" snow']


def test_rows_that_do_not_fit_are_counted_by_cell():
    text = "d,a,b,c\n1-1,1,2,3\n2-1,coffee, walk,2,3\n3-1,1,2\n4-1,1,2,\nd,a,b,c\n# x\n\n , ,,\n"
    made = table(text)
    assert [row[0] for row in made.rows] == ["1-1", "4-1"]
    assert made.lost == {
        "row: more cells than the header": 5,
        "row: fewer cells than the header": 3,
        "row: the header again": 4,
        "row: a comment": 1,
    }
    assert made.cells == 4 + 3 + sum(made.lost.values()) and made.lost_rows == 2


def test_rows_that_end_early_are_read_where_the_table_leaves_out_blanks():
    made = table("d,a,b,c\n1-1,,2\n2-1,1\n3-1,1,2,3\n")
    assert made.rows == [["1-1", "", "2", ""], ["2-1", "1", "", ""], ["3-1", "1", "2", "3"]]
    assert made.notes == ("2 rows end early: the cells they lack were taken as blank",)
    ended = table("d,a,\n1-1,1,\n2-1,2,\n")
    assert ended.header == ["d", "a"] and len(ended.rows) == 2


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.text("ab\"',;\n 1", max_size=4), max_size=4), max_size=6))
def test_every_cell_is_in_a_row_or_counted(records):
    lines = [",".join(record) for record in [["d", "a", "b"], *records]]
    try:
        made = table("\n".join(lines))
    except InputError as error:
        assert "expected" in str(error)
    else:
        kept = sum(bool(cell) for row in made.rows for cell in row)
        assert made.cells == kept + sum(made.lost.values())


def test_values_with_parts_are_counted_and_keys_that_occur_twice_refused():
    lines = [{"date": "1-1", "a": [1, 2], "b": {"c": 1}}, {"date": "2-1", "a": 3}]
    made = table("\n".join(map(json.dumps, lines)), name="d.jsonl")
    assert made.lost == {f"{key}: a value with parts of its own": 1 for key in "ab"}
    assert made.rows == [["1-1", "", ""], ["2-1", "3", ""]]
    with pytest.raises(InputError, match="each key once; received another line 1"):
        table('{"a": 1, "a": 2}', name="d.jsonl")


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        *((name, "m\u00e4rz") for name in ("cp1252", "latin-1", "utf-8", "utf-8-sig")),
        *((name, "s\u00ed") for name in ("cp1252", "utf-16", "utf-16-le", "utf-16-be")),
        *(
            ("utf-32", "n\u00e3o"),
            ("cp1251", "\u043d\u0435\u0442"),
            ("koi8-r", "\u0441\u0438\u043b\u044c\u043d\u0430\u044f"),
        ),
        *(
            ("cp932", "\u3044\u3044\u3048"),
            ("gb18030", "\u4e25\u91cd"),
            ("cp1250", "umiarkowany"),
            ("cp1254", "hay\u0131r"),
        ),
    ],
)
def test_encodings_are_told_by_the_words_that_a_diary_knows(encoding, word):
    text = f"date;attack\n2025-03-01;{word}\n2025-03-02;{word}\n"
    made, _ = decode(text.encode(encoding), "d.csv", WORDS.is_familiar)
    assert made == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_of_one_row_is_enough_to_tell_its_encoding(language):
    """A single byte is a letter somewhere: "\u043d" is a Russian no, and half of a Japanese yes."""
    *answers, note, encodings = LANGUAGES[language]
    for encoding in (*encodings, *OF_OTHER_MACHINES.get(language, ())):
        for answer in answers:
            text = f"date,attack,pain,notes\n2025-03-13,{answer},3,{note}\n"
            made, _ = decode(text.encode(encoding), "d.csv", WORDS.is_familiar)
            assert made.split(",")[4] == answer, encoding


def test_an_encoding_and_zero_bytes_are_said():
    assert decode("a \u00e9".encode("cp1252"), "d.csv")[1] == ("d.csv was read as cp1252",)
    text, notes = decode(b"a,b\n1\0,2\n", "d.csv")
    assert text == "a,b\n1,2\n" and "1 zero bytes" in notes[0]


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"PK\x03\x04rest", "d.csv", "workbook: save its sheet as CSV"),
        (b"a,b", "d.xlsx", "workbook d.xlsx: save its sheet as CSV"),
        (bytes(range(1, 32)) * 9, "d.csv", "no text"),
        (b" \n\n", "d.csv", "empty"),
    ],
)
def test_other_files_are_refused_by_name_with_the_remedy(data, name, expected):
    with pytest.raises(InputError, match=expected):
        table_from(data, name)


def test_the_header_of_a_beginning_is_enough(tmp_path):
    assert header_from(b'sep=|\ndate|a|b\n1-1|"cut off', "d.csv") == ["date", "a", "b"]
    assert header_from(b'{"date": 1, "a": 2}\n{"b": ', "d.jsonl") == ["date", "a"]
    path = tmp_path / "d.csv"
    path.write_bytes("date;a\n1-1;2\n".encode("utf-16"))
    assert read_table(path).header == ["date", "a"]
    assert header_from(path.read_bytes()[:-3], "d.csv") == ["date", "a"]
