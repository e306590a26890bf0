"""One-step look-ahead: expected information of a design, its likely outcomes appended to D.

    I(targets; y | x, D), with y ~ p(y | x, D) and the targets as the model has them after (x, y)

One recorded outcome says little of what a question is worth: most evenings nothing follows, and
what follows has many causes. Here a few answers stand for all, each is appended to the context, and
how far the posteriors after them lie apart is the gain, in expectation, before anything happens. It
needs no likelihood, and takes the model's own predictions at their word.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.batch_ops import drop_candidates, narrow, outcomes_at, repeat, write_token
from aline_tf.information.nested_monte_carlo import binary_entropy

#: Answers that stand for all of them.
ANSWERS = 3


def look_ahead_gain(model, state, index, seed, cost_weight=0.0) -> tf.Tensor:
    """Expected information of each of a few candidates about the selected targets.

    A candidate whose recorded attempt gave nothing brings nothing, so that on average the gain is
    weighed by the chance of an answer.

    Args:
        model: the model.
        state: R states, whose recorded pool says which field a candidate fills; the last context
            slot is free.
        index: int32 [R, K] positions in the pool.
        seed: int32 [2].
        cost_weight: nats per unit of burden that are taken off.

    Returns:
        [R, K], nats per selected target; not negative but for the cost.
    """
    rows, count = tf.shape(index)[0], index.shape[1]
    value, weight = _answers(model, state, index, seed)
    some = narrow(state, index)
    design, status = (
        tf.repeat(tf.reshape(some[name], [-1, some[name].shape[-1]]), ANSWERS, axis=0)
        for name in ("candidate_design", "candidate_status")
    )
    outcome = tf.where(status == OBSERVED, tf.reshape(value, [-1, 1]), 0.0)
    last = tf.shape(state["context_mask"])[1] - 1
    repeated = repeat(drop_candidates(state), count * ANSWERS)
    after = write_token(repeated, last, design, outcome, status)
    outputs = model(after)

    def by_answer(table):
        return tf.reshape(table, [rows, count, ANSWERS, table.shape[-1]])

    kinds = [parameter.kind for parameter in model.spec.parameters]
    posterior, prediction = (
        model.theta_posterior(outputs),
        model.outcome_prediction(outputs, after),
    )
    yes_or_no = tf.constant([kind in ("binary", "spike_slab") for kind in kinds], tf.bool)
    mean, sd = posterior.mean_sd()
    mean = tf.where(yes_or_no, posterior.probability(), mean)
    of_theta = _information(by_answer(mean), by_answer(sd), yes_or_no, weight)
    mean, sd = prediction.mean_sd()
    binary = tf.reshape(prediction.is_binary, [rows, count, ANSWERS, -1])[:, :, 0]
    of_targets = _information(by_answer(mean), by_answer(sd), binary, weight)

    selected = tf.concat([state["theta_mask"] & ~state["known_mask"], state["target_mask"]], axis=1)
    selected = tf.cast(selected, tf.float32)[:, None]
    total = tf.reduce_sum(selected * tf.concat([of_theta, of_targets], axis=2), axis=2)
    gain = total / tf.maximum(tf.reduce_sum(selected, axis=2), 1.0)
    answered = tf.reduce_any(some["candidate_status"] == OBSERVED, axis=2)
    return tf.where(answered, gain, 0.0) - cost_weight * some["candidate_cost"]


def _answers(model, state, index, seed):
    """Answers that stand for p(y | x, D) of each candidate, and their weights: [R, K, A]."""
    here = outcomes_at(drop_candidates(state), narrow(state, index)["candidate_design"])
    prediction = model.outcome_prediction(model(here), here)
    uniforms = draws.uniform(seed, [2, ANSWERS - 1, *index.shape])
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
