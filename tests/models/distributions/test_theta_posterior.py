"""Parameter posteriors of every kind against tfp, numerical integration and their own draws."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from aline_tf.models.distributions import theta_posterior as posterior
from tests.models.batches import EVERY_KIND

COMPONENTS = 3
INTERVAL, REAL, BINARY, SPIKE_SLAB = range(4)


def beliefs_of(rows=5, seed=1, scale=1.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(0.0, scale, (rows, 4, posterior.raw_size(COMPONENTS)))
    return posterior.ThetaPosterior(EVERY_KIND.parameters, raw.astype(np.float32), COMPONENTS)


def at(values):
    """theta [len(values), 1, 4] with every parameter at the same value."""
    return tf.constant(np.array(values)[:, None, None] * np.ones([1, 1, 4]), tf.float32)


def test_log_prob_agrees_with_tfp_for_every_kind():
    beliefs = beliefs_of()
    distributions = beliefs.distributions()
    cases = {INTERVAL: (-0.9, 0.0, 2.7), REAL: (-1.0, 4.0, 9.0), BINARY: (0.0, 1.0)}
    for p, values in cases.items():
        log_prob = beliefs.log_prob(at(values))[..., p]
        expected = distributions[p].log_prob(at(values)[..., 0])
        np.testing.assert_allclose(log_prob, expected, rtol=1e-4, atol=1e-4)


def test_spike_slab_is_an_atom_at_zero_and_a_slab_elsewhere():
    beliefs = beliefs_of()
    log_prob = beliefs.log_prob(at([0.0, 1.5]))[..., SPIKE_SLAB]
    mixture = beliefs.distributions()[SPIKE_SLAB]
    slab = mixture.components[1]
    present = tf.sigmoid(beliefs.logit[:, SPIKE_SLAB])
    np.testing.assert_allclose(np.exp(log_prob[0]), 1.0 - present, rtol=1e-4)
    np.testing.assert_allclose(np.exp(log_prob[1]), present * slab.prob(1.5), rtol=1e-3)
    np.testing.assert_allclose(beliefs.probability()[:, SPIKE_SLAB], present, rtol=1e-6)


def test_mean_sd_and_cdf_agree_with_tfp():
    beliefs = beliefs_of()
    mean, sd = beliefs.mean_sd()
    distributions = beliefs.distributions()
    for p in (REAL, BINARY, SPIKE_SLAB):
        np.testing.assert_allclose(mean[:, p], distributions[p].mean(), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(sd[:, p], distributions[p].stddev(), rtol=1e-3, atol=1e-4)
    for p, value in ((INTERVAL, 0.7), (REAL, 4.5)):
        expected = distributions[p].cdf(value * tf.ones([5]))
        np.testing.assert_allclose(beliefs.cdf(at([value]))[0, :, p], expected, atol=1e-4)


@pytest.mark.parametrize(("p", "low", "high"), [(INTERVAL, -1.0, 3.0), (REAL, -40.0, 50.0)])
def test_density_integrates_to_one_and_gives_mean_sd_and_cdf(p, low, high):
    beliefs = beliefs_of()
    grid = np.linspace(low, high, 40_001)
    density = np.exp(beliefs.log_prob(at(grid))[..., p].numpy().astype(float))

    def integral(values):
        return np.trapezoid(values, grid, axis=0)

    np.testing.assert_allclose(integral(density), 1.0, atol=2e-3)
    mean, sd = (value[:, p] for value in beliefs.mean_sd())
    np.testing.assert_allclose(integral(density * grid[:, None]), mean, atol=1e-2)
    second = integral(density * (grid[:, None] - mean.numpy()) ** 2)
    np.testing.assert_allclose(np.sqrt(second), sd, atol=1e-2)
    below = grid <= 1.0
    expected = np.trapezoid(density[below], grid[below], axis=0)
    np.testing.assert_allclose(beliefs.cdf(at([1.0]))[0, :, p], expected, atol=2e-3)


def test_spike_slab_mass_is_one():
    beliefs = beliefs_of()
    grid = np.linspace(-15.0, 15.0, 30_000)
    assert (grid != 0.0).all()
    slab = np.exp(beliefs.log_prob(at(grid))[..., SPIKE_SLAB].numpy().astype(float))
    atom = np.exp(beliefs.log_prob(at([0.0]))[0, :, SPIKE_SLAB])
    np.testing.assert_allclose(np.trapezoid(slab, grid, axis=0) + atom, 1.0, atol=2e-3)


def test_an_interval_keeps_to_its_support():
    beliefs = beliefs_of()
    cdf = beliefs.cdf(at([-1.5, -1.0, 3.0, 3.5]))[..., INTERVAL]
    np.testing.assert_allclose(cdf[:2], 0.0, atol=1e-6)
    np.testing.assert_allclose(cdf[2:], 1.0, atol=1e-6)
    quantiles = beliefs.quantiles((0.0001, 0.9999))[:, INTERVAL].numpy()
    assert (quantiles >= -1.0).all()
    assert (quantiles <= 3.0).all()


def test_quantiles_invert_the_cdf_of_continuous_kinds():
    beliefs = beliefs_of()
    levels = (0.05, 0.4, 0.9)
    quantiles = beliefs.quantiles(levels)
    for index, level in enumerate(levels):
        reached = beliefs.cdf(quantiles[..., index])
        np.testing.assert_allclose(reached.numpy()[:, [INTERVAL, REAL]], level, atol=2e-4)


def test_quantiles_of_discrete_parts_are_the_smallest_value_that_reaches_the_level():
    raw = np.zeros([3, 4, posterior.raw_size(COMPONENTS)], np.float32)
    raw[:, :, -1] = np.array([-1.0, 0.0, 3.0])[:, None]
    beliefs = posterior.ThetaPosterior(EVERY_KIND.parameters, raw, COMPONENTS)
    no = 1.0 - 1.0 / (1.0 + np.exp([1.0, 0.0, -3.0]))
    for level in (0.05, 0.25, 0.7, 0.95):
        quantiles = beliefs.quantiles((level,))[..., 0].numpy()
        np.testing.assert_array_equal(quantiles[:, BINARY], (no < level).astype(float))
        # The slab N(1, ...) puts `below` of its mass under zero, the atom the rest of `no`.
        below = beliefs.cdf(at([-1e-3]))[0, :, SPIKE_SLAB].numpy()
        through = beliefs.cdf(at([0.0]))[0, :, SPIKE_SLAB].numpy()
        inside = (below + 1e-3 < level) & (level < through - 1e-3)
        assert (quantiles[inside, SPIKE_SLAB] == 0.0).all()
        assert (quantiles[level < below - 1e-2, SPIKE_SLAB] < 0.0).all()
        assert (quantiles[level > through + 1e-2, SPIKE_SLAB] > 0.0).all()


def test_draws_follow_the_cdf():
    beliefs = beliefs_of(rows=2)
    pick, position, spike = np.random.default_rng(2).uniform(size=(3, 4000, 2, 4))
    sample = beliefs.from_uniform(*(u.astype(np.float32) for u in (pick, position, spike)))
    level = beliefs.cdf(sample).numpy()
    sample = sample.numpy()
    present = beliefs.probability().numpy()
    for row in range(2):
        for p in (INTERVAL, REAL):
            assert scipy.stats.kstest(level[:, row, p], "uniform").pvalue > 1e-3
        for p in (BINARY, SPIKE_SLAB):
            share = (sample[:, row, p] != 0.0).mean()
            assert abs(share - present[row, p]) < 4 * 0.5 / np.sqrt(4000)
        slab = sample[:, row, SPIKE_SLAB]
        slab = slab[slab != 0.0]
        exact = beliefs.distributions()[SPIKE_SLAB].components[1]
        cdf = exact.cdf(slab[:, None] * np.ones([1, 2], np.float32)).numpy()[:, row]
        assert scipy.stats.kstest(cdf, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("size", [30.0, 1e3])
def test_extreme_outputs_stay_finite_with_their_gradients(size):
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (8, 4, posterior.raw_size(COMPONENTS)))
    raw = tf.constant(size * signs, tf.float32)
    theta = tf.constant([[-1.0, 5.0, 0.0, 0.0], [3.0, -5.0, 1.0, 1.5]] * 4)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        beliefs = posterior.ThetaPosterior(EVERY_KIND.parameters, raw, COMPONENTS)
        log_prob = beliefs.log_prob(theta)
    assert np.isfinite(log_prob).all()
    assert np.isfinite(tape.gradient(log_prob, raw)).all()
    for value in (*beliefs.mean_sd(), beliefs.quantiles(), beliefs.cdf(theta)):
        assert np.isfinite(value).all()


def test_every_kind_reads_only_its_own_outputs():
    """The gradient of a binary parameter's density leaves the mixture outputs alone, and so on."""
    raw = tf.constant(np.random.default_rng(4).normal(size=(1, 4, 10)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        beliefs = posterior.ThetaPosterior(EVERY_KIND.parameters, raw, COMPONENTS)
        log_prob = tf.reduce_sum(beliefs.log_prob(tf.constant([[0.5, 4.0, 1.0, 0.0]])))
    gradient = tape.gradient(log_prob, raw).numpy()[0]
    assert (gradient[[INTERVAL, REAL], -1] == 0.0).all()
    assert (gradient[BINARY, :-1] == 0.0).all()
    assert (gradient[SPIKE_SLAB, :-1] == 0.0).all()  # at the atom the slab has no say
    assert (np.abs(gradient[[BINARY, SPIKE_SLAB], -1]) > 0.0).all()
    assert (np.abs(gradient[[INTERVAL, REAL], :-1]).max(axis=1) > 0.0).all()
