"""Two estimates of what a candidate would bring, to teach the policy faster than rewards alone.

`information_gain` needs a likelihood and a prior: parameters are drawn from q, weighted by the
exact posterior of the history, and every candidate's expected information gain about the
selected parameters follows by enumeration of the binary outcome.

`counterfactual_gain` needs neither: a candidate's recorded outcome is appended and q is asked
again.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.training.rollout import append_candidate, selected_value, without_candidates


def _binary_entropy(p):
    p = tf.clip_by_value(p, 1e-6, 1.0 - 1e-6)
    return -(p * tf.math.log(p) + (1.0 - p) * tf.math.log1p(-p))


def _posterior_pairs(task, beliefs, state, seed, draws_each):
    """Parameter sets made of I draws for the selected parameters and I for the rest.

    Returns theta [R, I, I, P] and self-normalised log weights [R, I, I]:
        w_ij = p(theta_ij) prod_t p(y_t | x_t, theta_ij) / q(selected_i) q(rest_j).
    """
    rows, count = tf.shape(state["theta"])[0], len(task.spec.parameters)

    def sample(key):
        shape = [draws_each, rows, count]
        return beliefs.from_uniform(*(draws.uniform(s, shape) for s in draws.split(key, 3)))

    first, second = (sample(key) for key in draws.split(seed, 2))
    # A parameter given as known is known to the teacher too.
    first = tf.where(state["known_mask"], state["known_theta"], first)
    second = tf.where(state["known_mask"], state["known_theta"], second)
    selected = state["theta_mask"]
    free = tf.cast(~state["known_mask"], tf.float32)
    log_first = tf.reduce_sum(tf.where(selected, beliefs.log_prob(first), 0.0) * free, axis=-1)
    log_second = tf.reduce_sum(tf.where(selected, 0.0, beliefs.log_prob(second)) * free, axis=-1)
    first, second = tf.transpose(first, [1, 0, 2]), tf.transpose(second, [1, 0, 2])
    theta = tf.where(selected[:, None, None], first[:, :, None], second[:, None])
    flat = tf.reshape(theta, [rows, draws_each**2, 1, count])
    history = task.log_likelihood(
        flat, state["context_design"][:, None], state["context_outcome"][:, None]
    )
    history = tf.where(state["context_mask"][:, None], history, 0.0)
    log_weight = tf.reshape(tf.reduce_sum(history, axis=-1), [rows, draws_each, draws_each])
    log_weight += task.log_prior(theta)
    log_weight -= tf.transpose(log_first)[:, :, None] + tf.transpose(log_second)[:, None, :]
    log_weight -= tf.reduce_logsumexp(log_weight, axis=[1, 2], keepdims=True)
    return theta, log_weight


def information_gain(task, beliefs, state, seed, draws_each: int = 20) -> tf.Tensor:
    """Expected information gain of every candidate about the selected parameters, binary outcomes.

        I(theta_S; y | x, D) = H[E p(y | x, theta)] - E_S H[E p(y | x, theta_S, rest)]

    Args:
        task: has `log_likelihood` and `log_prior`; its outcome is binary.
        beliefs: q at the state (a `ThetaPosterior`); only a proposal, corrected by weights.
        state: R states (an Episode whose pool is what can be chosen).
        seed: int32 [2].
        draws_each: I; cost grows with its square.

    Returns:
        [R, N], in nats.
    """
    theta, log_weight = _posterior_pairs(task, beliefs, state, seed, draws_each)
    rows, count = tf.shape(theta)[0], theta.shape[-1]
    candidate = state["candidate_design"]
    ones = tf.ones([1, 1, 1, 1])
    log_yes = task.log_likelihood(
        tf.reshape(theta, [rows, draws_each**2, 1, count]), candidate[:, None], ones
    )
    yes = tf.reshape(tf.exp(log_yes), [rows, draws_each, draws_each, -1])
    log_outer = tf.reduce_logsumexp(log_weight, axis=2)
    inner = tf.exp(log_weight - log_outer[:, :, None])
    # A selected draw without any posterior mass has no say, whatever its inner weights are.
    inner = tf.where(tf.math.is_finite(inner), inner, 0.0)
    conditional = tf.reduce_sum(inner[..., None] * yes, axis=2)
    outer = tf.exp(log_outer)[..., None]
    marginal = tf.reduce_sum(outer * conditional, axis=1)
    gain = _binary_entropy(marginal) - tf.reduce_sum(outer * _binary_entropy(conditional), axis=1)
    return tf.maximum(gain, 0.0)


def counterfactual_gain(network, state, tried, price=0.0) -> tf.Tensor:
    """What log q of the selected targets gains when each tried candidate is acquired.

    Args:
        network: the model.
        state: R states whose recorded pool outcomes are known; the last context slot is free.
        tried: int32 [R, K] positions in the pool.
        price: nats per unit of burden, taken off.

    Returns:
        [R, K].
    """
    count = tried.shape[1]
    here = without_candidates(state)
    value = selected_value(network, network(here), here)
    repeated = tf.nest.map_structure(lambda array: tf.repeat(array, count, axis=0), state)
    index = tf.reshape(tried, [-1])
    last = tf.shape(state["context_mask"])[1] - 1
    after = without_candidates(append_candidate(repeated, last, index))
    value_after = tf.reshape(selected_value(network, network(after), after), [-1, count])
    cost = tf.gather(state["candidate_cost"], tried, batch_dims=1)
    return value_after - value[:, None] - price * cost
