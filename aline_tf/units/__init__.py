"""Units: between the numbers of a user and the range that a model was trained on."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "RangeWatch": "trained_range",
        "Rescaling": "rescaling",
        "TrainingRange": "rescaling",
        "UnitAdapter": "unit_adapter",
        "trained_ranges": "trained_range",
    },
)
