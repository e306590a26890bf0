"""Where trained models are found: the presets of the package, and a directory of one's own.

TensorFlow is not imported, so that a client knows the task of the model it asks.
"""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec

#: Names a directory of models, `<model>/<version>/`, that is looked into before the package.
SAVEDMODELS_VARIABLE = "ALINE_TF_SAVEDMODELS"
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
#: In a preset, the table that `aline-tf eval TASK --promises --json` wrote of it.
PROMISES_FILE = "promises.json"


def packaged_presets() -> dict[str, Path]:
    """The directory of every preset of the package, by its name.

    Returns:
        name -> directory with config.json, metadata.json and model.weights.h5, sorted by name.
    """
    inside = Path(str(files("aline_tf"))) / "presets"
    return {path.name: path for path in sorted(inside.glob("*")) if (path / _CONFIG).is_file()}


def preset_table() -> list[dict[str, str]]:
    """One row for each packaged preset: name, task, parameters, and what it was measured at ("" if
    its metadata do not say)."""
    rows = []
    for name, directory in packaged_presets().items():
        spec = preset_spec(name)
        metadata = directory / "metadata.json"
        stored = json.loads(metadata.read_text(encoding="utf-8")) if metadata.is_file() else {}
        names = ", ".join(spec.parameter_names) or "none"
        parameters = f"{len(spec.parameters)}: {names}"
        measured = str(stored.get("measured", ""))
        rows.append(
            {"name": name, "task": spec.name, "parameters": parameters, "measured": measured}
        )
    return rows


def preset_spec(name: str) -> TaskSpec:
    """The task of a packaged preset.

    Args:
        name: of the preset.

    Raises:
        InputError: there is none of that name.
    """
    presets = packaged_presets()
    if name not in presets:
        raise InputError(f"expected a preset of {', '.join(presets)}; received {name!r}")
    config = json.loads((presets[name] / _CONFIG).read_text(encoding="utf-8"))["config"]
    return TaskSpec.from_dict(config["spec"])


def weights_digest(directory) -> str | None:
    """A hash of the file of weights in a preset: tables of figures say by it what they are of.

    Args:
        directory: of the preset, or a model version that has one in `preset/`.

    Returns:
        16 hexadecimal digits; None where there is no such file.
    """
    for inner in ("", "preset"):
        file = Path(directory) / inner / _WEIGHTS
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return None


def preset_directory(name) -> Path:
    """The directory of a preset.

    Args:
        name: a directory with a preset, or a model version that has one in `preset/`; otherwise the
            name of one of the package. Where ALINE_TF_SAVEDMODELS names a directory of models, its
            newest version of that name comes before the package's.

    Raises:
        InputError: neither a directory nor a preset of the package.
    """
    if any((Path(name) / inner / _CONFIG).is_file() for inner in ("", "preset")):
        return Path(name)
    if os.environ.get(SAVEDMODELS_VARIABLE):
        inside = (savedmodels_dir() / str(name)).glob("*")
        versions = [path for path in inside if path.name.isdecimal()]
        if versions:
            return max(versions, key=lambda path: int(path.name))
    presets = packaged_presets()
    if str(name) in presets:
        return presets[str(name)]
    if Path(name).is_dir():
        return Path(name)
    raise InputError(
        f"expected a preset, by its directory or as one of {', '.join(presets)}; received {name}"
    )


def savedmodels_dir() -> Path:
    """Directory of the SavedModels that ship with the project, `<model>/<version>/`.

    It is the one named by the environment variable ALINE_TF_SAVEDMODELS, otherwise `savedmodels/`
    of the checkout this package was installed from.

    Raises:
        InputError: that directory does not exist.
    """
    configured = os.environ.get(SAVEDMODELS_VARIABLE)
    place = Path(configured) if configured else Path(__file__).resolve().parents[2] / "savedmodels"
    if not place.is_dir():
        raise InputError(
            f"expected a directory of trained models (set {SAVEDMODELS_VARIABLE} to one);"
            f" received {place}, which is not a directory"
        )
    return place
