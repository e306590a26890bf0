"""The inference loss: minus log q of what is recorded, the truth or posterior labels of it."""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import condition_on
from aline_tf.training.posterior_labels import rao_blackwell_labels
from aline_tf.training.rollout import selected_value

#: Stream of a step's seed that its other draws do not use.
_LABELS = 6


def inference_loss(theta_log_prob, theta_weight, target_log_prob, target_weight) -> tf.Tensor:
    """Mean negative log q over parameters plus that over predictions, each over what is recorded.

    Args:
        theta_log_prob, theta_weight: [R, P].
        target_log_prob, target_weight: [R, M].

    Returns:
        scalar, in nats.
    """
    theta = tf.math.divide_no_nan(
        tf.reduce_sum(theta_weight * theta_log_prob), tf.reduce_sum(theta_weight)
    )
    target = tf.math.divide_no_nan(
        tf.reduce_sum(target_weight * target_log_prob), tf.reduce_sum(target_weight)
    )
    return -(theta + target)


def loss_at_states(model, task, recipe, outputs, state, seed) -> tf.Tensor:
    """`inference_loss` of R states; of a joint posterior, also minus its log density for each
    parameter that is to be found.

    Args:
        model: an ALINE.
        task: of the states.
        recipe: says how many posterior labels there are.
        outputs: what the model said of the states.
        state: an Episode of R rows.
        seed: int32 [2].

    Returns:
        scalar, in nats.
    """
    theta_weight = tf.cast(state["theta_observed"] & ~state["known_mask"], tf.float32)
    target_weight = tf.cast(state["target_observed"], tf.float32)
    if task.target_weights is not None:
        target_weight *= tf.constant(task.target_weights, tf.float32)
    # A weight of zero does not silence NaN: a label that is not recorded is read as 0.
    theta = tf.where(state["theta_observed"], state["theta"], 0.0)
    outcome = tf.where(state["target_observed"], state["target_outcome"], 0.0)
    posterior = model.theta_posterior(outputs)
    labels = _labels(task, posterior, state, theta, seed, recipe.phases.num_posterior_labels)
    loss = inference_loss(
        _expected(posterior.log_prob, labels),
        theta_weight,
        model.target_log_prob(outputs, state, outcome),
        target_weight,
    )
    if posterior.joint:
        counted = theta_weight > 0
        together = _expected(lambda each: posterior.joint_log_prob(each, counted), labels)
        loss -= tf.math.divide_no_nan(tf.reduce_sum(together), tf.reduce_sum(theta_weight))
    return loss


def theta_log_prob(model, task, outputs, state, theta, seed, num_posterior_labels: int):
    """log q of the parameters [R, P]; averaged over those that might be the truth, where they are
    asked for."""
    posterior = model.theta_posterior(outputs)
    labels = _labels(task, posterior, state, theta, seed, num_posterior_labels)
    return _expected(posterior.log_prob, labels)


def _labels(task, posterior, state, theta, seed, count):
    """Parameters [n, R, P] that might be the truth and their weights [n, R]."""
    if not count:
        return theta[None], tf.ones([1, tf.shape(theta)[0]])
    return rao_blackwell_labels(task, posterior, state, draws.fold_in(seed, _LABELS), count)


def _expected(log_prob, labels):
    """Of a log density [n, R] or [n, R, P] at the labels, its mean over them."""
    theta, weight = labels
    each = log_prob(theta)
    weight = weight if each.shape.rank == 2 else weight[..., None]
    return tf.reduce_sum(weight * each, axis=0)


def value_over_labels(task, num_posterior_labels: int, seed):
    """`selected_value` with the chances of several parameters in the place of the true ones: most
    of the noise of a reward is that of the one draw of theta it is paid for."""

    def value(model, outputs, state):
        log_prob = theta_log_prob(
            model, task, outputs, state, state["theta"], seed, num_posterior_labels
        )
        return selected_value(model, outputs, state, log_prob)

    return value


def condition_at_random(state: dict, seed, rate: float) -> dict:
    """The state with some parameters given as known.

    In a share `rate` of rows; in such a row each with a chance that is itself uniform, so that one
    known parameter, half of them and nearly all of them are equally familiar.

    Args:
        state: an Episode.
        seed: int32 [2].
        rate: in [0, 1].
    """
    row_seed, chance_seed, cell_seed = draws.split(seed, 3)
    shape = tf.shape(state["theta"])
    row = draws.uniform(row_seed, [shape[0], 1]) < rate
    chance = draws.uniform(chance_seed, [shape[0], 1])
    selected = row & (draws.uniform(cell_seed, shape) < chance) & state["theta_observed"]
    return condition_on(state, state["theta"], selected)
