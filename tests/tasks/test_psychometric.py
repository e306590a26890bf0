"""The psychometric function against plain numpy, and its episodes."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.psychometric import Psychometric, response_probability


@pytest.fixture(scope="module")
def task():
    return Psychometric()


def by_hand(theta, stimulus):
    threshold, slope, guess, lapse = np.moveaxis(theta.astype(np.float64), -1, 0)
    with np.errstate(over="ignore"):
        transition = 1.0 - np.exp(-(10.0 ** ((stimulus - threshold) / slope)))
    return guess * lapse + (1.0 - lapse) * transition


def test_response_probability_is_the_formula(task):
    theta = task.sample_theta(draws.as_seed(1), 200).numpy()
    stimulus = np.random.default_rng(1).uniform(-5, 5, 200).astype(np.float32)
    expected = by_hand(theta, stimulus)
    np.testing.assert_allclose(response_probability(theta, stimulus), expected, atol=2e-6)


def test_response_probability_at_its_landmarks():
    theta = np.array([0.5, 1.0, 0.4, 0.2], np.float32)
    values = response_probability(tf.constant([theta] * 3), tf.constant([-1e6, 0.5, 1e6]))
    expected = [0.08, 0.08 + 0.8 * (1 - np.exp(-1.0)), 0.88]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_simulated_answers_have_that_probability(task):
    theta = np.array([[0.5, 1.0, 0.4, 0.2]], np.float32)
    design = np.linspace(-3, 3, 4, dtype=np.float32)
    pool = tf.constant(np.tile(design, 5000)[None, :, None])
    answers = task.simulate(theta, pool, draws.as_seed(2)).numpy().reshape(5000, 4)
    np.testing.assert_allclose(answers.mean(0), by_hand(theta, design), atol=0.03)


def test_the_two_answers_share_all_probability(task):
    theta = task.sample_theta(draws.as_seed(3), 50)
    design = draws.uniform(draws.as_seed(4), [50, 1], -5.0, 5.0)
    both = [task.log_likelihood(theta, design, tf.fill([50, 1], y)) for y in (0.0, 1.0)]
    np.testing.assert_allclose(tf.exp(both[0]) + tf.exp(both[1]), 1.0, rtol=1e-5)
    expected = by_hand(theta.numpy(), design.numpy()[:, 0])
    np.testing.assert_allclose(tf.exp(both[1]), expected, atol=1e-5)


def test_the_prior_is_uniform_on_its_box(task):
    theta = task.sample_theta(draws.as_seed(5), 4000).numpy()
    low, high = np.array([(p.low, p.high) for p in task.spec.parameters]).T
    assert (theta >= low).all()
    assert (theta <= high).all()
    np.testing.assert_allclose(theta.mean(0), (low + high) / 2, atol=0.1)
    density = np.exp(task.log_prior(theta[:3]))
    np.testing.assert_allclose(density, 1.0 / np.prod(high - low), rtol=1e-5)


def test_half_of_the_rows_are_after_each_pair(task):
    mask = task.sample_targets(draws.as_seed(6), 4000).numpy()
    kinds, counts = np.unique(mask, axis=0, return_counts=True)
    np.testing.assert_array_equal(kinds, [[0, 0, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_allclose(counts / 4000, 0.5, atol=0.03)
    one = Psychometric(pairs=(("slope",),)).sample_targets(draws.as_seed(6), 3)
    np.testing.assert_array_equal(one, [[False, True, False, False]] * 3)


def test_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="Received: shape"):
        Psychometric(pairs=(("threshold", "shape"),))
