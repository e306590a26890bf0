"""Counterfactual gains: a candidate's recorded outcome is appended to the context, q asked again.

    gain(x) = log q(targets | D, (x, y)) - log q(targets | D),   y the outcome recorded for x

It teaches the policy faster than rewards alone and needs no likelihood.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_candidate, drop_candidates, repeat
from aline_tf.information.look_ahead import look_ahead_gain
from aline_tf.training.policy_losses import all_action_loss, imitation_loss
from aline_tf.training.rollout import selected_value


def counterfactual_gain(model, state, index, cost_weight=0.0) -> tf.Tensor:
    """What log q of the selected targets gains when each of K candidates is acquired.

    Args:
        model: an ALINE.
        state: R states whose recorded pool outcomes are known; the last context slot is free.
        index: int32 [R, K] positions in the pool.
        cost_weight: nats per unit of burden, taken off.

    Returns:
        [R, K].
    """
    count = index.shape[1]
    here = drop_candidates(state)
    value = selected_value(model, model(here), here)
    last = tf.shape(state["context_mask"])[1] - 1
    after = append_candidate(repeat(state, count), last, tf.reshape(index, [-1]))
    after = drop_candidates(after)
    value_after = tf.reshape(selected_value(model, model(after), after), [-1, count])
    cost = tf.gather(state["candidate_cost"], index, batch_dims=1)
    return value_after - value[:, None] - cost_weight * cost


def counterfactual_losses(model, recipe, state, logits, weight, seed) -> list:
    """Losses over a few candidates that are acquired one by one at every sampled state.

    Args:
        model: an ALINE.
        recipe: says which losses, how many candidates, and at what cost.
        state: R states.
        logits: [R, N], of the policy.
        weight: [R], of the states.
        seed: int32 [2].

    Returns:
        pairs of a loss's weight and its rows [R]; none where the recipe asks for none.
    """
    settings = recipe.policy_loss
    if max(settings.counterfactual, settings.look_ahead) <= 0:
        return []
    count = settings.num_counterfactuals
    # Half of them as the policy would choose: what it ranks first is what has to be told apart.
    some_seed, own_seed, answer_seed = draws.split(seed, 3)
    own = tf.math.top_k(logits + draws.gumbel(own_seed, tf.shape(logits)), count // 2).indices
    order = draws.uniform(some_seed, tf.shape(logits))
    order += tf.reduce_sum(tf.one_hot(own, tf.shape(logits)[1]), axis=1)
    order += 2.0 * tf.cast(state["candidate_mask"], tf.float32)
    index = tf.math.top_k(order, count).indices
    allowed = tf.gather(state["candidate_mask"], index, batch_dims=1)
    scores, parts = tf.gather(logits, index, batch_dims=1), []
    if settings.counterfactual > 0:
        gain = counterfactual_gain(model, state, index, settings.cost_weight)
        gain = on_one_scale(gain, state, tf.cast(allowed, tf.float32) * weight[:, None])
        parts.append((settings.counterfactual, all_action_loss(scores, gain, allowed)))
    if settings.look_ahead > 0:
        gain = look_ahead_gain(model, state, index, answer_seed, settings.cost_weight)
        each = imitation_loss(scores, gain, allowed, settings.teacher_inverse_temperature)
        parts.append((settings.look_ahead, each))
    return parts


def on_one_scale(gain, state, counted):
    """Gains [R, K] by their root mean square among rows that select the same kind of target.

    A forecast gains a few millinats, a physiology tenths: on the scale of all together nobody would
    ever learn what to ask for a forecast. Kinds: parameters, predictions, both.

    Args:
        gain: [R, K].
        state: R states.
        counted: [R, K], 0 for what does not count.

    Returns:
        [R, K].
    """
    selected = [tf.reduce_any(state[name], axis=1) for name in ("theta_mask", "target_mask")]
    kind = tf.cast(selected[0], tf.int32) + 2 * tf.cast(selected[1], tf.int32)
    member = tf.one_hot(kind, 4)
    square = tf.linalg.matvec(member, tf.reduce_sum(counted * tf.square(gain), axis=1), True)
    square /= tf.linalg.matvec(member, tf.reduce_sum(counted, axis=1), True) + 1e-6
    return gain / (tf.linalg.matvec(member, tf.sqrt(square))[:, None] + 1e-6)
