"""What somebody types by habit of Keras, answered in one sentence that says what to type here."""

from __future__ import annotations

import warnings

import keras
import numpy as np

#: Arguments of Keras that are about data.
_DATA = (
    "x",
    "y",
    "batch_size",
    "sample_weight",
    "class_weight",
    "shuffle",
    "validation_split",
    "validation_steps",
    "validation_freq",
    "validation_batch_size",
)
FIT = (
    "fit(epochs=..., steps_per_epoch=..., callbacks=..., validation_episodes=...) of a Trainer"
    " (what was recorded is a task too: RecordedDataTask, or its from_dataset for a tf.data"
    " Dataset)"
)
EVALUATE = "evaluate(episodes=..., steps=..., seed=...)"


def refuse_data(expected: str, args, kwargs) -> None:
    """Of arguments that would be data.

    Args:
        expected: the call as it should be.
        args, kwargs: of the call as it was.

    Raises:
        ValueError: there are some.
    """
    wrong = [type(arg).__name__ for arg in args]
    wrong += [name for name in _DATA if kwargs.get(name) is not None and kwargs[name] is not False]
    if wrong:
        raise ValueError(
            f"Expected {expected}: the task draws its own episodes. Received: {', '.join(wrong)}"
        )


def refuse_losses(kwargs, reported) -> None:
    """Of arguments of `compile` that the recipe stands for.

    Args:
        kwargs: of the call.
        reported: names of what `fit` reports.

    Raises:
        ValueError: there are some.
    """
    own = sorted({"loss", "metrics", "loss_weights", "weighted_metrics"} & set(kwargs))
    if own:
        raise ValueError(
            "Expected no loss and no metrics: the recipe has them, compile(recipe=Recipe(...)); "
            f"fit reports {', '.join(reported)}, and of held-out episodes what "
            "fit(validation_episodes=256) asks for. "
            f"Received: {', '.join(f'{name}={kwargs[name]!r}' for name in own)}"
        )


def require_count(name: str, value, least: int = 1) -> None:
    """Of a number of epochs, steps or episodes.

    Args:
        name: of the argument.
        value: what was received.
        least: the smallest that will do.

    Raises:
        ValueError: it is no whole number from `least` on.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"Expected {name} of {least} or more. Received: {name}={value!r}")


def require_seed(seed) -> int:
    """Of a seed.

    Args:
        seed: what was received.

    Raises:
        ValueError: it is no whole number.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"Expected seed as a whole number. Received: seed={seed!r}")
    return int(seed)


def require_rate(optimizer, steps: int) -> None:
    """Of an optimiser whose learning rate moves the weights downhill.

    Args:
        optimizer: a Keras optimiser.
        steps: how many it will take: where a schedule is looked at.

    Raises:
        ValueError: a rate that is negative, infinite or NaN somewhere, or 0 everywhere.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        looked_at = np.unique(np.linspace(0, max(steps - 1, 0), 9).astype(int))
        rates = np.array([float(rate(int(step))) for step in looked_at])
    else:
        rates = np.array([float(optimizer.learning_rate)])
    if not np.isfinite(rates).all() or (rates < 0).any() or not rates.any():
        wrong = rates[~np.isfinite(rates) | (rates < 0)]
        received = wrong[0] if wrong.size else 0.0
        raise ValueError(
            f"Expected an optimizer with a learning rate > 0. Received: learning_rate={received:g}"
        )


def require_epochs(initial_epoch, epochs) -> None:
    """Of where training begins and ends.

    Args:
        initial_epoch, epochs: of `fit`; epochs may be None.

    Raises:
        ValueError: they are no whole numbers, or nothing is left to do.
    """
    require_count("initial_epoch", initial_epoch, 0)
    if epochs is None:
        return
    require_count("epochs", epochs)
    if initial_epoch >= epochs:
        raise ValueError(
            "Expected initial_epoch below epochs, where training ends. "
            f"Received: initial_epoch={initial_epoch}, epochs={epochs}"
        )


def warn_of_phases(recipe, first: int, last: int, to_the_end: bool) -> None:
    """Of a call of `fit` that means less than it seems.

    Args:
        recipe: a `Recipe`.
        first, last: steps at which it begins and ends.
        to_the_end: whether the end of the recipe was asked for, not so many epochs.
    """
    phases = recipe.phases
    if phases.joint_steps and last < phases.warmup_steps:
        warnings.warn(
            f"Expected training into the joint phase, where the policy learns what to ask. Received"
            f": the end at step {last} of {phases.warmup_steps} warm-up steps (fit() goes on to the"
            " end; Recipe(warmup_steps=..., joint_steps=...) sets both)",
            stacklevel=3,
        )
    elif to_the_end and first >= recipe.steps:
        warnings.warn(
            f"Expected steps of the recipe that are left. Received: {first} of {recipe.steps} steps"
            " taken: one more is, at the final learning rate (epochs=... says how many)",
            stacklevel=3,
        )


def require_verbose(verbose) -> None:
    """Of what Keras takes for `verbose`.

    Args:
        verbose: what was received.

    Raises:
        ValueError: it is none of that.
    """
    if isinstance(verbose, str):
        known = verbose == "auto"
    else:
        known = isinstance(verbose, (bool, int, np.integer)) and verbose in (0, 1, 2)
    if not known:
        raise ValueError(f"Expected verbose as 'auto', 0, 1 or 2. Received: verbose={verbose!r}")


def require_callbacks(callbacks) -> list:
    """Of callbacks, one or several: a list of them.

    Args:
        callbacks: what was received; None for none.

    Raises:
        ValueError: one that is no instance of a Keras callback.
    """
    several = isinstance(callbacks, (list, tuple))
    callbacks = list(callbacks) if several else [] if callbacks is None else [callbacks]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                "Expected callbacks as instances of keras.callbacks.Callback. "
                f"Received: {callback!r}"
            )
    return callbacks


def require_task(name: str, task, other) -> None:
    """Of what is to be played instead of the task that is trained on.

    Args:
        name: of the argument.
        task: that one.
        other: a task of the same specification.

    Raises:
        ValueError: it is no task, or one of another specification.
    """
    spec = getattr(other, "spec", None)
    if (
        spec is None
        or isinstance(other, type)
        or not callable(getattr(other, "sample_episodes", None))
    ):
        raise ValueError(
            f"Expected {name} as a task, such as the other half of RecordedDataTask.split "
            "(validation_episodes=256 plays some of the same task): the task draws its own "
            f"episodes. Received: {name}, a {type(other).__name__}"
        )
    if spec != task.spec:
        raise ValueError(
            f"Expected a task with the specification of {task.spec.name!r}. "
            f"Received: {spec.name!r}, or another version of it"
        )


def require_compiled(trainer, name: str) -> None:
    """Of a trainer that was compiled, for the weights that are to be trained now.

    Args:
        trainer: a `Trainer`.
        name: of the call.

    Raises:
        ValueError: it was not compiled, or not since layers were frozen, thawed or given LoRA.
    """
    if not getattr(trainer, "compiled", False):
        raise ValueError(f"Expected compile() before {name}(). Received: no recipe yet")
    if name != "fit":
        return
    now = trainer.trainable_variables
    if not now:
        raise ValueError(
            "Expected weights to train. Received: a model that is frozen, layer.trainable = False "
            "everywhere"
        )
    then = trainer.compiled_weights
    if {id(variable) for variable in now} != then:
        raise ValueError(
            "Expected compile() again after layers were frozen, thawed or given LoRA: what is "
            f"trained is settled there. Received: {len(now)} weights to train, {len(then)} when "
            "compiled"
        )
