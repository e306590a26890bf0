"""Credit against values worked out by hand."""

import numpy as np
import tensorflow as tf

from aline_tf.training import credit

VALUE_T = tf.constant([[-3.0, -1.0, -2.0], [-2.0, -2.0, 0.0]])


def test_reward_to_go_is_the_last_value_minus_the_one_before_the_step():
    return_t = credit.reward_to_go(VALUE_T, tf.ones([2, 2]))
    np.testing.assert_allclose(return_t, [[1.0, -1.0], [2.0, 2.0]])


def test_reward_to_go_pays_for_what_is_still_to_be_acquired():
    cost_t = tf.constant([[1.0, 3.0], [0.0, 2.0]])
    return_t = credit.reward_to_go(VALUE_T, cost_t, cost_weight=0.5)
    np.testing.assert_allclose(return_t, [[1.0 - 2.0, -1.0 - 1.5], [2.0 - 1.0, 2.0 - 1.0]])


def test_immediate_reward_is_the_step_s_own_gain_discounted():
    plain = credit.immediate_reward(VALUE_T, 0.5, clamp=False, standardise=False)
    np.testing.assert_allclose(plain, [[2.0, -0.5], [0.0, 1.0]])
    clamped = credit.immediate_reward(VALUE_T, 0.5, standardise=False)
    np.testing.assert_allclose(clamped, [[2.0, 0.0], [0.0, 1.0]])


def test_immediate_reward_is_standardised_step_by_step():
    standard = credit.immediate_reward(VALUE_T)
    np.testing.assert_allclose(standard, [[1.0, -1.0], [-1.0, 1.0]], atol=1e-5)


def test_without_discount_and_clamp_own_steps_add_up_to_the_reward_to_go():
    own = credit.immediate_reward(VALUE_T, clamp=False, standardise=False)
    to_go = credit.reward_to_go(VALUE_T, tf.zeros([2, 2]))
    np.testing.assert_allclose(tf.cumsum(own, axis=1, reverse=True), to_go, atol=1e-6)


def test_leave_one_out_advantage_compares_each_row_with_the_others_of_its_group():
    return_t = tf.constant([[1.0], [2.0], [6.0], [10.0], [10.0], [40.0]])
    advantage = credit.leave_one_out_advantage(return_t, 3)
    expected = [1.0 - 4.0, 2.0 - 3.5, 6.0 - 1.5, 10.0 - 25.0, 10.0 - 25.0, 40.0 - 10.0]
    np.testing.assert_allclose(advantage[:, 0], expected, atol=1e-5)
    grouped = tf.reshape(advantage, [2, 3])
    np.testing.assert_allclose(tf.reduce_mean(grouped, axis=1), 0.0, atol=1e-5)


def test_a_group_of_one_is_compared_with_the_batch():
    return_t = tf.constant([[1.0, 0.0], [3.0, 2.0]])
    np.testing.assert_allclose(
        credit.leave_one_out_advantage(return_t, 1), [[-1.0, -1.0], [1.0, 1.0]]
    )


def test_the_group_s_baseline_never_contains_the_row_itself():
    before = tf.constant([[1.0], [2.0], [6.0]])
    after = tf.constant([[5.0], [2.0], [6.0]])
    change = credit.leave_one_out_advantage(after, 3) - credit.leave_one_out_advantage(before, 3)
    np.testing.assert_allclose(change[:, 0], [4.0, -2.0, -2.0], atol=1e-6)


def test_state_control_variate_takes_off_what_the_state_predicted():
    generator = np.random.default_rng(0)
    # What lasts of luck: all of it at the first step, none at the second, half at the third.
    lasting = np.array([1.0, 0.0, 0.5])
    luck, skill = generator.normal(size=(2, 400, 3))
    value = tf.constant(5.0 + luck, tf.float32)
    advantage = credit.leave_one_out_advantage(
        tf.constant(lasting * luck + 0.1 * skill, tf.float32), 4
    )
    left = credit.state_control_variate(advantage, value, 4).numpy()
    expected = credit.leave_one_out_advantage(tf.constant(0.1 * skill, tf.float32), 4).numpy()
    np.testing.assert_allclose(left, expected, atol=0.1)
    assert (left.std(axis=0) < 0.15).all()


def test_the_slope_of_a_group_is_that_of_the_others():
    generator = np.random.default_rng(1)
    advantage, value = (
        tf.constant(generator.normal(size=(9, 2)), tf.float32) for _ in ("advantage", "value")
    )
    advantage = credit.leave_one_out_advantage(advantage, 3)
    plain = credit.state_control_variate(advantage, value, 3).numpy()
    first = tf.constant([[1.0]] * 3 + [[0.0]] * 6)
    more = credit.state_control_variate(advantage + first * advantage, value, 3).numpy()
    # Twice the advantages: the first group's slope stays, the others' does not.
    np.testing.assert_allclose(more[:3] - plain[:3], advantage[:3], rtol=1e-5)
    assert np.abs(more[3:] - plain[3:]).max() > 1e-3


def test_one_group_alone_has_no_slope():
    advantage = tf.constant([[1.0], [-1.0]])
    np.testing.assert_array_equal(credit.state_control_variate(advantage, advantage, 2), advantage)
