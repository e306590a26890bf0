"""The oracle of hyper-parameters against evidences computed one by one, by another formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import RBF, Matern

from aline_tf.batch import NO_ANSWER
from aline_tf.batch_ops import condition_on, from_history
from aline_tf.experiments.functions.exact_inference import FunctionInference

SIZES = {"D": 1, "F": 1, "P": 2}
LOW, HIGH = np.array([0.1, 0.1]), np.array([1.0, 2.0])


def kernels(length):
    return RBF(length), Matern(length, nu=1.5), Matern(length, nu=2.5)


def evidence(design, outcome, variance, length):
    """p(y | v, l), the kernel summed out, up to what does not depend on them."""
    if not len(design):
        return 1.0
    found = []
    for kernel in kernels(length):
        matrix = variance * kernel(design[:, None]) + 1e-4 * np.eye(len(design))
        found.append(multivariate_normal(np.zeros(len(design)), matrix).logpdf(outcome))
    return np.exp(found).mean()


def function(seed, count):
    rng = np.random.default_rng(seed)
    theta = rng.uniform(LOW, HIGH)
    design = np.float32(rng.uniform(-5, 5, count))
    kernel = kernels(theta[1])[rng.integers(3)]
    matrix = theta[0] * kernel(design.astype(float)[:, None]) + 1e-4 * np.eye(count)
    return theta, design, np.float32(np.linalg.cholesky(matrix) @ rng.standard_normal(count))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 6), which=st.sampled_from([(), (0,), (1,)]))
def test_it_agrees_with_an_even_grid(seed, count, which):
    theta, design, outcome = function(seed, count)
    batch = from_history(SIZES, design[None, :, None], outcome[None, :, None])
    batch["context_status"][0, 0] = NO_ANSWER
    batch = condition_on(batch, theta[None], np.isin([0, 1], which))
    design, outcome = design[1:].astype(float), outcome[1:].astype(float)
    axes = [
        np.array([np.float32(theta[p])], float)
        if p in which
        else LOW[p] + (HIGH[p] - LOW[p]) * (np.arange(16) + 0.5) / 16
        for p in (0, 1)
    ]
    mass = np.array([[evidence(design, outcome, v, s) for s in axes[1]] for v in axes[0]])
    total = mass.mean()
    mass /= mass.sum()
    margins = mass.sum(1), mass.sum(0)
    mean = np.array([m @ a for m, a in zip(margins, axes, strict=True)])
    sd = np.sqrt([m @ (a - c) ** 2 for m, a, c in zip(margins, axes, mean, strict=True)])
    exact = FunctionInference()
    found = exact.summary(batch, theta[None])
    scale = np.maximum(sd, 0.02)
    assert np.abs((found.mean[0] - mean) / scale).max() < 0.05
    assert np.abs((found.sd[0] - sd) / scale).max() < 0.08
    point = [axes[p][0] if p in which else theta[p] for p in (0, 1)]
    free = [p for p in (0, 1) if p not in which]
    density = np.log(evidence(design, outcome, *point) / total) - np.log(HIGH - LOW)[free].sum()
    assert exact.joint_log_prob(batch, theta[None])[0] == pytest.approx(density, abs=0.05)
    for p in free:
        cdf = np.append(0.0, np.cumsum(margins[p]))
        at = np.interp(theta[p], np.linspace(LOW[p], HIGH[p], 17), cdf)
        assert found.below[0, p] == pytest.approx(at, abs=0.02)
    if not which:
        drawn = exact.joint_draws(batch, 2)
        np.testing.assert_allclose(
            exact.joint_log_prob(batch, drawn.theta[:, 0]), drawn.log_prob[:, 0], atol=1e-6
        )
        gain = (mass * np.log(mass / np.outer(*margins))).sum()
        assert drawn.expected_gain[0] == pytest.approx(gain, abs=0.02)
        away = axes[0] - mean[0], axes[1] - mean[1]
        expected = away[0] @ mass @ away[1] / sd.prod()
        assert exact.correlation(batch)[0, 0, 1] == pytest.approx(expected, abs=0.03)


def test_many_observations_leave_a_narrow_posterior_about_the_truth():
    inside, sd = [], []
    for seed in range(12):
        theta, design, outcome = function(seed, 40)
        batch = from_history(SIZES, design[None, :, None], outcome[None, :, None])
        found = FunctionInference().summary(batch, theta[None])
        assert np.isfinite(found).all()
        inside += list((found.low[0] <= theta) & (theta <= found.high[0]))
        sd.append(found.sd[0, 1])
    assert np.mean(sd) < 0.3
    assert 17 <= sum(inside) <= 24
