"""`aline-tf export` refuses what it cannot use, and writes what a server hosts."""

import numpy as np
import pytest

from aline_tf.cli import main


@pytest.fixture
def preset(tiny_models):
    return tiny_models / "tiny" / "1" / "preset"


def test_it_writes_a_model_that_answers(preset, tmp_path, capsys):
    import tensorflow as tf

    out = tmp_path / "models" / "tiny" / "1"
    assert main(["export", "--model", str(preset), "--out", str(out)]) == 0
    assert "signatures predict, infer, propose, step" in capsys.readouterr().out
    assert "step" in tf.saved_model.load(str(out)).signatures
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        assert (out / "preset" / name).read_bytes() == (preset / name).read_bytes()


def test_a_model_version_that_has_its_preset_inside_is_as_good_as_the_preset(
    preset, tmp_path, monkeypatch
):
    exported = []
    monkeypatch.setattr(
        "aline_tf.serving.export.export_model",
        lambda model, out, preset, **_: exported.append((model.get_weights(), preset)) or out,
    )
    for given in (preset, preset.parent):
        assert main(["export", "--model", str(given), "--out", str(tmp_path / "1")]) == 0
    (first, of_first), (second, of_second) = exported
    assert of_first == of_second == preset
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("present", [None, "config.json"])
def test_a_preset_that_is_not_there_is_bad_input(tmp_path, capsys, present):
    place = tmp_path / "preset"
    if present:
        place.mkdir()
        (place / present).write_text("{}")
    out = tmp_path / "out"
    assert main(["export", "--model", str(place), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "expected" in error and "received" in error and error.count("\n") == 1
    assert not out.exists()


def test_a_damaged_preset_is_bad_input(tmp_path, capsys):
    (tmp_path / "config.json").write_text("not json")
    (tmp_path / "model.weights.h5").write_bytes(b"")
    out = tmp_path / "out"
    assert main(["export", "--model", str(tmp_path), "--out", str(out)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not out.exists()


def test_an_export_is_not_overwritten(preset, tiny_models, capsys):
    out = tiny_models / "tiny" / "1"
    before = (out / "saved_model.pb").stat().st_mtime_ns
    assert main(["export", "--model", str(preset), "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert (out / "saved_model.pb").stat().st_mtime_ns == before


@pytest.mark.parametrize("option", [[], ["--model"]])
def test_a_name_is_enough_for_a_packaged_model(tmp_path, monkeypatch, option):
    from aline_tf.models.packaged_presets import packaged_presets

    monkeypatch.chdir(tmp_path)
    exported = []
    monkeypatch.setattr(
        "aline_tf.serving.export.export_model",
        lambda model, out, preset, force: exported.append((model.spec.name, preset)) or out,
    )
    assert main(["export", *option, "psychometric", "--out", "1"]) == 0
    assert exported == [("psychometric", packaged_presets()["psychometric"])]


@pytest.mark.parametrize("given", [[], ["ces", "--model", "gp1d"], ["psychometrics"]])
def test_no_model_two_models_and_an_unknown_one(tmp_path, capsys, given):
    assert main(["export", *given, "--out", str(tmp_path / "1")]) == 2
    assert "expected" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_directory_of_files_of_ones_own_is_not_replaced(preset, tmp_path, capsys):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    assert main(["export", str(preset), "--out", str(out), "--force"]) == 2
    assert "expected an earlier export to replace" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
