"""Which model a request means, and how the directory is read."""

import os
import shutil
import time

import pytest

from aline_tf.errors import InputError
from aline_tf.serving.embedded.repository import ModelRepository, NotFoundError

CONFIG = """
model_config_list {
  config {
    name: "toy"
    base_path: "/models/toy"
    model_platform: "tensorflow"
    %s
  }
}
"""


@pytest.fixture
def models(toy_models, tmp_path):
    """A copy of the toy models that a test may change."""
    return shutil.copytree(toy_models, tmp_path / "models")


def configured(models, text):
    (models / "models.config").write_text(CONFIG % text)
    return ModelRepository(models)


class TestVersions:
    def test_the_highest_number_is_the_latest(self, models):
        repository = ModelRepository(models)
        assert repository.names == ["toy"]
        assert sorted(repository.versions("toy")) == [1, 12]
        assert repository.find("toy").number == 12

    def test_a_version_may_be_requested(self, models):
        repository = ModelRepository(models)
        assert repository.find("toy", 1).load() is repository.find("toy", 1).load()

    def test_version_zero_means_the_latest_unless_there_is_one(self, models):
        assert ModelRepository(models).find("toy", 0).number == 12
        (models / "toy" / "1").rename(models / "toy" / "0")
        assert ModelRepository(models).find("toy", 0).number == 0

    def test_a_latest_version_that_does_not_load_is_passed_over(self, models):
        (models / "toy" / "13").mkdir()
        (models / "toy" / "13" / "saved_model.pb").write_bytes(b"not a model")
        repository = ModelRepository(models)
        assert repository.find("toy").number == 12
        with pytest.raises(NotFoundError, match=r"version 13 of 'toy' does not"):
            repository.find("toy", 13).load()

    def test_other_directories_are_no_versions(self, models):
        for name in (".partial-3", "latest", "2"):
            (models / "toy" / name).mkdir()
        assert sorted(ModelRepository(models).versions("toy")) == [1, 12]

    def test_the_directory_of_one_model_is_a_base_path_too(self, models):
        assert ModelRepository(models / "toy").find("toy").number == 12

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("nothing",), "expected a model of toy; received 'nothing'"),
            (("toy", 3), r"expected a version of model 'toy' \(1, 12\); received 3"),
            (("toy", None, "stable"), r"a label of model 'toy' \(none\); received 'stable'"),
        ],
    )
    def test_what_is_not_there_is_said_with_what_is(self, models, arguments, message):
        with pytest.raises(NotFoundError, match=message):
            ModelRepository(models).find(*arguments)


class TestConfig:
    def test_labels_name_versions(self, models):
        repository = configured(models, 'version_labels { key: "stable" value: 1 }')
        assert repository.find("toy", label="stable").number == 1
        with pytest.raises(NotFoundError, match=r"\(stable\); received 'canary'"):
            repository.find("toy", label="canary")

    @pytest.mark.parametrize(
        ("policy", "kept"),
        [
            ("all {}", [1, 12]),
            ("latest { num_versions: 1 }", [12]),
            ("specific { versions: 1 }", [1]),
        ],
    )
    def test_policies_limit_the_versions(self, models, policy, kept):
        repository = configured(models, f"model_version_policy {{ {policy} }}")
        assert sorted(repository.versions("toy")) == kept

    def test_a_path_inside_a_container_is_the_directory_of_that_name_here(self, models):
        (models / "toy").rename(models / "moved")
        (models / "models.config").write_text((CONFIG % "").replace("/models/toy", "/x/moved"))
        assert ModelRepository(models).find("toy").number == 12

    def test_a_config_that_does_not_parse_is_bad_input(self, models):
        with pytest.raises(InputError, match="expected a model_config_list"):
            configured(models, "colour: green")

    def test_a_config_that_was_named_must_exist(self, models, tmp_path):
        with pytest.raises(InputError, match="expected a model config file"):
            ModelRepository(models, tmp_path / "absent.config")


class TestRefresh:
    def test_a_new_version_is_found_and_the_old_one_stays_loaded(self, models):
        repository = ModelRepository(models)
        before = repository.find("toy")
        loaded = before.load()
        shutil.copytree(models / "toy" / "12", models / "toy" / "13")
        repository.refresh()
        assert repository.find("toy").number == 13
        assert repository.find("toy", 12) is before and before.load() is loaded

    def test_a_version_written_anew_is_loaded_anew(self, models):
        repository = ModelRepository(models)
        before = repository.find("toy")
        now = time.time_ns()
        os.utime(models / "toy" / "12" / "saved_model.pb", ns=(now, now))
        repository.refresh()
        assert repository.find("toy") is not before

    def test_a_version_that_is_gone_is_not_served(self, models):
        repository = ModelRepository(models)
        shutil.rmtree(models / "toy" / "12")
        repository.refresh()
        assert repository.find("toy").number == 1


@pytest.mark.parametrize("made", [False, True])
def test_a_base_path_without_models_is_bad_input(tmp_path, made):
    place = tmp_path / "models"
    if made:
        (place / "empty").mkdir(parents=True)
    with pytest.raises(InputError, match=r"expected .*; received"):
        ModelRepository(place)
