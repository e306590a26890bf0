"""Gaussian processes and what is given as known of their hyper-parameters, on a model nobody
trained: the posterior follows Bayes' rule, predictions and the policy hear of it."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import empty_batch
from aline_tf.batch_ops import append_pool, condition_on
from aline_tf.models.aline import ALINE
from aline_tf.models.joint import joint_log_prob
from aline_tf.models.layers import Observations
from aline_tf.tasks.gp import GP1D
from tests.seeds import seed_weights

ROWS, ANSWERS = 3, 4


@pytest.fixture(scope="module")
def model():
    seed_weights(4)
    model = ALINE(
        GP1D().spec,
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        num_processes=3,
        evidence_dim=4,
        joint_components=5,
    )
    model(empty_batch(GP1D().spec.sizes | {"C": 1, "M": 1, "N": 1}))
    for index, weight in enumerate(model.weights):
        weight.assign_add(tf.random.stateless_normal(weight.shape, [5, index], stddev=0.2))
    return model


@pytest.fixture(scope="module")
def state():
    episode = GP1D().sample_episodes(draws.as_seed(5), ROWS, ANSWERS + 3)
    taken = tf.tile(tf.range(ANSWERS + 3)[None] < ANSWERS, [ROWS, 1])
    return append_pool(episode, taken)


def test_both_orders_of_the_chain_are_the_joint(model, state):
    theta, chains = state["theta"], []
    for first in (0, 1):
        mask = tf.constant([first == 0, first == 1])
        chain = model.theta_log_prob(model(state), theta)[:, first]
        after = model(condition_on(state, theta, mask))
        chains.append(chain + model.theta_log_prob(after, theta)[:, 1 - first])
    np.testing.assert_allclose(chains[0], chains[1], atol=2e-5)
    np.testing.assert_allclose(chains[0], joint_log_prob(model, state, theta), atol=2e-5)


def test_predictions_and_the_policy_hear_of_a_known_lengthscale(model, state):
    found = []
    for value in (0.15, 1.9):
        known = condition_on(state, tf.fill([ROWS, 2], value), [False, True])
        found.append(model(known))
    for name in ("target_raw", "candidate_logits"):
        moved = np.abs(found[0][name] - found[1][name])[np.asarray(found[0][name]) > -1e8]
        assert moved.max() > 1e-3, name


def test_the_processes_themselves_are_weighed_anew_and_only_where_something_is_known(model):
    layer = model.gaussian_process_mixture
    processes = layer.weigh(tf.zeros([2, 8]), _two_measurements())
    known = tf.constant([[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, -0.8]])
    after = layer.condition_on(processes, known)
    np.testing.assert_array_equal(after.weight[0], processes.weight[0])
    np.testing.assert_array_equal(after.variance[0], processes.variance[0])
    assert np.abs(after.weight[1] - processes.weight[1]).max() > 1e-3
    assert np.abs(after.variance[1] - processes.variance[1]).max() > 1e-3
    np.testing.assert_allclose(tf.reduce_sum(after.weight, axis=1), 1.0)


def _two_measurements():
    position, value = tf.constant([[[-0.5], [0.5]]] * 2), tf.constant([[1.0, -1.0]] * 2)
    return Observations(position, value, tf.ones([2, 2]))
