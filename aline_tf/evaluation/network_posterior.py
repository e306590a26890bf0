"""What an ALINE model believes, as numpy, through compiled functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

#: Kinds of parameters and of outcomes that take single values with positive probability.
_DISCRETE = ("binary", "ordered", "count", "spike_slab")


class Summary(NamedTuple):
    """Marginals of B rows, each array [B, n] over n parameters or n predictions.

    Attributes:
        mean: expectations.
        low, high: bounds of the central interval.
        log_density: at the truth, in nats.
        below, at: probability of less than the truth, and of no more than it.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray
    below: np.ndarray
    at: np.ndarray


class NetworkPosterior:
    """The parameter posterior q(theta | D) of a model, evaluated batch by batch.

    Args:
        model: an ALINE model: `model(batch)` and `model.theta_posterior(outputs)`.
        low, high: levels of the interval that `estimate` returns.
    """

    def __init__(self, model, low: float = 0.05, high: float = 0.95):
        import tensorflow as tf

        self.model = model
        # How far below a point mass nothing but the point mass lies.
        gap = [1e-3 * (p.kind in _DISCRETE) * p.scale for p in model.spec.parameters]

        @tf.function(reduce_retracing=True, autograph=False)
        def estimate(batch, theta):
            beliefs = model.theta_posterior(model(batch))
            quantiles = beliefs.quantiles((low, high))
            mean, _ = beliefs.mean_sd()
            return Summary(
                mean,
                quantiles[..., 0],
                quantiles[..., 1],
                beliefs.log_prob(theta),
                beliefs.cdf(theta - tf.constant(gap)),
                beliefs.cdf(theta),
            )

        @tf.function(reduce_retracing=True, autograph=False)
        def density(batch, points):
            beliefs = model.theta_posterior(model(batch))
            return tf.exp(beliefs.log_prob(points[:, None]))

        self._estimate, self._density = estimate, density

    def estimate(self, batch: Mapping[str, np.ndarray], theta: np.ndarray) -> Summary:
        """Summaries of the marginals, [B, P] each.

        Args:
            batch: a Batch of B rows.
            theta: [B, P], the truth.
        """
        return _as_numpy(self._estimate(dict(batch), np.asarray(theta, np.float32)))

    def density(self, batch: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        """Marginal densities at points [G, P], one column for each parameter: [G, B, P]."""
        return self._density(dict(batch), np.asarray(points, np.float32)).numpy().astype(float)


class NetworkPrediction:
    """The predictions p(y | x, D) of a model, evaluated batch by batch.

    Args:
        model: an ALINE model: `model(batch)` and `model.outcome_prediction(outputs, batch)`.
        low, high: levels of the interval that `estimate` returns.
    """

    def __init__(self, model, low: float = 0.05, high: float = 0.95):
        import tensorflow as tf

        self.model = model

        @tf.function(reduce_retracing=True, autograph=False)
        def estimate(batch, outcome, below):
            prediction = model.outcome_prediction(model(batch), batch)
            quantiles = prediction.quantiles((low, high))
            mean, _ = prediction.mean_sd()
            return Summary(
                mean,
                quantiles[..., 0],
                quantiles[..., 1],
                prediction.log_prob(outcome),
                prediction.cdf(below),
                prediction.cdf(outcome),
            )

        self._estimate = estimate

    def estimate(self, batch: Mapping[str, np.ndarray], outcome: np.ndarray) -> Summary:
        """Summaries of the predictions at `target_design`, [B, M] each.

        Args:
            batch: a Batch of B rows with M predictive targets.
            outcome: [B, M], what came true.
        """
        outcome = np.asarray(outcome, np.float32)
        kinds = [channel.kind in _DISCRETE for channel in self.model.spec.outcomes]
        discrete = np.full(outcome.shape, kinds[0])
        if len(kinds) > 1:
            discrete = np.asarray(batch["target_design"])[..., -len(kinds) :] @ np.float32(kinds)
        # Discrete outcomes are whole numbers.
        below = outcome - 0.5 * (discrete > 0.5)
        return _as_numpy(self._estimate(dict(batch), outcome, below.astype(np.float32)))


def _as_numpy(summary) -> Summary:
    return Summary(*(part.numpy().astype(float) for part in summary))
