"""Greedy choices from sampled posteriors against closed forms."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.acquisition.baselines.sampled_greedy import SampledGreedyPolicy
from aline_tf.tasks.ces import CES
from tests.information.linear_task import (
    LinearWithMoments,
    exact_gain,
    linear_state,
    posterior_moments,
)

ROWS, SEEN = 6, 3


@pytest.fixture(scope="module")
def policy():
    return SampledGreedyPolicy(
        LinearWithMoments(), num_particles=128, screening_particles=64, num_finalists=8
    )


@pytest.fixture(scope="module")
def batch():
    state = linear_state(LinearWithMoments(), ROWS, SEEN, 30)
    return {name: array.numpy() for name, array in state.items()}


def exact(batch, row):
    design = batch["context_design"][row, :SEEN].astype(float)
    _, covariance = posterior_moments(design, np.zeros(SEEN))
    return exact_gain(covariance, batch["candidate_design"][row].astype(float))


def test_choices_are_nearly_the_best(policy, batch):
    chosen = policy.choose(batch)
    for row in range(ROWS):
        gain = exact(batch, row)
        assert gain.max() - gain[chosen[row]] < 0.05


def test_choices_are_allowed_and_repeat(policy, batch):
    first = policy.choose(batch)
    np.testing.assert_array_equal(first, policy.choose(batch))
    mask = batch["candidate_mask"].copy()
    mask[np.arange(ROWS), first] = False
    second = policy.choose(batch | {"candidate_mask": mask})
    assert mask[np.arange(ROWS), second].all()


def test_a_sharp_posterior_is_found_from_the_prior():
    task = CES()
    theta = task.sample_theta(draws.as_seed(1), 8)
    design = task.sample_designs(draws.as_seed(2), 8, 10)
    outcome = task.simulate(theta, design, draws.as_seed(3))
    state = {
        "context_design": design,
        "context_outcome": outcome,
        "context_status": np.ones(outcome.shape, np.int32),
        "context_mask": np.ones([8, 10], bool),
        "known_theta": np.zeros([8, 5], np.float32),
        "known_mask": np.zeros([8, 5], bool),
    }
    found = SampledGreedyPolicy(task, num_particles=256).posterior(state, draws.as_seed(4)).numpy()
    z = (found.mean(axis=1) - theta.numpy()) / (found.std(axis=1) + 1e-4)
    assert np.sqrt(np.mean(z**2)) < 2.0
    # Log u is known to a tenth where answers left the ends of the slider.
    within_earshot = (np.abs(outcome[..., 0]) < 15.0).sum(axis=1) > 4
    assert within_earshot.any()
    assert found.std(axis=1)[within_earshot, 4].max() < 0.3
