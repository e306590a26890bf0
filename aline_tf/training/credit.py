"""Credit assignment: from rewards of an episode to the advantages of its actions.

Pure functions of tensors. Time is named _t: value_t [B, T + 1] holds log q of the selected targets
before each step and at the end; reward_t [B, T] its differences. Source: ALINE, section 3.
"""

from __future__ import annotations

import tensorflow as tf


def immediate_reward(value_t, discount=1.0, clamp=True, standardise=True) -> tf.Tensor:
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


def reward_to_go(value_t, cost_t, cost_weight=0.0) -> tf.Tensor:
    """What was gained from each step on: value_T - value_t - cost_weight * (costs still paid).

    Args:
        value_t: [B, T + 1].
        cost_t: [B, T], burden of each acquisition.
        cost_weight: nats per unit of burden.

    Returns:
        [B, T].
    """
    gain = value_t[:, -1:] - value_t[:, :-1]
    return gain - cost_weight * tf.cumsum(cost_t, axis=1, reverse=True)


def leave_one_out_advantage(return_t, group_size: int) -> tf.Tensor:
    """Each episode compared with the mean of the others that share its theta and pool.

    Args:
        return_t: [B, T]; rows of a group are neighbours.
        group_size: 1 compares with the batch mean instead, own return included.

    Returns:
        [B, T], of mean zero in every group; the baseline of a group of 2 or more never contains
        the row's own return, so the policy gradient stays unbiased.
    """
    if group_size == 1:
        return return_t - tf.reduce_mean(return_t, axis=0, keepdims=True)
    horizon = return_t.shape[1]
    grouped = tf.reshape(return_t, [-1, group_size, horizon])
    others = (tf.reduce_sum(grouped, axis=1, keepdims=True) - grouped) / (group_size - 1)
    return tf.reshape(grouped - others, [-1, horizon])


def state_control_variate(advantage_t, value_t, group_size: int) -> tf.Tensor:
    """Advantages less what the value of the state predicted of them: c_t (value_t - others' mean).

    A state's value, known before its action, tells of luck so far; how much of that lasts depends
    on the step. c_t is the slope among the other groups, so the policy gradient stays unbiased.

    Args:
        advantage_t: [B, T], from `leave_one_out_advantage`.
        value_t: [B, T], of the states acted in.
        group_size: at least 2, of the same rows.

    Returns:
        [B, T]; the advantages themselves where there is one group only.
    """
    horizon = value_t.shape[1]
    luck = tf.reshape(leave_one_out_advantage(value_t, group_size), [-1, group_size, horizon])
    advantage = tf.reshape(advantage_t, [-1, group_size, horizon])

    def of_others(product):
        own = tf.reduce_sum(product, axis=1, keepdims=True)
        return tf.reduce_sum(own, axis=0, keepdims=True) - own

    slope = tf.math.divide_no_nan(of_others(luck * advantage), of_others(tf.square(luck)))
    return tf.reshape(advantage - slope * luck, [-1, horizon])
