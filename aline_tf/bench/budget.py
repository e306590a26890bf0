"""What a model learns from scratch in a given number of CPU seconds, on one thread.

The clock is the CPU time of the training process, from the building of the model to the last
step, compilation included. How many steps fit is found out beforehand, in a process of its own,
by taking a few of each phase: the recipe keeps the proportion of its phases, and its schedules end
where the budget ends. Should the steps turn out slower than they were, training stops when the
budget is spent, whatever is left of the schedule.
"""

from __future__ import annotations

import dataclasses
import time

import keras
import numpy as np

from aline_tf.bench.planning import StepCosts
from aline_tf.bench.stopwatch import Stopwatch
from aline_tf.bench.trained_figures import result_dicts, trained_results
from aline_tf.bench.training_speed import StepTimes
from aline_tf.models.aline import ALINE
from aline_tf.tasks import task_by_name
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer

_TIMED_STEPS = 6


class StopAfter(keras.callbacks.Callback):
    """Ends training when a number of CPU seconds is spent.

    Args:
        seconds: the budget.
        since: `time.process_time()` at its start.

    Example:
        >>> import time
        >>> from aline_tf.bench.budget import StopAfter
        >>> callback = StopAfter(seconds=440.0, since=time.process_time())
    """

    def __init__(self, seconds: float, since: float):
        super().__init__()
        self.seconds, self.since = seconds, since

    def on_train_batch_end(self, batch, logs=None):
        if time.process_time() - self.since >= self.seconds:
            self.model.stop_training = True


def plan(task: str, sizes: dict, recipe: dict) -> dict:
    """`StepCosts` of a recipe on this machine, as a dict; or, as `refused`, why the recipe cannot
    train the task."""
    timed = Recipe.from_dict(recipe)
    try:
        timed.check_task(task_by_name(task))
    except ValueError as error:
        return {"refused": str(error)}
    warmup, joint = (
        _TIMED_STEPS * (steps > 0)
        for steps in (timed.phases.warmup_steps, timed.phases.joint_steps)
    )
    timed = dataclasses.replace(timed, warmup_steps=warmup, joint_steps=joint)
    since = time.process_time()
    trainer = _trainer(task, sizes, timed, seed=0)
    building = time.process_time() - since
    watch = Stopwatch()
    trainer.fit(epochs=1, steps_per_epoch=timed.steps, callbacks=[StepTimes(watch)], verbose=0)
    # The first step of each phase prepares what the others use.
    costs, first = [0.0, 0.0], building
    for phase, steps in enumerate((watch.cpu[:warmup], watch.cpu[warmup:])):
        if steps:
            costs[phase] = float(np.median(steps[1:]))
            first += steps[0] - costs[phase]
    return dataclasses.asdict(StepCosts(first, *costs))


def budget(
    task: str, sizes: dict, recipe: dict, seed: int, seconds: float, runs: int, candidates: int
) -> dict:
    """Trains within the budget, then measures.

    Args:
        task: its name.
        sizes: of the model.
        recipe: planned, as a dict.
        seed: of the weights and of training.
        seconds: the budget.
        runs, candidates: of the figures, which come after the clock has stopped; their runs are
            the same for every seed.

    Returns:
        cpu_seconds used, steps taken, and rows of `trained_results` as dicts.
    """
    since = time.process_time()
    trainer = _trainer(task, sizes, Recipe.from_dict(recipe), seed)
    trainer.fit(
        epochs=1,
        steps_per_epoch=trainer.recipe.steps,
        callbacks=[StopAfter(seconds, since)],
        verbose=0,
    )
    used = time.process_time() - since
    steps = int(trainer.optimizer.iterations.numpy())
    found = trained_results(trainer.model, trainer.task, runs, seed=0, candidates=candidates)
    return {"cpu_seconds": used, "steps": steps, "rows": result_dicts(found)}


def _trainer(task, sizes, recipe, seed):
    keras.utils.set_random_seed(seed)
    made = task_by_name(task)
    trainer = Trainer(ALINE.for_task(made, **sizes), made)
    trainer.compile(recipe=recipe, seed=seed)
    return trainer
