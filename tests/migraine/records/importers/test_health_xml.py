"""The byte filter and the streaming parser: what is repaired, and what is refused."""

import io
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import health_xml
from aline_tf.migraine.records.importers.health_xml import (
    clean,
    is_health_export,
    read_health_records,
)

DOCTYPE = b"<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n]>\n"
RECORD = b'<Record type="A" value="%d"><MetadataEntry key="k" value="v"/></Record>\n'


def records(data: bytes, selected=frozenset({"A"})):
    seen = []
    contents = read_health_records(io.BytesIO(data), selected, lambda a, m: seen.append((a, m)))
    return seen, contents


def document(inside: bytes, doctype: bytes = DOCTYPE) -> bytes:
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        + doctype
        + (b'<HealthData locale="en_US">' + inside + b"</HealthData>\n")
    )


def test_records_come_with_attributes_and_metadata():
    seen, contents = records(document(RECORD % 5 + b'<Record type="B"/><Workout/>'))
    assert seen == [({"type": "A", "value": "5"}, {"k": "v"})]
    assert contents.handled == 1 and contents.others == {"B": 1, "Workout": 1}


def test_records_inside_a_correlation_are_passed_over():
    inside = b"<Correlation>" + RECORD % 1 + b"</Correlation>" + RECORD % 2
    assert [attributes["value"] for attributes, _ in records(document(inside))[0]] == ["2"]


@pytest.mark.parametrize(
    "doctype",
    [
        b"",
        b"<!DOCTYPE HealthData>",
        b'<!DOCTYPE HealthData SYSTEM "http://example.org/health.dtd">',
        # As iOS 16 wrote it: declarations that run into each other.
        b"<!DOCTYPE HealthData [\n<!ATTLIST Record\n type CDATA #REQUIRED\n<!ELEMENT X EMPTY>\n"
        b"device CDATA #IMPLIED\n>\n]>",
        b"<!DOCTYPE HealthData [ <!-- a comment --> ]  >",
    ],
)
def test_a_doctype_good_or_bad_is_dropped(doctype):
    assert len(records(document(RECORD % 1, doctype))[0]) == 1


def test_control_characters_are_stripped():
    inside = RECORD.replace(b"%d", b"4\x0b2\x00\x1f")
    assert records(document(inside))[0][0][0]["value"] == "42"


def test_a_byte_order_mark_is_accepted():
    assert len(records(b"\xef\xbb\xbf" + document(RECORD % 1))[0]) == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (document(b"", b'<!DOCTYPE H [<!ENTITY a "b">]>'), "declares an ENTITY"),
        (document(b"", b'<!DOCTYPE H [<!entity % a SYSTEM "file:///etc/passwd">]>'), "ENTITY"),
        (document(b"&lol;"), "undefined entity"),
        (document(b"", b"<!DOCTYPE H [" + b" " * 70_000 + b"]>"), "at most 64 KiB"),
        (b"<!DOCTYPE H [ <HealthData></HealthData>", "without an end"),
        (document(RECORD % 1)[:-20], "breaks off in the middle"),
        (document(RECORD % 1)[:120], "breaks off in the middle"),
        (b"", "breaks off in the middle"),
        (document(b"<a></b>"), "mismatched tag at line 5"),
        (document(b"<Record/>", DOCTYPE + DOCTYPE), "second DOCTYPE"),
        (b"<html></html>", "root HealthData"),
        (document(RECORD % 1).replace(b"UTF-8", b"klingon"), "klingon"),
        (document(RECORD % 1).replace(b"UTF-8", b"hex"), "hex"),
        (document(b"<a>" * 100 + b"</a>" * 100), "nested"),
        (document(b'<Record type="\xff\xfe"/>'), "not well-formed"),
    ],
)
def test_what_cannot_be_repaired_is_refused(data, expected):
    with pytest.raises(InputError, match=re.escape(expected)):
        records(data)


def test_an_endless_tag_is_refused(monkeypatch):
    monkeypatch.setattr(health_xml, "MAX_TOKEN", 1 << 20)
    with pytest.raises(InputError, match="expected tags shorter"):
        records(document(b'<Record type="' + b"x" * (3 << 20) + b'"/>'))


def test_entities_expand_nothing_in_an_amplifying_document():
    """A billion laughs: refused at its declaration, before a single expansion."""
    laughs = b'<!DOCTYPE H [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a;" * 10) for n in range(10)
    )
    with pytest.raises(InputError, match="ENTITY"):
        records(document(b"&a9;", laughs + b"]>"))


def test_memory_does_not_grow_with_the_file():
    class Endless(io.RawIOBase):
        """A long export, made as it is read."""

        def __init__(self, count):
            head = document(b"").split(b"</HealthData>")[0]
            piece = RECORD * 200 % ((1,) * 200)
            self.parts = iter([head, *[piece] * count, b"</HealthData>"])

        def read(self, size=-1):
            return next(self.parts, b"")

    def peak(count):
        tracemalloc.start()
        read_health_records(Endless(count), frozenset({"A"}), lambda attributes, metadata: None)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(600) < peak(30) + 200_000


def test_an_export_is_known_by_its_root():
    assert is_health_export(document(b""))
    assert not is_health_export(b'<?xml version="1.0"?><ClinicalDocument/>')


@given(st.lists(st.integers(1, 60), max_size=40))
def test_the_filter_gives_the_same_bytes_however_they_arrive(sizes):
    data = document(RECORD % 1 * 3)

    class Dribble(io.BytesIO):
        def read(self, size=-1):
            return super().read(sizes.pop() if sizes else 7)

    assert b"".join(clean(Dribble(data))) == b"".join(clean(io.BytesIO(data)))
    assert b"DOCTYPE" not in b"".join(clean(io.BytesIO(data)))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise):
    for data in (noise, document(noise), DOCTYPE[:20] + noise + DOCTYPE[20:]):
        try:
            records(data)
        except InputError as error:
            assert "expected" in str(error)


@pytest.mark.parametrize("name", ["ISO-8859-1", "windows-1252", "utf-16", "US-ASCII", "cp1251"])
def test_the_encoding_that_is_declared_is_the_one_that_is_read(name):
    text = document(b'<Record type="A" value="7" sourceName="?"/>').decode()
    word = {"US-ASCII": "Renee", "cp1251": "\u0427\u0430\u0441\u044b"}.get(name, "Ren\u00e9e")
    data = text.replace("UTF-8", name).replace('?"/>', f'{word}"/>').encode(name)
    ((attributes, _),) = records(data)[0]
    assert attributes == {"type": "A", "value": "7", "sourceName": word}


def test_the_date_of_the_export_is_said_before_the_first_record():
    seen = []
    inside = b'<ExportDate value="2025-06-01 08:00:00 +0100"/><Me/>' + RECORD % 1
    contents = read_health_records(
        io.BytesIO(document(inside)),
        frozenset({"A"}),
        lambda a, m: seen.append("record"),
        seen.append,
    )
    assert seen == ["2025-06-01 08:00:00 +0100", "record"]
    assert contents.others == {}
