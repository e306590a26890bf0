"""Rows about posteriors: how near they are to the truth, and whether they are calibrated.

    rmse         root mean squared error of the posterior mean
    log_prob     log density at the truth, nats per parameter
    coverage_90  share of parameters inside their central 90% interval
    sbc_ks       largest distance of the distribution of u = q(theta' <= theta | D) from uniform
    sbc_ks_95    what `sbc_ks` stays below in 95 of 100 calibrated evaluations of this size
    sbc_chi2_p   chance of a histogram of u as uneven as this one, or more, when calibrated

For several parameters together, `sbc_ks` is the largest of theirs, `sbc_ks_95` allows for that and
`sbc_chi2_p` is the smallest times their number: parameters of one run are not independent of each
other, so their values are not pooled.

Predictions are judged in the same way under the target "outcomes": log_prob, coverage_90 where
outcomes are continuous, and pit_ks, pit_ks_95, pit_chi2_p for the first predicted outcome of each
run.

Sizes: R runs, K reported steps, P parameters, M predicted outcomes of each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aline_tf.evaluation import calibration, metrics
from aline_tf.evaluation.results import Row

#: The target under which predictions are reported.
OUTCOMES = "outcomes"
_NO_INTERVAL = float("nan")
_PIT_STREAM = 0x504954


@dataclass(frozen=True)
class Estimates:
    """Marginal posteriors at K steps, each array [R, K, P].

    Attributes:
        mean: posterior means.
        low, high: 5% and 95% quantiles.
        log_density: at the truth, in nats.
        below, at: probability of less than the truth and of no more than it, where known.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray
    below: np.ndarray | None = None
    at: np.ndarray | None = None

    def pit(self) -> np.ndarray | None:
        """Probability integral transforms [R, K, P]; equal estimates give equal numbers."""
        if self.at is None:
            return None
        uniform = np.random.default_rng(_PIT_STREAM).random(self.at.shape)
        # Distribution functions in single precision leave [0, 1] by a hair.
        return np.clip(calibration.pit(self.below, self.at, uniform), 0.0, 1.0)


def accuracy_rows(
    policy: str,
    target: str,
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
    wanted: np.ndarray,
) -> Iterator[Row]:
    """rmse, log_prob and coverage_90 of the `wanted` [P] parameters at each step."""
    for metric, value in (
        ("rmse", lambda k: metrics.rmse(estimates.mean[:, k], theta, wanted)),
        ("log_prob", lambda k: metrics.log_prob(estimates.log_density[:, k], wanted)),
        (
            "coverage_90",
            lambda k: metrics.coverage(estimates.low[:, k], estimates.high[:, k], theta, wanted),
        ),
    ):
        for k, step in enumerate(steps):
            yield Row.of(policy, target, step, metric, value(k))


def calibration_rows(
    policy: str, target: str, pit: np.ndarray, steps: Sequence[int], prefix: str = "sbc"
) -> Iterator[Row]:
    """Tests of `pit` [R, K, n] against uniformity at each step, n quantities together."""
    count = pit.shape[-1]
    found = [
        [calibration.uniformity(pit[:, k, p]) for p in range(count)] for k in range(len(steps))
    ]
    for metric, value in (
        ("ks", lambda tests: max(test.ks for test in tests)),
        ("ks_95", lambda _: calibration.ks_band(len(pit), 1.0 - 0.05 / count)),
        ("chi2_p", lambda tests: min(1.0, count * min(test.chi2_p for test in tests))),
    ):
        for step, tests in zip(steps, found, strict=True):
            name = f"{prefix}_{metric}"
            yield Row(policy, target, int(step), name, value(tests), _NO_INTERVAL, len(pit))


def posterior_rows(
    policy: str,
    names: Sequence[str],
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
) -> Iterator[Row]:
    """All rows of all parameters together, then of each: its name stands as the target."""
    pit = estimates.pit()
    for target in dict.fromkeys((",".join(names), *names)):
        wanted = np.isin(names, target.split(","))
        yield from accuracy_rows(policy, target, estimates, theta, steps, wanted)
        if pit is not None:
            yield from calibration_rows(policy, target, pit[..., wanted], steps)


def prediction_rows(
    policy: str, estimates: Estimates, outcome: np.ndarray, steps: Sequence[int], continuous: bool
) -> Iterator[Row]:
    """Rows of predictions of `outcome` [R, M], from estimates [R, K, M]."""
    wanted = np.ones(outcome.shape[1], bool)
    for row in accuracy_rows(policy, OUTCOMES, estimates, outcome, steps, wanted):
        if row.metric == "log_prob" or (continuous and row.metric == "coverage_90"):
            yield row
    yield from calibration_rows(policy, OUTCOMES, estimates.pit()[..., :1], steps, "pit")
