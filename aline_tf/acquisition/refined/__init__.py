"""Posteriors refined by a task's likelihood: weighted draws, and each parameter by itself."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__, {"Refinement": "refinement", "WeightedDraws": "refinement"}
)
