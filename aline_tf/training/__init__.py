"""Training: a model learns to infer and to acquire from the episodes of a task."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Trainer": "trainer",
        "Recipe": "recipe",
        "Phases": "recipe",
        "Rollout": "recipe",
        "PolicyLoss": "recipe",
        "Optimizer": "recipe",
        "CosineRate": "schedules",
        "Backup": "backup",
        "PresetCheckpoint": "callbacks",
        "StopWhenNotFinite": "callbacks",
        "TrainingLog": "callbacks",
        "training_callbacks": "callbacks",
        "train": "run",
        "with_settings": "recipe",
    },
)
