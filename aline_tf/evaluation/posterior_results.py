"""Results about posteriors: accuracy (error, log score, coverage) and calibration (SBC, PIT).

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

import numpy as np

from aline_tf.evaluation import calibration, metrics
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.results import Result

#: The target under which predictions are reported.
OUTCOMES = "outcomes"
_NO_INTERVAL = float("nan")


def accuracy_results(
    policy: str,
    target: str,
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
    selected: np.ndarray,
) -> Iterator[Result]:
    """rmse, log_prob and coverage_90 of the `selected` [P] parameters at each step."""
    for metric, value in (
        ("rmse", lambda k: metrics.rmse(estimates.mean[:, k], theta, selected)),
        ("log_prob", lambda k: metrics.log_prob(estimates.log_density[:, k], selected)),
        (
            "coverage_90",
            lambda k: metrics.coverage(estimates.low[:, k], estimates.high[:, k], theta, selected),
        ),
    ):
        for k, step in enumerate(steps):
            yield Result.of(policy, target, step, metric, value(k))


def calibration_results(
    policy: str, target: str, pit: np.ndarray, steps: Sequence[int], prefix: str = "sbc"
) -> Iterator[Result]:
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
            yield Result(policy, target, int(step), name, value(tests), _NO_INTERVAL, len(pit))


def posterior_results(
    policy: str,
    names: Sequence[str],
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
) -> Iterator[Result]:
    """All results of all parameters together, then of each: its name stands as the target."""
    pit = estimates.pit()
    for target in dict.fromkeys((",".join(names), *names)):
        selected = np.isin(names, target.split(","))
        yield from accuracy_results(policy, target, estimates, theta, steps, selected)
        if pit is not None:
            yield from calibration_results(policy, target, pit[..., selected], steps)


def prediction_results(
    policy: str, estimates: Estimates, outcome: np.ndarray, steps: Sequence[int], continuous: bool
) -> Iterator[Result]:
    """Results of predictions of `outcome` [R, M], from estimates [R, K, M]."""
    selected = np.ones(outcome.shape[1], bool)
    for result in accuracy_results(policy, OUTCOMES, estimates, outcome, steps, selected):
        if result.metric == "log_prob" or (continuous and result.metric == "coverage_90"):
            yield result
    yield from calibration_results(policy, OUTCOMES, estimates.pit()[..., :1], steps, "pit")
