"""A whole run from Python: what it writes, and that it goes on where it was interrupted."""

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.models.presets import load_preset, preset_metadata
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


def test_what_cannot_be_used_is_said_before_anything_is_written(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="steps_per_epoch of 1 or more; received 0"):
        run(out, steps_per_epoch=0)
    with pytest.raises(InputError, match="expected a recipe for coin; received"):
        run(out, recipe=Recipe(teacher=(1.0, 1.0)))
    with pytest.raises(InputError, match="expected a preset"):
        run(out, from_preset=tmp_path / "nowhere")
    assert not out.exists()
