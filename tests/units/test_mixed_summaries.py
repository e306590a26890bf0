"""Mixtures known by summaries alone, against mixtures of normal distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from aline_tf.units.mixed_summaries import mixed_mean_sd, mixed_quantiles

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def quantiles_of(mean, sd):
    return mean[..., None] + sd[..., None] * norm.ppf(LEVELS)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.integers(1, 6), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_of_normal_distributions_it_is_exact_in_any_unit(seed, count, loc, scale):
    rng = np.random.default_rng(seed)
    mean, sd = rng.normal(size=(count, 3)), rng.lognormal(size=(count, 3))
    found = mixed_quantiles(quantiles_of(loc + scale * mean, scale * sd), LEVELS)
    assert found.shape == (3, 5)
    reached = norm.cdf((found - loc) / scale, mean[..., None], sd[..., None]).mean(0)
    np.testing.assert_allclose(reached, np.tile(LEVELS, (3, 1)), atol=1e-5)


def test_mean_and_sd_are_those_of_all_draws():
    rng = np.random.default_rng(0)
    mean, sd = np.array([0.0, 4.0]), np.array([1.0, 0.5])
    drawn = (mean + sd * rng.standard_normal((200_000, 2))).ravel()
    assert mixed_mean_sd(mean, sd) == pytest.approx((drawn.mean(), drawn.std()), rel=1e-2)


def test_equal_quantiles_are_no_trouble():
    found = mixed_quantiles(np.zeros((2, 1, 5)), LEVELS)
    np.testing.assert_allclose(found, 0.0, atol=1e-9)
