"""The steps that are timed: of which kind they are, and that they are all timed."""

import pytest

from aline_tf.bench.stopwatch import Stopwatch
from aline_tf.bench.training_speed import StepTimes, step_recipe
from aline_tf.experiments import model_settings
from aline_tf.models.aline import ALINE
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.seeds import seed_weights
from tests.training.small_tasks import COIN, SIZES


@pytest.mark.parametrize("task", ["location_finding", "psychometric", "gp1d", "ces"])
def test_the_papers_step_scores_every_candidate_and_learns_from_rewards_alone(task):
    shipped = model_settings(task)[1]
    sampled = step_recipe("joint_step", shipped, 30, 5)
    assert (sampled.phases.batch, sampled.rollout.pool) == (200, 200)
    assert sampled.rollout.candidates_per_step == 200
    assert (sampled.phases.warmup_steps, sampled.phases.joint_steps) == (0, 5)
    assert sampled.phases.steps_per_episode == shipped.phases.steps_per_episode
    assert sampled.policy_loss.counterfactual == 0.0 and max(sampled.policy_loss.teacher) == 0.0
    every = step_recipe("joint_step_every_state", shipped, 30, 5)
    assert every.phases.steps_per_episode == 31
    assert step_recipe("joint_step_shipped", shipped, 30, 5).rollout.pool == shipped.rollout.pool
    warmup = step_recipe("warmup_step", shipped, 30, 5)
    assert (warmup.phases.warmup_steps, warmup.phases.joint_steps) == (5, 0)


def test_every_step_is_timed():
    seed_weights(1)
    trainer = Trainer(ALINE.for_task(COIN, **SIZES), COIN)
    trainer.compile(
        recipe=Recipe(
            warmup_batch=4, batch=4, pool=6, candidates_per_step=6, warmup_steps=5, joint_steps=0
        )
    )
    watch = Stopwatch()
    trainer.fit(epochs=1, steps_per_epoch=5, callbacks=[StepTimes(watch)], verbose=0)
    assert watch.times().calls == 4
    assert watch.times().first > watch.times().wall
