"""The presets that come with the package: where each is, and the task it is for.

TensorFlow is not imported, so that a client knows the task of the model it asks.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.runtime.atomic_files import savedmodels_dir
from aline_tf.spec import TaskSpec

_CONFIG = "config.json"


def packaged_presets() -> dict[str, Path]:
    """The directory of every preset of the package, by its name.

    Returns:
        name -> directory with config.json, metadata.json and model.weights.h5, sorted by name.
    """
    inside = Path(str(files("aline_tf"))) / "presets"
    places = sorted(inside.glob("*")) or sorted(savedmodels_dir().glob("*/1/preset"))
    return {
        path.parents[1].name if path.name == "preset" else path.name: path
        for path in places
        if (path / _CONFIG).is_file()
    }


def preset_table() -> list[dict[str, str]]:
    """One row for each packaged preset: name, task, parameters, and what it was measured at ("" if
    its metadata do not say)."""
    rows = []
    for name, place in packaged_presets().items():
        spec = preset_spec(name)
        metadata = place / "metadata.json"
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
