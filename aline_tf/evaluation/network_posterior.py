"""Posterior summaries of an ALINE model, as numpy, through one compiled function."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class NetworkPosterior:
    """The parameter posterior q(theta | D) of a model, evaluated batch by batch.

    Args:
        model: an ALINE model: `model(batch)` and `model.theta_posterior(outputs)`.
        low, high: levels of the interval that `estimate` returns.
    """

    def __init__(self, model, low: float = 0.05, high: float = 0.95):
        import tensorflow as tf

        self.model = model

        @tf.function(reduce_retracing=True)
        def estimate(batch, theta):
            outputs = model(batch)
            beliefs = model.theta_posterior(outputs)
            quantiles = beliefs.quantiles((low, high))
            mean, _ = beliefs.mean_sd()
            return mean, quantiles[..., 0], quantiles[..., 1], beliefs.log_prob(theta)

        self._estimate = estimate

    def estimate(
        self, batch: Mapping[str, np.ndarray], theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean, lower and upper quantile, and log density at `theta`; each [B, P].

        Args:
            batch: a Batch of B rows.
            theta: [B, P], where the marginal log densities are taken.
        """
        parts = self._estimate(dict(batch), np.asarray(theta, np.float32))
        return tuple(part.numpy().astype(float) for part in parts)
