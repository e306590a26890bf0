"""Episodes in a loop: nothing twice, nothing masked, and states that can be rebuilt."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_candidate, drop_candidates, extend_context, narrow
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training import rollout as module
from aline_tf.training.rollout import (
    _stretches,
    draw_candidates,
    rollout,
    selected_value,
    states_at,
)

ROWS, POOL, HORIZON, OFFER = 6, 5, 4, 3


@pytest.fixture(scope="module")
def episode():
    """Episodes that start with two context tokens, the first of them masked in half of the rows,
    and with one candidate that is not to be had."""
    start = Psychometric().sample_episodes(draws.as_seed(1), ROWS, POOL + 2)
    state = extend_context(start, 2)
    for slot in range(2):
        state = append_candidate(state, slot, tf.fill([ROWS], POOL + slot))
    state = narrow(state, tf.repeat(tf.range(POOL)[None], ROWS, axis=0))
    state["context_mask"] &= tf.constant([[row % 2 == 0, True] for row in range(ROWS)])
    state["candidate_mask"] &= tf.range(POOL) != 1
    return state


@pytest.fixture(scope="module")
def run(psychometric_model, episode):
    """A compiled rollout (seed, temperature) -> Trajectory, with offers of part of the pool."""
    compiled = tf.function(
        lambda seed, temperature: rollout(
            psychometric_model, episode, seed, HORIZON, OFFER, temperature
        )
    )
    return lambda seed, temperature=1.0: compiled(draws.as_seed(seed), tf.constant(temperature))


def taken(trajectory):
    return tf.gather(trajectory.offered, trajectory.choice[..., None], batch_dims=2)[..., 0].numpy()


def test_no_candidate_is_taken_twice_and_none_that_is_masked(run):
    for seed in range(5):
        for row in taken(run(seed, 3.0)):
            assert sorted(row) == [0, 2, 3, 4]


def test_some_offers_are_drawn_by_their_closeness_to_the_belief():
    rows, pool, offer = 2000, 40, 10
    square = tf.repeat(tf.square(tf.linspace(0.0, 1.0, pool))[None], rows, axis=0)
    remaining = tf.repeat(tf.range(pool)[None] != 3, rows, axis=0)

    def offered(near):
        found = draw_candidates(draws.as_seed(1), remaining, offer, square, near).numpy()
        assert all(len(set(row)) == offer and 3 not in row for row in found)
        return np.bincount(found.ravel(), minlength=pool) / rows

    even, near = offered(0.0), offered(0.7)
    np.testing.assert_allclose(even[[0, 20, 39]], offer / (pool - 1), atol=0.04)
    assert near[0] > 0.95
    # Of three tenths of the offers, at least, the distance does not matter.
    assert near[-1] > 0.3 * offer / pool * 0.8
    assert near[1] > near[10] > near[30]


def test_offers_near_the_belief_rebuild_their_states(psychometric_model, episode):
    trajectory = rollout(
        psychometric_model, episode, draws.as_seed(3), HORIZON, OFFER, 1.0, local_share=0.5
    )
    for row in taken(trajectory):
        assert sorted(row) == [0, 2, 3, 4]


def test_offers_are_distinct_and_hold_whatever_is_left(run):
    trajectory = run(1)
    assert trajectory.offered.shape == (ROWS, HORIZON, OFFER)
    for row in range(ROWS):
        left = {0, 2, 3, 4}
        for t in range(HORIZON):
            offered, available = trajectory.offered[row, t].numpy(), trajectory.available[row, t]
            assert len(set(offered)) == OFFER
            open_offers = set(offered[available.numpy()])
            assert open_offers <= left
            assert len(open_offers) == min(OFFER, len(left))
            left.remove(offered[trajectory.choice[row, t]])


def test_equal_seeds_give_equal_trajectories(run):
    first, again, other = run(3), run(3), run(4)
    for a, b in zip(tf.nest.flatten(first), tf.nest.flatten(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (taken(first) != taken(other)).any()


def test_states_at_rebuilds_what_the_rollout_saw(run, psychometric_model):
    for temperature in (1e-3, 1.0):
        trajectory = run(5, temperature)
        steps = tf.repeat(tf.range(HORIZON)[None], ROWS, axis=0)
        state = states_at(trajectory, steps)
        outputs = psychometric_model(state)
        value = selected_value(psychometric_model, outputs, state)
        np.testing.assert_allclose(
            tf.reshape(value, [ROWS, HORIZON]), trajectory.value[:, :-1], atol=1e-5
        )
        logits = tf.reshape(outputs["candidate_logits"], [ROWS, HORIZON, OFFER]) / temperature
        log_policy = tf.nn.log_softmax(logits)
        entropy = -tf.reduce_sum(tf.exp(log_policy) * tf.maximum(log_policy, -50.0), -1)
        np.testing.assert_allclose(entropy, trajectory.entropy, atol=1e-2 / temperature**0.2)
        np.testing.assert_array_equal(
            tf.reshape(state["candidate_mask"], [ROWS, HORIZON, OFFER]), trajectory.available
        )


@pytest.mark.parametrize(("horizon", "loops"), [(4, 1), (19, 1), (20, 3), (31, 3)])
def test_loops_meet_end_to_end(horizon, loops):
    stretches = _stretches(2, horizon)
    assert len(stretches) == loops
    assert stretches[0][0] == 0 and stretches[-1][1] == horizon
    assert all(one[1] == other[0] for one, other in pairwise(stretches))


def test_a_rollout_in_several_loops_is_the_same(run, psychometric_model, episode, monkeypatch):
    monkeypatch.setattr(module, "_LONG", HORIZON)
    assert len(_stretches(2, HORIZON)) == 3
    several = rollout(psychometric_model, episode, draws.as_seed(5), HORIZON, OFFER, 1.0)
    for a, b in zip(tf.nest.flatten(run(5)), tf.nest.flatten(several), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_cold_policy_takes_the_best_of_what_is_offered(run, psychometric_model):
    trajectory = run(6, 0.0)
    steps = tf.repeat(tf.range(HORIZON)[None], ROWS, axis=0)
    logits = psychometric_model(states_at(trajectory, steps))["candidate_logits"]
    best = tf.reshape(tf.argmax(logits, axis=1), [ROWS, HORIZON])
    np.testing.assert_array_equal(best, trajectory.choice)


def test_the_state_after_the_last_step_has_the_whole_context(run, psychometric_model):
    trajectory = run(7)
    state = drop_candidates(states_at(trajectory, tf.fill([ROWS, 1], HORIZON)))
    value = selected_value(psychometric_model, psychometric_model(state), state)
    np.testing.assert_allclose(value, trajectory.value[:, -1], atol=1e-5)
    np.testing.assert_array_equal(state["context_mask"], trajectory.episode["context_mask"])


def test_what_was_taken_is_what_stands_in_the_context(run, episode):
    trajectory = run(8)
    for context, source in (
        ("context_design", "candidate_design"),
        ("context_outcome", "candidate_outcome"),
        ("context_status", "candidate_status"),
    ):
        acquired = tf.gather(episode[source], taken(trajectory), batch_dims=1)
        np.testing.assert_array_equal(trajectory.episode[context][:, 2:], acquired)
        np.testing.assert_array_equal(trajectory.episode[context][:, :2], episode[context])


def test_states_come_row_by_row_in_the_order_asked_for(run):
    trajectory = run(9)
    steps = tf.constant([[2, 0]] * ROWS)
    seen = tf.reduce_sum(tf.cast(states_at(trajectory, steps)["context_mask"], tf.int32), axis=1)
    start = np.array([2, 1] * (ROWS // 2))
    np.testing.assert_array_equal(seen, np.stack([start + 2, start], axis=1).ravel())


def test_policies_of_every_temperature_visit_the_same_pool_at_full_offer(
    psychometric_model, episode
):
    trajectory = rollout(psychometric_model, episode, draws.as_seed(1), 2, POOL, 1.0)
    np.testing.assert_array_equal(trajectory.offered, np.tile(range(POOL), (ROWS, 2, 1)))


def test_a_horizon_longer_than_the_pool_is_refused(psychometric_model, episode):
    with pytest.raises(ValueError, match="horizon=6, pool=5"):
        rollout(psychometric_model, episode, draws.as_seed(1), 6, POOL, 1.0)


def test_a_row_whose_pool_runs_out_acquires_nothing_more(psychometric_model, episode):
    few = dict(episode, candidate_mask=tf.constant([[True, False, False, True, False]] * ROWS))
    trajectory = rollout(psychometric_model, few, draws.as_seed(2), 3, POOL, 1.0)
    added = trajectory.episode["context_mask"][:, 2:].numpy()
    np.testing.assert_array_equal(added, [[True, True, False]] * ROWS)
    np.testing.assert_array_equal(np.sort(taken(trajectory)[:, :2]), [[0, 3]] * ROWS)
    np.testing.assert_allclose(trajectory.value[:, 2], trajectory.value[:, 3], atol=1e-5)


def test_rewards_carry_no_gradient(psychometric_model, episode):
    with tf.GradientTape() as tape:
        trajectory = rollout(psychometric_model, episode, draws.as_seed(1), 1, POOL, 1.0)
        total = tf.reduce_sum(trajectory.value) + tf.reduce_sum(trajectory.entropy)
    gradients = tape.gradient(total, [v.value for v in psychometric_model.trainable_variables])
    assert gradients == [None] * len(gradients)


def test_the_value_counts_selected_recorded_unknown_targets_only(psychometric_model, episode):
    state = dict(
        episode,
        theta_mask=tf.constant([[True, True, True, False]] * ROWS),
        theta_observed=tf.constant([[True, False, True, True]] * ROWS),
        known_mask=tf.constant([[False, False, True, False]] * ROWS),
        target_mask=tf.zeros_like(episode["target_mask"]),
    )
    outputs = psychometric_model(state)
    log_prob = psychometric_model.theta_log_prob(outputs, state["theta"])
    value = selected_value(psychometric_model, outputs, state)
    np.testing.assert_allclose(value, log_prob[:, 0], rtol=1e-5)
    nothing = dict(state, theta_mask=tf.zeros([ROWS, 4], tf.bool))
    np.testing.assert_array_equal(selected_value(psychometric_model, outputs, nothing), 0.0)
    predicted = dict(nothing, target_mask=tf.ones_like(state["target_mask"]))
    target = psychometric_model.target_log_prob(outputs, state, state["target_outcome"])
    value = selected_value(psychometric_model, outputs, predicted)
    np.testing.assert_allclose(value, tf.reduce_mean(target, axis=1), rtol=1e-5)
