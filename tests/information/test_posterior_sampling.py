"""Draws from the posterior against a conjugate one, from good, broad and wrong starting points."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.information.posterior_sampling import complete_theta, posterior_draws
from tests.information.linear_task import Linear, linear_state, normal_posterior, posterior_moments

ROWS, SEEN, COUNT = 24, 6, 64


@pytest.fixture(scope="module")
def state():
    return linear_state(Linear(), ROWS, SEEN, 1)


def whitened(theta, state):
    """Draws in coordinates in which the exact posterior is standard normal."""
    found = []
    for row in range(ROWS):
        design = state["context_design"][row, :SEEN].numpy().astype(float)
        outcome = state["context_outcome"][row, :SEEN, 0].numpy().astype(float)
        mean, covariance = posterior_moments(design, outcome)
        root = np.linalg.inv(np.linalg.cholesky(covariance))
        found.append((theta[row].astype(float) - mean) @ root.T)
    return np.stack(found)


@pytest.mark.parametrize(("loc", "sd", "tolerance"), [(0.0, 1.0, 0.1), (2.5, 0.1, 0.25)])
def test_draws_have_the_moments_of_the_conjugate_posterior(state, loc, sd, tolerance):
    task = Linear()
    q = normal_posterior(task, ROWS, loc, sd)
    theta = posterior_draws(task, q, state, draws.as_seed(1), COUNT).numpy()
    assert theta.shape == (ROWS, COUNT, 2)
    z = whitened(theta, state)
    # Averaged over rows; without the history the first would be of the order of 3.
    assert np.abs(z.mean(axis=1)).mean() < 0.15 + tolerance
    spread = np.einsum("rid,rie->de", z, z) / (ROWS * COUNT)
    np.testing.assert_allclose(spread, np.eye(2), atol=2 * tolerance)


def test_duplicates_part(state):
    task = Linear()
    theta = posterior_draws(
        task, normal_posterior(task, ROWS, 1.0, 3.0), state, draws.as_seed(2), COUNT
    )
    distinct = [len(np.unique(row[:, 0])) for row in theta.numpy()]
    assert min(distinct) > 0.7 * COUNT


def test_a_q_that_excludes_the_posterior_gives_finite_draws(state):
    task = Linear()
    far = state | {"context_outcome": state["context_outcome"] * 1e4}
    theta = posterior_draws(
        task, normal_posterior(task, ROWS, -50.0, 1e-3), far, draws.as_seed(3), 16
    )
    assert np.isfinite(theta).all()


def test_known_parameters_keep_their_values_and_inform_the_others(state):
    task = Linear()
    known = tf.constant([[True, False]] * ROWS)
    informed = state | {"known_mask": known, "known_theta": state["theta"]}
    theta = posterior_draws(
        task, normal_posterior(task, ROWS), informed, draws.as_seed(4), COUNT
    ).numpy()
    np.testing.assert_array_equal(
        theta[:, :, 0], np.repeat(state["theta"][:, :1].numpy(), COUNT, axis=1)
    )
    for row in range(4):
        design = state["context_design"][row, :SEEN].numpy().astype(float)
        outcome = state["context_outcome"][row, :SEEN, 0].numpy().astype(float)
        mean, covariance = posterior_moments(design, outcome)
        first = float(state["theta"][row, 0])
        expected = mean[1] + covariance[0, 1] / covariance[0, 0] * (first - mean[0])
        sd = np.sqrt(covariance[1, 1] - covariance[0, 1] ** 2 / covariance[0, 0])
        assert theta[row, :, 1].mean() == pytest.approx(expected, abs=0.7 * sd)


def test_padding_and_missing_outcomes_change_nothing(state):
    task, q = Linear(), normal_posterior(Linear(), ROWS)
    before = posterior_draws(task, q, state, draws.as_seed(5), 16)
    status = state["context_status"].numpy()
    status[:, -1] = 0
    shown = {"context_mask": tf.ones_like(state["context_mask"]), "context_status": status}
    after = posterior_draws(task, q, state | shown, draws.as_seed(5), 16)
    np.testing.assert_array_equal(before, after)


def test_a_graph_draws_what_eager_mode_draws(state):
    task, q = Linear(), normal_posterior(Linear(), ROWS)
    eager = posterior_draws(task, q, state, draws.as_seed(6), 16)
    graph = tf.function(lambda seed: posterior_draws(task, q, state, seed, 16))(draws.as_seed(6))
    np.testing.assert_allclose(eager, graph, atol=1e-4)


def test_a_task_completes_parameters_that_follow_from_others():
    class Shares(Linear):
        def complete_theta(self, theta, known_mask):
            first = theta[..., :1]
            free = ~known_mask & tf.constant([True, False])
            return tf.concat([first, 1.0 - first], axis=-1), free

    theta, free = complete_theta(Shares(), tf.constant([[0.3, 9.0]]), tf.constant([[False, False]]))
    np.testing.assert_allclose(theta, [[0.3, 0.7]], rtol=1e-6)
    np.testing.assert_array_equal(free, [[True, False]])
    task = Shares()
    state = linear_state(task, 4, 2, 1)
    found = posterior_draws(task, normal_posterior(task, 4), state, draws.as_seed(1), 16).numpy()
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, atol=1e-5)
