"""Information gains from draws against closed forms: normal, censored and binary outcomes."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from aline_tf import draws
from aline_tf.information.nested_monte_carlo import candidate_gain
from tests.information.linear_task import Linear, LinearWithMoments, exact_gain

COUNT = 128
BOUNDS = (-0.6, 0.8)


class Censored(LinearWithMoments):
    """The outcome stops at two bounds."""

    outcome_bounds = BOUNDS


@pytest.fixture(scope="module")
def theta():
    """Draws of N(m, V), and V."""
    covariance = np.array([[0.9, 0.5], [0.5, 0.6]])
    drawn = np.random.default_rng(1).multivariate_normal([0.3, -0.2], covariance, (6, COUNT))
    return drawn.astype(np.float32), covariance


@pytest.fixture(scope="module")
def design():
    return np.random.default_rng(2).uniform(-1, 1, (1, 20, 2)).astype(np.float32).repeat(6, 0)


@pytest.mark.parametrize(("task", "noise"), [(Linear(), 0.2), (LinearWithMoments(), 0.08)])
def test_gain_of_a_normal_outcome(theta, design, task, noise):
    gain = candidate_gain(task, tf.constant(theta[0]), design, draws.as_seed(1)).numpy()
    exact = exact_gain(theta[1], design[0])
    assert exact.max() - exact.min() > 0.5
    np.testing.assert_allclose(gain.mean(axis=0), exact, atol=noise)
    for row in gain:
        assert stats.spearmanr(row, exact).statistic > 1.0 - noise / 2


def test_gain_of_a_censored_outcome_is_that_of_numerical_integration(theta, design):
    task, few = Censored(), theta[0][:1, :20]
    # Every quantile of every draw's noise: all pairings of draws and levels.
    repeated = [
        candidate_gain(task, tf.constant(few), design[:1, :5], draws.as_seed(seed)).numpy()[0]
        for seed in range(60)
    ]
    for n, gain in enumerate(np.mean(repeated, axis=0)):
        mean = few[0].astype(float) @ design[0, n].astype(float)
        low, high = (task.NOISE * 0 + b for b in BOUNDS)

        def term(probability):
            return np.mean(probability * np.log(probability / probability.mean()))

        expected = term(stats.norm.cdf(low, mean, task.NOISE))
        expected += term(stats.norm.sf(high, mean, task.NOISE))
        expected += integrate.quad(
            lambda y, m=mean: term(stats.norm.pdf(y, m, task.NOISE)), low, high
        )[0]
        assert gain == pytest.approx(expected, abs=0.02)


def test_a_binary_outcome_is_enumerated():
    from tests.training.small_tasks import Coin

    class Likely(Coin):
        def log_likelihood(self, theta, design, outcome):
            logit = theta[..., 0] + theta[..., 1] * design[..., 0]
            return tf.math.log_sigmoid(tf.where(outcome[..., 0] > 0.5, logit, -logit))

    theta = np.random.default_rng(3).normal(size=(1, 9, 2)).astype(np.float32)
    design = np.array([[[-1.0], [0.5]]], np.float32)
    gain = candidate_gain(Likely(), tf.constant(theta), design, draws.as_seed(1)).numpy()[0]
    p = 1 / (1 + np.exp(-(theta[0, :, 0] + theta[0, :, 1] * design[0])))

    def entropy(p):
        return -(p * np.log(p) + (1 - p) * np.log(1 - p))

    np.testing.assert_allclose(gain, entropy(p.mean(1)) - entropy(p).mean(1), atol=1e-5)


@pytest.mark.parametrize("task", [Linear(), LinearWithMoments(), Censored()])
def test_equal_draws_have_nothing_to_gain_and_far_ones_log_of_their_number(task, design):
    same = tf.fill([6, 16, 2], 0.4)
    gain = candidate_gain(task, same, design, draws.as_seed(1))
    np.testing.assert_allclose(gain, 0.0, atol=2e-6)
    far = tf.constant(1e3 * np.arange(16.0, dtype=np.float32))[None, :, None] + tf.zeros([6, 1, 2])
    gain = candidate_gain(task, far, tf.ones([6, 1, 2]), draws.as_seed(1)).numpy()
    assert np.isfinite(gain).all()
    if task.__class__ is not Censored:
        np.testing.assert_allclose(gain, np.log(16.0), rtol=1e-3)
