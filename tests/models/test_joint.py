"""Joint posteriors through known-parameter tokens, on a network nobody trained."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.batch_ops import condition_on
from aline_tf.models.aline import ALINE
from aline_tf.models.joint import joint_log_prob, sample_joint
from aline_tf.tasks.psychometric import Psychometric
from tests.seeds import seed_weights

ROWS = 3


@pytest.fixture(scope="module")
def network():
    seed_weights(2)
    model = ALINE(
        Psychometric.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    model.build()
    return model


@pytest.fixture(scope="module")
def episode():
    return Psychometric().sample_episodes(draws.as_seed(5), ROWS, 4)


def test_the_chain_rule_factor_by_factor(network, episode):
    theta, names = episode["theta"], ("guess", "threshold")
    first = network.theta_log_prob(network(episode), theta)[:, 2]
    state = condition_on(episode, theta, network.spec.parameter_mask(["guess"]))
    second = network.theta_log_prob(network(state), theta)[:, 0]
    joint = joint_log_prob(network, episode, theta, names)
    np.testing.assert_allclose(joint, first + second, rtol=1e-5)


def test_what_is_known_already_is_not_scored(network, episode):
    theta = episode["theta"]
    known = condition_on(episode, theta, [True, True, True, False])
    last = network.theta_log_prob(network(known), theta)[:, 3]
    np.testing.assert_allclose(joint_log_prob(network, known, theta), last, rtol=1e-5)


def test_conditioning_keeps_what_was_known_before(episode):
    once = condition_on(episode, np.full([ROWS, 4], 0.3), [True, False, False, False])
    twice = condition_on(once, np.full([ROWS, 4], 0.7), [True, True, False, False])
    np.testing.assert_allclose(twice["known_theta"], [[0.3, 0.7, 0.0, 0.0]] * ROWS)
    np.testing.assert_array_equal(twice["known_mask"], [[True, True, False, False]] * ROWS)


def test_draws_stay_on_the_support_and_follow_the_seed(network, episode):
    once = sample_joint(network, episode, draws.as_seed(1)).numpy()
    again = sample_joint(network, episode, draws.as_seed(1)).numpy()
    other = sample_joint(network, episode, draws.as_seed(2)).numpy()
    low = np.array([parameter.low for parameter in network.spec.parameters])
    high = np.array([parameter.high for parameter in network.spec.parameters])
    assert ((once >= low) & (once <= high)).all()
    np.testing.assert_array_equal(once, again)
    assert (once != other).all()


def test_a_chain_over_an_unknown_parameter_is_refused(network, episode):
    with pytest.raises(ValueError, match="bias"):
        joint_log_prob(network, episode, episode["theta"], ["bias"])
