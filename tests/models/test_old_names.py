"""Presets, code and configurations of version 0.1 still load, and answer as they did.

The presets in `presets_of_0_1` and their outputs were written by that version.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.task.simulated import SPEC as MIGRAINE
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import load_preset
from tests.models.batches import EVERY_KIND, SURFACE, random_batch

OLD = Path(__file__).parent / "presets_of_0_1"
OLD_SIZES = {"width": 8, "depth": 1, "heads": 2, "hidden": 16}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "spec"), [("positions", SURFACE), ("processes", SURFACE), ("days", MIGRAINE)]
)
def test_a_preset_answers_as_it_did(name, spec):
    outputs = load_preset(OLD / name)(random_batch(1, spec, B=2))
    with np.load(OLD / name / "outputs.npz") as expected:
        assert set(expected) == set(outputs)
        for key, value in outputs.items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-5, err_msg=key)


def test_old_weights_of_another_model_are_refused(tmp_path):
    for file in ("config.json", "model.weights.h5"):
        source = OLD / ("positions" if file == "config.json" else "processes") / file
        (tmp_path / file).write_bytes(source.read_bytes())
    with pytest.raises(InputError, match="expected weights that fit"):
        load_preset(tmp_path)


def test_old_arguments_are_taken_with_a_warning():
    with pytest.warns(DeprecationWarning, match="num_layers for depth"):
        old = ALINE(EVERY_KIND, **OLD_SIZES)
    new = ALINE(EVERY_KIND, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16)
    assert old.get_config() | {"name": ""} == new.get_config() | {"name": ""}


def test_an_argument_under_both_names_is_refused():
    with pytest.raises(TypeError, match=r"hidden_dim once.*width beside it"):
        ALINE(EVERY_KIND, width=8, hidden_dim=8)


@pytest.mark.filterwarnings("error")
def test_an_old_configuration_is_read_without_a_word():
    model = ALINE.from_config({"spec": EVERY_KIND.to_dict()} | OLD_SIZES)
    assert (model.hidden_dim, model.num_layers, model.num_heads) == (8, 1, 2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert again.get_config() == model.get_config()
