"""The gateway: an application's back end takes in a person's readings and gives back forecasts.

    phone --readings--> intake --payloads--> storage --timeline--> forecasts --answers--> phone

It runs with the extra `gateway` (FastAPI, SQLAlchemy, Alembic).
"""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Database": "storage.database",
        "Settings": "settings",
        "create_app": "app",
    },
)
