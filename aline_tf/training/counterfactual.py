"""What a candidate's recorded outcome brings: it is appended to the context and q is asked again.

    gain(x) = log q(targets | D, (x, y)) - log q(targets | D),   y the outcome recorded for x

It teaches the policy faster than rewards alone and needs no likelihood.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf.batch_ops import append_candidate, drop_candidates, repeat
from aline_tf.training.rollout import selected_value


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
    here = drop_candidates(state)
    value = selected_value(network, network(here), here)
    index = tf.reshape(tried, [-1])
    last = tf.shape(state["context_mask"])[1] - 1
    after = drop_candidates(append_candidate(repeat(state, count), last, index))
    value_after = tf.reshape(selected_value(network, network(after), after), [-1, count])
    cost = tf.gather(state["candidate_cost"], tried, batch_dims=1)
    return value_after - value[:, None] - price * cost
