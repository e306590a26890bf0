"""`aline-tf models` lists what comes with the package, at once."""

import json
import subprocess
import sys

from aline_tf.cli import main
from aline_tf.evaluation.promises.figure import PromiseFigure, write_json
from aline_tf.models import packaged_presets as packaged
from aline_tf.models.packaged_presets import packaged_presets, preset_spec


def test_every_packaged_model_is_listed_with_its_parameters(capsys):
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    for name in packaged_presets():
        assert f"\n{name}\n  task:" in f"\n{printed}"
    flat = " ".join(printed.split())
    assert "4: threshold, slope, guess, lapse" in flat
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_the_table_as_json(capsys):
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(packaged_presets())
    for row in rows:
        assert list(row) == ["name", "task", "parameters", "measured"]
        assert row["task"] == preset_spec(row["name"]).name


def test_it_loads_no_tensorflow():
    script = (
        "import sys; from aline_tf.cli import main; main(['models']);"
        " sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert done.returncode == 0


def test_stored_promises_are_printed_and_say_which_weights_they_are_of(
    tmp_path, capsys, monkeypatch
):
    preset = tmp_path / "pond"
    preset.mkdir()
    (preset / "model.weights.h5").write_bytes(b"weights")
    rows = [PromiseFigure("known", "depth: share of the exact shift", "model", 0.5, 0.8)]
    monkeypatch.setattr(packaged, "packaged_presets", lambda: {"pond": preset, "lake": tmp_path})
    assert main(["models", "--promises"]) == 0
    assert capsys.readouterr().out == "no model of the package has a table of promises\n"
    write_json(preset / "promises.json", {"weights": packaged.weights_digest(preset)}, rows)
    assert main(["models", "--promises"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("pond: 0 of 1 figures hold\n")
    assert "depth: share of the exact shift" in printed
    (preset / "model.weights.h5").write_bytes(b"others")
    assert main(["models", "--promises"]) == 0
    assert "measured with other weights than these" in capsys.readouterr().out
    assert main(["models", "--promises", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)["pond"]
    assert table["of_these_weights"] is False
    assert table["promises"][0]["figure"] == 0.5
