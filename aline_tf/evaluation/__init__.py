"""Evaluation: simulated runs, one acquisition loop, metrics, calibration, information bounds."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Bar": "bars",
        "Bounds": "eig",
        "Deployment": "bars",
        "Estimates": "estimates",
        "Evaluation": "experiment",
        "Experiment": "experiment",
        "ModelPosterior": "model_posterior",
        "ModelPrediction": "model_posterior",
        "Reference": "bars",
        "Result": "results",
        "RunData": "simulated_runs",
        "Settings": "experiment",
        "SimulatedRuns": "simulated_runs",
        "Uniformity": "calibration",
        "calibration": "calibration",
        "eig": "eig",
        "metrics": "metrics",
        "play_through": "play",
        "prior_bounds": "eig",
        "results": "results",
        "uniformity": "calibration",
    },
)
