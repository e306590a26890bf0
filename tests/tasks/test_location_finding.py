"""Location finding against plain numpy, the order of its sources, and one step of training."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from aline_tf import draws
from aline_tf.tasks import task_by_name
from aline_tf.tasks.location_finding import NOISE, LocationFinding, outcome_moments
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


def mean_by_hand(theta, design):
    """theta [K, d], design [d]."""
    return np.log(0.1 + sum(1.0 / (1e-4 + np.sum((place - design) ** 2)) for place in theta))


@pytest.mark.parametrize(("sources", "dims"), [(1, 2), (2, 2), (3, 1)])
def test_the_log_likelihood_is_the_formula(sources, dims):
    task = LocationFinding(sources, dims)
    theta = task.sample_theta(draws.as_seed(1), 4)
    design = task.sample_designs(draws.as_seed(2), 4, 3)
    outcome = task.simulate(theta, design, draws.as_seed(3))
    assert outcome.shape == (4, 3, 1)
    found = task.log_likelihood(theta[:, None], design, outcome)
    for b in range(4):
        places = theta[b].numpy().reshape(sources, dims).astype(float)
        for n in range(3):
            mean = mean_by_hand(places, design[b, n].numpy())
            expected = stats.norm.logpdf(float(outcome[b, n, 0]), mean, NOISE)
            assert float(found[b, n]) == pytest.approx(expected, abs=1e-4)


def test_simulated_outcomes_have_that_mean_and_spread():
    task = LocationFinding()
    theta = tf.constant([[0.3, 0.6]])
    design = tf.tile(tf.constant([[[0.3, 0.6], [0.9, 0.1]]]), [1, 4000, 1])
    outcome = task.simulate(theta, design, draws.as_seed(1)).numpy().reshape(4000, 2)
    expected = [mean_by_hand(theta.numpy(), design[0, n].numpy()) for n in (0, 1)]
    np.testing.assert_allclose(outcome.mean(0), expected, atol=0.03)
    np.testing.assert_allclose(outcome.std(0), NOISE, atol=0.02)
    assert expected[0] == pytest.approx(math.log(0.1 + 1e4), abs=1e-3)


@pytest.mark.parametrize(("sources", "dims"), [(1, 2), (2, 3)])
def test_the_outcome_is_standardised(sources, dims):
    task = LocationFinding(sources, dims)
    theta = task.sample_theta(draws.as_seed(4), 4000)
    outcome = task.simulate(theta, task.sample_designs(draws.as_seed(5), 4000, 8), [6, 0]).numpy()
    channel = task.spec.fields[0]
    scaled = (outcome - channel.loc) / channel.scale
    assert abs(scaled.mean()) < 0.03
    assert scaled.std() == pytest.approx(1.0, abs=0.03)
    assert outcome_moments(sources, dims) == (channel.loc, channel.scale)


def test_sources_are_listed_by_their_first_coordinate_and_heard_in_any_order():
    task = LocationFinding(sources=3)
    theta = task.sample_theta(draws.as_seed(7), 500)
    places = theta.numpy().reshape(500, 3, 2)
    assert (np.diff(places[..., 0], axis=1) >= 0).all()
    # Sorting moves whole sources: the second coordinate stays uniform at every rank.
    np.testing.assert_allclose(places[..., 1].mean(0), 0.5, atol=0.05)
    swapped = places[:, [2, 0, 1]].reshape(500, 6)
    design = task.sample_designs(draws.as_seed(8), 500, 1)[:, 0]
    outcome = tf.zeros([500, 1])
    np.testing.assert_allclose(
        task.log_likelihood(theta, design, outcome),
        task.log_likelihood(swapped, design, outcome),
        rtol=1e-5,
    )


def test_the_prior_integrates_to_one_over_the_ordered_sources():
    task = LocationFinding(sources=2, dims=1)
    anywhere = draws.uniform(draws.as_seed(9), [20_000, 2])
    assert np.exp(task.log_prior(anywhere)).mean() == pytest.approx(1.0, abs=0.03)
    assert np.isfinite(task.log_prior(task.sample_theta(draws.as_seed(9), 100))).all()
    assert np.isneginf(task.log_prior(tf.constant([[0.2, 1.1]]))).all()
    np.testing.assert_array_equal(LocationFinding().log_prior(tf.constant([[0.9, 0.1]])), 0.0)


@pytest.mark.parametrize("sources", [1, 2])
def test_graph_and_eager_agree(sources):
    task = LocationFinding(sources)

    def everything(seed):
        episode = task.sample_episodes(seed, 3, 4)
        theta = episode["theta"][:, None]
        outcome = episode["candidate_outcome"]
        return episode | {
            "likelihood": task.log_likelihood(theta, episode["candidate_design"], outcome),
            "prior": task.log_prior(theta),
        }

    eager, graph = everything(draws.as_seed(1)), tf.function(everything)(draws.as_seed(1))
    for name, value in eager.items():
        np.testing.assert_allclose(value, graph[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.usefixtures("without_graphs")
def test_it_trains(make_tiny):
    task = task_by_name("location_finding")
    trainer = Trainer(make_tiny(task), task)
    trainer.compile(recipe=TINY, seed=1)
    history = trainer.fit(epochs=2, steps_per_epoch=1, verbose=0).history
    assert np.isfinite([history[name] for name in ("loss", "inference", "policy")]).all()


@pytest.mark.parametrize(("sources", "dims"), [(0, 2), (1, 0)])
def test_a_space_without_sources_or_dimensions_is_refused(sources, dims):
    with pytest.raises(ValueError, match="Received: sources="):
        LocationFinding(sources, dims)
