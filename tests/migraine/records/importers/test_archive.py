"""Archives from outside: what is refused, and that nothing is unpacked."""

import stat
import zipfile

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import archive as archives
from aline_tf.migraine.records.importers.archive import open_archive, open_member


def write(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return path


def test_a_member_is_read_as_a_stream(tmp_path):
    path = write(tmp_path / "a.zip", {"folder/a.xml": b"<a/>" * 1000})
    with open_archive(path) as archive, open_member(archive, archive.infolist()[0]) as stream:
        assert stream.read(8) == b"<a/><a/>"
        assert len(stream.read()) == 3992
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../a.xml", 'climbs out of its folder with ".."'),
        ("a/../../b.xml", 'climbs out of its folder with ".."'),
        ("a\\..\\b.xml", 'climbs out of its folder with ".."'),
        ("/etc/a.xml", "has an absolute name"),
        ("C:/a.xml", "has an absolute name"),
    ],
)
def test_names_that_leave_the_archive_are_refused(tmp_path, name, expected):
    path = write(tmp_path / "a.zip", {"fine.xml": b"", name: b""})
    with pytest.raises(InputError, match=expected), open_archive(path):
        pass


def test_links_are_refused(tmp_path):
    info = zipfile.ZipInfo("apple_health_export/export.xml")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="is a link"), open_archive(tmp_path / "a.zip"):
        pass


def test_encrypted_members_are_refused(tmp_path):
    path = write(tmp_path / "a.zip", {"a.xml": b"x"})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="is encrypted"), open_archive(path):
        pass


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\x05\x06"])
def test_what_is_not_a_zip_is_refused(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="complete zip"), open_archive(tmp_path / "a.zip"):
        pass
    with pytest.raises(InputError, match="not a file"), open_archive(tmp_path / "none.zip"):
        pass


def test_a_bomb_is_stopped_while_it_unfolds(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "RATIO_FROM_BYTES", 1 << 20)
    path = write(tmp_path / "a.zip", {"a.xml": b"\0" * (8 << 20)})
    read = 0
    with open_archive(path) as archive:
        with (
            pytest.raises(InputError, match="at most"),
            open_member(archive, archive.infolist()[0]) as stream,
        ):
            while chunk := stream.read(1 << 16):
                read += len(chunk)
        assert read < 4 << 20


def test_a_damaged_member_is_named(tmp_path):
    path = write(tmp_path / "a.zip", {"a.xml": bytes(range(256)) * 100})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with (
        pytest.raises(InputError, match=r"a\.xml is truncated or damaged"),
        open_archive(path) as archive,
        open_member(archive, archive.infolist()[0]) as stream,
    ):
        stream.read()


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    path = write(tmp_path / "a.zip", dict.fromkeys(("a", "b", "c"), b""))
    with pytest.raises(InputError, match="at most 2 files"), open_archive(path):
        pass
