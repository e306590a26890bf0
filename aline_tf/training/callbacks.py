"""What watches a training run: resuming, the log, the preset, and numbers that are not finite."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from aline_tf.errors import InputError, TrainingDiverged
from aline_tf.models.presets import save_preset
from aline_tf.training.backup import Backup


class StopWhenNotFinite(keras.callbacks.Callback):
    """Ends a run whose loss or weights are NaN or infinite with `TrainingDiverged`.

    An exception, since a run that is merely asked to stop looks like a finished one: what was saved
    before stays, and nothing is saved after. `Trainer.fit` always has one, before all others.

    Raises:
        TrainingDiverged: after the step, or the epoch, with such a number.
    """

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            self._stop(f"a loss of {loss}")

    def on_epoch_end(self, epoch, logs=None):
        for weight in self.model.weights:
            if not np.isfinite(np.asarray(weight)).all():
                self._stop(f"numbers that are not finite in {weight.path}")

    def _stop(self, received):
        step = int(self.model.optimizer.iterations.numpy())
        raise TrainingDiverged(
            f"expected finite losses and weights; received {received} at step {step} (what was"
            " saved before is kept; look at the simulator's outcomes and the learning rate)"
        )


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


class TrainingLog(keras.callbacks.CSVLogger):
    """One line an epoch in a CSV file; a resumed run goes on where its checkpoint stands.

    Args:
        path: of the file; a new run replaces the log of an older one.

    Raises:
        InputError: another file than a log stands there.
    """

    def __init__(self, path):
        path = Path(path)
        super().__init__(str(path), append=True)
        # Every log of ours begins with the epoch and knows the inference loss.
        header = path.read_text(errors="replace").partition("\n")[0] if path.exists() else ""
        if header and not (header.startswith("epoch,") and "inference" in header.split(",")):
            raise InputError(f"expected a training log or nothing at {path}; received another file")

    def on_train_begin(self, logs=None):
        """Waits: where the run begins is known when every callback has had its turn."""

    def on_epoch_begin(self, epoch, logs=None):
        if self.csv_file is None:
            self._cut(epoch)
            super().on_train_begin()

    def on_train_end(self, logs=None):
        if self.csv_file is not None:
            super().on_train_end()

    def _cut(self, epoch):
        """Leaves the lines of the epochs before `epoch`."""
        path = Path(self.filename)
        if not path.exists():
            return
        header, *rows = path.read_text().splitlines() or [""]
        cells = (row.partition(",")[0] for row in rows)
        kept = [
            row
            for row, cell in zip(rows, cells, strict=True)
            if cell.isdecimal() and int(cell) < epoch
        ]
        if kept:
            path.write_text("\n".join([header, *kept, ""]))
        else:
            path.unlink()


def training_callbacks(
    directory, restart: bool = False, run: dict | None = None
) -> list[keras.callbacks.Callback]:
    """Checkpoints, CSV log and preset, all inside `directory`, whose other files are left alone.

    Args:
        directory: where they write; `backup/`, `training_log.csv`, `preset/`.
        restart: forget an interrupted run instead of resuming it.
        run: facts that a resumed run must share, see `Backup`.
    """
    directory = Path(directory)
    return [
        # What a checkpoint has gone through is in the log; what is behind it is cut off again.
        TrainingLog(directory / "training_log.csv"),
        PresetCheckpoint(directory / "preset"),
        Backup(directory / "backup", restart, run),
    ]
