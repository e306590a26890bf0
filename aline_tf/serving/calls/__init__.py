"""What makes calls to a server comfortable: another try when it was away, tables in and out."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Retry": "retry",
        "answer_tables": "tables",
        "batch_of_tables": "tables",
    },
)
