"""Held-out metrics: those of a model on episodes that training never drew."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import drop_candidates
from aline_tf.training.phases import warmup_loss
from aline_tf.training.rollout import rollout

#: What is measured, in the order in which Keras would list it.
HELD_OUT_METRICS = ("loss", "inference", "reward", "entropy", "coverage_90")


def held_out_figures(model, task, recipe, seed, episodes: int) -> dict[str, tf.Tensor]:
    """Inference after random designs, and a rollout of the policy that is deployed.

    Args:
        model: an ALINE.
        task: of the same specification.
        recipe: says the horizon and the pool.
        seed: int32 [2].
        episodes: B.

    Returns:
        scalars by the names of `HELD_OUT_METRICS`; coverage_90 is NaN without a continuous
        parameter.
    """
    random_seed, episode_seed, rollout_seed = draws.split(seed, 3)
    plain = dataclasses.replace(
        recipe, warmup_batch=episodes, conditioning_rate=0.0, num_posterior_labels=0
    )
    inference, _ = warmup_loss(model, task, plain, random_seed)
    horizon = recipe.rollout.horizon or task.spec.horizon
    pool = max(recipe.rollout.pool, horizon)
    episode = task.sample_episodes(episode_seed, episodes, pool)
    # Temperature 0 takes the best, as a session does; its entropy is that of the scores' softmax.
    trajectory = rollout(model, episode, rollout_seed, horizon, pool, 0.0, entropy_temperature=1.0)
    value = trajectory.value
    return {
        "loss": inference,
        "inference": inference,
        "reward": tf.reduce_mean(value[:, -1] - value[:, 0]),
        "entropy": tf.reduce_mean(trajectory.entropy),
        "coverage_90": _coverage(model, drop_candidates(trajectory.episode)),
    }


def _coverage(model, state):
    """Share of the recorded, continuous parameters between their 5 % and 95 % quantiles."""
    kinds = tf.constant([p.kind in ("interval", "real") for p in model.spec.parameters], tf.bool)
    counted = kinds & state["theta_observed"] & ~state["known_mask"]
    theta = tf.where(state["theta_observed"], state["theta"], 0.0)
    below = model.theta_posterior(model(state)).cdf(theta)
    inside = counted & (below >= 0.05) & (below <= 0.95)
    total = tf.reduce_sum(tf.cast(counted, tf.float32))
    share = tf.reduce_sum(tf.cast(inside, tf.float32)) / tf.maximum(total, 1.0)
    return tf.where(total > 0.0, share, float("nan"))
