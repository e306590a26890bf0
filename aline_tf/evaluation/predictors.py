"""Predictors: whoever summarises outcomes, or parameters, from a context, model or baseline.

Sizes: B rows, M targets, P parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from aline_tf import batch_ops
from aline_tf.acquisition.baselines.gp_policies import GPPolicy
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.model_posterior import ModelPosterior, ModelPrediction
from aline_tf.units.rescaling import TrainingRange

_Z = 1.6448536269514722  # normal quantile of 0.95
_LOG_SQRT_2PI = 0.9189385332046727


class Predictor(Protocol):
    """Whoever predicts outcomes, or parameters, from a context.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation.predictors import normal_estimates
        >>> class Zero:
        ...     def predict(self, batch, truth, rows):
        ...         return normal_estimates(np.zeros_like(truth), np.ones_like(truth), truth)
        >>> Zero().predict({}, np.zeros((2, 3)), slice(0, 2)).high.shape
        (2, 3)
    """

    def predict(self, batch: Mapping, truth: np.ndarray, rows: slice) -> Estimates:
        """Summaries [B, M] at the batch's target inputs, or [B, P] of the parameters.

        Args:
            batch: a Batch of B of the runs.
            truth: of the shape returned; only the log density may look at it.
            rows: which of the runs the batch holds.
        """


def normal_estimates(mean: np.ndarray, sd: np.ndarray, truth: np.ndarray) -> Estimates:
    """Summaries of normal distributions; the three arrays have one shape."""
    density = -0.5 * np.square((truth - mean) / sd) - np.log(sd) - _LOG_SQRT_2PI
    return Estimates(mean, mean - _Z * sd, mean + _Z * sd, density)


class FittedPredictor:
    """The Gaussian process that a policy refits to the context.

    Args:
        policy: whose process predicts.

    Example:
        >>> from aline_tf.acquisition import GPRandomPolicy, GPSettings
        >>> from aline_tf.evaluation.predictors import FittedPredictor
        >>> predictor = FittedPredictor(GPRandomPolicy(GPSettings(), seed=0))
    """

    def __init__(self, policy: GPPolicy):
        self._policy = policy

    def predict(self, batch, truth, rows):
        """See `Predictor.predict`."""
        return normal_estimates(*self._policy.predict(batch), truth)


class ModelPredictor:
    """The predictions of an ALINE model.

    Args:
        model: a built model of a task with one continuous outcome.
        training_range: maps functions unlike those of its training to its range and back; None
            leaves them as they are.

    Example:
        >>> from aline_tf import ALINE
        >>> from aline_tf.evaluation.predictors import ModelPredictor
        >>> from aline_tf.tasks import GP1D
        >>> predictor = ModelPredictor(ALINE(GP1D().spec))
    """

    def __init__(self, model, training_range: TrainingRange | None = None):
        self._range = training_range
        self._prediction = ModelPrediction(model)

    def predict(self, batch, truth, rows):
        """See `Predictor.predict`."""
        rescaling = None if self._range is None else self._range.rescaling(batch)
        if rescaling is None:
            return self._prediction.estimate(_without_pool(batch), truth)
        batch, truth = rescaling.to_model(batch), rescaling.outcome_to_model(truth)
        found = self._prediction.estimate(_without_pool(batch), truth)
        places = {name: getattr(found, name) for name in ("mean", "low", "high")}
        places = {name: rescaling.outcome_from_model(place) for name, place in places.items()}
        density = rescaling.log_density_from_model(found.log_density)
        return found._replace(**places, log_density=density)


class ModelParameters:
    """The parameter posterior of an ALINE model.

    Args:
        model: a built model.

    Example:
        >>> from aline_tf import ALINE
        >>> from aline_tf.evaluation.predictors import ModelParameters
        >>> from aline_tf.tasks import GP1D
        >>> predictor = ModelParameters(ALINE(GP1D().spec))
    """

    def __init__(self, model):
        self._posterior = ModelPosterior(model)

    def predict(self, batch, truth, rows):
        """See `Predictor.predict`."""
        return self._posterior.estimate(_without_pool(batch), truth)


def _without_pool(batch: Mapping) -> dict:
    """The Batch with a pool of one, which plays no part in predictions."""
    return batch_ops.narrow(batch, [0])
