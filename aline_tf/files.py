"""Old door to `aline_tf.models.packaged_presets` and `aline_tf.runtime.atomic_files`."""

import warnings
from importlib import import_module
from typing import Any

_MOVED = {
    "atomic_path": "aline_tf.runtime.atomic_files",
    "savedmodels_dir": "aline_tf.models.packaged_presets",
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name} is in {_MOVED[name]} now", DeprecationWarning, 2)
    return getattr(import_module(_MOVED[name]), name)
