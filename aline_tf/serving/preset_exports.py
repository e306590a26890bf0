"""SavedModels of the packaged presets, made once and kept in a cache directory.

The package carries presets (a megabyte each), not SavedModels. What a server needs is exported when
it is first asked for, under ``<cache>/<name>/1``. An export appears whole or not at all, and is
made anew when the package's preset is another than the one that it was made from.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import packaged_presets

VERSION = "1"
#: What a killed export left is removed when it is older than any export takes, in seconds.
_LEFT_BEHIND = 3600.0


def default_cache() -> Path:
    """``aline_tf/<version of the package>/savedmodels`` of the user's cache directory, which is
    XDG_CACHE_HOME where that is set to an absolute path, otherwise ``~/.cache``."""
    from aline_tf import __version__

    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    cache = configured if configured.is_absolute() else Path.home() / ".cache"
    return cache / "aline_tf" / __version__ / "savedmodels"


def export_presets(
    names: Sequence[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    report: Callable[[str], None] = print,
) -> Path:
    """Exports packaged presets that are not in the cache yet.

    Args:
        names: of presets; all of the package by default.
        cache: directory of the exports; `default_cache` by default.
        report: is called with one line for each model: where it is, and whether it was made now.

    Returns:
        The cache directory: a base path for `ModelRepository`.

    Raises:
        InputError: a name that is no preset, or something else lies where an export belongs.
    """
    presets = packaged_presets()
    names = list(presets) if names is None else list(dict.fromkeys(names))
    unknown = [name for name in names if name not in presets]
    if unknown:
        raise InputError(f"expected models of {', '.join(presets)}; received {', '.join(unknown)}")
    place = default_cache() if cache is None else Path(cache)
    for name in names:
        version = place / name / VERSION
        _remove_left_behind(version.parent)
        if is_export_of(version, presets[name]):
            report(f"{name}: as exported to {version}")
            continue
        _export(presets[name], version)
        report(f"{name}: exported to {version}")
    return place


def is_export_of(version: Path, preset: Path) -> bool:
    """Whether a version directory holds a SavedModel made from this very preset."""
    inside = version / "preset"
    return (version / "saved_model.pb").is_file() and all(
        (inside / file.name).is_file() and (inside / file.name).read_bytes() == file.read_bytes()
        for file in preset.iterdir()
        if file.name in ("config.json", "model.weights.h5")
    )


def _export(preset: Path, version: Path) -> None:
    # TensorFlow is imported only where there is something to export.
    from aline_tf.models.presets import load_preset
    from aline_tf.serving.export import export_model

    export_model(load_preset(preset), version, preset=preset, force=True)


def _remove_left_behind(place: Path) -> None:
    for path in place.glob(f".partial-*-{VERSION}"):
        if time.time() - path.stat().st_mtime > _LEFT_BEHIND:
            shutil.rmtree(path, ignore_errors=True)
