"""Recipes: defaults that work, JSON, and what they refuse."""

import dataclasses
import json

import pytest

from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.objectives import CREDITS
from aline_tf.training.recipe import Recipe
from aline_tf.training.shipped import SHIPPED, shipped_settings
from tests.training.small_tasks import Coin


def test_the_defaults_work_and_are_json():
    recipe = Recipe()
    assert recipe.steps == recipe.warmup_steps + recipe.joint_steps
    assert json.loads(json.dumps(recipe.to_dict()))["credit"] == "reward_to_go"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"credit": "hindsight"}, "credit='hindsight'"),
        ({"batch": 10, "group": 4}, "batch=10, group=4"),
        ({"batch": 0}, "batch=0"),
        ({"batch": 2.5}, "batch=2.5"),
        ({"batch": "8"}, "batch='8'"),
        ({"group": 0}, "group=0"),
        ({"states": 0}, "states=0"),
        ({"warmup_steps": -1}, "warmup_steps=-1"),
        ({"warmup_steps": 0, "joint_steps": 0}, "at least one step"),
        ({"offer": 300}, "offer=300, pool=200"),
        ({"horizon": 0}, "horizon=0"),
        ({"horizon": 201}, "horizon=201, pool=200"),
        ({"temperature": (1.0, 0.0)}, r"temperature=\(1.0, 0.0\)"),
        ({"teacher": 1.0}, "teacher=1.0"),
        ({"entropy": (0.1,)}, "entropy"),
        ({"counterfactual": 1.0, "tried": 49}, "tried=49, offer=48"),
        ({"alternatives": -1}, "alternatives=-1"),
        ({"reveal": 1.5}, "reveal=1.5"),
        ({"near": -0.1}, "near=-0.1"),
    ],
    ids=str,
)
def test_a_recipe_that_cannot_run_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**change)


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().batch = 3


def test_both_lists_of_credits_are_one():
    from aline_tf.training import recipe

    assert recipe.CREDITS == CREDITS


def test_the_pool_must_hold_the_horizon_of_the_task():
    with pytest.raises(ValueError, match="horizon=30, pool=20"):
        Recipe(pool=20, offer=20).check_task(Psychometric())
    Recipe(pool=20, offer=20, horizon=10).check_task(Psychometric())
    Recipe(pool=20, offer=20, joint_steps=0).check_task(Psychometric())


def test_the_teacher_needs_a_likelihood():
    with pytest.raises(ValueError, match=r"log_prior.*Received: Coin"):
        Recipe(teacher=(1.0, 0.0)).check_task(Coin())
    Recipe(teacher=(1.0, 0.0)).check_task(Psychometric())


def test_alternative_labels_need_a_likelihood():
    with pytest.raises(ValueError, match=r"log_prior.*Received: Coin, alternatives=4"):
        Recipe(alternatives=4).check_task(Coin())
    Recipe(alternatives=4).check_task(Psychometric())


def test_shipped_recipes_fit_their_tasks():
    assert "psychometric" in SHIPPED
    _, recipe = shipped_settings("psychometric")
    recipe.check_task(Psychometric())
    assert shipped_settings("somebody:Else") == ({}, Recipe())
