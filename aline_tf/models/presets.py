"""Presets of trained models: config.json, metadata.json and model.weights.h5, and no pickle."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from aline_tf.errors import InputError, first_line
from aline_tf.models import packaged_presets
from aline_tf.models.aline import ALINE
from aline_tf.runtime.atomic_files import atomic_path, require_directory, require_room, writing
from aline_tf.units.trained_range import trained_ranges
from aline_tf.units.unit_adapter import UnitAdapter

if TYPE_CHECKING:
    import pandas as pd

CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE = "config.json", "metadata.json", "model.weights.h5"
#: What HDF5 writes beside the numbers of an array, its groups included: about 2000 at most.
_BYTES_OF_AN_ARRAY = 2560


def save_preset(model: ALINE, directory, metadata: dict | None = None) -> None:
    """Writes the three files of a preset, and touches nothing else in the directory.

    Each file is written beside its place and takes its name when it is whole: an older preset is
    replaced file by file, the weights before what describes them.

    Args:
        model: a built model.
        directory: where; it and its parents are created.
        metadata: anything JSON can hold, NumPy numbers and arrays too: how it was trained, its
            figures. "ranges" are added, of designs and outcomes of its training (see
            `aline_tf.units.trained_ranges`), and "units" of a model that has some.

    Raises:
        InputError: a model that is not built, weights that are not finite, metadata that JSON
            cannot hold, a file in the place of the directory, or no room or permission to write.
            What stood there stays.
    """
    directory = require_directory(directory)
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(f"expected metadata as a dict; received {metadata!r}")
    if not model.built:
        raise InputError(
            "expected a model that has weights (call model.build() or load some); received one "
            "that is not built"
        )
    _check_finite(model)
    config = model.get_config()
    # All that the constructor takes, so that a new argument cannot be forgotten here.
    kept = [name for name in inspect.signature(ALINE).parameters if name in config]
    kept_units = {} if model.units is None else {"units": model.units.to_dict()}
    metadata = {**(metadata or {}), "ranges": trained_ranges(model.spec), **kept_units}
    try:
        metadata_json = json.dumps(metadata, indent=1, default=_plain)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected metadata that JSON can hold; received: {error}") from error
    described = json.dumps({"class": "ALINE", "config": {k: config[k] for k in kept}}, indent=1)
    with (
        writing(directory),
        atomic_path(directory / METADATA_FILE) as of_metadata,
        atomic_path(directory / CONFIG_FILE) as of_config,
        atomic_path(directory / WEIGHTS_FILE) as of_weights,
    ):
        save_weights(model, of_weights)
        of_config.write_text(described)
        of_metadata.write_text(metadata_json)


def save_weights(model, path) -> None:
    """`model.save_weights`, once it is known that there is room: HDF5 crashes where there is none.

    Args:
        model: a built Keras model.
        path: of the file, which ends in `.weights.h5`.

    Raises:
        OSError: no room, or no permission.
    """
    require_room(path, _bytes_of_weights(model))
    model.save_weights(str(path))


def _bytes_of_weights(model) -> int:
    """About the size of the file, and never less than it."""
    optimizer = getattr(model, "optimizer", None)
    stored = [*model.variables, *(optimizer.variables if optimizer else ())]
    # Keras writes what is inside of one that scales the loss a second time.
    inner = getattr(optimizer, "inner_optimizer", None)
    stored += inner.variables if inner else []
    numbers = sum(np.prod(each.shape) * np.dtype(each.dtype).itemsize for each in stored)
    return int(numbers) + _BYTES_OF_AN_ARRAY * (len(stored) + 8)


def _plain(value):
    """NumPy's numbers and arrays as those of Python."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _check_finite(model) -> None:
    for weight in model.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise InputError(f"expected finite weights; received NaN or infinity in {weight.path}")


def copy_weights(source: ALINE, model: ALINE) -> list[str]:
    """Gives a model the weights of another, wherever both have the same part.

    What only the new one has stays as it was made: layers that a model may be given later begin as
    nothing, so that it starts as what its source was.

    Args:
        source: a built model.
        model: a built model of the same task, in other settings.

    Returns:
        names of the weights that `source` does not have.

    Raises:
        InputError: another task, a weight of `source` that has no place in `model`, or one of
            another shape; nothing is copied.
    """
    if source.spec != model.spec:
        raise InputError(
            f"expected models of one task; received {source.spec.name!r} and {model.spec.name!r}, "
            "or two versions of it"
        )
    stored, own = ({_place(v): v for v in m.variables} for m in (source, model))
    for name, weight in stored.items():
        if name not in own or tuple(own[name].shape) != tuple(weight.shape):
            here = list(own[name].shape) if name in own else "none"
            raise InputError(f"expected a place for {name} {list(weight.shape)}; received {here}")
    for name, weight in stored.items():
        own[name].assign(weight)
    return [name for name in own if name not in stored]


def _place(variable) -> str:
    """Where a variable is in its model, whatever the model is called."""
    return variable.path.partition("/")[2]


def load_preset(directory, task: str | None = None) -> ALINE:
    """The model of a preset, built, with its weights.

    Args:
        directory: the preset, a model version that has one in `preset/`, or the name of a preset of
            the package (see `presets`).
        task: the name of the task it must be for, when the caller needs a certain one.

    Raises:
        InputError: no preset there, a damaged one, or one of another task.
    """
    if not isinstance(directory, str | os.PathLike) or not str(directory):
        raise InputError(
            "expected a preset, by its directory or as one of "
            f"{', '.join(packaged_presets.packaged_presets())}; received {directory!r}"
        )
    path = Path(directory)
    if not path.exists() and path.name == str(directory):
        path = packaged_presets.preset_directory(directory)
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
            raise ValueError(f"{stored} arrays where the model has {len(model.weights)}")
    except (ValueError, OSError) as error:
        raise InputError(
            f"expected weights that fit {path / CONFIG_FILE}; received {WEIGHTS_FILE}: "
            f"{first_line(error)}"
        ) from error
    _check_finite(model)
    model.units = _kept_units(path, model.spec)
    return model


def _kept_units(path: Path, spec) -> UnitAdapter | None:
    """The units in a preset's metadata, if it has some."""
    if not (path / METADATA_FILE).is_file():
        return None
    units = preset_metadata(path).get("units")
    if units is None:
        return None
    units = UnitAdapter.from_dict(units)
    units.check(spec)
    return units


def presets() -> pd.DataFrame:
    """The presets of the package: name, task, parameters, and what each was measured at.

    Example:
        >>> import aline_tf
        >>> list(aline_tf.presets().columns)
        ['name', 'task', 'parameters', 'measured']
        >>> model = aline_tf.ALINE.from_preset("psychometric")
        >>> model.spec.name
        'psychometric'
    """
    import pandas as pd

    return pd.DataFrame(packaged_presets.preset_table())


def _count_arrays(path: Path) -> int:
    """How many arrays an HDF5 file holds."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: found.append(isinstance(item, h5py.Dataset)))
    return sum(found)


def preset_metadata(directory) -> dict:
    """The metadata of a preset, or of the preset inside a model version.

    Args:
        directory: the preset, or a model version that has one in `preset/`.

    Raises:
        InputError: no metadata there, or something that is no JSON.
    """
    path = Path(directory)
    if (path / "preset" / METADATA_FILE).is_file():
        path = path / "preset"
    try:
        return json.loads((path / METADATA_FILE).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"expected {METADATA_FILE} in {directory}; received: {error}") from error
