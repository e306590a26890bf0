"""Information gains against grids and closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from aline_tf import draws
from aline_tf.experiments.location_finding import location_grid
from aline_tf.information.expected_gain import information_gain, selects_all
from aline_tf.models.distributions.theta_posterior import ThetaPosterior, raw_bias
from aline_tf.tasks.location_finding import NOISE, LocationFinding, log_intensity
from aline_tf.tasks.psychometric import Psychometric
from tests.information.linear_task import (
    Linear,
    LinearWithMoments,
    linear_state,
    normal_posterior,
    posterior_moments,
)
from tests.information.linear_task import exact_gain as linear_gain
from tests.information.psychometric_state import GUESS, POOL, ROWS, TRIALS, psychometric_state

DRAWS = 160


@pytest.fixture(scope="module")
def task():
    return Psychometric()


@pytest.fixture(scope="module")
def state():
    return psychometric_state()


@pytest.fixture(scope="module")
def gain(task, state, psychometric_model):
    posterior = psychometric_model.theta_posterior(psychometric_model(state))
    compiled = tf.function(
        lambda seed: information_gain(task, posterior, state, seed, num_draws=DRAWS)
    )
    return np.stack([compiled(draws.as_seed(seed)) for seed in range(8)])


def posterior_grid(guess=None):
    """Posterior mass on a grid of midpoints after TRIALS, in float64 numpy, and P(yes) there."""
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
    return weight / weight.sum(), yes


def exact_gain(selected, guess=None):
    """By enumeration."""
    weight, yes = posterior_grid(guess)
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


def exact_prediction_gain(wanted, guess=None):
    """I(y*; y | D) of the answers at `wanted` and at each candidate, by enumeration."""
    weight, yes = posterior_grid(guess)
    gains = np.zeros(len(POOL))
    for place, x in enumerate(POOL):
        for a in (yes(wanted), 1 - yes(wanted)):
            for b in (yes(x), 1 - yes(x)):
                joint, first, second = ((weight * part).sum() for part in (a * b, a, b))
                gains[place] += joint * np.log(joint / (first * second))
    return gains


@pytest.mark.parametrize("wanted", [-2.0, 0.3, 3.0])
def test_what_an_answer_tells_about_another_is_that_of_an_exact_grid(
    task, state, psychometric_model, wanted
):
    """Of a row that is after one prediction; a padded target that is not selected has no say."""
    designs = tf.constant([[[wanted], [99.0]]] * ROWS, tf.float32)
    after = state | {
        "theta_mask": tf.zeros_like(state["theta_mask"]),
        "target_design": designs,
        "target_mask": tf.constant([[True, False]] * ROWS),
    }
    posterior = psychometric_model.theta_posterior(psychometric_model(state))
    compiled = tf.function(
        lambda seed: information_gain(task, posterior, after, seed, num_draws=100)
    )
    found = np.stack([compiled(draws.as_seed(seed)) for seed in range(6)])
    exact = np.stack([exact_prediction_gain(wanted, guess) for guess in (None, None, GUESS)])
    assert exact.max() > 0.003
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - exact) < 0.0005 + 4 * error).all()
    assert (found.mean(axis=0).argmax(axis=1) == exact.argmax(axis=1)).all()


def test_information_gains_are_never_negative(gain):
    assert (gain >= 0.0).all()


def test_nothing_is_to_be_gained_about_what_is_known(task, state, psychometric_model):
    known = state | {"known_mask": state["theta_mask"], "known_theta": state["theta"]}
    posterior = psychometric_model.theta_posterior(psychometric_model(known))
    nothing = information_gain(task, posterior, known, draws.as_seed(1), num_draws=20)
    np.testing.assert_allclose(nothing, 0.0, atol=2e-6)


def test_padding_in_the_history_changes_nothing(task, state, psychometric_model):
    posterior = psychometric_model.theta_posterior(psychometric_model(state))
    seed = draws.as_seed(2)
    before = information_gain(task, posterior, state, seed, num_draws=10)
    other = state | {"context_design": state["context_design"] + [[[0.0]] * 4 + [[2.5]]]}
    after = information_gain(task, posterior, other, seed, num_draws=10)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("task", "noise"), [(Linear(), 0.25), (LinearWithMoments(), 0.1)])
def test_gain_of_a_continuous_outcome_about_all_parameters(task, noise):
    rows, seen = 8, 4
    state = linear_state(task, rows, seen, 12)
    compiled = tf.function(
        lambda seed: information_gain(task, normal_posterior(task, rows), state, seed, 48)
    )
    found = np.mean([compiled(draws.as_seed(seed)) for seed in range(6)], axis=0)
    error = []
    for row in range(rows):
        design = state["context_design"][row, :seen].numpy().astype(float)
        _, covariance = posterior_moments(design, np.zeros(seen))
        exact = linear_gain(covariance, state["candidate_design"][row].numpy())
        np.testing.assert_allclose(found[row], exact, atol=noise)
        assert exact.max() - exact[found[row].argmax()] < noise / 2
        error.append(found[row] - exact)
    assert abs(np.mean(error)) < 0.03


def test_gain_of_a_continuous_outcome_about_one_of_two_parameters():
    task, rows, seen = Linear(), 3, 4
    state = linear_state(task, rows, seen, 8, selected=(True, False))
    compiled = tf.function(
        lambda seed: information_gain(
            task, normal_posterior(task, rows), state, seed, 40, all_selected=False
        )
    )
    found = np.mean([compiled(draws.as_seed(seed)) for seed in range(10)], axis=0)
    for row in range(rows):
        design = state["context_design"][row, :seen].numpy().astype(float)
        _, covariance = posterior_moments(design, np.zeros(seen))
        candidates = state["candidate_design"][row].numpy().astype(float)
        rest = covariance[1, 1] - covariance[0, 1] ** 2 / covariance[0, 0]
        left = 0.5 * np.log1p(rest * candidates[:, 1] ** 2 / task.NOISE**2)
        exact = linear_gain(covariance, candidates) - left
        np.testing.assert_allclose(found[row], exact, atol=0.1)
        assert stats.spearmanr(found[row], exact).statistic > 0.8


class LocationWithMoments(LocationFinding):
    """The same task, with the moments of its normal outcome."""

    def normal_outcome(self, theta, design):
        return log_intensity(self._places(theta), design), tf.constant(NOISE)


@pytest.mark.parametrize("shown", [0, 3, 10])
def test_gains_of_location_finding_rank_candidates_as_an_exact_grid_does(shown):
    task, rows, pool = LocationWithMoments(), 10, 40
    state = linear_state(task, rows, shown, pool, seed=shown)
    parameters = task.spec.parameters
    raw = tf.repeat(tf.constant([[raw_bias(4)] * 2]), rows, axis=0)
    gain = information_gain(
        task, ThetaPosterior(parameters, raw, 4), state, draws.as_seed(1), num_draws=64
    ).numpy()
    lost, agreement = [], []
    for row in range(rows):
        design = state["context_design"][row, :shown].numpy().astype(float)
        outcome = state["context_outcome"][row, :shown, 0].numpy().astype(float)
        posterior = location_grid.shrinking_posteriors(design, outcome, [shown])[0]
        exact = location_grid.information_gain(posterior, state["candidate_design"][row].numpy())
        lost.append(1.0 - exact[gain[row].argmax()] / exact.max())
        agreement.append(stats.spearmanr(gain[row], exact).statistic)
    # With nothing seen, gains hardly differ between places.
    assert np.mean(agreement) > (0.2 if shown == 0 else 0.85)
    assert np.mean(lost) < 0.1


def test_a_wrong_q_gives_finite_gains():
    task = LinearWithMoments()
    state = linear_state(task, 4, 3, 5)
    far = state | {"context_outcome": state["context_outcome"] + 1e4}
    gain = information_gain(task, normal_posterior(task, 4, -80.0, 1e-3), far, draws.as_seed(1), 16)
    assert np.isfinite(gain).all()


def test_tasks_say_whether_rows_are_after_everything(task):
    assert selects_all(LocationFinding())
    assert not selects_all(task)
