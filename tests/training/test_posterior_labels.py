"""Labels shared between the truth and other draws: the same mean, less noise."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.models.aline import ALINE
from aline_tf.models.distributions.theta_posterior import ThetaPosterior
from aline_tf.tasks.ces import CES
from aline_tf.training.inference import loss_at_states, value_over_labels
from aline_tf.training.posterior_labels import rao_blackwell_labels
from aline_tf.training.recipe import Recipe
from aline_tf.training.rollout import selected_value
from tests.information.linear_task import Linear, linear_state, normal_posterior, posterior_moments
from tests.training.small_tasks import SIZES

ROWS, SEEN, COUNT = 3000, 4, 63


@pytest.fixture(scope="module")
def one_history():
    """One history in every row, each with a truth of its own, drawn from the exact posterior."""
    state = linear_state(Linear(), 1, SEEN, 1)
    design = state["context_design"][0, :SEEN].numpy().astype(float)
    outcome = state["context_outcome"][0, :SEEN, 0].numpy().astype(float)
    mean, covariance = posterior_moments(design, outcome)
    state = {name: tf.repeat(array, ROWS, axis=0) for name, array in state.items()}
    root = np.linalg.cholesky(covariance)
    truth = mean + np.random.default_rng(1).normal(size=(ROWS, 2)) @ root.T
    return state | {"theta": tf.constant(truth, tf.float32)}, mean, covariance


@pytest.mark.parametrize(("loc", "sd"), [(0.0, 1.0), (0.5, 0.3), (-1.5, 0.4)])
def test_the_mean_label_is_that_of_the_posterior_whatever_q_is(one_history, loc, sd):
    state, mean, covariance = one_history
    theta, weight = rao_blackwell_labels(
        Linear(), normal_posterior(Linear(), ROWS, loc, sd), state, (2, 3), COUNT
    )
    assert theta.shape == (COUNT + 1, ROWS, 2)
    np.testing.assert_array_equal(theta[0], state["theta"])
    np.testing.assert_allclose(tf.reduce_sum(weight, axis=0), 1.0, atol=1e-5)
    for power, expected in ((1, mean), (2, np.diag(covariance) + mean**2)):
        label = tf.reduce_sum(weight[..., None] * theta**power, axis=0).numpy()
        error = label.std(axis=0) / np.sqrt(ROWS)
        assert (np.abs(label.mean(axis=0) - expected) < 4.0 * error).all()


def test_labels_are_far_less_noisy(one_history):
    state, _, covariance = one_history
    theta, weight = rao_blackwell_labels(
        Linear(), normal_posterior(Linear(), ROWS), state, (2, 3), COUNT
    )
    label = tf.reduce_sum(weight[..., None] * theta, axis=0).numpy()
    assert (label.var(axis=0) < 0.5 * np.diag(covariance)).all()


def test_a_q_that_excludes_the_posterior_leaves_the_truth(one_history):
    state, *_ = one_history
    theta, weight = rao_blackwell_labels(
        Linear(), normal_posterior(Linear(), ROWS, 40.0, 1e-2), state, (2, 3), 7
    )
    assert np.isfinite(theta).all()
    np.testing.assert_allclose(weight[0], 1.0)


def test_known_parameters_are_known_to_the_labels(one_history):
    state, mean, covariance = one_history
    known = tf.constant([[True, False]] * ROWS)
    first = tf.zeros([ROWS, 1]) + 0.3
    slope = covariance[0, 1] / covariance[0, 0]
    expected = mean[1] + slope * (0.3 - mean[0])
    noise = np.random.default_rng(2).normal(size=(ROWS, 1))
    second = expected + noise * np.sqrt(covariance[1, 1] - slope * covariance[0, 1])
    truth = tf.concat([first, tf.constant(second, tf.float32)], axis=1)
    state = state | {"theta": truth, "known_mask": known, "known_theta": truth}
    theta, weight = rao_blackwell_labels(
        Linear(), normal_posterior(Linear(), ROWS), state, (2, 3), COUNT
    )
    np.testing.assert_allclose(theta[..., 0], 0.3, rtol=1e-6)
    label = tf.reduce_sum(weight * theta[..., 1], axis=0).numpy()
    assert label.mean() == pytest.approx(expected, abs=4.0 * label.std() / np.sqrt(ROWS))


def test_labels_of_dependent_parameters_are_whole():
    task = CES()
    model = ALINE.for_task(task, **SIZES)
    state = dict(task.sample_episodes(draws.as_seed(1), 8, 4))
    outputs = model(state)
    theta, weight = rao_blackwell_labels(task, model.theta_posterior(outputs), state, (1, 2), 7)
    np.testing.assert_allclose(tf.reduce_sum(theta[..., 1:4], axis=-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(weight, axis=0), 1.0, atol=1e-5)


class OnePosterior:
    """A model whose posterior is always what its raw output says."""

    @staticmethod
    def theta_posterior(outputs):
        return ThetaPosterior(Linear.spec.parameters, outputs["theta_raw"], 1)

    @classmethod
    def theta_log_prob(cls, outputs, theta):
        return cls.theta_posterior(outputs).log_prob(theta)

    @staticmethod
    def target_log_prob(outputs, state, outcome):
        return tf.zeros_like(outcome)


def test_values_have_the_same_mean_and_less_noise(one_history):
    state, *_ = one_history
    outputs = {"theta_raw": tf.constant([[[0.0, 0.2, 0.1, 0.0]] * 2] * ROWS)}
    plain = selected_value(OnePosterior, outputs, state).numpy()
    value = value_over_labels(Linear(), COUNT, draws.as_seed(3))
    shared = value(OnePosterior, outputs, state).numpy()
    assert abs(plain.mean() - shared.mean()) < 4.0 * plain.std() / np.sqrt(ROWS)
    assert shared.var() < 0.5 * plain.var()


def test_gradients_of_q_have_the_same_mean_and_less_noise(one_history):
    state, *_ = one_history
    raw = tf.Variable(tf.constant([[[0.0, 0.2, 0.1, 0.0]] * 2]))
    found = []
    for num_posterior_labels in (0, COUNT):
        recipe = Recipe(num_posterior_labels=num_posterior_labels)
        with tf.GradientTape() as tape:
            whole = tf.repeat(raw, ROWS, axis=0)
            tape.watch(whole)
            args = (OnePosterior, Linear(), recipe, {"theta_raw": whole}, state, draws.as_seed(3))
            loss = loss_at_states(*args)
        found.append(ROWS * tape.gradient(loss, whole).numpy()[..., 1:3])
    plain, shared = found
    tolerance = 4.0 * plain.std(axis=0) / np.sqrt(ROWS)
    assert (np.abs(plain.mean(axis=0) - shared.mean(axis=0)) < tolerance).all()
    assert (shared.var(axis=0) < 0.5 * plain.var(axis=0)).all()
