"""Training within a budget: it ends with the schedule or with the budget, whichever is first."""

import dataclasses

import pytest

from aline_tf.bench import budget
from aline_tf.experiments import known_likelihood
from aline_tf.training.recipe import Recipe
from tests.training.small_tasks import SIZES

RECIPE = Recipe(
    warmup_batch=4,
    batch=4,
    pool=30,
    candidates_per_step=6,
    steps_per_episode=2,
    group_size=2,
    horizon=4,
    warmup_steps=3,
    joint_steps=2,
)


@pytest.fixture(autouse=True)
def few_contrasts(monkeypatch):
    monkeypatch.setattr(known_likelihood, "CONTRASTIVE", 50)


def trained(seconds, recipe=RECIPE):
    return budget.budget("location_finding", SIZES, recipe.to_dict(), 1, seconds, 2, 31)


@pytest.mark.usefixtures("without_graphs")
def test_a_budget_that_suffices_sees_the_whole_schedule():
    found = trained(1e9)
    assert found["steps"] == 5
    assert 0.0 < found["cpu_seconds"] < 1e9
    assert [row["metric"] for row in found["rows"]] == ["spce", "snmc"]


@pytest.mark.usefixtures("without_graphs")
def test_training_ends_when_the_budget_is_spent(monkeypatch):
    monkeypatch.setattr(budget, "trained_results", lambda *_, **__: [])
    found = trained(1e-3, dataclasses.replace(RECIPE, warmup_steps=300, joint_steps=0))
    assert found["steps"] == 1 and found["cpu_seconds"] > 1e-3


def test_steps_of_both_phases_are_timed_apart_from_compilation():
    costs = budget.plan("location_finding", SIZES, RECIPE.to_dict())
    assert set(costs) == {"start", "warmup", "joint"}
    assert costs["start"] > max(costs["joint"], costs["warmup"])
    assert min(costs["joint"], costs["warmup"]) > 0.0
    alone = dataclasses.replace(RECIPE, joint_steps=0).to_dict()
    assert budget.plan("location_finding", SIZES, alone)["joint"] == 0.0


def test_a_recipe_that_cannot_train_the_task_is_refused_with_the_reason():
    taught = dataclasses.replace(RECIPE, teacher=(1.0, 1.0)).to_dict()
    assert "log_likelihood" in budget.plan("hpo", SIZES, taught)["refused"]
