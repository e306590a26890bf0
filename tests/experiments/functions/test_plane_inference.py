"""The oracle of hyper-parameters of two inputs, against draws of the prior that the task weighs."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import NO_ANSWER
from aline_tf.batch_ops import condition_on, from_history
from aline_tf.experiments.functions.plane_inference import HIGH, LOW, PlaneInference
from aline_tf.tasks import GP2D

SIZES, COUNT = {"D": 2, "F": 1, "P": 3}, 12


@pytest.fixture(scope="module")
def functions():
    """Two: the first has two lengthscales, the second has one."""
    task = GP2D()
    theta = tf.constant([[0.8, 2.4, 0.9], [0.4, 1.3, 1.3]])
    design = task.sample_designs(draws.as_seed(2), 2, COUNT)
    outcome = task.simulate(theta, design, draws.as_seed(3))
    prior = task.sample_theta(draws.as_seed(9), 20_000).numpy()
    return task, theta.numpy(), design.numpy(), outcome.numpy(), prior


def weighed(functions, row, given, trials):
    """Draws of the prior, what is known being set, and what the likelihood makes of each."""
    task, theta, design, outcome, prior = functions
    drawn = prior.copy()
    shared = drawn[:, 1] == drawn[:, 2]
    drawn[:, given] = theta[row, given]
    # One lengthscale that is known is that of both, where they are one.
    for known, other in ((1, 2), (2, 1)):
        if given[known] and not given[other]:
            drawn[shared, other] = theta[row, known]
    level = task.history_log_likelihood(
        tf.constant(drawn[None]),
        tf.constant(design[row, trials][None]),
        tf.constant(outcome[row, trials][None]),
        tf.ones([1, trials.sum()], bool),
    )
    level = level.numpy()[0].astype(float)
    weight = np.exp(level - level.max())
    return drawn.astype(float), weight / weight.sum()


@pytest.mark.parametrize("which", [(), (0,), (1,), (2,), (0, 2), (1, 2)], ids=str)
def test_it_agrees_with_weighed_draws_of_the_prior(functions, which):
    _, theta, design, outcome, _ = functions
    given = np.isin(range(3), which)
    batch = condition_on(from_history(SIZES, design, outcome), theta, given)
    batch["context_status"][:, 4] = NO_ANSWER
    found = PlaneInference().summary(batch, theta)
    matrix = PlaneInference().correlation(batch)
    for row in range(2):
        drawn, weight = weighed(functions, row, given, np.arange(COUNT) != 4)
        noise = 5.0 / np.sqrt(1.0 / np.square(weight).sum())
        mean = weight @ drawn
        sd = np.sqrt(weight @ np.square(drawn - mean))
        np.testing.assert_allclose(found.mean[row], mean, atol=noise * sd.max())
        np.testing.assert_allclose(found.sd[row], sd, atol=noise * sd.max())
        for p in np.flatnonzero(~given):
            for level, at in ((0.05, found.low), (0.95, found.high)):
                # Where a lengthscale has a probability of its own there is a jump.
                below, up_to = (weight[side].sum() for side in (
                    drawn[:, p] < at[row, p] - 0.01, drawn[:, p] <= at[row, p] + 0.01
                ))  # fmt: skip
                assert below - noise < level < up_to + noise
        away = (drawn - mean) / np.maximum(sd, 1e-12)
        free = np.ix_(~given, ~given)
        should = (away * weight[:, None]).T @ away
        np.testing.assert_allclose(matrix[row][free], should[free], atol=2 * noise)


def test_without_data_it_is_the_prior():
    batch = from_history(SIZES, np.zeros([1, 0, 2]), np.zeros([1, 0, 1]))
    found = PlaneInference().summary(batch, np.full((1, 3), 0.5))
    np.testing.assert_allclose(found.mean[0], (LOW + HIGH) / 2, rtol=1e-6)
    np.testing.assert_allclose(found.sd[0], (HIGH - LOW) / np.sqrt(12.0), rtol=1e-6)
    np.testing.assert_allclose(found.low[0], LOW + 0.05 * (HIGH - LOW), atol=0.02)
    np.testing.assert_allclose(found.below[0], (0.5 - LOW) / (HIGH - LOW), atol=0.01)
    np.testing.assert_allclose(found.log_density[0], -np.log(HIGH - LOW), atol=0.02)
    # Half of the functions have one lengthscale for both.
    np.testing.assert_allclose(PlaneInference().correlation(batch)[0, 1, 2], 0.5, atol=1e-6)


@pytest.mark.parametrize("second", [1.3, 1.2])
def test_a_pair_that_is_known_is_on_the_line_or_on_the_plane(functions, second):
    _, _, design, outcome, _ = functions
    theta = np.array([[0.4, 1.3, second]], np.float32)
    batch = from_history(SIZES, design[1:], outcome[1:])
    found = PlaneInference().summary(condition_on(batch, theta, np.array([0, 1, 1], bool)), theta)
    np.testing.assert_allclose(found.mean[0, 1:], theta[0, 1:], rtol=1e-6)
    np.testing.assert_allclose(found.sd[0, 1:], 0.0, atol=1e-9)
    assert np.isnan(found.log_density[0, 1:]).all() and np.isfinite(found.log_density[0, 0])
    assert LOW[0] < found.mean[0, 0] < HIGH[0]
