"""Posterior and predictive marginals of an ALINE model, as numpy, through compiled functions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aline_tf.evaluation.estimates import Estimates

#: Kinds of parameters and of outcomes that take single values with positive probability.
_DISCRETE = ("binary", "ordered", "count", "spike_slab")


class ModelPosterior:
    """The parameter posterior q(theta | D) of a model, evaluated batch by batch.

    Args:
        model: an ALINE model: `model(batch)` and `model.theta_posterior(outputs)`.
        low, high: levels of the interval that `estimate` returns, in (0, 1).

    Example:
        >>> import numpy as np
        >>> from aline_tf import ALINE
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.evaluation import ModelPosterior
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> batch = empty_batch(SPEC.sizes | {"B": 2, "C": 1, "N": 1})
        >>> batch["candidate_mask"][:] = True
        >>> posterior = ModelPosterior(ALINE(SPEC))
        >>> posterior.estimate(batch, np.ones((2, 4))).mean.shape
        (2, 4)
    """

    def __init__(self, model, low: float = 0.05, high: float = 0.95):
        import tensorflow as tf

        self.model = model
        # How far below a point mass nothing but the point mass lies.
        gap = [1e-3 * (p.kind in _DISCRETE) * p.scale for p in model.spec.parameters]

        @tf.function(reduce_retracing=True, autograph=False)
        def estimate(batch, theta):
            posterior = model.theta_posterior(model(batch))
            quantiles = posterior.quantiles((low, high))
            mean, _ = posterior.mean_sd()
            return Estimates(
                mean,
                quantiles[..., 0],
                quantiles[..., 1],
                posterior.log_prob(theta),
                posterior.cdf(theta - tf.constant(gap)),
                posterior.cdf(theta),
            )

        @tf.function(reduce_retracing=True, autograph=False)
        def density(batch, points):
            posterior = model.theta_posterior(model(batch))
            return tf.exp(posterior.log_prob(points[:, None]))

        self._estimate, self._density = estimate, density

    def estimate(self, batch: Mapping[str, np.ndarray], theta: np.ndarray) -> Estimates:
        """Summaries of the marginals, [B, P] each.

        Args:
            batch: a Batch of B rows.
            theta: [B, P], the truth.
        """
        return _as_numpy(self._estimate(dict(batch), np.asarray(theta, np.float32)))

    def density(self, batch: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        """Marginal densities [G, B, P], in natural units.

        Args:
            batch: a Batch of B rows.
            points: [G, P], one column for each parameter.
        """
        return self._density(dict(batch), np.asarray(points, np.float32)).numpy().astype(float)


class ModelPrediction:
    """The predictions p(y | x, D) of a model, evaluated batch by batch.

    Args:
        model: an ALINE model: `model(batch)` and `model.outcome_prediction(outputs, batch)`.
        low, high: levels of the interval that `estimate` returns, in (0, 1).

    Example:
        >>> import numpy as np
        >>> from aline_tf import ALINE
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.evaluation import ModelPrediction
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> batch = empty_batch(SPEC.sizes | {"B": 2, "C": 1, "N": 1, "M": 3})
        >>> batch["candidate_mask"][:] = True
        >>> prediction = ModelPrediction(ALINE(SPEC))
        >>> prediction.estimate(batch, np.ones((2, 3))).mean.shape
        (2, 3)
    """

    def __init__(self, model, low: float = 0.05, high: float = 0.95):
        import tensorflow as tf

        self.model = model

        @tf.function(reduce_retracing=True, autograph=False)
        def estimate(batch, outcome, below):
            prediction = model.outcome_prediction(model(batch), batch)
            quantiles = prediction.quantiles((low, high))
            mean, _ = prediction.mean_sd()
            return Estimates(
                mean,
                quantiles[..., 0],
                quantiles[..., 1],
                prediction.log_prob(outcome),
                prediction.cdf(below),
                prediction.cdf(outcome),
            )

        self._estimate = estimate

    def estimate(self, batch: Mapping[str, np.ndarray], outcome: np.ndarray) -> Estimates:
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


def _as_numpy(estimates) -> Estimates:
    return Estimates(*(part.numpy().astype(float) for part in estimates))
