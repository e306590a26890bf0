"""`aline-tf eval gp1d` and `gp2d` from the command line: table, file, refusals."""

import json

import pytest

from aline_tf.cli import main
from aline_tf.experiments.functions import function_runs
from aline_tf.experiments.functions.experiment import chosen_functions


def rows_of(file):
    found = json.loads(file.read_text())
    return {(r["policy"], r["target"], r["step"], r["metric"]): r for r in found["rows"]}


def test_a_run_prints_a_table_and_writes_every_step(tmp_path, capsys, preset):
    file = tmp_path / "rows.json"
    command = ["eval", "gp1d", "--policy", "learned", "random,ace-us", "--model", preset("gp1d")]
    sizes = ["--runs", "2", "--candidates", "40", "--function", "prior", "higdon"]
    assert main([*command, *sizes, "--json", str(file)]) == 0
    rows = rows_of(file)
    for policy in ("learned", "random", "ace-us"):
        for target in ("prior", "higdon"):
            for metric in ("rmse", "log_prob", "coverage_90"):
                for step in range(31):
                    assert rows[policy, target, step, metric]["n"] == 2
    assert ("learned/exact", "prior", 30, "rmse") in rows
    assert ("learned/unscaled", "higdon", 30, "rmse") in rows
    assert ("learned/exact", "higdon", 30, "rmse") not in rows
    # Exact inference on the same designs is never far worse than an untrained network.
    exact = rows["random/exact", "prior", 30, "rmse"]["mean"]
    assert exact < rows["random", "prior", 30, "rmse"]["mean"]
    table = capsys.readouterr().out
    assert "step 30" in table and "step 29" not in table


def test_hyperparameters_can_be_selected_and_curves_drawn(tmp_path, preset, capsys):
    file, plots = tmp_path / "rows.json", tmp_path / "plots"
    command = ["eval", "gp1d", "--policy", "learned", "--model", preset("gp1d"), "--runs", "2"]
    command += ["--candidates", "30", "--target", "lengthscale_1,variance", "variance"]
    assert main([*command, "--plots", str(plots), "--json", str(file)]) == 0
    rows = rows_of(file)
    assert {key[1] for key in rows} == {"variance,lengthscale_1", "variance"}
    assert max(key[2] for key in rows) == 30
    # Untrained and uniform: the variance is at most .9 / 2 off its prior mean.
    assert rows["learned", "variance", 30, "rmse"]["mean"] < 0.6
    assert (plots / "curves.png").stat().st_size > 5000
    assert "drawn:" in capsys.readouterr().out


def test_baselines_need_no_model(tmp_path, monkeypatch):
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", str(tmp_path))
    monkeypatch.setattr("aline_tf.models.packaged_presets.packaged_presets", dict)
    file = tmp_path / "rows.json"
    command = ["eval", "gp2d", "--policy", "random", "gp-us", "--runs", "1", "--candidates", "50"]
    assert main([*command, "--json", str(file)]) == 0
    rows = rows_of(file)
    assert {key[0] for key in rows} == {"random/exact", "gp-us", "gp-us/exact"}
    assert max(key[2] for key in rows) == 50


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gp1d", "--policy", "psi-marginal"], "'psi-marginal'"),
        (["gp1d", "--function", "branin"], "'branin'"),
        (["gp2d", "--function", "higdon"], "'higdon'"),
        (["gp1d", "--function", ","], "received none"),
        (["gp1d", "--runs", "0"], "--runs 0"),
        (["gp1d", "--candidates", "29"], "--candidates 29"),
        (["gp2d", "--candidates", "49"], "--candidates 49"),
        (["gp1d", "--target", "height"], "received 'height'"),
        (["gp1d", "--target", ","], "expected targets"),
        (["gp1d", "--target", "variance", "--policy", "gp-epig"], "'gp-epig'"),
        (["gp1d", "--target", "variance", "--function", "higdon"], "received higdon"),
        (["gp1d", "--pool", "grid"], "no --pool"),
        (["gp1d", "--contrastive", "5"], "no --contrastive"),
        (["gp1d", "--switch", "5"], "no --switch"),
        (["gp1d", "--model", "/no/such/place"], "/no/such/place"),
        (["psychometric", "--function", "higdon"], "no --function"),
        (["ces", "--function", "prior"], "no --function"),
    ],
)
def test_bad_input_is_refused_before_any_work(tmp_path, capsys, monkeypatch, arguments, complaint):
    def no_work(*_, **__):
        raise AssertionError("work was started")

    monkeypatch.setattr(function_runs, "prior_runs", no_work)
    monkeypatch.setattr(function_runs, "benchmark_runs", no_work)
    file = tmp_path / "rows.json"
    assert main(["eval", *arguments, "--json", str(file)]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not file.exists()


def test_a_preset_of_another_task_is_refused(preset, capsys):
    assert main(["eval", "gp1d", "--runs", "1", "--model", preset("gp2d")]) == 2
    assert "'gp2d'" in capsys.readouterr().err


def test_all_functions_are_the_prior_and_those_of_the_dimension():
    assert chosen_functions(["all"], 1) == ["prior", "higdon", "gramacy_1d"]
    assert "ackley" in chosen_functions(["all"], 2)
    assert chosen_functions(None, 2) == ["prior"]
    assert chosen_functions(["branin,ackley", "branin"], 2) == ["branin", "ackley"]
