"""What inference is trained by, and what is given as known meanwhile."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.inference import condition_at_random, inference_loss


def test_inference_loss_averages_over_what_is_recorded():
    theta = tf.constant([[-1.0, -5.0], [-3.0, -7.0]])
    theta_weight = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    target, target_weight = tf.constant([[-4.0], [-8.0]]), tf.constant([[0.0], [1.0]])
    loss = inference_loss(theta, theta_weight, target, target_weight)
    np.testing.assert_allclose(loss, 2.0 + 8.0)
    empty = tf.zeros([2, 0])
    np.testing.assert_allclose(inference_loss(theta, theta_weight, empty, empty), 2.0)


def test_conditioning_gives_true_values_in_a_share_of_the_rows():
    episode = Psychometric().sample_episodes(draws.as_seed(1), 3000, 1)
    state = condition_at_random(episode, draws.as_seed(2), 0.5)
    known = state["known_mask"].numpy()
    rows = known.any(axis=1).mean()
    assert abs(rows - 0.5 * (1 - (2 / 3) ** 4)) < 0.04
    np.testing.assert_array_equal(
        state["known_theta"].numpy()[known], episode["theta"].numpy()[known]
    )
    np.testing.assert_array_equal(state["known_theta"].numpy()[~known], 0.0)
    nothing = condition_at_random(episode, draws.as_seed(2), 0.0)
    assert not nothing["known_mask"].numpy().any()


def test_conditioning_never_tells_what_was_not_recorded():
    episode = Psychometric().sample_episodes(draws.as_seed(1), 50, 1)
    episode["theta_observed"] = tf.constant([[True, False, True, False]] * 50)
    known = condition_at_random(episode, draws.as_seed(2), 1.0)["known_mask"].numpy()
    assert known[:, [0, 2]].any()
    assert not known[:, [1, 3]].any()
