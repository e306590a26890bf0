"""Held-out episodes after every epoch, as Keras reports validation: val_loss and the others."""

from __future__ import annotations

import warnings

import keras

from aline_tf.tasks.recorded_data import RecordedDataTask
from aline_tf.training.fitting.calls import require_count, require_task

#: How many episodes validate when nobody says.
EPISODES = 256


class HeldOutValidation(keras.callbacks.Callback):
    """Adds the figures of `Trainer.evaluate` to what an epoch reports, as `val_...`.

    It stands before all that reads them: EarlyStopping, ModelCheckpoint(save_best_only=True), logs.

        >>> HeldOutValidation(episodes=256).episodes
        256

    Args:
        episodes: how many are played, the same ones after every epoch.
        task: whose they are; None is the one that is trained on.
    """

    def __init__(self, episodes: int, task=None):
        super().__init__()
        self.episodes, self.task = episodes, task

    def on_epoch_end(self, epoch, logs=None):
        found = self.model.evaluate(episodes=self.episodes, task=self.task, verbose=0)
        logs.update({f"val_{name}": value for name, value in found.items()})


def held_out_validation(task, episodes: int | None, other=None) -> list[HeldOutValidation]:
    """The callback that `Trainer.fit` is asked for, or none.

    Args:
        task: that is trained on.
        episodes: how many are played; None is none, or 256 of another task.
        other: the task whose episodes these are; None is `task` itself, which in recorded data
            means the same subjects, and is warned of.

    Raises:
        ValueError: no number of episodes, no task, or one of another specification.
    """
    if episodes is not None:
        require_count("validation_episodes", episodes)
    if other is not None:
        require_task("validation_data", task, other)
        return [HeldOutValidation(episodes or EPISODES, other)]
    if episodes is None:
        return []
    if isinstance(task, RecordedDataTask):
        warnings.warn(
            "expected validation_data of other subjects (RecordedDataTask.split); received none: "
            "the subjects that are validated on are those that are trained on",
            stacklevel=3,
        )
    return [HeldOutValidation(episodes)]
