"""Estimates of the psychometric parameters along the trials of each policy, beside exact ones.

Estimates come from the model's own posterior for the learned policy and from the exact one for the
others; "learned/exact" is the exact posterior on the learned policy's trials, which tells what
its designs are worth apart from its inference.

Sizes: R observers, T trials, K reported steps, P = 4 parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from aline_tf import batch_ops
from aline_tf.acquisition.policies import Policy
from aline_tf.evaluation import metrics, simulated_runs
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.model_posterior import ModelPosterior, ModelPrediction
from aline_tf.evaluation.posterior_results import (
    accuracy_results,
    calibration_results,
    prediction_results,
)
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import (
    DESIGN_HIGH,
    DESIGN_LOW,
    PARAMETER_NAMES,
    success_probability,
)
from aline_tf.experiments.psychometric.runs import PsychometricRuns, target_mask
from aline_tf.tasks.psychometric import SPEC

REPORT_STEPS = (5, 10, 15, 20, 30)
GAP_STEPS = (5, 15, 30)
GAP_RUNS = 200
#: Metrics that the printed table leaves to the JSON file.
DETAILS = frozenset(
    f"{metric}_{name}"
    for metric in ("gap", "gap_given", "sbc_ks", "sbc_ks_95", "sbc_chi2_p")
    for name in PARAMETER_NAMES
) | {"y_pit_ks", "y_pit_ks_95", "y_pit_chi2_p"}
#: M, answers predicted for each observer, at stimuli that no policy chose.
PREDICTED = 8
_PREDICTED_STREAM = 0x59
TARGETS = ("threshold,slope", "guess,lapse", ",".join(PARAMETER_NAMES))


def context_batch(data: RunData, step: int, targets: np.ndarray) -> dict:
    """The Batch after `step` trials, with room for all T and a pool of one, after `targets` [4]."""
    batch = simulated_runs.context_batch(SPEC, data, step)
    batch["theta_mask"][:] = targets
    return batch


def exact_estimates(grid: GridPosterior, data: RunData, steps: Sequence[int]) -> Estimates:
    """Summaries of the exact posterior at each of `steps`."""
    marginals = grid.marginals(*_one_column(data), steps)
    density = grid.log_density(
        *_one_column(data), data.theta, steps, log_evidence=marginals.log_evidence
    )
    low, high = np.moveaxis(marginals.quantiles((0.05, 0.95)), -1, 0)
    return Estimates(marginals.mean(), low, high, density)


def model_estimates(
    posterior: ModelPosterior,
    data: RunData,
    steps: Sequence[int],
    targets: np.ndarray,
    known: int | None = None,
) -> Estimates:
    """Summaries of the model's posterior at each of `steps`, one parameter known or none.

    Args:
        posterior: of the model.
        data: R runs.
        steps: K numbers of trials.
        targets: [4] bool, the selected parameters.
        known: index of the parameter whose value is given.
    """
    parts = []
    for step in steps:
        batch = context_batch(data, step, targets)
        if known is not None:
            which = np.arange(len(PARAMETER_NAMES)) == known
            batch = batch_ops.condition_on(batch, data.theta, which)
            batch["theta_mask"] = batch["theta_mask"] & ~which
        parts.append(posterior.estimate(batch, data.theta))
    return Estimates.stack(parts)


def model_predictions(
    prediction: ModelPrediction, data: RunData, steps: Sequence[int]
) -> tuple[Estimates, np.ndarray]:
    """Predicted answers at stimuli drawn for each observer, [R, K, M], and the answers [R, M]."""
    rng = np.random.default_rng(_PREDICTED_STREAM)
    stimulus = rng.uniform(DESIGN_LOW, DESIGN_HIGH, (len(data.theta), PREDICTED))
    answer = rng.random(stimulus.shape) < success_probability(data.theta[:, None], stimulus)
    parts = []
    for step in steps:
        batch = context_batch(data, step, np.ones(len(PARAMETER_NAMES), bool))
        batch = batch_ops.outcomes_at(batch, stimulus[..., None].astype(np.float32))
        parts.append(prediction.estimate(batch, answer))
    return Estimates.stack(parts), answer.astype(float)


def posterior_results(
    policy: str,
    target: str,
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
) -> Iterator[Result]:
    """Accuracy and calibration of the selected parameters, then calibration of each of the four,
    selected or not, under names that end in the parameter's."""
    selected = target_mask(target)
    yield from accuracy_results(policy, target, estimates, theta, steps, selected)
    pit = estimates.pit()
    if pit is None:
        return
    yield from calibration_results(policy, target, pit[..., selected], steps)
    for p, name in enumerate(PARAMETER_NAMES):
        for each in calibration_results(policy, target, pit[..., p : p + 1], steps):
            yield dataclasses.replace(each, metric=f"{each.metric}_{name}")


def gap_results(
    policy: str,
    target: str,
    posterior: ModelPosterior,
    grid: GridPosterior,
    data: RunData,
    steps: Sequence[int] = GAP_STEPS,
) -> Iterator[Result]:
    """How far the model's posterior is from the exact one, in nats per parameter.

    The gap is the exact log density at the truth minus the model's; its expectation is the KL
    divergence of the marginals. `gap` averages over the four parameters, `gap_<name>` is one of
    them; `gap_given_<name>` averages over the other three when that one's value is given, and
    `gap_given_one` over the four choices of it.
    """
    selected = target_mask(target)
    exact = grid.log_density(*_one_column(data), data.theta, steps)
    ours = model_estimates(posterior, data, steps, selected).log_density
    gap = exact - ours
    for k, step in enumerate(steps):
        yield Result.of(policy, target, step, "gap", gap[:, k].mean(-1))
    for p, name in enumerate(PARAMETER_NAMES):
        for k, step in enumerate(steps):
            yield Result.of(policy, target, step, f"gap_{name}", gap[:, k, p])
    conditioned = []
    for p, name in enumerate(PARAMETER_NAMES):
        others = np.arange(len(PARAMETER_NAMES)) != p
        exact = grid.log_density(*_one_column(data), data.theta, steps, known=p)
        ours = model_estimates(posterior, data, steps, selected, known=p).log_density
        conditioned.append((exact - ours)[..., others].mean(-1))
        for k, step in enumerate(steps):
            yield Result.of(policy, target, step, f"gap_given_{name}", conditioned[-1][:, k])
    for k, step in enumerate(steps):
        yield Result.of(policy, target, step, "gap_given_one", np.mean(conditioned, axis=0)[:, k])


def outer_ratio_result(policy: str, asymptotes: RunData, curve: RunData) -> Result:
    """Outer share when after {guess, lapse} over the one when after {threshold, slope}."""
    shares = [
        metrics.outer_share(data.design[..., 0], DESIGN_LOW, DESIGN_HIGH)
        for data in (asymptotes, curve)
    ]
    ratio, ci95 = metrics.ratio_and_ci95(*shares)
    count, horizon = asymptotes.design.shape[:2]
    return Result(policy, TARGETS[1], horizon, "outer_share_ratio", ratio, ci95, count)


def evaluate(
    policies: Mapping[str, Policy],
    runs: PsychometricRuns,
    posterior: ModelPosterior | None = None,
    targets: Sequence[str] = TARGETS,
    report: Callable[[str], None] = lambda line: None,
    grid: GridPosterior | None = None,
    steps: Sequence[int] | None = None,
    keep: Callable[[str, str, RunData], None] = lambda policy, target, data: None,
) -> list[Result]:
    """All results of a table.

    Args:
        policies: by name; "learned" is judged by `posterior`.
        runs: the same observers for every policy.
        posterior: of the model; also compared with the exact posterior, on the learned policy's
            trials and on random ones, for the first 200 observers.
        report: called with a line whenever a part is done.
        steps: numbers of trials after which estimates are judged; `REPORT_STEPS` when None.
        keep: called with every policy's data for every target.
    """
    grid = grid or GridPosterior()
    horizon = runs.horizon
    steps = [step for step in (REPORT_STEPS if steps is None else steps) if step <= horizon]
    gap_steps = [step for step in GAP_STEPS if step <= horizon]
    prediction = None if posterior is None else ModelPrediction(posterior.model)
    results: list[Result] = []
    for name, policy in policies.items():
        done: dict[str, RunData] = {}
        exact = None
        for target in targets:
            selected = target_mask(target)
            if exact is None or policy.reads_targets:
                data = runs.play(policy, selected)
                exact = exact_estimates(grid, data, steps)
            done[target] = data
            keep(name, target, data)
            outer = metrics.outer_share(data.design[..., 0], DESIGN_LOW, DESIGN_HIGH)
            results.append(Result.of(name, target, horizon, "outer_share", outer))
            if name == "learned":
                own = model_estimates(posterior, data, steps, selected)
                results += posterior_results(name, target, own, runs.theta, steps)
                predictive, answer = model_predictions(prediction, data, steps)
                for each in prediction_results(name, predictive, answer, steps, continuous=False):
                    named = {"target": target, "metric": "y_" + each.metric}
                    results.append(dataclasses.replace(each, **named))
            label = "learned/exact" if name == "learned" else name
            results += posterior_results(label, target, exact, runs.theta, steps)
            # Random trials are the same for every target, so one comparison says it all.
            compared = name == "learned" or (name == "random" and target == targets[-1])
            if posterior is not None and compared:
                first = _first(data, GAP_RUNS)
                results += gap_results(name, target, posterior, grid, first, gap_steps)
            report(f"{name}: {target}")
        if policy.reads_targets and TARGETS[0] in done and TARGETS[1] in done:
            results.append(outer_ratio_result(name, done[TARGETS[1]], done[TARGETS[0]]))
    return results


def _one_column(data: RunData) -> tuple[np.ndarray, np.ndarray]:
    """Designs and answers [R, T] of a task that has one of each."""
    return data.design[..., 0], data.outcome[..., 0]


def _first(data: RunData, count: int) -> RunData:
    return RunData(*(part[:count] for part in dataclasses.astuple(data)))
