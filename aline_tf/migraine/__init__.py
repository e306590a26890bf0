"""The migraine application: simulator, timeline, importers, forecast and report."""

from aline_tf.runtime.lazy_exports import lazy_exports

_ROOMS = (
    "schema",
    "records",
    "simulation",
    "task",
    "forecast",
    "interview",
    "report",
    "evaluation",
)

__getattr__, __dir__, __all__ = lazy_exports(__name__, {room: room for room in _ROOMS})
