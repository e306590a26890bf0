"""The network as its own teacher: what it expects each candidate's answer to tell.

    I(targets; y | x, D), with y ~ p(y | x, D) and the targets as the network has them after (x, y)

One recorded outcome says little of what a question is worth: most evenings nothing follows, and
what follows has many causes. Here a few answers stand for all, each is appended to the history, and
how far the beliefs after them lie apart is the gain, in expectation, before anything happens. It
needs no likelihood, and takes what the network believes at its word.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.batch_ops import append_candidate, drop_candidates, narrow, outcomes_at, repeat
from aline_tf.information.nested_monte_carlo import binary_entropy

#: Answers that stand for all of them.
ANSWERS = 3


def look_ahead_gain(network, state, tried, seed, price=0.0) -> tf.Tensor:
    """Expected information of each tried candidate about the selected targets.

    A candidate whose recorded attempt gave nothing brings nothing, so that on average the gain is
    weighed by the chance of an answer.

    Args:
        network: the model.
        state: R states, whose recorded pool says which field a candidate fills; the last context
            slot is free.
        tried: int32 [R, K] positions in the pool.
        seed: int32 [2].
        price: nats per unit of burden, taken off.

    Returns:
        [R, K], nats per selected target; not negative but for the price.
    """
    rows, count = tf.shape(tried)[0], tried.shape[1]
    value, weight = _answers(network, state, tried, seed)
    repeated = repeat(state, count * ANSWERS)
    index = tf.repeat(tf.reshape(tried, [-1]), ANSWERS)
    last = tf.shape(state["context_mask"])[1] - 1
    after = drop_candidates(append_candidate(repeated, last, index))
    told = after["context_status"][:, -1] == OBSERVED
    token = tf.where(told, tf.reshape(value, [-1, 1]), 0.0)[:, None]
    after["context_outcome"] = tf.concat([after["context_outcome"][:, :-1], token], axis=1)
    outputs = network(after)

    def by_answer(table):
        return tf.reshape(table, [rows, count, ANSWERS, table.shape[-1]])

    kinds = [parameter.kind for parameter in network.spec.parameters]
    beliefs, prediction = (
        network.theta_posterior(outputs),
        network.outcome_prediction(outputs, after),
    )
    yes_or_no = tf.constant([kind in ("binary", "spike_slab") for kind in kinds], tf.bool)
    mean, sd = beliefs.mean_sd()
    mean = tf.where(yes_or_no, beliefs.probability(), mean)
    of_theta = _information(by_answer(mean), by_answer(sd), yes_or_no, weight)
    mean, sd = prediction.mean_sd()
    binary = tf.reshape(prediction.is_binary, [rows, count, ANSWERS, -1])[:, :, 0]
    of_targets = _information(by_answer(mean), by_answer(sd), binary, weight)

    selected = tf.concat([state["theta_mask"] & ~state["known_mask"], state["target_mask"]], axis=1)
    selected = tf.cast(selected, tf.float32)[:, None]
    total = tf.reduce_sum(selected * tf.concat([of_theta, of_targets], axis=2), axis=2)
    gain = total / tf.maximum(tf.reduce_sum(selected, axis=2), 1.0)
    status = tf.gather(state["candidate_status"], tried, batch_dims=1)
    answered = tf.reduce_any(status == OBSERVED, axis=2)
    cost = tf.gather(state["candidate_cost"], tried, batch_dims=1)
    return tf.where(answered, gain, 0.0) - price * cost


def _answers(network, state, tried, seed):
    """Answers that stand for p(y | x, D) of every tried candidate, and their weights: [R, K, A]."""
    here = outcomes_at(drop_candidates(state), narrow(state, tried)["candidate_design"])
    prediction = network.outcome_prediction(network(here), here)
    uniforms = draws.uniform(seed, [2, ANSWERS - 1, *tried.shape])
    return prediction.representatives(*tf.unstack(uniforms))


def _information(mean, sd, yes_or_no, weight):
    """Information [R, K, Q] between an answer and Q quantities: Bernoullis, or normals with the
    same moments.

    Args:
        mean, sd: [R, K, A, Q], after each answer.
        yes_or_no: bool [Q] or [R, K, Q].
        weight: [R, K, A], of the answers.
    """
    weight = weight[..., None]
    center = tf.reduce_sum(weight * mean, axis=2)
    bernoulli = binary_entropy(center) - tf.reduce_sum(weight * binary_entropy(mean), axis=2)
    square = tf.square(tf.maximum(sd, 1e-6))
    spread = square + tf.square(mean - center[:, :, None])
    normal = tf.math.log(tf.reduce_sum(weight * spread, axis=2))
    normal = 0.5 * (normal - tf.reduce_sum(weight * tf.math.log(square), axis=2))
    return tf.maximum(tf.where(yes_or_no, bernoulli, normal), 0.0)
