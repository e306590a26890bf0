"""A trained model as a SavedModel: named signatures over stock TensorFlow operations.

The written graph needs neither Keras nor TensorFlow Probability nor this package to be loaded, by
`tf.saved_model.load`, by TensorFlow Serving or by the session loader.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.models.presets import CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE, save_preset
from aline_tf.runtime.atomic_files import atomic_path
from aline_tf.serving.extras.reference_page import REFERENCE_FILE, reference_page
from aline_tf.serving.extras.warm_up_requests import WARM_UP_FILE, write_warm_up_requests
from aline_tf.serving.graph.signature_functions import SignatureFunctions
from aline_tf.serving.limits import LIMITS_FILE, Limits
from aline_tf.serving.signatures import (
    DEFAULT_SIGNATURE,
    SERVING_DEFAULT,
    SIGNATURES,
)
from aline_tf.spec import TaskSpec
from aline_tf.units.trained_range import trained_ranges

PRESET = "preset"
#: What an export writes; any other file of the directory (a model card, a log) is kept.
_EXPORTED = re.compile(
    r"saved_model\.pb|fingerprint\.pb|variables/variables\.(index|data-\d+-of-\d+)"
    rf"|{'|'.join(map(re.escape, (LIMITS_FILE, REFERENCE_FILE, WARM_UP_FILE)))}"
    rf"|{PRESET}/({'|'.join(map(re.escape, (CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE)))})"
)


def export_model(
    model: Any,
    directory: str | os.PathLike[str],
    *,
    preset: str | os.PathLike[str] | None = None,
    metadata: dict[str, Any] | None = None,
    force: bool = False,
    limits: Limits | None = None,
) -> Path:
    """Write `model` as a SavedModel with the signatures of `aline_tf.serving.signatures`.

    The directory appears whole or not at all. TensorFlow Serving expects it to be
    ``<base path>/<model name>/<version number>``.

    Args:
        model: an `ALINE` model whose weights exist.
        directory: where to write. Beside the SavedModel it holds `preset/`, from which the model
            can be loaded again and trained further.
        preset: directory of the preset the model was loaded from, to be copied; without it the
            preset is written from the model.
        metadata: metadata of a preset written from the model.
        force: replace an export that is there; every file that is not of an export is kept.
        limits: sizes above which its graph refuses a request; the usual ones by default.

    Returns:
        The directory. It also holds the limits and requests to warm a server up (in
        `assets.extra/`), and a page of reference for those who ask it.

    Raises:
        InputError: the directory holds something and `force` is not set, or it holds something
            that is not an export.
    """
    directory = Path(directory)
    _check_place(directory, force)
    limits = limits or Limits()
    served = SignatureFunctions(model, limits)
    functions = {name: served.signature(name) for name in SIGNATURES}
    functions[SERVING_DEFAULT] = functions[DEFAULT_SIGNATURE]
    with atomic_path(directory) as partial:
        tf.saved_model.save(served, str(partial), signatures=functions)
        write_warm_up_requests(partial, model.spec, limits)
        (partial / LIMITS_FILE).write_text(json.dumps(limits.to_dict()) + "\n")
        (partial / REFERENCE_FILE).write_text(reference_page(model.spec, limits, _name(directory)))
        if preset is not None:
            _copy_preset(Path(preset), partial / PRESET, model.spec)
        else:
            save_preset(model, partial / PRESET, metadata or {})
        _keep_foreign_files(directory, partial)
    return directory


def _name(version: Path) -> str | None:
    """The name under which a server hosts this directory, if it is a numbered version."""
    place = version.resolve()
    return place.parent.name if place.name.isdigit() else None


def _copy_preset(source: Path, target: Path, spec: TaskSpec) -> None:
    """Copy the files of a preset, not the checkpoints and logs that may lie beside them."""
    target.mkdir()
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        shutil.copy2(source / name, target / name)
    if (source / METADATA_FILE).is_file():
        shutil.copy2(source / METADATA_FILE, target / METADATA_FILE)
        _add_ranges(target / METADATA_FILE, spec)


def _add_ranges(metadata: Path, spec: TaskSpec) -> None:
    """Says in the metadata of an older preset what designs and outcomes it was trained on."""
    try:
        stored = json.loads(metadata.read_text())
    except ValueError:
        return
    if "ranges" not in stored:
        metadata.write_text(json.dumps({**stored, "ranges": trained_ranges(spec)}, indent=1))


def _check_place(directory: Path, force: bool) -> None:
    """Refuses a place that may not be written to, or not be replaced."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise InputError(f"expected a directory to write to; received {directory}, a file")
    present = any(directory.iterdir())
    if present and not force:
        raise InputError(
            f"expected a directory that does not exist yet, or --force to replace an export;"
            f" received {directory}, which is not empty"
        )
    marks = ("saved_model.pb", f"{PRESET}/{CONFIG_FILE}")
    lacking = [mark for mark in marks if not (directory / mark).is_file()]
    if present and lacking:
        raise InputError(
            f"expected an earlier export to replace; received {directory}, which holds no"
            f" {' and no '.join(lacking)}"
        )


def _keep_foreign_files(source: Path, target: Path) -> None:
    """Copies what is not of an export, wherever it lies, so that replacing loses nothing."""
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            (target / place).mkdir(exist_ok=True)
        elif not _EXPORTED.fullmatch(place.as_posix()):
            shutil.copy2(path, target / place, follow_symlinks=False)
