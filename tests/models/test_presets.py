"""Presets: written whole, read back equal, refused with a sentence when they cannot be used."""

import json

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import load_preset, preset_metadata, save_preset
from tests.models.batches import EVERY_KIND, SIZES, SURFACE, random_batch


@pytest.fixture
def preset(network, tmp_path):
    save_preset(network, tmp_path / "preset", {"steps": 12})
    return tmp_path / "preset"


def test_round_trip_keeps_configuration_weights_and_answers(network, preset):
    loaded = load_preset(preset)
    assert loaded.spec == network.spec
    for a, b in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    batch = random_batch(1)
    for a, b in zip(tf.nest.flatten(network(batch)), tf.nest.flatten(loaded(batch)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert preset_metadata(preset) == {"steps": 12}


def test_every_argument_of_the_model_is_kept(tmp_path):
    made = ALINE(SURFACE, **SIZES, relative_position_dim=2, num_processes=3)
    made.build()
    save_preset(made, tmp_path / "preset")
    loaded, batch = load_preset(tmp_path / "preset"), random_batch(1, SURFACE)
    assert loaded.get_config() | {"name": ""} == made.get_config() | {"name": ""}
    for a, b in zip(tf.nest.flatten(made(batch)), tf.nest.flatten(loaded(batch)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_version_that_holds_a_preset_will_do(network, preset):
    assert load_preset(preset.parent, task="every_kind").spec == network.spec
    assert preset_metadata(preset.parent) == {"steps": 12}


def test_saving_again_replaces_the_older_preset(network, preset):
    save_preset(network, preset, {"steps": 13})
    assert preset_metadata(preset) == {"steps": 13}
    assert sorted(path.name for path in preset.parent.iterdir()) == ["preset"]
    assert sorted(path.name for path in preset.iterdir()) == [
        "config.json",
        "metadata.json",
        "model.weights.h5",
    ]


def test_metadata_that_json_cannot_hold_leaves_the_older_preset(network, preset):
    with pytest.raises(TypeError):
        save_preset(network, preset, {"steps": object()})
    assert preset_metadata(preset) == {"steps": 12}


def test_missing_preset(tmp_path):
    with pytest.raises(InputError, match=r"expected a preset .* without config\.json, model"):
        load_preset(tmp_path)


def test_missing_weights(preset):
    (preset / "model.weights.h5").unlink()
    with pytest.raises(InputError, match=r"without model\.weights\.h5"):
        load_preset(preset)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"config": 3}',
        '{"config": {"spec": {"name": "x"}}}',
        '{"config": {"spec": null}}',
        '{"config": {"unheard_of": 1}}',
    ],
)
def test_damaged_configuration(preset, text):
    (preset / "config.json").write_text(text)
    with pytest.raises(InputError, match="expected the configuration of an ALINE model"):
        load_preset(preset)


def test_unknown_kind_in_the_configuration(preset):
    stored = json.loads((preset / "config.json").read_text())
    stored["config"]["spec"]["parameters"][0]["kind"] = "fuzzy"
    (preset / "config.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match="fuzzy"):
        load_preset(preset)


def test_preset_of_another_task(preset):
    with pytest.raises(InputError, match="task 'psychometric'; received one of 'every_kind'"):
        load_preset(preset, task="psychometric")


def test_weights_that_do_not_fit(preset, tmp_path):
    other = ALINE(EVERY_KIND, **(SIZES | {"intermediate_dim": 24}))
    other.build()
    save_preset(other, tmp_path / "other")
    (preset / "model.weights.h5").write_bytes((tmp_path / "other/model.weights.h5").read_bytes())
    with pytest.raises(InputError, match="expected weights that fit"):
        load_preset(preset)


def test_weights_left_over_are_refused(tmp_path):
    """A setting lost from the configuration would leave weights without a place."""
    made = ALINE(SURFACE, **SIZES, relative_position_dim=2)
    made.build()
    save_preset(made, tmp_path / "preset")
    path = tmp_path / "preset" / "config.json"
    path.write_text(
        path.read_text().replace('"relative_position_dim": 2', '"relative_position_dim": 0')
    )
    with pytest.raises(InputError, match="arrays where the network has"):
        load_preset(tmp_path / "preset")


@pytest.mark.parametrize("keep", [0, 100, -2000])
def test_truncated_weights(preset, keep):
    path = preset / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="expected weights that fit"):
        load_preset(preset)
