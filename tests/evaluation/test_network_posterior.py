"""The bridge from a network's posterior to numpy summaries."""

import keras
import numpy as np
import pytest

from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.experiments.psychometric.estimates import Trials, network_estimates, target_mask
from aline_tf.experiments.psychometric.psychometric_grid import sample_prior
from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import SPEC


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    return NetworkPosterior(model)


@pytest.fixture(scope="module")
def trials():
    rng = np.random.default_rng(0)
    return Trials(rng.uniform(-5, 5, (5, 6)), (rng.random((5, 6)) < 0.5).astype(float))


def test_summaries_are_ordered_and_densities_finite(network, trials):
    theta = sample_prior(np.random.default_rng(2), 5)
    estimates = network_estimates(network, trials, theta, (0, 3), target_mask("guess,lapse"))
    assert estimates.mean.shape == (5, 2, 4)
    assert (estimates.low < estimates.mean).all()
    assert (estimates.mean < estimates.high).all()
    assert np.isfinite(estimates.log_density).all()


def test_a_known_parameter_changes_what_is_believed_of_the_others(network, trials):
    theta = sample_prior(np.random.default_rng(2), 5)
    wanted = target_mask("threshold,slope")
    plain = network_estimates(network, trials, theta, (3,), wanted)
    known = network_estimates(network, trials, theta, (3,), wanted, given=3)
    assert np.abs(plain.mean[..., 0] - known.mean[..., 0]).max() > 1e-6


def test_later_trials_are_invisible_at_an_early_step(network, trials):
    theta = sample_prior(np.random.default_rng(2), 5)
    wanted = target_mask("threshold,slope")
    changed = Trials(trials.design.copy(), trials.outcome.copy())
    changed.design[:, 3:] += 1.0
    one, other = (network_estimates(network, t, theta, (3,), wanted) for t in (trials, changed))
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)
