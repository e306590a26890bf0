"""What is asked of a model and of an exact oracle alike, so that either can stand for the other.

Sizes: R rows of a Batch, P parameters, N candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import answered, specs

#: Rows of one pass, times draws where draws are made.
_ROWS = 512


class Summary(NamedTuple):
    """Marginal posteriors of R states, each array [R, P], in natural units.

    Attributes:
        mean, sd: moments.
        low, high: 5% and 95% quantiles.
        below: probability of no more than the truth, in [0, 1].
        log_density: at the truth, in nats.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation.promises import Summary
        >>> Summary(*np.zeros((6, 3, 2))).mean.shape
        (3, 2)
    """

    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray
    below: np.ndarray
    log_density: np.ndarray


class JointDraws(NamedTuple):
    """I draws of the exact joint posterior of R states.

    Attributes:
        theta: [R, I, P], in natural units.
        log_prob: log density of the joint there, [R, I] in nats.
        gain: log density of the joint less those of all marginals there, [R, I].
        expected_gain: expectation of `gain` under the posterior, [R]: what the joint knows beyond
            its marginals.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation.promises.inference import JointDraws
        >>> JointDraws(np.zeros((3, 2, 4)), *np.zeros((2, 3, 2)), np.zeros(3)).theta.shape
        (3, 2, 4)
    """

    theta: np.ndarray
    log_prob: np.ndarray
    gain: np.ndarray
    expected_gain: np.ndarray


class Inference:
    """A posterior over parameters, for any state: answers that are missing, known parameters,
    histories of any length.

    A subclass answers `summary`; the others return None where it has no answer.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation.promises import Inference
        >>> Inference().gain({}) is None
        True
    """

    def summary(self, batch, theta: np.ndarray) -> Summary:
        """Marginals of R states.

        Args:
            batch: a numpy Batch of R rows; its pool and targets are not read.
            theta: [R, P], the truth, at which `below` and `log_density` are taken.
        """
        raise NotImplementedError

    def joint_log_prob(
        self, batch, theta: np.ndarray, order: Sequence[str] | None = None
    ) -> np.ndarray | None:
        """log density of the joint posterior at the truth, [R] in nats.

        Args:
            batch: R rows.
            theta: [R, P].
            order: of a chain over the parameters, where the joint is made by one.
        """
        return None

    def joint_draws(self, batch, count: int, seed: int = 0) -> JointDraws | None:
        """Draws of the joint with what is known of them exactly.

        Args:
            batch: R rows.
            count: I.
            seed: equal seeds give equal draws.
        """
        return None

    def correlation(self, batch) -> np.ndarray | None:
        """Correlations of the joint posterior, [R, P, P].

        Args:
            batch: R rows.
        """
        return None

    def correlation_draws(self) -> int:
        """How many draws a correlation is taken from; 0 where it is exact."""
        return 0

    def gain(self, batch) -> np.ndarray | None:
        """Expected information [R, N] of an answer at every candidate about the selected targets,
        in nats: jointly about the selected parameters, plus target by target about predictions.

        Args:
            batch: R rows with a pool; candidates that are taken have a gain too.
        """
        return None


def answered_histories(batch) -> Iterator[tuple[np.ndarray, np.ndarray, dict[int, float]]]:
    """What an exact posterior of one outcome is of: answered trials alone, and what is known.

    Args:
        batch: R rows.

    Yields:
        designs [n, D], outcomes [n] and known values by the parameter's index, of every row.
    """
    seen, design = answered(batch), np.asarray(batch["context_design"], float)
    outcome = np.asarray(batch["context_outcome"], float)[..., 0]
    for row, trials in enumerate(seen):
        given = np.flatnonzero(batch["known_mask"][row])
        known = {int(p): float(batch["known_theta"][row, p]) for p in given}
        yield design[row, trials], outcome[row, trials], known


class ModelInference(Inference):
    """The answers of an ALINE model, by itself.

    Args:
        model: an `ALINE` model.
        draws: from its joint, for a correlation.
        seed: of them.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.evaluation.promises import ModelInference
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> answers = ModelInference(aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2))
        >>> answers.summary(empty_batch(SPEC.sizes | {"B": 2}), np.ones((2, 4))).sd.shape
        (2, 4)
    """

    def __init__(self, model, draws: int = 64, seed: int = 0):
        import tensorflow as tf

        from aline_tf.models import joint

        self.model, self.draws, self.seed = model, draws, seed
        signature = specs(model.spec, "BC", M=0, N=0)
        points = tf.TensorSpec([None, len(model.spec.parameters)])

        @tf.function(input_signature=[signature, points], autograph=False)
        def summary(batch, theta):
            posterior = model.theta_posterior(model(batch))
            mean, sd = posterior.mean_sd()
            low, high = tf.unstack(posterior.quantiles((0.05, 0.95)), axis=-1)
            return mean, sd, low, high, posterior.cdf(theta), posterior.log_prob(theta)

        @tf.function(input_signature=[signature, tf.TensorSpec([2], tf.int32)], autograph=False)
        def sample(batch, seed):
            return joint.sample_joint(model, batch, seed)

        def chain(order):
            return tf.function(
                lambda batch, theta: joint.joint_log_prob(model, batch, theta, order),
                input_signature=[signature, points],
                autograph=False,
            )

        self._summary, self._sample, self._chain, self._chains = summary, sample, chain, {}

    def summary(self, batch, theta):
        found = self._by_rows(batch, theta, self._summary)
        return Summary(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def joint_log_prob(self, batch, theta, order=None):
        order = tuple(self.model.spec.parameter_names if order is None else order)
        if order not in self._chains:
            self._chains[order] = self._chain(order)
        found = self._by_rows(batch, theta, lambda *state: (self._chains[order](*state),))
        return np.concatenate([part for (part,) in found])

    def correlation(self, batch):
        from aline_tf import draws

        batch, found = self._plain(batch), []
        rows = max(1, 16 * _ROWS // self.draws)
        for place, start in enumerate(range(0, len(batch["context_mask"]), rows)):
            some = batch_ops.take_rows(batch, slice(start, start + rows))
            seed = draws.fold_in(draws.as_seed(self.seed), place)
            drawn = self._sample(batch_ops.repeat(some, self.draws), seed).numpy().astype(float)
            found.append(_correlations(drawn.reshape(-1, self.draws, drawn.shape[-1])))
        return np.concatenate(found)

    def correlation_draws(self):
        return self.draws

    def _plain(self, batch):
        """Without pool and targets, on which no posterior depends."""
        plain = batch_ops.outcomes_at(batch, batch["target_design"][:, :0])
        return batch_ops.drop_candidates(plain)

    def _by_rows(self, batch, theta, function):
        batch, theta = self._plain(batch), np.asarray(theta, np.float32)
        for start in range(0, len(theta), _ROWS):
            rows = slice(start, start + _ROWS)
            made = function(batch_ops.take_rows(batch, rows), theta[rows])
            yield tuple(np.asarray(part, float) for part in made)


def _correlations(drawn: np.ndarray) -> np.ndarray:
    """Of draws [R, I, P]: [R, P, P]; 0 where a parameter does not vary."""
    away = drawn - drawn.mean(1, keepdims=True)
    covariance = np.einsum("rip,riq->rpq", away, away)
    size = np.sqrt(np.einsum("rpp->rp", covariance))
    scale = size[:, :, None] * size[:, None]
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 1e-12)
