"""`aline-tf eval hpo` from the command line: table, file, figures, refusals."""

import json

import pytest

from aline_tf.cli import main


def rows_of(file):
    found = json.loads(file.read_text())
    return {(r["policy"], r["target"], r["step"], r["metric"]): r for r in found["rows"]}


def test_a_run_prints_a_table_and_writes_every_step(tmp_path, capsys, preset):
    file, plots = tmp_path / "rows.json", tmp_path / "plots"
    command = ["eval", "hpo", "--policy", "learned", "random,ace-us", "--model", preset("hpo")]
    command += ["--runs", "3", "--candidates", "30", "--json", str(file), "--plots", str(plots)]
    assert main(command) == 0
    rows = rows_of(file)
    for policy in ("learned", "random", "ace-us"):
        for metric in ("rmse", "log_prob", "coverage_90"):
            for step in range(31):
                assert rows[policy, "all", step, metric]["n"] == 3
        assert ("wine-growers" in {key[1] for key in rows}) and len(rows) == 3 * 3 * (31 + 3)
    # The three meet the same runs: before the first choice nothing differs between them.
    for metric in ("rmse", "log_prob", "coverage_90"):
        start = {rows[policy, "all", 0, metric]["mean"] for policy in ("learned", "random")}
        assert len(start) == 1
    table = capsys.readouterr().out
    assert "step 30" in table and "3 held-out data sets" in table and "step 29" not in table
    assert (plots / "curves.png").stat().st_size > 5000


def test_a_gaussian_process_needs_no_model(tmp_path, monkeypatch):
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", str(tmp_path))
    file = tmp_path / "rows.json"
    command = ["eval", "hpo:elastic_net", "--policy", "gp-rs", "--runs", "1"]
    assert main([*command, "--candidates", "30", "--json", str(file)]) == 0
    assert {key[0] for key in rows_of(file)} == {"gp-rs"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["hpo:forest"], "'forest'"),
        (["hpo:/nowhere/5971"], "meta-train-dataset.json"),
        (["hpo", "--policy", "psychic"], "'psychic'"),
        (["hpo", "--policy", "gp-rs", "--candidates", "29"], "--candidates 29"),
        (["hpo", "--policy", "gp-rs", "--runs", "0"], "--runs 0"),
        (["hpo", "--policy", "gp-rs", "--target", "x"], "no --target"),
        (["hpo", "--policy", "gp-rs", "--contrastive", "9"], "no --contrastive"),
        (["hpo", "--policy", "gp-rs", "--joint"], "no --joint"),
        (["hpo", "--policy", "gp-rs", "--function", "branin"], "no --function"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, arguments, complaint):
    file = tmp_path / "rows.json"
    assert main(["eval", *arguments, "--json", str(file)]) == 2
    message = capsys.readouterr().err
    assert complaint in message and message.count("\n") == 1
    assert not file.exists()


def test_a_preset_of_another_search_space_is_refused(tmp_path, capsys, preset):
    command = ["eval", "hpo", "--policy", "learned", "--model", preset("hpo:boosting")]
    assert main([*command, "--json", str(tmp_path / "rows.json")]) == 2
    assert "expected a preset of task 'hpo'" in capsys.readouterr().err
