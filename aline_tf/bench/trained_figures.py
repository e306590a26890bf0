"""What a trained network is worth: the few figures that a training budget is judged by.

location_finding, ces   bounds of the total information gain at the horizon (nats)
psychometric            RMSE at the horizon, after each of the two pairs of parameters
gp1d, gp2d              RMSE of predictions at the task's test inputs, after T acquisitions
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.policies import LearnedPolicy
from aline_tf.batch_ops import drop_candidates
from aline_tf.bench.greedy_run import compiled_run
from aline_tf.evaluation import eig, metrics
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import SimulatedRuns
from aline_tf.experiments.psychometric import estimates as psychometric
from aline_tf.experiments.psychometric.runs import HORIZON, simulate_runs, target_mask

CONTRASTIVE = 100_000
_RUNS_AT_ONCE = 50


def trained_rows(network, task, runs: int, seed: int, candidates: int) -> list[Result]:
    """The figures of a trained network.

    Args:
        network: an ALINE model of the task.
        task: one of those above.
        runs: simulated runs that each figure is the mean of.
        seed: of the runs; equal seeds give every network the same ones.
        candidates: N.
    """
    name = task.spec.name
    if name == "psychometric":
        return _psychometric_rows(network, runs, seed, candidates)
    if name in ("gp1d", "gp2d"):
        return [_function_row(network, task, runs, seed, candidates)]
    return _information_rows(network, task, runs, seed, candidates)


def _psychometric_rows(network, runs, seed, candidates):
    observers = simulate_runs(runs, candidates, seed)
    policy, posterior = LearnedPolicy(network), ModelPosterior(network)
    results = []
    for target in psychometric.TARGETS[:2]:
        selected = target_mask(target)
        data = observers.play(policy, selected)
        found = psychometric.model_estimates(posterior, data, (HORIZON,), selected)
        error = metrics.rmse(found.mean[:, 0], data.theta, selected)
        results.append(Result.of("learned", target, HORIZON, "rmse", error))
    return results


def _information_rows(network, task, runs, seed, candidates):
    runs = SimulatedRuns(task, runs, candidates, seed)
    data = runs.play(LearnedPolicy(network))
    steps, target = (runs.horizon,), ",".join(task.spec.parameter_names)
    bounds = eig.prior_bounds(task, data.theta, data.design, data.outcome, steps, CONTRASTIVE, seed)
    return [
        Result.of("learned", target, runs.horizon, metric, getattr(bounds, metric)[:, 0])
        for metric in ("spce", "snmc")
    ]


def _function_row(network, task, runs, seed, candidates):
    horizon, errors, play = task.spec.horizon, [], None
    for group in range(-(-runs // _RUNS_AT_ONCE)):
        # Whole groups are drawn and then cut, so that the number of runs changes no draw.
        key = draws.as_seed([seed, group])
        episode = task.sample_episodes(key, _RUNS_AT_ONCE, candidates)
        episode |= {
            "theta_mask": tf.zeros_like(episode["theta_mask"]),
            "target_mask": tf.ones_like(episode["target_mask"]),
        }
        play = play or compiled_run(network, episode, horizon)
        final = drop_candidates(play(episode, key).episode)
        mean, _ = network.outcome_prediction(network(final), final).mean_sd()
        away = tf.square(mean - final["target_outcome"])
        errors.append(tf.sqrt(tf.reduce_mean(away, axis=1)).numpy())
    errors = np.concatenate(errors)[:runs].astype(float)
    return Result.of("learned", "predictions", horizon, "rmse", errors)


def row_dicts(rows: list[Result]) -> list[dict]:
    """Rows as JSON."""
    return [dataclasses.asdict(row) for row in rows]
