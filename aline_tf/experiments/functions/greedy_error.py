"""Error of predictions after compiled greedy runs: whole runs as one loop, in groups."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import drop_candidates
from aline_tf.evaluation.greedy_run import compiled_run
from aline_tf.evaluation.results import Result

_RUNS_AT_ONCE = 50


def prediction_errors(model, task, runs: int, seed: int, candidates: int) -> list[Result]:
    """Root mean squared error of the predictions at the task's test inputs, at the horizon.

    Args:
        model: an ALINE model of the task.
        task: a `GaussianProcess`.
        runs: R.
        seed: of the runs.
        candidates: N.
    """
    horizon, errors, play = task.spec.horizon, [], None
    for group in range(-(-runs // _RUNS_AT_ONCE)):
        # Whole groups are drawn and then cut, so that the number of runs changes no draw.
        key = draws.as_seed([seed, group])
        episode = task.sample_episodes(key, _RUNS_AT_ONCE, candidates)
        episode |= {
            "theta_mask": tf.zeros_like(episode["theta_mask"]),
            "target_mask": tf.ones_like(episode["target_mask"]),
        }
        play = play or compiled_run(model, episode, horizon)
        final = drop_candidates(play(episode, key).episode)
        mean, _ = model.outcome_prediction(model(final), final).mean_sd()
        away = tf.square(mean - final["target_outcome"])
        errors.append(tf.sqrt(tf.reduce_mean(away, axis=1)).numpy())
    errors = np.concatenate(errors)[:runs].astype(float)
    return [Result.of("learned", "predictions", horizon, "rmse", errors)]
