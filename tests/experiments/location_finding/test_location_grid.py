"""Exact posterior and exact gain of location finding against brute force."""

import numpy as np
import pytest

from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.experiments.location_finding import location_grid
from aline_tf.experiments.location_finding.location_grid import (
    NOISE,
    GreedyLocationPolicy,
    information_gain,
    log_likelihood,
    log_signal,
    plane_posterior,
    shrinking_posteriors,
)
from aline_tf.tasks import location_finding

SOURCE = np.array([0.32, 0.71])


@pytest.fixture(scope="module")
def history():
    rng = np.random.default_rng(4)
    design = rng.random((6, 2)) * 0.3 + SOURCE - 0.15
    return design, log_signal(SOURCE, design) + NOISE * rng.normal(size=6)


def brute_force(design, outcome, size=700):
    nodes = (np.arange(size) + 0.5) / size
    theta = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    mass = np.exp(log_likelihood(theta, design, outcome))
    return nodes, mass / mass.sum(), np.log(mass.mean())


def test_the_model_is_that_of_the_task():
    rng = np.random.default_rng(1)
    theta, design = rng.random((2, 20, 2)).astype(np.float32)
    expected = location_finding.log_intensity(theta[:, None], design)
    np.testing.assert_allclose(log_signal(theta, design), expected, rtol=1e-4)
    constants = (location_grid.BACKGROUND, location_grid.CLOSEST, NOISE)
    theirs = (location_finding.BACKGROUND, location_finding.CLOSEST, location_finding.NOISE)
    assert constants == theirs


def test_the_posterior_is_that_of_a_fine_grid(history):
    nodes, mass, log_evidence = brute_force(*history)
    posterior = shrinking_posteriors(*history, [6])[0]
    assert posterior.log_evidence == pytest.approx(log_evidence, abs=1e-3)
    expected = [(mass.sum(1) * nodes).sum(), (mass.sum(0) * nodes).sum()]
    np.testing.assert_allclose(posterior.mean(), expected, atol=2e-4)
    cdf = np.cumsum(mass.sum(1))
    for level in (0.05, 0.5, 0.95):
        there = nodes[np.searchsorted(cdf, level)]
        assert posterior.quantiles([level])[0, 0] == pytest.approx(there, abs=4e-3)
    density = posterior.log_density(SOURCE, *history)
    for axis in (0, 1):
        found = np.interp(SOURCE[axis], nodes, mass.sum(1 - axis)) * len(nodes)
        assert density[axis] == pytest.approx(np.log(found), abs=5e-3)


def test_with_no_outcome_the_posterior_is_the_prior():
    posterior, box = plane_posterior(np.zeros((0, 2)), np.zeros(0))
    np.testing.assert_allclose(posterior.mean(), 0.5, atol=1e-12)
    np.testing.assert_allclose(posterior.quantiles([0.1, 0.9]), [[0.1, 0.9]] * 2, atol=1e-12)
    assert posterior.log_evidence == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(box, [[0, 1], [0, 1]])


def test_a_coarser_start_finds_the_same_sharp_posterior():
    rng = np.random.default_rng(5)
    design = SOURCE + 0.01 * rng.normal(size=(30, 2))
    outcome = log_signal(SOURCE, design) + NOISE * rng.normal(size=30)
    coarse, fine = (shrinking_posteriors(design, outcome, [30], size)[0] for size in (32, 96))
    np.testing.assert_allclose(coarse.mean(), fine.mean(), atol=2e-5)
    assert coarse.log_evidence == pytest.approx(fine.log_evidence, abs=1e-3)
    assert np.abs(fine.mean() - SOURCE).max() < 0.02


def test_the_gain_is_the_simulated_one(history):
    posterior = shrinking_posteriors(*history, [3])[0]
    candidates = np.array([[0.3, 0.7], [0.9, 0.1], [0.45, 0.6]])
    rng = np.random.default_rng(6)
    theta = np.stack(np.meshgrid(*posterior.nodes, indexing="ij"), -1).reshape(-1, 2)
    weight = posterior.mass.ravel()
    for x, gain in zip(candidates, information_gain(posterior, candidates), strict=True):
        drawn = theta[rng.choice(len(theta), 3000, p=weight)]
        outcome = log_signal(drawn, x) + NOISE * rng.normal(size=3000)
        z = (outcome[:, None] - log_signal(theta, x)) / NOISE
        marginal = np.log(np.exp(-0.5 * z**2) @ weight)
        own = -0.5 * ((outcome - log_signal(drawn, x)) / NOISE) ** 2
        values = own - marginal
        assert gain == pytest.approx(values.mean(), abs=4 * values.std() / np.sqrt(3000))


def test_the_policy_takes_the_largest_gain_allowed_and_keeps_no_hidden_state(history):
    candidates = np.random.default_rng(7).random((2, 12, 2))
    batch = empty_batch({"B": 2, "C": 6, "D": 2, "F": 1, "P": 2, "N": 12})
    batch["candidate_design"][:] = candidates
    batch["candidate_mask"][:] = True
    policy = GreedyLocationPolicy(32)
    for t in range(3):
        if t:
            batch["context_design"][:, t - 1] = history[0][t - 1]
            batch["context_outcome"][:, t - 1, 0] = history[1][t - 1]
            batch["context_status"][:, t - 1] = OBSERVED
            batch["context_mask"][:, t - 1] = True
        chosen = policy.choose(batch)
        fresh = GreedyLocationPolicy(32).choose(batch)
        np.testing.assert_array_equal(chosen, fresh)
    posterior = shrinking_posteriors(history[0][:2], history[1][:2], [2], 32)[0]
    gain = information_gain(posterior, candidates[0])
    assert chosen[0] == gain.argmax()
    batch["candidate_mask"][0, chosen[0]] = False
    assert policy.choose(batch)[0] == np.argsort(gain)[-2]
