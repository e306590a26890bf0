"""Files, folders and archives as documents: in order, within bounds, without leaving the place."""

import os
import zipfile

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import documents as module
from aline_tf.migraine.records.importers.documents import open_documents


def names(path):
    with open_documents(path) as found:
        return [document.path for document in found]


def test_a_file_was_named_and_what_lies_in_a_folder_was_not(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    with open_documents(tmp_path / "a.csv") as (document,):
        assert document.named and document.read(10) == b"x"
    with open_documents(tmp_path) as (document,):
        assert not document.named and document.text(10) == "x"


def test_a_folder_is_walked_in_order_without_hidden_files_and_links(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b/z.csv", "b/a.csv", "c.csv", ".hidden/x.csv", ".DS_Store"):
        (tmp_path / name).write_text("x")
    outside = tmp_path.parent / "outside.csv"
    outside.write_text("secret")
    (tmp_path / "link.csv").symlink_to(outside)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["c.csv", "b/a.csv", "b/z.csv"]


def test_what_a_workbook_leaves_while_it_is_open_is_no_file(tmp_path):
    for name in ("d.csv", "~$d.xlsx", ".~lock.d.ods#"):
        (tmp_path / name).write_text("x")
    assert names(tmp_path) == ["d.csv"]


def test_archives_are_folders_also_inside_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("Takeout/b.json", "[1]")
        archive.writestr("Takeout/a.json", "[2]")
        archive.mkdir("Takeout/empty")
    assert names(tmp_path / "t.zip") == ["Takeout/a.json", "Takeout/b.json"]
    assert names(tmp_path) == ["Takeout/a.json", "Takeout/b.json"]
    (tmp_path / "t.zip").rename(tmp_path / "download")
    assert names(tmp_path / "download") == ["Takeout/a.json", "Takeout/b.json"]


def test_a_file_larger_than_its_kind_can_be_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x" * 1000)
    with (
        open_documents(tmp_path / "a.csv") as (document,),
        pytest.raises(InputError, match=r"in a\.csv; received a larger file"),
    ):
        document.read(999)


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.csv").write_text("")
    with pytest.raises(InputError, match="at most 3 files"):
        names(tmp_path)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="which is none"):
        names(tmp_path / "absent")
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="which is none"):
        names(fifo)


def test_a_name_is_printed_on_one_line(tmp_path):
    (tmp_path / "a\nb\x1b[31m.csv").write_text("")
    with open_documents(tmp_path) as (document,):
        assert document.shown == "a?b?[31m.csv"


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """The central directory names one member many times: small to keep, endless to unfold."""
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", os.urandom(5000))
        (first,) = archive.infolist()
        for number in range(50):
            twin = zipfile.ZipInfo(f"{number}.json")
            for field in ("compress_type", "compress_size", "file_size", "CRC", "header_offset"):
                setattr(twin, field, getattr(first, field))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    with pytest.raises(InputError, match="overlap"):
        names(path)
