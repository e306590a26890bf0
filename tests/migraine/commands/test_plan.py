"""`aline-tf migraine plan`, from files to a plan, and every way in which it says no."""

import json
from pathlib import Path

import pytest

from aline_tf import cli

DIARY = Path(__file__).resolve().parents[3] / "examples" / "diary.csv"


def plan(preset, *more):
    words = ["migraine", "plan", "--diary", str(DIARY), "--model", str(preset), "--twins", "8"]
    return cli.main([*words, *map(str, more)])


def test_a_plan_is_printed_and_written(preset, tmp_path, capsys):
    assert plan(preset, "--budget", 1.5, "--json", tmp_path / "plan.json") == 0
    printed = capsys.readouterr().out
    for part in ("Plan for the two weeks after", "When to be asked", "Each device", "18:00 to"):
        assert part in printed
    document = json.loads((tmp_path / "plan.json").read_text())
    assert document["twins"] == 8 and document["chosen"]["cost"] <= 1.5
    assert len(document["alone"]) == 35


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--budget", "0"], "expected --budget above 0"),
        (["--budget", "nan"], "expected --budget above 0"),
        (["--twins", "3"], "expected --twins from 8 to 2048"),
        (["--seed", "-1"], "expected --seed"),
        (["--now", "1999-01-01"], "expected --now within the records"),
    ],
)
def test_what_cannot_be_is_refused(preset, words, message, capsys):
    assert plan(preset, *words) == 2
    assert message in capsys.readouterr().err


def test_no_records_are_refused(capsys):
    assert cli.main(["migraine", "plan"]) == 2
    assert "received none of them" in capsys.readouterr().err
