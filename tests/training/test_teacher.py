"""Information gains against a grid, counterfactual gains against doing it by hand."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.rollout import append_candidate, extend_context, selected_value
from aline_tf.training.rollout import without_candidates as alone
from aline_tf.training.teacher import counterfactual_gain, information_gain

TRIALS = np.array([[-1.0, 0.0], [1.0, 1.0], [0.2, 1.0], [-3.0, 0.0]], np.float32)
POOL = np.array([-4.0, -1.0, 0.0, 0.7, 4.5], np.float32)
ROWS = 3  # after threshold and slope; after guess and lapse; the latter with the guess known
GUESS = 0.6
DRAWS = 160


@pytest.fixture(scope="module")
def task():
    return Psychometric()


@pytest.fixture(scope="module")
def state(task):
    episode = task.sample_episodes(draws.as_seed(3), ROWS, len(POOL))
    state = extend_context(episode, len(TRIALS) + 1)
    seen = np.zeros([ROWS, len(TRIALS) + 1, 2], np.float32)
    seen[:, :-1] = TRIALS
    pairs = [[True, True, False, False], [False, False, True, True], [False, False, True, True]]
    return state | {
        "context_design": tf.constant(seen[..., :1]),
        "context_outcome": tf.constant(seen[..., 1:]),
        "context_status": tf.ones([ROWS, len(TRIALS) + 1, 1], tf.int32),
        "context_mask": tf.constant([[True] * len(TRIALS) + [False]] * ROWS),
        "candidate_design": tf.constant(np.tile(POOL[None, :, None], (ROWS, 1, 1))),
        "theta_mask": tf.constant(pairs),
        "known_mask": tf.constant([[False] * 4, [False] * 4, [False, False, True, False]]),
        "known_theta": tf.constant([[0.0, 0.0, GUESS, 0.0]] * ROWS),
    }


@pytest.fixture(scope="module")
def gain(task, state, psychometric_network):
    beliefs = psychometric_network.theta_posterior(psychometric_network(state))
    compiled = tf.function(
        lambda seed: information_gain(task, beliefs, state, seed, draws_each=DRAWS)
    )
    return np.stack([compiled(draws.as_seed(seed)) for seed in range(8)])


def exact_gain(selected, guess=None):
    """By enumeration of a grid of midpoints, in float64 numpy."""
    sizes, bounds = (48, 32, 12, 12), ((-3, 3), (0.1, 2), (0.1, 0.9), (0, 0.5))
    axes = [
        low + (high - low) * (np.arange(size) + 0.5) / size
        for size, (low, high) in zip(sizes, bounds, strict=True)
    ]
    if guess is not None:
        axes[2] = np.array([guess])
    threshold, slope, guess, lapse = np.meshgrid(*axes, indexing="ij", sparse=True)

    def yes(x):
        transition = 1 - np.exp(-(10.0 ** np.clip((x - threshold) / slope, -12, 2)))
        return guess * lapse + (1 - lapse) * transition

    weight = np.ones([len(axis) for axis in axes])
    for x, y in TRIALS:
        weight *= yes(x) if y else 1 - yes(x)
    weight /= weight.sum()
    rest = tuple(axis for axis in range(4) if axis not in selected)

    def entropy(p):
        return -(p * np.log(p) + (1 - p) * np.log1p(-p))

    outer = weight.sum(axis=rest)
    gains = []
    for x in POOL:
        conditional = (weight * yes(x)).sum(axis=rest) / outer
        gains.append(entropy((outer * conditional).sum()) - (outer * entropy(conditional)).sum())
    return np.array(gains)


def test_information_gain_is_that_of_an_exact_grid(gain):
    exact = np.stack([exact_gain((0, 1)), exact_gain((2, 3)), exact_gain((2, 3), guess=GUESS)])
    assert exact.max() > 0.05  # there is something to be wrong about
    error = gain.std(axis=0) / np.sqrt(len(gain))
    assert error.max() < 0.01
    assert (np.abs(gain.mean(axis=0) - exact) < 0.002 + 4 * error).all()
    choice = gain.mean(axis=0).argmax(axis=1)
    assert (exact.max(axis=1) - exact[range(ROWS), choice] < 0.003).all()


def test_information_gains_are_never_negative(gain):
    assert (gain >= 0.0).all()


def test_nothing_is_to_be_gained_about_what_is_known(task, state, psychometric_network):
    known = state | {"known_mask": state["theta_mask"], "known_theta": state["theta"]}
    beliefs = psychometric_network.theta_posterior(psychometric_network(known))
    nothing = information_gain(task, beliefs, known, draws.as_seed(1), draws_each=20)
    np.testing.assert_allclose(nothing, 0.0, atol=2e-6)


def test_padding_in_the_history_changes_nothing(task, state, psychometric_network):
    beliefs = psychometric_network.theta_posterior(psychometric_network(state))
    seed = draws.as_seed(2)
    before = information_gain(task, beliefs, state, seed, draws_each=10)
    other = state | {"context_design": state["context_design"] + [[[0.0]] * 4 + [[2.5]]]}
    after = information_gain(task, beliefs, other, seed, draws_each=10)
    np.testing.assert_array_equal(before, after)


def test_counterfactual_gain_is_what_acquiring_the_candidate_brings(state, psychometric_network):
    network = psychometric_network
    tried = tf.constant([[0, 3], [4, 1], [2, 2]])
    gain = counterfactual_gain(network, state, tried, price=0.25).numpy()
    here = alone(state)
    before = selected_value(network, network(here), here).numpy()
    for k in range(2):
        after = alone(append_candidate(state, len(TRIALS), tried[:, k]))
        assert after["context_mask"].numpy().all()
        value = selected_value(network, network(after), after).numpy()
        np.testing.assert_allclose(gain[:, k], value - before - 0.25, atol=1e-5)
    np.testing.assert_allclose(gain[2, 0], gain[2, 1], atol=1e-6)
