"""A whole training run inside a directory: checkpoints, log, and the preset of what was learned."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import copy_weights, load_preset
from aline_tf.runtime.atomic_files import require_directory
from aline_tf.tasks.contract import check_contract
from aline_tf.training.callbacks import training_callbacks
from aline_tf.training.fitting import calls
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
        restart: whether an interrupted run in `directory` is forgotten, or a finished one replaced.
        name: what the task is called, where its specification does not say all of it
            (`hpo:boosting`); a resumed run must share it.
        validation_episodes: held-out episodes to play after every epoch; None plays none.
        verbose: as in Keras' `fit`.

    Returns:
        the trained model.

    Raises:
        InputError: the task, a setting, the directory or the run in it cannot be used, and nothing
            is written; or there is no more room to write, and what was saved before stays,
            from which the same call goes on.
        TrainingDiverged: the loss or a weight became NaN or infinite; what was saved before stays.
    """
    recipe = Recipe() if recipe is None else recipe
    directory = _require_settings(directory, recipe, restart)
    counts = {"steps_per_epoch": steps_per_epoch}
    if validation_episodes is not None:
        counts["validation_episodes"] = validation_episodes
    for label, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise InputError(f"expected {label} of 1 or more; received {count!r}")
    try:
        calls.require_verbose(verbose)
        seed = calls.require_seed(seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    check_contract(task, policy=recipe.phases.joint_steps > 0)
    seed_keras(seed)
    try:
        model = ALINE.for_task(task, **(sizes or {}))
    except (TypeError, ValueError) as error:
        if not sizes:
            raise
        raise InputError(f"expected sizes of a model; received {sizes!r}: {error}") from error
    if from_preset is not None:
        model = _continued(load_preset(from_preset, task=task.spec.name), model)
    trainer = Trainer(model, task)
    try:
        trainer.compile(recipe=recipe, seed=seed)
    except ValueError as error:
        raise InputError(f"expected a recipe for {task.spec.name}; received: {error}") from error
    facts = {"task": name or task.spec.name, "from_preset": from_preset and str(from_preset)}
    started = time.process_time()

    def metadata(trainer):
        return {
            "task": task.spec.name,
            "parameters": int(model.count_params()),
            "recipe": recipe.to_dict(),
            "seed": seed,
            "steps": int(trainer.optimizer.iterations.numpy()),
            "cpu_seconds_last_sitting": round(time.process_time() - started),
            "machine": f"{platform.machine()}, {platform.system()}, "
            f"Python {platform.python_version()}",
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        }

    trainer.fit(
        steps_per_epoch=steps_per_epoch,
        callbacks=training_callbacks(directory, restart=restart, run=facts, metadata=metadata),
        validation_episodes=validation_episodes,
        verbose=verbose,
    )
    return model


def seed_keras(seed: int) -> None:
    """`keras.utils.set_random_seed` for whole numbers of any size: it takes those of 32 bits alone.

    Args:
        seed: of the weights of a new model, and of whatever else Keras draws.
    """
    keras.utils.set_random_seed(seed if 0 <= seed < 2**32 else int(draws.as_seed(seed)[0]))


def _require_settings(directory, recipe, restart) -> Path:
    """The directory, once it is known that a run can be written there and all settings are some."""
    directory = require_directory(directory)
    for place in ("preset", "backup"):
        require_directory(directory / place)
    if not isinstance(recipe, Recipe):
        raise InputError(f"expected recipe as a Recipe; received {recipe!r}")
    if not isinstance(restart, (bool, np.bool_)):
        raise InputError(f"expected restart as True or False; received {restart!r}")
    return directory


def _continued(stored, model):
    """The stored model, in the settings of the new one where its weights have places there."""
    model.build()
    try:
        copy_weights(stored, model)
    except InputError:
        return stored
    return model
