"""`aline-tf migraine evaluate`: a table, every row in a file, and bad input refused at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.migraine.commands import evaluate
from aline_tf.migraine.evaluation import baselines, burden, scores
from aline_tf.migraine.evaluation import study as evaluation
from aline_tf.migraine.evaluation.particle_filter import OracleFilters


@pytest.fixture
def small(monkeypatch):
    """Few people, few resamples: every figure there, in seconds."""
    monkeypatch.setattr(evaluation, "FITTING_PEOPLE", 60)
    monkeypatch.setattr(evaluation, "FITTING_EVENINGS", 240)
    monkeypatch.setattr(scores, "RESAMPLES", 12)


def test_the_command_prints_a_table_and_writes_every_row(small, preset, tmp_path, capsys):
    target = tmp_path / "rows.json"
    code = cli.main(
        f"migraine evaluate --model {preset} --runs 30 --days 16 --history 12 --seed 1"
        f" --particles 6 --shifted --json {target} --plots {tmp_path / 'plots'}".split()
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert "of the shifted world" in printed and "told filter" in printed
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"burden.png", "burden.svg"}
    assert "within_auc" in printed and "Houle 2017" in printed and "evening diary" in printed
    assert "diary: attacks only" in printed

    written = json.loads(target.read_text())
    assert (written["task"], written["seed"]) == ("migraine", 1)
    assert set(written["rows"][0]) == {"policy", "target", "step", "metric", "mean", "ci95", "n"}
    found = {(row["policy"], row["target"], row["metric"]) for row in written["rows"]}
    metrics = {"within_auc", "within_auc_onset", "auc", "auc_onset", "brier", "brier_skill", "ece"}
    metrics |= {"calibration_slope", "calibration_intercept", "log_prob"}
    for policy in ("aline", *baselines.Baselines.NAMES, *OracleFilters.NAMES):
        for horizon in ("attack_24h", "attack_48h"):
            assert {m for p, t, m in found if (p, t) == (policy, horizon)} == metrics
    of_alpha = {m for p, t, m in found if (p, t) == ("aline, day 16", "alpha")}
    of_trigger = {m for p, t, m in found if (p, t) == ("aline, day 16", "beta_stress")}
    assert of_alpha == {"rmse", "coverage_90", "log_prob"}
    assert of_trigger == {"auc", "brier", "log_prob"}
    assert ("aline", "attack_24h | sex: female", "brier_skill") in found
    steps = {row["step"] for row in written["rows"] if row["metric"] == "log_prob_gain"}
    assert steps == set(range(burden.STEPS + 1))


def test_burden_has_records_of_its_own(small, preset, capsys):
    options = "--runs 4 --days 12 --history 12 --particles 0 --records full"
    assert cli.main(f"migraine evaluate --model {preset} {options}".split()) == 0
    printed = capsys.readouterr().out
    assert "Forecasts" in printed and "Parameters" in printed and "Burden" not in printed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--runs", "1"], "--runs from 2"),
        (["--history", "2"], "--history of 3 days or more"),
        (["--days", "113"], "to 112"),
        (["--days", "20", "--history", "21"], "from --history (21)"),
        (["--seed", "-1"], "--seed from 0"),
        (["--records", "all"], "--records mixed or full"),
        (["--records", "full", "--plots", "plots"], "--records mixed with --plots"),
        (["--particles", "-1"], "--particles of 0 or more"),
        (["--plots", __file__], "a directory after --plots"),
        (["--json", "."], "received the directory"),
        (["--json", __file__ + "/rows.json"], "a place to write"),
        (["--model", "/nowhere"], "expected a preset"),
        (["--study", "all"], "expected --study of forecast, unlikeness, plan, fine-tune"),
        (["--study", "fine-tune", "--recorded", "0"], "--recorded of 1 or more; received 0"),
        (["--study", "fine-tune", "--reference-steps", "0"], "--reference-steps of 1 or more"),
    ],
)
def test_bad_input_is_one_line_and_no_work(options, expected, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: pytest.fail("it went to work"))
    assert cli.main(["migraine", "evaluate", *options]) == 2
    said = capsys.readouterr().err.strip()
    assert expected in said and "\n" not in said


@pytest.mark.parametrize("study", evaluate.STUDIES)
def test_an_option_that_a_study_does_not_take_is_refused(study, capsys):
    """All of them, so that none is read past in silence."""
    given = {"records": "full", "shifted": None, "plots": "p", "json": "j", "model": "m"}
    for name in evaluate.DEFAULTS.keys() - set(evaluate.STUDIES[study]):
        option, value = f"--{name.replace('_', '-')}", given.get(name, 30)
        words = [option] if value is None else [option, str(value)]
        assert cli.main(["migraine", "evaluate", "--study", study, *words]) == 2
        said = capsys.readouterr().err.strip()
        assert f"expected {option} with --study" in said and said.endswith(f"--study {study}")


def test_fine_tuning_is_studied_as_asked_for(preset, capsys, monkeypatch):
    from aline_tf.migraine.evaluation.studies import fine_tuning

    def study(read, people, seed, recorded, reference_steps, report):
        assert (people, seed, recorded, reference_steps) == (9, 4, 3, 2)
        scores = [np.full([people, 2, 2], score) for score in (-0.5, -0.49, -0.48)]
        return fine_tuning.FineTuned(dict(zip(fine_tuning.MODELS, scores, strict=True)), 77, 12.0)

    monkeypatch.setattr(fine_tuning, "fine_tuning_study", study)
    options = "--study fine-tune --runs 9 --seed 4 --recorded 3 --reference-steps 2"
    assert cli.main(f"migraine evaluate --model {preset} {options}".split()) == 0
    printed = capsys.readouterr().out
    assert "77 evenings" in printed and "12 s" in printed and "50% (50 to 50%)" in printed
