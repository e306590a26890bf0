"""Predictive distributions of every kind against tfp, sums and integrals, and their own draws."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from aline_tf.models.distributions import outcome_prediction as predictive
from aline_tf.spec import Channel
from tests.models.batches import EVERY_KIND

COMPONENTS = 3
LEVEL, EVENT, RATING = range(3)


def prediction_of(raw=None, rows=5, seed=1, outcomes=EVERY_KIND.outcomes):
    """One target of each channel per row: [rows, channels]."""
    count = len(outcomes)
    if raw is None:
        size = predictive.raw_size(outcomes, COMPONENTS)
        raw = np.random.default_rng(seed).normal(size=(rows, count, size)).astype(np.float32)
    code = np.broadcast_to(np.eye(count, dtype=np.float32), [raw.shape[0], count, count])
    design = np.concatenate([np.zeros_like(code[..., :1]), code], axis=-1)
    return predictive.OutcomePrediction(outcomes, raw, design, COMPONENTS)


def everywhere(values):
    return tf.constant(np.array(values)[:, None, None] * np.ones([1, 1, 3]), tf.float32)


def tfp_normal_mixture(prediction):
    import tensorflow_probability as tfp

    tfd, mixture = tfp.distributions, prediction._mixture
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=mixture.log_weight[:, LEVEL]),
        tfd.Normal(50.0 + 10.0 * mixture.loc[:, LEVEL], 10.0 * mixture.scale[:, LEVEL]),
    )


def test_a_continuous_outcome_agrees_with_tfp():
    prediction = prediction_of()
    exact = tfp_normal_mixture(prediction)
    mean, sd = prediction.mean_sd()
    np.testing.assert_allclose(mean[:, LEVEL], exact.mean(), rtol=1e-5)
    np.testing.assert_allclose(sd[:, LEVEL], exact.stddev(), rtol=1e-4)
    for value in (20.0, 50.0, 71.0):
        log_prob = prediction.log_prob(everywhere([value]))[0, :, LEVEL]
        np.testing.assert_allclose(log_prob, exact.log_prob(value), rtol=1e-4, atol=1e-4)
        cdf = prediction.cdf(everywhere([value]))[0, :, LEVEL]
        np.testing.assert_allclose(cdf, exact.cdf(value), atol=1e-5)


def test_a_binary_outcome_agrees_with_tfp():
    import tensorflow_probability as tfp

    prediction = prediction_of()
    exact = tfp.distributions.Bernoulli(logits=prediction.logit[:, EVENT])
    mean, sd = prediction.mean_sd()
    np.testing.assert_allclose(mean[:, EVENT], exact.mean(), rtol=1e-5)
    np.testing.assert_allclose(sd[:, EVENT], exact.stddev(), rtol=1e-5)
    np.testing.assert_allclose(prediction.entropy()[:, EVENT], exact.entropy(), rtol=1e-4)
    for value in (0.0, 1.0):
        log_prob = prediction.log_prob(everywhere([value]))[0, :, EVENT]
        np.testing.assert_allclose(log_prob, exact.log_prob(value), rtol=1e-5)


def test_an_ordered_outcome_agrees_with_tfp_and_sums_to_one():
    import tensorflow_probability as tfp

    prediction = prediction_of()
    log_prob = prediction.log_prob(everywhere(range(4)))[..., RATING]
    np.testing.assert_allclose(tf.reduce_sum(tf.exp(log_prob), axis=0), 1.0, rtol=1e-5)
    exact = tfp.distributions.OrderedLogistic(cutpoints=prediction._cuts[:, RATING], loc=0.0)
    for rating in range(4):
        np.testing.assert_allclose(log_prob[rating], exact.log_prob(rating), rtol=1e-3, atol=1e-4)
    probability = np.exp(log_prob)
    levels = np.arange(4.0)[:, None]
    mean, sd = prediction.mean_sd()
    expected = (probability * levels).sum(0)
    np.testing.assert_allclose(mean[:, RATING], expected, rtol=1e-4)
    variance = (probability * (levels - expected) ** 2).sum(0)
    np.testing.assert_allclose(sd[:, RATING], np.sqrt(variance), rtol=1e-3)
    entropy = -(probability * np.log(probability)).sum(0)
    np.testing.assert_allclose(prediction.entropy()[:, RATING], entropy, rtol=1e-4)
    cdf = prediction.cdf(everywhere([-0.5, 0.0, 1.5, 3.0]))[..., RATING]
    np.testing.assert_allclose(
        cdf, [0 * expected, *np.cumsum(probability, 0)[[0, 1, 3]]], atol=1e-5
    )


def test_a_continuous_density_integrates_to_one():
    grid = np.linspace(-200.0, 300.0, 20_001)
    density = np.exp(prediction_of().log_prob(everywhere(grid))[..., LEVEL].numpy().astype(float))
    np.testing.assert_allclose(np.trapezoid(density, grid, axis=0), 1.0, atol=2e-3)


def test_quantiles_invert_the_cdf_or_are_the_smallest_category_that_reaches_it():
    prediction = prediction_of()
    for level in (0.05, 0.5, 0.95):
        value = prediction.quantiles((level,))[..., 0]
        reached = prediction.cdf(value).numpy()
        np.testing.assert_allclose(reached[:, LEVEL], level, atol=1e-4)
        before = prediction.cdf(value - 1.0).numpy()
        for channel in (EVENT, RATING):
            assert (reached[:, channel] >= level - 1e-5).all()
            assert (before[:, channel] < level + 1e-5).all()


def test_draws_follow_the_cdf():
    prediction = prediction_of(rows=2)
    pick, position = np.random.default_rng(2).uniform(size=(2, 6000, 2, 3)).astype(np.float32)
    sample = prediction.from_uniform(pick, position)
    level = prediction.cdf(sample).numpy()[..., LEVEL]
    sample = sample.numpy()
    for row in range(2):
        assert scipy.stats.kstest(level[:, row], "uniform").pvalue > 1e-3
        for channel, count in ((EVENT, 2), (RATING, 4)):
            probability = np.exp(prediction.log_prob(everywhere(range(count)))[:, row, channel])
            share = [(sample[:, row, channel] == value).mean() for value in range(count)]
            np.testing.assert_allclose(share, probability, atol=0.03)


def test_a_short_scale_beside_a_long_one_never_leaves_its_levels():
    outcomes = (
        Channel("long", "ordered", levels=7),
        Channel("short", "ordered", levels=3),
        Channel("event", "binary"),
    )
    prediction = prediction_of(outcomes=outcomes)
    probability = prediction.category_probabilities().numpy()
    np.testing.assert_allclose(probability[:, 1, 3:], 0.0, atol=1e-6)
    np.testing.assert_allclose(probability[:, :2].sum(-1), 1.0, rtol=1e-5)


def test_one_channel_needs_no_code_in_the_design():
    raw = np.random.default_rng(3).normal(size=(2, 4, 10)).astype(np.float32)
    prediction = predictive.OutcomePrediction(
        (Channel("event", "binary"),), raw, np.zeros([2, 4, 1], np.float32), COMPONENTS
    )
    np.testing.assert_allclose(prediction.mean_sd()[0], tf.sigmoid(raw[..., 9]), rtol=1e-6)


def test_the_starting_bias_is_neutral():
    bias = np.array(predictive.raw_bias(EVERY_KIND.outcomes, COMPONENTS), np.float32)
    assert len(bias) == predictive.raw_size(EVERY_KIND.outcomes, COMPONENTS)
    prediction = prediction_of(np.broadcast_to(bias, [1, 3, len(bias)]))
    mean, _ = prediction.mean_sd()
    np.testing.assert_allclose(mean[0, :2], [50.0, 0.5], atol=0.1)
    probability = prediction.category_probabilities()[0, RATING]
    assert (probability.numpy() > 0.1).all()


def test_a_padded_target_without_a_code_stays_finite():
    raw = np.random.default_rng(5).normal(size=(2, 3, 13)).astype(np.float32)
    prediction = predictive.OutcomePrediction(
        EVERY_KIND.outcomes, raw, np.zeros([2, 3, 4], np.float32), COMPONENTS
    )
    outcome = tf.zeros([2, 3])
    for value in (prediction.log_prob(outcome), *prediction.mean_sd(), prediction.quantiles()):
        assert np.isfinite(value).all()


@pytest.mark.parametrize("size", [30.0, 1e3])
def test_extreme_outputs_stay_finite_with_their_gradients(size):
    signs = np.random.default_rng(4).choice([-1.0, 1.0], (8, 3, 13))
    raw = tf.constant(size * signs, tf.float32)
    outcome = tf.constant([[50.0, 0.0, 0.0], [-300.0, 1.0, 3.0]] * 4)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        prediction = prediction_of(raw)
        log_prob = prediction.log_prob(outcome)
    assert np.isfinite(log_prob).all()
    assert np.isfinite(tape.gradient(log_prob, raw)).all()
    values = (*prediction.mean_sd(), prediction.quantiles(), prediction.entropy())
    for value in values:
        assert np.isfinite(value).all()


def test_a_rating_thought_impossible_still_pulls_at_the_head():
    raw = np.zeros([1, 3, predictive.raw_size(EVERY_KIND.outcomes, COMPONENTS)], np.float32)
    # The first cut point: nearly all probability in the lowest category.
    raw[..., 3 * COMPONENTS + 1] = 25.0
    raw = tf.constant(raw)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        log_prob = prediction_of(raw).log_prob(everywhere([2.0]))[0, 0, RATING]
    assert np.isfinite(log_prob) and log_prob < -20.0
    assert np.abs(tape.gradient(log_prob, raw)[0, RATING, 3 * COMPONENTS + 1]) > 0.5
