"""Rows of accuracy and calibration."""

import numpy as np
import pytest
from scipy import stats

from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.posterior_results import posterior_results, prediction_results

NAMES = ("a", "b")
STEPS = (0, 3)


def exact(runs=1500, narrow=1.0):
    """theta ~ N(0, 1), one outcome by step 0 and four by step 3; posteriors narrower than right."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(runs, 2))
    parts = []
    for precision in (1.0, 4.0):
        outcome = theta + rng.normal(size=theta.shape) / np.sqrt(precision)
        posterior = stats.norm(
            outcome * precision / (1 + precision), narrow / np.sqrt(1 + precision)
        )
        at = posterior.cdf(theta)
        low, high = posterior.ppf(0.05), posterior.ppf(0.95)
        parts.append((posterior.mean(), low, high, posterior.logpdf(theta), at, at))
    return Estimates(*(np.stack(part, axis=1) for part in zip(*parts, strict=True))), theta


def by_key(rows):
    return {(row.target, row.step, row.metric): row for row in rows}


def test_an_exact_posterior_passes_at_every_step_and_a_narrow_one_nowhere():
    found = by_key(posterior_results("p", NAMES, *exact(), STEPS))
    narrow = by_key(posterior_results("p", NAMES, *exact(narrow=0.7), STEPS))
    for target in ("a,b", "a", "b"):
        for step in STEPS:
            assert found[target, step, "coverage_90"].mean == pytest.approx(0.9, abs=0.02)
            band = found[target, step, "sbc_ks_95"].mean
            assert found[target, step, "sbc_ks"].mean < 1.1 * band
            assert found[target, step, "sbc_chi2_p"].mean > 0.01
            assert narrow[target, step, "coverage_90"].mean < 0.82
            assert narrow[target, step, "sbc_ks"].mean > band
            assert narrow[target, step, "sbc_chi2_p"].mean < 1e-3
    assert found["a", 3, "rmse"].mean < found["a", 0, "rmse"].mean
    worst = max(found[name, 3, "sbc_ks"].mean for name in NAMES)
    assert found["a,b", 3, "sbc_ks"].mean == worst
    assert np.isnan(found["a", 3, "sbc_ks"].ci95)


def test_estimates_without_distribution_functions_have_no_calibration():
    estimates, theta = exact(20)
    plain = Estimates(estimates.mean, estimates.low, estimates.high, estimates.log_density)
    metrics = {row.metric for row in posterior_results("p", NAMES, plain, theta, STEPS)}
    assert metrics == {"rmse", "log_prob", "coverage_90"}


def test_predictions_of_continuous_outcomes_are_covered_and_of_others_only_scored():
    estimates, outcome = exact(400)
    rows = by_key(prediction_results("p", estimates, outcome, STEPS, continuous=True))
    assert rows["outcomes", 3, "coverage_90"].mean == pytest.approx(0.9, abs=0.04)
    assert rows["outcomes", 3, "pit_chi2_p"].mean > 0.01
    metrics = {row.metric for row in prediction_results("p", estimates, outcome, STEPS, False)}
    assert metrics == {"log_prob", "pit_ks", "pit_ks_95", "pit_chi2_p"}
