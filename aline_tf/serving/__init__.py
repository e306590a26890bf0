"""Serving: named signatures, their export, a server that speaks TensorFlow Serving, a client.

The public names are resolved on first use (PEP 562): a program that only calls a server imports
neither TensorFlow nor the model.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {
    "Client": "aline_tf.serving.client",
    "ModelRepository": "aline_tf.serving.repository",
    "Server": "aline_tf.serving.server",
    "export_model": "aline_tf.serving.export",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
