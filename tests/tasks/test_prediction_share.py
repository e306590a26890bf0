"""Training rows after predictions: as many as the share says, single, several and mixed."""

import numpy as np

from aline_tf import draws
from aline_tf.tasks.psychometric import Psychometric, response_probability


def test_the_share_of_rows_and_their_numbers():
    task = Psychometric()
    episode = task.sample_episodes(draws.as_seed(5), 4000, 1)
    theta, target = (np.asarray(episode[name]) for name in ("theta_mask", "target_mask"))
    after = target.any(axis=1)
    assert abs(after.mean() - task.prediction_share) < 0.03
    assert (theta.any(axis=1) | after).all()
    count = target[after].sum(axis=1)
    assert set(count) == set(range(1, task.predictions + 1))
    assert 0.4 < np.mean(count == 1) < 0.65
    assert 0.15 < theta[after].any(axis=1).mean() < 0.35
    assert (target.sum(axis=0) > 0).all()


def test_the_answers_of_a_psychometric_task_are_chances():
    episode = Psychometric().sample_episodes(draws.as_seed(6), 50, 1)
    chance = response_probability(episode["theta"][:, None], episode["target_design"][..., 0])
    np.testing.assert_allclose(episode["target_outcome"], chance, atol=1e-6)
