"""`aline-tf bench` from the command line: its tables, its file, its refusals."""

import json

import pytest

from aline_tf.bench import isolation
from aline_tf.cli import main


@pytest.fixture
def figures(monkeypatch):
    def measure(measurement, threads, **arguments):
        if measurement == "plan":
            return {"start": 1.0, "warmup": 0.1, "joint": 0.1, "peak_bytes": 1}
        if measurement == "budget":
            row = {"target": "predictions", "step": 30, "metric": "rmse", "ci95": 0.1, "n": 9}
            row["mean"] = 0.3 + 0.1 * arguments["seed"]
            return {"cpu_seconds": 19.0, "steps": 100, "rows": [row], "peak_bytes": 1}
        figures = {"first": 3.0, "wall": 0.01, "cpu": 5.0, "calls": 7, "peak_bytes": 10**9}
        return figures | {"episodes": 200, "states": 4}

    monkeypatch.setattr(isolation, "measure", measure)


def test_speed_prints_its_table_and_writes_its_rows(figures, tmp_path, capsys):
    file = tmp_path / "made" / "speed.json"
    command = ["bench", "--task", "ces", "--measure", "run", "--threads", "1", "2"]
    assert main([*command, "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert found["kind"] == "speed" and "cores" in found["machine"]
    assert [row["threads"] for row in found["rows"]] == [1, 2]
    assert found["rows"][0]["wall"] == 0.01 and found["rows"][0]["paper"] == 0.04
    printed = capsys.readouterr().out
    assert found["machine"] in printed and "40.00 ms" in printed


def test_a_budget_prints_seeds_and_their_mean(figures, tmp_path, capsys):
    file = tmp_path / "budget.json"
    command = ["bench", "--budget", "20", "--task", "gp1d", "--seeds", "0", "2"]
    assert main([*command, "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert found["kind"] == "budget"
    assert [(row["seed"], row["mean"]) for row in found["rows"]] == [(0, 0.3), (2, 0.5)]
    assert "0.400" in capsys.readouterr().out


def test_the_ablation_has_a_line_for_each_rule(figures, capsys):
    command = ["bench", "--ablation", "location_finding", "--budget", "20", "--seeds", "0"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for rule in ("paper's rule", "+ reward-to-go", "+ group baseline", "+ counterfactual"):
        assert rule in printed
    assert "+ teacher (known likelihood)" in printed


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--task", "juggling"], "'juggling'"),
        (["--task", "migraine"], "'migraine'"),
        (["--measure", "beauty"], "'beauty'"),
        (["--threads", "0"], "--threads of 1 or more"),
        (["--ablation", "ces"], "--budget with --ablation"),
        (["--seeds", "1"], "--budget with --seeds"),
        (["--budget", "0"], "above 0"),
        (["--budget", "nan"], "above 0"),
        (["--budget", "inf"], "above 0"),
        (["--budget", "9", "--seeds", "-1"], "--seeds of 0 or more"),
        (["--budget", "9", "--runs", "0"], "--runs of 1 or more"),
        (["--budget", "9", "--threads", "2"], "--threads"),
        (["--budget", "9", "--ablation", "juggling"], "'juggling'"),
        (["--budget", "9", "--ablation", "ces", "--task", "ces"], "without --task"),
        (["--json", "."], "the directory ."),
    ],
)
def test_bad_input_is_refused_before_any_work(capsys, monkeypatch, arguments, complaint):
    def no_work(*_, **__):
        raise AssertionError("work was started")

    monkeypatch.setattr(isolation, "measure", no_work)
    assert main(["bench", *arguments]) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_a_task_of_ones_own_that_is_not_there_is_refused(capsys):
    assert main(["bench", "--task", "no_such_module:Task", "--measure", "forward"]) == 2
    assert "expected a task at no_such_module:Task" in capsys.readouterr().err
