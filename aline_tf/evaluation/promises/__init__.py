"""Promises of a session, each measured against an exact posterior; see `suite`."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Examined": "suite",
        "PolicyRuns": "policy_runs",
        "Inference": "inference",
        "ModelInference": "inference",
        "PROMISES": "figure",
        "PromiseFigure": "figure",
        "RefinedInference": "refined",
        "Summary": "inference",
        "measure": "suite",
    },
)
