"""A whole run from Python: what it writes, and that it goes on where it was interrupted."""

import shutil

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.models.presets import load_preset, preset_metadata, save_preset
from aline_tf.training.recipe import Recipe
from aline_tf.training.run import train
from tests.training.small_tasks import COIN, SIZES

pytestmark = pytest.mark.usefixtures("module_without_graphs")

RECIPE = Recipe(warmup_batch=4, warmup_steps=2, joint_steps=0, pool=4, candidates_per_step=3)


def run(directory, **settings):
    settings = {"recipe": RECIPE, "sizes": SIZES, "verbose": 0, "steps_per_epoch": 1} | settings
    return train(COIN, directory, **settings)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, module_without_graphs):
    """(model, directory) of a run."""
    directory = tmp_path_factory.mktemp("run") / "out"
    return run(directory), directory


def test_the_preset_is_the_trained_model(trained):
    model, directory = trained
    assert sorted(path.name for path in directory.iterdir()) == ["preset", "training_log.csv"]
    for a, b in zip(load_preset(directory).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    metadata = preset_metadata(directory)
    assert Recipe.from_dict(metadata["recipe"]) == RECIPE
    assert {"task", "parameters", "seed", "steps", "machine", "tensorflow"} <= set(metadata)


def test_it_can_begin_with_a_preset(trained, tmp_path):
    _, directory = trained
    before = load_preset(directory).get_weights()
    after = run(tmp_path / "more", from_preset=directory).get_weights()
    moved = [np.abs(a - b).max() for a, b in zip(after, before, strict=True)]
    assert 0.0 < max(moved) < 0.1


def test_a_finished_run_is_replaced_by_who_says_so_alone(trained, tmp_path):
    first, directory = trained
    held = {path.name: path.read_bytes() for path in (directory / "preset").iterdir()}
    with pytest.raises(InputError, match=r"without a finished run, or --restart.*coin, seed 1, st"):
        run(directory, seed=2)
    assert {path.name: path.read_bytes() for path in (directory / "preset").iterdir()} == held
    shutil.copytree(directory, tmp_path / "out")
    second = run(tmp_path / "out", seed=2, restart=True)
    kept = load_preset(tmp_path / "out").get_weights()
    for a, b in zip(kept, second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(kept, first.get_weights(), strict=True))


def test_a_preset_of_somebody_else_is_no_finished_run(trained, tmp_path):
    """Nor is that of a run that was killed before its first checkpoint."""
    model, _ = trained
    save_preset(model, tmp_path / "out" / "preset")
    run(tmp_path / "out", seed=2)
    assert preset_metadata(tmp_path / "out")["seed"] == 2


def test_what_cannot_be_used_is_said_before_anything_is_written(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="steps_per_epoch of 1 or more; received 0"):
        run(out, steps_per_epoch=0)
    with pytest.raises(InputError, match="expected a recipe for coin; received"):
        run(out, recipe=Recipe(teacher=(1.0, 1.0)))
    with pytest.raises(InputError, match="expected a preset"):
        run(out, from_preset=tmp_path / "nowhere")
    assert not out.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": True}, "seed as a whole number. Received: seed=True"),
        ({"seed": "3"}, "seed as a whole number. Received: seed='3'"),
        ({"seed": 1.5}, "Received: seed=1.5"),
        ({"seed": None}, "Received: seed=None"),
        ({"steps_per_epoch": None}, "steps_per_epoch of 1 or more; received None"),
        ({"steps_per_epoch": float("nan")}, "steps_per_epoch of 1 or more; received nan"),
        ({"validation_episodes": -3}, "validation_episodes of 1 or more; received -3"),
        ({"restart": "no"}, "restart as True or False; received 'no'"),
        ({"recipe": {"pool": 3}}, "recipe as a Recipe; received {'pool': 3}"),
        ({"sizes": {"width_": 3}}, "sizes of a model; received {'width_': 3}"),
        ({"sizes": [1]}, r"sizes of a model; received \[1\]"),
        ({"verbose": "x"}, "Received: verbose='x'"),
    ],
    ids=str,
)
def test_a_setting_that_means_nothing_is_one_sentence_before_anything_is_written(
    tmp_path, settings, message
):
    with pytest.raises(InputError, match=f"(?i)^expected [^\n]*{message}[^\n]*$"):
        run(tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("directory", ["", None, 3])
def test_what_is_no_directory_is_not_the_present_one(directory):
    with pytest.raises(InputError, match=f"directory to write to; received {directory!r}"):
        run(directory)


@pytest.mark.parametrize("name", ["", "preset", "backup", "training_log.csv"])
def test_something_else_in_the_place_of_what_is_written_is_said_before_the_first_step(
    tmp_path, name
):
    place = tmp_path / "out" / name
    place.parent.mkdir(exist_ok=True, parents=True)
    place.mkdir() if name.endswith("csv") else place.touch()
    with pytest.raises(InputError, match=f"^expected .*; received .*{name}, a "):
        run(tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*") if path.name != "out"] == [name][: bool(name)]


@pytest.mark.parametrize("seed", [-1, 2**32, 2**80, np.int64(3)])
def test_a_seed_may_be_any_whole_number(tmp_path, seed):
    run(tmp_path / "out", seed=seed)
    assert preset_metadata(tmp_path / "out")["seed"] == seed


def test_a_last_preset_that_cannot_be_written_loses_nothing(tmp_path, trained, monkeypatch):
    """The checkpoints are taken away when it stands; the same call goes on from them."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(
            "aline_tf.training.callbacks.save_preset",
            lambda *_: (_ for _ in ()).throw(InputError("expected room; received: full")),
        )
        with pytest.raises(InputError, match="received: full"):
            run(out)
    assert (out / "backup" / "latest.weights.h5").is_file()
    model, _ = trained
    for a, b in zip(run(out).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert preset_metadata(out)["steps"] == RECIPE.steps
    assert not (out / "backup").exists()
