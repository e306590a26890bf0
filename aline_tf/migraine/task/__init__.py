"""Migraine as a task: simulated and recorded episodes, features of days, the pretrained model."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "DayFeatures": "day_features",
        "fine_tune": "fine_tuning",
        "load_model": "pretrained",
        "MigraineTask": "simulated",
        "read_histories": "recorded",
        "RecordedTask": "recorded",
    },
)
