"""A whole training run inside a directory: checkpoints, log, and the preset of what was learned."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import keras
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import copy_weights, load_preset, save_preset
from aline_tf.tasks.contract import check_contract
from aline_tf.training.callbacks import training_callbacks
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer


def train(
    task,
    directory,
    *,
    recipe: Recipe | None = None,
    sizes: dict | None = None,
    from_preset=None,
    seed: int = 1,
    steps_per_epoch: int = 50,
    restart: bool = False,
    name: str | None = None,
    validation_episodes: int | None = None,
    verbose=2,
) -> ALINE:
    """Trains a model of a task and writes its preset; an interrupted run is gone on with.

    Args:
        task: a `Task`.
        directory: where `preset/`, `training_log.csv` and, meanwhile, `backup/` are written; other
            files in it are left alone.
        recipe: None is the default one.
        sizes: arguments of `ALINE.for_task` for a new model; None takes its defaults.
        from_preset: a preset whose weights are trained on, instead of a new model; layers that only
            `sizes` have are added to it, and where these do not contain its own, its own stay.
        seed: a whole number, of the weights and of everything drawn.
        steps_per_epoch: steps between two lines of the log, at least 1.
        restart: whether an interrupted run in `directory` is forgotten.
        name: what the task is called, where its specification does not say all of it
            (`hpo:boosting`); a resumed run must share it.
        validation_episodes: held-out episodes to play after every epoch; None plays none.
        verbose: as in Keras' `fit`.

    Returns:
        the trained model.

    Raises:
        InputError: the task, the recipe or an interrupted run cannot be used; nothing is written.
        TrainingDiverged: the loss or a weight became NaN or infinite; what was saved before stays.
    """
    directory, recipe = Path(directory), recipe or Recipe()
    if steps_per_epoch < 1:
        raise InputError(f"expected steps_per_epoch of 1 or more; received {steps_per_epoch}")
    check_contract(task, policy=recipe.phases.joint_steps > 0)
    keras.utils.set_random_seed(seed)
    model = ALINE.for_task(task, **(sizes or {}))
    if from_preset is not None:
        model = _continued(load_preset(from_preset, task=task.spec.name), model)
    trainer = Trainer(model, task)
    try:
        trainer.compile(recipe=recipe, seed=seed)
    except ValueError as error:
        raise InputError(f"expected a recipe for {task.spec.name}; received: {error}") from error
    facts = {"task": name or task.spec.name, "from_preset": from_preset and str(from_preset)}
    callbacks = training_callbacks(directory, restart=restart, run=facts)
    directory.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    trainer.fit(
        steps_per_epoch=steps_per_epoch,
        callbacks=callbacks,
        validation_episodes=validation_episodes,
        verbose=verbose,
    )
    metadata = {
        "task": task.spec.name,
        "parameters": int(model.count_params()),
        "recipe": recipe.to_dict(),
        "seed": seed,
        "steps": int(trainer.optimizer.iterations.numpy()),
        "cpu_seconds_last_sitting": round(time.process_time() - started),
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
    save_preset(model, directory / "preset", metadata)
    return model


def _continued(stored, model):
    """The stored model, in the settings of the new one where its weights have places there."""
    model.build()
    try:
        copy_weights(stored, model)
    except InputError:
        return stored
    return model
