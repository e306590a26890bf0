"""Presets: written whole, read back equal, refused with a sentence when they cannot be used."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.packaged_presets import packaged_presets, savedmodels_dir
from aline_tf.models.presets import load_preset, preset_metadata, presets, save_preset
from aline_tf.units import UnitAdapter, trained_ranges
from tests.full_disk import full_disk
from tests.models.batches import EVERY_KIND, SIZES, SURFACE, random_batch

pytestmark = pytest.mark.usefixtures("module_without_graphs")


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
    assert preset_metadata(preset) == {"steps": 12, "ranges": trained_ranges(network.spec)}


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
    assert preset_metadata(preset.parent) == {"steps": 12, "ranges": trained_ranges(network.spec)}


def test_saving_again_replaces_the_older_preset(network, preset):
    save_preset(network, preset, {"steps": 13})
    assert preset_metadata(preset) == {"steps": 13, "ranges": trained_ranges(network.spec)}
    assert sorted(path.name for path in preset.parent.iterdir()) == ["preset"]
    assert sorted(path.name for path in preset.iterdir()) == [
        "config.json",
        "metadata.json",
        "model.weights.h5",
    ]


def test_metadata_that_json_cannot_hold_leaves_the_older_preset(network, preset):
    with pytest.raises(InputError, match="metadata that JSON can hold; received: object"):
        save_preset(network, preset, {"steps": object()})
    assert preset_metadata(preset) == {"steps": 12, "ranges": trained_ranges(network.spec)}


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
    with pytest.raises(InputError, match="arrays where the model has"):
        load_preset(tmp_path / "preset")


@pytest.mark.parametrize("keep", [0, 100, -2000])
def test_truncated_weights(preset, keep):
    path = preset / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="expected weights that fit"):
        load_preset(preset)


def test_saving_touches_nothing_that_it_did_not_write(network, tmp_path):
    """The directory may be somebody's home."""
    (tmp_path / "thesis.tex").write_text("three years")
    (tmp_path / "other" / "a").mkdir(parents=True)
    (tmp_path / "other" / "a" / "model.weights.h5").write_text("x")
    for _ in range(2):
        save_preset(network, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "three years"
    assert (tmp_path / "other" / "a" / "model.weights.h5").read_text() == "x"
    assert len(list(tmp_path.iterdir())) == 5
    assert load_preset(tmp_path).spec == network.spec


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_neither_written_nor_read(preset, tmp_path, fault):
    model = load_preset(preset)
    bias = model.policy_head.mlp.outer.bias
    bias.assign([fault])
    with pytest.raises(InputError, match=r"finite weights; received NaN or infinity in .*bias"):
        model.save_to_preset(preset)
    assert load_preset(preset).spec == model.spec
    model.save_weights(preset / "model.weights.h5")
    with pytest.raises(InputError, match="finite weights"):
        load_preset(preset)


def test_a_model_without_weights_and_a_file_in_the_way_are_told_so(network, tmp_path):
    with pytest.raises(InputError, match="received one that is not built"):
        save_preset(ALINE(EVERY_KIND, **SIZES), tmp_path / "preset")
    assert not (tmp_path / "preset").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"received .*file, a file"):
        save_preset(network, tmp_path / "file")


def test_numbers_of_numpy_are_metadata(network, tmp_path):
    figures = {"loss": np.float32(0.5), "steps": np.int64(3), "curve": np.arange(2)}
    save_preset(network, tmp_path, figures)
    kept = {"loss": 0.5, "steps": 3, "curve": [0, 1]}
    assert preset_metadata(tmp_path) == {**kept, "ranges": trained_ranges(network.spec)}


def test_a_write_that_fails_leaves_the_older_preset(network, preset, monkeypatch):
    before = {path.name: path.read_bytes() for path in preset.iterdir()}
    monkeypatch.setattr(ALINE, "save_weights", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(InputError, match=r"expected room .* write .*; received: full"):
        save_preset(network, preset, {"steps": 13})
    assert {path.name: path.read_bytes() for path in preset.iterdir()} == before


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_disk_that_is_full_leaves_the_older_preset(network, preset, share):
    before = {path.name: path.read_bytes() for path in preset.iterdir()}
    room = int(share * len(before["model.weights.h5"]))
    with full_disk(room), pytest.raises(InputError, match=r"expected room .*; received: File too"):
        save_preset(network, preset, {"steps": 13})
    assert {path.name: path.read_bytes() for path in preset.iterdir()} == before
    with full_disk(room), pytest.raises(InputError, match="expected room"):
        save_preset(network, preset / "new" / "one")
    assert not (preset / "new").exists()


def test_every_packaged_preset_loads_by_name_and_says_what_it_was_measured_at():
    table = presets()
    assert set(table["name"]) == set(packaged_presets()) >= {"psychometric", "migraine", "ces"}
    assert (table["measured"].str.len() > 20).all()
    model = ALINE.from_preset("psychometric", task="psychometric")
    assert model.spec.parameter_names[0] == "threshold"


@pytest.mark.parametrize("name", sorted(packaged_presets()))
def test_the_preset_beside_a_saved_model_is_that_of_the_package(name):
    for file in ("config.json", "metadata.json", "model.weights.h5"):
        beside = savedmodels_dir() / name / "1" / "preset" / file
        assert beside.read_bytes() == (packaged_presets()[name] / file).read_bytes(), file


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(InputError, match=r"psychometric.*received nothing_of_the_kind"):
        ALINE.from_preset("nothing_of_the_kind")
    for wrong in (None, 3, ""):
        with pytest.raises(InputError, match=r"psychometric; received"):
            ALINE.from_preset(wrong)


def test_a_fresh_process_restores_the_layers_of_a_task():
    code = "import aline_tf; print(aline_tf.ALINE.from_preset('migraine').history_features.name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "day_features"


def test_units_that_a_model_has_are_kept(network, tmp_path):
    model = ALINE.from_config(network.get_config())
    model.build()
    name = network.spec.design_names[0]
    model.units = UnitAdapter.from_bounds(network.spec, {name: (0.0, 100.0)})
    save_preset(model, tmp_path)
    assert load_preset(tmp_path).units == model.units
    again, config = load_preset(tmp_path).get_config(), model.get_config()
    assert again | {"name": ""} == config | {"name": ""}


def test_units_of_another_task_are_refused(network, tmp_path):
    save_preset(network, tmp_path)
    metadata = json.loads((tmp_path / "metadata.json").read_text())
    metadata["units"] = UnitAdapter((0.0,), (1.0,)).to_dict()
    (tmp_path / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=r"expected units of the \d designs .*; received 1"):
        load_preset(tmp_path)


@pytest.mark.parametrize(
    ("place", "metadata", "message"),
    [(None, None, "directory"), ("", None, "directory"), ("a", "x", "dict"), ("a", [1], "dict")],
)
def test_what_cannot_be_saved_is_one_sentence(network, tmp_path, place, metadata, message):
    with pytest.raises(InputError, match=f"expected .*{message}.*; received"):
        network.save_to_preset(place and tmp_path / place, metadata)
    assert not list(tmp_path.iterdir())
