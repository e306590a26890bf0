"""Packaged presets are exported once, whole or not at all, and anew when they are others."""

import os
import time
from pathlib import Path

import pytest

from aline_tf import __version__
from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import packaged_presets
from aline_tf.serving import preset_exports
from aline_tf.serving.preset_exports import default_cache, export_presets, is_export_of


@pytest.fixture
def exported(monkeypatch):
    """Names exported so far; the graph is a placeholder, which takes no seconds."""
    import tensorflow as tf

    made = []

    def save(functions, path, signatures):
        Path(path).mkdir()
        (Path(path) / "saved_model.pb").write_bytes(b"graph")
        made.append(Path(path).parent.name)

    monkeypatch.setattr(tf.saved_model, "save", save)
    monkeypatch.setattr(
        "aline_tf.serving.export.SignatureFunctions.signature", lambda self, name: name
    )
    return made


def test_each_is_exported_once_and_said(exported, tmp_path):
    lines = []
    for _ in range(2):
        assert export_presets(["psychometric", "ces"], tmp_path, lines.append) == tmp_path
    assert exported == ["psychometric", "ces"]
    assert lines == [
        f"psychometric: exported to {tmp_path}/psychometric/1",
        f"ces: exported to {tmp_path}/ces/1",
        f"psychometric: as exported to {tmp_path}/psychometric/1",
        f"ces: as exported to {tmp_path}/ces/1",
    ]
    assert is_export_of(tmp_path / "ces" / "1", packaged_presets()["ces"])


def test_another_preset_of_the_same_name_is_exported_anew(exported, tmp_path):
    export_presets(["psychometric"], tmp_path, lambda _: None)
    weights = tmp_path / "psychometric" / "1" / "preset" / "model.weights.h5"
    weights.write_bytes(b"of an older package")
    export_presets(["psychometric"], tmp_path, lambda _: None)
    assert exported == ["psychometric"] * 2
    assert is_export_of(tmp_path / "psychometric" / "1", packaged_presets()["psychometric"])


def test_an_export_that_fails_leaves_nothing(exported, tmp_path, monkeypatch):
    import tensorflow as tf

    def die(functions, path, signatures):
        Path(path).mkdir()
        (Path(path) / "saved_model.pb").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tf.saved_model, "save", die)
    with pytest.raises(KeyboardInterrupt):
        export_presets(["psychometric"], tmp_path / "cache", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_is_not_served_and_goes_in_time(exported, tmp_path):
    from aline_tf.serving.embedded.repository import ModelRepository

    old, new = (tmp_path / "psychometric" / f".partial-{name}-1" for name in ("a", "b"))
    for path in (old, new):
        path.mkdir(parents=True)
        (path / "saved_model.pb").write_bytes(b"half")
    yesterday = time.time() - 86400
    os.utime(old, (yesterday, yesterday))
    export_presets(["psychometric"], tmp_path, lambda _: None)
    assert not old.exists() and new.exists()
    assert list(ModelRepository(tmp_path).versions("psychometric")) == [1]


def test_something_else_in_the_place_is_not_replaced(exported, tmp_path):
    place = tmp_path / "psychometric" / "1"
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="expected an earlier export to replace"):
        export_presets(["psychometric"], tmp_path, lambda _: None)
    assert [path.name for path in place.iterdir()] == ["mine.txt"]


def test_an_unknown_name_is_refused_before_anything_is_written(exported, tmp_path):
    with pytest.raises(InputError, match=r"expected models of .*; received nobody"):
        export_presets(["psychometric", "nobody"], tmp_path, lambda _: None)
    assert exported == [] and list(tmp_path.iterdir()) == []


def test_the_cache_is_where_caches_are(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "aline_tf" / __version__ / "savedmodels"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == preset_exports.Path.home() / ".cache/aline_tf" / (
        f"{__version__}/savedmodels"
    )
