"""The closed-form gain of the Gaussian process task against dense linear algebra."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.gp import KERNELS, NOISE, GaussianProcess, covariance
from aline_tf.training.rollout import append_candidate, extend_context


def test_gain_is_the_gaussian_mutual_information_averaged_over_targets():
    task = GaussianProcess(1, predictions=12)
    episode = extend_context(task.sample_episodes(draws.as_seed(3), 6, 10), 2)
    state = append_candidate(episode, 1, tf.zeros([6], tf.int32))
    gain = task.expected_gain(state).numpy()
    after_targets = state["target_mask"][:, 0].numpy()
    assert 0 < after_targets.sum() < 6
    assert (gain[~after_targets] == 0.0).all()
    row = int(np.flatnonzero(after_targets)[0])
    names = ("context_design", "candidate_design", "target_design")
    design = tf.concat([state[name][row : row + 1] for name in names], 1)
    design = tf.concat([design[:, :2], design[:, 3:]], 1)  # the third slot is empty
    theta = state["theta"][row : row + 1]
    kernel = tf.constant([KERNELS.index("matern52")])
    prior = covariance(design, theta[:, 0], theta[:, 1:], kernel)[0].numpy().astype(float)
    prior += NOISE**2 * np.eye(len(prior))
    left = prior[2:, 2:] - prior[2:, :2] @ np.linalg.solve(prior[:2, :2], prior[:2, 2:])
    sd = np.sqrt(np.diag(left))
    correlation = left[:10, 10:] / sd[:10, None] / sd[None, 10:]
    expected = (-0.5 * np.log1p(-np.square(correlation))).mean(1)
    np.testing.assert_allclose(gain[row, 1:], expected[1:], atol=2e-4)


def test_a_measured_neighbourhood_has_little_left_to_tell():
    task = GaussianProcess(1, predictions=12)
    episode = extend_context(task.sample_episodes(draws.as_seed(4), 40, 10), 2)
    before = task.expected_gain(episode).numpy()
    chosen = before.argmax(1)
    after = task.expected_gain(append_candidate(episode, 1, tf.constant(chosen, tf.int32))).numpy()
    rows = episode["target_mask"][:, 0].numpy()
    assert after[rows, chosen[rows]].mean() < 0.5 * before[rows, chosen[rows]].mean()
