"""`aline-tf migraine train` from a folder of timelines to a preset and its scores."""

import json

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.migraine.commands import train
from aline_tf.migraine.commands.simulate import write_timelines
from aline_tf.migraine.simulation.simulator import simulate_people
from aline_tf.migraine.task import fine_tuning, load_model
from aline_tf.models.presets import save_preset


@pytest.fixture
def folder(tmp_path):
    world = {k: np.asarray(v) for k, v in simulate_people((4, 4), 3, 16).items()}
    write_timelines(world, tmp_path / "people")
    return tmp_path / "people"


def test_a_folder_of_timelines_becomes_a_preset_whose_head_was_trained(
    folder, model, tmp_path, monkeypatch, capsys, without_graphs
):
    for module in (train, fine_tuning):
        monkeypatch.setattr(module, "BATCH", 4)
    monkeypatch.setattr(train, "SCORED", 8)
    save_preset(model, tmp_path / "small", {})
    options = ["--from-model", str(tmp_path / "small"), "--out", str(tmp_path / "out")]
    options += ["--steps", "2", "--learning-rate", "0.01", "--held-out", str(folder)]
    assert cli.main(["migraine", "train", str(folder), *options]) == 0
    shown = capsys.readouterr().out
    assert "evenings to learn from, of 3 of the 3 people of" in shown
    assert "within 24 h: " in shown and " before, " in shown
    metadata = json.loads((tmp_path / "out" / "preset" / "metadata.json").read_text())
    assert metadata["people"] == 3 and metadata["weights"] == "outcome_head"
    trained = load_model(tmp_path / "out" / "preset")
    changed = {
        new.path.split("/")[1]
        for old, new in zip(model.weights, trained.weights, strict=True)
        if not np.array_equal(old, new)
    }
    assert changed == {"outcome_head"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threads", "-1"], "expected --threads of 1 or more; received -1"),
        (["--learning-rate", "0"], "--learning-rate between 0 and 1; received"),
        (["--learning-rate", "nan"], "--learning-rate between 0 and 1; received"),
        (["--out", "{file}"], "directory to write to; received {file}, a file"),
        (["--out", "{file}/below"], "directory to write to; received {file}, a file"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_used_is_one_line_before_records_are_read(
    tmp_path, capsys, options, message
):
    file = tmp_path / "file"
    file.touch()
    options = [option.format(file=file) for option in options]
    assert cli.main(["migraine", "train", str(tmp_path / "nowhere"), *options]) == 2
    error = capsys.readouterr().err
    assert message.format(file=file) in error and error.count("\n") == 1
