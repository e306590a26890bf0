"""States after histories of any length, designs anywhere or close together, without a rollout.

A rollout of four horizons costs four rollouts, and shows one policy's histories. A posterior does
not mind who chose the designs, as long as nobody knew more than the answers before: here a row's
designs are drawn from its pool, some evenly, some near a point of the row's own that knows nothing
of the parameters. So each length, each spread and every crowd of near repeats is met.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_pool, narrow

#: How close "near" is, as a share of half the range of a design: between these, log-uniformly.
_NEAR = (0.01, 0.5)


def random_histories(task, seed, batch: int, longest: int, pool: int, candidates: int) -> dict:
    """States (an Episode) of `batch` rows, each after 0 to `longest` answers.

    Args:
        task: a `Task`.
        seed: int32 [2].
        batch: B.
        longest: C, the most answers a row may have.
        pool: how many designs are drawn at first; those of a history and those that are offered
            are of them.
        candidates: N, how many are offered.
    """
    episode_seed, length_seed, order_seed, offer_seed = draws.split(seed, 4)
    count = max(pool, longest + candidates)
    episode = task.sample_episodes(episode_seed, batch, count)
    # Half of the rows have at most a quarter of the longest: short histories are met more often.
    share = draws.uniform(length_seed, [batch, 1])
    length = tf.cast(tf.square(share) * (longest + 1), tf.int32)
    order = _order(task, episode["candidate_design"], order_seed)
    history = narrow(episode, order[:, :longest])
    taken = (tf.range(longest) < length) & history["candidate_mask"]
    context = append_pool(history, taken)
    rest = order[:, longest:]
    offered = tf.math.top_k(draws.uniform(offer_seed, tf.shape(rest)), candidates).indices
    offered = tf.gather(rest, offered, batch_dims=1)
    own = [name for name in context if name.startswith("context_")]
    return narrow(episode, offered) | {name: context[name] for name in own}


def _order(task, design, seed):
    """Positions in the pool, int32 [B, n]: the first ones make the history."""
    rows, count, dims = design.shape[0], tf.shape(design)[1], design.shape[2]
    center_seed, width_seed, share_seed, noise_seed = draws.split(seed, 4)
    low, high = tf.constant(task.spec.design_low), tf.constant(task.spec.design_high)
    scaled = (2.0 * design - low - high) / (high - low)
    center = draws.uniform(center_seed, [rows, 1, dims], -1.0, 1.0)
    log_width = draws.uniform(width_seed, [rows, 1], *(tf.math.log(w) for w in _NEAR))
    square = tf.reduce_sum(tf.square(scaled - center), axis=-1)
    close = tf.exp(-0.5 * square / tf.exp(2.0 * log_width)) + 1e-6
    close /= tf.reduce_sum(close, axis=1, keepdims=True)
    share = draws.uniform(share_seed, [rows, 1])
    weight = (1.0 - share) / tf.cast(count, tf.float32) + share * close
    noisy = tf.math.log(weight) + draws.gumbel(noise_seed, tf.shape(weight))
    return tf.argsort(noisy, axis=1, direction="DESCENDING")
