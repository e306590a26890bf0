"""A whole run without randomness of the policy, as one compiled loop."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from aline_tf.training.rollout import Trajectory, rollout


def compiled_run(model, episode: dict, horizon: int) -> Callable[..., Trajectory]:
    """A function (episode, seed [2]) -> `Trajectory` that takes the best candidate of the whole
    pool at every step.

    Args:
        model: a built `ALINE`.
        episode: an Episode of the sizes to come; only its number of rows may change.
        horizon: T.
    """
    pool = episode["candidate_mask"].shape[1]
    signature = {
        name: tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for name, array in episode.items()
    }

    @tf.function(input_signature=[signature, tf.TensorSpec([2], tf.int32)], autograph=False)
    def run(episode, seed):
        made = rollout(model, episode, seed, horizon, pool, temperature=0.0)
        return {name: value for name, value in made._asdict().items() if name != "initial"}

    initial = episode["context_mask"].shape[1]
    return lambda episode, seed: Trajectory(initial=initial, **run(episode, seed))
