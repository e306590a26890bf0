"""Losses of the policy against values worked out by hand."""

import numpy as np
import tensorflow as tf

from aline_tf.training import policy_losses


def test_policy_loss_is_a_weighted_mean_without_gradient_to_the_advantage():
    log_prob, advantage = tf.constant([-1.0, -2.0, -4.0]), tf.constant([3.0, -1.0, 100.0])
    weight = tf.constant([1.0, 2.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch([log_prob, advantage])
        loss = policy_losses.policy_loss(log_prob, advantage, weight)
    np.testing.assert_allclose(loss, -(3.0 * -1.0 + 2.0 * -1.0 * -2.0) / 3.0, rtol=1e-6)
    to_log_prob, to_advantage = tape.gradient(loss, [log_prob, advantage])
    np.testing.assert_allclose(to_log_prob, [-1.0, 2.0 / 3.0, 0.0], rtol=1e-6)
    assert to_advantage is None


def test_policy_loss_of_nothing_is_zero():
    zero = tf.zeros([2])
    assert policy_losses.policy_loss(zero - 1.0, zero + 1.0, zero) == 0.0


def test_imitation_loss_is_the_cross_entropy_from_a_softmax_of_relative_gains():
    logits = tf.constant([[0.0, 1.0, 50.0]])
    gain = tf.constant([[0.1, 0.2, 7.0]])
    allowed = tf.constant([[True, True, False]])
    teacher = np.exp([1.5, 3.0]) / np.exp([1.5, 3.0]).sum()
    log_policy = np.array([0.0, 1.0]) - np.log(1.0 + np.e)
    loss = policy_losses.imitation_loss(logits, gain, allowed, inverse_temperature=3.0)
    np.testing.assert_allclose(loss, [-(teacher * log_policy).sum()], rtol=1e-5)


def test_imitation_pulls_towards_the_teacher_and_stops_there():
    gain = tf.constant([[0.1, 0.2, 0.4]])
    allowed = tf.ones([1, 3], tf.bool)
    same = 3.0 * gain / 0.4
    for logits, still in ((same, True), (tf.zeros([1, 3]), False)):
        with tf.GradientTape() as tape:
            tape.watch([logits, gain])
            loss = policy_losses.imitation_loss(logits, gain, allowed, 3.0)
        to_logits, to_gain = tape.gradient(loss, [logits, gain])
        assert (np.abs(to_logits).max() < 1e-6) == still
        assert to_gain is None
    assert to_logits[0, 2] < 0.0 < to_logits[0, 0]


def test_imitation_of_no_gain_at_all_is_uniform_and_finite():
    allowed = tf.constant([[True, True, False]])
    loss = policy_losses.imitation_loss(tf.zeros([1, 3]), tf.zeros([1, 3]), allowed, 15.0)
    np.testing.assert_allclose(loss, [np.log(2.0)], rtol=1e-5)


def test_all_action_loss_has_the_gradient_of_the_expected_gain():
    logits = tf.constant([[0.3, -0.2, 0.9, 4.0]])
    gain = tf.constant([[1.0, 2.0, -0.5, 99.0]])
    allowed = tf.constant([[True, True, True, False]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        loss = policy_losses.all_action_loss(logits, gain, allowed)
        expected = -tf.reduce_sum(tf.nn.softmax(logits[:, :3]) * gain[:, :3])
    np.testing.assert_allclose(
        tape.gradient(loss, logits), tape.gradient(expected, logits), atol=1e-6
    )
    np.testing.assert_allclose(loss, [0.0], atol=1e-6)  # centred


def test_all_action_loss_sends_nothing_to_the_gain():
    gain = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(gain)
        loss = policy_losses.all_action_loss(tf.zeros([1, 2]), gain, tf.ones([1, 2], tf.bool))
    assert tape.gradient(loss, gain) is None
