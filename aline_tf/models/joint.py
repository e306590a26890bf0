"""Joint posteriors: the model's own, or from a model of marginals, one parameter after another.

    q(theta | D) = prod_i q(theta_i | D, theta_1, ..., theta_{i-1})

Each factor is the model's own marginal with the earlier parameters given as known tokens. The
same door answers conditionals and what-ifs: give the parameters in `known_theta` yourself. Where
the model's posterior is a mixture of products (`ALINE(joint_components=...)`), the factors of any
order come to its own joint density, which is then asked at once.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import condition_on


def joint_log_prob(model, batch: dict, theta, order=None) -> tf.Tensor:
    """log q(theta | D) of the joint, by the chain rule.

    Args:
        model: an `ALINE` model.
        batch: B rows; parameters they give as known are conditioned on and not scored.
        theta: [B, P].
        order: parameter names, the order of the chain; a subset gives the joint of that subset.
            All parameters in the task's order when None.

    Returns:
        [B], in nats.

    Raises:
        ValueError: a name that the task does not have.
    """
    theta = tf.cast(theta, tf.float32)
    if model.joint_components:
        counted = tf.constant(model.spec.parameter_mask(_order(model, order)))
        counted &= ~tf.convert_to_tensor(batch["known_mask"])
        return model.theta_posterior(model(batch)).joint_log_prob(theta, counted)
    total = tf.zeros(tf.shape(theta)[0])
    for mask in _chain(model, order):
        log_prob = model.theta_log_prob(model(batch), theta)
        scored = tf.cast(mask & ~tf.convert_to_tensor(batch["known_mask"]), tf.float32)
        total += tf.reduce_sum(scored * log_prob, axis=1)
        batch = condition_on(batch, theta, mask)
    return total


def sample_joint(model, batch: dict, seed, order=None) -> tf.Tensor:
    """One draw of the joint posterior for every row; repeat rows for more.

    Args:
        model: an `ALINE` model.
        batch: B rows; parameters they give as known keep their value.
        seed: int32 [2].
        order: as in `joint_log_prob`; parameters left out come out as 0 unless known.

    Returns:
        [B, P].
    """
    shape = tf.shape(batch["known_theta"])
    if model.joint_components:
        seeds = (draws.uniform(part, shape) for part in draws.split(seed, 3))
        theta = model.theta_posterior(model(batch)).from_uniform(*seeds)
        selected = tf.constant(model.spec.parameter_mask(_order(model, order)))
        batch = condition_on(batch, theta, selected)
        return tf.where(batch["known_mask"], batch["known_theta"], 0.0)
    for index, mask in enumerate(_chain(model, order)):
        marginals = model.theta_posterior(model(batch))
        seeds = draws.split(draws.fold_in(seed, index), 3)
        theta = marginals.from_uniform(*(draws.uniform(part, shape) for part in seeds))
        batch = condition_on(batch, theta, mask)
    return tf.where(batch["known_mask"], batch["known_theta"], 0.0)


def _chain(model, order):
    """One bool [P] mask per parameter, in order."""
    return [tf.constant(model.spec.parameter_mask([name])) for name in _order(model, order)]


def _order(model, order):
    return list(model.spec.parameter_names if order is None else order)
