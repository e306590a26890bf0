"""A posterior that is one mixture of products: its conditionals, orders and draws agree, on a
network nobody trained."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import empty_batch
from aline_tf.batch_ops import append_pool, condition_on, drop_candidates
from aline_tf.models.aline import ALINE
from aline_tf.models.distributions.theta_posterior import ThetaPosterior
from aline_tf.models.joint import joint_log_prob, sample_joint
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.inference import loss_at_states
from aline_tf.training.recipe import Recipe
from tests.seeds import seed_weights

ROWS, ANSWERS = 3, 6
NAMES = Psychometric.spec.parameter_names


@pytest.fixture(scope="module")
def network():
    seed_weights(2)
    model = ALINE(
        Psychometric.spec,
        hidden_dim=8,
        num_layers=2,
        num_heads=2,
        intermediate_dim=8,
        relative_position_dim=4,
        evidence_dim=4,
        joint_components=5,
    )
    model(empty_batch(Psychometric.spec.sizes | {"C": 1, "M": 1, "N": 1}))
    # Layers that begin as nothing would hide what they read.
    for index, weight in enumerate(model.weights):
        noise = tf.random.stateless_normal(weight.shape, [3, index], stddev=0.3)
        weight.assign_add(noise)
    return model


@pytest.fixture(scope="module")
def state():
    episode = Psychometric().sample_episodes(draws.as_seed(5), ROWS, ANSWERS + 2)
    taken = tf.tile(tf.range(ANSWERS + 2)[None] < ANSWERS, [ROWS, 1])
    return append_pool(episode, taken)


def test_every_order_of_the_chain_is_the_joint(network, state):
    theta = state["theta"]
    direct = joint_log_prob(network, state, theta)
    assert np.ptp(direct) > 0.01
    found = {}
    for order in itertools.permutations(NAMES):
        chain, known = 0.0, state
        for place, name in enumerate(order):
            mask = tf.constant(network.spec.parameter_mask([name]))
            # What is known is the same in whichever order it became so: a pass for each set.
            before = frozenset(order[:place])
            if before not in found:
                found[before] = network.theta_log_prob(network(known), theta)
            chain += tf.reduce_sum(tf.where(mask, found[before], 0.0), axis=1)
            known = condition_on(known, theta, mask)
        np.testing.assert_allclose(chain, direct, atol=2e-5)


def test_a_known_value_moves_the_others_as_bayes_rule_does(network, state):
    plain = network.theta_posterior(network(state))
    known = condition_on(state, tf.fill([ROWS, 4], 0.4), [False, False, True, False])
    told = network.theta_posterior(network(known))
    theta = tf.where([False, False, True, False], 0.4, state["theta"])
    pair = plain.joint_log_prob(theta, tf.constant([True, False, True, False]))
    alone = plain.log_prob(theta)[:, 2]
    np.testing.assert_allclose(told.log_prob(theta)[:, 0], pair - alone, atol=2e-5)
    # And it is no small thing that is compared.
    assert np.abs(told.log_prob(theta)[:, 0] - plain.log_prob(theta)[:, 0]).max() > 1e-3


def test_predictions_and_the_policy_see_what_is_known(network, state):
    batch = state | {
        "target_design": tf.ones([ROWS, 1, 1]),
        "target_mask": tf.ones([ROWS, 1], tf.bool),
    }
    found = []
    for value in (0.2, 0.8):
        known = condition_on(batch, tf.fill([ROWS, 4], value), [False, False, True, False])
        found.append(network(known))
    for name in ("target_raw", "candidate_logits"):
        assert np.abs(found[0][name] - found[1][name]).max() > 1e-3, name
    count = network.theta_components
    np.testing.assert_array_equal(
        found[0]["theta_raw"][..., count:], found[1]["theta_raw"][..., count:]
    )


def test_draws_are_of_one_component_at_a_time():
    """Two components in opposite corners: draws go together, and no draw stands in the others."""
    corners = tf.constant([[-3.0, 3.0], [3.0, -3.0]])
    raw = tf.concat([tf.zeros([2, 2]), corners, tf.fill([2, 2], -3.0), tf.zeros([2, 1])], axis=1)
    parameters, shape = Psychometric.spec.parameters[:2], [5000, 2]
    posterior = ThetaPosterior(parameters, raw, 2, joint=True)
    seeds = draws.split(draws.as_seed(1), 3)
    theta = posterior.from_uniform(*(draws.uniform(seed, shape) for seed in seeds))
    assert np.corrcoef(theta, rowvar=False)[0, 1] < -0.95
    both = tf.constant([True, True])
    entropy = -np.mean(posterior.joint_log_prob(theta, both))
    apart = -np.mean(tf.reduce_sum(posterior.log_prob(theta), axis=1))
    # One bit is shared.
    np.testing.assert_allclose(apart - entropy, np.log(2.0), atol=0.01)


def test_a_subset_is_drawn_and_the_rest_left(network, state):
    theta = sample_joint(network, state, draws.as_seed(1), ["slope"])
    np.testing.assert_array_equal(theta[:, 0], 0.0)
    assert (np.asarray(theta[:, 1]) > 0).all()


def test_the_loss_knows_the_joint(network, state):
    """Of parameters that go together: one component for each corner teaches it, marginals do
    not."""
    recipe, states = Recipe(), drop_candidates(state)
    outputs = network(states)
    loss = loss_at_states(network, Psychometric(), recipe, outputs, states, draws.as_seed(1))
    posterior = network.theta_posterior(outputs)
    marginal = tf.reduce_mean(posterior.log_prob(states["theta"]))
    joint = tf.reduce_mean(joint_log_prob(network, states, states["theta"])) / 4.0
    outcomes = network.target_log_prob(outputs, states, states["target_outcome"])
    expected = -(marginal + joint + tf.reduce_mean(outcomes))
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_tasks_that_it_cannot_tell_are_refused():
    with pytest.raises(ValueError, match=r"evidence_dim=0.*interval"):
        ALINE(Psychometric.spec, joint_components=4)
    binary = dataclasses.replace(Psychometric.spec.parameters[0], kind="binary", axis=None)
    spec = dataclasses.replace(Psychometric.spec, parameters=(binary,))
    with pytest.raises(ValueError, match="interval or real parameters"):
        ALINE(spec, joint_components=4, evidence_dim=8)


def test_it_is_saved_and_restored(network, state, tmp_path):
    network.save_to_preset(tmp_path)
    again = ALINE.from_preset(tmp_path)
    np.testing.assert_allclose(again(state)["theta_raw"], network(state)["theta_raw"], atol=1e-6)
