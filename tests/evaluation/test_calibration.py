"""Calibration against posteriors that are exact by construction, and against ones that are not."""

import numpy as np
import pytest
from scipy import stats

from aline_tf.evaluation import calibration

RUNS = 2000


def conjugate(spread=1.0, shift=0.0, seed=0):
    """theta ~ N(0, 1), y ~ N(theta, 1): the posterior N(y / 2, 1 / 2), made wider or shifted."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=RUNS)
    outcome = theta + rng.normal(size=RUNS)
    return theta, stats.norm(outcome / 2 + shift, spread * np.sqrt(0.5)), rng


def test_the_exact_posterior_is_uniform_by_both_routes():
    theta, posterior, rng = conjugate()
    values = calibration.pit(posterior.cdf(theta), posterior.cdf(theta), rng.random(RUNS))
    draws = posterior.rvs((19, RUNS), random_state=rng).T
    rank = calibration.ranks(draws, theta, rng.random(RUNS))
    for found in (values, calibration.unit_ranks(rank, 19, rng.random(RUNS))):
        tests = calibration.uniformity(found)
        assert tests.ks < tests.ks_band
        assert min(tests.ks_p, tests.chi2_p) > 0.01
    assert (np.bincount(rank, minlength=20) > 0).all()


@pytest.mark.parametrize(("spread", "shift"), [(0.7, 0.0), (1.4, 0.0), (1.0, 0.2)])
def test_beliefs_too_narrow_too_wide_or_shifted_are_found_out(spread, shift):
    theta, posterior, _ = conjugate(spread, shift)
    tests = calibration.uniformity(posterior.cdf(theta))
    assert tests.ks > tests.ks_band
    assert max(tests.ks_p, tests.chi2_p) < 1e-4
    counts = calibration.histogram(posterior.cdf(theta))
    ends, middle = counts[[0, -1]].mean(), counts[4:6].mean()
    if not shift:
        assert (ends > middle) == (spread < 1.0)


def test_a_binary_truth_is_uniform_once_its_jump_is_spread():
    rng = np.random.default_rng(3)
    chance = rng.random(RUNS)
    truth = rng.random(RUNS) < chance
    below, at = np.where(truth, 1 - chance, 0.0), np.where(truth, 1.0, 1 - chance)
    assert calibration.uniformity(calibration.pit(below, at, rng.random(RUNS))).ks_p > 0.01
    assert calibration.uniformity(at).ks_p < 1e-6


def test_tied_ranks_are_shared_out_evenly():
    rng = np.random.default_rng(4)
    rank = calibration.ranks(np.zeros((5000, 4)), np.zeros(5000), rng.random(5000))
    assert stats.chisquare(np.bincount(rank, minlength=5)).pvalue > 0.01
    assert calibration.ranks(np.array([[1.0, 2.0, 3.0]]), np.array([2.5]), np.zeros(1)) == 2


def test_the_band_holds_the_promised_share_of_uniform_samples():
    rng = np.random.default_rng(5)
    found = [calibration.uniformity(rng.random(50)) for _ in range(400)]
    assert np.mean([test.ks < test.ks_band for test in found]) == pytest.approx(0.95, abs=0.03)
    assert np.mean([test.chi2_p > 0.05 for test in found]) == pytest.approx(0.95, abs=0.03)


def test_distribution_functions_and_counts_by_hand():
    values = np.array([0.1, 0.2, 0.9])
    np.testing.assert_allclose(
        calibration.ecdf_difference(values, np.array([0.0, 0.2, 1.0])), [0.0, 2 / 3 - 0.2, 0.0]
    )
    np.testing.assert_array_equal(calibration.histogram(values, 4), [2, 0, 0, 1])
    low, high = calibration.count_band(1000)
    assert low < 100 < high
    assert calibration.uniformity(values).ks == pytest.approx(2 / 3 - 0.2)


@pytest.mark.parametrize("values", [[], [0.5, 1.2], [np.nan], [[0.5]]])
def test_values_that_are_no_probabilities_are_refused(values):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        calibration.uniformity(np.array(values))
