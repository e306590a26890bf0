"""Experiments: what belongs to one task, a folder each, and what serves any task."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "CESExperiment": "ces.experiment",
        "FunctionExperiment": "functions.experiment",
        "GP1DExperiment": "functions.experiment",
        "GP2DExperiment": "functions.experiment",
        "HyperparameterExperiment": "hyperparameters.experiment",
        "KnownLikelihoodExperiment": "known_likelihood",
        "LocationFindingExperiment": "location_finding.experiment",
        "OwnTaskExperiment": "own_task",
        "PsychometricExperiment": "psychometric.experiment",
        "budget_settings": "lookup",
        "evaluate": "table",
        "experiment_by_name": "lookup",
        "experiment_of": "lookup",
        "model_settings": "lookup",
    },
)
