"""Mixtures of negative binomials against scipy, tfp, sums in float64 and their own draws."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from aline_tf.models.distributions import counts


def one_component(mean, dispersion):
    mean, dispersion = np.broadcast_arrays(np.float32(mean), np.float32(dispersion))
    return counts.CountMixture(
        tf.zeros([*mean.shape, 1]), tf.constant(mean[..., None]), tf.constant(dispersion[..., None])
    )


def random_mixture(seed, shape=(6,), components=3, most=2.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(*shape, 3 * components)).astype(np.float32)
    raw[..., components : 2 * components] *= most
    return counts.from_raw(raw, components, tf.fill(shape, 5.0))


def exact(mixture, function, value):
    """What scipy says of a mixture, in float64: `function` of the value, components averaged."""
    weight = np.exp(np.asarray(mixture.log_weight, float))
    mean, a = np.asarray(mixture.mean, float), np.asarray(mixture.dispersion, float)
    found = getattr(scipy.stats.nbinom, function)(value[..., None], 1 / a, 1 / (1 + a * mean))
    return (weight * found).sum(-1)


@pytest.mark.parametrize("mean", [1e-3, 0.5, 7.0, 300.0, 1e5])
@pytest.mark.parametrize("dispersion", [1e-6, 1e-3, 0.3, 20.0, 1e3])
def test_the_mass_is_that_of_scipy_for_means_and_dispersions_of_any_size(mean, dispersion):
    r, p = 1 / np.float64(np.float32(dispersion)), 0.0
    p = 1 / (1 + np.float64(np.float32(mean)) / r)
    value = np.unique(scipy.stats.nbinom.ppf([0.001, 0.1, 0.5, 0.9, 0.999], r, p))
    value = np.concatenate([[0.0, 1.0, 2.0], value, [10 * mean // 1 + 5]]).astype(np.float32)
    found = counts.log_prob(one_component([mean] * len(value), dispersion), value)
    np.testing.assert_allclose(found, scipy.stats.nbinom.logpmf(value, r, p), rtol=2e-5, atol=2e-4)


def test_the_least_dispersion_is_a_poisson_distribution():
    value = np.arange(40, dtype=np.float32)
    found = counts.log_prob(one_component([9.0] * 40, 1e-6), value)
    np.testing.assert_allclose(found, scipy.stats.poisson.logpmf(value, 9.0), rtol=1e-4, atol=2e-4)


def test_a_mixture_agrees_with_tfp():
    mixture = random_mixture(1)
    other = counts.distribution(mixture)
    for value in (0.0, 1.0, 4.0, 30.0):
        np.testing.assert_allclose(
            counts.log_prob(mixture, tf.fill([6], value)), other.log_prob(value), rtol=1e-4
        )
    mean, variance = counts.mean_variance(mixture)
    np.testing.assert_allclose(mean, other.mean(), rtol=1e-5)
    np.testing.assert_allclose(variance, other.variance(), rtol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_mass_sums_to_one_and_its_moments_and_entropy_are_those_of_the_sum(seed):
    mixture = random_mixture(seed, most=0.7)
    value = np.arange(20_000, dtype=np.float32)
    log_mass = counts.log_prob(
        counts.CountMixture(*(part[:, None] for part in mixture)), tf.constant(value)[None]
    )
    mass = np.exp(np.asarray(log_mass, float))
    np.testing.assert_allclose(mass.sum(1), 1.0, atol=2e-4)
    mean, variance = counts.mean_variance(mixture)
    np.testing.assert_allclose(mean, (mass * value).sum(1), rtol=1e-3)
    second = (mass * value.astype(float) ** 2).sum(1) - np.square(mean)
    np.testing.assert_allclose(variance, second, rtol=1e-2)
    entropy = -np.where(mass > 0, mass * np.log(np.maximum(mass, 1e-300)), 0).sum(1)
    np.testing.assert_allclose(counts.entropy(mixture), entropy, rtol=1e-2)


@pytest.mark.parametrize("mean", [100.0, 1e4, 1e6])
def test_the_entropy_of_large_counts_is_that_of_a_normal(mean):
    exact = 0.5 * np.log(2 * np.pi * np.e * (mean + 1e-6 * mean**2))
    np.testing.assert_allclose(counts.entropy(one_component([mean], 1e-6)), exact, rtol=1e-2)


@pytest.mark.parametrize("seed", range(5))
def test_the_cdf_is_that_of_scipy(seed):
    mixture = random_mixture(seed, most=4.0)
    for value in (-1.0, 0.0, 3.0, 3.7, 1e3, 1e6):
        value = np.full(6, value)
        found = counts.cdf(mixture, tf.constant(value, tf.float32))
        np.testing.assert_allclose(found, exact(mixture, "cdf", value), atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_the_smallest_counts_whose_cdf_reaches_the_level(seed):
    mixture = random_mixture(seed, most=4.0)
    levels = (0.001, 0.05, 0.5, 0.95, 0.999)
    value = counts.quantiles(mixture, levels).numpy()
    assert (value == np.round(value)).all() and (value >= 0).all()
    assert (np.diff(value, axis=-1) >= 0).all()
    for column, level in enumerate(levels):
        found = value[:, column].astype(float)
        assert (exact(mixture, "cdf", found) >= level - 1e-5).all()
        assert (exact(mixture, "cdf", found - 1) <= level + 1e-5).all()


def test_quantiles_at_uniform_levels_are_draws():
    mixture = random_mixture(3, shape=(2,), most=0.5)
    level = np.random.default_rng(0).uniform(size=(20_000, 2)).astype(np.float32)
    sample = counts.quantile(mixture, level).numpy()
    for value in range(8):
        share = (sample == value).mean(0)
        np.testing.assert_allclose(
            share, np.exp(counts.log_prob(mixture, tf.fill([2], float(value)))), atol=0.02
        )


def test_a_count_below_zero_reads_as_zero_and_a_broken_one_as_the_nearest():
    mixture = random_mixture(1)
    for odd, whole in ((-3.0, 0.0), (2.2, 2.0)):
        np.testing.assert_array_equal(
            counts.log_prob(mixture, tf.fill([6], odd)),
            counts.log_prob(mixture, tf.fill([6], whole)),
        )


@pytest.mark.parametrize("size", [3.0, 30.0, 1e3])
def test_extreme_outputs_stay_finite_with_their_gradients(size):
    rng = np.random.default_rng(4)
    raw = tf.constant(size * rng.choice([-1.0, 0.0, 1.0], (64, 9)), tf.float32)
    for value in (0.0, 1.0, 11.0, 1e4, 1e7):
        with tf.GradientTape() as tape:
            tape.watch(raw)
            mixture = counts.from_raw(raw, 3, tf.fill([64], 10.0))
            log_prob = counts.log_prob(mixture, tf.fill([64], value))
        assert np.isfinite(log_prob).all(), value
        assert np.isfinite(tape.gradient(log_prob, raw)).all(), value
    for found in (
        *counts.mean_variance(mixture),
        counts.quantiles(mixture, (0.05, 0.95)),
        counts.entropy(mixture),
    ):
        assert np.isfinite(found).all()


def test_the_gradient_is_that_of_differences():
    raw = np.random.default_rng(5).normal(size=(4, 6)).astype(np.float32)
    value = tf.constant([0.0, 2.0, 9.0, 40.0])

    def total(raw):
        mixture = counts.from_raw(raw, 2, tf.fill([4], 5.0))
        return tf.reduce_sum(counts.log_prob(mixture, value))

    with tf.GradientTape() as tape:
        variable = tf.constant(raw)
        tape.watch(variable)
        found = total(variable)
    gradient = tape.gradient(found, variable).numpy()
    for place in np.ndindex(*raw.shape):
        step = np.zeros_like(raw)
        step[place] = 5e-3
        difference = (total(raw + step) - total(raw - step)) / 1e-2
        np.testing.assert_allclose(gradient[place], difference, rtol=2e-2, atol=5e-3)
