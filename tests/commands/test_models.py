"""`aline-tf models` lists what comes with the package, at once."""

import json
import subprocess
import sys

from aline_tf.cli import main
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
