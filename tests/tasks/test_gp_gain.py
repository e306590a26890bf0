"""The gains of the Gaussian process task against dense linear algebra."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_candidate, extend_context
from aline_tf.tasks.gp import KERNELS, NOISE, GaussianProcess, covariance


def test_gain_is_the_drop_of_the_logarithm_of_the_expected_error():
    task = GaussianProcess(1, predictions=12)
    episode = extend_context(task.sample_episodes(draws.as_seed(3), 6, 10), 2)
    state = append_candidate(episode, 1, tf.zeros([6], tf.int32))
    gain = task.expected_gain(state).numpy()
    after_targets = state["target_mask"][:, 0].numpy()
    assert 0 < after_targets.sum() < 6
    row = int(np.flatnonzero(after_targets)[0])
    names = ("context_design", "candidate_design", "target_design")
    design = tf.concat([state[name][row : row + 1] for name in names], 1)
    design = tf.concat([design[:, :2], design[:, 3:]], 1)  # the third slot is empty
    theta = state["theta"][row : row + 1]
    kernel = tf.constant([KERNELS.index("matern52")])
    prior = covariance(design, theta[:, 0], theta[:, 1:], kernel)[0].numpy().astype(float)
    prior += NOISE**2 * np.eye(len(prior))
    left = prior[2:, 2:] - prior[2:, :2] @ np.linalg.solve(prior[:2, :2], prior[:2, 2:])
    errors = [np.sqrt(np.diag(left)[10:].mean())]
    for candidate in range(10):
        cross = left[candidate, 10:]
        rest = np.diag(left)[10:] - np.square(cross) / left[candidate, candidate]
        errors.append(np.sqrt(rest.mean()))
    expected = np.log(errors[0]) - np.log(errors[1:])
    np.testing.assert_allclose(gain[row, 1:], expected[1:], atol=2e-4)


def test_a_measured_neighbourhood_has_little_left_to_tell():
    task = GaussianProcess(1, predictions=12)
    episode = extend_context(task.sample_episodes(draws.as_seed(4), 40, 10), 2)
    before = task.expected_gain(episode).numpy()
    chosen = before.argmax(1)
    after = task.expected_gain(append_candidate(episode, 1, tf.constant(chosen, tf.int32))).numpy()
    rows = episode["target_mask"][:, 0].numpy()
    assert after[rows, chosen[rows]].mean() < 0.5 * before[rows, chosen[rows]].mean()


def test_gain_about_hyperparameters_picks_what_a_dense_grid_would():
    """The grid: every kernel, 12 variances, 40 lengthscales, weighed by their evidence."""
    task, rows, context, pool = GaussianProcess(1, predictions=2), 12, 8, 30
    theta = task.sample_theta(draws.as_seed(1), rows)
    design = task.sample_designs(draws.as_seed(2), rows, context + pool)
    outcome = task.simulate(theta, design, draws.as_seed(3))
    state = {
        "context_design": design[:, :context],
        "context_outcome": outcome[:, :context],
        "context_mask": tf.ones([rows, context], tf.bool),
        "candidate_design": design[:, context:],
        "theta": theta,
    }
    found = task.hyperparameter_gain(state).numpy()
    np.testing.assert_array_equal(found, task.hyperparameter_gain(state).numpy())
    assert (found >= 0.0).all()

    grid = [(v, ell) for v in np.linspace(0.1, 1.0, 12) for ell in np.linspace(0.1, 2.0, 40)]
    settings = np.array([point for _ in KERNELS for point in grid], np.float32)
    kernel = np.repeat(np.arange(len(KERNELS)), len(grid)).astype(np.int32)
    reached = []
    for row in range(rows):
        places = np.repeat(design[row : row + 1].numpy(), len(kernel), axis=0)
        prior = covariance(places, settings[:, 0], settings[:, 1:], kernel).numpy().astype(float)
        own = prior[:, :context, :context] + NOISE**2 * np.eye(context)
        between = prior[:, :context, context:]
        value = outcome[row, :context, 0].numpy().astype(float)
        weights = np.linalg.solve(own, between)
        mean = np.einsum("gnp,n->gp", weights, value)
        variance = settings[:, :1] + NOISE**2 - (weights * between).sum(1)
        fit = np.einsum("n,gnm,m->g", value, np.linalg.inv(own), value)
        evidence = -0.5 * (fit + np.linalg.slogdet(own)[1])
        share = np.exp(evidence - evidence.max())
        share /= share.sum()
        total = share @ (variance + np.square(mean)) - np.square(share @ mean)
        exact = 0.5 * (np.log(total) - share @ np.log(variance))
        reached.append(exact[found[row].argmax()] / exact.max())
    assert np.mean(reached) > 0.8
