"""Time of a training step, through the same `fit` that trains."""

from __future__ import annotations

import dataclasses
import time

import keras
import tensorflow as tf

from aline_tf.bench.configurations import EPISODES
from aline_tf.bench.stopwatch import Stopwatch
from aline_tf.evaluation.bars import POOL
from aline_tf.experiments.lookup import budget_settings
from aline_tf.models.aline import ALINE
from aline_tf.tasks import task_by_name
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer

_SEED = 1
#: Of the gradient pass over the paper's joint step.
_PORTIONS = 4


class StepTimes(keras.callbacks.Callback):
    """Times of every training step, from the end of the one before it.

    Args:
        watch: takes them in.

    Example:
        >>> from aline_tf.bench.stopwatch import Stopwatch
        >>> from aline_tf.bench.training_speed import StepTimes
        >>> callback = StepTimes(Stopwatch())
    """

    def __init__(self, watch: Stopwatch):
        super().__init__()
        self.watch = watch

    def on_train_begin(self, logs=None):
        self._since = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        # Reading the counter waits for a step that is still on its way.
        self.model.optimizer.iterations.numpy()
        now = time.perf_counter(), time.process_time()
        self.watch.note(now[0] - self._since[0], now[1] - self._since[1])
        self._since = now


def step_recipe(measure: str, shipped: Recipe, horizon: int, steps: int) -> Recipe:
    """The recipe whose steps are all of one kind.

    Args:
        measure: a key of `configurations.TRAINING`.
        shipped: the task's recipe.
        horizon: T, of the task.
        steps: how many.
    """
    if measure == "warmup_step":
        return dataclasses.replace(shipped, warmup_steps=steps, joint_steps=0)
    joint = dataclasses.replace(shipped, warmup_steps=0, joint_steps=steps)
    if measure == "joint_step_shipped":
        return joint
    # The paper's joint step: every candidate is scored at every step, and nothing is learned from
    # but the rewards and the truth.
    joint = dataclasses.replace(
        joint,
        batch=EPISODES,
        gradient_accumulation_steps=_PORTIONS,
        pool=POOL,
        candidates_per_step=POOL,
        horizon=None,
        teacher=(0.0, 0.0),
        counterfactual=0.0,
        num_posterior_labels=0,
        random_design_weight=0.0,
    )
    if measure == "joint_step_every_state":
        return dataclasses.replace(joint, steps_per_episode=horizon + 1)
    return joint


def training(measure: str, task: str, steps: int) -> dict:
    """Times of one kind of step, as a dict of `stopwatch.Times`.

    Args:
        measure: a key of `configurations.TRAINING`.
        task: its name.
        steps: how many are measured after the first.
    """
    keras.utils.set_random_seed(_SEED)
    made = task_by_name(task)
    sizes, shipped = budget_settings(task)
    recipe = step_recipe(measure, shipped, made.spec.horizon, 1 + steps)
    trainer = Trainer(ALINE.for_task(made, **sizes), made)
    trainer.compile(recipe=recipe, seed=_SEED)
    watch = Stopwatch()
    trainer.fit(epochs=1, steps_per_epoch=recipe.steps, callbacks=[StepTimes(watch)], verbose=0)
    finite = all(bool(tf.reduce_all(tf.math.is_finite(v.value))) for v in trainer.weights)
    if not finite:
        raise ValueError(f"Expected finite weights after {recipe.steps} steps. Received: NaN")
    return dataclasses.asdict(watch.times()) | {
        "episodes": recipe.phases.batch,
        "states": recipe.phases.steps_per_episode,
    }
