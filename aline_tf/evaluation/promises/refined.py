"""A model's posterior corrected by the likelihood, and one that starts from the prior alone."""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf import batch_ops
from aline_tf.acquisition.refined.refinement import SETTINGS, Refinement, WeightedDraws
from aline_tf.batch import OBSERVED
from aline_tf.evaluation.promises.inference import Inference, Summary

_LEVELS = (0.05, 0.95)


class RefinedInference(Inference):
    """Sequential Monte Carlo row by row, as a session refines its posterior.

    Densities of single parameters are not at hand: `Summary.log_density` is NaN.

    Args:
        task: has `log_likelihood` and `log_prior`.
        model: an `ALINE` model that the draws start from; None starts from the prior.
        seed: of all draws.

    Raises:
        InputError: a task without a likelihood or a prior density.

    Example:
        >>> import numpy as np
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.evaluation.promises.refined import RefinedInference
        >>> from aline_tf.tasks import Psychometric
        >>> prior = RefinedInference(Psychometric())
        >>> batch = empty_batch(Psychometric.spec.sizes)
        >>> bool(abs(prior.summary(batch, np.zeros((1, 4))).sd[0, 0] - 3**0.5) < 0.1)
        True
    """

    def __init__(self, task, model=None, seed: int = 0):
        # Without a model the draws have a longer way to go.
        settings = SETTINGS if model is not None else dataclasses.replace(SETTINGS, most_stages=30)
        self._refinement = Refinement(task, model, settings, seed)
        self._found: dict[bytes, WeightedDraws] = {}

    def summary(self, batch, theta):
        rows = [
            self._of(posterior, truth)
            for posterior, truth in zip(self._posteriors(batch), np.asarray(theta), strict=True)
        ]
        return Summary(*(np.stack(part) for part in zip(*rows, strict=True)))

    def joint_log_prob(self, batch, theta, order=None):
        found = []
        for row, posterior in enumerate(self._posteriors(batch)):
            # Where weights were worth little, the evidence was not estimated: no figure holds.
            if posterior.log_evidence is None:
                found.append(np.nan)
                continue
            state = batch_ops.take_rows(batch, slice(row, row + 1))
            point = np.asarray(theta[row : row + 1])
            found.append(self._refinement.log_prob(state, point, posterior)[0])
        return np.array(found)

    def correlation(self, batch):
        found = []
        for posterior in self._posteriors(batch):
            covariance = posterior.covariance()
            sd = np.maximum(np.sqrt(np.diag(covariance)), 1e-12)
            found.append(covariance / np.outer(sd, sd))
        return np.stack(found)

    def _posteriors(self, batch):
        for row in range(len(batch["context_mask"])):
            state = batch_ops.take_rows(batch, slice(row, row + 1))
            state = batch_ops.drop_candidates(state)
            # What is not observed changes nothing.
            seen = state["context_mask"][0] & (state["context_status"][0] == OBSERVED).all(-1)
            names = ("context_design", "context_outcome")
            key = b"".join(
                [*(state[name][0, seen].tobytes() for name in names),
                 state["known_theta"].tobytes(), state["known_mask"].tobytes()]
            )  # fmt: skip
            if key not in self._found:
                self._found[key] = self._refinement.posterior(state)
            yield self._found[key]

    @staticmethod
    def _of(posterior: WeightedDraws, truth):
        low, high = posterior.quantiles(_LEVELS).T
        below = posterior.weight @ (posterior.theta <= truth)
        return (
            posterior.mean(), posterior.sd(), low, high, below, np.full(len(truth), np.nan)
        )  # fmt: skip
