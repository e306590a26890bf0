"""Greedy design for any task with a normal outcome: the largest sampled one-step information gain.

Nothing is learned beforehand. At every step the posterior of the whole history is drawn anew by
tempering from the prior (`aline_tf.information.posterior_sampling`), and each candidate's expected
information gain is that of the mixture of outcomes over those draws
(`aline_tf.information.nested_monte_carlo`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.acquisition.policies import Policy, masked_argmax
from aline_tf.information.posterior_sampling import SMCSettings

SETTINGS = SMCSettings(proposals=8, least_stages=2, most_stages=40, moves=3)


class SampledGreedyPolicy(Policy):
    """The candidate with the largest information gain about all parameters.

    Args:
        task: has `log_likelihood` and `log_prior`.
        num_particles: I, draws of the posterior.
        screening_particles: how many of them judge every candidate at first.
        num_finalists: how many candidates, those with the largest gains at first, are judged again
            with all draws.
        seed: of the draws. Equal histories get equal answers in a batch of equal size.

    Example:
        >>> from aline_tf.acquisition import SampledGreedyPolicy
        >>> from aline_tf.tasks.ces import CES
        >>> SampledGreedyPolicy(CES(), num_particles=64).name
        'greedy'
    """

    name = "greedy"
    reads_targets = False

    def __init__(
        self, task, num_particles=256, screening_particles=64, num_finalists=64, seed: int = 0
    ):
        self.task = task
        self.spec = task.spec
        self.num_particles = num_particles
        self.screening_particles = screening_particles
        self.num_finalists = num_finalists
        self.seed = seed
        self._compiled = None

    def posterior(self, batch, seed):
        """Draws from the posterior given the histories of a Batch.

        Args:
            batch: R rows.
            seed: int32 [2].

        Returns:
            [R, I, P].
        """
        from aline_tf.information.posterior_sampling import posterior_draws

        return posterior_draws(self.task, None, batch, seed, self.num_particles, SETTINGS)

    def gains(self, batch, seed):
        """Sampled one-step information gains of the finalists.

        Args:
            batch: R rows.
            seed: int32 [2].

        Returns:
            gains [R, n] in nats, -1 where a candidate is not allowed, and their indices [R, n].
        """
        import tensorflow as tf

        from aline_tf import draws
        from aline_tf.information.nested_monte_carlo import candidate_gain

        draw_seed, first_seed, second_seed = draws.split(seed, 3)
        theta = self.posterior(batch, draw_seed)
        design, mask = batch["candidate_design"], batch["candidate_mask"]
        # Every so manieth draw: neighbours are relatives.
        first = theta[:, :: max(1, self.num_particles // self.screening_particles)]
        gain = candidate_gain(self.task, first, design, first_seed)
        gain = tf.where(mask, gain, -1.0)
        count = min(self.num_finalists, design.shape[1])
        index = tf.math.top_k(gain, count).indices
        finalists = tf.gather(design, index, batch_dims=1)
        gain = candidate_gain(self.task, theta, finalists, second_seed)
        return tf.where(tf.gather(mask, index, batch_dims=1), gain, -1.0), index

    def _choose(self, batch: Mapping[str, Any], mask: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        if self._compiled is None:
            self._compiled = tf.function(self.gains, autograph=False)
        read = ("context_", "known_", "candidate_")
        batch = {k: tf.constant(v) for k, v in batch.items() if k.startswith(read)}
        step = int(np.asarray(batch["context_mask"]).sum())
        gain, index = self._compiled(batch, tf.constant([self.seed, step]))
        chosen = masked_argmax(gain.numpy(), np.ones(gain.shape, bool))
        return np.take_along_axis(index.numpy(), chosen[:, None], axis=1)[:, 0]
