"""Callbacks of a training run: resuming, the log, the preset, and numbers that are not finite."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from aline_tf.errors import InputError, TrainingDiverged
from aline_tf.models.presets import preset_metadata, save_preset
from aline_tf.runtime.atomic_files import atomic_path, require_directory, writing
from aline_tf.training.backup import Backup


class StopWhenNotFinite(keras.callbacks.Callback):
    """Ends a run whose loss or weights are NaN or infinite with `TrainingDiverged`.

    An exception, since a run that is merely asked to stop looks like a finished one: what was saved
    before stays, and nothing is saved after. `Trainer.fit` always has one, before all others.

    In half precision an optimiser passes over a step whose gradients are not finite, and scales the
    loss down: where it has passed over so many that the scale is spent, the run ends as well.

        >>> StopWhenNotFinite().on_train_batch_end(0, {"loss": 0.5})

    Raises:
        TrainingDiverged: after the step, or the epoch, with such a number.
    """

    #: A loss that fits half precision at all has gradients that fit it at this scale.
    SMALLEST_SCALE = 2.0**-10

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            self._stop(f"a loss of {loss}")
        scale = getattr(self.model.optimizer, "dynamic_scale", None) if self.model else None
        if scale is not None and float(scale) < self.SMALLEST_SCALE:
            self._stop("gradients that are not finite, step after step,")

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
    """Writes the model's preset every few epochs, so that a long run can be cut at any time.

        >>> PresetCheckpoint("out/preset", every=2).directory.name
        'preset'

    Args:
        directory: of the preset.
        every: epochs between two writes, at least 1.

    Raises:
        InputError: no whole number of epochs, or a directory that cannot be written.
    """

    def __init__(self, directory, every: int = 5):
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"expected a preset every 1 or more epochs; received {every!r}")
        self.directory = require_directory(directory)
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            figures = {name: float(value) for name, value in (logs or {}).items()}
            steps = int(self.model.optimizer.iterations.numpy())
            save_preset(
                self.model.model,
                self.directory,
                {"task": self.model.task.spec.name, "steps": steps, "last_epoch": figures},
            )


class FinalPreset(keras.callbacks.Callback):
    """Writes the preset of a finished run. It stands before `Backup`, which takes the checkpoints
    away: where the preset cannot be written, nothing is lost.

        >>> FinalPreset("out/preset", lambda trainer: {"seed": trainer.seed}).directory.name
        'preset'

    Args:
        directory: of the preset.
        metadata: trainer -> what the preset says of the run.

    Raises:
        InputError: a directory that cannot be written.
    """

    def __init__(self, directory, metadata):
        super().__init__()
        self.directory, self.metadata = require_directory(directory), metadata

    def on_train_end(self, logs=None):
        save_preset(self.model.model, self.directory, self.metadata(self.model))


class TrainingLog(keras.callbacks.Callback):
    """One line an epoch in a CSV file; a resumed run goes on where its checkpoint stands.

        >>> TrainingLog("training_log.csv").path.name
        'training_log.csv'

    Args:
        path: of the file; a new run replaces the log of an older one.

    Raises:
        InputError: another file than a log stands there, or it cannot be written.
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        require_directory(self.path.parent)
        if self.path.is_dir():
            raise InputError(f"expected a file for the log; received {self.path}, a directory")
        # Every log of ours begins with the epoch and knows the inference loss.
        header = self._lines()[0].split(",")
        if header != [""] and not (header[0] == "epoch" and "inference" in header):
            raise InputError(
                f"expected a training log or nothing at {self.path}; received another file"
            )

    def _lines(self) -> list[str]:
        found = self.path.read_text(errors="replace").splitlines() if self.path.exists() else []
        return found or [""]

    def _write(self, lines):
        """The whole file at once: a run that is killed here leaves no half line."""
        with writing(self.path), atomic_path(self.path) as partial:
            partial.write_text("\n".join([*lines, ""]))

    def on_epoch_begin(self, epoch, logs=None):
        # What was logged after the checkpoint that the run goes on from is cut off, and so is what
        # a version before this one left half written.
        header, *rows = self._lines()
        cells = [row.split(",") for row in rows]
        kept = [
            row
            for row, (first, *rest) in zip(rows, cells, strict=True)
            if first.isdecimal() and int(first) < epoch and len(rest) == header.count(",")
        ]
        if kept != rows:
            self._write([header, *kept]) if kept else self.path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in sorted((logs or {}).items())}
        header, *rows = self._lines()
        header = header or ",".join(["epoch", *logs])
        cells = [str(logs.get(name, "")) for name in header.split(",")[1:]]
        self._write([header, *rows, ",".join([str(epoch), *cells])])


def training_callbacks(
    directory, restart: bool = False, run: dict | None = None, metadata=None
) -> list[keras.callbacks.Callback]:
    """Checkpoints, CSV log and preset, all inside `directory`, whose other files are left alone.

    Args:
        directory: where they write; `backup/`, `training_log.csv`, `preset/`.
        restart: forget an interrupted run instead of resuming it, and replace a finished one.
        run: facts that a resumed run must share, see `Backup`.
        metadata: of the preset of the finished run, see `FinalPreset`; None leaves it to the
            caller.

    Returns:
        callbacks for `Trainer.fit`.

    Raises:
        InputError: another file stands in the place of the log; or the preset of a finished run
            is there, and `restart` is False.
    """
    directory = Path(directory)
    if not restart:
        _require_unfinished(directory)
    return [
        # What a checkpoint has gone through is in the log; what is behind it is cut off again.
        TrainingLog(directory / "training_log.csv"),
        PresetCheckpoint(directory / "preset"),
        *([] if metadata is None else [FinalPreset(directory / "preset", metadata)]),
        Backup(directory / "backup", restart, run),
    ]


def _require_unfinished(directory):
    """Hours of training are not replaced by who runs the same command again."""
    try:
        facts = preset_metadata(directory / "preset")
    except InputError:
        return
    # A checkpoint's preset says nothing of its run.
    if "seed" in facts and not (directory / "backup").exists():
        shown = ", ".join(
            f"{name} {facts[name]}" for name in ("task", "seed", "steps") if name in facts
        )
        raise InputError(
            "expected a directory without a finished run, or --restart, which replaces it; "
            f"received {directory}, whose preset is of one ({shown})"
        )
