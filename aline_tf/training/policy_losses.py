"""Policy losses: REINFORCE, the all-action gradient, imitation of a teacher.

Pure functions of tensors; R rows are states, and no gradient goes to what the policy is taught by.
"""

from __future__ import annotations

import tensorflow as tf


def policy_loss(log_prob, advantage, weight) -> tf.Tensor:
    """-sum weight * advantage * log pi(chosen) / sum weight, with no gradient to the advantage.

    Args:
        log_prob, advantage, weight: [R].
    """
    advantage = tf.stop_gradient(advantage)
    return -tf.math.divide_no_nan(
        tf.reduce_sum(weight * advantage * log_prob), tf.reduce_sum(weight)
    )


def all_action_loss(logits, gain, allowed) -> tf.Tensor:
    """The gradient of the expected gain over every scored candidate, not only the chosen one.

    Args:
        logits: [R, K] scores of some candidates.
        gain: [R, K] what each of them brought.
        allowed: bool [R, K].

    Returns:
        [R], minus the expected gain under the softmax of the allowed logits, centred.
    """
    policy = tf.nn.softmax(tf.where(allowed, logits, -1e9))
    gain = tf.stop_gradient(gain)
    center = tf.stop_gradient(tf.reduce_sum(policy * gain, axis=1, keepdims=True))
    return -tf.reduce_sum(policy * tf.where(allowed, gain - center, 0.0), axis=1)


def imitation_loss(logits, gain, allowed, inverse_temperature) -> tf.Tensor:
    """Cross-entropy of the policy from a teacher whose scores are relative gains.

    Args:
        logits: [R, N] policy scores.
        gain: [R, N] the teacher's information gains, in nats.
        allowed: bool [R, N].
        inverse_temperature: the teacher is softmax(inverse_temperature * gain / largest gain):
            late in an episode gains shrink, their order still matters.

    Returns:
        [R].
    """
    gain = tf.where(allowed, gain, 0.0)
    best = tf.reduce_max(gain, axis=1, keepdims=True)
    scores = inverse_temperature * gain / tf.maximum(best, 1e-6)
    teacher = tf.stop_gradient(tf.nn.softmax(tf.where(allowed, scores, -1e9)))
    log_policy = tf.nn.log_softmax(tf.where(allowed, logits, -1e9))
    return -tf.reduce_sum(tf.where(allowed, teacher * log_policy, 0.0), axis=1)
