"""Deprecated import path: `aline_tf.spec` and `aline_tf.tasks.task` have these now."""

import warnings
from importlib import import_module
from typing import Any

_MOVED = {
    "Channel": "aline_tf.spec",
    "Parameter": "aline_tf.spec",
    "Task": "aline_tf.tasks.task",
    "TaskSpec": "aline_tf.spec",
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name} is in {_MOVED[name]} now", DeprecationWarning, 2)
    return getattr(import_module(_MOVED[name]), name)
