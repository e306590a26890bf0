"""Active learning of functions: simulated runs, and what is predicted along the way.

A run is one function with one point already observed, a pool whose outcomes are drawn beforehand,
and test inputs whose outcomes are wanted. Every policy meets the same runs, so a difference
between two policies is made by their choices and their predictions alone.

Sizes: R runs, T steps, K = T + 1 reports (before each step and at the end), N, M, D as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from aline_tf import draws
from aline_tf.acquisition.gp_policies import GPPolicy
from aline_tf.acquisition.gp_regression import GPPosterior, unit_kernel
from aline_tf.acquisition.policies import Policy
from aline_tf.acquisition.rescaling import TrainingRange
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.tasks.benchmark_functions import BENCHMARKS
from aline_tf.tasks.gp import KERNELS, NOISE

PRIOR = "prior"
_RUNS_AT_ONCE = 64
#: Runs whose outcomes are drawn at once: a joint covariance of 601 points each.
_SIMULATED_AT_ONCE = 16
_EDGE = 5.0
_LOW, _HIGH = 0.05, 0.95
_Z = 1.6448536269514722  # normal quantile of _HIGH
_LOG_SQRT_2PI = 0.9189385332046727


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


class Predictions(NamedTuple):
    """Of what is wanted (outcomes at test inputs, or parameters): mean, 5% and 95% quantile, log
    density at the truth."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray


class Predictor(Protocol):
    """Whoever predicts outcomes, or parameters, from a context."""

    def predict(self, batch: Mapping, truth: np.ndarray, rows: slice) -> Predictions:
        """Predictions [B, M] at the batch's target inputs, or [B, P] of the parameters.

        Args:
            batch: a Batch of B of the runs.
            truth: of the shape returned; only the log density may look at it.
            rows: which of the runs the batch holds.
        """


def normal_predictions(mean: np.ndarray, sd: np.ndarray, outcome: np.ndarray) -> Predictions:
    """Predictions of normal distributions."""
    density = -0.5 * np.square((outcome - mean) / sd) - np.log(sd) - _LOG_SQRT_2PI
    return Predictions(mean, mean - _Z * sd, mean + _Z * sd, density)


class FittedPredictor:
    """The Gaussian process that a policy refits to the context."""

    def __init__(self, policy: GPPolicy):
        self._policy = policy

    def predict(self, batch, truth, rows):
        return normal_predictions(*self._policy.predict(batch), truth)


class ExactPredictor:
    """The Gaussian process that drew the functions: a bound that no predictor can be below.

    Args:
        runs: with `theta` and `kernel`.
    """

    def __init__(self, runs: FunctionRuns):
        self._signals = []
        for theta, kernel in zip(np.asarray(runs.theta, float), runs.kernel, strict=True):
            unit = unit_kernel(KERNELS[kernel], theta[1:])
            self._signals.append(float(theta[0]) * unit)

    def predict(self, batch, truth, rows):
        found = []
        for row, signal in enumerate(self._signals[rows]):
            seen = batch["context_mask"][row]
            design = batch["context_design"][row, seen]
            heard = batch["context_outcome"][row, seen, 0]
            posterior = GPPosterior(signal, NOISE**2, design, heard)
            found.append(posterior.predict(batch["target_design"][row]))
        mean, sd = (np.stack(part) for part in zip(*found, strict=True))
        return normal_predictions(mean, sd, truth)


class NetworkPredictor:
    """The predictions of an ALINE model.

    Args:
        model: a built model of a task with one continuous outcome.
        training_range: maps functions unlike those of its training to its range and back; None
            leaves them as they are.
    """

    def __init__(self, model, training_range: TrainingRange | None = None):
        import tensorflow as tf

        self._range = training_range

        @tf.function(reduce_retracing=True)
        def predict(batch, outcome):
            prediction = model.outcome_prediction(model(batch), batch)
            quantiles = prediction.quantiles((_LOW, _HIGH))
            mean, _ = prediction.mean_sd()
            return mean, quantiles[..., 0], quantiles[..., 1], prediction.log_prob(outcome)

        self._predict = predict

    def predict(self, batch, truth, rows):
        rescaling = None if self._range is None else self._range.rescaling(batch)
        if rescaling is not None:
            batch, truth = rescaling.to_model(batch), rescaling.outcome_to_model(truth)
        found = self._predict(_without_pool(batch), np.asarray(truth, np.float32))
        *places, density = (part.numpy().astype(float) for part in found)
        if rescaling is not None:
            places = [rescaling.outcome_from_model(place) for place in places]
            density = rescaling.log_density_from_model(density)
        return Predictions(*places, density)


class NetworkHyperparameters:
    """The parameter posterior of an ALINE model.

    Args:
        model: a built model.
    """

    def __init__(self, model):
        import tensorflow as tf

        @tf.function(reduce_retracing=True)
        def predict(batch, theta):
            posterior = model.theta_posterior(model(batch))
            quantiles = posterior.quantiles((_LOW, _HIGH))
            mean, _ = posterior.mean_sd()
            return mean, quantiles[..., 0], quantiles[..., 1], posterior.log_prob(theta)

        self._predict = predict

    def predict(self, batch, truth, rows):
        found = self._predict(_without_pool(batch), np.asarray(truth, np.float32))
        return Predictions(*(part.numpy().astype(float) for part in found))


def _without_pool(batch: Mapping) -> dict:
    """The Batch with a pool of one, which plays no part in predictions."""
    one = {name: batch[name][:, :1] for name in ("candidate_design", "candidate_mask")}
    return dict(batch) | one


def play(
    policy: Policy,
    runs: FunctionRuns,
    horizon: int,
    predictors: Mapping[str, Predictor],
    report: Callable[[int], None] = lambda done: None,
    wanted: np.ndarray | None = None,
) -> tuple[np.ndarray, dict[str, Predictions]]:
    """Lets a policy choose T points of every run's pool.

    Args:
        predictors: by name; each predicts before every step and at the end.
        report: called with the number of finished runs.
        wanted: [P], the parameters that the policy is after; None is after the outcomes at the
            test inputs. The predictors must be of the same.

    Returns:
        the chosen positions [R, T], and for each predictor its Predictions [R, K, M] (or P).
    """
    chosen, predicted = [], {name: [] for name in predictors}
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        rows = slice(start, min(start + _RUNS_AT_ONCE, len(runs)))
        batch = _first_batch(runs, rows, horizon, wanted)
        truth = (runs.target_outcome if wanted is None else runs.theta)[rows]
        everyone = np.arange(rows.stop - rows.start)
        choices, along = [], {name: [] for name in predictors}
        for t in range(horizon + 1):
            for name, predictor in predictors.items():
                along[name].append(predictor.predict(batch, truth, rows))
            if t == horizon:
                break
            index = policy.choose(batch)
            choices.append(index)
            batch["context_design"][:, 1 + t] = batch["candidate_design"][everyone, index]
            batch["context_outcome"][:, 1 + t, 0] = runs.pool_outcome[rows][everyone, index]
            batch["context_status"][:, 1 + t] = OBSERVED
            batch["context_mask"][:, 1 + t] = True
            batch["candidate_mask"][everyone, index] = False
        chosen.append(np.stack(choices, axis=1))
        for name, found in along.items():
            predicted[name].append([np.stack(part, 1) for part in zip(*found, strict=True)])
        report(rows.stop)
    return np.concatenate(chosen), {
        name: Predictions(*(np.concatenate(part) for part in zip(*found, strict=True)))
        for name, found in predicted.items()
    }


def _first_batch(runs: FunctionRuns, rows: slice, horizon: int, wanted) -> dict:
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
    batch["target_mask"][:] = wanted is None
    batch["theta_mask"][:] = False if wanted is None else wanted
    batch["candidate_design"][:] = runs.pool_design[rows]
    batch["candidate_mask"][:] = True
    return batch
