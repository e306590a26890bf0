"""Simulated runs of active function learning, and the predictions along the way.

A run is one function with one point already observed, a pool whose outcomes are drawn beforehand,
and test inputs whose outcomes are to be predicted. Every policy meets the same runs, so a
difference between two policies is made by their choices and their predictions alone.

Sizes: R runs, T steps, K = T + 1 reports (before each step and at the end), N, M, D as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aline_tf import draws
from aline_tf.acquisition.baselines.gp_regression import GPPosterior, unit_kernel
from aline_tf.acquisition.policies import Policy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.play import play
from aline_tf.evaluation.predictors import Predictor, normal_estimates
from aline_tf.experiments.functions.benchmark_functions import BENCHMARKS
from aline_tf.tasks.gp import KERNELS, NOISE

PRIOR = "prior"
_RUNS_AT_ONCE = 64
#: Runs whose outcomes are drawn at once: a joint covariance of 601 points each.
_SIMULATED_AT_ONCE = 16
_EDGE = 5.0


@dataclass(frozen=True)
class FunctionRuns:
    """R functions, each with its initial point, its pool and its test inputs.

    Attributes:
        name: "prior", or the benchmark function that all runs share.
        initial_design, initial_outcome: [R, 1, D], [R, 1].
        pool_design, pool_outcome: [R, N, D], [R, N].
        target_design, target_outcome: [R, M, D], [R, M].
        unit: what errors are divided by; 1 for the prior, the function's spread otherwise.
        theta, kernel: [R, P] and [R], the hyper-parameters that drew each function, or None.

    Example:
        >>> from aline_tf.experiments.functions.function_runs import benchmark_runs
        >>> runs = benchmark_runs("branin", runs=2, candidates=5, seed=0)
        >>> runs.pool_design.shape
        (2, 5, 2)
    """

    name: str
    initial_design: np.ndarray
    initial_outcome: np.ndarray
    pool_design: np.ndarray
    pool_outcome: np.ndarray
    target_design: np.ndarray
    target_outcome: np.ndarray
    unit: float = 1.0
    theta: np.ndarray | None = None
    kernel: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.pool_design)


def prior_runs(task, runs: int, candidates: int, seed: int) -> FunctionRuns:
    """Functions drawn from a `GaussianProcess` task, each seen with its noise at all places.

    Equal arguments give equal runs; another number of runs leaves those in common as they are.
    """
    sizes = [1, candidates, task.predictions]
    parts = []
    for group in range(-(-runs // _SIMULATED_AT_ONCE)):
        seeds = draws.split(draws.fold_in(draws.as_seed([seed, 0]), group), 4)
        theta = task.sample_theta(seeds[0], _SIMULATED_AT_ONCE)
        kernel = task.sample_kernel(seeds[1], _SIMULATED_AT_ONCE)
        design = task.sample_designs(seeds[2], _SIMULATED_AT_ONCE, sum(sizes))
        outcome = task.simulate_with(kernel, theta, design, seeds[3])[..., 0]
        parts.append([array.numpy() for array in (theta, kernel, design, outcome)])
    theta, kernel, design, outcome = (
        np.concatenate(part)[:runs] for part in zip(*parts, strict=True)
    )
    return FunctionRuns(PRIOR, *_split(design, outcome, candidates), theta=theta, kernel=kernel)


def benchmark_runs(
    name: str, runs: int, candidates: int, seed: int, predictions: int = 100
) -> FunctionRuns:
    """The same function in every run, with its own initial point, pool and test inputs."""
    function = BENCHMARKS[name]
    design = np.stack(
        [
            np.random.default_rng([seed, run]).uniform(
                -_EDGE, _EDGE, (1 + candidates + predictions, function.dims)
            )
            for run in range(runs)
        ]
    )
    parts = _split(design, function.at(design), candidates)
    return FunctionRuns(name, *parts, unit=function.spread())


def _split(design, outcome, candidates):
    edges = [1, 1 + candidates]
    designs, outcomes = np.split(design, edges, axis=1), np.split(outcome, edges, axis=1)
    return [part for pair in zip(designs, outcomes, strict=True) for part in pair]


class ExactPredictor:
    """The Gaussian process that drew the functions: a bound that no predictor can be below.

    Args:
        runs: with `theta` and `kernel`.

    Example:
        >>> from aline_tf.experiments.functions.function_runs import ExactPredictor, prior_runs
        >>> from aline_tf.tasks import GP1D
        >>> predictor = ExactPredictor(prior_runs(GP1D(), runs=1, candidates=5, seed=0))
    """

    def __init__(self, runs: FunctionRuns):
        self._signals = []
        for theta, kernel in zip(np.asarray(runs.theta, float), runs.kernel, strict=True):
            unit = unit_kernel(KERNELS[kernel], theta[1:])
            self._signals.append(float(theta[0]) * unit)

    def predict(self, batch, truth, rows):
        """See `Predictor.predict`."""
        found = []
        for row, signal in enumerate(self._signals[rows]):
            seen = batch["context_mask"][row]
            design = batch["context_design"][row, seen]
            observed = batch["context_outcome"][row, seen, 0]
            posterior = GPPosterior(signal, NOISE**2, design, observed)
            found.append(posterior.predict(batch["target_design"][row]))
        mean, sd = (np.stack(part) for part in zip(*found, strict=True))
        return normal_estimates(mean, sd, truth)


def play_runs(
    policy: Policy,
    runs: FunctionRuns,
    horizon: int,
    predictors: Mapping[str, Predictor],
    report: Callable[[int], None] = lambda done: None,
    selected: np.ndarray | None = None,
) -> tuple[np.ndarray, dict[str, Estimates]]:
    """Lets a policy choose T points of every run's pool.

    Args:
        policy: chooses.
        runs: R functions.
        horizon: T.
        predictors: by name; each predicts before every step and at the end.
        report: called with the number of finished runs.
        selected: [P], the parameters that the policy is after; None is after the outcomes at the
            test inputs. The predictors must be of the same.

    Returns:
        the chosen positions [R, T], and for each predictor its Estimates [R, K, M] (or P).
    """
    chosen, predicted = [], {name: [] for name in predictors}
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        rows = slice(start, min(start + _RUNS_AT_ONCE, len(runs)))
        outcome = runs.pool_outcome[rows]
        truth = (runs.target_outcome if selected is None else runs.theta)[rows]
        everyone = np.arange(rows.stop - rows.start)
        choices, along = [], {name: [] for name in predictors}

        def reveal(t, index, choices=choices, outcome=outcome, everyone=everyone):
            choices.append(index)
            return outcome[everyone, index, None]

        first = _first_batch(runs, rows, horizon, selected)
        for batch in play(policy, first, reveal, horizon, first=1):
            for name, predictor in predictors.items():
                along[name].append(predictor.predict(batch, truth, rows))
        chosen.append(np.stack(choices, axis=1))
        for name, found in along.items():
            predicted[name].append(Estimates.stack(found))
        report(rows.stop)
    return np.concatenate(chosen), {
        name: Estimates.concatenate(found) for name, found in predicted.items()
    }


def _first_batch(runs: FunctionRuns, rows: slice, horizon: int, selected) -> dict:
    """The Batch before the first step, with room for all T."""
    _, candidates, dims = runs.pool_design.shape
    targets = runs.target_design.shape[1]
    sizes = {"D": dims, "F": 1, "P": 1 + dims, "M": targets, "N": candidates, "C": 1 + horizon}
    batch = empty_batch(sizes | {"B": rows.stop - rows.start})
    batch["context_design"][:, :1] = runs.initial_design[rows]
    batch["context_outcome"][:, :1, 0] = runs.initial_outcome[rows]
    batch["context_status"][:, :1] = OBSERVED
    batch["context_mask"][:, :1] = True
    batch["target_design"][:] = runs.target_design[rows]
    batch["target_mask"][:] = selected is None
    batch["theta_mask"][:] = False if selected is None else selected
    batch["candidate_design"][:] = runs.pool_design[rows]
    batch["candidate_mask"][:] = True
    return batch
