"""How many steps fit into a budget: plain arithmetic."""

import dataclasses
import json

import pytest

from aline_tf.bench.planning import PLANNED, StepCosts, planned
from aline_tf.errors import InputError
from aline_tf.experiments import model_settings
from aline_tf.tasks import TASKS
from aline_tf.training.recipe import Recipe

RECIPE = Recipe(warmup_steps=600, joint_steps=200)


@pytest.mark.parametrize("seconds", [50.0, 440.0, 10_000.0])
def test_the_phases_fill_the_plan_and_keep_their_proportion(seconds):
    costs = StepCosts(start=20.0, warmup=0.05, joint=0.5)
    recipe = planned(RECIPE, costs, seconds)
    spent = 20.0 + 0.05 * recipe.phases.warmup_steps + 0.5 * recipe.phases.joint_steps
    # Rounding down leaves less than a step of each phase.
    assert PLANNED * seconds - 0.55 < spent <= PLANNED * seconds + 1e-9
    assert recipe.phases.warmup_steps == pytest.approx(3 * recipe.phases.joint_steps, abs=4)


def test_nothing_but_the_number_of_steps_changes():
    recipe = planned(RECIPE, StepCosts(1.0, 0.1, 0.1), 100.0)
    steps = {name: getattr(recipe.phases, name) for name in ("warmup_steps", "joint_steps")}
    assert recipe == dataclasses.replace(RECIPE, **steps)


def test_a_phase_that_the_recipe_leaves_out_stays_out():
    alone = Recipe(warmup_steps=10, joint_steps=0)
    assert planned(alone, StepCosts(0.0, 1.0, 0.0), 100.0).phases.joint_steps == 0


@pytest.mark.parametrize("seconds", [1.0, 20.0, 21.0])
def test_a_budget_without_room_for_both_phases_is_refused(seconds):
    costs = StepCosts(start=20.0, warmup=0.05, joint=0.5)
    with pytest.raises(InputError, match="at least 21 CPU seconds"):
        planned(RECIPE, costs, seconds)
    assert planned(RECIPE, costs, 22.0).phases.joint_steps >= 1


@pytest.mark.parametrize("task", TASKS)
def test_a_recipe_survives_json(task):
    recipe = model_settings(task)[1]
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
