"""Gaussian process functions: kernels of scikit-learn, moments of the draws, one training step."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import RBF, Matern

from aline_tf import draws
from aline_tf.acquisition.baselines.gp_regression import unit_kernel
from aline_tf.batch import EPISODE_FIELDS, field_dtype
from aline_tf.tasks import task_by_name
from aline_tf.tasks.gp import KERNELS, NOISE, GaussianProcess, covariance
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer

TINY = Recipe(
    batch=4,
    warmup_batch=4,
    warmup_steps=1,
    joint_steps=1,
    group_size=2,
    horizon=3,
    pool=5,
    candidates_per_step=4,
    steps_per_episode=2,
    counterfactual=1.0,
    num_counterfactuals=2,
)
THEIRS = {
    "rbf": RBF,
    "matern32": lambda length: Matern(length, nu=1.5),
    "matern52": lambda length: Matern(length, nu=2.5),
}


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_covariance_is_that_of_scikit_learn(kernel, dims):
    task = GaussianProcess(dims)
    theta = task.sample_theta(draws.as_seed(1), 3)
    design = task.sample_designs(draws.as_seed(2), 3, 20)
    index = tf.fill([3], KERNELS.index(kernel))
    found = covariance(design, theta[:, 0], theta[:, 1:], index).numpy()
    for b in range(3):
        variance, *length = theta[b].numpy().astype(float)
        places = design[b].numpy().astype(float)
        expected = variance * THEIRS[kernel](np.array(length))(places)
        np.testing.assert_allclose(found[b], expected, atol=2e-6)
        # The baselines know the kernel by the same name.
        theirs = variance * unit_kernel(kernel, np.array(length))(places)
        np.testing.assert_allclose(theirs, expected, rtol=1e-12)


def test_drawn_functions_have_the_mixed_covariance():
    task = GaussianProcess(1)
    count = 20_000
    theta = tf.repeat(tf.constant([[0.7, 1.3]]), count, axis=0)
    places = np.array([[0.0], [0.8], [3.0]], np.float32)
    design = tf.repeat(tf.constant(places)[None], count, axis=0)
    outcome = task.simulate(theta, design, draws.as_seed(3)).numpy()[..., 0]
    expected = 0.7 * np.mean([make(1.3)(places) for make in THEIRS.values()], axis=0)
    np.testing.assert_allclose(outcome.T @ outcome / count, expected, atol=0.02)
    np.testing.assert_allclose(outcome.mean(0), 0.0, atol=0.02)


def test_equal_designs_differ_by_noise_alone():
    task = GaussianProcess(1)
    theta = task.sample_theta(draws.as_seed(4), 4000)
    outcome = task.simulate(theta, tf.zeros([4000, 2, 1]), draws.as_seed(5)).numpy()[..., 0]
    difference = outcome[:, 0] - outcome[:, 1]
    assert difference.std() == pytest.approx(np.sqrt(2) * NOISE, rel=0.05)


@pytest.mark.parametrize("dims", [1, 2])
def test_the_prior_stays_in_its_box_and_half_of_the_rows_are_isotropic(dims):
    task = GaussianProcess(dims)
    theta = task.sample_theta(draws.as_seed(6), 4000).numpy()
    low, high = np.array([(p.low, p.high) for p in task.spec.parameters]).T
    assert ((theta > low) & (theta < high)).all()
    np.testing.assert_allclose(theta.mean(0), (low + high) / 2, atol=0.05)
    assert high[1] == pytest.approx(2.0 * np.sqrt(dims))
    if dims == 2:
        assert (theta[:, 1] == theta[:, 2]).mean() == pytest.approx(0.5, abs=0.03)


def test_the_outcome_is_standardised():
    task = GaussianProcess(1, predictions=1)
    outcome = task.sample_episodes(draws.as_seed(7), 4000, 2)["context_outcome"].numpy()
    assert outcome.std() / task.spec.fields[0].scale == pytest.approx(1.0, abs=0.03)


def test_the_likelihood_of_a_history_is_that_of_its_three_kernels():
    """Against scikit-learn's kernels and SciPy's density; what was not seen is not there."""
    task = GaussianProcess(2)
    episode = task.sample_episodes(draws.as_seed(1), 3, 6)
    design, outcome = episode["candidate_design"], episode["candidate_outcome"]
    seen = np.array([[True] * 6, [True, False, True, False, True, True], [False] * 6])
    outcome = tf.where(seen[..., None], outcome, np.nan)
    theta = tf.reshape(task.sample_theta(draws.as_seed(2), 3 * 300), [3, 300, 3])
    found = task.history_log_likelihood(theta, design, outcome, tf.constant(seen))
    few = task.history_log_likelihood(theta[:, :5], design, outcome, tf.constant(seen))
    np.testing.assert_allclose(few, found[:, :5], atol=1e-12)
    np.testing.assert_allclose(found[2], 0.0, atol=1e-12)
    for row, draw in ((0, 0), (0, 299), (1, 7)):
        own = seen[row]
        x, y = design[row].numpy()[own], outcome[row].numpy()[own, 0]
        variance, *length = theta[row, draw].numpy().astype(float)
        exact = []
        for make in THEIRS.values():
            matrix = variance * make(np.array(length))(x) + NOISE**2 * np.eye(len(x))
            exact.append(multivariate_normal(cov=matrix).logpdf(y))
        exact = np.logaddexp.reduce(exact) - np.log(3.0)
        np.testing.assert_allclose(found[row, draw], exact, rtol=1e-4)


@pytest.mark.parametrize("dims", [1, 2])
def test_an_episode_has_every_field_one_point_and_one_kind_of_target(dims):
    task = GaussianProcess(dims, predictions=7)
    episode = task.sample_episodes(draws.as_seed(8), 60, 9)
    sizes = {"B": 60, "C": 1, "D": dims, "F": 1, "P": dims + 1, "M": 7, "N": 9}
    assert set(episode) == set(EPISODE_FIELDS)
    for name, letters in EPISODE_FIELDS.items():
        assert tuple(episode[name].shape) == tuple(sizes[letter] for letter in letters), name
        assert episode[name].dtype == field_dtype(name), name
    theta, target = episode["theta_mask"].numpy(), episode["target_mask"].numpy()
    np.testing.assert_array_equal(theta.all(1), theta.any(1))
    np.testing.assert_array_equal(target.all(1), target.any(1))
    np.testing.assert_array_equal(theta[:, 0], ~target[:, 0])
    assert 0.2 < target[:, 0].mean() < 0.8


def test_context_pool_and_targets_belong_to_one_function():
    task = GaussianProcess(1, predictions=200)
    episode = {k: v.numpy() for k, v in task.sample_episodes([9, 0], 50, 200).items()}
    smooth = episode["theta"][:, 1] > 1.0
    gaps = []
    for b in np.flatnonzero(smooth):
        away = np.abs(episode["candidate_design"][b] - episode["target_design"][b].T)
        i, j = np.unravel_index(away.argmin(), away.shape)
        gaps.append(episode["candidate_outcome"][b, i, 0] - episode["target_outcome"][b, j])
    assert len(gaps) > 10
    assert np.abs(gaps).max() < 0.1


def test_full_pools_of_the_smoothest_functions_factorise():
    task = GaussianProcess(1)
    design = task.sample_designs(draws.as_seed(10), 4, 601)
    outcome = task.simulate(tf.constant([[1.0, 2.0]] * 4), design, draws.as_seed(11))
    assert np.isfinite(outcome).all()


@pytest.mark.parametrize("dims", [1, 2])
def test_graph_and_eager_agree(dims):
    task = GaussianProcess(dims, predictions=4)
    eager = task.sample_episodes(draws.as_seed(1), 3, 5)
    graph = tf.function(lambda seed: task.sample_episodes(seed, 3, 5))(draws.as_seed(1))
    for name, value in eager.items():
        np.testing.assert_allclose(value, graph[name], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("name", ["gp1d", "gp2d"])
def test_it_trains(make_tiny, name):
    task = task_by_name(name)
    assert task.spec.name == name
    task.predictions = 6
    trainer = Trainer(make_tiny(task), task)
    trainer.compile(recipe=TINY, seed=1)
    history = trainer.fit(epochs=2, steps_per_epoch=1, verbose=0).history
    assert np.isfinite([history[key] for key in ("loss", "inference", "policy")]).all()


@pytest.mark.parametrize(("dims", "predictions"), [(0, 3), (1, 0)])
def test_no_dimensions_or_no_predictions_are_refused(dims, predictions):
    with pytest.raises(ValueError, match="Received: dims="):
        GaussianProcess(dims, predictions)


@pytest.mark.parametrize("dims", [1, 2])
def test_episodes_of_any_size_are_drawn_without_a_complaint_of_tensorflow(dims, caplog):
    task = GaussianProcess(dims)
    for size in range(2, 12):
        task.sample_episodes(draws.as_seed(size), size, 2 * size)
    assert not [record for record in caplog.records if record.name == "tensorflow"]
