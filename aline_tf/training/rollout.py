"""Rollouts of the policy, inside one compiled loop: acquire, append, look again.

A rollout runs without gradients. What it leaves behind is enough to rebuild every state it went
through: all states of an episode share the same arrays and differ only in how much of the
context they may see, so a gradient pass takes any subset of steps as one batch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import (
    ACQUIRED,
    append_candidate,
    drop_candidates,
    extend_context,
    narrow,
    repeat,
)

#: Squared distance, in designs scaled to [-1, 1], below which candidates are as close as can be.
_CLOSEST = 1e-4
#: What an acquisition changes of an episode.
_CONTEXT = (*ACQUIRED, "context_mask")
#: Loops of a long rollout, and what is long.
_LOOPS, _LONG = 3, 20


class Trajectory(NamedTuple):
    """What happened in B episodes of T acquisitions (see `aline_tf.batch` for the letters).

    Attributes:
        episode: the episode, its context extended by T tokens (capacity C0 + T).
        initial: C0, the context capacity before the first acquisition.
        offered: int32 [B, T, n], indices of the candidates offered at each step.
        available: bool [B, T, n], False for offers already taken.
        choice: int32 [B, T], position of the chosen one among those offered.
        value: [B, T + 1], of the states before each step and at the end: mean log q of the selected
            targets, or what stands for it.
        entropy: [B, T], of the policy over what was offered.
    """

    episode: dict
    initial: int
    offered: tf.Tensor
    available: tf.Tensor
    choice: tf.Tensor
    value: tf.Tensor
    entropy: tf.Tensor


def selected_value(model, outputs, episode, theta_log_prob=None) -> tf.Tensor:
    """Mean log q over the selected targets whose truth is recorded: [B] (0 where there is none).

    Source: the reward of ALINE, section 3: successive differences of this value.

    Args:
        model, outputs, episode: the model, what it said of the episode's B states, and these.
        theta_log_prob: [B, P], what stands for log q of the true parameters; None takes just that.
    """
    theta = episode["theta_mask"] & episode["theta_observed"] & ~episode["known_mask"]
    target = episode["target_mask"] & episode["target_observed"]
    # A weight of zero does not silence NaN: a truth that is not recorded is read as 0.
    if theta_log_prob is None:
        true_theta = tf.where(episode["theta_observed"], episode["theta"], 0.0)
        theta_log_prob = model.theta_log_prob(outputs, true_theta)
    true_outcome = tf.where(episode["target_observed"], episode["target_outcome"], 0.0)
    target_log_prob = model.target_log_prob(outputs, episode, true_outcome)
    log_prob = tf.concat([theta_log_prob, target_log_prob], axis=1)
    weight = tf.cast(tf.concat([theta, target], axis=1), tf.float32)
    total = tf.reduce_sum(weight * tf.maximum(log_prob, -30.0), axis=1)
    return total / tf.maximum(tf.reduce_sum(weight, axis=1), 1.0)


def draw_candidates(
    seed, remaining, candidates_per_step: int, square, local_share: float
) -> tf.Tensor:
    """Which candidates are offered, drawn without replacement: int32 [B, n].

        p(candidate) ~ (1 - local_share) / N + local_share w,   w ~ 1 / (square + eps)

    A pool of thousands has candidates very close to what is looked for, a few dozen drawn from it
    hardly ever: with `local_share` they have some at every distance.

    Args:
        seed: int32 [2].
        remaining: bool [B, N]; the taken ones come last.
        candidates_per_step: n.
        square: [B, N], squared distances from the posterior mean; not looked at when `local_share`
            is 0.
        local_share: in [0, 1].
    """
    if local_share == 0:
        order = draws.uniform(seed, tf.shape(remaining)) + tf.cast(remaining, tf.float32)
        return tf.math.top_k(order, candidates_per_step).indices
    weight = 1.0 / (square + _CLOSEST)
    weight /= tf.reduce_sum(weight, axis=1, keepdims=True)
    count = tf.cast(tf.shape(remaining)[1], tf.float32)
    order = tf.math.log((1.0 - local_share) / count + local_share * weight)
    order += draws.gumbel(seed, tf.shape(remaining))
    return tf.math.top_k(tf.where(remaining, order, -1e9), candidates_per_step).indices


def _stretches(initial: int, horizon: int) -> list[tuple[int, int]]:
    """Steps from, to: of loops that each have room for as many tokens as they acquire.

    A token that is masked costs what a seen one costs. Where acquired tokens outnumber the others
    several loops save a third of that; each takes its time to be traced.
    """
    count = _LOOPS if horizon >= max(_LONG, 2 * initial) else 1
    ends = [horizon * (part + 1) // count for part in range(count)]
    return list(pairwise([0, *ends]))


def rollout(
    model,
    episode,
    seed,
    horizon: int,
    candidates_per_step: int,
    temperature,
    local_share: float = 0.0,
    value=selected_value,
    entropy_temperature=None,
) -> Trajectory:
    """Follows the model's policy for `horizon` acquisitions.

    Args:
        model: an ALINE.
        episode: an Episode.
        seed: int32 [2].
        horizon: T; at most the number of candidates. A row with fewer allowed candidates acquires
            those and then nothing more.
        candidates_per_step: n, how many of the remaining candidates are scored at each step, drawn
            afresh; all of them when it equals the pool. A few are cheap and show the policy pools
            of many kinds.
        temperature: divides the scores before the softmax; 0 takes the best.
        local_share: share of them that is drawn by closeness to where the model, one step
            earlier, had the posterior mean of the places; only for models with
            `location_parameters`.
        value: what states are worth, called with the arguments of `selected_value`.
        entropy_temperature: of the policy whose entropy is recorded; None is `temperature`.

    Raises:
        ValueError: the pool is smaller than the horizon.
    """
    initial = episode["context_mask"].shape[1]
    pool = episode["candidate_mask"].shape[1]
    if not horizon <= pool:
        raise ValueError(
            f"Expected a pool of at least the horizon. Received: horizon={horizon}, pool={pool}"
        )
    rows = tf.shape(episode["theta"])[0]

    entropy_temperature = temperature if entropy_temperature is None else entropy_temperature
    local_share = local_share if model.location_parameters else 0.0

    # What no acquisition changes stays out of the loops: XLA loses the bodies of loops that hand
    # constants on to one another.
    fixed = {name: array for name, array in episode.items() if name not in _CONTEXT}
    context = {name: episode[name] for name in _CONTEXT}

    def step(t, context, remaining, square, records):
        state = fixed | context
        offer_seed, choice_seed = draws.split(draws.fold_in(seed, t), 2)
        if candidates_per_step < pool:
            offered = draw_candidates(
                offer_seed, remaining, candidates_per_step, square, local_share
            )
        else:
            offered = tf.repeat(tf.range(pool)[None], rows, axis=0)
            # The loop wants to know that the number of rows stays what it was.
            offered = tf.ensure_shape(offered, [episode["theta"].shape[0], pool])
        current = narrow(state | {"candidate_mask": remaining}, offered)
        outputs = model(current)
        logits = outputs["candidate_logits"]
        noise = draws.gumbel(choice_seed, tf.shape(logits))
        choice = tf.argmax(logits + temperature * noise, axis=1, output_type=tf.int32)
        index = tf.gather(offered, choice, batch_dims=1)
        log_policy = tf.nn.log_softmax(logits / tf.maximum(entropy_temperature, 1e-3))
        made = {
            "offered": offered,
            "available": current["candidate_mask"],
            "choice": choice,
            "value": value(model, outputs, current),
            "entropy": -tf.reduce_sum(tf.exp(log_policy) * tf.maximum(log_policy, -50.0), axis=1),
        }
        records = {name: records[name].write(t, made[name]) for name in records}
        remaining &= ~tf.cast(tf.one_hot(index, pool), tf.bool)
        # Where the whole pool was taken already, nothing is acquired and nothing is seen.
        acquired = tf.gather(current["candidate_mask"], choice, batch_dims=1)
        after = append_candidate(state, initial + t, index, acquired)
        if local_share > 0:
            square = model.distance_from_posterior(outputs, state)
        context = {name: after[name] for name in _CONTEXT}
        return t + 1, context, remaining, square, records

    kinds = {
        "offered": tf.int32,
        "available": tf.bool,
        "choice": tf.int32,
        "value": tf.float32,
        "entropy": tf.float32,
    }
    records = {name: tf.TensorArray(dtype, size=horizon) for name, dtype in kinds.items()}
    # Before anything is seen every candidate is as close as any other.
    square = tf.ones_like(episode["candidate_design"][..., 0]) if local_share > 0 else ()
    remaining = episode["candidate_mask"]
    for first, last in _stretches(initial, horizon):
        _, context, remaining, square, records = tf.while_loop(
            lambda t, *_, last=last: t < last,
            step,
            (tf.constant(first), extend_context(context, last - first), remaining, square, records),
            maximum_iterations=last - first,
        )
    episode = fixed | context
    final = drop_candidates(episode)
    final_value = value(model, model(final), final)

    def by_row(name):
        stacked = records[name].stack()
        return tf.transpose(stacked, [1, 0, *range(2, stacked.shape.rank)])

    trajectory = Trajectory(
        episode=episode,
        initial=initial,
        offered=by_row("offered"),
        available=by_row("available"),
        choice=by_row("choice"),
        value=tf.concat([by_row("value"), final_value[:, None]], axis=1),
        entropy=by_row("entropy"),
    )
    return tf.nest.map_structure(
        lambda item: tf.stop_gradient(item) if tf.is_tensor(item) else item, trajectory
    )


def some_rows(episodes, first, count: int):
    """`count` rows, from the one at `first` (int scalar) on, of every tensor of a structure."""
    rows = first + tf.range(count)
    return tf.nest.map_structure(
        lambda item: tf.gather(item, rows) if tf.is_tensor(item) else item, episodes
    )


def states_at(trajectory: Trajectory, steps) -> dict:
    """The states before the given steps, as one batch.

    Args:
        trajectory: of B episodes.
        steps: int32 [B, S], each between 0 and T (T: after the last acquisition).

    Returns:
        an Episode of B * S rows, row-major, whose pool is what was offered at that step.
    """
    count = steps.shape[1]
    horizon = trajectory.choice.shape[1]
    episode = repeat(trajectory.episode, count)
    flat = tf.reshape(steps, [-1])
    acting = tf.minimum(flat, horizon - 1)
    offered = tf.gather(tf.repeat(trajectory.offered, count, axis=0), acting, batch_dims=1)
    available = tf.gather(tf.repeat(trajectory.available, count, axis=0), acting, batch_dims=1)
    state = narrow(episode, offered)
    position = tf.range(tf.shape(state["context_mask"])[1])
    seen = position[None, :] < trajectory.initial + flat[:, None]
    return state | {"candidate_mask": available, "context_mask": state["context_mask"] & seen}
