"""Posterior labels: q is fitted to the true parameters, and to others drawn from the posterior.

A simulated history D comes with one draw of its posterior, the theta it was made of: a label, and
a noisy one. Where the likelihood is known, n more are drawn from q, and all share the label,

    log q  ->  sum_i w_i log q(theta_i | D),   w_i ~ p(theta_i) p(D | theta_i) / q(theta_i | D)

over i = 0 (the truth) to n. Had the draws been shuffled, w_i would be the chance that theta_i was
the truth: so the mean stays what it was, whatever q is, and the variance can only shrink.

Source: the chance of each place of iterated sampling importance resampling, Andrieu, Lee and
Vihola (2018); Rao-Blackwell.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.information.posterior_sampling import complete_theta, log_posterior


def rao_blackwell_labels(
    task, posterior, state, seed, num_posterior_labels: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """The true parameters and others drawn from q, with the chance that each was the truth.

    Args:
        task: one that `has_exact_posterior`.
        posterior: q at the R states (a `ThetaPosterior`), which proposes.
        state: R states (a Batch) whose theta is recorded; what is given as known stays known.
        seed: int32 [2].
        num_posterior_labels: n.

    Returns:
        theta [n + 1, R, P] and weights [n + 1, R] that sum to one over the first axis; neither
        passes a gradient on.
    """
    shape = [num_posterior_labels, *tf.unstack(tf.shape(state["theta"]))]
    drawn = posterior.from_uniform(*(draws.uniform(key, shape) for key in draws.split(seed, 3)))
    drawn = tf.where(state["known_mask"], state["known_theta"], drawn)
    theta = tf.concat([state["theta"][None], drawn], axis=0)
    theta, free = complete_theta(task, theta, tf.broadcast_to(state["known_mask"], tf.shape(theta)))
    log_weight = tf.transpose(log_posterior(task, tf.transpose(theta, [1, 0, 2]), state))
    log_weight -= posterior.joint_log_prob(theta, free)
    return tf.stop_gradient(theta), tf.stop_gradient(tf.nn.softmax(log_weight, axis=0))
