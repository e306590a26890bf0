"""Amortized active learning and inference: which data point to acquire next, and what is known.

The public names are resolved on first use (PEP 562), so that importing the package costs nothing
and loads no TensorFlow.
"""

from importlib import import_module
from typing import Any

from aline_tf.errors import InputError
from aline_tf.runtime.keras_registration import register_lazily

__version__ = "0.1.0"

# Public name -> module that defines it.
_EXPORTS = {
    "ALINE": "aline_tf.models.aline",
    "Client": "aline_tf.serving.client",
    "Frozen": "aline_tf.models.frozen",
    "Session": "aline_tf.acquisition.session",
    "TaskSpec": "aline_tf.spec",
    "Trainer": "aline_tf.training.trainer",
    "evaluate": "aline_tf.experiments.table",
    "load_preset": "aline_tf.models.presets",
    "presets": "aline_tf.models.presets",
    "save_preset": "aline_tf.models.presets",
}
_ROOMS = (
    "acquisition",
    "evaluation",
    "experiments",
    "migraine",
    "models",
    "plots",
    "serving",
    "tasks",
    "training",
)

__all__ = ["InputError", "__version__", *_EXPORTS, *_ROOMS]

register_lazily()


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(import_module(_EXPORTS[name]), name)
    elif name in _ROOMS:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
