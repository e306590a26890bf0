"""A bounded fuzz: damaged and hostile copies of the example files are read or refused, no more.

Seeds are fixed, so a failure comes back. The only exception that may leave an importer is
InputError, with a message of one line that says what was expected.
"""

import io
import random
import time
import zipfile
from pathlib import Path

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.importers import import_timeline, read_apple_health, read_diary

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SECONDS = 4
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


def test_files_of_another_kind_are_refused(tmp_path):
    diary, archive = EXAMPLES / "diary.csv", EXAMPLES / "export.zip"
    assert read_or_refuse(read_apple_health, diary)
    assert read_or_refuse(read_diary, archive)
    assert read_or_refuse(read_apple_health, tmp_path)
    with pytest.raises(InputError, match="received neither"):
        import_timeline()
