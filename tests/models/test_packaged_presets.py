"""Where trained models are found."""

import pytest

from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import preset_directory, savedmodels_dir


def test_saved_models_are_found_beside_the_package(monkeypatch):
    monkeypatch.delenv("ALINE_TF_SAVEDMODELS", raising=False)
    assert (savedmodels_dir() / "models.config").is_file()


def test_saved_models_are_found_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", str(tmp_path))
    assert savedmodels_dir() == tmp_path


def test_missing_saved_models_are_reported_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"expected .*ALINE_TF_SAVEDMODELS.* received .*nowhere"):
        savedmodels_dir()


def test_the_newest_version_ships(monkeypatch, tmp_path):
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", str(tmp_path))
    for version in ("2", "10", "draft"):
        (tmp_path / "toy" / version).mkdir(parents=True)
    assert preset_directory("toy") == tmp_path / "toy" / "10"
    with pytest.raises(InputError, match=r"one of .*psychometric.*received other"):
        preset_directory("other")
