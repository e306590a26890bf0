"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from aline_tf.evaluation import metrics

WANTED = np.array([True, False, True])


def test_rmse_is_taken_over_the_wanted_parameters_of_each_subject():
    estimate = np.array([[3.0, 9.0, 4.0], [1.0, 9.0, 1.0]])
    theta = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    np.testing.assert_allclose(metrics.rmse(estimate, theta, WANTED), [np.sqrt(12.5), 0.0])


def test_log_prob_is_per_parameter():
    np.testing.assert_allclose(metrics.log_prob(np.array([[-1.0, 7.0, -3.0]]), WANTED), [-2.0])


def test_coverage_counts_parameters_inside_the_closed_interval():
    theta = np.array([[0.0, 5.0, 2.0]])
    low, high = np.array([[0.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 1.0]])
    np.testing.assert_allclose(metrics.coverage(low, high, theta, WANTED), [0.5])


def test_outer_share_of_an_even_grid_is_the_share_of_the_range():
    design = (np.arange(1000)[None] + 0.5) / 100.0 - 5.0
    np.testing.assert_allclose(metrics.outer_share(design, -5.0, 5.0), [0.3])


def test_interval_shrinks_with_the_root_of_the_number_of_subjects():
    mean, ci95 = metrics.mean_and_ci95(np.array([0.0, 2.0] * 50))
    assert mean == 1.0
    assert ci95 == pytest.approx(1.96 * 1.0 / 10, rel=0.01)
    assert metrics.mean_and_ci95(np.array([4.0])) == (4.0, 0.0)
    with pytest.raises(ValueError, match="S >= 1"):
        metrics.mean_and_ci95(np.array([]))


def test_ratio_of_proportional_values_is_exact():
    below = np.array([0.1, 0.2, 0.4])
    ratio, ci95 = metrics.ratio_and_ci95(3 * below, below)
    assert ratio == pytest.approx(3.0)
    assert ci95 == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(metrics.ratio_and_ci95(below, 0 * below)[0])


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        metrics.rmse(np.zeros((2, 3)), np.zeros((2, 1)), WANTED)
