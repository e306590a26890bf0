"""Recipes: defaults that work, JSON, and what they refuse."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.experiments import model_settings
from aline_tf.tasks import TASKS
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.recipe import (
    CREDITS,
    PARTS,
    RENAMED,
    SETTINGS,
    Optimizer,
    Phases,
    PolicyLoss,
    Recipe,
    Rollout,
)
from aline_tf.training.schedules import recipe_optimizer
from tests.training.small_tasks import Coin


def test_the_defaults_work_and_are_json():
    recipe = Recipe()
    assert recipe.steps == recipe.phases.warmup_steps + recipe.phases.joint_steps
    kept = json.loads(json.dumps(recipe.to_dict()))
    assert kept["policy_loss"]["credit"] == "reward_to_go"
    assert Recipe.from_dict(kept) == recipe


def test_settings_find_their_part_however_they_are_given():
    whole = Recipe(
        phases=Phases(batch=8),
        rollout=Rollout(pool=64, temperature=(1.0, 0.5)),
        policy_loss=PolicyLoss(teacher=(1.0, 0.5)),
        optimizer=Optimizer(learning_rate=2e-3),
    )
    flat = Recipe(batch=8, pool=64, temperature=(1.0, 0.5), teacher=(1.0, 0.5), learning_rate=2e-3)
    dotted = Recipe(**{"phases.batch": 8, "rollout.pool": 64}, rollout=whole.rollout)
    assert flat == whole
    assert dotted.rollout == whole.rollout and dotted.phases == whole.phases
    assert dataclasses.replace(whole, pool=100).rollout.pool == 100
    assert dataclasses.replace(whole, pool=100).phases == whole.phases
    assert sum(len(dataclasses.fields(part)) for part in PARTS.values()) == len(SETTINGS)


OLD = {
    "batch": 12, "group": 3, "portions": 4, "offer": 20, "near": 0.5, "states": 2, "reveal": 0.1,
    "refresh": 0.5, "alternatives": 3, "sharpness": 9.0, "tried": 4, "price": 0.1,
    "credit": "own_step", "temperature": [1.0, 0.5],
}  # fmt: skip
NEW = Recipe(
    batch=12, group_size=3, gradient_accumulation_steps=4, candidates_per_step=20, local_share=0.5,
    steps_per_episode=2, conditioning_rate=0.1, random_design_weight=0.5, num_posterior_labels=3,
    teacher_inverse_temperature=9.0, num_counterfactuals=4, cost_weight=0.1,
    credit="immediate_reward", temperature=(1.0, 0.5),
)  # fmt: skip


def test_a_flat_file_of_version_0_1_loads_with_a_warning():
    assert {*OLD, "own_step"} >= set(RENAMED)
    with pytest.warns(DeprecationWarning) as warned:
        assert Recipe.from_dict(OLD) == NEW
    assert len(warned) == len(RENAMED)
    assert "'group' of a recipe is called 'group_size' now" in str(warned[0].message)
    with pytest.warns(DeprecationWarning, match="'group' of a recipe is called 'group_size'"):
        assert Recipe(group=2).rollout.group_size == 2
    with pytest.warns(DeprecationWarning, match="'own_step' of a recipe"):
        assert Recipe(credit="own_step").policy_loss.credit == "immediate_reward"


@pytest.mark.parametrize("name", ["bach", "rollout.batch", "phases", "policy_loss."])
def test_a_setting_that_no_part_has_is_refused(name):
    with pytest.raises((TypeError, ValueError), match=r"Expected"):
        Recipe(**{name: 3})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"credit": "hindsight"}, "credit='hindsight'"),
        ({"batch": 10, "group_size": 4}, "batch=10, group_size=4"),
        ({"batch": 0}, "batch=0"),
        ({"batch": 2.5}, "batch=2.5"),
        ({"batch": "8"}, "batch='8'"),
        ({"group_size": 0}, "group_size=0"),
        ({"steps_per_episode": 0}, "steps_per_episode=0"),
        ({"warmup_steps": -1}, "warmup_steps=-1"),
        ({"warmup_steps": 0, "joint_steps": 0}, "at least one step"),
        ({"candidates_per_step": 300}, "candidates_per_step=300, pool=200"),
        ({"horizon": 0}, "horizon=0"),
        ({"horizon": 201}, "horizon=201, pool=200"),
        ({"smallest_pool": 201}, "smallest_pool=201, pool=200"),
        ({"joint_horizon": 0}, "joint_horizon=0"),
        ({"joint_horizon": 201}, "joint_horizon=201, pool=200"),
        ({"temperature": (1.0, 0.0)}, r"temperature=\(1.0, 0.0\)"),
        ({"teacher": 1.0}, "teacher=1.0"),
        ({"entropy": (0.1,)}, "entropy"),
        (
            {"counterfactual": 1.0, "num_counterfactuals": 49},
            "num_counterfactuals=49, candidates_per_step=48",
        ),
        ({"num_posterior_labels": -1}, "num_posterior_labels=-1"),
        ({"conditioning_rate": 1.5}, "conditioning_rate=1.5"),
        ({"local_share": -0.1}, "local_share=-0.1"),
        ({"learning_rate": -1e-3}, "learning_rate=-0.001"),
        ({"learning_rate": 0.0}, "learning_rate as a number > 0 .*Received: learning_rate=0.0"),
        ({"joint_learning_rate": 0}, "joint_learning_rate as a number > 0"),
        ({"learning_rate": 1e-6}, "at least the final_learning_rate.*=1e-06, final.*=1e-05"),
        ({"clip_norm": 0.0}, "clip_norm as a number > 0"),
        ({"clip_norm": float("nan")}, "clip_norm=nan"),
        ({"policy_weight": "1"}, "policy_weight='1'"),
        ({"rollout": {"pool": 3}}, "rollout as a Rollout"),
        ({"batch": 8, "gradient_accumulation_steps": 3}, "gradient_accumulation_steps=3"),
    ],
    ids=str,
)
def test_a_recipe_that_cannot_run_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**change)


#: Numbers as they are typed, and whatever else a float may be.
RATES = st.floats(1e-7, 1.0) | st.floats() | st.sampled_from([0.0, -0.0, 1e-3, 1e-40, 1e39])


@settings(deadline=None, derandomize=True, max_examples=100)
@given(RATES, RATES, st.none() | RATES)
def test_learning_rates_are_refused_or_move_the_weights_downhill(rate, final, joint):
    rates = {
        "learning_rate": rate,
        "final_learning_rate": final,
        "joint_learning_rate": joint,
    }
    try:
        recipe = Recipe(warmup_steps=5, joint_steps=5, **rates)
    except ValueError as error:
        assert re.fullmatch(r"Expected .*rate.*\. Received: .*rate=.*", str(error))
        return
    schedule = recipe_optimizer(recipe)._learning_rate
    taken = np.array([float(schedule(step)) for step in (0, 4, 5, 9)])
    assert np.isfinite(taken).all() and (taken >= 0).all() and (taken > 0).any()


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().phases = Phases()
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().phases.batch = 3


def test_both_lists_of_credits_are_one():
    from aline_tf.training import credit

    assert all(callable(getattr(credit, name)) for name in CREDITS)


def test_the_pool_must_hold_the_horizon_of_the_task():
    with pytest.raises(ValueError, match="horizon=30, pool=20"):
        Recipe(pool=20, candidates_per_step=20).check_task(Psychometric())
    Recipe(pool=20, candidates_per_step=20, horizon=10).check_task(Psychometric())
    Recipe(pool=20, candidates_per_step=20, joint_steps=0).check_task(Psychometric())


def test_the_teacher_needs_a_likelihood():
    with pytest.raises(ValueError, match=r"log_prior.*Received: Coin"):
        Recipe(teacher=(1.0, 0.0)).check_task(Coin())
    Recipe(teacher=(1.0, 0.0)).check_task(Psychometric())


def test_posterior_labels_need_a_likelihood():
    with pytest.raises(ValueError, match=r"log_prior.*Received: Coin, num_posterior_labels=4"):
        Recipe(num_posterior_labels=4).check_task(Coin())
    Recipe(num_posterior_labels=4).check_task(Psychometric())


def test_shipped_recipes_fit_their_tasks():
    assert "psychometric" in TASKS
    _, recipe = model_settings("psychometric")
    recipe.check_task(Psychometric())
    assert model_settings("somebody:Else") == ({}, Recipe())
