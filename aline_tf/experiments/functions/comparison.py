"""Policies and predictors of gp1d and gp2d, compared on the same runs.

Names of results: a policy's own name stands for its choices with its own predictions. After a slash
stands another predictor on the same choices: "gp-epig/network" tells inference from acquisition,
"learned/exact" is the Gaussian process with the true hyper-parameters. "random" predicts with the
model; "gp-rs" makes the same choices and predicts with a fitted process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from aline_tf.acquisition.baselines.gp_policies import GP_POLICIES, GPPolicy, GPRandomPolicy
from aline_tf.acquisition.baselines.gp_regression import GPSettings
from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy
from aline_tf.acquisition.policies import LearnedPolicy, Policy, RandomPolicy, RescaledPolicy
from aline_tf.evaluation import metrics
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.predictors import (
    FittedPredictor,
    ModelParameters,
    ModelPredictor,
    Predictor,
)
from aline_tf.evaluation.results import Result
from aline_tf.experiments.functions.function_runs import (
    ExactPredictor,
    FunctionRuns,
    play_runs,
)
from aline_tf.tasks.gp import LENGTHSCALE, NOISE, VARIANCE
from aline_tf.units.rescaling import TrainingRange

#: Policies whose choices come from the model.
MODEL_POLICIES = ("learned", "ace-us")
#: Policies that can be after hyper-parameters, or do not look at what is selected.
HYPERPARAMETER_POLICIES = ("learned", "random", "ace-us")
#: The baseline knows of functions of the prior what the model knows: mean, noise and bounds.
PRIOR_SETTINGS = GPSettings(
    starts=(0.3, 1.0),
    lengthscale=LENGTHSCALE,
    variance=VARIANCE,
    noise=(NOISE**2, NOISE**2),
    standardise=False,
)
#: Of any other function it knows nothing.
OPEN_SETTINGS = GPSettings()


def make_policy(name: str, runs: FunctionRuns, seed: int, model, training_range) -> Policy:
    """A policy by its name on the command line, for these runs."""
    settings = OPEN_SETTINGS if runs.theta is None else PRIOR_SETTINGS
    if name == "random":
        return RandomPolicy(seed)
    if name == GPRandomPolicy.name:
        return GPRandomPolicy(settings, seed)
    if name in GP_POLICIES:
        return GP_POLICIES[name](settings)
    policy = LearnedPolicy(model) if name == "learned" else UncertaintySamplingPolicy(model)
    return policy if training_range is None else RescaledPolicy(policy, training_range)


def make_predictors(
    name: str, policy: Policy, runs: FunctionRuns, model, training_range
) -> dict[str, Predictor]:
    """Who predicts on a policy's choices, by the name of the results."""
    predictors: dict[str, Predictor] = {}
    fitted = isinstance(policy, GPPolicy)
    if fitted:
        predictors[name] = FittedPredictor(policy)
    # The choices of gp-rs are those of random, whose results the model's predictions are.
    if model is not None and name != GPRandomPolicy.name:
        label = f"{name}/network" if fitted else name
        predictors[label] = ModelPredictor(model, training_range)
        if training_range is not None and name == "learned":
            predictors["learned/unscaled"] = ModelPredictor(model)
    if runs.theta is not None and name != GPRandomPolicy.name:
        predictors[f"{name}/exact"] = ExactPredictor(runs)
    return predictors


def metric_results(
    label: str,
    target: str,
    estimates: Estimates,
    truth: np.ndarray,
    selected: np.ndarray | None = None,
    unit: float = 1.0,
) -> Iterator[Result]:
    """rmse, log_prob (nats per selected number) and coverage_90 before each step and at the end.

    Args:
        label, target: of the results.
        estimates: [R, K, M].
        truth: [R, M].
        selected: [M] bool; all when None.
        unit: what errors are divided by, and densities multiplied.
    """
    selected = np.ones(truth.shape[1], bool) if selected is None else selected
    mean, low, high, log_density = estimates[:4]
    steps = range(mean.shape[1])
    for t in steps:
        error = metrics.rmse(mean[:, t] / unit, truth / unit, selected)
        yield Result.of(label, target, t, "rmse", error)
    for t in steps:
        density = metrics.log_prob(log_density[:, t] + np.log(unit), selected)
        yield Result.of(label, target, t, "log_prob", density)
    for t in steps:
        inside = metrics.coverage(low[:, t], high[:, t], truth, selected)
        yield Result.of(label, target, t, "coverage_90", inside)


def evaluate(
    names: list[str],
    runs: FunctionRuns,
    horizon: int,
    seed: int = 0,
    model=None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """All results of one kind of function, whose outcomes at the test inputs are selected.

    Args:
        names: of policies; those of `MODEL_POLICIES` need a model.
        runs: the same for every policy.
        horizon: T.
        seed: of the random choices.
        model: without one, "random" has only its exact results.
        report: called with a line whenever a part is done.
    """
    results: list[Result] = []
    for name in names:
        training_range = TrainingRange() if runs.theta is None else None
        policy = make_policy(name, runs, seed, model, training_range)
        predictors = make_predictors(name, policy, runs, model, training_range)
        _, predicted = play_runs(
            policy, runs, horizon, predictors,
            lambda done, n=name: report(f"{runs.name}: {n}: {done} runs"),
        )  # fmt: skip
        for label, found in predicted.items():
            truth = runs.target_outcome
            results += metric_results(label, runs.name, found, truth, unit=runs.unit)
    return results


def evaluate_hyperparameters(
    names: list[str],
    target: str,
    runs: FunctionRuns,
    horizon: int,
    model,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """All results of one set of hyper-parameters, the model's posterior on every policy's choices.

    Args:
        names: of policies that need no test inputs (`HYPERPARAMETER_POLICIES`).
        target: comma-joined parameters, which the learned policy aims at.
        runs: of the prior.
        horizon: T.
        model: an ALINE model.
        seed: of the random choices.
        report: called with a line whenever a part is done.
    """
    selected = np.array(model.spec.parameter_mask(target))
    posterior, results = ModelParameters(model), []
    for name in names:
        policy = make_policy(name, runs, seed, model, None)
        _, predicted = play_runs(
            policy, runs, horizon, {name: posterior},
            lambda done, n=name: report(f"{target}: {n}: {done} runs"), selected,
        )  # fmt: skip
        results += metric_results(name, target, predicted[name], runs.theta, selected)
    return results
