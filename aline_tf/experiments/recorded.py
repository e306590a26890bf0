"""Scores of a model on recorded episodes: what was not recorded is neither predicted nor judged.

    rmse         root mean squared error of the predictive mean, over the recorded targets
    log_prob     log density (or probability) of what was recorded, nats per target
    coverage_90  share of them inside the central 90% interval, where outcomes are continuous

Parameters, where any are recorded, are judged in the same way under their names.

Sizes: R runs, T acquisitions, N candidates, M targets, P parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from aline_tf import draws
from aline_tf.acquisition.policies import Policy
from aline_tf.errors import InputError
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.model_posterior import ModelPosterior, ModelPrediction
from aline_tf.evaluation.play import play
from aline_tf.evaluation.posterior_results import OUTCOMES
from aline_tf.evaluation.results import Result

# Keeps these episodes apart from those that a training draws from the same seed.
_HELD_OUT_STREAM = 0x484C44


def held_out(task, runs: int, candidates: int, seed: int) -> dict[str, np.ndarray]:
    """R episodes of the task's records, as numpy arrays; equal arguments give equal ones."""
    key = draws.fold_in(draws.as_seed(seed), _HELD_OUT_STREAM)
    episode = task.sample_episodes(key, runs, candidates)
    return {name: np.asarray(array) for name, array in episode.items()}


def shortest_pool(episode: Mapping[str, np.ndarray]) -> int:
    """How many candidates every run has.

    Raises:
        InputError: some run has none.
    """
    count = int(episode["candidate_mask"].sum(axis=1).min())
    if count < 1:
        raise InputError("expected at least 1 recorded candidate in every run; received none")
    return count


def evaluate(
    model,
    policies: Mapping[str, Policy],
    episode: Mapping[str, np.ndarray],
    horizon: int,
    steps: Sequence[int],
    report: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """All results: predictions of the targets, then parameters, for each policy and step.

    Args:
        model: an ALINE model.
        policies: by name.
        episode: R runs.
        horizon: T.
        steps: numbers of acquisitions, each in 0..T.
        report: called with a line for each finished policy.
    """
    prediction, posterior = ModelPrediction(model), ModelPosterior(model)
    spec, results = model.spec, []
    for name, policy in policies.items():
        first = episode["context_mask"].shape[1]
        for t, batch in enumerate(play(policy, episode, None, horizon, first=first)):
            if t not in steps:
                continue
            if episode["target_outcome"].shape[1]:
                found = prediction.estimate(batch, np.nan_to_num(episode["target_outcome"]))
                continuous = spec.outcomes[0].kind == "continuous"
                results += _scores(
                    name, OUTCOMES, t, found, episode["target_outcome"],
                    episode["target_observed"], continuous,
                )  # fmt: skip
            if episode["theta_observed"].any():
                found = posterior.estimate(batch, np.nan_to_num(episode["theta"]))
                target = ",".join(spec.parameter_names)
                results += _scores(
                    name, target, t, found, episode["theta"], episode["theta_observed"], True
                )
        report(f"{name}: {len(episode['theta'])} runs")
    if not results:
        raise InputError("expected recorded targets or parameters to judge by; received none")
    return sorted(results, key=lambda each: list(policies).index(each.policy))


def _scores(
    policy: str,
    target: str,
    step: int,
    found: Estimates,
    truth: np.ndarray,
    observed: np.ndarray,
    continuous: bool,
) -> Iterator[Result]:
    """The figures of the runs that have anything recorded, from arrays [R, n]."""
    kept = observed.any(axis=1)
    if not kept.any():
        return
    count = observed[kept].sum(axis=1)

    def averaged(values):
        return np.where(observed, values, 0.0)[kept].sum(axis=1) / count

    yield Result.of(policy, target, step, "rmse", np.sqrt(averaged((found.mean - truth) ** 2)))
    yield Result.of(policy, target, step, "log_prob", averaged(found.log_density))
    if continuous:
        inside = (found.low <= truth) & (truth <= found.high)
        yield Result.of(policy, target, step, "coverage_90", averaged(inside))
