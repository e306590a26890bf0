"""Simulated subjects of the psychometric task, and what each policy learns about them.

Every policy meets the same subjects: their parameters, and for each trial the uniform number that
decides the answer, are drawn once. A policy picks from 200 stimuli, each at most once. Estimates
come from the network's own posterior for the learned policy and from the exact one for the
others; "learned/exact" is the exact posterior on the learned policy's trials, which tells what
its designs are worth apart from its inference.

Sizes: S subjects, T trials, N candidates, P = 4 parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.evaluation import metrics
from aline_tf.evaluation.network_posterior import NetworkPosterior, NetworkPrediction
from aline_tf.evaluation.posterior_rows import (
    Estimates,
    accuracy_rows,
    calibration_rows,
    prediction_rows,
)
from aline_tf.evaluation.results import Row
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import (
    DESIGN_HIGH,
    DESIGN_LOW,
    PARAMETER_NAMES,
    sample_prior,
    success_probability,
)

HORIZON = 30
REPORT_STEPS = (5, 10, 15, 20, 30)
GAP_STEPS = (5, 15, 30)
GAP_SUBJECTS = 200
#: Metrics that the printed table leaves to the JSON file.
DETAILS = frozenset(
    f"{metric}_{name}"
    for metric in ("gap", "gap_given", "sbc_ks", "sbc_ks_95", "sbc_chi2_p")
    for name in PARAMETER_NAMES
) | {"y_pit_ks", "y_pit_ks_95", "y_pit_chi2_p"}
#: M, answers predicted for each subject, at stimuli that nobody chose.
PREDICTED = 8
_PREDICTED_STREAM = 0x59
TARGETS = ("threshold,slope", "guess,lapse", ",".join(PARAMETER_NAMES))


@dataclass(frozen=True)
class Subjects:
    """Simulated people and their pools.

    Attributes:
        theta: [S, 4].
        uniforms: [S, T]; the answer of trial t is yes when `uniforms[:, t] < P(yes)`.
        candidates: [S, N] stimuli.
    """

    theta: np.ndarray
    uniforms: np.ndarray
    candidates: np.ndarray

    def __len__(self) -> int:
        return len(self.theta)


@dataclass(frozen=True)
class Trials:
    """What a policy asked and heard: `design` and `outcome`, both [S, T]."""

    design: np.ndarray
    outcome: np.ndarray


def simulate_subjects(
    runs: int, candidates: int, seed: int, horizon: int = HORIZON, pool: str = "grid"
) -> Subjects:
    """Draws subjects from the prior; equal arguments give equal subjects.

    Args:
        pool: "grid" for evenly spaced stimuli over [-5, 5], "random" for uniform ones.
    """
    # Separate streams, so that another number of candidates leaves the subjects as they are.
    streams = np.random.SeedSequence(seed).spawn(3)
    theta_rng, answer_rng, pool_rng = (np.random.default_rng(stream) for stream in streams)
    if pool == "grid":
        grid = np.linspace(DESIGN_LOW, DESIGN_HIGH, candidates)
        designs = np.broadcast_to(grid, (runs, candidates))
    else:
        designs = pool_rng.uniform(DESIGN_LOW, DESIGN_HIGH, (runs, candidates))
    return Subjects(sample_prior(theta_rng, runs), answer_rng.random((runs, horizon)), designs)


def target_mask(target: str) -> np.ndarray:
    """Which of the four parameters a comma-joined target names, [4] bool."""
    return np.isin(PARAMETER_NAMES, target.split(","))


def run_policy(
    policy: Policy, subjects: Subjects, targets: np.ndarray, replace: bool = False
) -> Trials:
    """Lets a policy question every subject, all subjects in step.

    Args:
        targets: [4] or, to change the target on the way, [T, 4] bool.
        replace: whether a stimulus may be chosen again.
    """
    count, horizon = subjects.uniforms.shape
    targets = np.broadcast_to(targets, (horizon, len(PARAMETER_NAMES)))
    batch = empty_batch(
        {"B": count, "C": horizon, "D": 1, "F": 1, "P": 4, "N": subjects.candidates.shape[1]}
    )
    batch["candidate_design"][..., 0] = subjects.candidates
    batch["candidate_mask"][:] = True
    probability = success_probability(subjects.theta[:, None], subjects.candidates)
    everyone = np.arange(count)
    trials = Trials(np.zeros((count, horizon)), np.zeros((count, horizon)))
    for t in range(horizon):
        batch["theta_mask"][:] = targets[t]
        index = policy.choose(batch)
        trials.design[:, t] = subjects.candidates[everyone, index]
        trials.outcome[:, t] = subjects.uniforms[:, t] < probability[everyone, index]
        batch["candidate_mask"][everyone, index] = replace
        batch["context_design"][:, t, 0] = trials.design[:, t]
        batch["context_outcome"][:, t, 0] = trials.outcome[:, t]
        batch["context_status"][:, t] = OBSERVED
        batch["context_mask"][:, t] = True
    return trials


def context_batch(trials: Trials, step: int, targets: np.ndarray) -> dict:
    """The Batch after `step` trials, with room for all T and no pool."""
    count, horizon = trials.design.shape
    batch = empty_batch({"B": count, "C": horizon, "D": 1, "F": 1, "P": 4, "N": 1})
    batch["context_design"][:, :step, 0] = trials.design[:, :step]
    batch["context_outcome"][:, :step, 0] = trials.outcome[:, :step]
    batch["context_status"][:, :step] = OBSERVED
    batch["context_mask"][:, :step] = True
    batch["theta_mask"][:] = targets
    # A pool of one, because a batch without any candidate is a corner that nobody trains for.
    batch["candidate_mask"][:] = True
    return batch


def exact_estimates(
    grid: GridPosterior, trials: Trials, theta: np.ndarray, steps: Sequence[int]
) -> Estimates:
    """Summaries of the exact posterior at each of `steps`."""
    marginals = grid.marginals(trials.design, trials.outcome, steps)
    density = grid.log_density(
        trials.design, trials.outcome, theta, steps, log_evidence=marginals.log_evidence
    )
    low, high = np.moveaxis(marginals.quantiles((0.05, 0.95)), -1, 0)
    return Estimates(marginals.mean(), low, high, density)


def network_estimates(
    network: NetworkPosterior,
    trials: Trials,
    theta: np.ndarray,
    steps: Sequence[int],
    targets: np.ndarray,
    given: int | None = None,
) -> Estimates:
    """Summaries of the network's posterior at each of `steps`, one parameter known or none."""
    parts = []
    for step in steps:
        batch = context_batch(trials, step, targets)
        if given is not None:
            batch["known_theta"][:, given] = theta[:, given]
            batch["known_mask"][:, given] = True
            batch["theta_mask"][:, given] = False
        parts.append(network.estimate(batch, theta))
    return Estimates(*(np.stack(part, axis=1) for part in zip(*parts, strict=True)))


def network_predictions(
    prediction: NetworkPrediction, trials: Trials, theta: np.ndarray, steps: Sequence[int]
) -> tuple[Estimates, np.ndarray]:
    """Predicted answers at stimuli drawn for each subject, [S, K, M], and the answers [S, M]."""
    rng = np.random.default_rng(_PREDICTED_STREAM)
    stimulus = rng.uniform(DESIGN_LOW, DESIGN_HIGH, (len(theta), PREDICTED))
    answer = rng.random(stimulus.shape) < success_probability(theta[:, None], stimulus)
    parts = []
    for step in steps:
        batch = context_batch(trials, step, np.ones(len(PARAMETER_NAMES), bool))
        batch["target_design"] = stimulus[..., None].astype(np.float32)
        batch["target_mask"] = np.zeros(stimulus.shape, bool)
        parts.append(prediction.estimate(batch, answer))
    estimates = Estimates(*(np.stack(part, axis=1) for part in zip(*parts, strict=True)))
    return estimates, answer.astype(float)


def metric_rows(
    policy: str,
    target: str,
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
) -> Iterator[Row]:
    """Accuracy and calibration of the wanted parameters, then the calibration of each of the four,
    wanted or not, under names that end in the parameter's."""
    wanted = target_mask(target)
    yield from accuracy_rows(policy, target, estimates, theta, steps, wanted)
    pit = estimates.pit()
    if pit is None:
        return
    yield from calibration_rows(policy, target, pit[..., wanted], steps)
    for p, name in enumerate(PARAMETER_NAMES):
        for row in calibration_rows(policy, target, pit[..., p : p + 1], steps):
            yield dataclasses.replace(row, metric=f"{row.metric}_{name}")


def gap_rows(
    policy: str,
    target: str,
    network: NetworkPosterior,
    grid: GridPosterior,
    trials: Trials,
    theta: np.ndarray,
    steps: Sequence[int] = GAP_STEPS,
) -> Iterator[Row]:
    """How far the network's posterior is from the exact one, in nats per parameter.

    The gap is the exact log density at the truth minus the network's; its expectation is the KL
    divergence of the marginals. `gap` averages over the four parameters, `gap_<name>` is one of
    them; `gap_given_<name>` averages over the other three when that one's value is given, and
    `gap_given_one` over the four choices of it.
    """
    wanted = target_mask(target)
    exact = grid.log_density(trials.design, trials.outcome, theta, steps)
    ours = network_estimates(network, trials, theta, steps, wanted).log_density
    gap = exact - ours
    for k, step in enumerate(steps):
        yield Row.of(policy, target, step, "gap", gap[:, k].mean(-1))
    for p, name in enumerate(PARAMETER_NAMES):
        for k, step in enumerate(steps):
            yield Row.of(policy, target, step, f"gap_{name}", gap[:, k, p])
    given = []
    for p, name in enumerate(PARAMETER_NAMES):
        others = np.arange(len(PARAMETER_NAMES)) != p
        exact = grid.log_density(trials.design, trials.outcome, theta, steps, given=p)
        ours = network_estimates(network, trials, theta, steps, wanted, given=p).log_density
        given.append((exact - ours)[..., others].mean(-1))
        for k, step in enumerate(steps):
            yield Row.of(policy, target, step, f"gap_given_{name}", given[-1][:, k])
    for k, step in enumerate(steps):
        yield Row.of(policy, target, step, "gap_given_one", np.mean(given, axis=0)[:, k])


def outer_ratio_row(policy: str, asymptotes: Trials, curve: Trials) -> Row:
    """Outer share when after {guess, lapse} over the one when after {threshold, slope}."""
    shares = [
        metrics.outer_share(trials.design, DESIGN_LOW, DESIGN_HIGH)
        for trials in (asymptotes, curve)
    ]
    ratio, ci95 = metrics.ratio_and_ci95(*shares)
    count, horizon = asymptotes.design.shape
    return Row(policy, TARGETS[1], horizon, "outer_share_ratio", ratio, ci95, count)


def evaluate(
    policies: Mapping[str, Policy],
    subjects: Subjects,
    network: NetworkPosterior | None = None,
    targets: Sequence[str] = TARGETS,
    report: Callable[[str], None] = lambda line: None,
    grid: GridPosterior | None = None,
    steps: Sequence[int] | None = None,
    keep: Callable[[str, str, Trials], None] = lambda policy, target, trials: None,
) -> list[Row]:
    """All rows of a table.

    Args:
        policies: by name; "learned" is judged by the posterior of `network`.
        network: also compared with the exact posterior, on the learned policy's trials and on
            random ones, for the first 200 subjects.
        report: called with a line whenever a part is done.
        steps: numbers of trials after which estimates are judged; `REPORT_STEPS` when None.
        keep: called with every policy's trials for every target.
    """
    grid = grid or GridPosterior()
    horizon = subjects.uniforms.shape[1]
    steps = [step for step in (REPORT_STEPS if steps is None else steps) if step <= horizon]
    gap_steps = [step for step in GAP_STEPS if step <= horizon]
    few = slice(0, GAP_SUBJECTS)
    prediction = None if network is None else NetworkPrediction(network.model)
    rows: list[Row] = []
    for name, policy in policies.items():
        done: dict[str, Trials] = {}
        exact = None
        for target in targets:
            wanted = target_mask(target)
            if exact is None or policy.reads_targets:
                trials = run_policy(policy, subjects, wanted)
                exact = exact_estimates(grid, trials, subjects.theta, steps)
            done[target] = trials
            keep(name, target, trials)
            outer = metrics.outer_share(trials.design, DESIGN_LOW, DESIGN_HIGH)
            rows.append(Row.of(name, target, horizon, "outer_share", outer))
            if name == "learned":
                own = network_estimates(network, trials, subjects.theta, steps, wanted)
                rows += metric_rows(name, target, own, subjects.theta, steps)
                foretold, answer = network_predictions(prediction, trials, subjects.theta, steps)
                for row in prediction_rows(name, foretold, answer, steps, continuous=False):
                    rows.append(dataclasses.replace(row, target=target, metric="y_" + row.metric))
            label = "learned/exact" if name == "learned" else name
            rows += metric_rows(label, target, exact, subjects.theta, steps)
            # Random trials are the same for every target, so one comparison says it all.
            compared = name == "learned" or (name == "random" and target == targets[-1])
            if network is not None and compared:
                first = Trials(trials.design[few], trials.outcome[few])
                rows += gap_rows(name, target, network, grid, first, subjects.theta[few], gap_steps)
            report(f"{name}: {target}")
        if policy.reads_targets and TARGETS[0] in done and TARGETS[1] in done:
            rows.append(outer_ratio_row(name, done[TARGETS[1]], done[TARGETS[0]]))
    return rows
