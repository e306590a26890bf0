"""The two mixtures against scipy, numerical integration, and their own limits."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from aline_tf.models.distributions import mixtures

COMPONENTS = 3


def random_mixture(truncated, seed=1, rows=6):
    raw = np.random.default_rng(seed).normal(0.0, 1.5, (rows, 3 * COMPONENTS)).astype(np.float32)
    return mixtures.from_raw(raw, COMPONENTS, truncated)


def scipy_components(mixture, row):
    for k in range(COMPONENTS):
        loc, scale = float(mixture.loc[row, k]), float(mixture.scale[row, k])
        weight = float(np.exp(mixture.log_weight[row, k]))
        if mixture.truncated:
            yield weight, scipy.stats.truncnorm(-loc / scale, (1 - loc) / scale, loc, scale)
        else:
            yield weight, scipy.stats.norm(loc, scale)


@pytest.mark.parametrize("truncated", [True, False])
def test_density_cdf_and_moments_agree_with_scipy(truncated):
    mixture = random_mixture(truncated)
    grid = np.linspace(0.01, 0.99, 9, dtype=np.float32)
    mean, variance = mixtures.mean_variance(mixture)
    for row in range(6):
        parts = list(scipy_components(mixture, row))
        one = mixtures.Mixture(
            mixture.log_weight[row], mixture.loc[row], mixture.scale[row], truncated
        )
        density = sum(w * d.pdf(grid) for w, d in parts)
        np.testing.assert_allclose(np.exp(mixtures.log_prob(one, grid)), density, rtol=2e-4)
        cdf = sum(w * d.cdf(grid) for w, d in parts)
        np.testing.assert_allclose(mixtures.cdf(one, grid), cdf, atol=1e-5)
        expected = sum(w * d.mean() for w, d in parts)
        second = sum(w * (d.var() + d.mean() ** 2) for w, d in parts)
        np.testing.assert_allclose(mean[row], expected, atol=1e-4)
        np.testing.assert_allclose(variance[row], second - expected**2, rtol=5e-3, atol=1e-4)


def test_truncated_density_integrates_to_one():
    mixture = random_mixture(True, rows=20)
    grid = np.linspace(0.0, 1.0, 20_001, dtype=np.float32)
    density = np.exp(mixtures.log_prob(mixture, tf.constant(grid)[:, None]))
    np.testing.assert_allclose(np.trapezoid(density, grid, axis=0), 1.0, atol=1e-3)


@pytest.mark.parametrize("truncated", [True, False])
def test_quantile_is_the_inverse_of_the_cdf(truncated):
    mixture = random_mixture(truncated)
    levels = (0.01, 0.3, 0.5, 0.99)
    values = mixtures.quantiles(
        lambda u: mixtures.cdf(mixture, u), mixtures.bounds(mixture), levels
    )
    assert values.shape == (6, 4)
    for index, level in enumerate(levels):
        np.testing.assert_allclose(mixtures.cdf(mixture, values[:, index]), level, atol=1e-4)


@pytest.mark.parametrize("truncated", [True, False])
def test_draws_follow_the_cdf(truncated):
    mixture = random_mixture(truncated, rows=4)
    pick, position = np.random.default_rng(2).uniform(size=(2, 4000, 4)).astype(np.float32)
    sample = mixtures.from_uniform(mixture, pick, position)
    level = mixtures.cdf(mixture, sample).numpy()
    for row in range(4):
        assert scipy.stats.kstest(level[:, row], "uniform").pvalue > 1e-3


def test_a_component_far_wider_than_the_interval_is_uniform():
    mixture = mixtures.Mixture(tf.zeros([1]), tf.constant([0.5]), tf.constant([50.0]), True)
    np.testing.assert_allclose(
        mixtures.log_prob(mixture, tf.constant([0.0, 0.3, 1.0])), 0, atol=1e-3
    )
    np.testing.assert_allclose(mixtures.mean_variance(mixture)[0], 0.5, atol=1e-2)


def test_raw_bias_spreads_the_components_over_the_prior():
    for truncated, (low, high) in ((True, (0.0, 1.0)), (False, (-1.5, 1.5))):
        bias = tf.constant(mixtures.raw_bias(5, truncated))
        mixture = mixtures.from_raw(bias, 5, truncated)
        mean, variance = mixtures.mean_variance(mixture)
        np.testing.assert_allclose(mean, (low + high) / 2, atol=1e-4)
        uniform = (high - low) / np.sqrt(12)
        assert 0.7 * uniform < np.sqrt(variance) < 1.6 * uniform


@pytest.mark.parametrize("truncated", [True, False])
@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_extreme_outputs_stay_finite_with_their_gradients(truncated, size):
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (16, 3 * COMPONENTS))
    raw = tf.constant(size * signs, tf.float32)
    value = tf.constant(np.linspace(0.0, 1.0, 16), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(raw)
        mixture = mixtures.from_raw(raw, COMPONENTS, truncated)
        log_prob = mixtures.log_prob(mixture, value)
        mean, variance = mixtures.mean_variance(mixture)
    assert np.isfinite(log_prob).all() or (size > 1e4 and not truncated)
    assert np.isfinite(mean).all()
    assert (variance.numpy() >= 0.0).all()
    assert np.isfinite(mixtures.cdf(mixture, value)).all()
    pick, position = np.random.default_rng(4).uniform(size=(2, 16)).astype(np.float32)
    assert np.isfinite(mixtures.from_uniform(mixture, pick, position)).all()
    if size < 1e4:
        assert np.isfinite(tape.gradient(log_prob, raw)).all()
