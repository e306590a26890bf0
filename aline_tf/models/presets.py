"""Presets: a directory with config.json, metadata.json and model.weights.h5, and no pickle."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import h5py

from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.runtime.atomic_files import atomic_path

CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE = "config.json", "metadata.json", "model.weights.h5"


def save_preset(model: ALINE, directory, metadata: dict | None = None) -> None:
    """Writes the preset, replacing an older one only when everything is on disk.

    Args:
        model: a built model.
        directory: where; parents are created.
        metadata: anything JSON can hold: how it was trained, its figures.
    """
    config = model.get_config()
    # All that the constructor takes, so that a new argument cannot be forgotten here.
    kept = [name for name in inspect.signature(ALINE).parameters if name in config]
    with atomic_path(directory) as temporary:
        temporary.mkdir()
        (temporary / CONFIG_FILE).write_text(
            json.dumps({"class": "ALINE", "config": {k: config[k] for k in kept}}, indent=1)
        )
        (temporary / METADATA_FILE).write_text(json.dumps(metadata or {}, indent=1))
        model.save_weights(str(temporary / WEIGHTS_FILE))


def load_preset(directory, task: str | None = None) -> ALINE:
    """The model of a preset, built, with its weights.

    Args:
        directory: the preset, or a model version that has one in `preset/`.
        task: the name of the task it must be for, when the caller needs a certain one.

    Raises:
        InputError: no preset there, a damaged one, or one of another task.
    """
    path = Path(directory)
    if (path / "preset" / CONFIG_FILE).is_file():
        path = path / "preset"
    missing = [f for f in (CONFIG_FILE, WEIGHTS_FILE) if not (path / f).is_file()]
    if missing:
        raise InputError(
            f"expected a preset with {CONFIG_FILE} and {WEIGHTS_FILE} in {directory}; "
            f"received a place without {', '.join(missing)}"
        )
    try:
        config = json.loads((path / CONFIG_FILE).read_text())["config"]
        model = ALINE.from_config(config)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"expected the configuration of an ALINE model in {path / CONFIG_FILE}; "
            f"received one that cannot be read: {error}"
        ) from error
    if task is not None and model.spec.name != task:
        raise InputError(f"expected a preset of task {task!r}; received one of {model.spec.name!r}")
    model.build()
    try:
        model.load_weights(str(path / WEIGHTS_FILE))
        # Keras passes over what has no place: a forgotten setting would go unnoticed.
        stored = _count_arrays(path / WEIGHTS_FILE)
        if stored != len(model.weights):
            raise ValueError(f"{stored} arrays where the network has {len(model.weights)}")
    except (ValueError, OSError) as error:
        raise InputError(
            f"expected weights that fit {path / CONFIG_FILE}; received {WEIGHTS_FILE}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return model


def _count_arrays(path: Path) -> int:
    """How many arrays an HDF5 file holds."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: found.append(isinstance(item, h5py.Dataset)))
    return sum(found)


def preset_metadata(directory) -> dict:
    """The metadata of a preset, or of the preset inside a model version."""
    path = Path(directory)
    if (path / "preset" / METADATA_FILE).is_file():
        path = path / "preset"
    try:
        return json.loads((path / METADATA_FILE).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"expected {METADATA_FILE} in {directory}; received: {error}") from error
