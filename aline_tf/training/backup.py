"""Checkpoints that a run is resumed from: never half written, and checked before they are used.

A checkpoint is two files, the state (weights, optimiser) and a record that names it by its SHA-256
and says where the run stood. The last two checkpoints are kept and every file takes its name at
once, so that whenever the process is killed at least one whole checkpoint is found again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import warnings
from pathlib import Path

import keras

from aline_tf.errors import InputError
from aline_tf.models.presets import save_weights
from aline_tf.runtime.atomic_files import require_directory, writing

LATEST, PREVIOUS, PARTIAL = "latest", "previous", "partial"
_STATE, _RECORD = ".weights.h5", ".json"
_FILES = tuple(stem + end for stem in (LATEST, PREVIOUS, PARTIAL) for end in (_STATE, _RECORD))


class Backup(keras.callbacks.Callback):
    """Writes a checkpoint after every epoch, and takes up the run that a newest good one is of.

    What `keras.callbacks.BackupAndRestore` is for, with checkpoints that are whole or not at all,
    and that are of this run: same task, model, optimiser, recipe and seed.

        >>> Backup("out/backup").newest() is None  # nothing to resume from
        True

    Args:
        directory: of the checkpoints; other files in it are left alone.
        restart: whether a checkpoint found there is forgotten instead.
        run: further facts that a resumed run must share, JSON-able: the preset it began with.

    Raises:
        InputError: on `fit`, when what is found is of another run, when nothing of it is whole, or
            when a checkpoint cannot be written: the ones before stay.
    """

    def __init__(self, directory, restart: bool = False, run: dict | None = None):
        super().__init__()
        self.directory = Path(directory)
        self.restart, self.run = restart, dict(run or {})

    def newest(self) -> tuple[dict, Path] | None:
        """The record and the state of the newest whole checkpoint; None where there is none.

        Raises:
            InputError: there are checkpoints, and none of them is whole.
        """
        records, damaged = [], []
        for path in self._existing(_RECORD):
            try:
                record = json.loads(path.read_text())
                records.append({name: record[name] for name in ("epoch", "sha256", "run")})
            except (ValueError, KeyError, TypeError, OSError):
                damaged.append(path.name)
        states = {_digest(path): path for path in self._existing(_STATE)}
        whole = [record for record in records if record["sha256"] in states]
        known = {record["sha256"] for record in records}
        damaged += [path.name for digest, path in states.items() if digest not in known]
        if whole:
            record = max(whole, key=lambda record: record["epoch"])
            if damaged:
                warnings.warn(
                    f"Expected whole checkpoints in {self.directory}. Received: unfinished or "
                    f"damaged {', '.join(sorted(damaged))}; resuming after epoch {record['epoch']}",
                    stacklevel=2,
                )
            return record, states[record["sha256"]]
        if records or damaged:
            raise InputError(
                f"expected a whole checkpoint to resume from in {self.directory} (--restart begins"
                f" anew); received damaged {', '.join(sorted(damaged)) or 'records alone'}"
            )
        return None

    def _existing(self, end):
        paths = (self.directory / (stem + end) for stem in (LATEST, PREVIOUS))
        return [path for path in paths if path.is_file()]

    def _facts(self) -> dict:
        """What makes a run this one, beside its weights."""
        model = self.model
        optimizer = _unnamed(keras.saving.serialize_keras_object(model.optimizer)["config"])
        facts = {
            "task": model.task.spec.name,
            # Its specification too: other bounds are another task of the same name.
            "model": _unnamed(model.model.get_config()),
            "seed": model.seed,
            "steps_per_epoch": self.params["steps"],
            "recipe": model.recipe.to_dict(),
            "sizes": [list(weight.shape) for weight in model.weights],
            "optimizer": optimizer,
        } | self.run
        return json.loads(json.dumps(facts, default=str))

    def on_train_begin(self, logs=None):
        """Takes up the run, where there is a checkpoint.

        Raises:
            InputError: it is of another run, or nothing of it is whole.
        """
        require_directory(self.directory)
        self._own = self._facts()
        if self.restart:
            self._remove()
        found = self.newest()
        if found is None:
            return
        record, state = found
        own = self._own
        if "model" not in record["run"]:
            # A checkpoint of an earlier version: it knows the shapes of the weights alone.
            own = {name: fact for name, fact in own.items() if name != "model"}
        differing = _differing(record["run"], own)
        if differing:
            name, was, now = differing
            raise InputError(
                f"expected the run of {self.directory} with {name}={was} (--restart forgets it);"
                f" received {name}={now}"
            )
        self.model.load_weights(str(state))
        # Where `fit` looks for the epoch to begin with, as BackupAndRestore tells it.
        self.model._initial_epoch = record["epoch"]

    def on_epoch_end(self, epoch, logs=None):
        partial, record = (self.directory / (PARTIAL + end) for end in (_STATE, _RECORD))
        try:
            with writing(self.directory):
                self.directory.mkdir(parents=True, exist_ok=True)
                save_weights(self.model, partial)
                about = {"epoch": epoch + 1, "sha256": _digest(partial), "run": self._own}
                record.write_text(json.dumps(about, indent=1))
        except InputError:
            for path in (partial, record):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        # Between any two of these a record and its state are both there, under whichever names.
        for old, new in ((LATEST, PREVIOUS), (PARTIAL, LATEST)):
            for end in (_STATE, _RECORD):
                if (self.directory / (old + end)).is_file():
                    os.replace(self.directory / (old + end), self.directory / (new + end))

    def on_train_end(self, logs=None):
        self._remove()

    def _remove(self):
        """Takes away what this class writes, and the directory if nothing else is in it."""
        for name in _FILES:
            (self.directory / name).unlink(missing_ok=True)
        if self.directory.is_dir() and not any(self.directory.iterdir()):
            self.directory.rmdir()


def _unnamed(config):
    """A configuration without names, which count the objects of a process."""
    if not isinstance(config, dict):
        return config
    return {name: _unnamed(value) for name, value in config.items() if name != "name"}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _differing(was: dict, now: dict):
    """(name, then, now) of the first thing that two runs do not share, or None."""
    for name in {**was, **now}:
        old, new = was.get(name), now.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            inner, old, new = _differing(old, new)
            return f"{name}.{inner}", old, new
        return name, old, new
    return None
