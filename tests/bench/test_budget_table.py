"""Equal budgets: which jobs are asked for, and the table of what came back."""

import pytest

from aline_tf.bench import isolation
from aline_tf.bench.budget_table import BAR_SECONDS, bar_of, format_trained, train_all
from aline_tf.training.recipe import Recipe

RECIPE = Recipe(warmup_steps=30, joint_steps=10)
SCORES = {0: 6.5, 1: 7.5, 2: 7.6}


@pytest.fixture
def jobs(monkeypatch):
    asked = []

    def measure(measurement, threads, **arguments):
        assert threads == 1
        asked.append((measurement, arguments))
        if measurement == "plan":
            if arguments["recipe"]["policy_loss"]["counterfactual"]:
                return {"refused": "no likelihood", "peak_bytes": 1}
            return {"start": 1.0, "warmup": 0.1, "joint": 0.7, "peak_bytes": 1}
        row = {"target": "source1_x1,source1_x2", "step": 30, "metric": "spce", "ci95": 0.1, "n": 9}
        row["mean"] = SCORES[arguments["seed"]]
        return {"cpu_seconds": 430.0, "steps": 100, "rows": [row], "peak_bytes": 1}

    monkeypatch.setattr(isolation, "measure", measure)
    return asked


def trained(recipes, report=lambda line: None):
    return list(train_all("location_finding", recipes, {}, 440.0, (0, 1, 2), 9, report))


def test_every_seed_trains_the_recipe_that_fits(jobs):
    runs = trained({"ours": RECIPE})
    assert [run.seed for run in runs] == [0, 1, 2]
    settings = [
        arguments["recipe"]["phases"] for measurement, arguments in jobs if measurement == "budget"
    ]
    assert all(s["warmup_steps"] == 1277 and s["joint_steps"] == 425 for s in settings)
    assert jobs[-1][1]["candidates"] == 300 and jobs[-1][1]["seconds"] == 440.0


def test_a_recipe_that_cannot_train_the_task_is_reported_and_left_out(jobs):
    lines = []
    taught = Recipe(warmup_steps=30, joint_steps=10, counterfactual=1.0)
    runs = trained({"ours": RECIPE, "taught": taught}, lines.append)
    assert {run.rule for run in runs} == {"ours"}
    assert any("taught: left out. no likelihood" in line for line in lines)


def test_the_table_averages_seeds_and_holds_the_mean_against_the_bar(jobs):
    runs = trained({"ours": RECIPE})
    line = format_trained(runs, BAR_SECONDS, {"ours": " (known likelihood)"}).splitlines()[-1]
    assert "ours (known likelihood)" in line
    assert "6.500 +- 0.100" in line and "7.200" in line
    assert line.split()[-5:] == ["6%", "7", "7.5", "met", "4.71"]
    assert "met" not in format_trained(runs, 20.0, {})


def test_bars_know_which_way_is_better():
    location = bar_of("location_finding", "spce", "source1_x1,source1_x2")
    assert location.met(7.0) and not location.met(6.99)
    guess = bar_of("psychometric", "rmse", "guess,lapse")
    assert guess.met(0.130) and not guess.met(0.131)
    assert bar_of("ces", "spce", "rho") is None
