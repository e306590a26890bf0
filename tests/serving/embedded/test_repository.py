"""Which model a request means, how the directory is read, and what becomes of what is loaded."""

import logging
import os
import random
import shutil
import time

import pytest

from aline_tf.errors import InputError
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.versions import NotFoundError, NotLoadedError

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
        repository.load()
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

    def test_only_what_the_config_names_is_served(self, models):
        shutil.copytree(models / "toy", models / "other")
        assert ModelRepository(models).names == ["other", "toy"]
        assert configured(models, "").names == ["toy"]
        with pytest.raises(InputError, match="received a directory without other"):
            ModelRepository(models, names=["other"])

    def test_a_config_that_names_no_model_is_bad_input(self, models):
        (models / "models.config").write_text("model_config_list {}")
        with pytest.raises(InputError, match="which names none"):
            ModelRepository(models)

    def test_a_config_that_is_being_replaced_leaves_everything_as_it_was(self, models):
        shutil.copytree(models / "toy", models / "other")
        repository = configured(models, "")
        (models / "models.config").unlink()
        with pytest.raises(InputError, match="expected a model config file"):
            repository.refresh()
        assert repository.names == ["toy"]

    def test_a_model_that_is_taken_out_of_the_config_is_not_served_on(self, models):
        shutil.copytree(models / "toy", models / "other")
        repository = configured(models, "")
        repository.load()
        config = models / "models.config"
        config.write_text(config.read_text().replace("toy", "other"))
        repository.refresh()
        assert repository.names == ["other"]

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
        assert repository.find("toy") is before
        repository.load()
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


@pytest.fixture
def sound_or_not(monkeypatch):
    """Loading that costs nothing: what a version's file holds is its model, unless it is "half"."""

    def load_model(path):
        text = (path / "saved_model.pb").read_text()
        if text == "half":
            raise ValueError(f"expected a whole file; received half of one\nand {'more ' * 99}")
        return Loaded(text)

    monkeypatch.setattr("aline_tf.serving.embedded.versions.load_model", load_model)


class Loaded:
    def __init__(self, text):
        self.text = text

    def warm_up(self):
        pass


def write(models, number, text, model="toy"):
    version = models / model / str(number)
    version.mkdir(parents=True, exist_ok=True)
    # Another file, as a copy makes: the time alone may be the same.
    (version / "arriving").write_text(text)
    (version / "arriving").rename(version / "saved_model.pb")


def pass_by(repository, readings=1):
    for _ in range(readings):
        repository.refresh()
        repository.load()


@pytest.mark.usefixtures("sound_or_not")
class TestLoading:
    def test_a_version_that_is_half_copied_is_tried_again_when_it_changes(self, tmp_path):
        write(tmp_path, 1, "half")
        repository = ModelRepository(tmp_path)
        repository.load()
        version = repository.find("toy")
        assert version.state == "END" and not repository.available
        assert version.error == "ValueError: expected a whole file; received half of one"
        write(tmp_path, 1, "whole")
        pass_by(repository)
        assert repository.find("toy").loaded.text == "whole"
        assert repository.find("toy").state == "AVAILABLE"

    def test_a_failure_that_files_do_not_explain_is_tried_again_ever_less_often(
        self, tmp_path, monkeypatch
    ):
        tries = []

        def load_model(path):
            tries.append(reading)
            raise MemoryError

        monkeypatch.setattr("aline_tf.serving.embedded.versions.load_model", load_model)
        write(tmp_path, 1, "whole")
        repository = ModelRepository(tmp_path)
        for reading in range(80):  # noqa: B007 - the loader above reads it
            pass_by(repository)
        assert tries == [0, 2, 5, 10, 19, 36, 69]

    def test_what_is_not_loaded_yet_says_so(self, tmp_path):
        write(tmp_path, 1, "whole")
        version = ModelRepository(tmp_path).find("toy")
        assert version.state == "START"
        with pytest.raises(NotLoadedError, match="expected a version that is loaded; version 1"):
            version.loaded  # noqa: B018 - a property that raises

    def test_the_latest_of_every_model_is_loaded_before_older_ones(self, tmp_path, caplog):
        caplog.set_level(logging.INFO, logger="aline_tf.serving")
        for model in ("one", "two"):
            for number in (1, 2):
                write(tmp_path, number, "whole", model)
        ModelRepository(tmp_path).load()
        order = [line.split(" loaded")[0] for line in caplog.messages]
        assert order == [
            f"model={model!r} version={number}" for number in (2, 1) for model in ("one", "two")
        ]

    def test_a_stop_comes_between_two_versions(self, tmp_path):
        for number in (1, 2):
            write(tmp_path, number, "whole")
        repository = ModelRepository(tmp_path)
        answers = iter([False, True])
        repository.load(should_stop=lambda: next(answers))
        states = {number: found.state for number, found in repository.versions("toy").items()}
        assert states == {1: "START", 2: "AVAILABLE"}

    def test_a_loaded_model_whose_directory_blinks_goes_on_being_served(self, tmp_path, caplog):
        write(tmp_path, 1, "whole")
        write(tmp_path, 1, "whole", "other")
        repository = ModelRepository(tmp_path)
        repository.load()
        version = repository.find("toy")
        (tmp_path / "toy").rename(tmp_path / ".toy")
        pass_by(repository, 3)
        assert repository.find("toy") is version and version.loaded
        assert caplog.text.count("model='toy' has no version in its directory now") == 1
        (tmp_path / ".toy").rename(tmp_path / "toy")
        pass_by(repository)
        assert repository.find("toy") is version

    def test_a_base_path_that_is_gone_takes_nothing_with_it(self, tmp_path):
        write(tmp_path / "models", 1, "whole")
        repository = ModelRepository(tmp_path / "models")
        repository.load()
        (tmp_path / "models").rename(tmp_path / "elsewhere")
        with pytest.raises(OSError):
            repository.refresh()
        assert repository.find("toy").loaded

    def test_a_version_written_anew_is_served_as_it_was_until_the_new_one_is_loaded(self, tmp_path):
        write(tmp_path, 1, "old")
        repository = ModelRepository(tmp_path)
        repository.load()
        for text, served in (("half", "old"), ("new", "new")):
            write(tmp_path, 1, text)
            pass_by(repository)
            assert repository.find("toy").loaded.text == served

    @pytest.mark.parametrize("seed", range(20))
    def test_whatever_happens_to_the_files_what_was_served_is_and_what_is_sound_will_be(
        self, tmp_path, seed
    ):
        rng = random.Random(seed)
        write(tmp_path, 1, "first")
        repository = ModelRepository(tmp_path)
        repository.load()
        for step in range(40):
            number, versions = rng.randint(1, 4), tmp_path / "toy"
            what = rng.choice(["whole", "half", "gone", "all gone", "nothing"])
            if what == "all gone":
                shutil.rmtree(versions, ignore_errors=True)
            elif what == "gone":
                shutil.rmtree(versions / str(number), ignore_errors=True)
            elif what != "nothing":
                write(tmp_path, number, f"{what} {step}" if what == "whole" else what)
            pass_by(repository)
            assert repository.find("toy").loaded
            on_disk = {int(path.parent.name): path.read_text() for path in versions.glob("*/*.pb")}
            found = repository.versions("toy")
            for number, text in on_disk.items():
                if text != "half":
                    assert found[number].loaded.text == text
            # Nothing is served that is neither there nor the only one.
            sound = {number for number, text in on_disk.items() if text != "half"}
            pass_by(repository)
            if sound:
                assert set(repository.versions("toy")) == set(on_disk)


@pytest.mark.parametrize("made", [False, True])
def test_a_base_path_without_models_is_bad_input(tmp_path, made):
    place = tmp_path / "models"
    if made:
        (place / "empty").mkdir(parents=True)
    with pytest.raises(InputError, match=r"expected .*; received"):
        ModelRepository(place)
