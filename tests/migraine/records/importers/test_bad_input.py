"""A bounded fuzz: damaged and hostile copies of the example files are read or refused, no more.

Seeds are fixed, so a failure comes back. The only exception that may leave an importer is
InputError, with a message of one line that says what was expected.
"""

import gzip
import io
import random
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records import timeline_file
from aline_tf.migraine.records.importers import (
    import_timeline,
    read_apple_health,
    read_diary,
    read_records,
)
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.fitbit import read_fitbit

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
SECONDS = 2
CELLS = (
    *("", "nan", "0", "1e999", "-5", "60", "x", "2025-03-09T00:00:00Z", "2025-03-09"),
    *("2025-03-30T02:30:00", "2025-03-09T25:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31"),
    "\u0663\u0660",
)
HRV_COLUMN = "average heart rate variability milliseconds"
TOKENS = (
    *(b"<!ENTITY x 'y'>", b"]>", b"<", b"&x;", b"<HealthData>", b"</HealthData>", b"-->"),
    *(b"\0", b"\xff", b'"', b"\r\n", b";" * 9, b"+9999", b"nan", b"1e999", b"0000-"),
)


def read_or_refuse(read, path):
    """Whether the file was refused; anything but InputError is a failure of the test."""
    try:
        read(path)
    except InputError as error:
        message = str(error)
        assert "expected" in message and "received" in message
        assert "\n" not in message and len(message) < 2500
        return True
    return False


def damage(data: bytes, chance: random.Random) -> bytes:
    """One of the ways in which files break, or are broken."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at, kind = chance.randrange(len(data) or 1), chance.randrange(5)
        if kind == 0:
            del data[at:]
        elif kind == 1 and data:
            data[at] = chance.randrange(256)
        elif kind == 2:
            del data[at : at + chance.randrange(1, 200)]
        elif kind == 3:
            data[at:at] = data[chance.randrange(len(data) or 1) :][:200]
        else:
            token = chance.choice(TOKENS)
            data[at:at] = token
    return bytes(data)


@pytest.fixture(scope="module")
def small_xml():
    """The start of the example's export.xml, a few records of every type."""
    with zipfile.ZipFile(EXAMPLES / "export.zip") as archive:
        text = archive.read("apple_health_export/export.xml").decode()
    head, body = text.split("<Record ", 1)
    lines = ("<Record " + body).replace("</HealthData>\n", "").split("\n <Record ")
    return (head + "\n <Record ".join(lines[::150]) + "\n</HealthData>\n").encode()


def test_the_undamaged_file_is_read(small_xml, tmp_path):
    path = tmp_path / "export.xml"
    path.write_bytes(small_xml)
    assert len(read_apple_health(path).summary.read) >= 6


def test_damaged_xml(small_xml, tmp_path):
    path, stop, refused = tmp_path / "export.xml", time.monotonic() + SECONDS, 0
    for seed in range(400):
        path.write_bytes(damage(small_xml, random.Random(seed)))
        refused += read_or_refuse(read_apple_health, path)
        if time.monotonic() > stop:
            break
    assert refused


def test_damaged_archives(small_xml, tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("apple_health_export/export.xml", small_xml)
        archive.writestr("apple_health_export/export_cda.xml", "<ClinicalDocument/>")
    path, stop, refused = tmp_path / "export.zip", time.monotonic() + SECONDS, 0
    for seed in range(400):
        path.write_bytes(damage(whole.getvalue(), random.Random(seed)))
        refused += read_or_refuse(read_apple_health, path)
        if time.monotonic() > stop:
            break
    assert refused


def test_every_truncation_of_an_archive_is_refused(tmp_path):
    whole = (EXAMPLES / "export.zip").read_bytes()
    path = tmp_path / "export.zip"
    for share in (0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999):
        path.write_bytes(whole[: int(share * len(whole))])
        assert read_or_refuse(read_apple_health, path)


def test_damaged_diaries(tmp_path):
    whole = (EXAMPLES / "diary.csv").read_bytes()[:2000]
    path, stop = tmp_path / "diary.csv", time.monotonic() + SECONDS
    for seed in range(400):
        path.write_bytes(damage(whole, random.Random(seed)))
        read_or_refuse(read_diary, path)
        if time.monotonic() > stop:
            break


@pytest.mark.parametrize("seed", range(4))
def test_damaged_fitbit_exports(tmp_path, seed):
    with zipfile.ZipFile(EXAMPLES / "more" / "takeout.zip") as archive:
        members = {
            Path(member).name: archive.read(member)[: 60_000 if "sleep" in member else 4000]
            for member in archive.namelist()
        }
    for number in range(12):
        chance = random.Random(1000 * seed + number)
        shutil.rmtree(tmp_path / "t", ignore_errors=True)
        (tmp_path / "t").mkdir()
        for name, data in members.items():
            # Not all of them are damaged at once, or nothing would get past the first.
            whole = chance.random() < 0.9 and not name.endswith(".json")
            (tmp_path / "t" / name).write_bytes(data if whole else damage(data, chance))
        read_or_refuse(lambda path: read_records([path]), tmp_path / "t")


@pytest.mark.parametrize("name", ["calendar.ics", "observations.json", "diary.jsonl"])
def test_damaged_copies_of_the_other_examples(tmp_path, name):
    whole = (EXAMPLES / "more" / name).read_bytes()[:6000]
    if name == "observations.json":
        whole = whole[: whole.rindex(b"  }\n  },")] + b"  }\n  }\n ]\n}\n"
    path, stop = tmp_path / name, time.monotonic() + SECONDS
    path.write_bytes(whole)
    assert len(read_records([path]).timeline)
    refused = 0
    for seed in range(300):
        path.write_bytes(damage(whole, random.Random(seed)))
        refused += read_or_refuse(lambda path: read_records([path]), path)
        if time.monotonic() > stop:
            break
    assert refused


@pytest.mark.parametrize("name", ["calendar.ics", "observations.json", "takeout.zip"])
@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_every_truncation_is_refused(tmp_path, name, share):
    whole = (EXAMPLES / "more" / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(share * (len(whole) - 4))])
    assert read_or_refuse(lambda path: read_records([path]), path)


def test_bytes_of_no_kind_under_every_name(tmp_path):
    chance = random.Random(7)
    names = ("a.csv", "a.jsonl", "a.ics", "a.json", "a.xml", "a.zip", "a.jsonl.gz", "a", "a.tsv")
    names += ("sleep-1.json", "heart_rate_2025-01.csv", "UserSleeps_1.csv", "Profile.csv")
    for name in names:
        for data in (b"", b"\0" * 50, chance.randbytes(3000), b"{" * 9000, b"\xff\xfe{\0", b"\n"):
            path = tmp_path / name
            path.write_bytes(data)
            assert read_or_refuse(lambda path: read_records([path]), path), (name, data[:9])
            path.unlink()


def test_a_bomb_of_each_kind_stays_small(tmp_path):
    """A little file that unfolds to gigabytes is refused on the way, within 400 MiB of memory."""
    xml = b"<HealthData>" + b"<Record type='x'/>" * 100
    for name, unit in (
        ("export.xml", xml + b" " * 1_000_000),
        ("sleep-2025-01-01.json", b"[" + b"0," * 500_000),
        ("steps_2025-01-01.csv", b"timestamp,steps\n" + b"x" * 1_000_000),
        ("bundle.json", b'{"resourceType": "Bundle", "entry": [{"a": "' + b"x" * 1_000_000),
        ("diary.csv", b"date,stress\n" + b"2025-01-01,3\n" * 80_000),
        ("calendar.ics", b"BEGIN:VCALENDAR\n" + b"X:1\n" * 200_000),
    ):
        path = tmp_path / f"{name}.zip"
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(name, "w") as member,
        ):
            for _ in range(80):
                member.write(unit)
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, str(tmp_path)], capture_output=True, text=True
    )
    assert done.stdout.count("refused") == 6, done.stdout + done.stderr


UNDER_A_LIMIT = """
import pathlib, resource, sys
import icalendar, recurring_ical_events
from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import read_records
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (400 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        read_records([path])
    except InputError as error:
        print("refused", path.name, error)
"""


def test_a_timeline_that_unfolds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(timeline_file, "MAX_ROWS", 1000)
    head = b'{"format": "aline-tf timeline", "version": 1, "rows": 5000}\n'
    row = (
        b'{"time": "2025-03-09T07:00:00+01:00", "end": null, "known": "2025-03-09T07:00:00+01:00",'
    )
    row += b' "channel": "attack", "value": 1.0, "source": "x"}\n'
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(head + row * 5000))
    assert read_or_refuse(lambda path: read_records([path]), path)


def test_a_diary_of_fifty_columns_is_read(tmp_path):
    path = tmp_path / "diary.csv"
    header = ["date", "stress", *(f"other {n}" for n in range(48))]
    path.write_text(";".join(header) + "\n" + "2025-03-09;3" + ";x" * 48 + "\n")
    timeline = read_records([path]).timeline
    assert timeline.summary.unused == {f"other {n}": 1 for n in range(48)}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_cells_in_a_fitbit_table(data, tmp_path_factory):
    """Whatever stands in the cells, rows are read or counted: none is lost without a word."""
    cells = st.sampled_from(CELLS)
    rows = data.draw(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
    name, column, channel = data.draw(
        st.sampled_from(
            [
                ("steps_2025-03-01.csv", "steps", "steps"),
                ("heart_rate_2025-03-01.csv", "beats per minute", "heart_rate"),
                ("daily_resting_heart_rate.csv", "beats per minute", "resting_hr"),
                ("daily_heart_rate_variability.csv", HRV_COLUMN, "rmssd"),
            ]
        )
    )
    folder = tmp_path_factory.mktemp("table")
    lines = [f"timestamp,{column}", *(",".join(row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_documents(folder) as documents:
        summary = read_fitbit(documents).summary
    assert summary.read.get(channel, 0) + sum(summary.skipped.values()) >= len(rows)


def test_files_of_another_kind_are_refused(tmp_path):
    diary, archive = EXAMPLES / "diary.csv", EXAMPLES / "export.zip"
    assert read_or_refuse(read_apple_health, diary)
    assert read_or_refuse(read_diary, archive)
    assert read_or_refuse(read_apple_health, tmp_path)
    with pytest.raises(InputError, match="received neither"):
        import_timeline()
