"""Losses and credit assignment as pure functions of tensors.

Time is named _t: value_t [B, T + 1] holds log q of the selected targets before each step and at
the end; reward_t [B, T] its differences. Source: ALINE, section 3.
"""

from __future__ import annotations

import tensorflow as tf

CREDITS = ("own_step", "reward_to_go")


def own_step_credit(value_t, discount=1.0, clamp=True, standardise=True) -> tf.Tensor:
    """The paper's credit: each action answers for its own step's reward, gamma^t R_t.

    Args:
        value_t: [B, T + 1].
        discount: gamma.
        clamp: raise negative rewards to 0, as the authors' experiments do.
        standardise: over the batch, step by step, as they do.

    Returns:
        [B, T].
    """
    reward_t = value_t[:, 1:] - value_t[:, :-1]
    if clamp:
        reward_t = tf.maximum(reward_t, 0.0)
    if standardise:
        mean = tf.reduce_mean(reward_t, axis=0, keepdims=True)
        reward_t = (reward_t - mean) / (tf.math.reduce_std(reward_t, axis=0, keepdims=True) + 1e-6)
    horizon = value_t.shape[1] - 1
    return reward_t * tf.pow(discount, tf.range(horizon, dtype=tf.float32))


def reward_to_go(value_t, cost_t, price=0.0) -> tf.Tensor:
    """What was gained from each step on: value_T - value_t - price * (costs still paid).

    Args:
        value_t: [B, T + 1].
        cost_t: [B, T], burden of each acquisition.
        price: nats per unit of burden.

    Returns:
        [B, T].
    """
    gain = value_t[:, -1:] - value_t[:, :-1]
    return gain - price * tf.cumsum(cost_t, axis=1, reverse=True)


def against_group(return_t, group: int) -> tf.Tensor:
    """Each episode compared with the mean of the others that share its theta and pool.

    Args:
        return_t: [B, T]; rows of a group are neighbours.
        group: group size; 1 compares with the batch mean instead, own return included.

    Returns:
        [B, T], of mean zero in every group; the baseline of a group of 2 or more never contains
        the row's own return, so the policy gradient stays unbiased.
    """
    if group == 1:
        return return_t - tf.reduce_mean(return_t, axis=0, keepdims=True)
    horizon = return_t.shape[1]
    grouped = tf.reshape(return_t, [-1, group, horizon])
    others = (tf.reduce_sum(grouped, axis=1, keepdims=True) - grouped) / (group - 1)
    return tf.reshape(grouped - others, [-1, horizon])


def against_state(advantage_t, value_t, group: int) -> tf.Tensor:
    """Advantages less what the value of the state foretold of them: c_t (value_t - others' mean).

    A state's value, known before its action, tells of luck so far; how much of that lasts depends
    on the step. c_t is the slope among the other groups, so the policy gradient stays unbiased.

    Args:
        advantage_t: [B, T], from `against_group`.
        value_t: [B, T], of the states acted in.
        group: group size, at least 2, of the same rows.

    Returns:
        [B, T]; the advantages themselves where there is one group only.
    """
    horizon = value_t.shape[1]
    luck = tf.reshape(against_group(value_t, group), [-1, group, horizon])
    advantage = tf.reshape(advantage_t, [-1, group, horizon])

    def of_others(product):
        own = tf.reduce_sum(product, axis=1, keepdims=True)
        return tf.reduce_sum(own, axis=0, keepdims=True) - own

    slope = tf.math.divide_no_nan(of_others(luck * advantage), of_others(tf.square(luck)))
    return tf.reshape(advantage - slope * luck, [-1, horizon])


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
        logits: [R, K] scores of the candidates that were tried.
        gain: [R, K] what each of them brought.
        allowed: bool [R, K].

    Returns:
        [R], minus the expected gain under the softmax of the allowed logits, centred.
    """
    policy = tf.nn.softmax(tf.where(allowed, logits, -1e9))
    gain = tf.stop_gradient(gain)
    center = tf.stop_gradient(tf.reduce_sum(policy * gain, axis=1, keepdims=True))
    return -tf.reduce_sum(policy * tf.where(allowed, gain - center, 0.0), axis=1)


def imitation_loss(logits, gain, allowed, sharpness) -> tf.Tensor:
    """Cross-entropy of the policy from a teacher whose scores are relative gains.

    Args:
        logits: [R, N] policy scores.
        gain: [R, N] the teacher's information gains, in nats.
        allowed: bool [R, N].
        sharpness: the teacher is softmax(sharpness * gain / largest gain): late in an episode
            gains shrink, their order still matters.

    Returns:
        [R].
    """
    gain = tf.where(allowed, gain, 0.0)
    best = tf.reduce_max(gain, axis=1, keepdims=True)
    scores = sharpness * gain / tf.maximum(best, 1e-6)
    teacher = tf.stop_gradient(tf.nn.softmax(tf.where(allowed, scores, -1e9)))
    log_policy = tf.nn.log_softmax(tf.where(allowed, logits, -1e9))
    return -tf.reduce_sum(tf.where(allowed, teacher * log_policy, 0.0), axis=1)


def inference_loss(theta_log_prob, theta_weight, target_log_prob, target_weight) -> tf.Tensor:
    """Mean negative log q over parameters plus that over predictions, each over what is recorded.

    Args:
        theta_log_prob, theta_weight: [R, P].
        target_log_prob, target_weight: [R, M].
    """
    theta = tf.math.divide_no_nan(
        tf.reduce_sum(theta_weight * theta_log_prob), tf.reduce_sum(theta_weight)
    )
    target = tf.math.divide_no_nan(
        tf.reduce_sum(target_weight * target_log_prob), tf.reduce_sum(target_weight)
    )
    return -(theta + target)


def anneal(start: float, end: float, fraction) -> tf.Tensor:
    """Geometric interpolation from start to end (linear when one of them is 0)."""
    fraction = tf.clip_by_value(tf.cast(fraction, tf.float32), 0.0, 1.0)
    if start > 0 and end > 0:
        return start * tf.pow(end / start, fraction)
    return start + (end - start) * fraction
