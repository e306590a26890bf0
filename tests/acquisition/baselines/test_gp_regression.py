"""The fitted Gaussian process and its algebra, against scikit-learn, brute force and simulation."""

import numpy as np
import pytest
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

from aline_tf.acquisition.baselines.gp_regression import (
    KERNELS,
    GPPosterior,
    GPSettings,
    JointVariance,
    fit,
    unit_kernel,
)

NOISE = 0.03


def signal(name="matern52", dims=2):
    return ConstantKernel(0.6) * unit_kernel(name, np.linspace(1.5, 2.5, dims))


def observations(count, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    design = rng.uniform(-5, 5, (count, dims))
    return design, np.sin(design).sum(1) + 0.1 * rng.standard_normal(count)


def smooth_function(count, seed=0):
    """Draws of one function with lengthscale 1.2 and variance .5, at `count` designs in 1D."""
    rng = np.random.default_rng(seed)
    design = rng.uniform(-5, 5, (count, 1))
    covariance = 0.5 * unit_kernel("matern52", 1.2)(design) + 1e-4 * np.eye(count)
    return design, np.linalg.cholesky(covariance) @ rng.standard_normal(count)


@pytest.mark.parametrize("name", KERNELS)
def test_predictions_are_those_of_scikit_learn(name):
    design, outcome = observations(15)
    points, _ = observations(9, seed=1)
    theirs = GaussianProcessRegressor(signal(name) + WhiteKernel(NOISE), optimizer=None)
    mean, sd = theirs.fit(design, outcome).predict(points, return_std=True)
    ours = GPPosterior(signal(name), NOISE, design, outcome).predict(points)
    np.testing.assert_allclose(ours[0], mean, atol=1e-6)
    np.testing.assert_allclose(ours[1], sd, atol=1e-6)


def test_offset_and_scale_are_units_of_the_outcome():
    design, outcome = observations(12)
    points, _ = observations(5, seed=1)
    mean, sd = GPPosterior(signal(), NOISE, design, outcome).predict(points)
    moved = GPPosterior(signal(), NOISE, design, 40 + 7 * outcome, offset=40, scale=7)
    np.testing.assert_allclose(moved.predict(points)[0], 40 + 7 * mean)
    np.testing.assert_allclose(moved.predict(points)[1], 7 * sd)


def test_variance_reduction_is_what_adding_the_point_does():
    design, outcome = observations(8)
    candidates, _ = observations(6, seed=1)
    targets, _ = observations(20, seed=2)
    before = GPPosterior(signal(), NOISE, design, outcome)
    drop = before.joint(candidates, targets).variance_reduction()
    for candidate, expected in zip(candidates, drop, strict=True):
        # Whatever its outcome: the variance of a Gaussian process does not look at it.
        after = GPPosterior(
            signal(), NOISE, np.vstack([design, candidate]), np.append(outcome, 123.0)
        )
        found = np.mean(before.predict(targets)[1] ** 2 - after.predict(targets)[1] ** 2)
        assert found == pytest.approx(expected, abs=1e-6)


def test_expected_information_is_the_mutual_information_of_the_two_outcomes():
    design, outcome = observations(6)
    candidates, _ = observations(3, seed=1)
    targets, _ = observations(2, seed=2)
    targets[0] = candidates[0] + 0.2
    joint = GPPosterior(signal(), NOISE, design, outcome).joint(candidates, targets)
    rng = np.random.default_rng(3)
    for n, expected in enumerate(joint.expected_information()):
        found = []
        for m in range(len(targets)):
            covariance = np.array(
                [
                    [joint.candidate[n] + NOISE, joint.between[n, m]],
                    [joint.between[n, m], joint.target[m] + NOISE],
                ]
            )
            drawn = rng.multivariate_normal([0, 0], covariance, 200_000)
            together = stats.multivariate_normal([0, 0], covariance).logpdf(drawn)
            apart = stats.norm(0, np.sqrt(np.diag(covariance))).logpdf(drawn).sum(1)
            found.append((together - apart).mean())
        assert np.mean(found) == pytest.approx(expected, abs=0.004)


def test_information_about_the_very_same_place_stays_finite():
    joint = JointVariance(np.array([1.0]), np.array([1.0]), np.array([[1.0]]), noise=0.0)
    assert np.isfinite(joint.expected_information()).all()


def test_fitting_finds_the_hyperparameters_of_many_points():
    design, outcome = smooth_function(150)
    settings = GPSettings(standardise=False)
    found = fit(design, outcome, settings)
    assert found.signal.k2.length_scale == pytest.approx(1.2, rel=0.3)
    assert found.signal.k1.constant_value == pytest.approx(0.5, rel=0.7)
    assert found.noise == pytest.approx(1e-4, rel=0.5)


def test_fitted_hyperparameters_are_no_less_likely_than_the_true_ones():
    design, outcome = smooth_function(25)
    found = fit(design, outcome, GPSettings(standardise=False))

    def evidence(signal_kernel, noise):
        covariance = signal_kernel(design) + noise * np.eye(len(design))
        return stats.multivariate_normal(np.zeros(len(design)), covariance).logpdf(outcome)

    true = evidence(ConstantKernel(0.5) * unit_kernel("matern52", 1.2), 1e-4)
    assert evidence(found.signal, found.noise) >= true


def test_predictions_follow_the_units_of_the_outcome():
    design, outcome = observations(12)
    points, _ = observations(5, seed=1)
    mean, sd = fit(design, outcome, GPSettings()).predict(points)
    moved_mean, moved_sd = fit(design, 1e6 * outcome - 3e6, GPSettings()).predict(points)
    np.testing.assert_allclose(moved_mean, 1e6 * mean - 3e6, rtol=1e-3, atol=1e3)
    np.testing.assert_allclose(moved_sd, 1e6 * sd, rtol=1e-2)


def test_the_kernel_that_explains_best_is_taken():
    rng = np.random.default_rng(5)
    design = rng.uniform(-5, 5, (60, 1))
    covariance = unit_kernel("rbf", 1.5)(design) + 1e-5 * np.eye(60)
    outcome = np.linalg.cholesky(covariance) @ rng.standard_normal(60)
    settings = GPSettings(kernels=("matern32", "rbf"))
    assert type(fit(design, outcome, settings).signal.k2).__name__ == "RBF"


@pytest.mark.parametrize("outcome", [[0.3], [0.3, 0.3, 0.3]])
def test_a_context_without_any_spread_can_be_fitted(outcome):
    design = np.arange(len(outcome), dtype=float)[:, None]
    mean, sd = fit(design, np.array(outcome), GPSettings()).predict(np.array([[0.0], [4.0]]))
    assert np.isfinite([mean, sd]).all()
    assert mean[0] == pytest.approx(0.3, abs=0.05)


def test_bounds_of_no_width_fix_the_noise():
    design, outcome = smooth_function(10)
    assert fit(design, outcome, GPSettings(noise=(1e-4, 1e-4))).noise == pytest.approx(1e-4)


def test_unknown_kernels_are_refused():
    with pytest.raises(ValueError, match="'periodic'"):
        unit_kernel("periodic", 1.0)
    with pytest.raises(ValueError, match="periodic"):
        GPSettings(kernels=("periodic",))
    with pytest.raises(ValueError, match="starts="):
        GPSettings(starts=())
