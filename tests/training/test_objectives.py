"""Losses and credit against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.training import objectives

VALUE_T = tf.constant([[-3.0, -1.0, -2.0], [-2.0, -2.0, 0.0]])


def test_reward_to_go_is_the_last_value_minus_the_one_before_the_step():
    return_t = objectives.reward_to_go(VALUE_T, tf.ones([2, 2]))
    np.testing.assert_allclose(return_t, [[1.0, -1.0], [2.0, 2.0]])


def test_reward_to_go_pays_for_what_is_still_to_be_acquired():
    cost_t = tf.constant([[1.0, 3.0], [0.0, 2.0]])
    return_t = objectives.reward_to_go(VALUE_T, cost_t, price=0.5)
    np.testing.assert_allclose(return_t, [[1.0 - 2.0, -1.0 - 1.5], [2.0 - 1.0, 2.0 - 1.0]])


def test_own_step_credit_is_the_step_s_own_gain_discounted():
    plain = objectives.own_step_credit(VALUE_T, 0.5, clamp=False, standardise=False)
    np.testing.assert_allclose(plain, [[2.0, -0.5], [0.0, 1.0]])
    clamped = objectives.own_step_credit(VALUE_T, 0.5, standardise=False)
    np.testing.assert_allclose(clamped, [[2.0, 0.0], [0.0, 1.0]])


def test_own_step_credit_is_standardised_step_by_step():
    standard = objectives.own_step_credit(VALUE_T)
    np.testing.assert_allclose(standard, [[1.0, -1.0], [-1.0, 1.0]], atol=1e-5)


def test_without_discount_and_clamp_own_steps_add_up_to_the_reward_to_go():
    own = objectives.own_step_credit(VALUE_T, clamp=False, standardise=False)
    to_go = objectives.reward_to_go(VALUE_T, tf.zeros([2, 2]))
    np.testing.assert_allclose(tf.cumsum(own, axis=1, reverse=True), to_go, atol=1e-6)


def test_against_group_compares_each_row_with_the_others_of_its_group():
    return_t = tf.constant([[1.0], [2.0], [6.0], [10.0], [10.0], [40.0]])
    advantage = objectives.against_group(return_t, 3)
    expected = [1.0 - 4.0, 2.0 - 3.5, 6.0 - 1.5, 10.0 - 25.0, 10.0 - 25.0, 40.0 - 10.0]
    np.testing.assert_allclose(advantage[:, 0], expected, atol=1e-5)
    grouped = tf.reshape(advantage, [2, 3])
    np.testing.assert_allclose(tf.reduce_mean(grouped, axis=1), 0.0, atol=1e-5)


def test_a_group_of_one_is_compared_with_the_batch():
    return_t = tf.constant([[1.0, 0.0], [3.0, 2.0]])
    np.testing.assert_allclose(objectives.against_group(return_t, 1), [[-1.0, -1.0], [1.0, 1.0]])


def test_the_group_s_baseline_never_contains_the_row_itself():
    before = tf.constant([[1.0], [2.0], [6.0]])
    after = tf.constant([[5.0], [2.0], [6.0]])
    change = objectives.against_group(after, 3) - objectives.against_group(before, 3)
    np.testing.assert_allclose(change[:, 0], [4.0, -2.0, -2.0], atol=1e-6)


def test_against_state_takes_off_what_the_state_foretold():
    generator = np.random.default_rng(0)
    # What lasts of luck: all of it at the first step, none at the second, half at the third.
    lasting = np.array([1.0, 0.0, 0.5])
    luck, skill = generator.normal(size=(2, 400, 3))
    value = tf.constant(5.0 + luck, tf.float32)
    advantage = objectives.against_group(tf.constant(lasting * luck + 0.1 * skill, tf.float32), 4)
    left = objectives.against_state(advantage, value, 4).numpy()
    expected = objectives.against_group(tf.constant(0.1 * skill, tf.float32), 4).numpy()
    np.testing.assert_allclose(left, expected, atol=0.1)
    assert (left.std(axis=0) < 0.15).all()


def test_the_slope_of_a_group_is_that_of_the_others():
    generator = np.random.default_rng(1)
    advantage, value = (
        tf.constant(generator.normal(size=(9, 2)), tf.float32) for _ in ("advantage", "value")
    )
    advantage = objectives.against_group(advantage, 3)
    plain = objectives.against_state(advantage, value, 3).numpy()
    first = tf.constant([[1.0]] * 3 + [[0.0]] * 6)
    more = objectives.against_state(advantage + first * advantage, value, 3).numpy()
    # Twice the advantages: the first group's slope stays, the others' does not.
    np.testing.assert_allclose(more[:3] - plain[:3], advantage[:3], rtol=1e-5)
    assert np.abs(more[3:] - plain[3:]).max() > 1e-3


def test_one_group_alone_has_no_slope():
    advantage = tf.constant([[1.0], [-1.0]])
    np.testing.assert_array_equal(objectives.against_state(advantage, advantage, 2), advantage)


def test_policy_loss_is_a_weighted_mean_without_gradient_to_the_advantage():
    log_prob, advantage = tf.constant([-1.0, -2.0, -4.0]), tf.constant([3.0, -1.0, 100.0])
    weight = tf.constant([1.0, 2.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch([log_prob, advantage])
        loss = objectives.policy_loss(log_prob, advantage, weight)
    np.testing.assert_allclose(loss, -(3.0 * -1.0 + 2.0 * -1.0 * -2.0) / 3.0, rtol=1e-6)
    to_log_prob, to_advantage = tape.gradient(loss, [log_prob, advantage])
    np.testing.assert_allclose(to_log_prob, [-1.0, 2.0 / 3.0, 0.0], rtol=1e-6)
    assert to_advantage is None


def test_policy_loss_of_nothing_is_zero():
    zero = tf.zeros([2])
    assert objectives.policy_loss(zero - 1.0, zero + 1.0, zero) == 0.0


def test_imitation_loss_is_the_cross_entropy_from_a_softmax_of_relative_gains():
    logits = tf.constant([[0.0, 1.0, 50.0]])
    gain = tf.constant([[0.1, 0.2, 7.0]])
    allowed = tf.constant([[True, True, False]])
    teacher = np.exp([1.5, 3.0]) / np.exp([1.5, 3.0]).sum()
    log_policy = np.array([0.0, 1.0]) - np.log(1.0 + np.e)
    loss = objectives.imitation_loss(logits, gain, allowed, sharpness=3.0)
    np.testing.assert_allclose(loss, [-(teacher * log_policy).sum()], rtol=1e-5)


def test_imitation_pulls_towards_the_teacher_and_stops_there():
    gain = tf.constant([[0.1, 0.2, 0.4]])
    allowed = tf.ones([1, 3], tf.bool)
    same = 3.0 * gain / 0.4
    for logits, still in ((same, True), (tf.zeros([1, 3]), False)):
        with tf.GradientTape() as tape:
            tape.watch([logits, gain])
            loss = objectives.imitation_loss(logits, gain, allowed, 3.0)
        to_logits, to_gain = tape.gradient(loss, [logits, gain])
        assert (np.abs(to_logits).max() < 1e-6) == still
        assert to_gain is None
    assert to_logits[0, 2] < 0.0 < to_logits[0, 0]


def test_imitation_of_no_gain_at_all_is_uniform_and_finite():
    allowed = tf.constant([[True, True, False]])
    loss = objectives.imitation_loss(tf.zeros([1, 3]), tf.zeros([1, 3]), allowed, 15.0)
    np.testing.assert_allclose(loss, [np.log(2.0)], rtol=1e-5)


def test_all_action_loss_has_the_gradient_of_the_expected_gain():
    logits = tf.constant([[0.3, -0.2, 0.9, 4.0]])
    gain = tf.constant([[1.0, 2.0, -0.5, 99.0]])
    allowed = tf.constant([[True, True, True, False]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        loss = objectives.all_action_loss(logits, gain, allowed)
        expected = -tf.reduce_sum(tf.nn.softmax(logits[:, :3]) * gain[:, :3])
    np.testing.assert_allclose(
        tape.gradient(loss, logits), tape.gradient(expected, logits), atol=1e-6
    )
    np.testing.assert_allclose(loss, [0.0], atol=1e-6)  # centred


def test_all_action_loss_sends_nothing_to_the_gain():
    gain = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(gain)
        loss = objectives.all_action_loss(tf.zeros([1, 2]), gain, tf.ones([1, 2], tf.bool))
    assert tape.gradient(loss, gain) is None


def test_inference_loss_averages_over_what_is_recorded():
    theta = tf.constant([[-1.0, -5.0], [-3.0, -7.0]])
    theta_weight = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    target, target_weight = tf.constant([[-4.0], [-8.0]]), tf.constant([[0.0], [1.0]])
    loss = objectives.inference_loss(theta, theta_weight, target, target_weight)
    np.testing.assert_allclose(loss, 2.0 + 8.0)
    empty = tf.zeros([2, 0])
    np.testing.assert_allclose(objectives.inference_loss(theta, theta_weight, empty, empty), 2.0)


@pytest.mark.parametrize(
    ("start", "end", "fraction", "expected"),
    [
        (1.0, 0.25, 0.0, 1.0),
        (1.0, 0.25, 0.5, 0.5),
        (1.0, 0.25, 1.0, 0.25),
        (1.0, 0.25, 7.0, 0.25),
        (1.0, 0.25, -7.0, 1.0),
        (1.0, 0.0, 0.25, 0.75),
        (0.0, 2.0, 0.25, 0.5),
        (0.0, 0.0, 0.5, 0.0),
    ],
)
def test_anneal(start, end, fraction, expected):
    np.testing.assert_allclose(objectives.anneal(start, end, fraction), expected, rtol=1e-6)
