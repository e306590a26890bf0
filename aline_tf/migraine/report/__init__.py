"""The report of a forecast as one HTML file, or as plain text."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "console_text": "console",
        "outlook_document": "document",
        "render": "report",
    },
)
