"""What watches a training run: resuming, the log, and the preset written as it goes."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras

from aline_tf.models.presets import save_preset


class PresetCheckpoint(keras.callbacks.Callback):
    """Writes the network's preset every few epochs, so that a long run can be cut at any time.

    Args:
        directory: of the preset.
        every: epochs between two writes.
    """

    def __init__(self, directory, every: int = 5):
        super().__init__()
        self.directory = Path(directory)
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            figures = {name: float(value) for name, value in (logs or {}).items()}
            steps = int(self.model.optimizer.iterations.numpy())
            save_preset(
                self.model.network,
                self.directory,
                {"task": self.model.task.spec.name, "steps": steps, "last_epoch": figures},
            )


def training_callbacks(directory, restart: bool = False) -> list[keras.callbacks.Callback]:
    """Backup and restore, CSV log and preset checkpoint, all inside `directory`.

    Args:
        directory: where they write; `backup/`, `training_log.csv`, `preset/`.
        restart: forget an interrupted run instead of resuming it.
    """
    directory = Path(directory)
    backup, log = directory / "backup", directory / "training_log.csv"
    if restart or not backup.is_dir():
        shutil.rmtree(backup, ignore_errors=True)
        log.unlink(missing_ok=True)
    return [
        keras.callbacks.BackupAndRestore(str(backup)),
        keras.callbacks.CSVLogger(str(log), append=True),
        PresetCheckpoint(directory / "preset"),
        keras.callbacks.TerminateOnNaN(),
    ]
