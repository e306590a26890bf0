"""The bridge from a model's posterior to numpy summaries."""

import numpy as np
import pytest

from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.estimates import model_estimates
from aline_tf.experiments.psychometric.psychometric_grid import sample_prior
from aline_tf.experiments.psychometric.runs import target_mask
from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import SPEC
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def posterior():
    seed_weights(1)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    return ModelPosterior(model)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    design, outcome = rng.uniform(-5, 5, (5, 6, 1)), (rng.random((5, 6, 1)) < 0.5).astype(float)
    return RunData(sample_prior(np.random.default_rng(2), 5), design, outcome)


def test_summaries_are_ordered_and_densities_finite(posterior, data):
    estimates = model_estimates(posterior, data, (0, 3), target_mask("guess,lapse"))
    assert estimates.mean.shape == (5, 2, 4)
    assert (estimates.low < estimates.mean).all()
    assert (estimates.mean < estimates.high).all()
    assert np.isfinite(estimates.log_density).all()


def test_a_known_parameter_changes_the_posterior_of_the_others(posterior, data):
    selected = target_mask("threshold,slope")
    plain = model_estimates(posterior, data, (3,), selected)
    known = model_estimates(posterior, data, (3,), selected, known=3)
    assert np.abs(plain.mean[..., 0] - known.mean[..., 0]).max() > 1e-6


def test_later_trials_are_invisible_at_an_early_step(posterior, data):
    selected = target_mask("threshold,slope")
    changed = RunData(data.theta, data.design.copy(), data.outcome.copy())
    changed.design[:, 3:] += 1.0
    one, other = (model_estimates(posterior, d, (3,), selected) for d in (data, changed))
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)
