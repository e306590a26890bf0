"""Serving: named signatures, their export, a server that speaks TensorFlow Serving, a client.

A program that only calls a server imports neither TensorFlow nor the model.
"""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Client": "client",
        "ModelRepository": "embedded.repository",
        "NotFoundError": "embedded.versions",
        "RemoteModel": "remote_model",
        "Retry": "calls.retry",
        "Server": "embedded.server",
        "answer_tables": "calls.tables",
        "batch_of_tables": "calls.tables",
        "export_model": "export",
        "export_presets": "preset_exports",
    },
)
