"""The exact posterior against closed forms and identities that any posterior obeys."""

import numpy as np
import pytest
from scipy import integrate, stats

from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import (
    PARAMETER_HIGH,
    PARAMETER_LOW,
    sample_prior,
    success_probability,
)

GRID = GridPosterior()
STEPS = (0, 5, 30)


@pytest.fixture(scope="module")
def trials():
    """Six subjects, thirty random trials: theta [6, 4], design and outcome [6, 30]."""
    rng = np.random.default_rng(3)
    theta = sample_prior(rng, 6)
    design = rng.uniform(-5, 5, (6, 30))
    outcome = rng.random((6, 30)) < success_probability(theta[:, None], design)
    return theta, design, outcome.astype(float)


def test_without_trials_the_posterior_is_the_prior():
    beliefs = GRID.marginals(np.zeros((2, 1)), np.zeros((2, 1)), (0,))
    width = PARAMETER_HIGH - PARAMETER_LOW
    np.testing.assert_allclose(beliefs.mean()[0, 0], PARAMETER_LOW + width / 2, atol=1e-6)
    np.testing.assert_allclose(beliefs.sd()[0, 0], width / np.sqrt(12), rtol=1e-4)
    levels = (0.05, 0.5, 0.95)
    expected = PARAMETER_LOW[:, None] + width[:, None] * np.array(levels)
    np.testing.assert_allclose(beliefs.quantiles(levels)[0, 0], expected, atol=1e-4)
    np.testing.assert_allclose(beliefs.log_evidence, 0.0, atol=1e-6)


def test_guessing_alone_gives_a_truncated_beta_posterior():
    """Far below a sharp threshold only lapses say yes: y ~ Bernoulli(guess * lapse)."""
    lapse, yes, no = 0.45, 4, 8
    outcome = np.array([[1.0] * yes + [0.0] * no])
    design = np.full(outcome.shape, -5.0)
    fixed = {0: np.array([3.0]), 1: np.array([0.1]), 3: np.array([lapse])}
    beliefs = GRID.marginals(design, outcome, (12,), fixed)

    beta = stats.beta(yes + 1, no + 1)
    low, high = beta.cdf(0.1 * lapse), beta.cdf(0.9 * lapse)
    levels = np.array([0.05, 0.5, 0.95])
    quantiles = beta.ppf(low + levels * (high - low)) / lapse
    np.testing.assert_allclose(beliefs.quantiles(levels)[0, 0, 2], quantiles, atol=5e-4)
    mean = beta.expect(lambda p: p, 0.1 * lapse, 0.9 * lapse, conditional=True) / lapse
    assert beliefs.mean()[0, 0, 2] == pytest.approx(mean, abs=1e-5)
    theta = np.array([[3.0, 0.1, 0.4, lapse]])
    # Only guess is unknown, so its density follows from two evidences.
    held = GRID.marginals(design, outcome, (12,), fixed | {2: theta[:, 2]}).log_evidence
    density = held - beliefs.log_evidence - np.log(0.8)
    expected = beta.logpdf(0.4 * lapse) + np.log(lapse) - np.log(high - low)
    assert density[0, 0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("parameter", range(4))
def test_marginal_density_integrates_to_one_and_to_the_mean(trials, parameter):
    _, design, outcome = trials
    points = np.linspace(PARAMETER_LOW[parameter], PARAMETER_HIGH[parameter], 121)
    repeat = (len(points), 1)
    held = GRID.marginals(
        np.tile(design[0], repeat), np.tile(outcome[0], repeat), (30,), {parameter: points}
    ).log_evidence[:, 0]
    beliefs = GRID.marginals(design[:1], outcome[:1], (30,))
    density = np.exp(held - beliefs.log_evidence[0, 0])
    density /= PARAMETER_HIGH[parameter] - PARAMETER_LOW[parameter]
    assert integrate.simpson(density, points) == pytest.approx(1.0, abs=2e-3)
    mean = integrate.simpson(density * points, points)
    assert mean == pytest.approx(beliefs.mean()[0, 0, parameter], abs=2e-3)


@pytest.mark.parametrize(("a", "b"), [(0, 1), (0, 3), (2, 3)])
def test_conditionals_obey_the_product_rule(trials, a, b):
    theta, design, outcome = trials
    marginal = GRID.log_density(design, outcome, theta, STEPS)
    known_a, known_b = (GRID.log_density(design, outcome, theta, STEPS, known=p) for p in (a, b))
    np.testing.assert_allclose(
        marginal[..., a] + known_a[..., b], marginal[..., b] + known_b[..., a], atol=1e-4
    )
    assert np.isnan(known_a[..., a]).all()


def test_default_resolution_suffices(trials):
    theta, design, outcome = trials
    finer = GridPosterior((128, 48, 20, 20))
    coarse = GRID.log_density(design, outcome, theta, STEPS)
    fine = finer.log_density(design, outcome, theta, STEPS)
    np.testing.assert_allclose(coarse, fine, atol=0.01)


def test_order_of_trials_does_not_matter_and_steps_see_only_their_prefix(trials):
    theta, design, outcome = trials
    order = np.random.default_rng(1).permutation(30)
    one = GRID.log_density(design, outcome, theta, (30,))
    other = GRID.log_density(design[:, order], outcome[:, order], theta, (30,))
    np.testing.assert_allclose(one, other, atol=1e-4)
    early = GRID.log_density(design[:, :5], outcome[:, :5], theta, (5,))
    np.testing.assert_allclose(
        GRID.log_density(design, outcome, theta, STEPS)[:, 1], early[:, 0], atol=1e-5
    )


def test_a_long_history_stays_in_range():
    """Two hundred trials, whose likelihood alone would leave float32."""
    rng = np.random.default_rng(0)
    theta = np.array([[0.0, 1.0, 0.5, 0.25]])
    design = rng.uniform(-5, 5, (1, 200))
    outcome = (rng.random((1, 200)) < success_probability(theta, design)).astype(float)
    beliefs = GridPosterior((32, 16, 12, 12)).marginals(design, outcome, (200,))
    assert np.isfinite(beliefs.log_evidence).all()
    assert (np.abs(beliefs.mean()[0, 0] - theta[0]) < 4 * beliefs.sd()[0, 0]).all()
