"""Files and directories appear whole or not at all."""

import pytest

from aline_tf.errors import InputError
from aline_tf.runtime.atomic_files import atomic_path, require_directory, require_room, writing
from tests.full_disk import full_disk


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def write_directory(path, **files):
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)


def test_file_appears_only_when_the_block_ends(tmp_path):
    final = tmp_path / "report.html"
    with atomic_path(final) as partial:
        partial.write_text("new")
        assert not final.exists()
        assert partial.parent == tmp_path
    assert final.read_text() == "new"
    assert names(tmp_path) == ["report.html"]


def test_temporary_name_ends_in_the_final_name(tmp_path):
    with atomic_path(tmp_path / "model.weights.h5") as partial:
        assert partial.name.endswith("model.weights.h5")
        partial.touch()


def test_existing_file_is_replaced(tmp_path):
    final = tmp_path / "table.json"
    final.write_text("old")
    with atomic_path(final) as partial:
        partial.write_text("new")
    assert final.read_text() == "new"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, failure):
    final = tmp_path / "table.json"
    final.write_text("old")
    with pytest.raises(failure), atomic_path(final) as partial:
        partial.write_text("half")
        raise failure
    assert final.read_text() == "old"
    assert names(tmp_path) == ["table.json"]


def test_directory_appears_whole(tmp_path):
    final = tmp_path / "preset"
    with atomic_path(final) as partial:
        write_directory(partial, config="{}")
        assert not final.exists()
    assert names(final) == ["config"]
    assert names(tmp_path) == ["preset"]


def test_existing_directory_is_replaced_as_a_whole(tmp_path):
    final = tmp_path / "preset"
    write_directory(final, config="old", stale="old")
    with atomic_path(final) as partial:
        write_directory(partial, config="new")
    assert names(final) == ["config"]
    assert (final / "config").read_text() == "new"
    assert names(tmp_path) == ["preset"]


def test_failure_keeps_the_old_directory(tmp_path):
    final = tmp_path / "preset"
    write_directory(final, config="old")
    with pytest.raises(ValueError), atomic_path(final) as partial:
        write_directory(partial, config="half")
        raise ValueError
    assert (final / "config").read_text() == "old"
    assert names(tmp_path) == ["preset"]


def test_parents_are_made_and_removed_again_on_failure(tmp_path):
    final = tmp_path / "out" / "deep" / "table.json"
    with pytest.raises(ValueError), atomic_path(final):
        raise ValueError
    assert names(tmp_path) == []
    with atomic_path(final) as partial:
        partial.write_text("{}")
    assert final.read_text() == "{}"


def test_parents_that_others_filled_stay_on_failure(tmp_path):
    final = tmp_path / "out" / "table.json"
    with pytest.raises(ValueError), atomic_path(final):
        (tmp_path / "out" / "neighbour").touch()
        raise ValueError
    assert names(tmp_path / "out") == ["neighbour"]


def test_a_block_that_writes_nothing_is_our_mistake(tmp_path):
    with pytest.raises(RuntimeError, match="nothing was written"), atomic_path(tmp_path / "x"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("old_is_directory", [True, False])
def test_a_file_and_a_directory_do_not_replace_each_other(tmp_path, old_is_directory):
    final = tmp_path / "place"
    if old_is_directory:
        write_directory(final, config="old")
    else:
        final.write_text("old")
    with pytest.raises(OSError), atomic_path(final) as partial:
        if old_is_directory:
            partial.write_text("new")
        else:
            write_directory(partial, config="new")
    assert final.is_dir() == old_is_directory
    assert names(tmp_path) == ["place"]


def test_parent_that_is_a_file_is_refused_untouched(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError), atomic_path(tmp_path / "file" / "table.json") as partial:
        partial.write_text("new")
    assert (tmp_path / "file").read_text() == "old"


def test_a_directory_is_known_to_be_of_use_before_it_is_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert require_directory(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert names(tmp_path) == ["file"]
    for wrong, message in (
        (tmp_path / "file", "received .*file, a file"),
        (tmp_path / "file" / "a", "received .*file, a file"),
        ("", "received ''"),
        (None, "received None"),
        (3, "received 3"),
        (tmp_path / ("a" * 999), "received: File name too long"),
    ):
        with pytest.raises(InputError, match=f"expected .* write.*; {message}"):
            require_directory(wrong)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match=f"can be written to; received {tmp_path}, which cannot"):
        require_directory(tmp_path / "a")


def test_an_error_that_says_nothing_is_named(tmp_path):
    with pytest.raises(InputError, match="received: OSError"), writing(tmp_path):
        raise OSError


def test_room_is_known_before_a_file_is_written(tmp_path):
    path = tmp_path / "weights.h5"
    with full_disk(1000):
        require_room(path, 1000)
        with (
            pytest.raises(InputError, match=f"permission to write {path}; received: File too"),
            writing(path),
        ):
            require_room(path, 1001)
    assert names(tmp_path) == []
