"""The step of examples/portable_step: the Trainer's own, as a function of the weights alone."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import METRICS, Trainer
from tests.training.small_tasks import COIN

PLACE = Path(__file__).resolve().parents[2] / "examples" / "portable_step" / "step.py"


@pytest.fixture(scope="module")
def portable():
    spec = importlib.util.spec_from_file_location("portable_step", PLACE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("index", [0, 3])
def test_it_is_the_trainers_step_at_whatever_weights_it_is_given(portable, make_model, index):
    recipe = Recipe(
        batch=4,
        warmup_batch=4,
        warmup_steps=2,
        joint_steps=2,
        pool=4,
        candidates_per_step=3,
        steps_per_episode=2,
        group_size=2,
    )
    trainer, other = (Trainer(make_model(COIN, seed=seed), COIN) for seed in (1, 2))
    for each in (trainer, other):
        each.compile(recipe=recipe, seed=7)
    expected, metrics = trainer.step_gradients(tf.constant(index))
    weights = [tf.constant(variable) for variable in trainer.trainable_variables]
    before = [variable.numpy() for variable in other.trainable_variables]
    gradients, told = portable.pure_step(other)(weights, tf.constant(index))
    assert any(np.any(gradient.numpy() != 0.0) for gradient in gradients)
    for gradient, right in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, right, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(told, [metrics[name] for name in sorted(METRICS)], rtol=1e-4)
    for variable, kept in zip(other.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, kept)


def test_weights_that_came_back_become_a_preset(portable, make_model, tmp_path, monkeypatch):
    import json

    from aline_tf.models.presets import load_preset, save_preset

    model = make_model(COIN)
    about = {"config": model.get_config(), "task": "coin", "recipe": {}, "seed": 1, "steps": 5}
    (tmp_path / "about.json").write_text(json.dumps(about))
    weights = [variable.numpy() + 0.5 for variable in model.trainable_variables]
    np.savez(tmp_path / "last.npz", *weights)
    arguments = ["step.py", "preset", str(tmp_path), str(tmp_path / "preset")]
    monkeypatch.setattr("sys.argv", arguments)
    portable.main()
    loaded = load_preset(tmp_path / "preset")
    for variable, weight in zip(loaded.trainable_variables, weights, strict=True):
        np.testing.assert_array_equal(variable, weight)
    save_preset(model, tmp_path / "began")
    arguments[-1] = str(tmp_path / "halfway")
    arguments += ["--halfway-from", str(tmp_path / "began")]
    portable.main()
    halfway = load_preset(tmp_path / "halfway")
    for variable, weight in zip(halfway.trainable_variables, weights, strict=True):
        np.testing.assert_allclose(variable, weight - 0.25, atol=1e-6)
